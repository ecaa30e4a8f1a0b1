/* connect() of a sandbox without a network namespace: to its own listeners on the machine's loopback, and to AF_UNIX sockets in its own folders.
 *
 * Never on the caller's socket, which nothing but its number stands for: a new one is connected, to our own copy of the address, and takes the number when it
 * is known who has answered.  So a thread that swaps address or descriptor wins nothing.  What is lost: registrations with epoll and copies (dup) that
 * were made before; a server that asks for its peer's credentials on an AF_UNIX socket gets the supervisor's. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/listening.h"
#include "launcher/supervise/own_sockets.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/target.h"

/* --- what the caller's number is ------------------------------------------------------------------- */

int sockets_inode(pid_t tid, int fd, ino_t *inode)
{
	char path[64], link[64] = "";
	unsigned long number;
	ssize_t len;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)tid, fd);
	len = fd < 0 ? -1 : readlink(path, link, sizeof link - 1);
	if (len < 0)
		return -EBADF;
	if (sscanf(link, "socket:[%lu]", &number) != 1)
		return -ENOTSOCK;
	*inode = number;
	return 0;
}

/* As fdinfo has them. */
bool connect_place(const struct seccomp_notif *req, struct in_place *place)
{
	char path[64], line[128];
	int fd = (int)req->data.args[0];
	unsigned flags = 0;
	bool found = false;
	FILE *file;

	*place = (struct in_place){0};
	snprintf(path, sizeof path, "/proc/%u/fdinfo/%d", req->pid, fd);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof line, file))
		found = sscanf(line, "flags: %o", &flags) == 1;
	if (file)
		fclose(file);
	place->number = fd;
	place->fd_flags = flags & O_CLOEXEC;
	place->nonblocking = flags & O_NONBLOCK;
	return found;
}

/* --- TCP ------------------------------------------------------------------------------------------- */

/* What programs set before they connect and rely on afterwards.  Buffers are left to the kernel, which tunes them. */
static void copy_options(int from, int to)
{
	static const struct {
		int level, name;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_LINGER}, {SOL_SOCKET, SO_OOBINLINE}, {SOL_SOCKET, SO_RCVTIMEO}, {SOL_SOCKET, SO_SNDTIMEO},
		{SOL_SOCKET, SO_RCVLOWAT}, {SOL_SOCKET, SO_REUSEADDR}, {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL},
		{IPPROTO_TCP, TCP_KEEPCNT}, {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_TCP, TCP_QUICKACK}, {IPPROTO_IPV6, IPV6_V6ONLY},
	};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		char value[64];
		socklen_t len = sizeof value;

		if (!getsockopt(from, options[i].level, options[i].name, value, &len))
			setsockopt(to, options[i].level, options[i].name, value, len); /* as far as it goes */
	}
}

/* A v4 address as a mapped one. */
static void unify(const struct sockaddr_storage *sa, struct in_place *place)
{
	struct pw_address address;

	sockaddr_inet(sa, &address, &place->port); /* the caller has looked at the family */
	sockaddr_mapped(&address, place->address.s6_addr);
}

/* Does everybody to whom the connection could come belong to the sandbox? */
static bool own_listeners(const struct sandbox *sb, struct in_place *place)
{
	place->listeners = listening_who(&place->address, place->port, place->listener, IN_PLACE_LISTENERS);
	if (place->listeners < 1 || place->listeners > IN_PLACE_LISTENERS)
		return false;
	for (int i = 0; i < place->listeners; i++) {
		if (!own_sockets_owns(sb->own, place->listener[i]))
			return false;
	}
	return true;
}

