/* connect() of a build or guest to a host that it is allowed: the outside is connected to by us, the caller's own socket to a door in its network namespace, and the
 * relay carries what goes between the two once it has seen which server is named.  The caller never holds a socket of the outside.  Without a network namespace
 * a new socket on the machine's loopback is connected to us and takes the place of the caller's.
 *
 * The outside comes first, so that the caller is told what became of just the address that its stand-in stands for; a socket that does not block waits for that, too.
 * A signal that the caller handles waits as well: EINTR would say that its socket goes on connecting, and nothing connects that yet. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "launcher/base/fd.h"
#include "launcher/names/stand_in.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/doors.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/lookup.h"
#include "launcher/supervise/relays.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/stub.h"
#include "launcher/supervise/worker.h"

#define UNBLOCKED_SECONDS 30 /* how long a caller that does not want to wait waits for the outside */

struct job {
	struct later later;
	struct way_out *way;
	int sock;
	socklen_t len;
	struct sockaddr_storage at; /* as the caller has it */
	struct relay_target target;
	bool placed;
	struct in_place place;
};

static void job_free(struct job *job)
{
	close_fd(&job->sock);
	way_out_put(job->way);
	later_finish(&job->later);
	free(job);
}

static unsigned port_of(const struct sockaddr_storage *sa)
{
	return ntohs(sa->ss_family == AF_INET ? ((const struct sockaddr_in *)(const void *)sa)->sin_port : ((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
}

/* What bounds the caller's wait bounds ours. */
static void copy_patience(int from, bool nonblocking, int to)
{
	struct timeval t = {0};
	socklen_t len = sizeof t;

	getsockopt(from, SOL_SOCKET, SO_SNDTIMEO, &t, &len);
	if (nonblocking || fcntl(from, F_GETFL) & O_NONBLOCK)
		t = (struct timeval){.tv_sec = UNBLOCKED_SECONDS};
	setsockopt(to, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

/* A connected socket, or -errno; -1 with *gone: nobody waits any more. */
static int connect_outside(struct job *job, bool *gone)
{
	struct sockaddr_storage to;
	socklen_t len = sockaddr_of(&job->target.real, job->target.port, &to);
	cleanup_fd int sock = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (sock < 0)
		return -errno;
	copy_patience(job->sock, job->placed && job->place.nonblocking, sock);
	error = connect_waiting(&job->later, sock, false, &to, len);
	*gone = error < 0;
	return error ? -(error == EINPROGRESS ? ETIMEDOUT : error) : steal_fd(&sock);
}

/* The other end of sock, once it is connected to us; or -errno. */
static int pass_loopback(int sock)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
	cleanup_fd int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int domain = AF_INET, both = 0;
	socklen_t len = sizeof at, size = sizeof domain;

	if (listener < 0 || bind(listener, (const struct sockaddr *)&at, len) < 0 || listen(listener, 8) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) < 0 || getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
		return -errno;
	mapped.sin6_port = at.sin_port;
	setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both); /* an option of the caller's, who means the stand-in */
	if ((domain == AF_INET6 ? connect(sock, (const struct sockaddr *)&mapped, sizeof mapped) : connect(sock, (const struct sockaddr *)&at, sizeof at)) && errno != EINTR)
		return -errno;
	return doors_come_out(listener, sock);
}

/* Under a tick: neither the outside nor what the sandbox has done to its socket holds the worker.  A positive errno or 0 for the caller; -1: nobody waits. */
static int connect_both(struct job *job)
{
	bool gone = false;
	int result = 0;
	cleanup_fd int outside = connect_outside(job, &gone);

	if (gone)
		return -1;
	if (outside < 0)
		return -outside;
	cleanup_fd int inside = job->placed ? pass_loopback(job->sock) : doors_pass(way_out_doors(job->way), job->sock, &job->at, job->len, &result);
	if (inside < 0)
		return result && result != EINPROGRESS ? result : ECONNREFUSED;
	if (job->placed && (result = connect_put_in_place(&job->later, job->sock, &job->place)) != 0)
		return result;
	if (relays_add(job->way, &job->target, steal_fd(&inside), steal_fd(&outside)) < 0)
		return ECONNREFUSED; /* the inside is closed: whoever looks sees a reset */
	return result;
}

static void record_allowed(struct sandbox *sb, const struct seccomp_notif *req, const struct relay_target *t)
{
	char address[INET6_ADDRSTRLEN];
	struct event ev = {
		.type = "net.connect",
		.action = EV_ALLOWED,
		.verdict = policy_rule(supervisor_policy(sb->sup), "net.connect.relayed"),
		.source = SRC_KERNEL,
		.target = {.host = t->host, .address = address, .port = t->port, .protocol = "tcp"},
	};

	inet_ntop((int)t->real.family, t->real.bytes, address, sizeof address);
	supervisor_record(sb, (pid_t)req->pid, &ev);
}

static void run(void *argument)
{
	struct job *job = argument;
	struct worker_tick tick;
	int error = worker_tick_start(&tick, CONNECT_TICK_MS) ? EAGAIN : 0;

	if (error == 0) {
		error = connect_both(job);
		worker_tick_stop(&tick);
	}
	if (error == 0 || error == EINPROGRESS)
		record_allowed(&job->later.shade.sandbox, &job->later.req, &job->target);
	if (error >= 0)
		later_send(&job->later, error ? reply_error(error) : reply_value(0));
	job_free(job);
}

/* Whom does the address lead to?  False: to nobody that the policy speaks of. */
static bool find_target(struct sandbox *sb, const struct sockaddr_storage *sa, struct relay_target *t)
{
	const struct policy *p = supervisor_policy(sb->sup);
	struct sockaddr_text text;
	struct verdict verdict;

	t->port = port_of(sa);
	if (t->port == 0) /* to the policy any port; nobody listens there */
		return false;
	if (stand_ins_find(supervisor_stand_ins(sb->sup), sa, t->host, &t->real)) {
		t->opaque = policy_host_opaque(p, sb->role, t->host, t->port);
		return true;
	}
	/* An address that the policy lists as such: nobody can say which names belong to it. */
	if (stand_in_is(sa) || !sockaddr_describe(sa, sizeof *sa, &text) || policy_address_denied(p, text.address, &verdict) ||
	    !policy_host_allowed(p, sb->role, text.address, t->port))
		return false;
	snprintf(t->host, sizeof t->host, "%s", text.address);
	t->opaque = true;
	t->real = (struct pw_address){.family = text.family == AF_INET || text.mapped ? AF_INET : AF_INET6};
	return inet_pton((int)t->real.family, text.address, t->real.bytes) == 1;
}

static struct reply refuse_port(struct sandbox *sb, const struct seccomp_notif *req, const struct relay_target *t)
{
	struct sockaddr_text to = {.port = t->port};

	inet_ntop((int)t->real.family, t->real.bytes, to.address, sizeof to.address);
	sockets_record(sb, req, "net.connect", policy_rule(supervisor_policy(sb->sup), "net.connect.port"), &to, t->host, "tcp", sockets_hint(sb));
	return reply_error(ECONNREFUSED);
}

static struct reply relay_later(struct sandbox *sb, const struct seccomp_notif *req, int *sock, const struct sockaddr_storage *sa, socklen_t len,
                                const struct in_place *place, const struct relay_target *t)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return reply_error(ENOMEM);
	job->sock = steal_fd(sock);
	job->way = way_out_take(sb->way);
	job->len = len;
	job->at = *sa;
	job->target = *t;
	if (place) {
		job->placed = true;
		job->place = *place;
	}
	if (later_init(&job->later, sb, req) || worker_start(sb->id, run, job)) {
		job_free(job);
		return reply_error(EAGAIN);
	}
	return reply_later();
}

bool connect_is_relayed(struct sandbox *sb, const struct sockaddr_storage *sa)
{
	struct relay_target target = {0};

	return sb->way && (sa->ss_family == AF_INET || sa->ss_family == AF_INET6) && find_target(sb, sa, &target);
}

bool connect_relayed(struct sandbox *sb, const struct seccomp_notif *req, int *sock, const struct sockaddr_storage *sa, socklen_t len, const struct in_place *place,
                     struct reply *reply)
{
	struct relay_target target = {0};

	/* A nameserver's address is the stub's, also where the policy lists its network. */
	if (!sb->way || stub_listens_at(sb, sa) || !find_target(sb, sa, &target))
		return false;
	if (!policy_host_allowed(supervisor_policy(sb->sup), sb->role, target.host, target.port) || !lookup_reaches(sb, &target.real, target.port))
		*reply = refuse_port(sb, req, &target);
	else
		*reply = relay_later(sb, req, sock, sa, len, place, &target);
	return true;
}
