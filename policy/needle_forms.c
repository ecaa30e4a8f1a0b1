/* The texts that are looked for: a part of a decoy in every encoding. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/needle_parts.h"

static const char base16[] = "0123456789abcdef", base16_capitals[] = "0123456789ABCDEF";
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567", base32_capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char base32hex[] = "0123456789abcdefghijklmnopqrstuv";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* --- readings ----------------------------------------------------------------------------------- */

static void read_digits(unsigned char as[256], const char *digits, bool any_case)
{
	for (; *digits; digits++) {
		as[(unsigned char)*digits] = (unsigned char)*digits;
		if (any_case)
			as[toupper((unsigned char)*digits)] = (unsigned char)*digits;
	}
}

static void read_url_digits(unsigned char as[256])
{
	as['-'] = '+';
	as['_'] = '/';
}

void needle_readings(struct needles *n)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (unsigned c = '!'; c < 256; c++)
		n->as[READ_DATA][c] = (unsigned char)c;
	read_url_digits(n->as[READ_DATA]); /* for both alphabets of base64, and so for all else */
	read_digits(n->as[READ_FOLDED], alnum, true);
	read_digits(n->as[READ_HEX], base16, true);
	read_digits(n->as[READ_BASE32], base32, true);
	read_digits(n->as[READ_BASE32HEX], base32hex, true);
	read_digits(n->as[READ_BASE64], base64, false);
	read_url_digits(n->as[READ_BASE64]);
	read_digits(n->as[READ_BASE64_LOST], alnum, true);
	read_digits(n->as[READ_BASE64_LOST], "+/", false);
	read_url_digits(n->as[READ_BASE64_LOST]);
}

/* --- one text ----------------------------------------------------------------------------------- */

struct source {
	struct needles *n;
	const unsigned char *bytes;
	size_t len;
	bool turned;
	struct form form;
	bool failed;
};

static unsigned char byte_at(const struct source *s, size_t i)
{
	return s->bytes[s->turned ? s->len - 1 - i : i];
}

static void put(struct source *s, char c, size_t i)
{
	struct needles *n = s->n;
	unsigned char as = n->as[s->form.reading][(unsigned char)c];

	if (!as || s->failed)
		return;
	if (n->used == n->room) {
		size_t room = n->room ? 2 * n->room : 65536;
		unsigned char *text = realloc(n->text, room);
		n->text = text ? text : n->text;
		uint16_t *from = text ? reallocarray(n->from, room, sizeof(*from)) : NULL;
		n->from = from ? from : n->from;
		n->room = from ? room : n->room;
		s->failed = !from;
	}
	if (s->failed)
		return;
	n->text[n->used] = as;
	n->from[n->used++] = (uint16_t)(s->turned ? s->len - 1 - i : i);
}

static void begin(struct source *s, enum reading reading, uint32_t least, const char *encoding)
{
	s->form = (struct form){.at = (uint32_t)s->n->used, .part = s->form.part, .reading = reading, .least = least, .encoding = encoding};
}

static void turn(struct needles *n, const struct form *f)
{
	for (size_t i = f->at, k = n->used; i + 1 < k; i++) {
		unsigned char c = n->text[i];
		uint16_t from = n->from[i];
		n->text[i] = n->text[--k];
		n->from[i] = n->from[k];
		n->text[k] = c;
		n->from[k] = from;
	}
}

static void end(struct source *s)
{
	struct needles *n = s->n;

	s->form.len = (uint32_t)(n->used - s->form.at);
	if (s->form.len < NEEDLE_WINDOW) {
		n->used = s->form.at;
		return;
	}
	s->failed = s->failed || !array_grow(&n->forms, n->form_count, &n->form_room, sizeof(*n->forms));
	if (!s->failed)
		n->forms[n->form_count++] = s->form;
}

/* --- encodings ---------------------------------------------------------------------------------- */

static void write_plain(struct source *s, enum reading reading, uint32_t least, const char *encoding)
{
	begin(s, reading, least, encoding);
	for (size_t i = 0; i < s->len; i++)
		put(s, (char)byte_at(s, i), i);
	end(s);
}

/* Each digit that the part alone decides, from bit `skip` of it on. */
static void write_digits(struct source *s, const char *digits, unsigned each, unsigned skip)
{
	for (size_t bit = skip; bit + each <= s->len * 8; bit += each) {
		unsigned two = (unsigned)byte_at(s, bit / 8) << 8 | (bit / 8 + 1 < s->len ? byte_at(s, bit / 8 + 1) : 0);
		put(s, digits[two >> (16 - each - bit % 8) & ((1u << each) - 1)], bit / 8);
	}
}

