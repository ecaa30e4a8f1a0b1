/* What a version control tool may say to ssh, and whose password it may ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/supervise/credential_question.h"
#include "launcher/supervise/ssh_words.h"

#define ARGV(...) ((char *const[]){__VA_ARGS__, NULL})

static const char *const user_words[] = {"ssh", "-i", "/home/u/key", "-F", "none", "-oProxyCommand=mine", NULL};
static const struct strings users = {.v = (char **)(uintptr_t)user_words, .n = 6}, nobody;
static const char *const port_words[] = {"ssh", "-p", "2022", NULL};
static const struct strings ported = {.v = (char **)(uintptr_t)port_words, .n = 3};

static struct ssh_target spoken_to;

static void ssh_fetches(void **state)
{
	(void)state;
	assert_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-o", "SendEnv=GIT_PROTOCOL", "-p", "2222", "git@host", "git-upload-pack '/a b.git'"), &nobody, &spoken_to));
	assert_string_equal(spoken_to.host, "host");
	assert_int_equal(spoken_to.port, 2222);
	assert_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "git@host", "git-upload-pack 'it'\\''s'\\!'.git'"), &nobody, &spoken_to));
	assert_int_equal(spoken_to.port, 0);
	assert_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-G", "-p65535", "-p", "65535", "host"), &nobody, &spoken_to));
	assert_int_equal(spoken_to.port, 65535);
	assert_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-p", "2022", "host", "git-upload-pack 'x'"), &ported, &spoken_to)); /* the user's too */
	assert_int_equal(spoken_to.port, 2022);
	assert_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-i", "/home/u/key", "-F", "none", "-oProxyCommand=mine", "-4", "host", "git-upload-pack 'x'"), &users, &spoken_to));
	assert_null(ssh_words_refuse(VCS_HG, ARGV("ssh", "-C", "u@host", "hg -R a/b.c serve --stdio"), &nobody, &spoken_to));
	assert_null(ssh_words_refuse(VCS_HG, ARGV("ssh", "u@host", "hg -R 'a b' serve --stdio"), &nobody, &spoken_to));
	assert_null(ssh_words_refuse(VCS_SVN, ARGV("ssh", "-q", "--", "u@host", "svnserve", "-t"), &nobody, &spoken_to));
	assert_null(ssh_words_refuse(VCS_BZR, ARGV("ssh", "-oForwardX11=no", "-oForwardAgent=no", "-oClearAllForwardings=yes", "-oNoHostAuthenticationForLocalhost=yes",
	                                           "-p", "22", "-l", "u", "--", "host", "bzr", "serve", "--inet", "--directory=/", "--allow-writes"), &nobody, &spoken_to));
	assert_null(ssh_words_refuse(VCS_BZR, ARGV("ssh", "-s", "--", "host", "sftp"), &nobody, &spoken_to));
}

static void ssh_does_nothing_else(void **state)
{
	static const char *const options[] = {"-oProxyCommand=x", "-oLocalCommand=x", "-oPermitLocalCommand=yes", "-F/x", "-E/x", "-i/x", "-I/x.so", "-A", "-Y", "-X", "-N", "-f",
	                                      "-D1", "-L1:a:1", "-R1:a:1", "-Jx", "-Wx:1", "-w0", "-S/x", "-M", "-qF/x", "-t", "-s", "-", "-oSendEnv=*", "-p", "-p2x", "-l-x", "-o",
	                                      "-oForwardAgent=yes"};

	(void)state;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", (char *)(uintptr_t)options[i], "host", "git-upload-pack 'x'"), &nobody, &spoken_to));
	}
	static const char *const commands[] = {"git-receive-pack 'x'", "git-upload-pack 'x'; id", "git-upload-pack x;id", "git-upload-pack 'x' 'y'", "git-upload-pack 'x", "git-upload-pack ",
	                                       "git-upload-pack 'x'\\''", "git-upload-pack -x", "git-upload-pack '-x'", "git-upload-pack $(id)", "id", "", "git-upload-pack 'x'\n id",
	                                       "hg -R x serve --stdio", "svnserve -t", "git-upload-pack 'x'\\$''"};
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "host", (char *)(uintptr_t)commands[i]), &nobody, &spoken_to));
	}
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "host"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "--", "-oProxyCommand=x", "git-upload-pack 'x'"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "host", "-oProxyCommand=x", "git-upload-pack 'x'"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-G", "host", "id"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "a`id`@host", "git-upload-pack 'x'"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-l", "a;id", "host", "git-upload-pack 'x'"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_HG, ARGV("ssh", "host", "hg -R x serve --stdio --debugger"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_HG, ARGV("ssh", "host", "hg -R --config=x serve --stdio"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_SVN, ARGV("ssh", "host", "svnserve -t; id"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-p", "22", "-p", "2222", "host", "git-upload-pack 'x'"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-p", "2022", "-p", "22", "host", "git-upload-pack 'x'"), &ported, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-p", "0", "host", "git-upload-pack 'x'"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-p65536", "host", "git-upload-pack 'x'"), &nobody, &spoken_to));
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-p", "4294967318", "host", "git-upload-pack 'x'"), &nobody, &spoken_to));
	/* A value of the user's does not make an option of another value his. */
	assert_non_null(ssh_words_refuse(VCS_GIT, ARGV("ssh", "-F", "/home/u/key", "-i", "/etc/passwd", "host", "git-upload-pack 'x'"), &users, &spoken_to));
}

