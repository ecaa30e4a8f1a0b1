/* A relay without sockets: what it would make of a client's bytes, however they come. */
#ifndef TESTS_RELAY_PLAY_H
#define TESTS_RELAY_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/relay/http_stream.h"

struct play {
	char log[2048];         /* "GET a.example:80, 5+10, 5+0": requests, and of bodies what was judged and what passed unseen */
	enum http_fault fault;
	size_t passed, held;    /* of what came: passed on (unseen bytes of a body included), and held at the end */
	unsigned requests;
};

/* The portions' sizes: `next` is asked for each. */
struct play play(const uint8_t *bytes, size_t len, size_t (*next)(void *context), void *context);

bool play_same(const struct play *a, const struct play *b);

#endif
