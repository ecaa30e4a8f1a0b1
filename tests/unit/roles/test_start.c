/* The request's encoding: what goes in comes out; what is broken is refused whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/sandbox/start.h"

static struct start example(void)
{
	static char *argv[] = {"sh", "-c", "", "x\ny", NULL}, *envp[] = {"A=1", "=odd", "B=", NULL};
	return (struct start){.flags = START_SESSION, .umask = 027, .landlock_abi = 7, .blocked = 5, .ignored = 1ULL << 63,
	                      .path = "/bin/sh", .cwd = "/tmp", .argv = argv, .envp = envp, .nfds = 3, .fd_number = {0, 1, 9}};
}

static void round_trip(void **state)
{
	struct start in = example(), out;
	int fd = start_encode(&in);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(start_decode(fd, &out), 0);
	assert_string_equal(out.path, "/bin/sh");
	assert_string_equal(out.cwd, "/tmp");
	assert_string_equal(out.argv[2], "");
	assert_string_equal(out.argv[3], "x\ny");
	assert_null(out.argv[4]);
	assert_string_equal(out.envp[1], "=odd");
	assert_null(out.envp[3]);
	assert_int_equal(out.umask, 027);
	assert_int_equal(out.flags, START_SESSION);
	assert_true(out.blocked == 5 && out.ignored == 1ULL << 63);
	assert_int_equal(out.nfds, 3);
	assert_int_equal(out.fd_number[2], 9);
	start_finish(&out);
	assert_null(out.memory);
	close(fd);
}

static void large(void **state)
{
	char *argv[100001], *word = malloc(1500001), *envp[] = {NULL};
	struct start in = example(), out;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		argv[i] = "a";
	}
	memset(word, 'x', 1500000);
	word[1500000] = '\0';
	argv[0] = word;
	argv[100000] = NULL;
	in.argv = argv;
	in.envp = envp;
	int fd = start_encode(&in);
	assert_true(fd >= 0);
	assert_int_equal(start_decode(fd, &out), 0);
	assert_int_equal(strlen(out.argv[0]), 1500000);
	assert_string_equal(out.argv[99999], "a");
	start_finish(&out);
	close(fd);
	free(word);
}

/* Every cut and every changed byte of a good message is refused or read within bounds (the sanitizers watch). */
static void broken(void **state)
{
	struct start in = example(), out;
	int fd = start_encode(&in);
	char *data;
	ssize_t len = fd_slurp(fd, START_MAX, &data);
	size_t refused = 0;

	(void)state;
	assert_true(len > 0);
	for (ssize_t cut = 0; cut < len; cut++) {
		assert_int_not_equal(start_parse(data, (size_t)cut, &out), 0);
		assert_null(out.memory);
	}
	for (ssize_t i = 0; i < len; i++) {
		char was = data[i];
		data[i] = (char)(was ^ 0x80);
		refused += start_parse(data, (size_t)len, &out) != 0;
		start_finish(&out);
		data[i] = was;
	}
	assert_true(refused >= 4 + 12 + 12); /* magic, counts, descriptor numbers */
	free(data);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(large), cmocka_unit_test(broken)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
