/* Whether a sandbox's namespaces can be made here, found by making them, with the same code, in a throw-away child.  Of the probing process (caps.c). */
#ifndef SANDBOX_CAPS_NAMESPACES_H
#define SANDBOX_CAPS_NAMESPACES_H

#include <stdbool.h>
#include <sys/types.h>

/* In memory that the children share with who asks. */
struct namespaces_probe {
	bool user;       /* by means of a user namespace */
	bool whole;      /* the network's as well */
	int step, error; /* which failed, and with what */
};

/* Starts the child: its pid, or negative. */
pid_t namespaces_probe_start(struct namespaces_probe *p);
/* Waits for its end.  True: they can be made. */
bool namespaces_probe_end(pid_t child);
/* Why not: a literal. */
const char *namespaces_probe_why(const struct namespaces_probe *p);

#endif
