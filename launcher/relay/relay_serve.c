#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "relay_parts.h"

#define EVENTS_MAX 64

/* --- the life of a connection ------------------------------------------------------ */

static void make_ready(struct relay *r, struct carried *c)
{
	if (!c->is_ready)
		TAILQ_INSERT_TAIL(&r->ready, c, ready);
	c->is_ready = true;
}

static void forget_silence(struct relay *r, struct carried *c)
{
	if (c->is_silent)
		TAILQ_REMOVE(&r->silent, c, silent);
	c->is_silent = false;
}

static void hear(struct relay *r, struct carried *c)
{
	forget_silence(r, c);
	c->heard = clock_milliseconds();
	c->is_silent = true;
	TAILQ_INSERT_TAIL(&r->silent, c, silent);
}

static void leave(struct relay *r, struct carried *c)
{
	pthread_mutex_lock(&r->lock);
	if (!c->joined)
		TAILQ_REMOVE(&r->arriving, c, arriving);
	LIST_REMOVE(c, all);
	r->count--;
	pthread_mutex_unlock(&r->lock);
	forget_silence(r, c);
	if (c->is_ready)
		TAILQ_REMOVE(&r->ready, c, ready);
	/* Closing is not enough where a child that is being born still has a copy of the descriptor. */
	epoll_ctl(r->epoll, EPOLL_CTL_DEL, c->pair.client.fd, NULL);
	epoll_ctl(r->epoll, EPOLL_CTL_DEL, c->pair.outside.fd, NULL);
}

static void finish(struct relay *r, struct carried *c, enum relay_state state)
{
	struct relay_moved moved = {.sent = c->pair.up.moved, .received = c->pair.down.moved};
	char name[HOST_TEXT_MAX] = "", tunnel[HOST_TEXT_MAX] = "";
	const char *why = NULL;
	unsigned asked_port = 0;
	const struct needle_hits *found = relay_pair_decoys(&c->pair);
	struct needle_hits decoys = found ? *found : (struct needle_hits){.n = 0};

	leave(r, c);
	if (state == RELAY_REFUSED) {
		why = c->pair.held->check.why;
		asked_port = c->pair.held->check.asked_port;
		memcpy(name, c->pair.held->check.name, sizeof name);
		memcpy(tunnel, c->pair.held->check.asked, sizeof tunnel);
	}
	relay_pair_close(&c->pair, state);
	if (why)
		r->calls.refused(c->whose, &(struct relay_refusal){.host = c->host, .port = c->port, .id = c->id, .name = name, .asked_port = asked_port, .tunnel = tunnel, .why = why, .moved = moved, .decoys = found ? &decoys : NULL});
	else
		r->calls.ended(c->whose, &(struct relay_ended){.host = c->host, .port = c->port, .id = c->id, .moved = moved, .decoys = found ? &decoys : NULL, .stopped = state == RELAY_SEEN});
	free(c);
}

static int watch(struct relay *r, struct mark *m)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = m};

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, m->end->fd, &event);
}

/* Its first events tell what the ends can do already. */
static void join(struct relay *r, struct carried *c)
{
	if (!c->pair.open)
		hear(r, c);
	if (watch(r, &c->client) < 0 || watch(r, &c->outside) < 0)
		finish(r, c, RELAY_OVER); /* no memory for it */
}

static void run(struct relay *r, struct carried *c)
{
	enum relay_state state = relay_pair_run(&c->pair, &r->scratch);

	if (state == RELAY_OVER || state == RELAY_REFUSED || state == RELAY_SEEN) {
		finish(r, c, state);
		return;
	}
	if (c->pair.open)
		forget_silence(r, c);
	if (state == RELAY_GOES_ON)
		make_ready(r, c);
}

/* --- its turns --------------------------------------------------------------------- */

