/* socket, socketpair and the sends: what the filter did not let pass by itself comes here to be written down. connect() is connect.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "launcher/supervise/own_sockets.h"
#include "launcher/supervise/place.h"
#include "launcher/supervise/seen.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/stub.h"
#include "launcher/supervise/sweep.h"
#include "launcher/supervise/target.h"

/* The kernel's own bound is 1024 (UIO_MAXIOV); the first few tell where it goes. */
#define MESSAGES_LOOKED_AT 8

struct verdict sockets_verdict(const struct sandbox *sb, const struct sockaddr_text *to, const char *rule)
{
	const struct policy *p = supervisor_policy(sb->sup);
	struct verdict verdict;

	if (policy_address_denied(p, to->address, &verdict))
		return verdict;
	/* Programs find their own address by a datagram socket connected to a public resolver, and send nothing. */
	if (strcmp(rule, "net.outside.probe") && policy_host_watched(p, to->address, &verdict))
		return verdict;
	return policy_rule(p, rule);
}

const char *sockets_hint(const struct sandbox *sb)
{
	if (sb->role == ROLE_INSTALLER)
		return "pip may contact the hosts of its own configuration only; --allow-host HOST adds one";
	if (sb->role == ROLE_GUEST)
		return "what is run has no network; --allow-host HOST opens a host to it";
	if (sb->role == ROLE_CREDENTIAL && !sb->requirement)
		return "a program that is asked for passwords has no network; --allow-host credential:HOST opens a host to it";
	if (sb->requirement) /* and its ssh */
		return "a version control tool may contact its requirement's host only, at that URL's port; --allow-host vcs:HOST adds one";
	return "code of a package has no network; --allow-host build:HOST opens a host to it";
}

const char *sockets_hint_host(const struct sandbox *sb, const char *host, char hint[SOCKETS_HINT_MAX])
{
	if (sb->requirement && *host) {
		snprintf(hint, SOCKETS_HINT_MAX, "submodules and redirections lead to hosts that the requirement does not name; --allow-host vcs:%s allows this one", host);
		return hint;
	}
	if (sb->role != ROLE_INSTALLER || !*host)
		return sockets_hint(sb);
	snprintf(hint, SOCKETS_HINT_MAX, "--allow-host %s, or for good in a policy file: \"network\": {\"installer\": [\"@index\", \"%s\"]}", host, host);
	return hint;
}

void sockets_record(struct sandbox *sb, const struct seccomp_notif *req, const char *type, struct verdict verdict, const struct sockaddr_text *to,
                    const char *host, const char *protocol, const char *detail)
{
	struct event ev = {
		.type = type,
		.action = EV_DENIED,
		.verdict = verdict,
		.source = SRC_KERNEL,
		.target = {.host = host, .address = to->address, .port = to->port, .protocol = protocol},
		.detail = detail,
	};

	supervisor_record(sb, (pid_t)req->pid, &ev);
}

/* Sixteen bytes, which whoever is on the way would read. */
static void look_at_address(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to)
{
	struct in6_addr bytes;

	if (to->family == AF_INET6 && inet_pton(AF_INET6, to->address, &bytes) == 1)
		decoy_seen_data(sb, (pid_t)req->pid, &(struct seen_place){.in = SEEN_ADDRESS, .port = to->port, .stopped = true}, &bytes, sizeof bytes);
}

void sockets_record_outside(struct sandbox *sb, const struct seccomp_notif *req, const char *type, const char *rule, const struct sockaddr_text *to,
                            const char *protocol)
{
	struct verdict verdict = sockets_verdict(sb, to, rule);
	struct sockaddr_text network = *to;

	/* What a rule of its own calls by name is never folded away. */
	if (!strcmp(verdict.rule, "net.outside") && sweep_folds(sb->sweep, &network))
		verdict = policy_rule(supervisor_policy(sb->sup), "net.sweep");
	sockets_record(sb, req, type, verdict, &network, NULL, protocol, sockets_hint(sb));
	look_at_address(sb, req, to);
}