/* A new socket for the caller's, to a listener of the sandbox or to the relay: either is on the loopback. */
static struct reply connect_loopback(struct sandbox *sb, const struct seccomp_notif *req, const struct own_socket *its, const struct sockaddr_storage *sa,
                                     socklen_t len, struct in_place *place)
{
	cleanup_fd int sock = -1;
	int family = sa->ss_family;
	socklen_t size = sizeof family;
	struct reply reply;

	if (its && its->fd >= 0 && getsockopt(its->fd, SOL_SOCKET, SO_DOMAIN, &family, &size))
		return reply_error(EACCES);
	if (family == AF_INET && sa->ss_family == AF_INET6)
		return reply_error(EAFNOSUPPORT);
	sock = own_sockets_make(family, 0);
	if (sock < 0)
		return reply_error(-sock);
	if (its && its->fd >= 0)
		copy_options(its->fd, sock);
	own_sockets_keep(sb->own, sock, OWN_CONNECTED); /* under its inode, should it be connected again */
	if (connect_relayed(sb, req, &sock, sa, len, place, &reply))
		return reply;
	return connect_in_place(sb, req, steal_fd(&sock), -1, sa, len, place);
}

static struct reply connect_tcp(struct sandbox *sb, const struct seccomp_notif *req, ino_t inode, const struct sockaddr_storage *sa, socklen_t len,
                                const struct sockaddr_text *to, struct in_place *place)
{
	const struct own_socket *its = own_sockets_find(sb->own, inode);

	if (its && its->state == OWN_CONNECTED)
		return reply_error(EISCONN);
	if (connect_is_relayed(sb, sa))
		return connect_loopback(sb, req, its, sa, len, place);
	if (!to->loopback) {
		connect_record_outside(sb, req, to, SOCK_STREAM);
		return reply_error(ENETUNREACH);
	}
	unify(sa, place);
	if (own_listeners(sb, place))
		return connect_loopback(sb, req, its, sa, len, place);
	connect_record_loopback(sb, req, to);
	return reply_error(ECONNREFUSED);
}

/* --- AF_UNIX ---------------------------------------------------------------------------------------- */

static struct reply connect_local(struct sandbox *sb, const struct seccomp_notif *req, ino_t inode, const struct sockaddr_storage *sa, socklen_t len,
                                  const struct in_place *place)
{
	bool connected;
	int type, sock;

	if (!listening_unix(inode, &type, &connected))
		return own_sockets_find(sb->own, inode) ? reply_error(EAFNOSUPPORT) : connect_unix_refused(sb, req, sa, len);
	if (connected)
		return reply_error(EISCONN);
	if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
		return reply_error(EACCES);
	/* A full backlog is EAGAIN to who does not wait. */
	sock = socket(AF_UNIX, type | SOCK_CLOEXEC | (place->nonblocking ? SOCK_NONBLOCK : 0), 0);
	return sock < 0 ? reply_error(errno) : connect_unix_plain(sb, req, sock, sa, len, place);
}

struct reply connect_plain(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, socklen_t len)
{
	int fd = (int)req->data.args[0], error;
	struct in_place place = {0};
	struct sockaddr_text to;
	ino_t inode;

	error = sockets_inode((pid_t)req->pid, fd, &inode);
	if (!error && !connect_place(req, &place))
		error = -EBADF;
	if (!target_alive(sb, req))
		return reply_error(ESRCH);
	/* What is meant is written down, also where it goes nowhere. */
	if (error) {
		if (sockaddr_describe(sa, len, &to))
			connect_record_outside(sb, req, &to, 0);
		return reply_error(-error);
	}
	if (!sockaddr_describe(sa, len, &to)) {
		const struct own_socket *its = own_sockets_find(sb->own, inode);

		/* AF_UNSPEC takes a connection away: of one that has none there is none to take. */
		return to.family == AF_UNSPEC && its && its->state != OWN_CONNECTED ? reply_value(0) : reply_error(to.family == AF_UNSPEC ? EACCES : EINVAL);
	}
	if (to.family == AF_UNIX)
		return connect_local(sb, req, inode, sa, len, &place);
	return connect_tcp(sb, req, inode, sa, len, &to, &place);
}
