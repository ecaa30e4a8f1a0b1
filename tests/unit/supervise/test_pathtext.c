#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/supervise/pathtext.h"

static void below(void **state)
{
	assert_true(pathtext_below("/a/b", "/a"));
	assert_true(pathtext_below("/a", "/a"));
	assert_false(pathtext_below("/ab", "/a"));
	assert_false(pathtext_below("/", "/a"));
	assert_true(pathtext_below("/x", "/"));
	assert_true(pathtext_below("/", "/"));
	assert_true(pathtext_below("/a/b", "/a/"));
	assert_false(pathtext_below("x", "/"));
	assert_false(pathtext_below("/a", NULL));
	assert_false(pathtext_below("/a", ""));
	assert_false(pathtext_below("a/b", "a"));
}

static void source(void **state)
{
	char *const roots[] = {(char *)"/t/pip-install-x", (char *)"/t/pip-install-x/evil_1", (char *)"/", NULL};

	assert_string_equal(pathtext_source("/t/pip-install-x/evil_1/setup.py", NULL, roots), "setup.py");
	assert_string_equal(pathtext_source("/t/pip-install-x/evil_1/a/site-packages/b.py", NULL, roots), "a/site-packages/b.py");
	assert_string_equal(pathtext_source("/t/pip-install-x/evil_10/setup.py", NULL, roots), "evil_10/setup.py");
	assert_string_equal(pathtext_source("/t/overlay/lib/python3.11/site-packages/dep/__init__.py", NULL, roots), "dep/__init__.py");
	assert_string_equal(pathtext_source("/v/site-packages/x/dist-packages/y.py", NULL, roots), "y.py");
	assert_string_equal(pathtext_source("/home/u/tool.py", NULL, roots), "/home/u/tool.py");
	assert_string_equal(pathtext_source("<string>", NULL, roots), "<string>");
	assert_string_equal(pathtext_source("/x/site-packages/", NULL, NULL), "");
	assert_string_equal(pathtext_source("", NULL, roots), "");
	assert_string_equal(pathtext_source("/home/u/p/pkg/site-packages/x.py", "/home/u/p", roots), "pkg/site-packages/x.py");
	assert_string_equal(pathtext_source("/home/u/pp/x.py", "/home/u/p", roots), "/home/u/pp/x.py");
}

static void plain(void **state)
{
	assert_true(pathtext_plain("/"));
	assert_true(pathtext_plain("/a/b..c/.d/..."));
	static const char *const bad[] = {"", "a", "//a", "/a/", "/a//b", "/a/./b", "/a/..", "/.", "/..", NULL};
	for (const char *const *b = bad; *b; b++)
		assert_false(pathtext_plain(*b));
}

static void stays(void **state)
{
	assert_true(pathtext_stays("/usr/lib/gcc/x/12/../../../../include/a.h", 4));
	assert_true(pathtext_stays("/usr/", 4));
	assert_false(pathtext_stays("/usr/..", 4));
	assert_false(pathtext_stays("/usr/lib/../../usr/x", 4));
	assert_true(pathtext_stays("/usr//lib/./..//x", 4));
	assert_false(pathtext_stays("/usr//lib/./..//../etc", 4));
	assert_true(pathtext_stays("/usr/..x/...", 4));
}

static void check_join(const char *base, const char *path, const char *want)
{
	char out[64];
	assert_int_equal(pathtext_join(base, path, out, sizeof out), strlen(want));
	assert_string_equal(out, want);
}

static void join(void **state)
{
	check_join("/a/b", "c", "/a/b/c");
	check_join("/a/b", "../c//./d/", "/a/c/d");
	check_join("/a", "../../..", "/");
	check_join("/a", "/x/y/../z", "/x/z");
	check_join("/", ".", "/");
	check_join("/a", "", "/a");
	char small[4];
	assert_int_equal(pathtext_join("/", "ab", small, sizeof small), 3);
	assert_int_equal(pathtext_join("/", "abc", small, sizeof small), -ENAMETOOLONG);
	assert_int_equal(pathtext_join("/", "a/b", small, sizeof small), -ENAMETOOLONG);
}

static void check_split(const char *path, const char *dir, const char *last)
{
	char out[32];
	const char *got;
	assert_int_equal(pathtext_split(path, out, sizeof out, &got), 0);
	assert_string_equal(out, dir);
	assert_string_equal(got, last);
}

static void split(void **state)
{
	char out[4];
	const char *last;
	check_split("a", ".", "a");
	check_split("/a", "/", "a");
	check_split("a/b/", "a/", "b/");
	check_split("/a/b//", "/a/", "b//");
	check_split("///", "/", ".");
	check_split("a/..", "a/", "..");
	assert_int_equal(pathtext_split("", out, sizeof out, &last), -ENOENT);
	assert_int_equal(pathtext_split("abcd/e", out, sizeof out, &last), -ENAMETOOLONG);
}

static void pid(void **state)
{
	assert_int_equal(pathtext_pid("12/x", 2), 12);
	assert_int_equal(pathtext_pid("self", 4), 0);
	assert_int_equal(pathtext_pid("012", 3), 0);
	assert_int_equal(pathtext_pid("1x", 2), 0);
	assert_int_equal(pathtext_pid("", 0), 0);
	assert_int_equal(pathtext_pid("9999999999", 10), 0);
}

static void bytecode(void **state)
{
	size_t len;
	assert_true(pathtext_bytecode("/a/__pycache__/x.cpython-311.pyc.4711", &len));
	assert_int_equal(len, strlen("/a/__pycache__"));
	assert_true(pathtext_bytecode("/a/__pycache__", &len));
	assert_true(pathtext_bytecode("/a/b.pyc", &len));
	assert_int_equal(len, 2);
	assert_false(pathtext_bytecode("/a/__pycache__x/y", &len));
	assert_false(pathtext_bytecode("/a/b.py", &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(below), cmocka_unit_test(source), cmocka_unit_test(plain), cmocka_unit_test(stays), cmocka_unit_test(join),
		cmocka_unit_test(split), cmocka_unit_test(pid),   cmocka_unit_test(bytecode),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
