#include "own_net.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "launcher/base/fd.h"
#include "launcher/names/names.h"
#include "netlink.h"

#define BACKLOG 128

static socklen_t length_of(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* Makes the address the namespace's own.  0 or -errno. */
static int own(int route, const struct sockaddr_storage *sa)
{
	struct pw_address address;
	unsigned port;

	return sockaddr_inet(sa, &address, &port) ? netlink_own(route, (int)address.family, address.bytes, address.family == AF_INET ? 32 : 128) : -EAFNOSUPPORT;
}

/* Or -errno. */
static int socket_at(const struct sockaddr_storage *sa, int type)
{
	int one = 1;
	cleanup_fd int sock = socket(sa->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* An address that is the namespace's by a route alone: IPv6 asks for this to bind to one. */
	if (sock < 0 || (sa->ss_family == AF_INET6 && setsockopt(sock, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one) < 0) ||
	    bind(sock, (const struct sockaddr *)sa, length_of(sa)) < 0 || (type == SOCK_STREAM && listen(sock, BACKLOG) < 0))
		return -errno;
	return steal_fd(&sock);
}

size_t own_net_make(const struct nameservers *servers, int sockets[OWN_NET_SOCKETS])
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
	cleanup_fd int route = netlink_open();
	size_t n = 0;

	if (route < 0)
		return 0;
	for (size_t i = 0; i < servers->n; i++) {
		const struct sockaddr_storage *sa = &servers->at[i];

		own(route, sa); /* what is the loopback's anyway is no error */
		for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
			int sock = socket_at(sa, types[t]);
			if (sock >= 0)
				sockets[n++] = sock;
		}
	}
	return n;
}

int own_net_door(const struct sockaddr_storage *sa)
{
	cleanup_fd int route = netlink_open();
	int error = route < 0 ? route : own(route, sa);

	return error < 0 ? error : socket_at(sa, SOCK_STREAM);
}
