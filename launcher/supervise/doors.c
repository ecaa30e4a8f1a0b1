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

#define PATIENCE_SECONDS 5  /* init answers at once, unless it is stopped or gone */
#define COME_MILLISECONDS 2000
#define KEY_MAX sizeof(struct sockaddr_in6)

struct door {
	char key[KEY_MAX]; /* the address with its port, and nothing else of it */
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

static void make_key(const struct sockaddr_storage *sa, char key[KEY_MAX])
{
	memset(key, 0, KEY_MAX);
	if (sa->ss_family == AF_INET) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = ((const struct sockaddr_in *)(const void *)sa)->sin_port,
		                         .sin_addr = ((const struct sockaddr_in *)(const void *)sa)->sin_addr};
		memcpy(key, &in, sizeof in);
	} else {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_port,
		                           .sin6_addr = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr};
		memcpy(key, &in6, sizeof in6);
	}
}

/* Its door, asked for if nobody has; or NULL with *error.  Under the lock. */
static struct door *find(struct doors *d, const struct sockaddr_storage *sa, int *error)
{
	struct init_message m = {.kind = INIT_DOOR};
	char key[KEY_MAX];

	_Static_assert(sizeof m.text >= KEY_MAX, "an address goes into init's message");
	make_key(sa, key);
	for (size_t i = 0; i < d->n; i++)
		if (!memcmp(d->door[i].key, key, KEY_MAX))
			return &d->door[i];
	*error = d->n == DOORS_MAX ? -ENOSPC : 0;
	if (*error == 0) {
		memcpy(m.text, key, KEY_MAX);
		*error = fd_send(d->init_sock, &m, sizeof m, NULL, 0) < 0 ? -EAGAIN : 0;
	}
	if (*error < 0)
		return NULL;
	d->door[d->n] = (struct door){.fd = -1};
	memcpy(d->door[d->n].key, key, KEY_MAX);
	return &d->door[d->n++];
}

/* The door's listening socket, which stays in the table for as long as d is held; or -errno. */
static int open_door(struct doors *d, const struct sockaddr_storage *sa)
{
	struct timespec until;
	struct door *door;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_SECONDS;
	pthread_mutex_lock(&d->lock);
	door = d->closed ? NULL : find(d, sa, &result);
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

static bool same_end(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	char x[KEY_MAX], y[KEY_MAX];

	make_key(a, x);
	make_key(b, y);
	return a->ss_family == b->ss_family && !memcmp(x, y, KEY_MAX);
}

/* A v4-mapped address as the IPv4 one that it is: a socket's own view of its end depends on the socket's family. */
static void unmap(struct sockaddr_storage *sa)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in = {.sin_family = AF_INET};

	memcpy(&in6, sa, sizeof in6);
	if (sa->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	in.sin_port = in6.sin6_port;
	memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], 4);
	memset(sa, 0, sizeof *sa);
	memcpy(sa, &in, sizeof in);
}

int doors_come_out(int door, int sock)
{
	struct sockaddr_storage own = {0}, peer = {0};
	socklen_t own_len = sizeof own, peer_len;
	int64_t until = clock_milliseconds() + COME_MILLISECONDS, left;

	if (getsockname(sock, (struct sockaddr *)&own, &own_len) < 0)
		return -errno;
	unmap(&own);
	while ((left = until - clock_milliseconds()) > 0) {
		struct pollfd p = {.fd = door, .events = POLLIN};
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		peer_len = sizeof peer;
		int end = accept4(door, (struct sockaddr *)&peer, &peer_len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (end < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
			return -errno; /* who knocks stays there, and would be found again at once */
		if (end < 0)
			continue;
		unmap(&peer);
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
	struct sockaddr_storage at = *sa;
	int door, end;

	unmap(&at);
	door = open_door(d, &at);
	if (door < 0)
		return door;
	pthread_mutex_lock(&d->passing);
	end = is_closed(d) ? -ECONNRESET : pass(door, sock, sa, len, result); /* the sandbox may have ended while others passed */
	pthread_mutex_unlock(&d->passing);
	return end;
}
