/* What was seen of the data that a sandbox's code hands to a library in order to send it, or runs.  Any thread. */
#ifndef SUPERVISE_HANDED_H
#define SUPERVISE_HANDED_H

#include "supervise.h"

#define HANDED_MAX (64 * 1024) /* of one piece, from its beginning */

enum handed_place {
	HANDED_HTTP_AHEAD, /* the body of a request that is going to be sent, if its host can be reached */
	HANDED_HTTP,       /* a piece of a request that is being sent: the head first */
	HANDED_CODE,       /* a text that becomes Python code */
};

/* bytes: hostile, borrowed for the call; whole: how many the caller says there are, of which len are here. */
void handed_data(struct sandbox *sb, pid_t pid, enum handed_place place, const void *bytes, size_t len, uint64_t whole, const struct event_origin *origin);

/* Keeps a text in the run's state folder for who analyses the run, under its digest: code/<digest>.py, 0600, without the run's own secrets; bounded in number
 * and size.  digest gets the hex SHA-256 of the text itself.  False: it was not kept (no state folder, bound, disk). */
#define HANDED_DIGEST 65
bool handed_keep_code(struct sandbox *sb, const char *text, size_t len, char digest[HANDED_DIGEST]);

#endif
