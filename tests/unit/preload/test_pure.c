/* Heads of files, answers of the supervisor and environments, as values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "preload/answer.h"
#include "preload/exec.h"
#include "preload/exec_head.h"
#include "preload/python.h"

static void test_scripts(void **state)
{
	static const struct {
		const char *head;
		int err;
		const char *interp, *argument;
	} cases[] = {
		{ "#!/bin/sh\n", 0, "/bin/sh" },
		{ "#!/bin/sh", 0, "/bin/sh" },
		{ "#! \t/bin/sh \t\n", 0, "/bin/sh" },
		{ "#!/usr/bin/env python3\n", 0, "/usr/bin/env", "python3" },
		{ "#!/usr/bin/env\tpython3", 0, "/usr/bin/env", "python3" },
		{ "#!relative \t-x -y \nmore\n", 0, "relative", "-x -y" },
		{ "#!\n", ENOEXEC, NULL },
		{ "#!   \t \n/bin/sh\n", ENOEXEC, NULL },
		{ "#!", 0, "" },
		{ "# !/bin/sh\n", ENOEXEC, NULL },
		{ "echo\n", ENOEXEC, NULL },
		{ "", ENOEXEC, NULL },
		{ "\x7f" "EL", ENOEXEC, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char head[EXEC_HEAD_SIZE];
		struct exec_interp interp;

		memset(head, 'Z', sizeof(head)); /* what lies beyond what was read does not count */
		memcpy(head, cases[i].head, strlen(cases[i].head));
		assert_int_equal(exec_head(head, strlen(cases[i].head), &interp), cases[i].err);
		if (cases[i].err)
			continue;
		assert_true(interp.script);
		assert_string_equal(interp.path, cases[i].interp);
		assert_true((interp.argument != NULL) == (cases[i].argument != NULL));
		if (cases[i].argument)
			assert_string_equal(interp.argument, cases[i].argument);
	}
}

static void test_long_script(void **state)
{
	char head[EXEC_HEAD_SIZE];
	struct exec_interp interp;

	/* A name that 256 bytes do not hold is refused, one whose argument is cut is not. */
	memset(head, 'x', sizeof(head));
	memcpy(head, "#!/", 3);
	assert_int_equal(exec_head(head, sizeof(head), &interp), ENOEXEC);
	memset(head, 'x', sizeof(head));
	memcpy(head, "#!/bin/sh ", 10);
	assert_int_equal(exec_head(head, sizeof(head), &interp), 0);
	assert_string_equal(interp.path, "/bin/sh");
	assert_int_equal(strlen(interp.argument), 245); /* and loses its last byte, as there */
	memset(head, 'x', sizeof(head));
	memcpy(head, "#!/", 3);
	head[255] = ' '; /* the last byte that the kernel sees ends the name */
	assert_int_equal(exec_head(head, sizeof(head), &interp), 0);
	assert_int_equal(strlen(interp.path), 253);
	memset(head, ' ', sizeof(head));
	memcpy(head, "#!", 2);
	assert_int_equal(exec_head(head, sizeof(head), &interp), ENOEXEC);
}

#if defined(__x86_64__)
static void make_elf(char head[EXEC_HEAD_SIZE], const char *loader)
{
	Elf64_Ehdr eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN,
		.e_machine = EM_X86_64, .e_phoff = 64, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 };
	Elf64_Phdr load = { .p_type = PT_LOAD };
	Elf64_Phdr interp = { .p_type = PT_INTERP, .p_offset = 300, .p_filesz = strlen(loader) + 1 };

	memset(head, 0, EXEC_HEAD_SIZE);
	memcpy(head, &eh, sizeof(eh));
	memcpy(head + 64, &load, sizeof(load));
	memcpy(head + 64 + sizeof(load), &interp, sizeof(interp));
	strcpy(head + 300, loader);
}

