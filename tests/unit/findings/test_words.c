#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/findings/words.h"

static void lists(void **state)
{
	assert_true(words_is_command("apk") && words_is_command("sudo") && words_is_command("zsh") && words_is_command("doas") && words_is_command("docker"));
	assert_false(words_is_command("pip") || words_is_command("cmake") || words_is_command("") || words_is_command("sud"));
	assert_true(words_is_builtin("sys") && words_is_builtin("_abc") && words_is_builtin("time") && !words_is_builtin("json"));
	assert_true(words_is_common("tests") && words_is_common("LICENSE") && !words_is_common("requests"));
	assert_true(words_is_plugin("pytest11") && words_is_plugin("distutils.commands") && !words_is_plugin("console_scripts"));
}

static void places(void **state)
{
	assert_int_equal(words_place("/v/share/systemd/user/x.service"), PLACE_STARTS);
	assert_int_equal(words_place("/v/etc/cron.d/x"), PLACE_STARTS);
	assert_int_equal(words_place("/v/etc/bash_completion.d/x"), PLACE_COMPLETION);
	assert_int_equal(words_place("/v/share/man/man1/x.1"), PLACE_PLAIN);
}

static void groups(void **state)
{
	const char *at = "# x\n[a]\nb = c\n  [ d.e ]\r\n[]\n[never\n[f]";
	char out[8];

	assert_true(words_next_group(&at, out, sizeof out));
	assert_string_equal(out, "a");
	assert_true(words_next_group(&at, out, sizeof out));
	assert_string_equal(out, "d.e");
	assert_true(words_next_group(&at, out, sizeof out));
	assert_string_equal(out, "f");
	assert_false(words_next_group(&at, out, sizeof out));
}

static void byte_code(void **state)
{
	char out[64], small[4];
	bool cached;

	assert_true(words_is_bytecode("a/x.pyc", &cached) && !cached);
	assert_true(words_is_bytecode("a/__pycache__/x.cpython-311.pyc", &cached) && cached);
	assert_false(words_is_bytecode("a/x.py", &cached));
	assert_true(words_source("a/__pycache__/x.cpython-311.opt-1.pyc", out, sizeof out));
	assert_string_equal(out, "a/x.py");
	assert_true(words_source("__pycache__/x.cpython-311.pyc", out, sizeof out));
	assert_string_equal(out, "x.py");
	assert_false(words_source("a/x.pyc", out, sizeof out) || words_source("a/__pycache__/b/x.y.pyc", out, sizeof out));
	assert_false(words_source("a/__pycache__/x.cpython-311.pyc", small, sizeof small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lists), cmocka_unit_test(places), cmocka_unit_test(groups), cmocka_unit_test(byte_code)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
