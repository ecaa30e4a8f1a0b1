/* The last steps before a command's first instruction: fork, restrict, hand out the listener, execute.
 *
 * The parent (init of a sandbox; for the installer the supervisor itself) clones the child with CLONE_FILES: the listener that the child's seccomp(2)
 * makes appears in the parent's table, so no message has to pass a filter that notifies messages.  The child un-shares the table before it executes.
 *
 *   child                                      parent
 *   sid, signals, limits, no_new_privs,
 *   Landlock, capabilities, seccomp ──────────▶ birth_listener(): the descriptor
 *   wait                            ◀────────── birth_go(): somebody serves it
 *   un-share, execve (notified)     ──────────▶ birth_result(): running, or the errno and the step that failed
 *
 * The parent must be single-threaded at birth_fork(). */
#ifndef SANDBOX_BIRTH_H
#define SANDBOX_BIRTH_H

#include <sys/types.h>

#include "start.h"

struct birth {
	pid_t pid;
	int channel; /* parent's end */
	int pidfd;
	int child_channel; /* the child's, in the shared table; closed once the child has a table of its own */
};

/* The descriptors of the command (start->fd_number) are in the table already, not close-on-exec; everything else is close-on-exec.
 * ruleset_fd and program_fd stay the caller's. 0 or -errno. */
int birth_fork(struct birth *b, const struct start *start, int ruleset_fd, int program_fd);
/* The listener (close-on-exec, the caller owns it), or -errno with *step (static string) naming what failed. */
int birth_listener(struct birth *b, const char **step);
int birth_go(struct birth *b);
/* Waits until the child's table is its own: from then on the parent may close the command's descriptors.  0 or -errno. */
int birth_unshared(struct birth *b, const char **step);
/* 0: the command runs.  -errno: it could not be executed. Closes the channel. */
int birth_result(struct birth *b, const char **step);

#endif
