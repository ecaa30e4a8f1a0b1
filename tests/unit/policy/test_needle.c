#include "common.h"

#include <ctype.h>

#include "policy/needle.h"

/* Decoys, as decoy_value makes them. */
#define TOKEN "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"
#define KEY "mJ2pQUiiQ8QY+N1KOSRSoIhHhwLYuM3zVq2tN4uz"
#define URL "postgres://yguhlvmm:zikwht1oizrxs5@db.internal.mycompany.example.com:5432/app"
#define HOOK "https://hooks.slack.com/services/N613HI8OZ/J5637936376/stywvizvoxoopzonoiyxsvri"
#define SHORT "vkwzqhsx"

static char *const needles[] = {(char *)TOKEN, (char *)KEY, (char *)URL, (char *)HOOK, (char *)SHORT, NULL};

static bool in_any(enum needle_kind kind, const char *text, size_t len, char *const list[], struct needle_hits *hits)
{
	struct needles *n = needles_new(kind);
	bool found;

	assert_non_null(n);
	for (unsigned i = 0; list[i]; i++)
		assert_true(needles_add(n, list[i], NULL, i));
	found = needles_search(n, text, len, hits);
	assert_int_equal(found, hits->n != 0);
	needles_free(n);
	return found;
}

static bool name_in(const char *text, size_t len, char *const list[])
{
	struct needle_hits hits = {.n = 0};

	return in_any(NEEDLE_NAME, text, len, list, &hits);
}

static bool in(const char *text)
{
	return name_in(text, strlen(text), needles);
}

static void holds(const char *text)
{
	if (!in(text))
		fail_msg("nothing found in \"%s\"", text);
}

static void lacks(const char *text)
{
	if (in(text))
		fail_msg("found in \"%s\"", text);
}

/* --- encoders ----------------------------------------------------------------------------------- */

static const char base16[] = "0123456789abcdef", base32[] = "abcdefghijklmnopqrstuvwxyz234567", base32hex[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Without padding; the last digit filled up with zero bits. */
static void encode(const char *digits, const char *text, size_t len, char *out)
{
	unsigned each = strlen(digits) == 64 ? 6 : strlen(digits) == 32 ? 5 : 4, held = 0, bits = 0;

	for (size_t i = 0; i < len; i++) {
		held = held << 8 | (unsigned char)text[i];
		for (bits += 8; bits >= each; bits -= each)
			*out++ = digits[held >> (bits - each) & ((1u << each) - 1)];
	}
	if (bits)
		*out++ = digits[held << (each - bits) & ((1u << each) - 1)];
	*out = '\0';
}

static void change_case(char *text, int (*to)(int))
{
	for (; *text; text++)
		*text = (char)to((unsigned char)*text);
}

static void backwards(const char *text, char *out)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		out[i] = text[n - 1 - i];
	out[n] = '\0';
}

/* --- plain -------------------------------------------------------------------------------------- */

static void plain(void **state)
{
	char text[256];

	(void)state;
	holds(TOKEN);
	holds("x-" TOKEN "-y");
	holds("GHP_q3sPZY0PQUKW5YWVTNPGQZOSKPWIQ20CS8LK"); /* no case */
	holds("ghpq3spzy0pquk-w5ywvtnpgqzos.kpwiq20cs8lk"); /* other separators, or none */
	holds("vkwzqhsx");
	holds("v-k-w-z-q-h-s-x");
	lacks("vkwzqhs");
	holds("y0pQuKw5YwVtNpGq"); /* 16 in a row */
	lacks("y0pQuKw5YwVtNpG");
	lacks("y0pQuKw5x5YwVtNpGq");
	backwards(TOKEN, text);
	holds(text);
	holds("mJ2pQUiiQ8QYN1KOSRSoIhHhwLYuM3zVq2tN4uz"); /* without its sign */
}

static void urls(void **state)
{
	char text[256];

	(void)state;
	holds("zikwht1oizrxs5");
	holds("yguhlvmm");
	lacks("db.internal.mycompany.example.com"); /* honest code asks for it */
	lacks("hooks.slack.com");
	holds("N613HI8OZ-J5637936376");
	holds("stywvizvoxoopzonoiyxsvri");
	encode(base16, "db.internal.mycompany.example.com", 33, text);
	lacks(text);
	encode(base32, "zikwht1oizrxs5", 14, text);
	holds(text);
}

static void none(void **state)
{
	static char *const empty[] = {NULL}, *const tiny[] = {(char *)"", (char *)"abcdefg", (char *)"://", (char *)"a://b@", (char *)"a://:@c", NULL};
	static const char text[] = "abcdefg.example.com";

	(void)state;
	struct needle_hits hits = {.n = 0};
	assert_false(needles_search(NULL, TOKEN, strlen(TOKEN), &hits));
	assert_false(name_in(TOKEN, strlen(TOKEN), empty));
	assert_false(name_in(text, strlen(text), tiny)); /* too short to mean anything */
	assert_false(name_in("", 0, needles));
	lacks("files.pythonhosted.org");
}

