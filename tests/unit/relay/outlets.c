#include "outlets.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/base/fd.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;

void outlet_sockets(int pair[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(pair[0], (struct sockaddr *)&a, sizeof a), 0);
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(pair[1] >= 0);
	close(listener);
}

static void note_decoys(struct report *to, const struct needle_hits *decoys)
{
	to->decoys = decoys ? decoys->n : 0;
	memcpy(to->encoding, decoys ? decoys->v[0].encoding : "", decoys ? sizeof to->encoding : 1);
}

static void on_refused(void *whose, const struct relay_refusal *refusal)
{
	struct report *to = &((struct reports *)whose)->of[refusal->id];

	pthread_mutex_lock(&lock);
	to->refused++;
	strncat(to->name, refusal->name, sizeof to->name - 1);
	strncat(to->why, refusal->why, sizeof to->why - 1);
	to->sent = refusal->moved.sent;
	to->received = refusal->moved.received;
	note_decoys(to, refusal->decoys);
	if (strcmp(refusal->host, "a.example") || refusal->port != 443)
		to->refused += 1000;
	pthread_cond_broadcast(&told);
	pthread_mutex_unlock(&lock);
}

static void on_ended(void *whose, const struct relay_ended *ended)
{
	struct report *to = &((struct reports *)whose)->of[ended->id];

	pthread_mutex_lock(&lock);
	to->ended++;
	to->sent = ended->moved.sent;
	to->received = ended->moved.received;
	to->stopped = ended->stopped;
	note_decoys(to, ended->decoys);
	if (strcmp(ended->host, "a.example") || ended->port != 443)
		to->ended += 1000;
	pthread_cond_broadcast(&told);
	pthread_mutex_unlock(&lock);
}

const struct relay_calls outlet_calls = {.refused = on_refused, .ended = on_ended};

const struct needles *outlet_needles;

int outlet_add(struct relay *r, struct outlet *o, unsigned id, bool opaque, struct reports *whose)
{
	int inside[2], outside[2], result;

	outlet_sockets(inside);
	outlet_sockets(outside);
	*o = (struct outlet){.client = inside[0], .server = outside[1], .id = id};
	result = relay_add(r, &(struct relay_connection){.client = inside[1], .outside = outside[0], .host = "a.example", .port = 443, .opaque = opaque,
	                                                 .needles = outlet_needles, .whose = whose, .id = id});
	if (result < 0) {
		close(inside[1]);
		close(outside[0]);
		outlet_close(o);
	}
	return result;
}

void outlet_close(struct outlet *o)
{
	close_fd(&o->client);
	close_fd(&o->server);
}

struct report outlet_report(const struct reports *whose, unsigned id)
{
	const struct report *r = &whose->of[id];
	struct timespec until;
	struct report copy;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	pthread_mutex_lock(&lock);
	while (!r->refused && !r->ended && error == 0)
		error = pthread_cond_timedwait(&told, &lock, &until);
	copy = *r;
	pthread_mutex_unlock(&lock);
	assert_int_equal(copy.refused + copy.ended, 1);
	return copy;
}

void outlet_say(int fd, const void *bytes, size_t len)
{
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
}

static ssize_t hear(int fd, void *bytes, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	return recv(fd, bytes, len, 0);
}

void outlet_hears(int fd, const void *bytes, size_t len)
{
	uint8_t got[4096];

	for (size_t at = 0; at < len;) {
		ssize_t n = hear(fd, got, len - at < sizeof got ? len - at : sizeof got);
		assert_true(n > 0);
		assert_memory_equal(got, (const uint8_t *)bytes + at, (size_t)n);
		at += (size_t)n;
	}
}

void outlet_hears_end(int fd)
{
	char c;

	assert_int_equal(hear(fd, &c, 1), 0);
}

void outlet_hears_reset(int fd)
{
	char c;

	errno = 0;
	assert_int_equal(hear(fd, &c, 1), -1);
	assert_int_equal(errno, ECONNRESET);
}

void outlet_hears_nothing(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 50), 0);
}
