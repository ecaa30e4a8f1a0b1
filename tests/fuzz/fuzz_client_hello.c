/* What a client sends first, from anybody: what is made of it is the same however the bytes come and however they are cut into records, and a name is one. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/relay/client_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sizes of portions, decided by the input alone. */
static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static uint32_t seed_of(const uint8_t *data, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619;
	return h;
}

/* most: of a portion; 0: all at once.  Each portion is in memory of its own, so that reading past it is seen. */
static struct client_hello *feed(const uint8_t *data, size_t size, size_t most, uint32_t *random)
{
	struct client_hello *h = calloc(1, sizeof *h);
	size_t total = 0, used;

	for (size_t at = 0; at < size && h->verdict == HELLO_MORE;) {
		size_t n = most ? 1 + next(random) % most : size;
		n = n < size - at ? n : size - at;
		uint8_t *portion = malloc(n);
		memcpy(portion, data + at, n);
		enum hello_verdict verdict = client_hello_feed(h, portion, n, &used);
		free(portion);
		assert(verdict == h->verdict && used <= n && (verdict != HELLO_MORE || used == n));
		at += n;
		total += used;
		assert(total == h->length && total <= HELLO_WIRE_MAX);
	}
	assert(client_hello_feed(h, data, h->verdict == HELLO_MORE ? 0 : size, &used) == h->verdict && used == 0);
	return h;
}

static void same(const struct client_hello *a, const struct client_hello *b)
{
	assert(a->verdict == b->verdict && a->fault == b->fault && a->encrypted == b->encrypted && !strcmp(a->name, b->name));
}

/* The name is one that stands there. */
static bool is_written(const struct client_hello *h)
{
	size_t n = strlen(h->name);

	for (size_t at = 0; at + n <= h->have; at++) {
		if (!strncasecmp((const char *)h->message + at, h->name, n))
			return true;
	}
	return false;
}

static void check(const struct client_hello *h)
{
	char again[HOST_TEXT_MAX];

	assert((h->verdict == HELLO_BAD) == (h->fault != HELLO_FINE) && (h->verdict == HELLO_NAME) == (h->name[0] != '\0'));
	assert(memchr(h->name, 0, sizeof h->name));
	assert(h->verdict == HELLO_NAME || h->verdict == HELLO_NONE || !h->encrypted);
	if (h->verdict == HELLO_NAME) {
		assert(strlen(h->name) <= 253 && host_read(h->name, strlen(h->name), again) == HOST_NAME && !strcmp(h->name, again));
		assert(is_written(h));
	}
}

/* A complete hello's message in other records is the same hello. */
static void in_other_records(const struct client_hello *h, uint32_t *random)
{
	static uint8_t wire[HELLO_WIRE_MAX];
	size_t len = 0, records = 0;

	for (size_t at = 0; at < h->have; records++) {
		size_t left = h->have - at, n = 1 + next(random) % 700;
		n = n < left ? n : left;
		if (records == HELLO_RECORDS_MAX - 2 && left > n)
			n = left / 2;
		else if (records == HELLO_RECORDS_MAX - 1)
			n = left;
		memcpy(wire + len, (uint8_t[]){22, 3, 3, (uint8_t)(n >> 8), (uint8_t)n}, 5);
		memcpy(wire + len + 5, h->message + at, n);
		len += n + 5;
		at += n;
	}
	struct client_hello *other = feed(wire, len, 900, random);
	same(h, other);
	assert(other->length == len);
	free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t random = seed_of(data, size);
	struct client_hello *whole = feed(data, size, 0, &random);
	static const size_t portions[] = {1, 8, 600};

	check(whole);
	for (size_t i = 0; i < sizeof portions / sizeof *portions; i++) {
		struct client_hello *other = feed(data, size, portions[i], &random);
		same(whole, other);
		assert(whole->length == other->length);
		free(other);
	}
	if (whole->verdict == HELLO_NAME || whole->verdict == HELLO_NONE)
		in_other_records(whole, &random);
	free(whole);
	return 0;
}
