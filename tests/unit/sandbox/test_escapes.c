/* Which bytes are something for the terminal, however they are cut; and that text, colours and other letters' bytes are nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/sandbox/escapes.h"

#define BIT(k) (1u << ESCAPE_##k)
#define ST "\x1b\\"

static const struct {
	const char *text;
	unsigned kinds;
} cases[] = {
	{"\x1b]0;a title\x07", BIT(TITLE)},
	{"\x1b]2;a title" ST, BIT(TITLE)},
	{"\x1b]1;icon", BIT(TITLE)}, /* its end was taken away */
	{"\x1bkscreen's" ST, BIT(TITLE)},
	{"\xc2\x9d" "0;in C1\xc2\x9c", BIT(TITLE)},
	{"\x1b]52;c;cHduZWQ=\x07", BIT(CLIPBOARD)},
	{"\x1b]52;;?\x07", BIT(CLIPBOARD)},
	{"\x1b]0052;c;\x07", BIT(CLIPBOARD)},
	{"\x1b[c", BIT(QUERY)},
	{"\x1b[0c", BIT(QUERY)},
	{"\x1b[>0c", BIT(QUERY)},
	{"\x1b[=c", BIT(QUERY)},
	{"\xc2\x9b" "c", BIT(QUERY)},
	{"\x1b[5n", BIT(QUERY)},
	{"\x1b[6n", BIT(QUERY)},
	{"\x1b[?6n", BIT(QUERY)},
	{"\x1b[\x07" "6n", BIT(QUERY)}, /* a control in the middle */
	{"\x1bZ", BIT(QUERY)},
	{"\x05", BIT(QUERY)},
	{"\x1bP$qm" ST, BIT(QUERY)},
	{"\x1bP+q544e" ST, BIT(QUERY)},
	{"\x1b]4;1;?\x07", BIT(QUERY)},
	{"\x1b]10;?\x07", BIT(QUERY)},
	{"\x1b]11;?" ST, BIT(QUERY)},
	{"\x1b[21t", BIT(QUERY)},
	{"\x1b[18t", BIT(QUERY)},
	{"\x1b[?1$p", BIT(QUERY)},
	{"\x1b[>q", BIT(QUERY)},
	{"\x1b[?u", BIT(QUERY)},
	{"\x1b[1;1;1;1;9;9*y", BIT(QUERY)},
	{"\x1b[x", BIT(QUERY)},
	{"\x1bP0;0|17/6c73" ST, BIT(KEYS)},
	{"\x1bP|17/6c73" ST, BIT(KEYS)},
	{"\x1bPtmux;\x1b\x1b]52;c;eA==\x07" ST, BIT(KEYS) | BIT(CLIPBOARD)},
	{"\x1bP\x1b]52;c;eA==\x07" ST, BIT(KEYS) | BIT(CLIPBOARD)},
	{"\x1b[?1049h", BIT(SCREEN)},
	{"\x1b[?25;47h", BIT(SCREEN)},
	{"\x1b[?1049l", BIT(SCREEN)},
	{"\x1b" "c", BIT(RESET)},
	{"\x1b[!p", BIT(RESET)},
	{"\x18\x1b]0;x\x07\x1b[c", BIT(TITLE) | BIT(QUERY)},
	/* nothing to speak of */
	{"plain text, and a line\r\n\tanother\b\a\f", 0},
	{"\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mmany\x1b[K\x1b[2J\x1b[H\x1b[10;5H\x1b[A", 0},
	{"\x1b[?25l\x1b[?25h\x1b[?2004h\x1b[?7l", 0},
	{"\x1b]8;;https://example.org/\x1b\\a link\x1b]8;;\x1b\\", 0},
	{"\x1b]9;4;1;50\x07", 0}, /* progress */
	{"\x1b]4;1;rgb:00/00/00\x07\x1b]11;#000000\x07", 0},
	{"\x1b[8;24;80t\x1b[22;0t\x1b[2 q\x1b(B\x1b)0\x1b=\x1b>\x1b" "7\x1b" "8\x1bM", 0},
	{"\x1b[>4;1m\x1b[>4n\x1b[>1u\x1b[4h", 0},
	{"\xe2\x9b\x9b" "c \xe2\x9d\x90" "0;x \xc3\x9b" "c \xf0\x9f\x9b\x9b" "c", 0}, /* letters whose bytes look like C1 */
	{"\x9b" "c\x9d" "0;x\x90$q", 0},
	{"\x1b]\x1b[0m0;no title", 0},
	{"\x1b[31\x18" "6n", 0},
};

static void kinds(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].text);
		struct escapes whole = {0}, bytes = {0};
		unsigned told = 0;
		if (escapes_look(&whole, cases[i].text, len) != cases[i].kinds) {
			fail_msg("case %zu: %x instead of %x", i, whole.found, cases[i].kinds);
		}
		for (size_t k = 0; k < len; k++) {
			unsigned now = escapes_look(&bytes, cases[i].text + k, 1);
			assert_int_equal(now & told, 0); /* told once */
			told |= now;
		}
		assert_int_equal(told, cases[i].kinds);
		assert_int_equal(escapes_look(&whole, cases[i].text, len), 0);
		for (size_t cut = 0; cut <= len; cut++) {
			struct escapes e = {0};
			unsigned both = escapes_look(&e, cases[i].text, cut);
			assert_int_equal(both | escapes_look(&e, cases[i].text + cut, len - cut), cases[i].kinds);
		}
	}
}

static void long_strings_are_bounded(void **state)
{
	struct escapes e = {0};
	char fill[1000];

	memset(fill, '1', sizeof fill);
	assert_int_equal(escapes_look(&e, "\x1b]", 2), 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(escapes_look(&e, fill, sizeof fill), 0);
	}
	assert_int_equal(escapes_look(&e, "\x07\x1b[", 3), 0);
	assert_int_equal(escapes_look(&e, fill, sizeof fill), 0);
	assert_int_equal(escapes_look(&e, "c", 1), BIT(QUERY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(long_strings_are_bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