/* No sign of intent: a key store's client looks for the desktop's as well, and ssh asks the agent that the user's configuration names, and goes on without one. */
static const char *unix_rule(const struct sandbox *sb, const char *path)
{
	const char *rule = place_rule(path);

	if (sb->role == ROLE_CREDENTIAL && (!strcmp(rule, "net.unix.dbus") || !strcmp(rule, "net.unix.display")))
		return "net.unix.helper";
	return sb->role == ROLE_VCS && !strcmp(rule, "net.unix.agent") ? "net.unix.agent.tool" : rule;
}

void sockets_record_unix(struct sandbox *sb, const struct seccomp_notif *req, const char *path, const char *as_written)
{
	struct event ev = {
		.type = "ipc.connect",
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(sb->sup), unix_rule(sb, path)),
		.source = SRC_KERNEL,
		.target = {.path = path, .as_written = as_written, .protocol = "unix"},
		.detail = sb->role == ROLE_CREDENTIAL ? "it may be its agent, or more than that: --allow-read credential:SOCKET lets it be connected to"
		                                      : "only sockets of the sandbox itself can be connected to",
	};

	supervisor_record(sb, (pid_t)req->pid, &ev);
}

/* --- socket, socketpair ------------------------------------------------------------------------ */

static const char *family_name(int family)
{
	switch (family) {
	case AF_UNIX: return "AF_UNIX";
	case AF_INET: return "AF_INET";
	case AF_INET6: return "AF_INET6";
	case AF_NETLINK: return "AF_NETLINK";
	case AF_PACKET: return "AF_PACKET";
	case AF_KEY: return "AF_KEY";
	case AF_ALG: return "AF_ALG";
	case AF_VSOCK: return "AF_VSOCK";
	case AF_XDP: return "AF_XDP";
	case AF_TIPC: return "AF_TIPC";
	case AF_BLUETOOTH: return "AF_BLUETOOTH";
	case AF_CAN: return "AF_CAN";
	case AF_RDS: return "AF_RDS";
	case AF_SMC: return "AF_SMC";
	default: return NULL;
	}
}

static const char *type_name(int type)
{
	switch (type) {
	case SOCK_STREAM: return "SOCK_STREAM";
	case SOCK_DGRAM: return "SOCK_DGRAM";
	case SOCK_RAW: return "SOCK_RAW";
	case SOCK_RDM: return "SOCK_RDM";
	case SOCK_SEQPACKET: return "SOCK_SEQPACKET";
	case SOCK_PACKET: return "SOCK_PACKET";
	default: return NULL;
	}
}

static void describe_socket(char *out, size_t size, int family, int type, int protocol)
{
	char family_text[16], type_text[16];

	snprintf(family_text, sizeof family_text, "%d", family);
	snprintf(type_text, sizeof type_text, "%d", type);
	snprintf(out, size, "%s/%s/%d", family_name(family) ? family_name(family) : family_text,
	         type_name(type) ? type_name(type) : type_text, protocol);
}

struct refusal {
	const char *rule;
	int error; /* what a program that copes with a machine without the thing expects */
};

static struct refusal refuse_inet(const struct sandbox *sb, int type, int protocol)
{
	if (type == SOCK_RAW || type == SOCK_PACKET)
		return (struct refusal){"net.socket.raw", EPERM}; /* as without CAP_NET_RAW */
	if (type == SOCK_DGRAM && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6))
		return (struct refusal){"net.socket.raw", EPROTONOSUPPORT}; /* ping sockets carry data */
	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return (struct refusal){"net.socket.family", EPROTONOSUPPORT};
	if (protocol != 0 && protocol != (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP))
		return (struct refusal){"net.socket.family", EPROTONOSUPPORT}; /* MPTCP (Go falls back to TCP), SCTP, UDPLITE */
	/* Plain TCP or UDP: refused as such only where there is no network namespace, or (datagrams) in the installer. */
	return (struct refusal){sb->role == ROLE_INSTALLER ? "net.socket.family" : "net.socket", EACCES};
}

