/* Connections over loopback TCP for the relay's tests, and the reports of how they ended. */
#ifndef TESTS_RELAY_OUTLETS_H
#define TESTS_RELAY_OUTLETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/relay/relay.h"

#define PATIENCE_MS 20000 /* of a test: under sanitizers, on a busy machine */

/* A client's and a server's end, with the relay's two between them. */
struct outlet {
	int client, server; /* the test's; -1: closed */
	unsigned id;
};

/* A pair of connected TCP sockets on 127.0.0.1. */
void outlet_sockets(int pair[2]);

/* What callbacks told, by the connection's id; whose: `struct reports *` itself. */
struct report {
	unsigned refused, ended; /* how often */
	char name[256], why[64];
	uint64_t sent, received;
	size_t decoys;
	char encoding[NEEDLE_ENCODING]; /* of the first */
	bool stopped;
};
#define REPORTS_MAX 2048
struct reports {
	struct report of[REPORTS_MAX];
};

extern const struct relay_calls outlet_calls;
extern const struct needles *outlet_needles; /* of the connections that are added from now on */

/* To "a.example", port 443.  0 or relay_add's error, with all four sockets closed then. */
int outlet_add(struct relay *r, struct outlet *o, unsigned id, bool opaque, struct reports *whose);
void outlet_close(struct outlet *o);

/* Waits until the connection has been reported. */
struct report outlet_report(const struct reports *whose, unsigned id);

/* Blocking, all of it. */
void outlet_say(int fd, const void *bytes, size_t len);
void outlet_hears(int fd, const void *bytes, size_t len);
/* Waits for the end of stream, or for a reset. */
void outlet_hears_end(int fd);
void outlet_hears_reset(int fd);
/* Nothing comes for a moment. */
void outlet_hears_nothing(int fd);

#endif
