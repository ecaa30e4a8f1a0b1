#include "policy/needle.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/decoy.h"
#include "policy/internal.h"
#include "policy/needle_parts.h"
#include "policy/shape.h"

#define BIT 16                  /* sixteenths */
#define LEAST_DATA_BITS (48 * BIT)
#define LEAST_NAME_BITS (24 * BIT)
#define LEAST_NAME_ALNUM 8      /* letters and digits of a part */
#define BLOCK 8192
#define OVERLAP 512             /* longer than what is needed of any text, and so of what one block ends in the next begins with */

/* --- what is looked for ------------------------------------------------------------------------- */

struct needles *needles_new(enum needle_kind kind)
{
	struct needles *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->kind = kind;
	needle_readings(n);
	if (!array_grow(&n->windows, 0, &n->window_room, sizeof(*n->windows))) {
		free(n);
		return NULL;
	}
	n->window_count = 1;
	return n;
}

void needles_free(struct needles *n)
{
	if (!n)
		return;
	free(n->text);
	free(n->from);
	free(n->forms);
	free(n->parts);
	free(n->bits);
	free(n->hosts);
	free(n->windows);
	free(n->slots);
	free(n->seen);
	free(n);
}

bool needles_any(const struct needles *n)
{
	return n && n->form_count && n->slot_count; /* without: there was no memory */
}

static uint64_t hash_of(const unsigned char *at, enum reading reading)
{
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	w = (w ^ (uint64_t)reading << 56) * 0x9e3779b97f4a7c15u;
	return w ^ w >> 29;
}

static void enter(struct needles *n, uint32_t i)
{
	uint32_t *slot = &n->slots[n->windows[i].hash & (n->slot_count - 1)];

	n->windows[i].next = *slot;
	*slot = i;
	uint64_t bit = n->windows[i].hash >> 20 & n->seen_mask;
	n->seen[bit / 64] |= (uint64_t)1 << bit % 64;
}

/* The map has 16 bits or more for each window, so that few of other texts' have theirs set. */
static bool resize(struct needles *n)
{
	size_t slots = n->slot_count ? n->slot_count : 1024;

	while (slots < n->window_count * 2)
		slots *= 2;
	if (slots == n->slot_count)
		return true;
	uint32_t *new_slots = calloc(slots, sizeof(*new_slots));
	uint64_t *seen = calloc(slots * 8 / 64, sizeof(*seen));
	if (!new_slots || !seen) {
		free(new_slots);
		free(seen);
		return false;
	}
	free(n->slots);
	free(n->seen);
	n->slots = new_slots;
	n->seen = seen;
	n->slot_count = slots;
	n->seen_mask = slots * 8 - 1;
	for (uint32_t i = 1; i < n->window_count; i++)
		enter(n, i);
	return true;
}

/* Of what was random in the characters [at, end) of the form. */
static uint32_t bits_of(const struct needles *n, const struct form *f, size_t at, size_t end)
{
	uint16_t a = n->from[f->at + at], b = n->from[f->at + end - 1];
	const uint32_t *before = n->bits + n->parts[f->part].bits;

	return before[(a > b ? a : b) + 1] - before[a < b ? a : b];
}

/* So many that any stretch of the least length has one of them whole. */
static bool add_windows(struct needles *n, uint32_t form)
{
	const struct form *f = &n->forms[form];
	size_t step;

	for (size_t at = 0; at + NEEDLE_WINDOW <= f->len; at += step) {
		step = 1;
		if (!bits_of(n, f, at, at + NEEDLE_WINDOW))
			continue; /* a row of dashes: everywhere, and nothing by itself */
		step = f->least - NEEDLE_WINDOW + 1;
		if (!array_grow(&n->windows, n->window_count, &n->window_room, sizeof(*n->windows)))
			return false;
		n->windows[n->window_count++] = (struct window){.hash = hash_of(n->text + f->at + at, f->reading), .form = form, .at = (uint32_t)at};
	}
	return true;
}

static uint32_t add_host(struct needles *n, const char *host)
{
	size_t len = strlen(host) + 1;

	if (!n->hosts_len)
		n->hosts_len = 1; /* 0 is none */
	char *grown = realloc(n->hosts, n->hosts_len + len);
	if (!grown)
		return 0;
	n->hosts = grown;
	memcpy(grown + n->hosts_len, host, len);
	n->hosts_len += len;
	return (uint32_t)(n->hosts_len - len);
}

