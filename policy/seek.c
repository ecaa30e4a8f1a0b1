#include "policy/seek.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHILD_BLOCK (32 * 1024)
#define OVERLAP 512
#define BASE64_RUN 24
#define HEX_RUN 32
#define ATTEMPT 64
#define BLOCK 128 /* of deflate: one may have tables to be made, and hold nothing */
#define STREAM_FIRST 4096

enum { NO_DIGIT = 64, LINE_END = 65 };

/* What each character is worth in it. */
struct alphabet {
	unsigned char base64[256], hex[256], magic[256]; /* magic: can something packed begin with it? */
};

struct child {
	unsigned char *bytes; /* CHILD_BLOCK */
	size_t have;
	z_stream z;
	bool inflates;
};

struct seek {
	const struct needles *n;
	struct needle_hits *hits;
	size_t budget;
	struct child children[SEEK_DEPTH]; /* of each depth what was taken out of it last */
	struct alphabet alphabet;
};

static void look(struct seek *s, unsigned depth, const unsigned char *bytes, size_t len);

/* --- what was taken out ------------------------------------------------------------------------- */

static bool spend(struct seek *s, size_t bytes)
{
	bool rich = s->budget >= bytes;

	s->budget -= rich ? bytes : s->budget;
	return rich;
}

static struct child *child_at(struct seek *s, unsigned depth)
{
	struct child *c = &s->children[depth];

	if (!c->bytes)
		c->bytes = malloc(CHILD_BLOCK);
	return c->bytes ? c : NULL;
}

static size_t push_layer(struct seek *s, const char *layer)
{
	size_t len = strlen(s->hits->layers), more = strlen(layer);

	if (len + more < sizeof(s->hits->layers))
		memcpy(s->hits->layers + len, layer, more + 1);
	return len;
}

static void look_at_child(struct seek *s, unsigned depth, bool last)
{
	struct child *c = &s->children[depth];
	size_t keep = last ? 0 : OVERLAP;

	look(s, depth + 1, c->bytes, c->have);
	memmove(c->bytes, c->bytes + c->have - keep, keep);
	c->have = keep;
}

/* Room behind what is there. */
static size_t child_room(struct seek *s, unsigned depth)
{
	if (s->children[depth].have == CHILD_BLOCK)
		look_at_child(s, depth, false);
	return CHILD_BLOCK - s->children[depth].have;
}

static void end_child(struct seek *s, unsigned depth)
{
	if (s->children[depth].have)
		look_at_child(s, depth, true);
}

/* --- deflate ------------------------------------------------------------------------------------ */

static bool begin_inflate(struct child *c, int window)
{
	if (!c->inflates)
		return c->inflates = inflateInit2(&c->z, window) == Z_OK;
	return inflateReset2(&c->z, window) == Z_OK;
}

/* How many bytes it took; 0: it was none, or not to its end, and something else may begin in it.  What was read in vain counts: the next one may read it again.  What
 * was taken is passed over, so all of that is no more than the data. */
static size_t inflate_at(struct seek *s, unsigned depth, int window, const char *layer, const unsigned char *bytes, size_t len)
{
	struct child *c = child_at(s, depth);
	int result = Z_OK;

	if (!c || !spend(s, ATTEMPT) || !begin_inflate(c, window))
		return 0;
	size_t layers = push_layer(s, layer);
	c->z.next_in = (unsigned char *)bytes;
	c->z.avail_in = len < 1u << 30 ? (unsigned)len : 1u << 30;
	while (result == Z_OK) {
		unsigned room = (unsigned)child_room(s, depth);
		c->z.next_out = c->bytes + c->have;
		c->z.avail_out = room;
		result = inflate(&c->z, Z_BLOCK);
		size_t got = room - c->z.avail_out;
		bool between = c->z.data_type & 128; /* before the first block, and after each */
		c->have += got;
		if (!spend(s, got + (between ? BLOCK : 0)) || (c->z.avail_in == 0 && c->z.avail_out && !between))
			break;
	}
	end_child(s, depth);
	s->hits->layers[layers] = '\0';
	size_t took = (size_t)(c->z.next_in - bytes);
	if (result == Z_STREAM_END)
		return took;
	spend(s, took);
	return 0;
}