static void test_elf(void **state)
{
	char head[EXEC_HEAD_SIZE];
	struct exec_interp interp;
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)head;
	Elf64_Phdr *ph = (Elf64_Phdr *)(void *)(head + 64) + 1;

	make_elf(head, "/lib/ld.so");
	assert_int_equal(exec_head(head, sizeof(head), &interp), 0);
	assert_false(interp.script);
	assert_string_equal(interp.path, "/lib/ld.so");
	ph->p_filesz--; /* not terminated */
	assert_int_equal(exec_head(head, sizeof(head), &interp), ENOEXEC);
	ph->p_offset = UINT64_MAX - 2; /* beyond what was read: not ours to judge */
	assert_int_equal(exec_head(head, sizeof(head), &interp), 0);
	assert_null(interp.path);
	make_elf(head, "/lib/ld.so");
	eh->e_phoff = UINT64_MAX - 8;
	assert_int_equal(exec_head(head, sizeof(head), &interp), 0);
	assert_null(interp.path);
	make_elf(head, "/lib/ld.so");
	eh->e_type = ET_REL;
	assert_int_equal(exec_head(head, sizeof(head), &interp), ENOEXEC);
	make_elf(head, "/lib/ld.so");
	eh->e_machine = EM_AARCH64; /* may run by binfmt_misc */
	assert_int_equal(exec_head(head, sizeof(head), &interp), 0);
	assert_null(interp.path);
	make_elf(head, "/lib/ld.so");
	eh->e_phentsize = 1;
	assert_int_equal(exec_head(head, sizeof(head), &interp), ENOEXEC);
	assert_int_equal(exec_head(head, 4, &interp), ENOEXEC);
}
#else
static void test_elf(void **state)
{
}
#endif

static void test_answers(void **state)
{
	const size_t head = offsetof(struct pw_answer, address);
	struct pw_answer a;

	memset(&a, 0, sizeof(a));
	for (size_t len = 0; len < head; len++)
		assert_int_equal(answer_check(&a, len), EAI_NONAME);
	assert_int_equal(answer_check(&a, sizeof(a)), EAI_NONAME);
	a.count = 3;
	a.address[0].family = AF_INET;
	a.address[1].family = 77;
	a.address[2].family = AF_INET6;
	assert_int_equal(answer_check(&a, head + 2 * sizeof(a.address[0])), EAI_NONAME);
	assert_int_equal(answer_check(&a, head + 3 * sizeof(a.address[0])), 0);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.address[1].family, AF_INET6);
	a.count = PW_ANSWER_MAX + 1;
	assert_int_equal(answer_check(&a, sizeof(a)), EAI_NONAME);
	a.count = UINT32_MAX;
	assert_int_equal(answer_check(&a, SIZE_MAX), EAI_NONAME);
	a.error = EAI_AGAIN;
	assert_int_equal(answer_check(&a, sizeof(a)), EAI_AGAIN);
	a.error = EAI_SYSTEM; /* whose errno nobody set */
	assert_int_equal(answer_check(&a, sizeof(a)), EAI_NONAME);
	a.error = 7;
	assert_int_equal(answer_check(&a, head), EAI_NONAME);
}

