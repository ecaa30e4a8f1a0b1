/* What the two halves of the relay share: relay.c, which any thread calls, and relay_serve.c, its thread. */
#ifndef RELAY_PARTS_H
#define RELAY_PARTS_H

#include <pthread.h>
#include <sys/queue.h>

#include "policy/hostname.h"
#include "relay.h"
#include "relay_pair.h"

struct carried;

/* What an event points to. */
struct mark {
	struct carried *of;
	struct relay_end *end;
};

struct carried {
	struct relay_pair pair;
	struct mark client, outside;
	char host[HOST_TEXT_MAX];
	unsigned port, id;
	void *whose;
	LIST_ENTRY(carried) all;        /* the lock's */
	TAILQ_ENTRY(carried) arriving;  /* the lock's; unused once joined */
	TAILQ_ENTRY(carried) ready, silent;
	bool joined, is_ready, is_silent; /* the thread's */
	int64_t heard;                  /* ms, of clock_milliseconds: when the client was last heard of */
};

TAILQ_HEAD(carried_queue, carried);

struct drop {
	const void *whose;
	bool done;
	SLIST_ENTRY(drop) next;
};

struct relay {
	struct relay_calls calls;
	unsigned room;
	pthread_t thread;
	int epoll, wake;

	pthread_mutex_t lock;
	pthread_cond_t dropped;
	bool stopping;
	unsigned count;
	LIST_HEAD(, carried) all;
	struct carried_queue arriving;
	SLIST_HEAD(, drop) drops;

	/* The thread's own. */
	struct carried_queue ready;  /* to be run: an event came, or the last run was not all */
	struct carried_queue silent; /* nothing was let through yet; the longest silent first */
	struct relay_scratch scratch;
};

void *relay_serve(void *relay);

#endif
