/* What `setup.py develop` left: what goes into the environment, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/base/fd.h"
#include "launcher/base/rmtree.h"
#include "launcher/supervise/develop.h"

#define TREE "/home/me/project"

struct world {
	char top[64];
	struct develop d;
	int packages, scripts; /* the environment's */
};

static void put(const char *folder, const char *name, const char *content)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof path, "%.2000s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static int folder(struct world *w, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", w->top, name);
	assert_int_equal(mkdir(path, 0755), 0);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct environment e = {0};
	char *argv[] = {"python", "-c", "code", "develop", "--no-deps", NULL};

	snprintf(w->top, sizeof w->top, "/tmp/pw-develop-XXXXXX");
	assert_non_null(mkdtemp(w->top));
	assert_int_equal(environment_copy(&e, NULL), 0);
	assert_int_equal(develop_prepare(&w->d, argv, w->top, &e), 0);
	assert_string_equal(environment_get(&e, "PYTHONPATH"), w->d.packages);
	environment_finish(&e);
	w->packages = folder(w, "environment");
	w->scripts = folder(w, "bin");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	close(w->packages);
	close(w->scripts);
	develop_finish(&w->d);
	int top = open(w->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned long budget = 1000;
	assert_int_equal(rmtree_empty(top, NULL, &budget), 0);
	close(top);
	rmdir(w->top);
	free(w);
	return 0;
}

static bool collect(struct world *w, struct develop_files *out)
{
	const char *why = NULL, *name = NULL;

	memset(out, 0, sizeof *out);
	return develop_collect(&w->d, TREE, w->packages, w->scripts, out, &why, &name);
}

static bool refused(struct world *w)
{
	struct develop_files files;
	bool good = collect(w, &files);

	develop_files_finish(&files);
	return !good;
}

static const struct develop_file *find(const struct develop_files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++) {
		if (strcmp(files->v[i].name, name) == 0) {
			return &files->v[i];
		}
	}
	return NULL;
}

static void test_the_call(void **state)
{
	static char *const plain[] = {"python", "-c", "code", "develop", "--no-deps", NULL};
	static char *const user[] = {"python", "-u", "-c", "code", "--verbose", "develop", "--no-deps", "--user", "--prefix=", NULL};
	static char *const prefix[] = {"python", "-c", "code", "develop", "--no-deps", "--prefix", "/x", NULL};
	static char *const target[] = {"python", "-c", "code", "develop", "--no-deps", "--install-dir", "/x", NULL};
	static char *const other[] = {"python", "-c", "code", "egg_info", NULL};
	bool for_user;

	(void)state;
	assert_true(develop_is(plain, &for_user) && !for_user);
	assert_true(develop_is(user, &for_user) && for_user);
	assert_false(develop_is(prefix, &for_user));
	assert_false(develop_is(target, &for_user));
	assert_false(develop_is(other, &for_user));
}

static void test_arguments(void **state)
{
	struct world *w = *state;
	struct develop d = {.argv = {0}};
	struct environment e = {0};
	char *argv[] = {"python", "-c", "code", "--quiet", "develop", "--no-deps", "--user", "--prefix=", NULL};
	char expected[PATH_MAX + 20];

	assert_int_equal(environment_copy(&e, NULL), 0);
	assert_int_equal(environment_set(&e, "PYTHONPATH", "/isolated"), 0);
	assert_int_equal(develop_prepare(&d, argv, w->top, &e), 0);
	assert_int_equal(d.argv.n, 9);
	assert_string_equal(d.argv.v[3], "--quiet");
	assert_string_equal(d.argv.v[5], "--no-deps");
	snprintf(expected, sizeof expected, "--install-dir=%s", d.packages);
	assert_string_equal(d.argv.v[6], expected);
	snprintf(expected, sizeof expected, "/isolated:%s", d.packages);
	assert_string_equal(environment_get(&e, "PYTHONPATH"), expected);
	environment_finish(&e);
	develop_finish(&d);
}

