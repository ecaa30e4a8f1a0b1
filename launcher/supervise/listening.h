/* Who listens, by the kernel's own lists: in the network namespace of a task, or in ours (LISTENING_OURS).  A listener can come and go between the look and a
 * connect: a decision looks again when it is connected. */
#ifndef SUPERVISE_LISTENING_H
#define SUPERVISE_LISTENING_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#define LISTENING_OURS 0
#define LISTENING_STILL_MAX 4 /* of whom listening_still can be asked */

/* A TCP port, on whatever address. */
bool listening_tcp(pid_t task, unsigned port);
/* In our namespace: the inodes of the sockets that a TCP connection to this address could come to, in ascending order; an IPv4 address is a mapped one.
 * Their number, which may be more than max; -1 where it cannot be seen. */
int listening_who(const struct in6_addr *address, unsigned port, ino_t *inodes, int max);

/* Are they still the same, `count` of them, who listen there? */
bool listening_still(const struct in6_addr *address, unsigned port, const ino_t *inodes, int count);

/* In our namespace: the type of an AF_UNIX socket, and whether it is connected.  False: there is none of that inode. */
bool listening_unix(ino_t inode, int *type, bool *connected);

/* An abstract AF_UNIX name, "@name" as sockaddr_describe writes it. */
bool listening_abstract(pid_t task, const char *name);

#endif
