/* A start: what is to be executed, and how.  Two messages carry one: `enter` asks the supervisor for it, and the supervisor, having
 * decided, hands its own to the zygote.  Encoded into a memfd (arguments can be megabytes); decoding copies once and trusts nothing.
 * Pure but for memory; fuzzed. */
#ifndef SANDBOX_START_H
#define SANDBOX_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "launcher/base/fd.h"
#include "bounds.h"

enum start_flags {
	START_SESSION = 1,         /* a session of its own: no controlling terminal */
	START_WAIT_KILLABLE = 2,   /* the kernel has WAIT_KILLABLE_RECV */
	START_DROP_ALL = 4,        /* drop every capability (user namespace or ordinary user); else CHOWN, DAC_OVERRIDE, FOWNER, FSETID stay */
	START_AUDIT = 8,           /* --audit: no Landlock, no capability dropped, no limit set */
	START_OWN_USERS = 16,      /* its user namespace is the run's own */
};

struct start {
	uint32_t flags;
	uint32_t umask;
	uint32_t landlock_abi;
	uint64_t blocked, ignored; /* signals: bit N-1 */
	struct bounds bounds;
	char *path;    /* what is executed */
	char *cwd;     /* text, for records; the directory itself goes as a descriptor */
	char **argv, **envp; /* NULL-terminated */
	uint32_t nfds;
	int32_t fd_number[FD_PASS_MAX]; /* the numbers that the passed descriptors shall have, ascending */
	void *memory;  /* one block that holds all strings and vectors; start_finish frees it */
};

#define START_MAX (8u << 20) /* bytes of an encoded start: the kernel's own limit for arguments is a quarter of the stack, at most 6 MiB */

/* A sealed memfd or -errno. */
int start_encode(const struct start *s);
/* From a memfd: 0, or -EINVAL, -E2BIG, -ENOMEM … */
int start_decode(int fd, struct start *out);
/* The same from bytes (the fuzzer's entrance). */
int start_parse(const char *data, size_t len, struct start *out);
void start_finish(struct start *s);

/* Messages between enter and its session, one a packet. */
enum enter_kind {
	ENTER_RUN = 1,     /* supervisor: it runs; descriptors that follow (0 to 2) are pipes to copy to `copy_to` */
	ENTER_SUBPIP = 2,  /* supervisor: execute what the descriptor (an encoded start) says */
	ENTER_REFUSED = 3, /* supervisor: value is an errno, text says why */
	ENTER_STATUS = 4,  /* supervisor: value is a wait status */
	ENTER_SIGNAL = 5,  /* enter: value is a signal to pass on */
	ENTER_WRITE = 6,   /* supervisor: two descriptors, a folder and a content; text is the name that it gets there, value the mode before the umask */
	ENTER_WRITTEN = 7, /* enter: value is an errno, 0: it lies there */
	ENTER_ESCAPE = 8,  /* enter: the program's output held something for the terminal; value is an enum escape_kind, told once */
};
struct enter_message {
	uint32_t kind;
	int32_t value;
	int32_t copy_to[2]; /* -1: none */
	char text[240];
};

/* Messages between init and its session. */
enum init_kind {
	INIT_LISTENER = 1, /* init: one descriptor */
	INIT_GO = 2,       /* supervisor: the listener is served */
	INIT_RUNNING = 3,  /* init: exec went through */
	INIT_FAILED = 4,   /* init: value is an errno; text names the step ("landlock", "exec") */
	INIT_STATUS = 5,   /* init: value is the main process's wait status */
	INIT_SIGNAL = 6,   /* supervisor: value is a signal for the main process's group */
	INIT_START = 7,    /* supervisor: what to start; descriptors as in init.h */
	INIT_STOPPED = 8,  /* init: value is the signal that stopped the main process; 0: it goes on */
	INIT_LIMIT = 9,    /* init: value is an enum limit that was reached; text, of processes, how many there are. */
	INIT_BORN = 10,    /* zygote, by init's socket: value is the pid of init; of its own INIT_FAILED the step is "fork" */
	INIT_NET = 12,     /* init, before INIT_LISTENER: sockets at the nameservers' addresses (own_net.h) */
	INIT_DOOR = 13,    /* supervisor: a listening socket, please; text holds a sockaddr_in or sockaddr_in6 (supervise/doors.h). init: one descriptor, or value is an
	                    * errno; answered in the order of the questions */
	INIT_LEFT = 11,    /* init: the main process has ended, and what it has started has not; waits for INIT_GO before it ends it */
};
struct init_message {
	uint32_t kind;
	int32_t value;
	char text[56];
};

#endif
