/* Decoys.
 *
 * A character of a decoy depends on the key, the name, the character's place and its kind (capital, small, digit), and on
 * nothing else of the value.  So a decoy is its own decoy: the environment that pip hands to a build holds the installer's
 * decoys already, and replacing those again must not change them. */
#include "policy/decoy.h"

#include <ctype.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

#include "policy/shape.h"

#define SHORT_PART 8
#define SHORT_DECOY 12

/* The run of bytes that a key, a name and a part of the value give. */
struct stream {
	const uint8_t *key;
	const char *name;
	unsigned part; /* which part of the value: several URLs, user, password; and which try */
	uint32_t block;
	uint8_t bytes[SHA256_DIGEST_LENGTH];
};

static struct stream stream_of(const uint8_t *key, const char *name, unsigned part)
{
	return (struct stream){.key = key, .name = name, .part = part, .block = UINT32_MAX};
}

/* A number below `below`, for the character at `index`. */
static unsigned draw(struct stream *s, size_t index, unsigned below)
{
	uint32_t block = (uint32_t)(index / 16);

	if (block != s->block) {
		uint8_t tail[8];
		SHA2_CTX sha;
		for (int i = 0; i < 4; i++) {
			tail[i] = (uint8_t)(s->part >> (8 * i));
			tail[4 + i] = (uint8_t)(block >> (8 * i));
		}
		SHA256Init(&sha);
		SHA256Update(&sha, s->key, DECOY_KEY_LEN);
		SHA256Update(&sha, (const uint8_t *)s->name, strlen(s->name) + 1);
		SHA256Update(&sha, tail, sizeof(tail));
		SHA256Final(s->bytes, &sha);
		s->block = block;
	}
	const uint8_t *two = s->bytes + index % 16 * 2;
	return (two[0] << 8 | two[1]) % below;
}

/* Which characters stand for which.  Letters of a value that is not hexadecimal become g to z, never a to f: else a decoy could
 * look hexadecimal by chance, and its own decoy would be another. */
enum alphabet { ALPHABET_TEXT, ALPHABET_HEX, ALPHABET_BASE32 };

static enum alphabet alphabet_of(const char *value)
{
	size_t digits = 0;

	if (shape_prefix(value) && isupper((unsigned char)*value) && isupper((unsigned char)value[1]))
		return ALPHABET_BASE32; /* AKIA…: A to Z, 2 to 7 */
	for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
		if (isalnum(*c) && !isxdigit(*c))
			return ALPHABET_TEXT;
		digits += isxdigit(*c) != 0;
	}
	return digits >= 16 ? ALPHABET_HEX : ALPHABET_TEXT;
}

static char replacement(struct stream *s, size_t index, unsigned char c, enum alphabet a)
{
	unsigned first = a == ALPHABET_TEXT ? 6 : 0, count = a == ALPHABET_HEX ? 6 : a == ALPHABET_TEXT ? 20 : 26;

	if (isdigit(c))
		return (char)(a == ALPHABET_BASE32 ? '2' + draw(s, index, 6) : '0' + draw(s, index, 10));
	return (char)((isupper(c) ? 'A' : 'a') + first + draw(s, index, count));
}

/* --- what of a value stays -------------------------------------------------------------------- */

static void keep_pem_lines(const char *value, bool *kept)
{
	for (const char *mark = value; (mark = strstr(mark, "-----")); ) {
		const char *close;
		if ((strncmp(mark, "-----BEGIN ", 11) && strncmp(mark, "-----END ", 9)) || !(close = strstr(mark + 5, "-----")) ||
		    close - mark > 64) {
			mark += 5;
			continue;
		}
		memset(kept + (mark - value), 1, (size_t)(close + 5 - mark));
		mark = close + 5;
	}
}

/* A macaroon's first packets: version and location, which is public.  Kept as whole base64 characters. */
static size_t macaroon_header(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0;

	if (strncmp(text, "AgE", 3) || strlen(text) < 32)
		return 0;
	for (int i = 0; i < 4; i++) {
		const char *d = strchr(digits, text[i]);
		if (!d)
			return 0;
		bits = bits << 6 | (unsigned)(d - digits);
	}
	size_t location = bits & 0xff;
	return location <= 32 ? ((3 + location) * 8 + 5) / 6 : 4;
}