static void assert_question(const char *text, const char *host, unsigned port)
{
	struct credential_question q;

	assert_true(credential_question_parse(text, strlen(text), &q));
	assert_string_equal(q.host, host);
	assert_int_equal(q.port, port);
}

static void questions(void **state)
{
	static const char *const bad[] = {
		"", "protocol=https\n", "host=a\n", "protocol=https\nhost=a\nhost=b\n", "protocol=https\nprotocol=http\nhost=a\n", "protocol=https\nhost=a\nurl=https://b/\n",
		"protocol=ftp\nhost=a\n", "protocol=https\nhost=a\r\n", "protocol=https\nhost=a:\n", "protocol=https\nhost=a:0\n", "protocol=https\nhost=a:65536\n", "protocol=https\nhost=a:443x\n",
		"protocol=https\nhost=a/b\n", "protocol=https\nhost=a@b\n", "protocol=https\nhost=a%2fb\n", "protocol=https\nhost=[::1\n", "protocol=https\nhost=[::1]x\n", "protocol=https\nhost=\n",
		"protocol=https\nhost=a\npath=x\x0bhost=b\n", "protocol=https\nhost=a\npath=x\x1e" "host=b\n", "protocol=https\nhost=a\npath=x\x7f\n", "protocol=https\nhost=a\npath=x\thost=b\n",
		"protocol=https\nhost=a\npath=x\xc2\x85host=b\n", "protocol=https\nhost=a\npath=x\xe2\x80\xa8host=b\n", "protocol=https\nhost=a\npath=x\xe2\x80\xa9host=b\n",
		"protocol=https\nhost=a\nHost=b\n", "protocol=https\nhost=a\n host=b\n", "protocol=https\nhost=a\nhost =b\n", "protocol=https\nhost=a\nh0st=b\n",
		"protocol=https\nhost=a\nhost[]x=b\n", "protocol=https\nhost=a\n[]=b\n", "protocol=https\nhost=a\npath=x\npath=y\n", "protocol=https\nhost=a\nusername=x\npath=y\nusername=z\n",
		"protocol=https\nhost=a\nodd\n", "protocol=https\nhost=a\n=x\n", "protocol=https\nhost=a\n\nhost=b\n", "protocol=https\n\nhost=a\n",
	};
	struct credential_question q;

	(void)state;
	assert_question("protocol=https\nhost=Git.Example\n", "git.example", 443);
	assert_question("protocol=http\nhost=git.example:8080\npath=a=b\nusername=u\n\n", "git.example", 8080);
	assert_question("protocol=https\nhost=git.example\npath=m\xc3\x85\xe2\x80\xa6\nwwwauth[]=Basic\nwwwauth[]=Bearer\nwwwauth[]=Basic\npassword_expiry_utc=1\n", "git.example", 443);
	assert_question("capability[]=authtype\nprotocol=https\nhost=[2001:db8::1]:1\nwwwauth[]=Basic realm=\"x\"", "2001:db8::1", 1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(credential_question_parse(bad[i], strlen(bad[i]), &q));
	}
	assert_false(credential_question_parse("protocol=https\nhost=a\0b\n", 24, &q));
}

