/* Escaping, redaction, cutting: launcher/record/text.c and redact.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/record/text.h"

static char *shown(const char *s, size_t max, enum text_form form, char *const *secrets)
{
	struct redact r;
	struct line l = {0};
	assert_int_equal(redact_init(&r, secrets), 0);
	text_append(&l, s, max, form, &r);
	redact_finish(&r);
	return line_steal(&l);
}

static void expect(const char *s, const char *json, const char *terminal)
{
	char *a = shown(s, 4096, TEXT_JSON, NULL), *b = shown(s, 4096, TEXT_TERMINAL, NULL);
	assert_string_equal(a, json);
	assert_string_equal(b, terminal);
	free(a);
	free(b);
}

static void test_classes(void **state)
{
	expect("plain ~", "plain ~", "plain ~");
	expect("", "", "");
	expect("a\"b\\c", "a\\\"b\\\\c", "a\"b\\c");
	expect("a\nb\r\t\x1b[31m", "a\\u000ab\\u000d\\u0009\\u001b[31m", "a\\x0ab\\x0d\\x09\\x1b[31m");
	expect("\x7f", "\\u007f", "\\x7f");
	expect("\xc2\x9b" "1m", "\\u009b1m", "\\u009b1m");         /* CSI, as a character */
	expect("\x9b" "1m", "\xef\xbf\xbd" "9b1m", "\\x9b1m");     /* and as a byte */
	expect("a\xe2\x80\xae" "b", "a\\u202eb", "a\\u202eb");     /* right-to-left override */
	expect("\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c", "\\u2066\\u2069\\u061c", "\\u2066\\u2069\\u061c");
	expect("\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029", "\\u2028\\u2029");
	expect("\xe2\x80\x8b\xef\xbb\xbf", "\\u200b\\ufeff", "\\u200b\\ufeff");
	expect("\xf3\xa0\x81\x81", "\\udb40\\udc41", "\\U000e0041"); /* a tag: invisible */
	expect("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	/* not UTF-8: overlong, surrogate, beyond, cut, alone */
	expect("\xc0\xaf", "\xef\xbf\xbd" "c0\xef\xbf\xbd" "af", "\\xc0\\xaf");
	expect("\xed\xa0\x80", "\xef\xbf\xbd" "ed\xef\xbf\xbd" "a0\xef\xbf\xbd" "80", "\\xed\\xa0\\x80");
	expect("\xf4\x90\x80\x80", "\xef\xbf\xbd" "f4\xef\xbf\xbd" "90\xef\xbf\xbd" "80\xef\xbf\xbd" "80", "\\xf4\\x90\\x80\\x80");
	expect("\xe2\x82", "\xef\xbf\xbd" "e2\xef\xbf\xbd" "82", "\\xe2\\x82");
}

/* Whatever the byte, alone and after each other one: no control character, no quote of its own, and valid UTF-8 come out. */
static void test_every_pair(void **state)
{
	for (int a = 1; a < 256; a++) {
		for (int b = 1; b < 256; b++) {
			const char s[] = {(char)a, (char)b, 0};
			char *json = shown(s, 16, TEXT_JSON, NULL), *terminal = shown(s, 16, TEXT_TERMINAL, NULL);
			for (const char *at = json; *at != '\0'; at++) {
				assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
				if (*at == '"') {
					assert_true(at > json && at[-1] == '\\');
				}
				if ((unsigned char)at[0] == 0xc2) {
					assert_true((unsigned char)at[1] >= 0xa0);
				}
			}
			for (const char *at = terminal; *at != '\0'; at++) {
				assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
			}
			free(json);
			free(terminal);
		}
	}
}

static void expect_redacted(const char *s, char *const *secrets, const char *want)
{
	char plain[256];
	struct redact r;
	char *text = shown(s, 4096, TEXT_JSON, secrets);
	assert_string_equal(text, want);
	free(text);
	assert_int_equal(redact_init(&r, secrets), 0);
	text_redact(plain, sizeof(plain), s, &r);
	assert_string_equal(plain, want);
	redact_finish(&r);
}

static void test_redaction(void **state)
{
	char *const secrets[] = {(char *)"hunter2-and-more", (char *)"hunter2-", (char *)"p@ss/w%rd", (char *)"short", NULL};
	expect_redacted("x hunter2-and-more y", secrets, "x [redacted] y"); /* the longest, whatever the order */
	expect_redacted("hunter2-hunter2-and", secrets, "[redacted][redacted]and");
	expect_redacted("https://u:p%40ss%2fw%25rd@h/p@ss/w%rd", secrets, "https://u:[redacted]@h/[redacted]");
	expect_redacted("p%40ss%2fw%rd", secrets, "[redacted]");
	expect_redacted("a short one, hunter2", secrets, "a short one, hunter2");
	expect_redacted("%68%75%6e%74%65%72%32%2D", secrets, "[redacted]");
	expect_redacted("%6", secrets, "%6");
	expect_redacted("hunter2", secrets, "hunter2");
}

static void test_cut(void **state)
{
	char *const secrets[] = {(char *)"0123456789abcdef", NULL};
	char long_text[64] = "xxxxxxxxxxxx0123456789abcdefzz";
	char *text = shown(long_text, 16, TEXT_JSON, secrets); /* the secret lies across the cut */
	assert_string_equal(text, "xxxxxxxxxxxx[redacted]…");
	free(text);
	text = shown("\xe2\x82\xac\xe2\x82\xac", 4, TEXT_JSON, NULL); /* no half character */
	assert_string_equal(text, "\xe2\x82\xac\xe2\x82\xac");
	free(text);
	text = shown("abcd", 4, TEXT_JSON, NULL);
	assert_string_equal(text, "abcd");
	free(text);
	text = shown("abcde", 4, TEXT_JSON, NULL);
	assert_string_equal(text, "abcd…");
	free(text);
	char dst[8];
	struct redact r;
	assert_int_equal(redact_init(&r, secrets), 0);
	assert_int_equal(text_redact(dst, sizeof(dst), long_text + 10, &r), 7);
	assert_string_equal(dst, "xx[reda");
	redact_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes), cmocka_unit_test(test_every_pair), cmocka_unit_test(test_redaction),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
