#include "own_net.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "launcher/base/fd.h"
#include "netlink.h"

#define BACKLOG 128

static socklen_t length_of(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static const void *bytes_of(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	return sa->ss_family == AF_INET ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr;
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

		netlink_own(route, sa->ss_family, bytes_of(sa), sa->ss_family == AF_INET ? 32 : 128); /* what is the loopback's anyway is no error */
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
	int error;

	if (sa->ss_family != AF_INET && sa->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	error = route < 0 ? route : netlink_own(route, sa->ss_family, bytes_of(sa), sa->ss_family == AF_INET ? 32 : 128);
	return error < 0 ? error : socket_at(sa, SOCK_STREAM);
}