static void keep_prefix(const char *value, bool *kept)
{
	size_t n = shape_prefix(value), inner = n;
	const char *marker = strstr(value, "T3BlbkFJ");

	if (!strncmp(value, "pypi-", 5))
		n += macaroon_header(value + n);
	else if (!strncmp(value, "Bearer ", 7))
		n += shape_prefix(value + inner);
	n += shape_jwt_header(value + n);
	if (n > strlen(value))
		n = strlen(value);
	memset(kept, 1, n);
	if (marker && !strncmp(value, "sk-", 3))
		memset(kept + (marker - value), 1, 8);
}

/* \n inside a key that stands in JSON: the letter after a backslash belongs to the notation. */
static void keep_escapes(const char *value, bool *kept)
{
	for (size_t i = 0; value[i]; i++)
		if (value[i] == '\\' && value[i + 1])
			kept[++i] = true;
}

/* Of a URL without password: scheme and host; the path and what follows are the secret (webhooks), but for the beginning that all
 * webhooks of a service share. */
static size_t url_origin(const char *value)
{
	static const char *const shared[] = {"/services/", "/api/webhooks/", "/hooks/"};
	const char *mark = strstr(value, "://");

	if (!mark || mark == value)
		return 0;
	for (const char *c = value; c < mark; c++)
		if (!isalnum((unsigned char)*c) && !strchr("+-.", *c))
			return 0;
	const char *path = mark + 3 + strcspn(mark + 3, "/?#");
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++)
		if (!strncmp(path, shared[i], strlen(shared[i])))
			path += strlen(shared[i]);
	return (size_t)(path - value);
}

/* --- checksums --------------------------------------------------------------------------------- */

static uint32_t crc32_of(const char *text, size_t len)
{
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* ghp_ and its like, npm_: 30 characters and 6 that are their CRC-32 in base 62. */
static void fix_checksum(char *value)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	bool github = value[0] == 'g' && value[1] == 'h' && value[2] && strchr("pousr", value[2]) && value[3] == '_';

	if ((!github && strncmp(value, "npm_", 4)) || strlen(value) != 40 || strspn(value + 4, digits) != 36)
		return;
	uint32_t crc = crc32_of(value + 4, 30);
	for (int i = 5; i >= 0; i--, crc /= 62)
		value[34 + i] = digits[crc % 62];
}

/* --- decoys ------------------------------------------------------------------------------------ */

/* Replaces in place; what is replaced is copied to probe, to judge whether it can be told apart. */
static void replace(struct stream *s, char *value, const bool *kept, enum alphabet a, char *probe)
{
	size_t n = 0;

	for (size_t i = 0; value[i]; i++) {
		unsigned char c = (unsigned char)value[i];
		/* Other scripts must not stay either, and must become what has no part in any shape: a letter could make a scheme. */
		if (c >= 128)
			value[i] = '~';
		else if (!kept[i] && isalnum(c))
			probe[n++] = value[i] = replacement(s, i, c, a);
	}
	probe[n] = '\0';
}

static bool original_is_plain(const char *value, const bool *kept, char *probe)
{
	size_t n = 0;

	for (size_t i = 0; value[i]; i++)
		if (!kept[i])
			probe[n++] = value[i];
	probe[n] = '\0';
	return shape_is_plain(probe, false);
}

static void mark_kept(const char *value, bool *kept)
{
	size_t origin = url_origin(value);

	if (origin) {
		memset(kept, 1, origin);
		return;
	}
	keep_prefix(value, kept);
	keep_pem_lines(value, kept);
	keep_escapes(value, kept);
}

/* A decoy is good when it would be read as its value was: the same parts kept, the same alphabet, and not plain.  By chance one
 * might begin with a known prefix or have too few different characters; then its own decoy would be another. */
static bool reads_alike(const char *decoy, const char *probe, const bool *kept, bool *again, size_t len, enum alphabet a)
{
	memset(again, 0, len + 1);
	mark_kept(decoy, again);
	return !memcmp(kept, again, len + 1) && alphabet_of(decoy) == a && !shape_is_plain(probe, false);
}

