/* connect() of build and guest: done by the supervisor, on a duplicate of the caller's own socket, with our own copy of the address.
 *
 * Nothing here CONTINUEs where an AF_UNIX socket can exist: descriptors and memory can be swapped by another thread at any moment, and what we look at
 * (the socket behind the duplicate, the copied address, the pinned inode) is what we act on.  The network namespace bounds inet; unix_connect.c bounds paths. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/listening.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/stub.h"
#include "launcher/supervise/target.h"

#ifndef SO_NETNS_COOKIE /* 5.14 */
#define SO_NETNS_COOKIE 71
#endif

static bool netns_cookie(int sock, uint64_t *cookie)
{
	socklen_t len = sizeof *cookie;

	return getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &len) == 0 && len == sizeof *cookie;
}

/* No socket of our own namespace is ever connected for a sandbox, whatever way it came to have one. */
static bool is_of_our_namespace(int sock)
{
	cleanup_fd int ours = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t its_cookie, our_cookie;

	if (ours < 0 || !netns_cookie(sock, &its_cookie) || !netns_cookie(ours, &our_cookie))
		return true;
	return its_cookie == our_cookie;
}

static bool is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

/* Writes down what is not loopback. */
void connect_record_outside(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to, int type)
{
	/* connect() of a datagram socket sends nothing: getaddrinfo sorts addresses by it (RFC 6724). */
	const char *rule = type == SOCK_DGRAM ? "net.outside.probe" : "net.outside";
	const char *protocol = type == SOCK_DGRAM ? "udp" : type == SOCK_STREAM ? "tcp" : NULL;

	if (is_inet(to->family) && !to->loopback)
		sockets_record_outside(sb, req, "net.connect", rule, to, protocol);
}

/* Ports by which a machine's daemons are commanded: container engines, key stores, browsers and phones under a debugger, kubelets, Tor. */
static bool is_daemons_port(unsigned port)
{
	static const unsigned ports[] = {2375, 2376, 5037, 6379, 8200, 8888, 9050, 9150, 9222, 10250};

	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

/* Where nothing of the sandbox listens, somebody outside was meant.  An honest client that is there before its server is written down as well, as info. */
void connect_record_loopback(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to)
{
	const char *rule = "net.loopback";

	if (is_daemons_port(to->port) && listening_tcp(LISTENING_OURS, to->port))
		rule = "net.loopback.daemon";
	sockets_record(sb, req, "net.connect", policy_rule(supervisor_policy(sb->sup), rule), to, NULL, "tcp",
	               "nothing of the sandbox listens there, and what the machine has on its loopback is out of reach");
}

static void record_own_loopback(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to)
{
	if (to->port && !listening_tcp((pid_t)req->pid, to->port))
		connect_record_loopback(sb, req, to);
}

static struct reply connect_inet(struct sandbox *sb, const struct seccomp_notif *req, int sock, int type, const struct sockaddr_storage *sa,
                                 socklen_t len)
{
	struct sockaddr_text to;
	struct reply reply;

	/* What is asked at a nameserver's address is written down by name.  Resolvers point a datagram socket at every address that they were told, to sort them. */
	if (sockaddr_describe(sa, len, &to) && !stub_listens_at(sb, sa)) {
		if (type != SOCK_DGRAM || !connect_is_stand_in(sb, sa))
			connect_record_outside(sb, req, &to, type);
		if (is_inet(to.family) && to.loopback && type == SOCK_STREAM)
			record_own_loopback(sb, req, &to);
	}
	if (type == SOCK_STREAM)
		return connect_later(sb, req, sock, -1, sa, len);
	reply = connect(sock, (const struct sockaddr *)sa, len) ? reply_error(errno) : reply_value(0); /* datagram: never blocks */
	close(sock);
	return reply;
}

/* Towards the kernel only: the supervisor may have capabilities that the caller has not, and would lend them to it. */
static struct reply connect_netlink(int sock, const struct sockaddr_storage *sa, socklen_t len)
{
	cleanup_fd int owned = sock;
	struct sockaddr_nl nl;

	if (len < sizeof nl)
		return reply_error(EINVAL);
	memcpy(&nl, sa, sizeof nl);
	if (nl.nl_family != AF_UNSPEC && (nl.nl_pid || nl.nl_groups))
		return reply_error(EPERM);
	return connect(owned, (const struct sockaddr *)&nl, sizeof nl) ? reply_error(errno) : reply_value(0);
}

static struct reply connect_duplicate(struct sandbox *sb, const struct seccomp_notif *req, int sock, const struct sockaddr_storage *sa, socklen_t len)
{
	cleanup_fd int owned = sock;
	int domain, type;
	socklen_t size = sizeof domain;
	struct reply reply;

	if (getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &size))
		return reply_error(errno); /* ENOTSOCK */
	size = sizeof type;
	if (getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &size))
		return reply_error(errno);
	if (is_of_our_namespace(sock))
		return reply_error(EACCES);
	if (is_inet(domain) && type == SOCK_STREAM && is_inet(sa->ss_family) && connect_relayed(sb, req, &owned, sa, len, NULL, &reply))
		return reply;
	/* The socket's family decides, not the address's: the kernel dispatches by the socket. */
	switch (domain) {
	case AF_INET:
	case AF_INET6:
		if (type != SOCK_STREAM && type != SOCK_DGRAM)
			return reply_error(EACCES);
		return connect_inet(sb, req, steal_fd(&owned), type, sa, len);
	case AF_UNIX:
		if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
			return reply_error(EACCES);
		return connect_unix(sb, req, steal_fd(&owned), sa, len);
	case AF_NETLINK:
		return connect_netlink(steal_fd(&owned), sa, len);
	default:
		return reply_error(EACCES);
	}
}