/* A part of a decoy, and what is random in it. */
struct stretch {
	const unsigned char *bytes;
	const bool *random;
	size_t len;
};

/* How much is in a character of a decoy: one of 10 digits, of 20 letters, of 6 where all is hexadecimal; what stands between them is not random. */
static uint32_t bits_in(unsigned char c, bool hex)
{
	return c >= 128 || !isalnum(c) ? 0 : isdigit(c) ? 53 : hex ? 41 : 69;
}

static bool is_hex(const struct stretch *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->random[i] && isalnum(s->bytes[i]) && !isxdigit(s->bytes[i]))
			return false;
	return true;
}

static bool add_bits(struct needles *n, const struct stretch *s)
{
	bool hex = is_hex(s);
	uint32_t sum = 0;

	for (size_t i = 0; i <= s->len; i++) {
		if (!array_grow(&n->bits, n->bits_count, &n->bits_room, sizeof(*n->bits)))
			return false;
		n->bits[n->bits_count++] = sum;
		sum += i < s->len && s->random[i] ? bits_in(s->bytes[i], hex) : 0;
	}
	return true;
}

static bool is_enough(enum needle_kind kind, const struct stretch *s)
{
	bool hex = is_hex(s);
	uint32_t bits = 0, many = 0;

	for (size_t i = 0; i < s->len; i++) {
		uint32_t more = s->random[i] ? bits_in(s->bytes[i], hex) : 0;
		bits += more;
		many += more != 0;
	}
	return kind == NEEDLE_NAME ? many >= LEAST_NAME_ALNUM : bits >= LEAST_DATA_BITS;
}

static bool add_part(struct needles *n, struct stretch s, uint32_t host, unsigned of)
{
	size_t first = n->form_count;

	s.len = s.len < NEEDLE_PART_MAX ? s.len : NEEDLE_PART_MAX;
	if (n->used > NEEDLE_BYTES_MAX || !is_enough(n->kind, &s))
		return true;
	if (!array_grow(&n->parts, n->part_count, &n->part_room, sizeof(*n->parts)))
		return false;
	n->parts[n->part_count] = (struct part){.bits = (uint32_t)n->bits_count, .of = of, .host = host};
	if (!add_bits(n, &s) || !needle_forms(n, (uint32_t)n->part_count++, s.bytes, s.len))
		return false;
	for (size_t i = first; i < n->form_count; i++)
		if (!add_windows(n, (uint32_t)i))
			return false;
	return true;
}

/* Of a URL with a user only what was made for it, each by itself: the rest is anybody's. */
static bool add_parts(struct needles *n, const char *decoy, const bool *random, uint32_t host, unsigned of)
{
	size_t len = strlen(decoy), start, colon, end;
	bool user = shape_userinfo(decoy, 0, &start, &colon, &end), good = true;

	for (size_t i = 0, run = len; good && i < len; i += run + 1) {
		for (run = user ? 0 : len; user && random[i + run];)
			run++;
		good = !run || add_part(n, (struct stretch){(const unsigned char *)decoy + i, random + i, run}, host, of);
	}
	return good;
}

bool needles_add(struct needles *n, const char *decoy, const char *host, unsigned of)
{
	size_t first = n->window_count, slots = n->slot_count;
	bool *random = calloc(strlen(decoy) + 1, sizeof(*random));
	uint32_t whose = random && host ? add_host(n, host) : 0;
	bool good = random && (!host || whose) && decoy_random(decoy, random) && add_parts(n, decoy, random, whose, of);

	free(random);
	good = good && resize(n);
	for (size_t i = first; good && n->slot_count == slots && i < n->window_count; i++)
		enter(n, (uint32_t)i);
	return good;
}

/* --- what is there ------------------------------------------------------------------------------ */

static void add_hit(struct needle_hits *hits, unsigned of, const char *encoding)
{
	for (size_t i = 0; i < hits->n; i++)
		if (hits->v[i].of == of)
			return;
	if (hits->n == NEEDLE_HITS_MAX)
		return;
	struct needle_hit *hit = &hits->v[hits->n++];
	size_t layers = strlen(hits->layers);
	hit->of = of;
	if (layers && !strcmp(encoding, "plain"))
		snprintf(hit->encoding, sizeof(hit->encoding), "%.*s", (int)layers - 1, hits->layers); /* without its "+" */
	else
		snprintf(hit->encoding, sizeof(hit->encoding), "%s%s", hits->layers, encoding);
}