/* A member of a zip: the deflated data behind the header at bytes; 0: none. */
static size_t zip_data(const unsigned char *bytes, size_t len)
{
	static const unsigned char head[] = {'P', 'K', 3, 4};
	size_t data;

	if (len < 30 || memcmp(bytes, head, sizeof(head)) || bytes[8] != 8 || bytes[9])
		return 0;
	data = 30 + (bytes[26] | (size_t)bytes[27] << 8) + (bytes[28] | (size_t)bytes[29] << 8);
	return data < len ? data : 0;
}

static size_t unpack_at(struct seek *s, unsigned depth, const unsigned char *bytes, size_t len)
{
	size_t data;

	if (bytes[0] == 0x1f && len > 10 && bytes[1] == 0x8b && bytes[2] == 8)
		return inflate_at(s, depth, 16 + MAX_WBITS, "gzip+", bytes, len);
	if (bytes[0] == 0x78 && len > 6 && (bytes[1] == 0x9c || bytes[1] == 0xda || bytes[1] == 0x01 || bytes[1] == 0x5e))
		return inflate_at(s, depth, MAX_WBITS, "zlib+", bytes, len);
	if (bytes[0] == 'P' && (data = zip_data(bytes, len)) != 0)
		return inflate_at(s, depth, -MAX_WBITS, "zip+", bytes + data, len - data);
	return 0;
}

static void unpack(struct seek *s, unsigned depth, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len && s->budget;) {
		size_t took = s->alphabet.magic[bytes[i]] ? unpack_at(s, depth, bytes + i, len - i) : 0;
		i += took > 2 ? took : 1;
	}
}

/* --- base64 and hex ----------------------------------------------------------------------------- */

static void make_alphabet(struct alphabet *a)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	memset(a, NO_DIGIT, sizeof(*a));
	memset(a->magic, 0, sizeof(a->magic));
	a->magic[0x1f] = a->magic[0x78] = a->magic['P'] = 1;
	for (unsigned char i = 0; i < 64; i++)
		a->base64[(unsigned char)digits[i]] = i;
	a->base64['-'] = 62;
	a->base64['_'] = 63;
	for (unsigned char i = 0; i < 16; i++)
		a->hex[(unsigned char)"0123456789abcdef"[i]] = a->hex[(unsigned char)"0123456789ABCDEF"[i]] = i;
	a->base64['\n'] = a->base64['\r'] = a->hex['\n'] = a->hex['\r'] = LINE_END;
}

static void decode(struct seek *s, unsigned depth, const unsigned char *values, unsigned each, unsigned skip, const unsigned char *bytes, size_t len)
{
	struct child *c = child_at(s, depth);
	unsigned held = 0, bits = 0;

	if (!c || !spend(s, len * each / 8))
		return;
	size_t layers = push_layer(s, each == 6 ? "base64+" : "hex+");
	for (size_t i = 0; i < len; i++) {
		unsigned value = values[bytes[i]];
		if (value == LINE_END || (skip && skip--))
			continue;
		held = held << each | value;
		bits += each;
		if (bits < 8)
			continue;
		bits -= 8;
		child_room(s, depth);
		c->bytes[c->have++] = (unsigned char)(held >> bits);
	}
	end_child(s, depth);
	s->hits->layers[layers] = '\0';
}

/* The next run that may be long enough, from `at` on, all before which is none: its beginning, or len.  Most bytes are passed over unseen: a run that begins at or
 * behind `at` has a digit or a line end `least` bytes on. */
static size_t next_run(const unsigned char *values, size_t least, const unsigned char *bytes, size_t at, size_t len)
{
	while (at + least <= len) {
		size_t back = at + least;
		while (back > at && values[bytes[back - 1]] != NO_DIGIT)
			back--;
		if (back == at)
			return at;
		at = back;
	}
	return len;
}

