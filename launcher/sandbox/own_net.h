/* What a sandbox's own network namespace holds beside its loopback: the machine's nameservers' addresses, at which the supervisor answers (supervise/stub.h), and those
 * of allowed hosts' stand-ins, once they are connected to (supervise/doors.h).  Nothing leads out of it. */
#ifndef SANDBOX_OWN_NET_H
#define SANDBOX_OWN_NET_H

#include <stddef.h>

#include "launcher/names/nameservers.h"

#define OWN_NET_SOCKETS (2 * NAMESERVERS_MAX)

/* In the namespace, with CAP_NET_ADMIN and CAP_NET_BIND_SERVICE over it.  sockets: a datagram and a listening stream socket, both close-on-exec and non-blocking,
 * for each nameserver's address, as far as there can be (without IPv6 there are fewer); the caller's.  How many. */
size_t own_net_make(const struct nameservers *servers, int sockets[OWN_NET_SOCKETS]);

/* In the namespace, by its init: a listening socket at an address that becomes the namespace's own, non-blocking and close-on-exec; or -errno. */
int own_net_door(const struct sockaddr_storage *sa);

#endif
