/* The way out through a proxy: what the machine's own configuration sends through one, an allowed host of a build's goes through as well, with the login that
 * pip would have used.  The proxy resolves the name; this machine need not be able to. */
#ifndef SUPERVISE_PROXY_DIAL_H
#define SUPERVISE_PROXY_DIAL_H

#include <stdbool.h>
#include <sys/time.h>

struct proxy;
struct supervisor;

/* The proxy by which a host's port is dialled, or NULL: directly.  Directly go whom NO_PROXY or /etc/hosts names, and names that are private by their form: where
 * those lead is looked at (lookup.c), and behind a proxy it could not be.  host: as host_normal makes it. */
const struct proxy *proxy_for(const struct supervisor *sup, const char *host, unsigned port);

/* Whom it is done for.  goes_on is asked every PROXY_LOOK_MS, and does not block; false: nobody waits any more. */
#define PROXY_LOOK_MS 50
struct proxy_wait {
	bool (*goes_on)(void *arg);
	void *arg;
	struct timeval patience; /* for each step; zero: as long as it takes */
};

/* A connected socket, not blocking, that begins with the host's first byte, or -errno; -ESRCH: nobody waits any more. */
int proxy_dial(const struct proxy_wait *wait, const struct proxy *p, const char *host, unsigned port);

#endif
