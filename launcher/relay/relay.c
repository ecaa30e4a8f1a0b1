#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "launcher/base/fd.h"
#include "launcher/base/thread.h"
#include "relay_parts.h"

static void wake(struct relay *r)
{
	uint64_t one = 1;

	if (write(r->wake, &one, sizeof one) < 0)
		return; /* EAGAIN: 2^64 - 2 wake-ups wait already */
}

/* The lock is held. */
static bool is_full(const struct relay *r, const void *whose)
{
	const struct carried *c;
	unsigned count = 0;

	LIST_FOREACH(c, &r->all, all)
		count += c->whose == whose;
	return r->count >= r->room || count >= RELAY_MAX_EACH;
}

/* -EAGAIN: full. */
static int enter(struct relay *r, struct carried *c)
{
	int result = -EAGAIN;

	pthread_mutex_lock(&r->lock);
	if (!is_full(r, c->whose)) {
		LIST_INSERT_HEAD(&r->all, c, all);
		TAILQ_INSERT_TAIL(&r->arriving, c, arriving);
		r->count++;
		result = 0;
	}
	pthread_mutex_unlock(&r->lock);
	return result;
}

static void begin_check(const struct relay *r, const struct relay_connection *from, const char *host, struct relay_check *check)
{
	if (from->proxy == RELAY_NO_PROXY)
		relay_check_init(check, host, from->port);
	else
		relay_check_init_proxy(check, &(struct relay_asks){.proxy = from->proxy, .may = r->calls.may, .arg = from->whose});
}

static int carried_new(const struct relay *r, const struct relay_connection *from, struct carried **out)
{
	struct carried *c = calloc(1, sizeof *c);
	bool any_host = from->opaque || from->proxy != RELAY_NO_PROXY;
	struct relay_check check;
	struct seek_stream *look = needles_any(from->needles) ? malloc(sizeof *look) : NULL;
	int result = -EINVAL;

	if (!c || (!look && needles_any(from->needles))) {
		free(look);
		free(c);
		return -ENOMEM;
	}
	c->port = from->port;
	c->id = from->id;
	c->whose = from->whose;
	c->client = (struct mark){c, &c->pair.client};
	c->outside = (struct mark){c, &c->pair.outside};
	/* An address that the policy lists is no host name, and nothing is compared with it. */
	if (any_host ? snprintf(c->host, sizeof c->host, "%s", from->host) < (int)sizeof c->host : host_normal(from->host, c->host)) {
		begin_check(r, from, c->host, &check);
		if (look)
			seek_stream_init(look, from->needles, c->host);
		result = relay_pair_init(&c->pair, from->client, from->outside, from->opaque ? NULL : &check, look);
	}
	if (result < 0) {
		free(look);
		free(c);
	}
	else
		*out = c;
	return result;
}

int relay_add(struct relay *r, const struct relay_connection *connection)
{
	struct carried *c;
	int result = carried_new(r, connection, &c);

	if (result < 0)
		return result;
	result = enter(r, c);
	if (result < 0) {
		free(c->pair.held);
		free(c->pair.look);
		free(c);
		return result;
	}
	wake(r);
	return 0;
}

void relay_drop(struct relay *r, const void *whose)
{
	struct drop drop = {.whose = whose};

	pthread_mutex_lock(&r->lock);
	SLIST_INSERT_HEAD(&r->drops, &drop, next);
	wake(r);
	while (!drop.done)
		pthread_cond_wait(&r->dropped, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

/* --- start and stop ---------------------------------------------------------------------------- */

static unsigned descriptors_room(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur / 4 > RELAY_MAX)
		return RELAY_MAX;
	return (unsigned)(files.rlim_cur / 4);
}

static void release(struct relay *r)
{
	relay_scratch_finish(&r->scratch);
	close_fd(&r->epoll);
	close_fd(&r->wake);
	pthread_cond_destroy(&r->dropped);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int relay_start(struct relay **out, const struct relay_calls *calls)
{
	struct epoll_event woken = {.events = EPOLLIN};
	struct relay *r = calloc(1, sizeof *r);
	int result;

	if (!r)
		return -ENOMEM;
	r->calls = *calls;
	if (!r->calls.silence_ms)
		r->calls.silence_ms = RELAY_SILENCE_MS;
	r->room = descriptors_room();
	relay_scratch_init(&r->scratch);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->dropped, NULL);
	LIST_INIT(&r->all);
	TAILQ_INIT(&r->arriving);
	SLIST_INIT(&r->drops);
	TAILQ_INIT(&r->ready);
	TAILQ_INIT(&r->silent);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->wake = r->epoll < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	result = r->wake < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->wake, &woken) < 0 ? -errno : thread_start(&r->thread, 0, 0, relay_serve, r);
	if (result < 0)
		release(r);
	else
		*out = r;
	return result;
}

void relay_stop(struct relay *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_mutex_unlock(&r->lock);
	wake(r);
	pthread_join(r->thread, NULL);
	release(r);
}