/* The address as it stands in the caller's memory: where no connect is made, or none by us. */
static void record_shown(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, socklen_t len)
{
	struct sockaddr_text to;

	if (sockaddr_describe(sa, len, &to) && !stub_listens_at(sb, sa))
		connect_record_outside(sb, req, &to, 0);
}

/* In a network namespace, on a machine that lets us not duplicate descriptors. */
static struct reply connect_undoubled(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, socklen_t len)
{
	if (sa->ss_family == AF_UNIX)
		return connect_unix_refused(sb, req, sa, len);
	record_shown(sb, req, sa, len);
	/* CONTINUE: here the filter refuses socket(AF_UNIX), so no AF_UNIX socket that is not connected already exists in the sandbox to be swapped in for
	 * this one; an inet socket, whatever address a racing thread puts there, reaches its own network namespace's loopback and nothing else. */
	return reply_continue("connect.namespace");
}

/* Under --audit: nothing is connected for the caller, what would be refused is written down. */
static struct reply connect_audited(struct sandbox *sb, const struct seccomp_notif *req)
{
	socklen_t len = (uint32_t)req->data.args[2];
	cleanup_fd int sock = target_fd(sb, req, (int)req->data.args[0]);
	struct sockaddr_storage sa;
	struct sockaddr_text to;
	int type = 0;
	socklen_t size = sizeof type;

	memset(&sa, 0, sizeof sa);
	if (target_sockaddr(sb, req, req->data.args[1], len, &sa) || !sockaddr_describe(&sa, len, &to))
		return reply_error(EACCES);
	if (sock >= 0 && getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &size))
		type = 0;
	/* An abstract name would be one of the sandbox's own network namespace, where it has one. */
	if (to.family == AF_UNIX && !(to.abstract_name && sb->namespaces))
		return connect_unix_refused(sb, req, &sa, len);
	connect_record_outside(sb, req, &to, type);
	return reply_error(EACCES); /* which --audit lets go on */
}

struct reply handle_connect(struct sandbox *sb, const struct seccomp_notif *req)
{
	/* The kernel takes ints: the upper halves of the registers are nobody's. */
	int fd = (int)req->data.args[0];
	socklen_t len = (uint32_t)req->data.args[2];
	struct sockaddr_storage sa;
	cleanup_fd int sock = -1;
	bool doubles = supervisor_caps(sb->sup)->pidfd_getfd;
	int error;

	if (sb->role == ROLE_INSTALLER)
		return connect_installer(sb, req);
	if (sb->audit)
		return connect_audited(sb, req);
	if (sb->namespaces && doubles) {
		sock = target_fd(sb, req, fd);
		if (sock == -EBADF || sock == -ESRCH)
			return reply_error(-sock); /* as connect() says it, before it looks at the address */
	}
	memset(&sa, 0, sizeof sa);
	error = target_sockaddr(sb, req, req->data.args[1], len, &sa);
	if (error)
		return reply_error(-error);
	if (sock >= 0)
		return connect_duplicate(sb, req, steal_fd(&sock), &sa, len);
	if (sb->namespaces && !doubles)
		return connect_undoubled(sb, req, &sa, len);
	if (!sb->namespaces && sb->own)
		return connect_plain(sb, req, &sa, len);
	/* This one descriptor could not be looked at: refused. */
	if (sa.ss_family == AF_UNIX)
		return connect_unix_refused(sb, req, &sa, len);
	record_shown(sb, req, &sa, len);
	return reply_error(EACCES);
}
