/* What this process is about to do, where the supervisor finds it (struct pw_intents): written before the act, read when the
 * kernel has asked about it.  No system call, no allocation, no lock: a signal handler and a vfork child may come by. */
#ifndef PRELOAD_INTENT_H
#define PRELOAD_INTENT_H

#include "preload/shim.h"

/* The ring, for the check-in. */
const struct pw_intents *intent_ring(void);

/* Texts are copied, and cut. */
struct intent {
	enum pw_intent_kind kind;
	const char *text; /* NULL: none */
	unsigned port;
	struct shim_origin origin;
	const void *data; /* the head of an HTTP request, which outlives the act */
	size_t data_len;
	unsigned flags;
};
/* Returns its turn. */
uint32_t intent_tell(const struct intent *intent);

/* The thread calls connect(): the hook in Python has said which code wants that (shim_self.connects), or caller is all that is known. */
void intent_connects(const struct shim *shim, const char *address, unsigned port, const void *caller);

/* Of each thread.  In the block that every thread starts with: reading it calls nothing. */
struct shim_thread {
	uint64_t walk;     /* the file that last walked over the environment, as a hash; 0: none */
	int busy;          /* what the hook looks up may run other hooks, which may do what is told of */
	uint32_t connects; /* turn of the intent whose connect() comes next; 0: none */
};
extern __thread struct shim_thread shim_self __attribute__((tls_model("initial-exec"), visibility("hidden")));

#endif
