/* Connecting to whichever of a host's addresses answers first, as clients do that are told of all (RFC 8305).  A struct is one thread's. */
#ifndef SUPERVISE_DIAL_H
#define SUPERVISE_DIAL_H

#include <stddef.h>

#include "preload/pw_event.h"

#define DIAL_MAX 8 /* addresses at once */

struct dial {
	size_t n;
	int error; /* of the last one that failed, as a positive number */
	struct dialled {
		int fd;
		struct pw_address to;
	} at[DIAL_MAX];
};

void dial_init(struct dial *d);
/* Gives up what has not answered. */
void dial_finish(struct dial *d);

/* Begins with one more; one that is dialled already, or beyond DIAL_MAX, is left out. */
void dial_add(struct dial *d, const struct pw_address *to, unsigned port);

/* Waits that long, whatever signals come.  The first socket that is connected: non-blocking, close-on-exec, the caller's.  -EINPROGRESS: none has answered yet; else
 * the -errno of the last one that failed: none is left. */
int dial_wait(struct dial *d, int milliseconds);

#endif