/* Of a turn's events none is looked at after a connection was freed: first all are noted. */
static void note(struct relay *r, const struct epoll_event *event)
{
	struct mark *m = event->data.ptr;
	uint64_t count;

	if (!m) {
		if (read(r->wake, &count, sizeof count) < 0)
			return; /* somebody's call is seen anyway */
		return;
	}
	if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		m->end->readable = true;
	if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		m->end->writable = true;
	if (m == &m->of->client && m->of->is_silent)
		hear(r, m->of);
	make_ready(r, m->of);
}

static void run_ready(struct relay *r)
{
	struct carried_queue now = TAILQ_HEAD_INITIALIZER(now);
	struct carried *c;

	TAILQ_CONCAT(&now, &r->ready, ready); /* each once: who goes on is put behind all that waits for events */
	while ((c = TAILQ_FIRST(&now))) {
		TAILQ_REMOVE(&now, c, ready);
		c->is_ready = false;
		run(r, c);
	}
}

static void end_silent(struct relay *r)
{
	int64_t long_ago = clock_milliseconds() - (int64_t)r->calls.silence_ms;
	struct carried *c;

	while ((c = TAILQ_FIRST(&r->silent)) && c->heard <= long_ago)
		finish(r, c, RELAY_OVER);
}

static struct carried *take_arriving(struct relay *r)
{
	struct carried *c;

	pthread_mutex_lock(&r->lock);
	c = TAILQ_FIRST(&r->arriving);
	if (c) {
		TAILQ_REMOVE(&r->arriving, c, arriving);
		c->joined = true;
	}
	pthread_mutex_unlock(&r->lock);
	return c;
}

/* The next of whose connections, of anybody's if all is to end, joined or not. */
static struct carried *find(struct relay *r, const void *whose, bool anybody)
{
	struct carried *c;

	pthread_mutex_lock(&r->lock);
	LIST_FOREACH(c, &r->all, all)
		if (anybody || c->whose == whose)
			break;
	pthread_mutex_unlock(&r->lock);
	return c;
}

static struct drop *next_drop(struct relay *r)
{
	struct drop *d;

	pthread_mutex_lock(&r->lock);
	d = SLIST_FIRST(&r->drops);
	pthread_mutex_unlock(&r->lock);
	return d;
}

static void serve_drops(struct relay *r)
{
	struct carried *c;
	struct drop *d;

	while ((d = next_drop(r))) {
		while ((c = find(r, d->whose, false)))
			finish(r, c, RELAY_WAITS);
		pthread_mutex_lock(&r->lock);
		SLIST_REMOVE(&r->drops, d, drop, next);
		d->done = true; /* it is its caller's again */
		pthread_cond_broadcast(&r->dropped);
		pthread_mutex_unlock(&r->lock);
	}
}

static bool is_stopping(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	bool stopping = r->stopping;
	pthread_mutex_unlock(&r->lock);
	return stopping;
}

/* Milliseconds until there is something to do without an event; -1: never. */
static int patience(const struct relay *r)
{
	const struct carried *c = TAILQ_FIRST(&r->silent);
	int64_t left;

	if (!TAILQ_EMPTY(&r->ready))
		return 0;
	if (!c)
		return -1;
	left = c->heard + (int64_t)r->calls.silence_ms - clock_milliseconds();
	return left > 0 ? (int)left : 0;
}

void *relay_serve(void *argument)
{
	struct epoll_event events[EVENTS_MAX];
	struct relay *r = argument;
	struct carried *c;

	while (!is_stopping(r)) {
		int n = epoll_wait(r->epoll, events, EVENTS_MAX, patience(r));
		for (int i = 0; i < n; i++)
			note(r, &events[i]);
		serve_drops(r); /* before anything more is passed on for one that has ended */
		run_ready(r);
		end_silent(r);
		while ((c = take_arriving(r)))
			join(r, c);
	}
	while ((c = find(r, NULL, true)))
		finish(r, c, RELAY_WAITS);
	return NULL;
}
