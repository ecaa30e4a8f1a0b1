/* connect() on an AF_UNIX socket of a sandbox: done in namespaces of its own, refused without.
 *
 * An abstract name belongs to the socket's network namespace, which connect.c has looked at.  A path is resolved in the caller's place, the object it leads to is
 * pinned, the kernel is asked where that object lies, and it is the pinned inode that is connected to, through /proc/self/fd: a link or a
 * directory that changes meanwhile changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "launcher/base/fd.h"
#include "launcher/names/names.h"
#include "launcher/supervise/bus.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/grants.h"
#include "launcher/supervise/listening.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/place.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/target.h"

/* The sandbox's own /dev/shm is a file system that ours is not. */
static bool in_own_shm(const char *path, int fd)
{
	struct stat it, ours;

	return pathtext_below(path, "/dev/shm") && !fstat(fd, &it) && !stat("/dev/shm", &ours) && it.st_dev != ours.st_dev;
}

/* Its own, or the agent that a helper is for.  By what the kernel says of the pinned object: the text of the walk may have been outdated by a rename. */
static bool is_own_place(const struct sandbox *sb, int fd, bool *bus)
{
	char link[64], real[4096];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, real, sizeof real - 1);
	if (len <= 0)
		return false;
	real[len] = 0;
	*bus = bus_is(sb, real) && !grants_place(sb, real);
	return *bus || grants_write(sb, real) || in_own_shm(real, fd) || grants_place(sb, real);
}

static struct reply connect_pinned(struct sandbox *sb, const struct seccomp_notif *req, int sock, int pinned)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d", pinned);
	return connect_later(sb, req, sock, pinned, &un, sizeof un);
}

static struct reply refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *path, const char *as_written)
{
	sockets_record_unix(sb, req, path, as_written);
	return reply_error(EACCES);
}

/* The socket that path leads to, pinned, where it is the sandbox's own; *bus: a message bus, of which it may ask for passwords.  -1: *reply is what the call gets,
 * and what is not the sandbox's is written down. */
static int own_socket(struct sandbox *sb, const struct seccomp_notif *req, const char *path, bool *bus, struct reply *reply)
{
	cleanup_fd int pinned = -1;
	struct resolved to = {.fd = -1};
	struct stat st;
	int error = target_resolve(sb, req, AT_FDCWD, path, true, true, &to);

	pinned = error ? -1 : to.fd;
	if (error == -ESRCH)
		*reply = reply_error(ESRCH);
	else if (error && to.real[0] && grants_write(sb, to.real))
		*reply = reply_error(-error); /* a missing folder, say: as far as it got it is the sandbox's own */
	else if (error)
		*reply = refuse(sb, req, to.real[0] ? to.real : path, path);
	else if (to.proc_foreign || !is_own_place(sb, pinned, bus))
		*reply = refuse(sb, req, to.real, path);
	else if (to.missing)
		*reply = reply_error(ENOENT);
	else if (fstat(pinned, &st))
		*reply = reply_error(errno);
	else if (!S_ISSOCK(st.st_mode))
		*reply = reply_error(ECONNREFUSED); /* what the kernel says */
	else if (st.st_nlink != 1) /* two names: one of them may lie outside (a hard link to somebody's agent) */
		*reply = refuse(sb, req, to.real, path);
	else
		return steal_fd(&pinned);
	return -1;
}

struct reply connect_unix_plain(struct sandbox *sb, const struct seccomp_notif *req, int sock, const struct sockaddr_storage *sa, socklen_t len,
                                const struct in_place *place)
{
	cleanup_fd int owned = sock, pinned = -1;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_text to;
	struct reply reply;
	bool bus = false;

	if (!sockaddr_describe(sa, len, &to))
		return reply_error(EINVAL);
	/* Abstract names are the whole machine's here, and nothing says whose one is. */
	if (to.abstract_name)
		return refuse(sb, req, to.address, to.address);
	pinned = own_socket(sb, req, to.address, &bus, &reply);
	if (pinned < 0)
		return reply;
	if (bus)
		return bus_connect(sb, req, steal_fd(&pinned), place);
	snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d", pinned);
	return connect_in_place(sb, req, steal_fd(&owned), steal_fd(&pinned), &un, sizeof un, place);
}

static struct reply connect_path(struct sandbox *sb, const struct seccomp_notif *req, int sock, const char *path)
{
	cleanup_fd int owned = sock;
	struct in_place place;
	struct reply reply;
	bool bus = false;
	int pinned = own_socket(sb, req, path, &bus, &reply);

	if (pinned >= 0 && bus && connect_place(req, &place))
		return bus_connect(sb, req, pinned, &place);
	if (pinned >= 0 && bus) {
		close(pinned);
		return reply_error(EBADF);
	}
	return pinned < 0 ? reply : connect_pinned(sb, req, steal_fd(&owned), pinned);
}

/* Refused for want of a way to connect it, not for what it is: an honest program has done nothing wrong. */
static struct reply refuse_own(struct sandbox *sb, const struct seccomp_notif *req, const char *path)
{
	struct event ev = {
		.type = "ipc.connect",
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(sb->sup), "net.unix.own"),
		.source = SRC_KERNEL,
		.target = {.path = path, .as_written = path, .protocol = "unix"},
		.detail = "on this machine a sandbox cannot be connected to its own sockets either",
	};

	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(EACCES);
}

struct reply connect_unix_refused(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, socklen_t len)
{
	cleanup_fd int pinned = -1;
	struct sockaddr_text to;
	struct reply reply;
	bool bus = false;

	if (!sockaddr_describe(sa, len, &to) || to.family != AF_UNIX)
		return reply_error(EACCES);
	if (to.abstract_name)
		return refuse(sb, req, to.address, to.address);
	pinned = own_socket(sb, req, to.address, &bus, &reply);
	if (pinned >= 0 && sb->audit && sb->namespaces)
		return reply_continue("connect.audit"); /* --audit: the sandbox's own, and it could be connected to it */
	return pinned < 0 ? reply : refuse_own(sb, req, to.address);
}

/* The kernel will say that nobody of the sandbox has the name.  Somebody outside was meant where there is one, or where everybody knows who has it; otherwise
 * it is a client that is there before its server. */
static void record_abstract(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to)
{
	if (listening_abstract((pid_t)req->pid, to->address))
		return;
	if (strcmp(place_rule(to->address), "net.unix") || listening_abstract(LISTENING_OURS, to->address))
		sockets_record_unix(sb, req, to->address, to->address);
}

struct reply connect_unix(struct sandbox *sb, const struct seccomp_notif *req, int sock, const struct sockaddr_storage *sa, socklen_t len)
{
	struct sockaddr_text to;

	if (!sockaddr_describe(sa, len, &to) || to.family != AF_UNIX) {
		close(sock);
		return reply_error(EINVAL); /* AF_UNSPEC too: a stream cannot be disconnected */
	}
	if (to.abstract_name) {
		record_abstract(sb, req, &to);
		return connect_later(sb, req, sock, -1, sa, len);
	}
	return connect_path(sb, req, sock, to.address);
}