/* What has been read, and a place in it. */
struct hay {
	const unsigned char *bytes;
	size_t len, at;
	enum reading reading;
};

/* How far it goes on as the window's form does, both ways; 0: not far enough. */
static size_t common(const struct needles *n, const struct window *w, const struct hay *h, size_t *after)
{
	const struct form *f = &n->forms[w->form];
	const unsigned char *text = n->text + f->at;
	size_t before = 0, len;

	if (f->reading != h->reading || memcmp(text + w->at, h->bytes + h->at, NEEDLE_WINDOW))
		return 0;
	while (before < w->at && before < h->at && text[w->at - before - 1] == h->bytes[h->at - before - 1])
		before++;
	*after = NEEDLE_WINDOW;
	while (w->at + *after < f->len && h->at + *after < h->len && text[w->at + *after] == h->bytes[h->at + *after])
		++*after;
	len = before + *after;
	if (len < f->least && len < f->len)
		return 0;
	return bits_of(n, f, w->at - before, w->at + *after) < (n->kind == NEEDLE_DATA ? LEAST_DATA_BITS : LEAST_NAME_BITS) ? 0 : len;
}

static bool may_have(const struct needles *n, const struct part *p, const struct needle_hits *hits)
{
	return p->host && hits->host && !strcasecmp(n->hosts + p->host, hits->host);
}

/* The longest of those that begin here: what is encoded in part is a row of plain pieces as well.  How much of it need not be looked at again. */
static size_t look(const struct needles *n, uint64_t hash, const struct hay *h, struct needle_hits *hits)
{
	const struct form *best = NULL;
	size_t longest = 0, skip = 1;

	for (uint32_t i = n->slots[hash & (n->slot_count - 1)]; i; i = n->windows[i].next) {
		const struct window *w = &n->windows[i];
		size_t after, len = w->hash == hash ? common(n, w, h, &after) : 0;
		if (len && (len > longest || (len == longest && &n->forms[w->form] < best))) {
			best = &n->forms[w->form];
			longest = len;
			skip = after;
		}
	}
	if (best && !may_have(n, &n->parts[best->part], hits))
		add_hit(hits, n->parts[best->part].of, best->encoding);
	return skip;
}

static void search_read(const struct needles *n, enum reading reading, const unsigned char *bytes, size_t len, struct needle_hits *hits)
{
	struct hay h = {.bytes = bytes, .len = len, .reading = reading};
	const uint64_t *seen = n->seen;
	size_t mask = n->seen_mask;

	while (h.at + NEEDLE_WINDOW <= len) {
		uint64_t hash = hash_of(bytes + h.at, reading), bit = hash >> 20 & mask;
		h.at += seen[bit / 64] >> bit % 64 & 1 ? look(n, hash, &h, hits) : 1;
	}
}

static size_t read_as(const unsigned char as[256], const unsigned char *bytes, size_t len, unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		out[n] = as[bytes[i]];
		n += out[n] != 0;
	}
	return n;
}

static void search_name(const struct needles *n, const unsigned char *bytes, size_t len, struct needle_hits *hits)
{
	unsigned char out[NEEDLE_TEXT_MAX + 1];

	len = len < NEEDLE_TEXT_MAX ? len : NEEDLE_TEXT_MAX;
	for (enum reading r = READ_FOLDED; r < READINGS; r++)
		search_read(n, r, out, read_as(n->as[r], bytes, len, out), hits);
}

static void search_data(const struct needles *n, const unsigned char *bytes, size_t len, struct needle_hits *hits)
{
	unsigned char out[OVERLAP + BLOCK + 1];
	size_t kept = 0, got;

	for (size_t at = 0; at < len; at += got) {
		got = len - at < BLOCK ? len - at : BLOCK;
		size_t have = kept + read_as(n->as[READ_DATA], bytes + at, got, out + kept);
		search_read(n, READ_DATA, out, have, hits);
		kept = have < OVERLAP ? have : OVERLAP;
		memmove(out, out + have - kept, kept);
	}
}

bool needles_search(const struct needles *n, const void *bytes, size_t len, struct needle_hits *hits)
{
	if (!needles_any(n))
		return hits->n != 0;
	if (n->kind == NEEDLE_NAME)
		search_name(n, bytes, len, hits);
	else
		search_data(n, bytes, len, hits);
	return hits->n != 0;
}