static void test_honest(void **state)
{
	struct world *w = *state;
	struct develop_files files;
	char before[80];

	snprintf(before, sizeof before, "%s/environment", w->top);
	put(before, "easy-install.pth", "/somebody/else\n./old.egg");
	put(before, "my.project-nspkg.pth", "import sys # of an older version\n");
	put(w->d.packages, "my.project.egg-link", TREE "/src\n../");
	put(w->d.packages, "easy-install.pth", TREE "/src\n");
	put(w->d.packages, "my.project-nspkg.pth", "import sys\n");
	put(w->d.packages, "site.py", "# of an old setuptools\n");
	put(w->d.scripts, "mine", "#!python\n");
	put(w->d.scripts, "pip-compile", "#!python\n");
	assert_true(collect(w, &files));
	assert_int_equal(files.n, 5);
	assert_string_equal(find(&files, "easy-install.pth")->content, "/somebody/else\n./old.egg\n" TREE "/src\n");
	assert_string_equal(find(&files, "my.project.egg-link")->content, TREE "/src\n../");
	assert_true(find(&files, "mine")->script && !find(&files, "my.project.egg-link")->script);
	assert_null(find(&files, "site.py"));
	develop_files_finish(&files);
	put(before, "easy-install.pth", TREE "/src\n/somebody/else\n");
	assert_true(collect(w, &files));
	assert_string_equal(find(&files, "easy-install.pth")->content, TREE "/src\n/somebody/else\n");
	develop_files_finish(&files);
}

/* Each of these alone makes it fail. */
static void test_hostile_contents(void **state)
{
	static const struct { const char *name, *content; } cases[] = {
		{"easy-install.pth", "/home/me/other\n"}, {"easy-install.pth", TREE "\nimport os; os.system('evil')\n"}, {"easy-install.pth", TREE "/../../evil\n"},
		{"easy-install.pth", TREE "x\n"}, {"easy-install.pth", TREE "\rimport os\n"}, {"a.egg-link", "/home/me/.ssh\n."}, {"a.egg-link", TREE "/..\n."},
		{"evil.py", "x = 1\n"}, {"a.dist-info", "x"}, {".pth", "import os\n"},
	};
	struct world *w = *state;

	assert_false(refused(w));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char path[PATH_MAX + 64];
		put(w->d.packages, cases[i].name, cases[i].content);
		assert_true(refused(w));
		snprintf(path, sizeof path, "%s/%s", w->d.packages, cases[i].name);
		unlink(path);
		assert_false(refused(w));
	}
}

static void test_others_files_stay(void **state)
{
	struct world *w = *state;
	char there[80];

	snprintf(there, sizeof there, "%s/environment", w->top);
	put(w->d.packages, "a.egg-link", TREE "\n.");
	put(w->d.packages, "coverage.pth", "import evil\n");
	assert_false(refused(w)); /* a wheel might bring it as well */
	put(there, "coverage.pth", "import coverage\n");
	assert_true(refused(w));
	put(there, "coverage.pth", "import evil\n");
	assert_false(refused(w));
	put(w->d.packages, "b.egg-link", TREE "\n.");
	assert_true(refused(w));
}

static void test_pips_scripts_stay(void **state)
{
	static const char *const names[] = {"pip", "pip3.11", "python", "python3", "python3.13t", "activate", "activate.fish", "Activate.ps1", "activate_this.py"};
	struct world *w = *state;
	char there[80], path[PATH_MAX + 64];

	snprintf(there, sizeof there, "%s/bin", w->top);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		put(w->d.scripts, names[i], "evil");
		assert_false(refused(w)); /* nothing of that name is there */
		put(there, names[i], "good");
		assert_true(refused(w));
		snprintf(path, sizeof path, "%s/%s", w->d.scripts, names[i]);
		unlink(path);
	}
	put(there, "tool", "another one's");
	put(w->d.scripts, "tool", "mine");
	assert_false(refused(w)); /* as pip itself does it with wheels */
}

static void test_only_plain_files(void **state)
{
	struct world *w = *state;
	char path[PATH_MAX + 64], secret[80];

	snprintf(secret, sizeof secret, "%s/bin", w->top);
	put(secret, "secret", "hunter2");
	snprintf(secret, sizeof secret, "%s/bin/secret", w->top);
	for (int kind = 0; kind < 5; kind++) {
		snprintf(path, sizeof path, "%s/x", w->d.scripts);
		switch (kind) {
		case 0: assert_int_equal(symlink(secret, path), 0); break;
		case 1: assert_int_equal(link(secret, path), 0); break;
		case 2: assert_int_equal(mkfifo(path, 0600), 0); break;
		case 3: assert_int_equal(mkdir(path, 0700), 0); break;
		default: put(w->d.scripts, "x", ""); assert_int_equal(truncate(path, DEVELOP_FILE_MAX + 1), 0);
		}
		assert_true(refused(w));
		remove(path);
		assert_false(refused(w));
	}
	snprintf(path, sizeof path, "%s.gone", w->d.scripts);
	assert_int_equal(rename(w->d.scripts, path), 0);
	assert_int_equal(symlink(path, w->d.scripts), 0);
	assert_true(refused(w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_call),
		cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_honest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_contents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_files_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pips_scripts_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_plain_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
