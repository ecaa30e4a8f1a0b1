/* A sandbox for unit tests: a child under a small filter that notifies what the handlers of files.c, meta.c, tree.c and signals.c answer, and
 * a loop that answers.  No Landlock: what a handler continues, the kernel does, so a test sees which of the two decided.
 * The supervisor's accessors (supervisor_record …) are defined here; events are kept. */
#ifndef TESTS_NOTIFIED_H
#define TESTS_NOTIFIED_H

#include <stdbool.h>
#include <stddef.h>

#include "launcher/supervise/alone.h"
#include "launcher/supervise/supervise.h"

#define EVENTS_MAX 64
#define RESULTS_MAX 64

struct kept_event {
	char type[32], rule[48], path[4096], as_written[4096], name[32], detail[256];
	enum event_action action;
	enum policy_action wanted;
};

struct world {
	struct sandbox sb;
	struct caps caps;
	struct alone alone;
	char top[128];       /* made for the test; everything below is in it */
	char own[160], home[160], outside[160], temp[160], environment[160], trusted[160];
	char *writable[4], *readable[2];
	const char *environments[2];
	struct kept_event event[EVENTS_MAX];
	unsigned events;     /* how many were recorded */
	unsigned notified;
	long *result;        /* shared with the child: RESULTS_MAX */
	bool namespaces;     /* own mount and PID namespaces */
	void (*hook)(struct world *w, const struct seccomp_notif *req); /* answers getppid(a, b, c …) in the supervisor */
};

void world_init(struct world *w);
void world_finish(struct world *w);
/* "top/…", valid until eight calls later. */
const char *world_path(const struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_file(const struct world *w, const char *path, const char *text, unsigned mode);

/* Runs body in the child and answers until it has ended.  Its status must be 0.  False: namespaces cannot be made here. */
bool world_run(struct world *w, void (*body)(struct world *w));

/* The same, while a thread of the test swaps own/a, now a folder of the sandbox's own, now a link to outside, 20 000 times and more; both have
 * a "plain".  The body goes on while world_swapping() says so: until it has said that it met both, or 40 seconds are over. */
bool world_run_swapping(struct world *w, void (*body)(struct world *w));
bool world_swapping(struct world *w, bool both);

/* For a test that world_run said cannot be: skips it, or with PIPWARDEN_MUST_WORK=1 fails it. */
void world_skip(void);

/* In the child: a raw system call, -errno for a failure. */
long try(long nr, long a, long b, long c, long d, long e);
#define TRY5(nr, a, b, c, d, e, ...) try(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define TRY(...) TRY5(__VA_ARGS__, 0, 0, 0, 0, 0)

/* The event whose path is `path`, or NULL. */
const struct kept_event *world_event(const struct world *w, const char *path);

/* Runs main's group twice where it can: as root, and as an ordinary user. */
int run_as_both(int (*group)(void));

#endif
