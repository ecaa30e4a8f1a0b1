#include "policy/needle.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "policy/shape.h"

#define LEAST_WHOLE 8
#define LEAST_FOLDED 16
#define LEAST_BASE64 20
#define LEAST_BYTES 12
#define PART_MAX 4096

/* What a needle is made into before it is looked for. */
enum form { FORM_BYTES, FORM_FOLDED, FORM_BASE64 };

/* A reading of the text.  There are dozens, and may be hundreds of needles, so it knows which pairs of bytes it has (more or less: by some of their
 * bits), and hardly any piece of a needle needs a search. */
struct hay {
	unsigned char bytes[NEEDLE_TEXT_MAX];
	size_t len;
	uint64_t pairs[4096 / 64];
};

static unsigned pair_at(const unsigned char *at)
{
	return (at[0] << 5 ^ at[1]) & 4095u;
}

static void note_pairs(struct hay *h)
{
	memset(h->pairs, 0, sizeof(h->pairs));
	for (size_t i = 0; i + 1 < h->len; i++)
		h->pairs[pair_at(h->bytes + i) / 64] |= (uint64_t)1 << pair_at(h->bytes + i) % 64;
}

static bool may_hold(const struct hay *h, const unsigned char *at, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (!(h->pairs[pair_at(at + i) / 64] >> pair_at(at + i) % 64 & 1))
			return false;
	return true;
}

static void turn(struct hay *h)
{
	for (size_t i = 0, k = h->len; i + 1 < k; i++) {
		unsigned char c = h->bytes[i];
		h->bytes[i] = h->bytes[--k];
		h->bytes[k] = c;
	}
	note_pairs(h);
}

/* --- pieces ------------------------------------------------------------------------------------- */

/* The bytes around two equal places that are equal as well, these included. */
static size_t common(const struct hay *h, size_t at, const unsigned char *part, size_t len, size_t from)
{
	size_t before = 0, after = 0;

	while (before < at && before < from && h->bytes[at - before - 1] == part[from - before - 1])
		before++;
	while (at + after < h->len && from + after < len && h->bytes[at + after] == part[from + after])
		after++;
	return before + after;
}

/* Do they have `least` bytes in a row in common, or all of the part?  A run of that length holds one of the blocks of half of it. */
static bool shares(const struct hay *h, const unsigned char *part, size_t len, size_t least)
{
	if (len < LEAST_WHOLE)
		return false;
	least = len < least ? len : least;
	size_t block = (least + 1) / 2;
	for (size_t from = 0; from + block <= len; from += block) {
		const unsigned char *at = h->bytes, *end = h->bytes + h->len;
		if (!may_hold(h, part + from, block))
			continue;
		while ((at = memmem(at, (size_t)(end - at), part + from, block))) {
			if (common(h, (size_t)(at - h->bytes), part, len, from) >= least)
				return true;
			at++;
		}
	}
	return false;
}

static size_t fold(const unsigned char *text, size_t len, unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] < 128 && isalnum(text[i]))
			out[n++] = (unsigned char)tolower(text[i]);
	return n;
}

/* The base64 of a part, without the first bits: those share a digit with what stands before it, which is not known.  Small letters. */
static size_t base64_of(const unsigned char *part, size_t len, unsigned skip, unsigned char *out)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = 0;

	for (size_t bit = skip; bit + 6 <= len * 8; bit += 6) {
		unsigned two = (unsigned)part[bit / 8] << 8 | (bit / 8 + 1 < len ? part[bit / 8 + 1] : 0);
		out[n++] = (unsigned char)digits[two >> (10 - bit % 8) & 63];
	}
	return n;
}

static bool part_in(const struct hay *h, enum form form, const char *text, size_t len)
{
	unsigned char made[PART_MAX * 8 / 6 + 1];
	const unsigned char *part = (const unsigned char *)text;

	len = len < PART_MAX ? len : PART_MAX;
	if (form == FORM_BYTES || len < LEAST_WHOLE)
		return shares(h, part, len, LEAST_BYTES);
	if (form == FORM_FOLDED)
		return shares(h, made, fold(part, len, made), LEAST_FOLDED);
	for (unsigned skip = 0; skip < 6; skip += 2)
		if (shares(h, made, base64_of(part, len, skip, made), LEAST_BASE64))
			return true;
	return false;
}

