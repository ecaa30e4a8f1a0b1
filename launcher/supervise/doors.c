#include "launcher/supervise/doors.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/names/names.h"

#define PATIENCE_SECONDS 5  /* init answers at once, unless it is stopped or gone */
#define COME_MILLISECONDS 2000

/* An address with its port, and nothing else of it: a v4-mapped address is the IPv4 one, for a socket's own view of its end depends on the socket's family. */
struct end {
	struct pw_address address;
	unsigned port;
};

struct door {
	struct end end;
	bool answered;
	int error;
	int fd; /* -1: none */
};

struct doors {
	pthread_mutex_t lock;
	pthread_cond_t told;
	pthread_mutex_t passing; /* one goes through at a time: so who comes out is known */
	int init_sock;
	bool closed;
	size_t n, answered; /* in the order in which init was asked, and answers */
	struct door door[DOORS_MAX];
};

struct doors *doors_new(int init_sock)
{
	struct doors *d = calloc(1, sizeof *d);
	pthread_condattr_t attributes;

	if (!d)
		return NULL;
	d->init_sock = fcntl(init_sock, F_DUPFD_CLOEXEC, 3);
	d->closed = d->init_sock < 0;
	pthread_mutex_init(&d->lock, NULL);
	pthread_mutex_init(&d->passing, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&d->told, &attributes);
	pthread_condattr_destroy(&attributes);
	return d;
}

void doors_free(struct doors *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		close_fd(&d->door[i].fd);
	close_fd(&d->init_sock);
	pthread_cond_destroy(&d->told);
	pthread_mutex_destroy(&d->passing);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void doors_answer(struct doors *d, const struct init_message *m, int fd)
{
	pthread_mutex_lock(&d->lock);
	if (d->answered < d->n) {
		struct door *door = &d->door[d->answered++];
		door->answered = true;
		door->error = fd < 0 ? (m->value > 0 ? m->value : EPROTO) : 0;
		door->fd = steal_fd(&fd);
	}
	pthread_cond_broadcast(&d->told);
	pthread_mutex_unlock(&d->lock);
	close_fd(&fd);
}

void doors_close(struct doors *d)
{
	pthread_mutex_lock(&d->lock);
	d->closed = true;
	close_fd(&d->init_sock); /* the session's hang-up shall be one */
	pthread_cond_broadcast(&d->told);
	pthread_mutex_unlock(&d->lock);
}

static struct end end_of(const struct sockaddr_storage *sa)
{
	struct end end = {0};

	sockaddr_inet(sa, &end.address, &end.port);
	end.address.scope = 0;
	return end;
}

static bool same_end(const struct end *a, const struct end *b)
{
	return a->port == b->port && !memcmp(&a->address, &b->address, sizeof a->address);
}

/* Its door, asked for if nobody has; or NULL with *error.  Under the lock. */
static struct door *find(struct doors *d, const struct end *end, int *error)
{
	struct init_message m = {.kind = INIT_DOOR};
	struct sockaddr_storage at;

	_Static_assert(sizeof m.text >= sizeof(struct sockaddr_in6), "an address goes into init's message");
	for (size_t i = 0; i < d->n; i++)
		if (same_end(&d->door[i].end, end))
			return &d->door[i];
	*error = d->n == DOORS_MAX ? -ENOSPC : 0;
	if (*error == 0) {
		memcpy(m.text, &at, sockaddr_of(&end->address, end->port, &at));
		*error = fd_send(d->init_sock, &m, sizeof m, NULL, 0) < 0 ? -EAGAIN : 0;
	}
	if (*error < 0)
		return NULL;
	d->door[d->n] = (struct door){.end = *end, .fd = -1};
	return &d->door[d->n++];
}

/* The door's listening socket, which stays in the table for as long as d is held; or -errno. */
static int open_door(struct doors *d, const struct end *end)
{
	struct timespec until;
	struct door *door;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_SECONDS;
	pthread_mutex_lock(&d->lock);
	door = d->closed ? NULL : find(d, end, &result);
	while (door && !door->answered && !d->closed)
		if (pthread_cond_timedwait(&d->told, &d->lock, &until))
			break;
	if (d->closed)
		result = -ECONNRESET;
	else if (door)
		result = !door->answered ? -ETIMEDOUT : door->error ? -door->error : door->fd;
	pthread_mutex_unlock(&d->lock);
	return result;
}

int doors_come_out(int door, int sock)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof name;
	struct end own, peer;
	int64_t until = clock_milliseconds() + COME_MILLISECONDS, left;

	if (getsockname(sock, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	own = end_of(&name);
	while ((left = until - clock_milliseconds()) > 0) {
		struct pollfd p = {.fd = door, .events = POLLIN};
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		len = sizeof name;
		int end = accept4(door, (struct sockaddr *)&name, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (end < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
			return -errno; /* who knocks stays there, and would be found again at once */
		if (end < 0)
			continue;
		peer = end_of(&name);
		if (same_end(&peer, &own))
			return end;
		close(end);
	}
	return -ETIMEDOUT;
}

static bool is_closed(struct doors *d)
{
	pthread_mutex_lock(&d->lock);
	bool closed = d->closed;
	pthread_mutex_unlock(&d->lock);
	return closed;
}

/* A tick's EINTR (worker.h): it goes on connecting.  The sandbox can have seen to it that its socket never hears the door's answer (IP_MINTTL, a filter). */
static int pass(int door, int sock, const struct sockaddr_storage *sa, socklen_t len, int *result)
{
	*result = connect(sock, (const struct sockaddr *)sa, len) ? errno : 0;
	if (*result != 0 && *result != EINPROGRESS && *result != EINTR)
		return -*result;
	int end = doors_come_out(door, sock);
	if (*result == EINTR)
		*result = 0;
	return end;
}

int doors_pass(struct doors *d, int sock, const struct sockaddr_storage *sa, socklen_t len, int *result)
{
	const struct end at = end_of(sa);
	int door = open_door(d, &at), end;

	if (door < 0)
		return door;
	pthread_mutex_lock(&d->passing);
	end = is_closed(d) ? -ECONNRESET : pass(door, sock, sa, len, result); /* the sandbox may have ended while others passed */
	pthread_mutex_unlock(&d->passing);
	return end;
}
