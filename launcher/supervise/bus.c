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

#define NOT_UNDERSTOOD "what is no message"

enum { LINES_MAX = 16384, CHUNK = 4096 };

/* What has come of a line or a message. */
struct stream {
	uint8_t *text;
	size_t len, room;
};

struct job {
	struct later later;
	struct in_place place;
	int pinned, client, bus;
	bool begun;     /* the client's greeting is over: messages follow */
	size_t greeted;
	struct stream from_client, from_bus;
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
	free(job->from_client.text);
	free(job->from_bus.text);
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

/* No descriptor comes with it: none is received.  False: the other end has hung up, or there is no memory. */
static bool take(int from, struct stream *s)
{
	ssize_t n;

	if (s->room - s->len < CHUNK) {
		uint8_t *grown = realloc(s->text, s->room + BUS_MAX / 8);
		if (!grown)
			return false;
		s->text = grown;
		s->room += BUS_MAX / 8;
	}
	do {
		n = recv(from, s->text + s->len, CHUNK, 0);
	} while (n < 0 && errno == EINTR);
	s->len += n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void drop(struct stream *s, size_t len)
{
	s->len -= len;
	memmove(s->text, s->text + len, s->len);
}

/* The length of what is whole at its beginning; 0: more has to come.  False: it is neither line nor message. */
static bool whole_line(const struct stream *s, size_t *len)
{
	const uint8_t *end = s->len ? memmem(s->text, s->len, "\r\n", 2) : NULL;

	*len = end ? (size_t)(end - s->text) + 2 : 0;
	return end || s->len < CHUNK;
}

static bool whole_message(const struct stream *s, size_t *len)
{
	*len = s->len >= BUS_HEAD ? bus_message_length(s->text) : 0;
	if (s->len >= BUS_HEAD && !*len)
		return false;
	*len = *len <= s->len ? *len : 0;
	return true;
}

/* Lines up to BEGIN: who the client is, which the bus asks the kernel. */
static bool pass_line(struct job *job, size_t len)
{
	const uint8_t *text = job->from_client.text;

	job->greeted += len;
	job->begun = len == 7 && memcmp(text, "BEGIN", 5) == 0;
	return job->greeted <= LINES_MAX && send_all(job->bus, text, len);
}

static bool pass_message(struct job *job, size_t len)
{
	const uint8_t *text = job->from_client.text;
	uint8_t error[BUS_ERROR_MAX];
	char what[BUS_WHAT];

	switch (bus_message_judge(text, len, what)) {
	case BUS_PASS:
		return send_all(job->bus, text, len);
	case BUS_DROP:
		return true;
	case BUS_REFUSE:
		record(job, what);
		return send_all(job->client, error, bus_message_error(text, error));
	case BUS_BROKEN:
		break;
	}
	record(job, what);
	return false;
}

static bool from_client(struct job *job)
{
	struct stream *s = &job->from_client;
	size_t len;

	if (!take(job->client, s))
		return false;
	for (;;) {
		if (!(job->begun ? whole_message(s, &len) : whole_line(s, &len))) {
			record(job, NOT_UNDERSTOOD);
			return false;
		}
		if (!len)
			return true;
		if (!(job->begun ? pass_message(job, len) : pass_line(job, len)))
			return false;
		drop(s, len);
	}
}

/* As it comes, but whole: an answer of ours goes between two messages.  No line that a bus says begins like a message. */
static bool from_bus(struct job *job)
{
	struct stream *s = &job->from_bus;
	size_t len;

	if (!take(job->bus, s))
		return false;
	for (;;) {
		bool is_message = s->len && (s->text[0] == 'l' || s->text[0] == 'B');
		if (!(is_message ? whole_message(s, &len) : whole_line(s, &len)))
			return false;
		if (!len)
			return true;
		if (!send_all(job->client, s->text, len))
			return false;
		drop(s, len);
	}
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
