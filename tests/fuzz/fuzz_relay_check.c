/* What a client says, from anybody, to a relay that carries it to a.example: what is let through is the same however the bytes come, and nothing
 * frees a client but its server. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/relay/relay_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	size_t passed;
	const char *why;
	char name[HOST_TEXT_MAX];
};

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* The held bytes in memory of their own, so that reading past them is seen. */
static enum relay_check_event ask(struct relay_check *c, const uint8_t *held, size_t count, size_t *used)
{
	uint8_t *copy = malloc(count ? count : 1);

	memcpy(copy, held, count);
	enum relay_check_event event = relay_check_client(c, copy, count, used);
	free(copy);
	assert(event != RELAY_CHECK_FREE);
	assert(*used <= count && (event == RELAY_CHECK_PASS ? *used || c->unseen : !*used));
	return event;
}

/* portions: 0: all that fits. */
static struct outcome play(const uint8_t *data, size_t size, uint32_t portions)
{
	struct relay_check *c = malloc(sizeof *c);
	struct outcome o = {0};
	size_t have = 0, used; /* what has come of the data; what was passed is o.passed of it */

	memset(c, 0xa5, sizeof *c);
	relay_check_init(c, "a.example", 80);
	for (;;) {
		enum relay_check_event event = ask(c, data + o.passed, have - o.passed, &used);
		if (event == RELAY_CHECK_REFUSED) {
			o.why = c->why;
			memcpy(o.name, c->name, sizeof o.name);
			break;
		}
		if (event == RELAY_CHECK_PASS) {
			uint64_t end = o.passed + used + c->unseen;
			o.passed = end < size ? (size_t)end : size;
			have = have > o.passed ? have : o.passed;
			continue;
		}
		if (have == size)
			break;
		size_t n = portions ? 1 + next(&portions) % 64 : RELAY_HELD_MAX;
		size_t room = RELAY_HELD_MAX - (have - o.passed);
		assert(room);
		n = n < room ? n : room;
		have += n < size - have ? n : size - have;
	}
	free(c);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = play(data, size, 0);

	for (uint32_t seed = 1; seed < 4; seed++) {
		struct outcome other = play(data, size, seed * 7919);
		assert(whole.passed == other.passed && whole.why == other.why && !strcmp(whole.name, other.name));
	}
	return 0;
}
