/* What a fresh network namespace needs beyond its loopback: addresses of its own.  Called by a process with CAP_NET_ADMIN over it; blocks no longer than the
 * kernel takes to answer. */
#ifndef SANDBOX_NETLINK_H
#define SANDBOX_NETLINK_H

/* A close-on-exec rtnetlink socket of the caller's network namespace, or -errno. */
int netlink_open(void);
/* Makes everything in address/prefix (network order; AF_INET or AF_INET6) the namespace's own, on the loopback: it can be bound to and connected to.
 * 0 or -errno; what is its own already is no error. */
int netlink_own(int sock, int family, const void *address, unsigned prefix);

#endif
