#include "policy/jsontext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

#define MAX_DEPTH 12
#define MAX_NUMBER 24
#define MAX_VALUES 65536

struct scan {
	struct json_text *t;
	size_t at;
	const char *origin;
	struct policy_error *err;
};

/* Where each line begins: an error needs one place, but the model keeps the place of every entry. */
static bool index_lines(struct json_text *t)
{
	size_t cap = 0;

	if (!array_grow(&t->lines, 0, &cap, sizeof(*t->lines)))
		return false;
	t->lines[t->line_count++] = 0;
	for (const char *end = t->source; (end = memchr(end, '\n', t->len - (size_t)(end - t->source))); ) {
		if (!array_grow(&t->lines, t->line_count, &cap, sizeof(*t->lines)))
			return false;
		t->lines[t->line_count++] = (uint32_t)(++end - t->source);
	}
	return true;
}

static void line_column(const struct json_text *t, size_t offset, unsigned *line, unsigned *column)
{
	size_t low = 0, high = t->line_count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (t->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	*line = (unsigned)low + 1;
	*column = 1;
	for (size_t i = t->lines[low]; i < offset; i++)
		*column += ((unsigned char)t->source[i] & 0xc0) != 0x80;
}

static int fail(struct scan *s, size_t offset, const char *message)
{
	struct place at = {.origin = s->origin};

	line_column(s->t, offset, &at.line, &at.column);
	return policy_fail(s->err, &at, "%s", message);
}

static int peek(const struct scan *s)
{
	return s->at < s->t->len ? (unsigned char)s->t->text[s->at] : -1;
}

static void blank(struct scan *s, size_t from)
{
	for (size_t i = from; i < s->at; i++)
		if (s->t->text[i] != '\n')
			s->t->text[i] = ' ';
}

static int skip_comment(struct scan *s)
{
	const char *text = s->t->text;
	size_t from = s->at;

	if (s->at + 1 >= s->t->len || (text[s->at + 1] != '/' && text[s->at + 1] != '*'))
		return fail(s, from, "unexpected '/'");
	if (text[s->at + 1] == '/') {
		while (s->at < s->t->len && text[s->at] != '\n')
			s->at++;
	} else {
		s->at += 2;
		while (s->at + 1 < s->t->len && !(text[s->at] == '*' && text[s->at + 1] == '/'))
			s->at++;
		if (s->at + 1 >= s->t->len)
			return fail(s, from, "a comment that does not end");
		s->at += 2;
	}
	blank(s, from);
	return 0;
}

static int skip_space(struct scan *s)
{
	for (;;) {
		int c = peek(s);
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			s->at++;
		else if (c != '/')
			return 0;
		else if (skip_comment(s))
			return -1;
	}
}

/* Length of the UTF-8 sequence at p (at most left bytes), 0: malformed. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
	    (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static int scan_escape(struct scan *s)
{
	int c = peek(s);

	if (c != 'u') {
		if (c <= 0 || !strchr("\"\\/bfnrt", c))
			return fail(s, s->at - 1, "an escape that JSON does not have");
		s->at++;
		return 0;
	}
	bool zero = true;
	for (size_t i = 1; i <= 4; i++) {
		if (s->at + i >= s->t->len || !isxdigit((unsigned char)s->t->text[s->at + i]))
			return fail(s, s->at - 1, "\\u wants four hexadecimal digits");
		zero = zero && s->t->text[s->at + i] == '0';
	}
	if (zero)
		return fail(s, s->at - 1, "a NUL character in a string");
	s->at += 5;
	return 0;
}

static int scan_string(struct scan *s)
{
	size_t from = s->at;

	if (peek(s) != '"')
		return fail(s, from, "a string was expected here");
	s->at++;
	for (;;) {
		int c = peek(s);
		if (c < 0 || c == '\n')
			return fail(s, from, "a string that does not end");
		if (c < 0x20)
			return fail(s, s->at, "a control character in a string");
		if (c == '"') {
			s->at++;
			return 0;
		}
		if (c == '\\') {
			s->at++;
			if (scan_escape(s))
				return -1;
			continue;
		}
		size_t n = utf8_length((const unsigned char *)s->t->text + s->at, s->t->len - s->at);
		if (!n)
			return fail(s, s->at, "not UTF-8");
		s->at += n;
	}
}

static size_t scan_digits(struct scan *s)
{
	size_t from = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at - from;
}

static int scan_number(struct scan *s)
{
	size_t from = s->at;

	if (peek(s) == '-')
		s->at++;
	bool zero = peek(s) == '0';
	size_t digits = scan_digits(s);
	if (!digits || (zero && digits > 1))
		return fail(s, from, "not a number of JSON");
	if (peek(s) == '.') {
		s->at++;
		if (!scan_digits(s))
			return fail(s, from, "not a number of JSON");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (!scan_digits(s))
			return fail(s, from, "not a number of JSON");
	}
	if (s->at - from > MAX_NUMBER)
		return fail(s, from, "a number with too many digits");
	return 0;
}

static int scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->t->len - s->at < n || memcmp(s->t->text + s->at, word, n))
		return fail(s, s->at, "a value was expected here");
	s->at += n;
	return 0;
}

static int scan_value(struct scan *s, size_t key, bool has_key, unsigned depth);

/* What stands between the brackets, up to and with the closing one. */
static int scan_members(struct scan *s, bool object, unsigned depth)
{
	int close = object ? '}' : ']';

	s->at++;
	if (skip_space(s))
		return -1;
	if (peek(s) == close) {
		s->at++;
		return 0;
	}
	for (;;) {
		size_t key = s->at;
		if (object) {
			if (peek(s) == '}')
				return fail(s, s->at, "a comma before the closing brace");
			if (scan_string(s) || skip_space(s))
				return -1;
			if (peek(s) != ':')
				return fail(s, s->at, "':' was expected here");
			s->at++;
			if (skip_space(s))
				return -1;
		} else if (peek(s) == ']') {
			return fail(s, s->at, "a comma before the closing bracket");
		}
		if (scan_value(s, key, object, depth) || skip_space(s))
			return -1;
		int c = peek(s);
		if (c != ',' && c != close)
			return fail(s, s->at, object ? "',' or '}' was expected here" : "',' or ']' was expected here");
		s->at++;
		if (c == close)
			return 0;
		if (skip_space(s))
			return -1;
	}
}

static int scan_value(struct scan *s, size_t key, bool has_key, unsigned depth)
{
	struct json_text *t = s->t;

	if (t->count >= MAX_VALUES)
		return fail(s, s->at, "too many values");
	if (!array_grow(&t->positions, t->count, &t->cap, sizeof(*t->positions)))
		return policy_no_memory(s->err);
	t->positions[t->count++] = (struct json_position){.key = (uint32_t)(has_key ? key : s->at), .value = (uint32_t)s->at};
	switch (peek(s)) {
	case '{':
	case '[':
		if (depth == MAX_DEPTH)
			return fail(s, s->at, "nested too deeply");
		return scan_members(s, peek(s) == '{', depth + 1);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case -1:
		return fail(s, s->at, "the text ends too early");
	default:
		if (peek(s) == '-' || isdigit(peek(s)))
			return scan_number(s);
		return fail(s, s->at, "a value was expected here");
	}
}

static void number_items(cJSON *item, size_t *next)
{
	for (; item; item = item->next) {
		item->valueint = (int)(*next)++;
		if (item->child)
			number_items(item->child, next); /* at most MAX_DEPTH deep */
	}
}

static int parse(struct scan *s)
{
	struct json_text *t = s->t;
	const char *end = t->text;
	size_t numbered = 0;

	t->root = cJSON_ParseWithLengthOpts(t->text, t->len, &end, false);
	if (!t->root)
		return fail(s, end >= t->text && end <= t->text + t->len ? (size_t)(end - t->text) : 0,
			    "a string with half of a surrogate pair, or no memory");
	number_items(t->root, &numbered);
	if (numbered != t->count)
		return fail(s, 0, "the text was read in two different ways");
	return 0;
}

int json_text_parse(struct json_text *t, const char *origin, const char *text, size_t len, struct policy_error *err)
{
	struct scan s = {.t = t, .origin = origin, .err = err};

	*t = (struct json_text){.source = text, .len = len};
	if (len > POLICY_MAX_BYTES)
		return policy_fail(err, &(struct place){.origin = origin}, "longer than %d bytes", POLICY_MAX_BYTES);
	t->text = malloc(len + 1);
	if (!t->text || !index_lines(t))
		return policy_no_memory(err);
	memcpy(t->text, text, len);
	t->text[len] = '\0';
	if (skip_space(&s) || scan_value(&s, 0, false, 0) || skip_space(&s))
		return -1;
	if (s.at != len)
		return fail(&s, s.at, "more text after the end of the policy");
	return parse(&s);
}

void json_text_finish(struct json_text *t)
{
	cJSON_Delete(t->root);
	free(t->positions);
	free(t->lines);
	free(t->text);
	*t = (struct json_text){0};
}

void json_text_where(const struct json_text *t, const cJSON *item, bool key, unsigned *line, unsigned *column)
{
	size_t index = (size_t)item->valueint;

	*line = *column = 0;
	if (index >= t->count)
		return;
	line_column(t, key ? t->positions[index].key : t->positions[index].value, line, column);
}