/* --- needles ------------------------------------------------------------------------------------ */

static bool in_url(const struct hay *h, enum form form, const char *needle, const char *mark)
{
	size_t start, colon, end = 0;
	bool user = false;

	while (shape_userinfo(needle, end, &start, &colon, &end)) {
		user = true;
		if (part_in(h, form, needle + start, colon - start) || (colon < end && part_in(h, form, needle + colon + 1, end - colon - 1)))
			return true;
	}
	const char *path = mark + 3 + strcspn(mark + 3, "/?#");
	return !user && part_in(h, form, path, strlen(path));
}

static bool any_in(const struct hay *h, enum form form, char *const needles[])
{
	for (; h->len >= LEAST_WHOLE && *needles; needles++) {
		const char *mark = strstr(*needles, "://");
		if (mark ? in_url(h, form, *needles, mark) : part_in(h, form, *needles, strlen(*needles)))
			return true;
	}
	return false;
}

static bool any_either_way(struct hay *h, enum form form, char *const needles[])
{
	note_pairs(h);
	if (any_in(h, form, needles))
		return true;
	turn(h);
	return any_in(h, form, needles);
}

/* --- readings ----------------------------------------------------------------------------------- */

static const struct coding {
	const char *digits;
	unsigned bits;
	unsigned phases; /* digits after which a byte begins again at a digit */
	bool any_case;
} codings[] = {
	{"0123456789abcdef", 4, 2, true},
	{"abcdefghijklmnopqrstuvwxyz234567", 5, 8, true},
	{"0123456789abcdefghijklmnopqrstuv", 5, 8, true},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, 4, false},
};

static int digit_of(const struct coding *coding, unsigned char c)
{
	if (coding->any_case)
		c = (unsigned char)tolower(c);
	else if (c == '+' || c == '/')
		c = c == '+' ? '-' : '_';
	const char *at = c ? strchr(coding->digits, c) : NULL;
	return at ? (int)(at - coding->digits) : -1;
}

struct digits {
	unsigned char value[NEEDLE_TEXT_MAX];
	size_t len;
};

static void read_digits(const struct coding *coding, const unsigned char *text, size_t len, struct digits *out)
{
	out->len = 0;
	for (size_t i = 0; i < len; i++) {
		int digit = digit_of(coding, text[i]);
		if (digit >= 0)
			out->value[out->len++] = (unsigned char)digit;
	}
}

static void decode(const struct digits *digits, unsigned bits_each, unsigned from, struct hay *out)
{
	unsigned held = 0, bits = 0;

	out->len = 0;
	for (size_t i = from; i < digits->len; i++) {
		held = held << bits_each | digits->value[i];
		bits += bits_each;
		if (bits >= 8) {
			bits -= 8;
			out->bytes[out->len++] = (unsigned char)(held >> bits);
		}
	}
}

/* Letters, digits, and the two that base64url has besides. */
static void lower(const unsigned char *text, size_t len, struct hay *out)
{
	out->len = 0;
	for (size_t i = 0; i < len; i++)
		if (digit_of(&codings[3], text[i]) >= 0)
			out->bytes[out->len++] = (unsigned char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : tolower(text[i]));
}

bool needle_in(const char *text, size_t len, char *const needles[])
{
	const unsigned char *bytes = (const unsigned char *)text;
	struct hay h;

	if (!needles || !*needles)
		return false;
	len = len < NEEDLE_TEXT_MAX ? len : NEEDLE_TEXT_MAX;
	h.len = fold(bytes, len, h.bytes);
	if (any_either_way(&h, FORM_FOLDED, needles))
		return true;
	lower(bytes, len, &h);
	if (any_either_way(&h, FORM_BASE64, needles))
		return true;
	for (size_t i = 0; i < sizeof(codings) / sizeof(*codings); i++) {
		struct digits digits;
		read_digits(&codings[i], bytes, len, &digits);
		for (unsigned phase = 0; phase < codings[i].phases; phase++) {
			decode(&digits, codings[i].bits, phase, &h);
			if (any_either_way(&h, FORM_BYTES, needles))
				return true;
		}
	}
	return false;
}
