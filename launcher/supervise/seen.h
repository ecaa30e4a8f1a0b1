/* The run's decoys, looked for where something leaves: an event decoy.seen for each that is found (docs/decoys.md).
 *
 * What is looked for is made when it is first needed: the decoys of variables, and of the files that lie in private homes or are read in the place of protected
 * ones.  Under --audit nobody has decoys, and nothing is looked for.  Any thread. */
#ifndef SUPERVISE_SEEN_H
#define SUPERVISE_SEEN_H

#include "policy/needle.h"
#include "supervise.h"

enum seen_in { SEEN_NAME, SEEN_ADDRESS, SEEN_URL, SEEN_ARGV, SEEN_HTTP, SEEN_STREAM, SEEN_WHEEL, SEEN_SOURCE };

/* What may be taken out of packed data in all, by whoever looks at many of them one after the other. */
struct seen_budget {
	size_t left;
	bool told; /* that it, or what one of them may have of it, was not enough: once */
};

/* Where it was found, for the record, in which a text is left out that holds a decoy itself. */
struct seen_place {
	enum seen_in in;
	const char *host; /* NULL: none.  What goes to a host may hold the decoy that is its own: of http://user:password@HOST/ */
	unsigned port;
	const char *path; /* a file, a program; NULL: none */
	bool stopped;     /* it goes no further, whatever the rule's action is */
	bool ahead;       /* nothing is sent yet: the connection that is to carry it comes first, and is judged by itself */
	struct seen_budget *budget; /* NULL: each has its own */
	const struct event_origin *origin; /* the shim has told of it, and where; NULL: it was seen */
};

struct seen; /* of a supervisor */
struct seen *seen_new(void);

/* To be searched; NULL: there are none.  Without memory for all of them the run ends. */
const struct needles *seen_needles(struct sandbox *sb, enum needle_kind kind);
/* Can anybody have a decoy?  No variable was replaced, no decoy file read: nothing need be looked at. */
bool seen_possible(const struct sandbox *sb);
/* A decoy file of the run's was read, or one in the place of the file `real`. */
void seen_file_read(struct sandbox *sb, const char *real);

/* Looks, also into what is packed (policy/seek.h), and records, also (decoy.unread) that its budget was not enough.  True: something was found, by a rule that does
 * not just allow it. */
bool decoy_seen_data(struct sandbox *sb, pid_t pid, const struct seen_place *where, const void *bytes, size_t len);
/* The same of the first len bytes of a file; without memory for them the run ends, and it is as if something was found. */
bool decoy_seen_file(struct sandbox *sb, const struct seen_place *where, int fd, size_t len);
/* Records what somebody else has found.  pid 0: not known. */
bool decoy_seen_record(struct sandbox *sb, pid_t pid, const struct seen_place *where, const struct needle_hits *hits);

#endif