static void test_literals(void **state)
{
	static const struct {
		const char *host;
		int literal;
		unsigned family;
	} cases[] = {
		{ "127.0.0.1", 1, AF_INET }, { "127.1", 1, AF_INET }, { "0x7f000001", 1, AF_INET }, { "0", 1, AF_INET },
		{ "::1", 1, AF_INET6 }, { "::ffff:1.2.3.4", 1, AF_INET6 }, { "fe80::1%lo", 1, AF_INET6 },
		{ "fe80::1%", 1, AF_INET6 }, { "1.2.3.4%lo", 0, 0 }, { "1.2.3.4 x", 0, 0 }, { "1.2.3.4.", 0, 0 },
		{ "1.2.3.4.5", 0, 0 }, { "", 0, 0 }, { "example.com", 0, 0 }, { "256.1.1.1", 0, 0 }, { "[::1]", 0, 0 },
		{ "%lo", 0, 0 }, { "0123456789012345678901234567890123456789012345678%lo", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pw_address address;

		assert_int_equal(answer_is_literal(cases[i].host, &address), cases[i].literal);
		if (cases[i].literal)
			assert_int_equal(address.family, cases[i].family);
	}
}

static void test_text(void **state)
{
	struct pw_address a = { .family = AF_INET6, .scope = UINT32_MAX };
	char text[ANSWER_TEXT];

	memset(a.bytes, 0xff, sizeof(a.bytes));
	answer_text(&a, text);
	assert_string_equal(text, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295");
	a.family = AF_INET; /* has no scope */
	answer_text(&a, text);
	assert_string_equal(text, "255.255.255.255");
}

/* Fills in an array of exactly the promised size: a tool for that sees what is written past it. */
static char **fill_env(char *const *envp, const char *var, const char *drop)
{
	char **vector = calloc(exec_env_room(envp), sizeof(*vector));

	exec_fill_env(vector, envp, var, drop);
	return vector;
}

static void test_environments(void **state)
{
	char *env[] = { (char *)"A=1", (char *)"X=old", (char *)"XY=2", (char *)"X", (char *)"X=older", (char *)"B=3", NULL };
	char *none[] = { NULL };
	char **v;

	v = fill_env(env, "X=new", "B=3");
	assert_string_equal(v[0], "X=new");
	assert_ptr_equal(v[1], env[0]);
	assert_ptr_equal(v[2], env[2]);
	assert_ptr_equal(v[3], env[3]);
	assert_null(v[4]);
	free(v);
	v = fill_env(env, "NEW=1", NULL);
	for (size_t i = 0; i < 7; i++)
		assert_ptr_equal(v[i + 1], env[i]);
	free(v);
	v = fill_env(none, "X=1", "");
	assert_null(v[1]);
	free(v);
	v = fill_env(NULL, "X=1", NULL);
	assert_null(v[1]);
	free(v);
}

static int touch_all(char **vector, void *arg)
{
	size_t n = *(size_t *)arg;

	for (size_t i = 0; i < n; i++)
		vector[i] = NULL;
	return 77;
}

static void test_vectors(void **state)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 257, 4095, 4096, 4097, 100000 };
	size_t huge = SIZE_MAX / 4;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];

		assert_int_equal(exec_with_vector(n, touch_all, &n), 77);
	}
	errno = 5;
	assert_int_equal(exec_with_vector(SIZE_MAX / 2, touch_all, &huge), E2BIG);
	assert_int_equal(exec_with_vector(huge / 4, touch_all, &huge), ENOMEM);
	assert_int_equal(errno, 5);
}

static void test_preload(void **state)
{
	static struct shim shim = { .preload = "LD_PRELOAD=/p/libpipwarden.so" };
	static const struct {
		const char *given, *wanted; /* NULL: none, left alone */
	} cases[] = {
		{ NULL, "LD_PRELOAD=/p/libpipwarden.so" },
		{ "LD_PRELOAD=", "LD_PRELOAD=/p/libpipwarden.so" },
		{ "LD_PRELOAD=/p/libpipwarden.so", NULL },
		{ "LD_PRELOAD=/x.so:/p/libpipwarden.so", NULL },
		{ "LD_PRELOAD=/x.so /p/libpipwarden.so:/y.so", NULL },
		{ "LD_PRELOAD=/x.so", "LD_PRELOAD=/x.so:/p/libpipwarden.so" },
		{ "LD_PRELOAD=/p/libpipwarden.so.1", "LD_PRELOAD=/p/libpipwarden.so.1:/p/libpipwarden.so" },
		{ "LD_PRELOAD=/q/p/libpipwarden.so", "LD_PRELOAD=/q/p/libpipwarden.so:/p/libpipwarden.so" },
		{ "LD_PRELOADED=1", "LD_PRELOAD=/p/libpipwarden.so" },
	};
	char long_one[PATH_MAX] = "LD_PRELOAD=", *env_of_one[] = { long_one, NULL };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *env[] = { (char *)"A=1", (char *)cases[i].given, NULL };
		const char *theirs = exec_preload_lacks(&shim, env);
		char *buf = theirs ? malloc(exec_preload_bytes(&shim, theirs)) : NULL; /* of that size: the sanitizer looks on */

		if (cases[i].wanted)
			assert_string_equal(exec_preload_var(&shim, theirs, buf), cases[i].wanted);
		else
			assert_null(theirs);
		free(buf);
	}
	memset(long_one + strlen(long_one), 'x', sizeof(long_one) - strlen(long_one) - 1);
	assert_null(exec_preload_lacks(&shim, env_of_one)); /* longer than any real one: theirs is kept */
	shim.preload[0] = '\0'; /* a path that LD_PRELOAD cannot hold */
	assert_null(exec_preload_lacks(&shim, NULL));
}

