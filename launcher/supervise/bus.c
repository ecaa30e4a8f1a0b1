#include "launcher/supervise/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/bus_message.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/worker.h"

enum { LINES_MAX = 16384, CHUNK = 4096 };

struct job {
	struct later later;
	struct in_place place;
	int pinned, client, bus;
	bool begun;    /* the greeting is over: messages follow */
	size_t greeted;
	uint8_t *text; /* what has come of a line or a message */
	size_t len, room;
};

bool bus_is(const struct sandbox *sb, const char *real)
{
	return sb->bus != NULL && strcmp(real, sb->bus) == 0;
}

static void job_free(struct job *job)
{
	close_fd(&job->pinned);
	close_fd(&job->client);
	close_fd(&job->bus);
	later_finish(&job->later);
	free(job->text);
	free(job);
}

static bool send_all(int to, const uint8_t *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(to, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static void record(struct job *job, const char *what)
{
	struct sandbox *sb = &job->later.shade.sandbox;
	struct event ev = {
		.type = "ipc.connect", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "net.unix.bus"),
		.target = {.name = what, .protocol = "unix"}, .detail = "a program that is asked for passwords may read the key store there, no more",
	};

	supervisor_record(sb, 0, &ev);
}

static void drop(struct job *job, size_t len)
{
	job->len -= len;
	memmove(job->text, job->text + len, job->len);
}

/* Lines up to BEGIN: who the client is, which the bus asks the kernel.  False: no more of it. */
static bool pass_line(struct job *job, bool *more)
{
	const uint8_t *end = memmem(job->text, job->len, "\r\n", 2);
	size_t len = end != NULL ? (size_t)(end - job->text) + 2 : 0;

	*more = len > 0;
	if (len == 0)
		return job->len < CHUNK;
	job->greeted += len;
	job->begun = len == 7 && memcmp(job->text, "BEGIN", 5) == 0;
	if (job->greeted > LINES_MAX || !send_all(job->bus, job->text, len))
		return false;
	drop(job, len);
	return true;
}

static bool pass_message(struct job *job, bool *more)
{
	char what[BUS_WHAT] = "a message that is not understood";
	size_t len = job->len >= BUS_HEAD ? bus_message_length(job->text) : BUS_MAX;
	enum bus_verdict verdict = BUS_REFUSE;

	*more = len > 0 && job->len >= len;
	if (len > 0 && !*more)
		return true;
	if (len > 0)
		verdict = bus_message_judge(job->text, len, what);
	if (verdict == BUS_REFUSE) {
		record(job, what);
		return false;
	}
	if (verdict == BUS_PASS && !send_all(job->bus, job->text, len))
		return false;
	drop(job, len);
	return true;
}

/* What the client says, judged.  No descriptor goes with it: none is received. */
static bool from_client(struct job *job)
{
	bool more = true;
	ssize_t n;

	if (job->room - job->len < CHUNK) {
		uint8_t *grown = realloc(job->text, job->room + BUS_MAX / 8);
		if (!grown)
			return false;
		job->text = grown;
		job->room += BUS_MAX / 8;
	}
	n = recv(job->client, job->text + job->len, CHUNK, 0);
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	job->len += (size_t)n;
	while (more) {
		if (!(job->begun ? pass_message(job, &more) : pass_line(job, &more)))
			return false;
	}
	return true;
}

static bool from_bus(struct job *job)
{
	uint8_t text[CHUNK];
	ssize_t n = recv(job->bus, text, sizeof text, 0);

	if (n < 0 && errno == EINTR)
		return true;
	return n > 0 && send_all(job->client, text, (size_t)n);
}

static void carry(struct job *job)
{
	struct pollfd fds[2] = {{.fd = job->client, .events = POLLIN}, {.fd = job->bus, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[1].revents && !from_bus(job))
			return;
		if (fds[0].revents && !from_client(job))
			return;
	}
}

/* A positive errno or 0. */
static int connect_both(struct job *job)
{
	union { struct sockaddr_un un; struct sockaddr_storage any; } to = {.un = {.sun_family = AF_UNIX}};
	int pair[2], error;

	snprintf(to.un.sun_path, sizeof to.un.sun_path, "/proc/self/fd/%d", job->pinned);
	job->bus = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (job->bus < 0 || connect_waiting(&job->later, job->bus, false, &to.any, sizeof to.un))
		return ECONNREFUSED;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	job->client = pair[0];
	error = connect_put_in_place(&job->later, pair[1], &job->place);
	close(pair[1]);
	return error;
}

static void run(void *argument)
{
	struct job *job = argument;
	struct worker_tick tick;
	int error = EAGAIN;

	if (!worker_tick_start(&tick, CONNECT_TICK_MS)) {
		error = connect_both(job);
		worker_tick_stop(&tick);
	}
	later_send(&job->later, error ? reply_error(error) : reply_value(0));
	later_finish(&job->later);
	close_fd(&job->pinned);
	if (!error)
		carry(job);
	job_free(job);
}

struct reply bus_connect(struct sandbox *sb, const struct seccomp_notif *req, int pinned, const struct in_place *place)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job) {
		close_fd(&pinned);
		return reply_error(ENOMEM);
	}
	job->pinned = pinned;
	job->client = job->bus = -1;
	job->place = *place;
	if (later_init(&job->later, sb, req) || worker_start(sb->id, run, job)) {
		job_free(job);
		return reply_error(EAGAIN);
	}
	return reply_later();
}