/* Each run of digits, with line ends in it, from each digit that a byte can begin at. */
static void decode_runs(struct seek *s, unsigned depth, const unsigned char *values, unsigned each, size_t least, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; (i = next_run(values, least, bytes, i, len)) < len;) {
		size_t digits = 0, run = 0;
		for (; i + run < len && values[bytes[i + run]] != NO_DIGIT; run++)
			digits += values[bytes[i + run]] != LINE_END;
		for (unsigned skip = 0; digits >= least && skip < (each == 6 ? 4 : 2); skip++)
			decode(s, depth, values, each, skip, bytes + i, run);
		i += run;
	}
}

/* --- data --------------------------------------------------------------------------------------- */

static void look(struct seek *s, unsigned depth, const unsigned char *bytes, size_t len)
{
	needles_search(s->n, bytes, len, s->hits);
	if (depth == SEEK_DEPTH)
		return;
	unpack(s, depth, bytes, len);
	decode_runs(s, depth, s->alphabet.base64, 6, BASE64_RUN, bytes, len);
	decode_runs(s, depth, s->alphabet.hex, 4, HEX_RUN, bytes, len);
}

bool seek_data(const struct needles *n, const void *bytes, size_t len, size_t budget, struct needle_hits *hits)
{
	return seek_data_of(n, bytes, len, &budget, hits);
}

bool seek_data_of(const struct needles *n, const void *bytes, size_t len, size_t *budget, struct needle_hits *hits)
{
	struct seek s = {.n = n, .hits = hits, .budget = *budget};

	if (!needles_any(n))
		return hits->n != 0;
	make_alphabet(&s.alphabet);
	look(&s, 0, bytes, len);
	for (unsigned i = 0; i < SEEK_DEPTH; i++) {
		if (s.children[i].inflates)
			inflateEnd(&s.children[i].z);
		free(s.children[i].bytes);
	}
	*budget = s.budget;
	return hits->n != 0;
}

/* --- streams ------------------------------------------------------------------------------------ */

void seek_stream_init(struct seek_stream *s, const struct needles *n, const char *host)
{
	*s = (struct seek_stream){.needles = n, .hits = {.host = host}};
}

void seek_stream_finish(struct seek_stream *s)
{
	free(s->bytes);
	s->bytes = NULL;
	s->have = s->room = 0;
}

bool seek_stream_wants(const struct seek_stream *s)
{
	return needles_any(s->needles) && s->taken < SEEK_STREAM_MAX;
}

static void look_at_block(struct seek_stream *s, bool last)
{
	size_t keep = last || s->have < OVERLAP ? 0 : OVERLAP;

	seek_data(s->needles, s->bytes, s->have, SEEK_BUDGET(s->have), &s->hits);
	memmove(s->bytes, s->bytes + s->have - keep, keep);
	s->have = s->looked = keep;
}

static bool has_room(struct seek_stream *s, size_t want)
{
	size_t room = s->room ? s->room : STREAM_FIRST;

	while (room < want && room < SEEK_BLOCK)
		room *= 2;
	if (room == s->room)
		return true;
	unsigned char *grown = realloc(s->bytes, room);
	if (!grown)
		return false;
	s->bytes = grown;
	s->room = room;
	return true;
}

/* Of what stood there before enough that a decoy that began in it is whole. */
static void look_at_new(struct seek_stream *s)
{
	size_t from = s->looked < OVERLAP ? 0 : s->looked - OVERLAP;

	needles_search(s->needles, s->bytes + from, s->have - from, &s->hits);
	s->looked = s->have;
}

bool seek_stream_feed(struct seek_stream *s, const void *bytes, size_t len)
{
	size_t before = s->hits.n;

	for (size_t at = 0, n; at < len && seek_stream_wants(s); at += n) {
		if (s->have == SEEK_BLOCK)
			look_at_block(s, false);
		if (!has_room(s, s->have + (len - at)) && s->have == s->room)
			break;
		n = len - at < s->room - s->have ? len - at : s->room - s->have;
		memcpy(s->bytes + s->have, (const unsigned char *)bytes + at, n);
		s->have += n;
		s->taken += n;
		look_at_new(s);
	}
	return s->hits.n > before;
}

bool seek_stream_end(struct seek_stream *s)
{
	size_t before = s->hits.n;

	if (s->have && needles_any(s->needles))
		look_at_block(s, true);
	return s->hits.n > before;
}
