/* init of a sandbox: PID 1 of its PID namespace where it has one.  Forked by the zygote for one start; holds nothing secret. */
#ifndef SANDBOX_INIT_H
#define SANDBOX_INIT_H

#include <stdbool.h>

/* The descriptors that come with INIT_START, in this order, then the command's own. */
enum start_fd { START_FD_PROGRAM, START_FD_RULESET, START_FD_SPEC, START_FDS };

struct nameservers; /* launcher/names/nameservers.h */

/* Never returns.  control: the socket to the session.  cwd: the command's working directory, a handle.  servers: it was cloned into a PID namespace,
 * and makes the others, with that in them; NULL: it was not.  It does so while the supervisor still prepares what INIT_START brings. */
void __attribute__((noreturn)) init_main(int control, int cwd, const struct nameservers *servers);

#endif