static struct refusal refuse_socket(const struct sandbox *sb, int family, int type, int protocol)
{
	switch (family) {
	case AF_INET:
	case AF_INET6:
		return refuse_inet(sb, type, protocol);
	case AF_PACKET:
		return (struct refusal){"net.socket.raw", EPERM};
	case AF_UNIX:
		/* A datagram socket, even one of a pair, sends to any socket of the user; syslog(3) gives up silently. */
		return (struct refusal){"net.socket.family", EACCES};
	case AF_NETLINK:
		return (struct refusal){"net.socket.family", EPROTONOSUPPORT};
	default:
		return (struct refusal){"net.socket.family", EAFNOSUPPORT};
	}
}

static bool is_plain_tcp(int family, int type, int protocol)
{
	return (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);
}

/* Without a network namespace: a socket of the loopback's (own_sockets.h). */
static struct reply give_socket(struct sandbox *sb, int family, int flags)
{
	int fd;

	if (sb->audit)
		return reply_error(EACCES); /* which --audit lets go on */
	fd = own_sockets_make(family, flags & SOCK_NONBLOCK);
	if (fd < 0)
		return reply_error(-fd);
	own_sockets_keep(sb->own, fd, OWN_FRESH);
	return reply_fd(fd, flags & SOCK_CLOEXEC ? O_CLOEXEC : 0);
}

struct reply handle_socket(struct sandbox *sb, const struct seccomp_notif *req)
{
	/* The kernel takes ints: the upper halves of the registers are nobody's. */
	int family = (int)req->data.args[0], protocol = (int)req->data.args[2];
	int type = (int)req->data.args[1] & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct refusal refusal = refuse_socket(sb, family, type, protocol);
	char text[64];
	struct event ev = {
		.type = "net.socket",
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(sb->sup), refusal.rule),
		.source = SRC_KERNEL,
		.target = {.name = text, .protocol = text}, /* name: what a summary shows */
		.detail = "a kind of socket that could reach past the sandbox",
	};

	if (req->data.nr == SYS_socket && sb->own && !sb->namespaces && is_plain_tcp(family, type, protocol))
		return give_socket(sb, family, (int)req->data.args[1]);
	describe_socket(text, sizeof text, family, type, protocol);
	if (!strcmp(refusal.rule, "net.socket"))
		ev.detail = "without a network namespace a sandbox has TCP on its own loopback, and no datagrams";
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(refusal.error);
}

/* --- bind ---------------------------------------------------------------------------------------- */

#define PORTS_OF_ROOT 1024 /* a supervisor that is root would be let */

/* Without a network namespace: done on our duplicate of the socket, which is let go then. */
static struct reply bind_own(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, socklen_t len, const struct sockaddr_text *to)
{
	struct own_socket *s;
	ino_t inode;
	int error = sockets_inode((pid_t)req->pid, (int)req->data.args[0], &inode);

	if (error)
		return reply_error(-error);
	s = own_sockets_find(sb->own, inode);
	if (!target_alive(sb, req))
		return reply_error(ESRCH);
	if (!s || s->state != OWN_FRESH || s->fd < 0)
		return reply_error(s ? EINVAL : EACCES); /* it is bound already; or one of hundreds */
	if (!to->loopback)
		return reply_error(EADDRNOTAVAIL);
	if (to->port && to->port < PORTS_OF_ROOT)
		return reply_error(EACCES);
	if (bind(s->fd, (const struct sockaddr *)sa, len))
		return reply_error(errno);
	own_socket_becomes(s, OWN_BOUND);
	return reply_value(0);
}

static struct reply handle_listen(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct own_socket *s = NULL;
	ino_t inode;

	if (sb->own && !sockets_inode((pid_t)req->pid, (int)req->data.args[0], &inode))
		s = own_sockets_find(sb->own, inode);
	if (s && target_alive(sb, req)) {
		own_socket_becomes(s, OWN_BOUND);
		own_sockets_listens(sb->own, inode);
	}
	/* CONTINUE: whatever listens by then, a TCP socket of the sandbox hears the machine's loopback alone (own_sockets.h), and what we have not
	 * made is connected to by nobody of the sandbox. */
	return reply_continue("listen.own");
}

