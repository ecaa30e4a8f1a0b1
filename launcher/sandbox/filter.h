/* The BPF program of a role: static denials and what is notified.  Compiled with libseccomp when pipwarden is built (filter.c, filter_generate.c); a run
 * puts it into a sealed memfd once a kind, and sandboxes load it with seccomp(2) themselves (filter_load.c).
 *
 * ONE table, filter_table.c, lists every system call that is not simply allowed, with its verdict per role and a reason of a few words:
 * a reader finds there where a system call is decided, and in which file of supervise/ a notified one goes on.
 * Any thread. */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

enum filter_kind {
	FILTER_INSTALLER,
	FILTER_SANDBOX,        /* build and guest in namespaces of their own */
	FILTER_SANDBOX_PLAIN,  /* build and guest where there are none: sockets of the loopback's made by the supervisor, signals notified without scopes */
	FILTER_KINDS
};

struct filter_options {
	bool signals_scoped;   /* Landlock scopes signals (ABI 6) */
	bool audit;            /* --audit: nothing is refused by the program itself; what is asked about can be let go on.  No PID namespace bounds signals */
	bool unix_connect;     /* the supervisor can connect the caller's own AF_UNIX socket (pidfd_getfd); else socket(AF_UNIX) is refused for sandboxes */
};

/* The highest system call number that the tables know: anything above is ENOSYS. */
#define FILTER_NR_MAX 471

/* The program: a sealed, close-on-exec memfd that holds struct sock_filter instructions, or -errno. */
int filter_build(enum filter_kind kind, const struct filter_options *opt);

/* Loads the program for the calling thread (no_new_privs is set already), with a listener: its descriptor (close-on-exec), or -errno.
 * Tries WAIT_KILLABLE_RECV first when wait_killable.  Async-signal-safe; used between clone and exec. */
int filter_load(int program_fd, bool wait_killable);

#endif