/* --- encoded ------------------------------------------------------------------------------------ */

static void encoded(void **state)
{
	static const char *const alphabets[] = {base16, base32, base32hex, base64, base64url};
	static const char *const secrets[] = {TOKEN, KEY, SHORT, "zikwht1oizrxs5"};
	char made[256], text[512], turned[128];

	(void)state;
	for (size_t a = 0; a < sizeof(alphabets) / sizeof(*alphabets); a++) {
		for (size_t s = 0; s < sizeof(secrets) / sizeof(*secrets); s++) {
			encode(alphabets[a], secrets[s], strlen(secrets[s]), made);
			holds(made);
			snprintf(text, sizeof(text), "%s.evil.example", made);
			holds(text);
			backwards(secrets[s], turned); /* turned round, then encoded */
			encode(alphabets[a], turned, strlen(turned), made);
			holds(made);
		}
	}
}

/* After any number of other bytes, and of other digits. */
static void at_any_place(void **state)
{
	static const char *const alphabets[] = {base16, base32, base32hex, base64, base64url};
	char source[128], made[256], text[512];

	(void)state;
	for (size_t a = 0; a < sizeof(alphabets) / sizeof(*alphabets); a++) {
		for (int before = 0; before < 9; before++) {
			snprintf(source, sizeof(source), "%.*s%s,more", before, "USER=rootx", TOKEN);
			encode(alphabets[a], source, strlen(source), made);
			holds(made);
			snprintf(text, sizeof(text), "%.*s%s", before, "aa0aaaaaa", made);
			holds(text);
		}
	}
}

/* The case of base64's letters is lost where a library writes host names small. */
static void case_lost(void **state)
{
	char source[128], made[256];

	(void)state;
	for (int before = 0; before < 6; before++) {
		snprintf(source, sizeof(source), "%.*s%s}", before, "{\"a\":\"", KEY);
		encode(before % 2 ? base64 : base64url, source, strlen(source), made);
		change_case(made, tolower);
		holds(made);
		change_case(made, toupper);
		holds(made);
		snprintf(source, sizeof(source), "%.*s%s}", before, "{\"a\":\"", SHORT);
		encode(base64, source, strlen(source), made);
		change_case(made, tolower);
		holds(made);
	}
	encode(base32, KEY, strlen(KEY), made);
	change_case(made, toupper);
	holds(made);
	encode(base16, KEY, strlen(KEY), made);
	change_case(made, toupper);
	holds(made);
}

/* A piece of a secret: 12 bytes tell it, 11 do not. */
static void pieces(void **state)
{
	static const char *const alphabets[] = {base16, base32, base32hex, base64url};
	char made[256];

	(void)state;
	for (size_t a = 0; a < sizeof(alphabets) / sizeof(*alphabets); a++) {
		for (size_t from = 0; from + 12 <= strlen(TOKEN); from++) {
			encode(alphabets[a], TOKEN + from, 12, made);
			holds(made);
			encode(alphabets[a], TOKEN + from, 11, made);
			lacks(made);
		}
	}
}

/* Digits with other characters among them are one encoding. */
static void split(void **state)
{
	char made[256], text[512];
	size_t n = 0;

	(void)state;
	encode(base32, TOKEN, strlen(TOKEN), made);
	for (size_t i = 0; made[i]; i++) {
		text[n++] = made[i];
		if (i % 3 == 2)
			text[n++] = '-';
	}
	text[n] = '\0';
	holds(text);
	encode(base16, TOKEN, strlen(TOKEN), made);
	for (n = 0; made[n]; n++)
		memcpy(text + 2 * n, (char[]){made[n], '.'}, 2);
	text[2 * n] = '\0';
	holds(text);
}

static void long_ones(void **state)
{
	static char big[9000];
	char *const list[] = {big, NULL};
	char made[256], text[600];

	(void)state;
	for (uint32_t i = 0, random = 1; i + 1 < sizeof(big); i++) {
		random = random * 1103515245u + 12345u;
		big[i] = base64url[random >> 26];
	}
	encode(base16, big + 4000, 60, made);
	assert_true(name_in(made, strlen(made), list));
	encode(base16, big + 5000, 60, made);
	assert_false(name_in(made, strlen(made), list)); /* beyond what is looked for */
	memset(text, 'x', sizeof(text));
	memcpy(text + 200, TOKEN, strlen(TOKEN));
	assert_true(name_in(text, sizeof(text), needles));
	memset(text, 'x', sizeof(text));
	memcpy(text + NEEDLE_TEXT_MAX, TOKEN, strlen(TOKEN));
	assert_false(name_in(text, sizeof(text), needles));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain), cmocka_unit_test(urls), cmocka_unit_test(none), cmocka_unit_test(encoded), cmocka_unit_test(at_any_place),
		cmocka_unit_test(case_lost), cmocka_unit_test(pieces), cmocka_unit_test(split), cmocka_unit_test(long_ones),
	};

	return cmocka_run_group_tests_name("needle", tests, NULL, NULL);
}