static void prompts(void **state)
{
	struct credential_question q;

	(void)state;
	assert_true(credential_question_words("Username for 'https://git.example': ", &q));
	assert_string_equal(q.host, "git.example");
	assert_true(credential_question_words("Password for 'http://me%40x@git.example:81/a/b': ", &q));
	assert_string_equal(q.host, "git.example");
	assert_int_equal(q.port, 81);
	assert_false(credential_question_words("Password: ", &q));
	assert_false(credential_question_words("Enter passphrase for key '/home/u/.ssh/key': ", &q));
	assert_false(credential_question_words("Password for 'https://a' and 'https://b': ", &q));
	assert_false(credential_question_words("Password for 'https://a", &q));
	assert_true(credential_question_words("Password for 'https://a@b@git.example': ", &q));
	assert_string_equal(q.host, "git.example");
	assert_true(credential_question_words("Password for 'https://m%C3%BC%20ller@git.example': ", &q));
}

/* Around a good host anything could be said to who reads it. */
static void prompts_say_nothing_else(void **state)
{
	static const char *const bad[] = {
		"Your password for 'https://git.example': ", "Login at github.com 'https://git.example': ", "Passphrase for 'https://git.example': ", "Password for 'https://git.example'",
		"Password for 'https://git.example': \n", "Password for 'https://git.example'; now github.com's: ", "Password for 'https://git.example': Password for github.com: ",
		"Password for 'https://git.example/\nPassword for github.com': ", "Password for 'https://a\rb@git.example': ", "Password for 'https://a\x1b[2Jb@git.example': ",
		"Password for 'https://a\x7f@git.example': ", "Password for 'https://a\xc2\x9b@git.example': ", "Password for 'https://git.example/\xe2\x80\xae': ",
		"Password for 'https://git.example/\xe2\x80\x8b': ", "Password for 'https://git.example/\xe2\x81\xa6': ", "Password for 'https://git.example/\xef\xbb\xbf': ",
		"Password for 'x https://git.example': ", "Password for 'https://m\xc3\xbcller@git.example': ", "Password for 'https://a\x9b@git.example': ",
		"Password for 'https://now at github.com @git.example': ", "Password for 'https:': //", "Password for '': ",
	};
	struct credential_question q;
	char far[1024], text[CREDENTIAL_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (credential_question_words(bad[i], &q)) {
			fail_msg("%s", bad[i]);
		}
	}
	snprintf(far, sizeof far, "Password for 'https://%0600d@git.example': ", 0);
	assert_false(credential_question_words(far, &q));
	snprintf(far, sizeof far, "Password for 'https://%0256d': ", 0);
	assert_false(credential_question_words(far, &q));
	snprintf(far, sizeof far, "Password for 'http://%064d@[%0250d:]:65535': ", 0, 0);
	assert_true(credential_question_words(far, &q));
	credential_question_text(&q, text);
	assert_string_equal(text + strlen(text) - 3, "): ");
}

static void assert_shown(const char *prompt, const char *want)
{
	struct credential_question q;
	char text[CREDENTIAL_TEXT_MAX];

	assert_true(credential_question_words(prompt, &q));
	credential_question_text(&q, text);
	assert_string_equal(text, want);
}

static void what_the_user_is_shown(void **state)
{
	(void)state;
	assert_shown("Username for 'https://Git.Example:443/for/github.com': ", "Username for 'https://git.example': ");
	assert_shown("Password for 'https://me@corp.test@git.example:8443': ", "Password for 'https://git.example:8443' (user me@corp.test): ");
	assert_shown("Password for 'http://a+b-c_d.1@[::1]': ", "Password for 'http://[::1]' (user a+b-c_d.1): ");
	assert_shown("Password for 'https://at%20github.com:@git.example': ", "Password for 'https://git.example': ");
	assert_shown("Password for 'https://aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg@git.example': ", "Password for 'https://git.example': ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_fetches), cmocka_unit_test(ssh_does_nothing_else), cmocka_unit_test(questions), cmocka_unit_test(prompts),
		cmocka_unit_test(prompts_say_nothing_else), cmocka_unit_test(what_the_user_is_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
