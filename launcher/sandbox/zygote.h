/* The zygote: forked by the supervisor before it has threads, single-threaded, with nothing secret in its memory (its environment is wiped).  It forks an
 * init for each start.  An ordinary user's zygote lives in a user namespace, so that each init can have namespaces of its own. */
#ifndef SANDBOX_ZYGOTE_H
#define SANDBOX_ZYGOTE_H

#include <stdbool.h>
#include <sys/types.h>

struct zygote {
	pid_t pid;
	int sock; /* supervisor's end */
};

struct nameservers; /* launcher/names/nameservers.h */

/* Forks it.  argv and envp: the process's own strings, overwritten in the zygote.  user_namespace: make one.  servers: in every sandbox with namespaces; read
 * in the zygote alone.  0 or -errno. */
int zygote_start(struct zygote *z, bool user_namespace, const struct nameservers *servers, char **argv, char **envp);
/* Waits until it can fork inits; what it could not do (the user namespace) is told here (-errno), never later. */
int zygote_ready(struct zygote *z);

/* Kills it, if it was forked; so every init and what lives below it ends. Any thread. */
void zygote_kill(struct zygote *z);

/* Has an init forked, which waits on the other end of control for INIT_START.  It is not waited for: INIT_BORN comes on control, with the pid, or
 * INIT_FAILED.  The descriptors stay the caller's, which closes its copy of control: so a dead zygote is a hang-up.  0 or -errno.  Any thread. */
int zygote_order(const struct zygote *z, bool namespaces, int control, int cwd);

#endif
