/* Decoys in data that may be packed: gzip, zlib and the members of a zip are inflated, runs of base64 (24 characters and more) and hex (32 and more) are decoded, and
 * what comes out is looked at in the same way, SEEK_DEPTH times.  Pure but for memory.  What no memory is left for is not looked into.
 *
 * Bounded: what is taken out of data is at most 4 times as much as it and 1 MiB (or what the caller says), an attempt counts as 64 bytes, each
 * block of deflate as 128 more, and one that does not come to an end as what it has read, too; whatever lies behind that is only looked at as it stands.  Memory: 80 kB for each depth, while a search lasts. */
#ifndef POLICY_SEEK_H
#define POLICY_SEEK_H

#include <stdint.h>

#include "policy/needle.h"

#define SEEK_DEPTH 3
#define SEEK_BUDGET(len) (4 * (size_t)(len) + (1u << 20))
#define SEEK_BLOCK (64 * 1024)    /* of a stream: what is packed is looked into as far as it lies in one block */
#define SEEK_STREAM_MAX (1 << 20) /* of a stream no more is looked at */

/* The data in one piece.  n: of kind NEEDLE_DATA, may be NULL; budget: bytes that may be taken out of it.  Adds to *hits; true: there are some. */
bool seek_data(const struct needles *n, const void *bytes, size_t len, size_t budget, struct needle_hits *hits);
/* The same; what is left of the budget is in *budget then: 0 where there was more to take out. */
bool seek_data_of(const struct needles *n, const void *bytes, size_t len, size_t *budget, struct needle_hits *hits);

/* Data that comes in pieces. */
struct seek_stream {
	const struct needles *needles;
	struct needle_hits hits;
	unsigned char *bytes; /* the current block: grows with it */
	size_t have, room, looked;
	uint64_t taken;
};

/* host: where it goes, as of struct needle_hits; both stay the caller's. */
void seek_stream_init(struct seek_stream *s, const struct needles *n, const char *host);
void seek_stream_finish(struct seek_stream *s);
/* Will more be looked at? */
bool seek_stream_wants(const struct seek_stream *s);
/* Looks at what comes next: at what stands there as it is at once, into what is packed at the end of each block.  True: something new was found. */
bool seek_stream_feed(struct seek_stream *s, const void *bytes, size_t len);
/* That was all: looks into what is left.  True: something new was found. */
bool seek_stream_end(struct seek_stream *s);

#endif
