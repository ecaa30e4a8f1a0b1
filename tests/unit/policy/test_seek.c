#include "common.h"

#include <ctype.h>
#include <dlfcn.h>
#include <zlib.h>

#include "policy/seek.h"

#define ROOM (1 << 19)

static const uint8_t key[DECOY_KEY_LEN] = "thirty-two bytes of a run's key";

/* Values as people have them, and what builds see instead. */
static const struct {
	const char *name, *value;
} secrets[] = {
	{"GITHUB_TOKEN", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"},
	{"AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
	{"AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"},
	{"HEX_TOKEN", "5f4dcc3b5aa765d61d8327deb882cf99"},
	{"API_PASSWORD", "corr\"ect+horse/battery=staple 17!"},
};
enum { SECRETS = sizeof(secrets) / sizeof(*secrets) };
static char *decoys[SECRETS + 1];
static struct needles *needles;

static int setup(void **state)
{
	(void)state;
	needles = needles_new(NEEDLE_DATA);
	for (unsigned i = 0; i < SECRETS; i++) {
		bool remove;
		decoys[i] = decoy_value(key, secrets[i].name, secrets[i].value, &remove);
		if (!decoys[i] || !needles_add(needles, decoys[i], NULL, i))
			return 1;
	}
	return needles ? 0 : 1;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SECRETS; i++)
		free(decoys[i]);
	needles_free(needles);
	return 0;
}

/* What is unpacked in all: counted on the way to zlib's own. */
static size_t inflated;

int inflate(z_stream *z, int flush)
{
	static int (*real)(z_stream *, int);
	size_t before = z->avail_in;

	if (!real)
		real = (int (*)(z_stream *, int))dlsym(RTLD_NEXT, "inflate");
	int result = real(z, flush);
	inflated += before - z->avail_in;
	return result;
}

/* --- encoders ----------------------------------------------------------------------------------- */

struct bytes {
	unsigned char v[ROOM];
	size_t len;
};

static void put(struct bytes *out, const void *v, size_t len)
{
	assert_true(out->len + len <= ROOM);
	memcpy(out->v + out->len, v, len);
	out->len += len;
}

static void put_digits(struct bytes *out, const struct bytes *in, const char *digits)
{
	unsigned each = strlen(digits) == 64 ? 6 : strlen(digits) == 32 ? 5 : 4, held = 0, bits = 0;

	for (size_t i = 0; i < in->len; i++) {
		held = held << 8 | in->v[i];
		for (bits += 8; bits >= each; bits -= each)
			put(out, &digits[held >> (bits - each) & ((1u << each) - 1)], 1);
	}
	if (bits)
		put(out, &digits[held << (each - bits) & ((1u << each) - 1)], 1);
}

static const char std64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", url64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void as_plain(const struct bytes *in, struct bytes *out) { put(out, in->v, in->len); }
static void as_base64(const struct bytes *in, struct bytes *out) { put_digits(out, in, std64); }
static void as_base64url(const struct bytes *in, struct bytes *out) { put_digits(out, in, url64); }
static void as_hex(const struct bytes *in, struct bytes *out) { put_digits(out, in, "0123456789abcdef"); }
static void as_capital_hex(const struct bytes *in, struct bytes *out) { put_digits(out, in, "0123456789ABCDEF"); }
static void as_base32(const struct bytes *in, struct bytes *out) { put_digits(out, in, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"); }
static void as_small_base32(const struct bytes *in, struct bytes *out) { put_digits(out, in, "abcdefghijklmnopqrstuvwxyz234567"); }

static void as_wrapped_base64(const struct bytes *in, struct bytes *out)
{
	static struct bytes made;

	made.len = 0;
	as_base64(in, &made);
	for (size_t i = 0; i < made.len; i++)
		put(out, i % 20 == 19 ? (const char[]){(char)made.v[i], '\n'} : (const char *)&made.v[i], i % 20 == 19 ? 2 : 1);
}

static void as_reversed(const struct bytes *in, struct bytes *out)
{
	for (size_t i = in->len; i-- > 0;)
		put(out, in->v + i, 1);
}

static void put_escaped(const struct bytes *in, struct bytes *out, const char *sign, const char *digits, bool all)
{
	for (size_t i = 0; i < in->len; i++) {
		unsigned char c = in->v[i];
		if (!all && (isalnum(c) || strchr("-._~", c))) {
			put(out, &c, 1);
			continue;
		}
		put(out, sign, strlen(sign));
		put(out, (const char[]){digits[c >> 4], digits[c & 15]}, 2);
	}
}

static void as_url(const struct bytes *in, struct bytes *out) { put_escaped(in, out, "%", "0123456789ABCDEF", false); }
static void as_whole_url(const struct bytes *in, struct bytes *out) { put_escaped(in, out, "%", "0123456789abcdef", true); }
static void as_unicode(const struct bytes *in, struct bytes *out) { put_escaped(in, out, "\\u00", "0123456789abcdef", true); }
static void as_x(const struct bytes *in, struct bytes *out) { put_escaped(in, out, "\\x", "0123456789abcdef", true); }

static void as_json(const struct bytes *in, struct bytes *out)
{
	for (size_t i = 0; i < in->len; i++) {
		if (in->v[i] == '"' || in->v[i] == '\\')
			put(out, "\\", 1);
		put(out, in->v + i, 1);
	}
}

static void as_utf16(const struct bytes *in, struct bytes *out)
{
	for (size_t i = 0; i < in->len; i++)
		put(out, (const unsigned char[]){in->v[i], 0}, 2);
}

static void deflated(const struct bytes *in, struct bytes *out, int window)
{
	z_stream z = {.next_in = (unsigned char *)in->v, .avail_in = (unsigned)in->len};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = out->v + out->len;
	z.avail_out = (unsigned)(ROOM - out->len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len = (size_t)(z.next_out - out->v);
	deflateEnd(&z);
}

static void as_gzip(const struct bytes *in, struct bytes *out) { deflated(in, out, 16 + MAX_WBITS); }
static void as_zlib(const struct bytes *in, struct bytes *out) { deflated(in, out, MAX_WBITS); }

static void as_zip(const struct bytes *in, struct bytes *out)
{
	unsigned char head[30 + 4] = {'P', 'K', 3, 4, [8] = 8, [26] = 4, [30] = 'n', 'a', 'm', 'e'};

	put(out, head, sizeof(head));
	deflated(in, out, -MAX_WBITS);
}

typedef void encoder(const struct bytes *in, struct bytes *out);

static const struct {
	const char *name;
	encoder *first, *second, *third;
} encodings[] = {
	{"plain", as_plain, NULL, NULL}, {"base64", as_base64, NULL, NULL}, {"base64", as_base64url, NULL, NULL}, {"base64", as_wrapped_base64, NULL, NULL},
	{"hex", as_hex, NULL, NULL}, {"hex", as_capital_hex, NULL, NULL}, {"hex", as_x, NULL, NULL}, {"base32", as_base32, NULL, NULL}, {"base32", as_small_base32, NULL, NULL},
	{"url", as_url, NULL, NULL}, {"url", as_whole_url, NULL, NULL}, {"json", as_json, NULL, NULL}, {"json", as_unicode, NULL, NULL}, {"reversed", as_reversed, NULL, NULL},
	{"base64+reversed", as_reversed, as_base64, NULL}, {"reversed+base64", as_base64, as_reversed, NULL}, {"hex+reversed", as_reversed, as_hex, NULL},
	{"reversed+hex", as_hex, as_reversed, NULL}, {"plain", as_utf16, NULL, NULL},
	{"gzip", as_gzip, NULL, NULL}, {"zlib", as_zlib, NULL, NULL}, {"zip", as_zip, NULL, NULL},
	{"base64+gzip", as_gzip, as_base64, NULL}, {"base64+zlib", as_zlib, as_base64url, NULL}, {"hex+zlib", as_zlib, as_hex, NULL}, {"gzip+base64", as_base64, as_gzip, NULL},
	{"base64+base64", as_base64, as_base64, NULL}, {"zip+gzip", as_gzip, as_zip, NULL}, {"base64+gzip+hex", as_hex, as_gzip, as_base64},
};
enum { ENCODINGS = sizeof(encodings) / sizeof(*encodings) };

/* What the decoy stands in, encoded: "{"a":"…"}" with so many bytes before. */
static void make(size_t encoding, const char *decoy, size_t before, struct bytes *out)
{
	static struct bytes now, next;
	encoder *const steps[] = {encodings[encoding].first, encodings[encoding].second, encodings[encoding].third};

	now.len = out->len = 0;
	put(&now, "{\"secret\": \"", before);
	put(&now, decoy, strlen(decoy));
	put(&now, "\", 1}", 5);
	for (size_t i = 0; i < 3 && steps[i]; i++) {
		next.len = 0;
		steps[i](&now, &next);
		now = next;
	}
	*out = now;
}

/* Partial escapes change nothing where there is nothing to escape; then it is plain, as a piece is without an escape. */
static bool is_right(size_t encoding, const char *decoy, const char *found, bool pieces)
{
	const char *want = encodings[encoding].name;

	if (pieces && !strcmp(found, "plain") && (encodings[encoding].first == as_url || encodings[encoding].first == as_json))
		return true;
	if ((encodings[encoding].first == as_url && strspn(decoy, url64) == strlen(decoy)) || (encodings[encoding].first == as_json && !strpbrk(decoy, "\"\\")))
		want = "plain";
	return !strcmp(found, want);
}

static void check(size_t encoding, unsigned of, const struct needle_hits *hits, const char *how)
{
	if (hits->n != 1 || hits->v[0].of != of || !is_right(encoding, decoys[of], hits->v[0].encoding, !strcmp(how, "in pieces")))
		fail_msg("%s of %s, %s: %zu found, %u as %s", encodings[encoding].name, secrets[of].name, how, hits->n, hits->n ? hits->v[0].of : 0,
		         hits->n ? hits->v[0].encoding : "nothing");
}

/* Nothing that could be part of an encoding, but for its neighbours. */
static void fill(struct bytes *b, size_t len)
{
	static const char filler[] = "the quick; brown fox. ";

	for (b->len = 0; b->len < len;)
		put(b, filler, len - b->len < sizeof(filler) - 1 ? len - b->len : sizeof(filler) - 1);
}

/* --- tests -------------------------------------------------------------------------------------- */

static void every_encoding_anywhere(void **state)
{
	static const size_t places[] = {0, 1, 5, 8170, 8191, 8200, 16370, 65500, 65535, 70001};
	static struct bytes data, text;

	(void)state;
	for (size_t e = 0; e < ENCODINGS; e++) {
		for (unsigned of = 0; of < SECRETS; of++) {
			for (size_t p = 0; p < sizeof(places) / sizeof(*places); p++) {
				struct needle_hits hits = {.n = 0};
				fill(&data, places[p]);
				make(e, decoys[of], p % 7, &text);
				put(&data, text.v, text.len);
				put(&data, "; and more.", p % 2 ? 11 : 0);
				assert_true(seek_data(needles, data.v, data.len, SEEK_BUDGET(data.len), &hits));
				check(e, of, &hits, "somewhere");
				assert_string_equal(hits.layers, "");
			}
		}
	}
}

static void in_pieces(void **state)
{
	static const size_t steps[] = {1, 7, 1000, 8192, ROOM};
	static struct bytes data, text;

	(void)state;
	for (size_t e = 0; e < ENCODINGS; e++) {
		for (size_t p = 0; p < sizeof(steps) / sizeof(*steps); p++) {
			struct seek_stream s;
			bool found = false;
			unsigned of = (unsigned)(p % SECRETS);
			fill(&data, p % 2 ? 65500 : 10);
			make(e, decoys[of], 3, &text);
			/* What is packed is looked into as far as it lies in one block. */
			if (p % 2 && strcmp(encodings[e].name, "plain") && (strstr(encodings[e].name, "z") || strstr(encodings[e].name, "base64+base64")))
				data.len = 100;
			put(&data, text.v, text.len);
			seek_stream_init(&s, needles, NULL);
			for (size_t at = 0; at < data.len; at += steps[p])
				found = seek_stream_feed(&s, data.v + at, data.len - at < steps[p] ? data.len - at : steps[p]) || found;
			bool last = seek_stream_end(&s);
			assert_true(found || last);
			check(e, of, &s.hits, "in pieces");
			seek_stream_finish(&s);
		}
	}
}

/* At once, not when the connection ends. */
static void at_once(void **state)
{
	struct seek_stream s;
	size_t half = strlen(decoys[0]) / 2;

	(void)state;
	seek_stream_init(&s, needles, NULL);
	assert_false(seek_stream_feed(&s, "token=", 6));
	assert_false(seek_stream_feed(&s, decoys[0], half - 8));
	assert_true(seek_stream_feed(&s, decoys[0] + half - 8, strlen(decoys[0]) - half + 8));
	assert_false(seek_stream_feed(&s, decoys[0], strlen(decoys[0]))); /* nothing new */
	assert_false(seek_stream_end(&s));
	seek_stream_finish(&s);
}

static void bounded(void **state)
{
	static struct bytes data;
	struct seek_stream s;

	(void)state;
	fill(&data, 65536);
	seek_stream_init(&s, needles, NULL);
	for (int i = 0; i < 16; i++) {
		assert_true(seek_stream_wants(&s));
		seek_stream_feed(&s, data.v, data.len);
		assert_true(s.room <= SEEK_BLOCK);
	}
	assert_false(seek_stream_wants(&s));
	assert_false(seek_stream_feed(&s, decoys[0], strlen(decoys[0])));
	seek_stream_finish(&s);
	seek_stream_init(&s, NULL, NULL);
	assert_false(seek_stream_wants(&s) || seek_stream_feed(&s, decoys[0], 40) || seek_stream_end(&s));
	seek_stream_finish(&s);
}

static void a_bomb(void **state)
{
	static struct bytes zeros, bomb, again;
	struct needle_hits hits = {.n = 0};

	(void)state;
	memset(zeros.v, 'A', ROOM);
	zeros.len = ROOM;
	as_gzip(&zeros, &bomb);
	for (int i = 0; i < 400; i++)
		put(&again, bomb.v, bomb.len);
	put(&again, decoys[0], strlen(decoys[0]));
	assert_true(seek_data(needles, again.v, again.len, 1 << 20, &hits)); /* behind it, too, at what stands there */
	hits.n = again.len = 0;
	fill(&zeros, ROOM - 100);
	put(&zeros, decoys[0], strlen(decoys[0]));
	as_gzip(&zeros, &again);
	assert_true(seek_data(needles, again.v, again.len, SEEK_BUDGET(again.len), &hits));
	hits.n = 0;
	assert_false(seek_data(needles, again.v, again.len, 1000, &hits));
}

/* One budget for many: what each leaves of it. */
static void a_shared_budget(void **state)
{
	static struct bytes zeros, bomb, small;
	struct needle_hits hits = {.n = 0};
	size_t left = 3 * ROOM, before;

	(void)state;
	memset(zeros.v, 0, ROOM);
	zeros.len = ROOM;
	as_gzip(&zeros, &bomb);
	zeros.len = 0;
	put(&zeros, decoys[0], strlen(decoys[0]));
	as_gzip(&zeros, &small);
	assert_false(seek_data_of(needles, zeros.v, 5, &left, &hits));
	assert_int_equal(left, 3 * ROOM); /* nothing packed */
	assert_false(seek_data_of(needles, bomb.v, bomb.len, &left, &hits));
	assert_true(left < 2 * ROOM && left > ROOM);
	before = left;
	assert_true(seek_data_of(needles, small.v, small.len, &left, &hits) && left < before && left > before - 1000);
	hits.n = 0;
	assert_false(seek_data_of(needles, bomb.v, bomb.len, &left, &hits));
	assert_false(seek_data_of(needles, bomb.v, bomb.len, &left, &hits));
	assert_int_equal(left, 0);
	assert_false(seek_data_of(needles, small.v, small.len, &left, &hits));
	assert_true(seek_data_of(needles, zeros.v, zeros.len, &left, &hits)); /* as it stands */
	hits.n = 0;
	left = 77;
	assert_false(seek_data_of(NULL, bomb.v, bomb.len, &left, &hits));
	assert_int_equal(left, 77);
}

/* Streams of hardly anything, each of which runs on to the end of the data and has the beginning of the next in it. */
static void endless_streams(void **state)
{
	static const unsigned char next[] = {0, 6, 0, 0xf9, 0xff, 0, 0, 0, 0, 0x78, 1}, nothing[] = {0, 0, 0, 0xff, 0xff};
	static struct bytes data, plain;
	struct needle_hits hits = {.n = 0};

	(void)state;
	data.len = plain.len = 0;
	put(&plain, decoys[1], strlen(decoys[1]));
	as_gzip(&plain, &data);
	while (data.len < ROOM - 8192) {
		put(&data, next, sizeof(next));
		for (size_t i = 0; i < (4096 - sizeof(next)) / sizeof(nothing); i++)
			put(&data, nothing, sizeof(nothing));
	}
	put(&data, decoys[0], strlen(decoys[0]));
	inflated = 0;
	assert_true(seek_data(needles, data.v, data.len, SEEK_BUDGET(data.len), &hits));
	assert_int_equal(hits.n, 2); /* what lies before, and what stands behind as it is */
	assert_true(inflated > ROOM / 10 && inflated <= SEEK_BUDGET(data.len) + data.len);

	/* As in a connection. */
	hits.n = inflated = 0;
	seek_data(needles, data.v + data.len / 2, SEEK_BLOCK, 4096, &hits);
	assert_true(inflated > 0 && inflated <= 4096 + SEEK_BLOCK);
}

/* A whole stream that holds nothing: what takes time is to begin its blocks. */
static void empty_blocks(void **state)
{
	static const unsigned char head[] = {0x78, 1}, nothing[] = {0, 0, 0, 0xff, 0xff}, tail[] = {3, 0, 0, 0, 0, 1};
	static struct bytes data;
	struct needle_hits hits = {.n = 0};
	size_t left = 1 << 20;

	(void)state;
	data.len = 0;
	put(&data, head, sizeof(head));
	for (unsigned i = 0; i < 1000; i++)
		put(&data, nothing, sizeof(nothing));
	put(&data, tail, sizeof(tail));
	assert_false(seek_data_of(needles, data.v, data.len, &left, &hits));
	assert_in_range((1 << 20) - left, 1000 * 128, 1010 * 128);
}

/* What comes to its end costs what comes out. */
static void whole_streams_cost_no_more(void **state)
{
	static struct bytes part, data;
	struct needle_hits hits = {.n = 0};
	uint32_t random = 7;

	(void)state;
	data.len = 0;
	for (unsigned i = 0; i < 8; i++) {
		for (part.len = 0; part.len < 20000; part.len++)
			part.v[part.len] = (unsigned char)((random = random * 1103515245u + 12345u) >> 24);
		as_zlib(&part, &data);
	}
	fill(&part, 2000);
	put(&part, decoys[0], strlen(decoys[0]));
	as_zlib(&part, &data);
	assert_true(seek_data(needles, data.v, data.len, 8 * 20000 + 8000, &hits));
	assert_string_equal(hits.v[0].encoding, "zlib");
}

/* Behind the beginning of something else that is none. */
static void behind_a_feint(void **state)
{
	static const unsigned char stored[] = {0x78, 0x9c, 0, 0xff, 0xff, 0, 0}, fixed[] = {0x78, 0x9c, 3 | 0x50, 0x11, 0x22, 0x33}, half[] = {0x1f, 0x8b, 8, 0};
	static const struct {
		const unsigned char *bytes;
		size_t len;
	} feints[] = {{stored, sizeof(stored)}, {fixed, sizeof(fixed)}, {half, sizeof(half)}};
	static struct bytes plain, data;

	(void)state;
	for (size_t i = 0; i < sizeof(feints) / sizeof(*feints); i++) {
		struct needle_hits hits = {.n = 0};
		data.len = plain.len = 0;
		put(&data, feints[i].bytes, feints[i].len);
		put(&plain, decoys[0], strlen(decoys[0]));
		as_zip(&plain, &data);
		assert_true(seek_data(needles, data.v, data.len, SEEK_BUDGET(data.len), &hits));
		assert_non_null(strstr(hits.v[0].encoding, "zip"));
	}
}

/* What every value of its kind has, and whatever else honest data holds. */
static void honest(void **state)
{
	static const char *const texts[] = {
		"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACA", "ghp_", "AKIA",
		"https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.",
		"pypi-AgEIcHlwaS5vcmcCJDU0ZTAwYzYzLTYyMzctNDA2Yi1iNzZkLWE4YmU5ZjYzYzFjOAACKlszLCI0Q2kXw7", "postgres://app:secret@db.internal:5432/app", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	};
	static struct bytes data, made;
	struct needles *all = needles_new(NEEDLE_DATA);
	bool remove;
	unsigned of = 0;

	(void)state;
	static const char *const values[][2] = {
		{"A", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQy\n-----END OPENSSH PRIVATE KEY-----\n"},
		{"B", "https://hooks.slack.com/services/T0AB1CD2E/B0FG3HI4J/abcdefghijklmnopqrstuvwx"}, {"C", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"},
		{"D", "pypi-AgEIcHlwaS5vcmcCJDU0ZTAwYzYzLTYyMzctNDA2Yi1iNzZkLWE4YmU5ZjYzYzFjOAACKlszLCI0Q2kXw7"}, {"E", "postgres://app:hunter2hunter2@db.internal:5432/app"},
	};
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char *decoy = decoy_value(key, values[i][0], values[i][1], &remove);
		assert_true(decoy && needles_add(all, decoy, NULL, of++));
		free(decoy);
	}
	for (size_t kind = 0; kind < DECOY_FILES; kind++) {
		const char *host;
		char **each = decoy_file_secrets(key, kind, &host);
		assert_non_null(each);
		for (size_t i = 0; each[i]; i++)
			assert_true(needles_add(all, each[i], host, of));
		of++;
		env_secrets_free(each);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (size_t e = 0; e < ENCODINGS; e++) {
			struct needle_hits hits = {.n = 0};
			make(e, texts[i], i % 5, &data);
			if (seek_data(all, data.v, data.len, SEEK_BUDGET(data.len), &hits))
				fail_msg("%s: %u, %s", texts[i], hits.v[0].of, hits.v[0].encoding);
		}
	}
	for (uint32_t turn = 0, random = 7; turn < 40; turn++) {
		struct needle_hits hits = {.n = 0};
		for (data.len = 0; data.len < 100000; data.len++)
			data.v[data.len] = (unsigned char)((random = random * 1103515245u + 12345u) >> 24);
		made.len = 0;
		encodings[turn % 12].first(&data, &made);
		assert_false(seek_data(all, made.v, made.len < 200000 ? made.len : 200000, SEEK_BUDGET(200000), &hits));
	}
	needles_free(all);
}

/* The files' own, all of them; and each path has its kind. */
static void files(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < DECOY_FILES; kind++) {
		struct needles *one = needles_new(NEEDLE_DATA);
		struct needle_hits hits = {.n = 0}, own = {.host = "github.com"};
		const char *host, *path = decoy_file_path(kind);
		char **each = decoy_file_secrets(key, kind, &host), *text = decoy_file(key, path ? path : kind == 9 ? "/x/.env" : "/x/other");
		for (size_t i = 0; each[i]; i++) {
			assert_true(kind == 1 || strstr(text, each[i])); /* a key's lines are broken */
			assert_true(needles_add(one, each[i], host, 5));
		}
		assert_true(seek_data(one, text, strlen(text), SEEK_BUDGET(strlen(text)), &hits));
		assert_int_equal(hits.v[0].of, 5);
		assert_string_equal(hits.v[0].encoding, "plain");
		assert_int_equal(seek_data(one, text, strlen(text), SEEK_BUDGET(strlen(text)), &own), !host || strcmp(host, "github.com"));
		assert_int_equal(decoy_file_kind(path ? path : kind == 9 ? "/x/.env" : "/x/other"), kind);
		env_secrets_free(each);
		free(text);
		needles_free(one);
	}
}

/* Too short, or too little in it. */
static void not_looked_for(void **state)
{
	static const char *const values[] = {"", "1", "8080", "true", "production", "vkwzqhsx", "1234567890", "--------------------", "ghp_", "postgres://u:1@h/"};
	struct needles *few = needles_new(NEEDLE_DATA);
	struct needle_hits hits = {.n = 0};

	(void)state;
	for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++)
		assert_true(needles_add(few, values[i], NULL, i));
	for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++)
		assert_false(seek_data(few, values[i], strlen(values[i]), SEEK_BUDGET(0), &hits));
	needles_free(few);
}

static void own_host(void **state)
{
	struct needles *n = needles_new(NEEDLE_DATA);
	static const char decoy[] = "https://rvznkq:zikwht1oizrxs5@mirror.example/simple", text[] = "Basic cnZ6bmtxOnppa3dodDFvaXpyeHM1";
	struct needle_hits own = {.host = "MIRROR.example"}, other = {.host = "evil.example"}, none = {.n = 0};

	(void)state;
	assert_true(needles_add(n, decoy, "mirror.example", 3));
	assert_false(seek_data(n, text, strlen(text), 1000, &own));
	assert_true(seek_data(n, text, strlen(text), 1000, &other) && seek_data(n, text, strlen(text), 1000, &none));
	assert_string_equal(other.v[0].encoding, "base64");
	needles_free(n);
}

/* All of an environment at once, each once. */
static void many(void **state)
{
	static struct bytes data, made;
	struct needle_hits hits = {.n = 0};

	(void)state;
	data.len = made.len = 0;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < SECRETS; i++) {
			put(&data, decoys[i], strlen(decoys[i]));
			put(&data, "\n", 1);
		}
	}
	as_gzip(&data, &made);
	assert_true(seek_data(needles, made.v, made.len, SEEK_BUDGET(made.len), &hits));
	assert_int_equal(hits.n, SECRETS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_encoding_anywhere), cmocka_unit_test(in_pieces), cmocka_unit_test(at_once), cmocka_unit_test(bounded), cmocka_unit_test(a_bomb), cmocka_unit_test(a_shared_budget), cmocka_unit_test(endless_streams),
		cmocka_unit_test(empty_blocks), cmocka_unit_test(whole_streams_cost_no_more), cmocka_unit_test(behind_a_feint),
		cmocka_unit_test(honest), cmocka_unit_test(files), cmocka_unit_test(not_looked_for), cmocka_unit_test(own_host), cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("seek", tests, setup, teardown);
}
