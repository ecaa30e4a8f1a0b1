/* Two connected sockets, and the bytes between them: all of them, in order, once; of the client's only what the check lets pass.
 *
 * Never blocks.  A struct belongs to one thread at a time; errors are those of the connection and end it, nothing is reported otherwise.
 *
 * What nobody looks at is spliced through a pipe that all connections share and that is empty between them: half of the processor time of copying, and on two processors
 * a third more moved.  What is looked at, or judged, is copied by recv and send over the caller's scratch memory and passed on from our copy: nobody can change it
 * between.  So is the first MiB that a client says in the clear (HTTP, and to a host that is not looked into), of which decoys are looked for: the bytes in which one
 * is found, as it stands there, go no further.  What one end did not take at once lies in memory of its own, RELAY_CHUNK at most in each direction; until it is gone no more is read, which the sender's TCP
 * notices.  So a connection has two descriptors.
 *
 * Whether an end can be read and written is kept here and told by an edge-triggered epoll: set by the caller, cleared by EAGAIN. */
#ifndef RELAY_PAIR_H
#define RELAY_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/seek.h"
#include "relay_check.h"

#define RELAY_CHUNK (512 * 1024) /* bytes: what is moved at once, and kept for an end that does not take it */

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

struct relay_scratch {
	int pipe[2]; /* non-blocking; -1: there is none, and all is copied */
	uint8_t bytes[RELAY_CHUNK];
};

enum relay_state {
	RELAY_WAITS,   /* for an end to become readable or writable */
	RELAY_GOES_ON, /* had its share: run it again, the others first */
	RELAY_OVER,    /* both ends have ended, or one was cut off */
	RELAY_REFUSED, /* held->check.why */
	RELAY_SEEN,    /* look->hits */
};

struct relay_pair {
	struct relay_end client, outside;
	struct relay_flow up, down; /* from the client; to the client */
	struct relay_held *held;    /* NULL: all is let through */
	struct seek_stream *look;   /* at what the client says; NULL: nobody looks, or no more */
	uint64_t unseen;            /* of the client's next bytes: let through although others are judged */
	bool open;                  /* something of the client's was let through: the server may speak */
	bool cut;                   /* one end is gone before all was told to it, or without an end */
	bool seen;                  /* a decoy was */
};

/* Takes the sockets over and sets their options.  check: how what the client says is judged, copied; its host stays the caller's, until relay_pair_close.
 * NULL: not at all.  look: malloc'ed, taken over; may be NULL.  0, or -errno and the sockets and look stay the caller's.  *p keeps its place: there are pointers into it. */
int relay_pair_init(struct relay_pair *p, int client, int outside, const struct relay_check *check, struct seek_stream *look);
/* Looks into the last that the client said: what decoys were found in all, or NULL.  They stay there until relay_pair_close. */
const struct needle_hits *relay_pair_decoys(struct relay_pair *p);

/* A scratch's pipe, as wide as the user may have it, or none. */
void relay_scratch_init(struct relay_scratch *s);
void relay_scratch_finish(struct relay_scratch *s);

/* Moves what can be moved, at most some chunks.  Nothing is left in the scratch. */
enum relay_state relay_pair_run(struct relay_pair *p, struct relay_scratch *scratch);

/* Frees, and closes both ends: the client's by a reset if it was refused, or behind the words that it is to be told; both if what they were told is not all (cut,
 * or not yet over). */
void relay_pair_close(struct relay_pair *p, enum relay_state state);

#endif
