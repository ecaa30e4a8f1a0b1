#include "policy/shape.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define USERINFO_MAX 2048 /* bounds the search in a text of nothing but URLs */

enum alphabet { WORD, UPPER_DIGIT };

/* The rest after the prefix has at least `least` characters of the alphabet.  0: a prefix that is kept in decoys, but is too
 * short to make a value secret by itself. */
static const struct token {
	const char *prefix;
	unsigned least;
	enum alphabet alphabet;
} tokens[] = {
	{"AKIA", 16, UPPER_DIGIT}, {"ASIA", 16, UPPER_DIGIT}, {"ABIA", 16, UPPER_DIGIT}, {"ACCA", 16, UPPER_DIGIT},
	{"A3T", 17, UPPER_DIGIT},
	{"ghp_", 36, WORD}, {"gho_", 36, WORD}, {"ghu_", 36, WORD}, {"ghs_", 36, WORD}, {"ghr_", 36, WORD},
	{"github_pat_", 40, WORD}, {"glpat-", 20, WORD}, {"glptt-", 20, WORD}, {"gldt-", 20, WORD},
	{"pypi-", 50, WORD}, {"npm_", 36, WORD}, {"hf_", 34, WORD}, {"rubygems_", 40, WORD}, {"dckr_pat_", 20, WORD},
	{"sk-ant-api03-", 40, WORD}, {"sk-ant-", 40, WORD}, {"sk-proj-", 40, WORD}, {"sk-svcacct-", 40, WORD},
	{"sk-admin-", 40, WORD}, {"sk-or-v1-", 40, WORD}, {"gsk_", 40, WORD}, {"xai-", 60, WORD}, {"r8_", 37, WORD}, {"nvapi-", 40, WORD},
	{"AIza", 35, WORD}, {"ya29.", 30, WORD}, {"hvs.", 90, WORD}, {"ops_eyJ", 100, WORD}, {"AGE-SECRET-KEY-1", 50, UPPER_DIGIT},
	{"xoxb-", 20, WORD}, {"xoxa-", 20, WORD}, {"xoxp-", 20, WORD}, {"xoxr-", 20, WORD}, {"xoxs-", 20, WORD},
	{"sk_live_", 20, WORD}, {"rk_live_", 20, WORD}, {"shpat_", 32, WORD}, {"dop_v1_", 40, WORD}, {"tskey-auth-", 20, WORD},
	{"lin_api_", 30, WORD}, {"dp.pt.", 40, WORD}, {"LTAI", 16, UPPER_DIGIT},
	{"sk-", 0, WORD}, {"sk_test_", 0, WORD}, {"SG.", 0, WORD}, {"Bearer ", 0, WORD}, {"Basic ", 0, WORD},
};

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool in_alphabet(char c, enum alphabet a)
{
	return a == WORD ? word_char(c) : isupper((unsigned char)c) || isdigit((unsigned char)c);
}

static const struct token *token_at(const char *text)
{
	const struct token *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
		if (tokens[i].prefix[0] != *text)
			continue;
		size_t n = strlen(tokens[i].prefix);
		if (n > longest && !strncmp(text, tokens[i].prefix, n)) {
			longest = n;
			best = &tokens[i];
		}
	}
	return best;
}

size_t shape_prefix(const char *text)
{
	const struct token *t = token_at(text);

	return t ? strlen(t->prefix) : 0;
}

static bool known_token(const char *text)
{
	const struct token *t = token_at(text);
	size_t n = 0;

	if (!t || !t->least)
		return false;
	text += strlen(t->prefix);
	while (n < t->least && in_alphabet(text[n], t->alphabet))
		n++;
	return n == t->least;
}

static size_t word_run(const char *text)
{
	size_t n = 0;

	while (word_char(text[n]))
		n++;
	return n;
}

size_t shape_jwt_header(const char *text)
{
	size_t header = word_run(text);

	if (header < 19 || strncmp(text, "eyJ", 3) || text[header] != '.')
		return 0;
	const char *payload = text + header + 1;
	size_t n = word_run(payload);
	return n >= 10 && payload[n] == '.' ? header : 0;
}

