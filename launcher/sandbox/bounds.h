/* What a sandbox may use: processes, open files, the size of a file, time.
 *
 * The kernel holds open files and file sizes of each process (setrlimit), and all processes together where the sandbox's user namespace is its own:
 * there RLIMIT_NPROC counts nobody else's.  init looks ten times a second at how many there are and how long it has taken, and ends the sandbox when that is
 * too much.  What the kernel refused is seen where it can be: limits_look says how.
 *
 * Memory is not bounded: RLIMIT_AS counts address space, which Go, Java, CUDA and sanitizers take by the terabyte.  The kernel is told to end a sandbox first. */
#ifndef SANDBOX_BOUNDS_H
#define SANDBOX_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum limit_kind { LIMITED_PROCESSES, LIMITED_OPEN_FILES, LIMITED_FILE_SIZE, LIMITED_TIME, LIMITED_KINDS };

/* 0: none.  processes: with their threads; file_size: bytes; time: seconds. */
struct limits {
	uint64_t of[LIMITED_KINDS];
};

/* For the calling process, and what it will be: open files, file size, and no core files; with own_users, a wall behind the number of processes.  A limit that is
 * lower already stays. */
void limits_set(const struct limits *l, bool own_users);

/* Those who run out of memory are not the supervisor and the user's programs. */
void limits_offer_to_kernel(void);

struct limits_watch {
	struct limits limits;
	pid_t init;      /* 0: /proc is the sandbox's own; else only what lies below this process is looked at */
	int64_t start, next; /* CLOCK_MONOTONIC, milliseconds */
	unsigned looks;
};

void limits_watch_start(struct limits_watch *w, const struct limits *l, pid_t init);
/* How long init may sleep; -1: for ever. */
int limits_sleep(const struct limits_watch *w);

/* Kinds that are at their limit now, as bits; 0 as well where it is too early for a look.  Of open files and file sizes every tenth look: a process that has as many open as it may (Linux 6.2), a file that is as
 * large as it may be and still open.  processes: how many there are. */
unsigned limits_look(struct limits_watch *w, uint64_t *processes);

#endif