/* Where no descriptor can be had, the loader is not sent for what it could only complain of. */
static void test_preload_without_descriptors(void **state)
{
	static struct shim shim = { .preload = "LD_PRELOAD=/p/libpipwarden.so" };
	char *none[] = { NULL }, *ours[] = { shim.preload, NULL }, *both[] = { (char *)"LD_PRELOAD=/x.so:/p/libpipwarden.so", NULL };
	struct rlimit before, few;

	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_string_equal(exec_preload_var(&shim, exec_preload_lacks(&shim, none), NULL), "LD_PRELOAD=");
	assert_string_equal(exec_preload_var(&shim, exec_preload_lacks(&shim, ours), NULL), "LD_PRELOAD=");
	assert_null(exec_preload_lacks(&shim, both));
	few.rlim_cur = 4;
	setrlimit(RLIMIT_NOFILE, &few);
	assert_string_equal(exec_preload_var(&shim, exec_preload_lacks(&shim, none), NULL), shim.preload);
	assert_null(exec_preload_lacks(&shim, ours));
	setrlimit(RLIMIT_NOFILE, &before);
}

static void test_python_files(void **state)
{
	static const char library[] = "/usr/lib/python3.11/";
	static const struct {
		const char *file;
		enum python_code code;
	} cases[] = {
		{ "/usr/lib/python3.11/json/__init__.py", PYTHON_LIBRARY },
		{ "<frozen os>", PYTHON_LIBRARY },
		{ "/usr/lib/python3.11/site-packages/evil.py", PYTHON_FOREIGN },
		{ "/usr/lib/python3.11/dist-packages/evil/a.py", PYTHON_FOREIGN },
		{ "/usr/lib/python3.1/os.py", PYTHON_FOREIGN },
		{ "/x/usr/lib/python3.11/os.py", PYTHON_FOREIGN },
		{ "/t/overlay/lib/python3.11/site-packages/setuptools/_distutils/core.py", PYTHON_TOOL },
		{ "/v/site-packages/pip/_vendor/pyproject_hooks/_in_process/_in_process.py", PYTHON_TOOL },
		{ "/v/site-packages/pip/_vendor/requests/api.py", PYTHON_TOOL },
		{ "/v/site-packages/wheel/cli.py", PYTHON_TOOL },
		{ "/v/site-packages/wheelhouse/cli.py", PYTHON_FOREIGN },
		{ "/v/site-packages/x/setuptools/cli.py", PYTHON_FOREIGN },
		{ "setup.py", PYTHON_FOREIGN },
		{ "<stdin>", PYTHON_FOREIGN },
		{ "<string>", PYTHON_STRING },
		{ "<pip-setuptools-caller>", PYTHON_LAUNCH },
		{ "", PYTHON_FOREIGN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(python_code_of(cases[i].file, library), cases[i].code);
	assert_int_equal(python_code_of("/usr/lib/python3.11/os.py", ""), PYTHON_FOREIGN); /* where it lies is not known */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_python_files),
		cmocka_unit_test(test_scripts), cmocka_unit_test(test_long_script), cmocka_unit_test(test_elf),
		cmocka_unit_test(test_answers), cmocka_unit_test(test_literals), cmocka_unit_test(test_text),
		cmocka_unit_test(test_environments), cmocka_unit_test(test_vectors), cmocka_unit_test(test_preload),
		cmocka_unit_test(test_preload_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
