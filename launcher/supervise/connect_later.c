/* A connect that may take its time: TCP to a listener whose backlog is full, AF_UNIX to a server that does not accept.
 *
 * The worker makes the blocking connect() on the shared open file, so O_NONBLOCK, SO_SNDTIMEO and everything else mean what they mean to the caller.  With
 * WAIT_KILLABLE only fatal signals reach a caller whose call we hold, so the worker looks every TICK whether another one waits for it, and lets go: the call
 * returns EINTR while TCP goes on connecting in the kernel, just as without us. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/holder.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/listening.h"
#include "launcher/supervise/worker.h"

struct job {
	struct later later;
	int sock, pinned;
	bool placed; /* in_place is set */
	struct in_place place;
	int held[IN_PLACE_LISTENERS]; /* those who listen; -1 */
	socklen_t len;
	struct sockaddr_storage address;
};

/* Those who listen, as far as they can be had: a server that serves one connection and ends may have ended before we look who has answered, unless it is kept open. */
static void hold_listeners(struct job *job)
{
	for (int i = 0; i < job->place.listeners; i++)
		job->held[i] = holder_socket(job->later.shade.sandbox.init, job->place.listener[i]);
}

static void release_listeners(struct job *job)
{
	for (int i = 0; i < IN_PLACE_LISTENERS; i++)
		close_fd(&job->held[i]);
}

static void job_free(struct job *job)
{
	close_fd(&job->sock);
	close_fd(&job->pinned);
	release_listeners(job);
	later_finish(&job->later);
	free(job);
}

/* Does a signal wait that the caller would take, were it not for us?  One that is ignored is never pending unless it is blocked too. */
static bool is_interrupted(pid_t tid)
{
	char path[64], line[256];
	unsigned long long pending = 0, blocked = 0, ignored = 0, value;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	file = fopen(path, "re");
	if (!file)
		return true; /* it is gone: target_alive has the last word */
	while (fgets(line, sizeof line, file)) {
		if (sscanf(line, "SigPnd: %llx", &value) == 1 || sscanf(line, "ShdPnd: %llx", &value) == 1)
			pending |= value;
		else if (sscanf(line, "SigBlk: %llx", &value) == 1)
			blocked = value;
		else if (sscanf(line, "SigIgn: %llx", &value) == 1)
			ignored = value;
	}
	fclose(file);
	return pending & ~blocked & ~ignored;
}

/* SO_SNDTIMEO bounds a connect; each of our rounds would start it anew.  INT64_MAX: none. */
static int64_t deadline_us(int sock)
{
	struct timeval t = {0};
	socklen_t len = sizeof t;

	if (getsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &t, &len) || (t.tv_sec == 0 && t.tv_usec == 0) || t.tv_sec > 1000000000)
		return INT64_MAX;
	return clock_microseconds() + (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

int connect_waiting(struct later *later, int sock, bool its_own, const struct sockaddr_storage *address, socklen_t len)
{
	int64_t deadline = deadline_us(sock);
	int timed_out = address->ss_family == AF_UNIX ? EAGAIN : EINPROGRESS;

	for (bool first = true;; first = false) {
		if (!connect(sock, (const struct sockaddr *)address, len))
			return 0;
		/* A second round on a connecting TCP socket waits again; EALREADY says that its time is over. */
		if (errno == EALREADY && !first)
			return timed_out;
		if (errno != EINTR)
			return errno;
		if (!later_alive(later))
			return -1;
		if (its_own && is_interrupted((pid_t)later->req.pid))
			return EINTR;
		if (clock_microseconds() >= deadline)
			return timed_out;
	}
}

/* Who has answered?  An inode is not given twice: those who listened before and listen still have listened all the time, so nobody else can have. */
static bool is_answered_by_the_same(const struct in_place *place)
{
	return !place->listeners || listening_still(&place->address, place->port, place->listener, place->listeners);
}

int connect_put_in_place(struct later *later, int sock, const struct in_place *place)
{
	struct seccomp_notif_addfd add = {
		.id = later->req.id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)sock, .newfd = (uint32_t)place->number,
		.newfd_flags = place->fd_flags,
	};
	int flags = fcntl(sock, F_GETFL), done;

	if (!is_answered_by_the_same(place))
		return ECONNREFUSED;
	if (flags < 0 || fcntl(sock, F_SETFL, place->nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK))
		return EACCES;
	do {
		done = ioctl(later->shade.sandbox.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? errno : 0;
}

/* Not longer than to the first tick: a server whose backlog is full may end, too, and then nobody is to answer. */
static int connect_held(struct job *job)
{
	int error;

	hold_listeners(job);
	if (!connect(job->sock, (const struct sockaddr *)&job->address, job->len))
		return 0;
	error = errno;
	release_listeners(job);
	return error == EINTR ? connect_waiting(&job->later, job->sock, true, &job->address, job->len) : error;
}

static void run(void *argument)
{
	struct job *job = argument;
	struct worker_tick tick;
	int error = worker_tick_start(&tick, CONNECT_TICK_MS);

	if (error) {
		error = EAGAIN; /* without the tick a blocking connect could not be given up */
	} else {
		error = connect_held(job);
		worker_tick_stop(&tick);
	}
	if (error == 0 && job->placed)
		error = connect_put_in_place(&job->later, job->sock, &job->place);
	release_listeners(job); /* who hears that it is connected may want the port */
	if (error == 0)
		later_send(&job->later, reply_value(0));
	else if (error > 0)
		later_send(&job->later, reply_error(error));
	job_free(job);
}

struct reply connect_later(struct sandbox *sb, const struct seccomp_notif *req, int sock, int pinned, const void *address, socklen_t len)
{
	return connect_in_place(sb, req, sock, pinned, address, len, NULL);
}

struct reply connect_in_place(struct sandbox *sb, const struct seccomp_notif *req, int sock, int pinned, const void *address, socklen_t len,
                              const struct in_place *place)
{
	struct job *job = len <= sizeof job->address ? calloc(1, sizeof *job) : NULL;

	if (!job) {
		close_fd(&sock);
		close_fd(&pinned);
		return reply_error(len <= sizeof job->address ? ENOMEM : EINVAL);
	}
	for (int i = 0; i < IN_PLACE_LISTENERS; i++)
		job->held[i] = -1;
	job->sock = sock;
	job->pinned = pinned;
	job->len = len;
	if (place) {
		job->placed = true;
		job->place = *place;
	}
	memcpy(&job->address, address, len);
	if (later_init(&job->later, sb, req) || worker_start(sb->id, run, job)) {
		job_free(job);
		return reply_error(EAGAIN);
	}
	return reply_later();
}
