/* Two connected sockets, and the bytes between them: all of them, in order, once; of the client's only what the check lets pass.
 *
 * Never blocks.  A struct belongs to one thread at a time; errors are those of the connection and end it, nothing is reported otherwise.
 *
 * Bytes are copied, by recv and send over the caller's scratch memory, not spliced: on loopback copying moved as much or more, for about a third more of the
 * relay's own processor time (0.5 against 0.35 ms a megabyte), and it needs no descriptors for pipes.  So a connection has two, and what
 * one end did not take at once lies in memory of its own, RELAY_CHUNK at most in each direction; until it is gone no more is read, which the sender's TCP
 * notices.  What was judged is passed on from our copy: nobody can change it between.
 *
 * Whether an end can be read and written is kept here and told by an edge-triggered epoll: set by the caller, cleared by EAGAIN. */
#ifndef RELAY_PAIR_H
#define RELAY_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay_check.h"

#define RELAY_CHUNK (128 * 1024) /* bytes: what is moved at once, and kept for an end that does not take it */

struct relay_end {
	int fd;
	bool readable, writable;
};

struct relay_flow {
	struct relay_end *from, *to;
	uint8_t *rest; /* what `to` did not take: malloc'ed, or NULL */
	size_t at, left;
	uint64_t moved; /* bytes that `to` took */
	bool ended;     /* `from` will say nothing more that may be passed on */
	bool done;      /* nor is there anything left to be told to `to` */
};

struct relay_held {
	struct relay_check check;
	uint8_t bytes[RELAY_HELD_MAX];
	size_t count;
};

enum relay_state {
	RELAY_WAITS,   /* for an end to become readable or writable */
	RELAY_GOES_ON, /* had its share: run it again, the others first */
	RELAY_OVER,    /* both ends have ended, or one was cut off */
	RELAY_REFUSED, /* held->check.why */
};

struct relay_pair {
	struct relay_end client, outside;
	struct relay_flow up, down; /* from the client; to the client */
	struct relay_held *held;    /* NULL: all is let through */
	uint64_t unseen;            /* of the client's next bytes: let through although others are judged */
	bool open;                  /* something of the client's was let through: the server may speak */
	bool cut;                   /* one end is gone before all was told to it, or without an end */
};

/* Takes the sockets over and sets their options.  check: how what the client says is judged, copied; its host stays the caller's, until relay_pair_close.
 * NULL: not at all.  0, or -errno and the sockets stay the caller's.  *p keeps its place: there are pointers into it. */
int relay_pair_init(struct relay_pair *p, int client, int outside, const struct relay_check *check);

/* Moves what can be moved, at most some chunks.  scratch: RELAY_CHUNK bytes, nothing is left in it. */
enum relay_state relay_pair_run(struct relay_pair *p, uint8_t *scratch);

/* Frees, and closes both ends: the client's by a reset if it was refused, or behind the words that it is to be told; both if what they were told is not all (cut,
 * or not yet over). */
void relay_pair_close(struct relay_pair *p, enum relay_state state);

#endif
