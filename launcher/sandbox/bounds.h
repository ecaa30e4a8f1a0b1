/* What a sandbox may use: processes, open files, the size of a file, time.
 *
 * The kernel holds open files and file sizes of each process (setrlimit), and all processes together where the sandbox's user namespace is its own:
 * there RLIMIT_NPROC counts nobody else's.  init looks ten times a second at how many there are and how long it has taken, and ends the sandbox when that is
 * too much.  What the kernel refused is seen where it can be: bounds_look says how.
 *
 * Memory is not bounded: RLIMIT_AS counts address space, which Go, Java, CUDA and sanitizers take by the terabyte.  The kernel is told to end a sandbox first. */
#ifndef SANDBOX_BOUNDS_H
#define SANDBOX_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/policy.h"

/* 0: none.  processes: with their threads; file_size: bytes; time: seconds. */
struct bounds {
	uint64_t of[LIMIT_COUNT];
};

/* For the calling process, and what it will be: open files, file size, and no core files; with own_users, a wall behind the number of processes.  A limit that is
 * lower already stays. */
void bounds_set(const struct bounds *l, bool own_users);

/* Those who run out of memory are not the supervisor and the user's programs. */
void bounds_offer_to_kernel(void);

struct bounds_watch {
	struct bounds bounds;
	pid_t init;      /* 0: /proc is the sandbox's own; else only what lies below this process is looked at */
	int64_t start, next; /* CLOCK_MONOTONIC, milliseconds */
	unsigned looks;
};

void bounds_watch_start(struct bounds_watch *w, const struct bounds *l, pid_t init);
/* How long init may sleep; -1: for ever. */
int bounds_sleep(const struct bounds_watch *w);

/* Kinds that are at their limit now, as bits; 0 as well where it is too early for a look.  Of open files and file sizes every tenth look: a process that has as many open as it may (Linux 6.2), a file that is as
 * large as it may be and still open.  processes: how many there are. */
unsigned bounds_look(struct bounds_watch *w, uint64_t *processes);

#endif
