/* A connection's requests, from anybody: what is made of them is the same however the bytes come, no byte is lost or passed on before its verdict, and a
 * head that passes names one host, to a server that is less strict as well (tests/unit/relay/play.c). */
#include <assert.h>
#include <stdint.h>

#include "tests/unit/relay/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct portions {
	uint32_t random;
	size_t most; /* 0: all at once */
};

static size_t next(void *context)
{
	struct portions *p = context;

	p->random = p->random * 1664525 + 1013904223;
	return p->most ? 1 + (p->random >> 16) % p->most : SIZE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct portions portions = {.random = 2166136261u};
	struct play whole = play(data, size, next, &portions);

	for (size_t i = 0; i < size; i++)
		portions.random = (portions.random ^ data[i]) * 16777619;
	for (portions.most = 1; portions.most <= 64; portions.most *= 8) {
		struct play other = play(data, size, next, &portions);
		assert(play_same(&whole, &other));
	}
	return 0;
}
