/* Data of any kind that decoys are looked for in: a decoy is found wherever it stands, as a whole and in pieces; what has none, has none; whatever the data unpack to
 * is bounded; a needle may be of any bytes. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/seek.h"

#define SECRET "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"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const encodings[] = {
	SECRET, "Z2hwX1Ezc1B6WTBwUXVLdzVZd1Z0TnBHcVpvU2tQd0lxMjBjczhMaw", "6768705f513373507a59307051754b7735597756744e7047", "kL8sc02qIwPkSoZqGpNtVwY5wKuQp0YzPs3Q_phg",
	"M5UHAX2RGNZVA6SZGBYFC5KLO42VS52WORXHA4K2N5JWWUDXJFYTEMDDOM4EY2Y",
};
enum { ENCODINGS = sizeof encodings / sizeof *encodings };

static struct needles *made_of(const char *text)
{
	struct needles *n = needles_new(NEEDLE_DATA);

	assert(n && needles_add(n, text, "a.example", 3));
	return n;
}

static size_t in_pieces(const struct needles *n, const uint8_t *data, size_t size, size_t step)
{
	struct seek_stream s;
	size_t found;

	seek_stream_init(&s, n, NULL);
	for (size_t at = 0; at < size; at += step)
		seek_stream_feed(&s, data + at, size - at < step ? size - at : step);
	seek_stream_end(&s);
	found = s.hits.n;
	seek_stream_finish(&s);
	return found;
}

/* Behind what the input says, and before it.  A stop between them: what is a digit of an encoding would be of the same one. */
static void check_found(const struct needles *n, const uint8_t *data, size_t size, size_t which, size_t step)
{
	const char *encoded = encodings[which];
	size_t len = strlen(encoded);
	uint8_t *text = malloc(2 * size + len + 2);
	struct needle_hits hits = {.n = 0}, own = {.host = "A.example"};

	memcpy(text, data, size);
	text[size] = ';';
	memcpy(text + size + 1, encoded, len);
	text[size + 1 + len] = ';';
	memcpy(text + size + len + 2, data, size);
	assert(seek_data(n, text, 2 * size + len + 2, 10000, &hits) && hits.n == 1 && hits.v[0].of == 3 && hits.v[0].encoding[0] && !hits.layers[0]);
	assert(!seek_data(n, text, 2 * size + len + 2, 10000, &own));
	assert(in_pieces(n, text, 2 * size + len + 2, step) == 1);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct needles *needles;
	struct needle_hits hits = {.n = 0};

	if (!needles)
		needles = made_of(SECRET);
	if (size < 2 || size > 100000)
		return 0;
	size_t which = data[0] % ENCODINGS, step = 1 + data[1] % 64;
	seek_data(needles, data, size, SEEK_BUDGET(size), &hits);
	assert(hits.n <= 1);
	if (hits.n)
		return 0; /* the fuzzer knows the encodings, too */
	check_found(needles, data + 2, size - 2, which, step);
	char *text = calloc(1, size + 1);
	memcpy(text, data, size);
	struct needles *own = made_of(text);
	seek_data(own, data, size, SEEK_BUDGET(size), &hits);
	needles_free(own);
	free(text);
	return 0;
}