struct reply handle_bind(struct sandbox *sb, const struct seccomp_notif *req)
{
	socklen_t len = (uint32_t)req->data.args[2];
	struct sockaddr_storage sa;
	struct sockaddr_text to;
	struct event ev = {
		.type = "net.bind",
		.action = EV_ALLOWED,
		.verdict = policy_rule(supervisor_policy(sb->sup), "net.bind"),
		.source = SRC_KERNEL,
		.detail = "nobody comes in from outside the sandbox",
	};

	if (req->data.nr == SYS_listen)
		return handle_listen(sb, req);
	memset(&sa, 0, sizeof sa);
	if (!target_sockaddr(sb, req, req->data.args[1], len, &sa) && sockaddr_describe(&sa, len, &to) && (to.family == AF_INET || to.family == AF_INET6)) {
		if (!to.loopback || to.wildcard) {
			ev.target.address = to.address;
			ev.target.port = to.port;
			supervisor_record(sb, (pid_t)req->pid, &ev);
		}
		if (sb->own && !sb->namespaces && !sb->audit)
			return bind_own(sb, req, &sa, len, &to);
	}
	/* CONTINUE: only for the record.  Whatever a racing thread puts there, the socket is bound in the sandbox's own network namespace, into which nobody
	 * comes, or without one on the machine's loopback alone (own_sockets.h); a path is made by Landlock's leave. */
	return reply_continue("bind.namespace");
}

/* --- sendto, sendmsg, sendmmsg ----------------------------------------------------------------- */

/* One destination, as the caller shows it: written down when it is outside.  What cannot be read is the kernel's EFAULT. */
static void look_at_destination(struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, uint32_t len)
{
	struct sockaddr_storage sa;
	struct sockaddr_text to;

	if (!address || target_sockaddr(sb, req, address, len, &sa) || !sockaddr_describe(&sa, len, &to))
		return;
	/* AF_UNIX stream and seqpacket sockets, the only ones there are, ignore a name. */
	if (to.loopback || to.family == AF_UNIX || stub_listens_at(sb, &sa))
		return;
	sockets_record_outside(sb, req, "net.send", "net.outside", &to, "udp");
}

static void look_at_message(struct sandbox *sb, const struct seccomp_notif *req, uint64_t address)
{
	struct msghdr header;

	/* msg_name and msg_namelen are its first two members, whatever libc calls the rest. */
	if (target_read(sb, req, address, &header, offsetof(struct msghdr, msg_iov)))
		return;
	look_at_destination(sb, req, (uint64_t)(uintptr_t)header.msg_name, header.msg_namelen);
}

struct reply handle_send(struct sandbox *sb, const struct seccomp_notif *req)
{
	const __u64 *args = req->data.args;
	uint32_t messages;

	/* Where there is no network namespace there is no socket that a name means anything to: the filter does not notify it. */
	if (!sb->namespaces)
		return reply_error(EACCES);
	switch (req->data.nr) {
	case SYS_sendto:
		look_at_destination(sb, req, args[4], (uint32_t)args[5]);
		break;
	case SYS_sendmsg:
		look_at_message(sb, req, args[1]);
		break;
	case SYS_sendmmsg:
		messages = (uint32_t)args[2] < MESSAGES_LOOKED_AT ? (uint32_t)args[2] : MESSAGES_LOOKED_AT;
		for (uint32_t i = 0; i < messages; i++)
			look_at_message(sb, req, args[1] + i * sizeof(struct mmsghdr));
		break;
	default:
		return reply_error(ENOSYS);
	}
	/* CONTINUE: only for the record.  Whatever a racing thread puts there, an inet socket of the sandbox sends within its own network namespace,
	 * which has a loopback and no route; AF_UNIX datagram sockets do not exist (socket() and socketpair() are refused by the filter). */
	return reply_continue("send.namespace");
}
