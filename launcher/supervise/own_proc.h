/* /proc where a sandbox has none of its own: everybody's processes are in it, so no rule grants it.  What is of the sandbox's own processes is served. */
#ifndef SUPERVISE_OWN_PROC_H
#define SUPERVISE_OWN_PROC_H

#include "target.h"

/* The process whose folder of /proc the real path is in or is, or 0: no process's, or something that tells of others too (its net: the machine's sockets).  Pure. */
pid_t own_proc_pid(const char *real);

/* Serves a reading open in /proc of a process of the sandbox: true with *reply.  What is pinned is of one process for good, whoever gets its number later.
 * False where the sandbox has a /proc of its own, and for everything else.  Listener threads. */
bool own_proc_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply);

#endif
