/* init of a sandbox: PID 1 of its PID namespace where it has one.  Forked by the zygote for one start; holds nothing secret. */
#ifndef SANDBOX_INIT_H
#define SANDBOX_INIT_H

#include <stddef.h>

/* The descriptors that come with a start, in this order, then the command's own. */
enum start_fd { START_FD_CONTROL, START_FD_PROGRAM, START_FD_RULESET, START_FD_CWD, START_FD_SPEC, START_FDS };

/* Never returns.  fds: START_FDS of them, then the command's (close-on-exec, any numbers). */
void __attribute__((noreturn)) init_main(const int *fds, size_t nfds);

#endif
