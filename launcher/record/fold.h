/* Which attempts have been recorded already.  Not thread-safe: the journal's mutex guards it. Two attempts are the
 * same when type, action, would, rule, source, role, package, origin, target and decoy are, as the journal writes them (redacted and cut);
 * the source is one of them so that a shim's word never stands for the kernel's. */
#ifndef RECORD_FOLD_H
#define RECORD_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/record/attempt.h"
#include "launcher/record/redact.h"

#define FOLD_BYTES_MAX (32u << 20) /* what the table may hold in all */

struct fold_entry {
	struct fold_entry *next; /* in order of seq */
	uint64_t hash, seq, again; /* again: attempts after the first */
	int64_t when;              /* of the first, milliseconds since 1970 */
	enum severity severity;
	size_t key_len;
	const char *kind, *detail; /* behind the key, of the first attempt; may be NULL */
	char key[];
};

struct fold {
	struct fold_entry **slots; /* open addressing; size is a power of two */
	size_t size, count, bytes;
	struct fold_entry *first, *last;
	uint64_t seed[2]; /* names come from the adversary: the hash is keyed */
	char *key;        /* of the attempt that is being looked up */
	size_t key_len;
	uint64_t key_hash;
};

int fold_init(struct fold *f); /* 0 or -errno */
void fold_finish(struct fold *f);
/* Makes ev the attempt in hand and looks it up; NULL: it is new. */
struct fold_entry *fold_find(struct fold *f, const struct event *ev, const struct redact *r);
/* Adds the attempt in hand, which fold_find did not find.  NULL: no memory. */
struct fold_entry *fold_add(struct fold *f, const struct event *ev, uint64_t seq, const struct redact *r);

#define FOLD_ARGV_MAX 40 /* pointers that fold_event needs room for */
/* The event that an entry stands for, without process; it points into the entry and argv. */
void fold_event(const struct fold_entry *e, struct event *ev, const char *argv[FOLD_ARGV_MAX]);

/* All of them, in order of seq; they point into the table and into *words, and the caller frees both.  NULL: no memory. */
struct attempt *fold_attempts(const struct fold *f, const char *(**words)[FOLD_ARGV_MAX]);

/* SipHash-1-3. */
uint64_t fold_hash(const uint64_t seed[2], const void *data, size_t len);

#endif
