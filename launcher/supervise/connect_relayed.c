/* connect() of a build or guest to a host that it is allowed: the outside is connected to by us, the caller's own socket to a door in its network namespace, and the
 * relay carries what goes between the two once it has seen which server is named.  The caller never holds a socket of the outside.  Without a network namespace
 * a new socket on the machine's loopback is connected to us and takes the place of the caller's.
 *
 * The outside comes first, so that the caller is told what became of just the address that its stand-in stands for.  A signal that the caller handles waits for that:
 * EINTR would say that its socket goes on connecting, and nothing connects that yet.  Of pip a signal that it handles is Ctrl-C, after which it asks for no connection.
 *
 * A caller that does not want to wait is told the same if it is known at once.  Else its socket is connected, and the outside goes on being dialled without it, by then at
 * all addresses of the host, since the caller will try no other any more; where none answers it sees a reset.  So it is behind a proxy, which is waited for instead. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/installer/installer.h"
#include "launcher/names/stand_in.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/dial.h"
#include "launcher/supervise/doors.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/lookup.h"
#include "launcher/supervise/proxy_dial.h"
#include "launcher/supervise/relays.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/origin.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/stub.h"
#include "launcher/supervise/worker.h"

#define UNBLOCKED_MS 250     /* for which a caller that does not want to wait waits: what dual-stack clients give an address (RFC 8305) */
#define DIAL_SECONDS 30      /* and how long the outside is dialled behind it */
#define DIAL_LOOK_MS 100     /* whether anybody is left whom it is for */

struct job {
	struct later later;
	struct way_out *way;
	int sock;
	socklen_t len;
	struct sockaddr_storage at; /* as the caller has it */
	struct relay_target target;
	bool placed;
	struct in_place place;
	bool answered;  /* before the outside was there: */
	int inside;     /* the other end of the caller's socket; -1: it has none, and nothing is to be dialled for it */
	int64_t until;  /* ms: when it is answered so; then, until when the outside is dialled */
};

static void job_free(struct job *job)
{
	close_fd(&job->sock);
	way_out_put(job->way);
	later_finish(&job->later);
	free(job);
}

static bool wants_no_wait(const struct job *job)
{
	return job->placed ? job->place.nonblocking : (fcntl(job->sock, F_GETFL) & O_NONBLOCK) != 0;
}

/* What bounds the caller's wait bounds ours. */
static struct timeval patience_of(const struct job *job)
{
	struct timeval t = {0};
	socklen_t len = sizeof t;

	getsockopt(job->sock, SOL_SOCKET, SO_SNDTIMEO, &t, &len);
	if (wants_no_wait(job))
		t = (struct timeval){.tv_sec = DIAL_SECONDS};
	return t;
}