/* 123456789:AA… of a messenger's bot. */
static bool bot_token(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits >= 5 && digits <= 16 && text[digits] == ':' && text[digits + 1] == 'A' && word_run(text + digits + 2) >= 33;
}

/* The marker in the middle of an API key of the oldest vendor. */
static bool marked_key(const char *value)
{
	const char *marker = strstr(value, "T3BlbkFJ");

	return marker && word_run(marker + 8) >= 20 && strstr(value, "sk-");
}

static bool scheme_char(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '-' || c == '.';
}

static bool common_user(const char *user, size_t len)
{
	return (len == 3 && !memcmp(user, "git", 3)) || (len == 2 && !memcmp(user, "hg", 2)) || (len == 3 && !memcmp(user, "svn", 3));
}

/* The end of what could be user and password: the last '@' of the authority.  A password with a bare '/' in it ends the authority too
 * early; that shows in something behind the ':' that is no port. */
static bool userinfo_end(const char *text, size_t start, size_t *end)
{
	size_t authority = strcspn(text + start, "/?# \t\r\n\"'<>,;"), whole = 0;
	const char *at = memrchr(text + start, '@', authority);

	if (!at) {
		const char *colon = memchr(text + start, ':', authority);
		if (!colon || text[start] == '[' || colon == text + start ||
		    strspn(colon + 1, "0123456789") == authority - (size_t)(colon + 1 - text - start))
			return false;
		while (whole < USERINFO_MAX && text[start + whole] && !strchr(" \t\r\n\"'<>", text[start + whole]))
			whole++;
		at = memrchr(text + start, '@', whole);
	}
	if (!at)
		return false;
	*end = (size_t)(at - text);
	return true;
}

bool shape_userinfo(const char *text, size_t from, size_t *start, size_t *colon, size_t *end)
{
	for (const char *mark = text + from; (mark = strstr(mark, "://")); mark += 3) {
		if (mark == text || !scheme_char(mark[-1]))
			continue;
		*start = (size_t)(mark + 3 - text);
		if (!userinfo_end(text, *start, end) || *end == *start)
			continue;
		const char *c = memchr(text + *start, ':', *end - *start);
		*colon = c ? (size_t)(c - text) : *end;
		if (*colon == *end && common_user(text + *start, *end - *start))
			continue;
		return true;
	}
	return false;
}

/* A user name alone is a token only when it is long. */
static bool url_with_password(const char *value)
{
	size_t start, colon, end = 0;

	while (shape_userinfo(value, end, &start, &colon, &end))
		if (end > colon + 1 || (colon == end && end - start >= 20))
			return true;
	return false;
}

/* "Server=db;User Id=sa;Password=…;": a connection string. */
static bool connection_password(const char *value)
{
	static const char *const keys[] = {"password=", "pwd="};

	for (size_t i = 0; i < 2; i++) {
		const char *at = strcasestr(value, keys[i]);
		if (at && (at == value || at[-1] == ';' || at[-1] == ' ') && strchr(value, ';') && strcspn(at + strlen(keys[i]), ";") >= 4)
			return true;
	}
	return false;
}

bool shape_is_secret(const char *value)
{
	const char *pem = strstr(value, "-----BEGIN ");

	if ((pem && strstr(pem, "PRIVATE KEY")) || !strncasecmp(value, "authorization:", 14))
		return true;
	if (marked_key(value) || url_with_password(value) || connection_password(value) || strstr(value, "://hooks.slack.com/services/"))
		return true;
	for (const char *c = value; *c; c++) {
		if (c != value && (word_char(c[-1])))
			continue;
		if (known_token(c) || shape_jwt_header(c) || bot_token(c))
			return true;
	}
	return false;
}

bool shape_is_plain(const char *value, bool other_scripts)
{
	bool seen[256] = {false};
	unsigned different = 0;
	size_t letters = 0;

	for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
		if (!isalnum(*c) && !(other_scripts && *c >= 128))
			continue;
		letters++;
		if (!seen[*c]) {
			seen[*c] = true;
			different++;
		}
	}
	return letters < 8 || different < 4;
}
