/* Who listens, by the kernel's own lists: in the network namespace of a task, or in ours (LISTENING_OURS).  For the record, never for a decision: a listener
 * can come and go between the look and a connect. */
#ifndef SUPERVISE_LISTENING_H
#define SUPERVISE_LISTENING_H

#include <stdbool.h>
#include <sys/types.h>

#define LISTENING_OURS 0

/* A TCP port, on whatever address. */
bool listening_tcp(pid_t task, unsigned port);
/* An abstract AF_UNIX name, "@name" as sockaddr_describe writes it. */
bool listening_abstract(pid_t task, const char *name);

#endif