/* A connected socket, or -errno; whatever that is where nobody waits for it any more. */
static int connect_outside(struct job *job)
{
	struct sockaddr_storage to;
	socklen_t len = sockaddr_of(&job->target.real, job->target.port, &to);
	struct timeval patience = patience_of(job);
	int error;

	cleanup_fd int sock = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	error = connect_waiting(&job->later, sock, job->later.shade.sandbox.role == ROLE_INSTALLER, &to, len);
	if (error < 0)
		return -ESRCH;
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

/* What the caller is told: 0 or EINPROGRESS with the other end of its socket in *inside, or another positive errno. */
static int connect_inside(struct job *job, int *inside)
{
	int result = 0;

	*inside = job->placed ? pass_loopback(job->sock) : doors_pass(way_out_doors(job->way), job->sock, &job->at, job->len, &result);
	if (*inside == -ENOSPC)
		relays_full(job->way, &job->target, "a build or command may have connected to 128 addresses and ports of allowed hosts");
	if (*inside < 0)
		return result && result != EINPROGRESS ? result : ECONNREFUSED;
	if (job->placed && (result = connect_put_in_place(&job->later, job->sock, &job->place)) != 0)
		close_fd(inside);
	return result;
}

static void record_allowed(struct job *job)
{
	const struct relay_target *t = &job->target;
	char address[INET6_ADDRSTRLEN], by[PW_HOST_MAX + 32];
	struct event ev = {
		.type = "net.connect",
		.action = EV_ALLOWED,
		.verdict = policy_rule(supervisor_policy(job->later.shade.sandbox.sup), "net.connect.relayed"),
		.source = SRC_KERNEL,
		.target = {.host = t->host, .address = address, .port = t->port, .protocol = "tcp"},
	};

	if (job->later.shade.sandbox.role == ROLE_INSTALLER)
		return; /* its proxy: what is asked of that is written down */
	inet_ntop((int)t->real.family, t->real.bytes, address, sizeof address);
	if (t->by) {
		snprintf(by, sizeof by, "by the proxy %s:%u", t->by->host, t->by->port);
		ev.target.address = NULL;
		ev.detail = by;
	}
	supervisor_record(&job->later.shade.sandbox, (pid_t)job->later.req.pid, &ev);
}

static void answer(struct job *job, int error)
{
	later_send(&job->later, error ? reply_error(error) : reply_value(0));
}

/* The outside is there.  Takes it over. */
static void connect_both(struct job *job, int outside)
{
	int inside = -1, result = connect_inside(job, &inside);

	if (inside < 0) {
		close_fd(&outside);
	} else if (relays_add(job->way, &job->target, inside, outside) < 0) {
		result = ECONNREFUSED; /* the inside is closed: whoever looks sees a reset */
	} else {
		record_allowed(job);
	}
	answer(job, result);
}

static void connect_waited(struct job *job)
{
	int outside = connect_outside(job);

	if (outside >= 0)
		connect_both(job, outside);
	else
		answer(job, -outside);
}

/* By somebody of the sandbox; at its end for what was sent, as after a process's end without us. */
static bool is_wanted(struct job *job, int inside)
{
	enum way_out_state state = way_out_state(job->way);
	int unread = 0;

	return state == WAY_OUT_OPEN || (state == WAY_OUT_CLOSED && ioctl(inside, FIONREAD, &unread) == 0 && unread > 0);
}

/* A connected socket, or -errno. */
static int dial_on(struct job *job, struct dial *dial)
{
	struct sandbox *sb = &job->later.shade.sandbox;
	struct pw_address known[DIAL_MAX];
	size_t n = stand_ins_addresses(supervisor_stand_ins(sb->sup), job->target.host, known, DIAL_MAX);
	int outside = -EINPROGRESS;

	for (size_t i = 0; i < n; i++)
		if (lookup_reaches(sb, job->target.host, &known[i], job->target.port))
			dial_add(dial, &known[i], job->target.port);
	while (outside == -EINPROGRESS && clock_milliseconds() < job->until && is_wanted(job, job->inside))
		outside = dial_wait(dial, DIAL_LOOK_MS);
	return outside;
}

/* The caller is not kept waiting any longer.  False: its socket could not be connected. */
static bool answer_first(struct job *job)
{
	int result = connect_inside(job, &job->inside);

	job->answered = true;
	job->until = clock_milliseconds() + DIAL_SECONDS * 1000;
	if (job->inside >= 0) {
		way_out_dials(job->way, true); /* before it can end */
		record_allowed(job);
	}
	answer(job, result);
	return job->inside >= 0;
}

/* What became of the outside meanwhile: a socket, or a negative number. */
static void end_first(struct job *job, int outside)
{
	struct linger now = {.l_onoff = 1};

	if (outside >= 0) {
		relays_add(job->way, &job->target, steal_fd(&job->inside), outside);
	} else {
		setsockopt(job->inside, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		close_fd(&job->inside);
	}
	way_out_dials(job->way, false);
}

static bool goes_on(void *argument)
{
	struct job *job = argument;
	bool late = clock_milliseconds() >= job->until;

	if (job->answered)
		return job->inside >= 0 && !late && is_wanted(job, job->inside);
	return later_alive(&job->later) && (!wants_no_wait(job) || !late || answer_first(job));
}

static void connect_proxied(struct job *job)
{
	const struct proxy_wait wait = {.goes_on = goes_on, .arg = job, .patience = patience_of(job)};

	job->until = clock_milliseconds() + UNBLOCKED_MS;
	int outside = proxy_dial(&wait, job->target.by, job->target.host, job->target.port);
	if (job->inside >= 0)
		end_first(job, outside);
	else if (outside >= 0)
		connect_both(job, outside);
	else if (!job->answered)
		answer(job, -outside);
}

static void connect_unblocked(struct job *job)
{
	struct dial dial;
	int outside;

	dial_init(&dial);
	dial_add(&dial, &job->target.real, job->target.port);
	outside = dial_wait(&dial, UNBLOCKED_MS);
	if (outside >= 0)
		connect_both(job, outside);
	else if (outside != -EINPROGRESS)
		answer(job, -outside);
	else if (answer_first(job))
		end_first(job, dial_on(job, &dial));
	dial_finish(&dial);
}

/* Under a tick: neither the outside nor what the sandbox has done to its socket holds the worker. */
static void run(void *argument)
{
	struct job *job = argument;
	struct worker_tick tick;

	if (worker_tick_start(&tick, CONNECT_TICK_MS)) {
		answer(job, EAGAIN);
	} else {
		if (job->target.by)
			connect_proxied(job);
		else if (wants_no_wait(job))
			connect_unblocked(job);
		else
			connect_waited(job);
		worker_tick_stop(&tick);
	}
	job_free(job);
}

/* Whom does the address lead to?  False: to nobody that the policy speaks of. */
static bool find_target(struct sandbox *sb, const struct sockaddr_storage *sa, struct relay_target *t)
{
	const struct policy *p = supervisor_policy(sb->sup);
	struct sockaddr_text text;
	struct verdict verdict;

	struct pw_address address;

	if (!sockaddr_inet(sa, &address, &t->port) || t->port == 0) /* to the policy any port; nobody listens there */
		return false;
	if (stand_ins_find(supervisor_stand_ins(sb->sup), sa, t->host, &t->real)) {
		t->opaque = supervisor_host_opaque(sb, t->host, t->port);
		t->by = stand_in_is_nowhere(&t->real) ? proxy_for(sb->sup, t->host, t->port) : NULL;
		return true;
	}
	/* An address that the policy lists as such: nobody can say which names belong to it. */
	if (stand_ins_hold(supervisor_stand_ins(sb->sup), sa) || !sockaddr_describe(sa, sizeof *sa, &text) || policy_address_denied(p, text.address, &verdict) ||
	    !supervisor_host_allowed(sb, text.address, t->port))
		return false;
	snprintf(t->host, sizeof t->host, "%s", text.address);
	t->opaque = true;
	t->real = address;
	t->real.scope = 0;
	return true;
}

static struct reply refuse_port(struct sandbox *sb, const struct seccomp_notif *req, const struct relay_target *t)
{
	struct sockaddr_text to = {.port = t->port};

	if (!t->by)
		inet_ntop((int)t->real.family, t->real.bytes, to.address, sizeof to.address);
	sockets_record(sb, req, "net.connect", policy_rule(supervisor_policy(sb->sup), "net.connect.port"), &to, t->host, "tcp", sockets_hint(sb));
	return reply_error(ECONNREFUSED);
}

struct reply connect_out(struct sandbox *sb, const struct seccomp_notif *req, int *sock, const struct sockaddr_storage *sa, socklen_t len, const struct in_place *place,
                         const struct relay_target *t)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return reply_error(ENOMEM);
	job->sock = steal_fd(sock);
	job->inside = -1;
	job->way = way_out_take(sb->way);
	job->len = len;
	job->at = *sa;
	job->target = *t;
	if (place) {
		job->placed = true;
		job->place = *place;
	}
	int error = later_init(&job->later, sb, req);

	job->later.shade.sandbox.intents = origin_intents(sb, (pid_t)req->pid);
	if (error || worker_start(sb->id, run, job)) {
		relays_full(sb->way, t, "a build or command may make 64 connections at a time, all of a run 240");
		job_free(job);
		return reply_error(EAGAIN);
	}
	return reply_later();
}

bool connect_is_stand_in(struct sandbox *sb, const struct sockaddr_storage *sa)
{
	struct relay_target target;

	return sb->way && stand_ins_find(supervisor_stand_ins(sb->sup), sa, target.host, &target.real);
}

static bool reaches(const struct sandbox *sb, const struct relay_target *t)
{
	return t->by || (!stand_in_is_nowhere(&t->real) && lookup_reaches(sb, t->host, &t->real, t->port));
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
	if (!supervisor_host_allowed(sb, target.host, target.port) || !reaches(sb, &target))
		*reply = refuse_port(sb, req, &target);
	else
		*reply = connect_out(sb, req, sock, sa, len, place, &target);
	return true;
}
