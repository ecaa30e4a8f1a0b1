/* A sandbox that tries one machine after the other: the first attempts are each written down, those that follow by their networks, so that a scan is a few
 * lines and not ten thousand.  Only the listener's thread of its sandbox uses it. */
#ifndef SUPERVISE_SWEEP_H
#define SUPERVISE_SWEEP_H

#include <stdbool.h>

#include "launcher/names/names.h"

#define SWEEP_AFTER 32 /* addresses and ports, each of which is written down by itself */

struct sweep {
	unsigned count;
	struct {
		unsigned port;
		char address[46]; /* INET6_ADDRSTRLEN */
	} seen[SWEEP_AFTER];
};

/* Is this attempt one of a sweep?  Then *to becomes the network that it is in (a /24, a /48), without a port. */
bool sweep_folds(struct sweep *s, struct sockaddr_text *to);

#endif