static void make_decoy(const uint8_t *key, const char *name, const char *value, const bool *kept, bool *again, char *probe, char *decoy)
{
	size_t len = strlen(value);
	enum alphabet a = alphabet_of(value);

	/* Each try depends on the shape alone. */
	for (unsigned try = 0; try < 64; try++) {
		struct stream s = stream_of(key, name, try << 16);
		memcpy(decoy, value, len);
		replace(&s, decoy, kept, a, probe);
		fix_checksum(decoy);
		if (reads_alike(decoy, probe, kept, again, len, a))
			return;
	}
}

/* "://:@" has nothing to replace. */
static bool has_userinfo(const char *value)
{
	size_t start, colon, end;

	for (size_t from = 0; shape_userinfo(value, from, &start, &colon, &end); from = end)
		if (end - start > 1 || colon == end)
			return true;
	return false;
}

char *decoy_value(const uint8_t key[DECOY_KEY_LEN], const char *name, const char *value, bool *remove)
{
	size_t len = strlen(value), start, colon, end;

	*remove = false;
	if (url_origin(value) && shape_userinfo(value, 0, &start, &colon, &end) && start < url_origin(value)) {
		*remove = !has_userinfo(value);
		return *remove ? NULL : decoy_userinfo(key, name, value);
	}
	char *decoy = strdup(value), *probe = malloc(len + 1);
	bool *kept = calloc(2, len + 1);
	if (decoy && probe && kept) {
		mark_kept(value, kept);
		*remove = original_is_plain(value, kept, probe);
		if (!*remove)
			make_decoy(key, name, value, kept, kept + len + 1, probe, decoy);
	}
	if (*remove || !probe || !kept) {
		free(decoy);
		decoy = NULL;
	}
	free(kept);
	free(probe);
	return decoy;
}

/* A part of a URL.  stretch: a short one becomes longer, or it could be guessed from its decoy's shape. */
static size_t part_decoy(struct stream *s, const char *part, size_t len, bool stretch, char *out)
{
	size_t many = 0, n;
	bool hex = true;

	for (size_t i = 0; i < len; i++) {
		many += isalnum((unsigned char)part[i]) != 0;
		hex = hex && isxdigit((unsigned char)part[i]);
	}
	if (!len)
		return 0;
	stretch = stretch && many < SHORT_PART;
	n = stretch ? SHORT_DECOY : len;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = stretch ? 'z' : (unsigned char)part[i];
		/* %41, and bytes that have no business in a URL, become letters */
		if (!isalnum(c) && !strchr("-._~", c))
			c = 'z';
		out[i] = isalnum(c) ? replacement(s, i, c, hex && many >= 16 ? ALPHABET_HEX : ALPHABET_TEXT) : (char)c;
	}
	return n;
}

char *decoy_userinfo(const uint8_t key[DECOY_KEY_LEN], const char *name, const char *value)
{
	size_t start, colon, end, done = 0, n = 0, urls = 0;

	for (size_t from = 0; shape_userinfo(value, from, &start, &colon, &end); from = end)
		urls++;
	if (!urls)
		return NULL;
	/* each part grows by less than SHORT_DECOY */
	char *out = malloc(strlen(value) + urls * 2 * SHORT_DECOY + 1);
	if (!out)
		return NULL;
	for (unsigned part = 1; shape_userinfo(value, done, &start, &colon, &end); part += 2) {
		struct stream user = stream_of(key, name, part), password = stream_of(key, name, part + 1);
		memcpy(out + n, value + done, start - done);
		n += start - done;
		n += part_decoy(&user, value + start, colon - start, colon == end, out + n);
		if (colon < end) {
			out[n++] = ':';
			n += part_decoy(&password, value + colon + 1, end - colon - 1, true, out + n);
		}
		done = end;
	}
	strcpy(out + n, value + done);
	return out;
}

bool decoy_random(const char *decoy, bool *random)
{
	size_t len = strlen(decoy), start, colon, end = 0;
	bool *kept = calloc(len + 1, sizeof(*kept)), user = false;

	if (!kept)
		return false;
	memset(random, 0, (len + 1) * sizeof(*random));
	/* Of a public variable nothing else is; of a secret one that as well. */
	while (shape_userinfo(decoy, end, &start, &colon, &end)) {
		user = true;
		memset(random + start, 1, colon - start);
		if (colon < end)
			memset(random + colon + 1, 1, end - colon - 1);
	}
	if (!user)
		mark_kept(decoy, kept);
	for (size_t i = 0; !user && i < len; i++)
		random[i] = !kept[i];
	free(kept);
	return true;
}
