/* What a sandbox's own network namespace holds beside its loopback: the machine's nameservers' addresses, at which the supervisor answers (supervise/stub.h),
 * and the networks whose addresses stand for allowed hosts (supervise/stand_in.h).  Nothing leads out of it. */
#ifndef SANDBOX_OWN_NET_H
#define SANDBOX_OWN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "launcher/names/nameservers.h"

/* In network order. */
struct own_network4 { uint8_t address[4]; unsigned prefix; };
struct own_network6 { uint8_t address[16]; unsigned prefix; };

struct own_net {
	struct nameservers servers;
	struct own_network4 stand_in4; /* prefix 0: none */
	struct own_network6 stand_in6;
};

#define OWN_NET_SOCKETS (2 * NAMESERVERS_MAX)

/* In the namespace, with CAP_NET_ADMIN and CAP_NET_BIND_SERVICE over it.  sockets: a datagram and a listening stream socket, both close-on-exec and non-blocking,
 * for each nameserver's address, as far as there can be (without IPv6 there are fewer); the caller's.  How many. */
size_t own_net_make(const struct own_net *net, int sockets[OWN_NET_SOCKETS]);

#endif
