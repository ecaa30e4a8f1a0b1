#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/supervise/gitconfig.h"

static void expect(const char *text, const char *want)
{
	char *out = NULL;
	size_t len = 0;
	bool changed = gitconfig_without_logins(text, strlen(text), &out, &len);

	if (changed != (want != NULL))
		fail_msg("%s: %s", text, changed ? "changed" : "unchanged");
	if (want && (!out || len != strlen(want) || memcmp(out, want, len)))
		fail_msg("%s became %.*s, expected %s", text, (int)len, out ? out : "nothing", want);
	free(out);
}

static void what_holds_no_login_is_served_as_it_is(void **state)
{
	expect("", NULL);
	expect("[core]\n\tbare = false\n\tsshCommand = ssh -i k\n[remote \"origin\"]\n\turl = git@host.example:a/b.git\n", NULL);
	expect("[remote \"origin\"]\n\turl = ssh://git@host.example/a\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n", NULL);
	expect("[user]\n\tname = A U Thor\n\temail = a@b.example\n[credential]\n\thelper = store\n", NULL);
	expect("[alias]\n\tx = !f() { \\\n git log; \\\n }; f\n", NULL);
}

static void logins_are_removed(void **state)
{
	expect("[remote \"o\"]\n\turl = https://user:pass@h.example/a\n", "[remote \"o\"]\n\turl = https://h.example/a\n");
	expect("[remote \"o\"]\n\turl = https://ghp_0123456789@h.example/a", "[remote \"o\"]\n\turl = https://h.example/a");
	expect("[url \"https://u:p@h.example/\"]\n\tinsteadOf = x\n", "[url \"https://h.example/\"]\n\tinsteadOf = x\n");
	expect("[http \"https://h.example/\"]\n\textraheader = AUTHORIZATION: basic eDp5\n", "[http \"https://h.example/\"]\n\textraheader = removed\n");
	expect("[http]\n\tExtraHeader=Cookie: a\\\n b\nx = y\n", "[http]\n\tExtraHeader= removed\nx = y\n");
	expect("[sendemail] smtpPass = x\n", "[sendemail] smtpPass = removed\n");
	expect("[credential]\n\thelper = \"!f() { echo password=x; }; f\"\n", "[credential]\n\thelper = removed\n");
	expect("[a]\n\tb = glpat-01234567890123456789\n", "[a]\n\tb = removed\n");
	expect("[http]\n\tproxy = http://u:p@proxy.example:3128 ; https://a:b@c\n", "[http]\n\tproxy = http://proxy.example:3128 ; https://c\n");
	expect("[remote \"o\"]\n\turl = https://us\\\ner:pass@h.example/a\n", "[remote \"o\"]\n\turl = removed\n");
	expect("[auth]\nx.prefix = h.example\nx.username = me\nx.password = y\n", "[auth]\nx.prefix = h.example\nx.username = me\nx.password = removed\n");
}

static void what_is_no_text_is_not_served(void **state)
{
	char *out = (char *)1;
	size_t len = 1;

	assert_true(gitconfig_without_logins("a\0b", 3, &out, &len));
	assert_null(out);
	assert_int_equal(len, 0);
}

static void content_tells_secrets_from_namesakes(void **state)
{
	static const char key[] = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", certificate[] = "-----BEGIN CERTIFICATE-----\nx\n";
	static const char netrc[] = "machine h login u password p\n", npmrc[] = "save-exact=true\n", pip[] = "[global]\nindex-url = https://u:p@h.example/simple\n";

	assert_true(gitconfig_has_key(key, sizeof key - 1));
	assert_false(gitconfig_has_key(certificate, sizeof certificate - 1));
	assert_true(gitconfig_has_login(netrc, sizeof netrc - 1));
	assert_true(gitconfig_has_login(pip, sizeof pip - 1));
	assert_false(gitconfig_has_login(npmrc, sizeof npmrc - 1));
	assert_false(gitconfig_has_login("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_no_login_is_served_as_it_is),
		cmocka_unit_test(logins_are_removed),
		cmocka_unit_test(what_is_no_text_is_not_served),
		cmocka_unit_test(content_tells_secrets_from_namesakes),
	};
	return cmocka_run_group_tests_name("gitconfig", tests, NULL, NULL);
}