/* Forwards, of what was turned round, and turned round itself; where it can begin in a group. */
static void write_base(struct source *s, enum reading reading, const char *digits, uint32_t least, const char *const names[3])
{
	unsigned each = digits == base64 ? 6 : digits == base16 || digits == base16_capitals ? 4 : 5, step = each == 6 ? 2 : 1;

	for (int way = 0; way < 3 && names[way]; way++) {
		for (unsigned skip = 0; skip < (each == 4 ? 1 : each); skip += step) {
			s->turned = way == 1;
			begin(s, reading, least, names[way]);
			write_digits(s, digits, each, skip);
			if (way == 2)
				turn(s->n, &s->form);
			end(s);
			s->turned = false;
		}
	}
}

static void put_escaped(struct source *s, const char *sign, const char *digits, size_t i)
{
	unsigned char c = byte_at(s, i);

	for (const char *at = sign; *at; at++)
		put(s, *at, i);
	put(s, digits[c >> 4], i);
	put(s, digits[c & 15], i);
}

/* Every byte of it: %67%68, \x67\x68, \u0067\u0068. */
static void write_all_escaped(struct source *s, const char *sign, const char *digits, const char *encoding)
{
	begin(s, READ_DATA, 12 * (uint32_t)(strlen(sign) + 2), encoding);
	for (size_t i = 0; i < s->len; i++)
		put_escaped(s, sign, digits, i);
	end(s);
}

static bool is_unreserved(unsigned char c)
{
	return (c < 128 && isalnum(c)) || (c && strchr("-._~", c));
}

static void write_url(struct source *s, const char *digits)
{
	size_t escaped = 0;

	begin(s, READ_DATA, 12, "url");
	for (size_t i = 0; i < s->len; i++) {
		escaped += !is_unreserved(byte_at(s, i));
		if (is_unreserved(byte_at(s, i)))
			put(s, (char)byte_at(s, i), i);
		else
			put_escaped(s, "%", digits, i);
	}
	if (escaped)
		end(s);
	else
		s->n->used = s->form.at; /* plain */
}

static void write_json(struct source *s)
{
	size_t escaped = 0;

	begin(s, READ_DATA, 12, "json");
	for (size_t i = 0; i < s->len; i++) {
		unsigned char c = byte_at(s, i);
		bool quoted = c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t';
		escaped += quoted;
		if (quoted)
			put(s, '\\', i);
		put(s, c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : (char)c, i);
	}
	if (escaped)
		end(s);
	else
		s->n->used = s->form.at;
}

static const char *const hex_names[] = {"hex", "hex+reversed", "reversed+hex"}, *const base32_names[] = {"base32", "base32+reversed", NULL},
	*const base64_names[] = {"base64", "base64+reversed", "reversed+base64"};

static void write_for_data(struct source *s)
{
	write_plain(s, READ_DATA, 12, "plain");
	write_url(s, base16_capitals);
	write_url(s, base16);
	write_json(s);
	write_base(s, READ_DATA, base64, 16, base64_names);
	write_base(s, READ_DATA, base16, 24, hex_names);
	write_base(s, READ_DATA, base16_capitals, 24, hex_names);
	write_base(s, READ_DATA, base32_capitals, 19, base32_names);
	write_base(s, READ_DATA, base32, 19, base32_names);
	write_all_escaped(s, "%", base16_capitals, "url");
	write_all_escaped(s, "%", base16, "url");
	write_all_escaped(s, "\\x", base16, "hex");
	write_all_escaped(s, "\\u00", base16, "json");
	s->turned = true;
	write_plain(s, READ_DATA, 12, "reversed");
	s->turned = false;
}

static void write_for_names(struct source *s)
{
	write_plain(s, READ_FOLDED, 16, "plain");
	write_base(s, READ_BASE64, base64, 16, base64_names);
	write_base(s, READ_BASE64_LOST, base64, 20, base64_names);
	write_base(s, READ_HEX, base16, 24, hex_names);
	write_base(s, READ_BASE32, base32, 19, base32_names);
	write_base(s, READ_BASE32HEX, base32hex, 19, base32_names);
	s->turned = true;
	write_plain(s, READ_FOLDED, 16, "reversed");
	s->turned = false;
}

bool needle_forms(struct needles *n, uint32_t part, const unsigned char *bytes, size_t len)
{
	struct source s = {.n = n, .bytes = bytes, .len = len, .form = {.part = part}};

	if (n->kind == NEEDLE_DATA)
		write_for_data(&s);
	else
		write_for_names(&s);
	return !s.failed;
}
