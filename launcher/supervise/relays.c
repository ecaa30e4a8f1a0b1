#include "launcher/supervise/relays.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "launcher/base/fd.h"
#include "launcher/relay/relay.h"
#include "launcher/supervise/proxied.h"
#include "launcher/supervise/seen.h"
#include "launcher/supervise/supervisor.h"

#define DESCRIPTORS (4 * RELAY_MAX + 1024)
#define FULL_RECORDED 16

struct way_out {
	_Atomic unsigned holders, connections, full;
	_Atomic bool closed, ended;
	pthread_mutex_t adding; /* and setting `ended`: no worker that comes late adds what nobody would cut any more */
	struct shade who;
	struct doors *doors;
};

static struct relay *the_relay; /* one a process, begun with the first connection; lives as long */
static pthread_mutex_t relay_lock = PTHREAD_MUTEX_INITIALIZER;

static bool leads_somewhere(const struct sandbox *sb)
{
	if (sb->role == ROLE_INSTALLER)
		return supervisor_proxies(sb->sup)->n != 0;
	return supervisor_has_hosts(sb) && (!sb->namespaces || supervisor_caps(sb->sup)->pidfd_getfd);
}

struct way_out *way_out_new(const struct sandbox *sb, int init_sock)
{
	struct way_out *w;

	if (sb->audit || !leads_somewhere(sb))
		return NULL;
	w = calloc(1, sizeof *w);
	if (!w || (sb->namespaces && !(w->doors = doors_new(init_sock)))) {
		free(w);
		return NULL;
	}
	w->holders = 1;
	pthread_mutex_init(&w->adding, NULL);
	shade_init(&w->who, sb);
	return w;
}

struct way_out *way_out_take(struct way_out *w)
{
	atomic_fetch_add(&w->holders, 1);
	return w;
}

void way_out_put(struct way_out *w)
{
	if (!w || atomic_fetch_sub(&w->holders, 1) > 1)
		return;
	doors_free(w->doors);
	pthread_mutex_destroy(&w->adding);
	free(w);
}

struct doors *way_out_doors(struct way_out *w)
{
	return w->doors;
}

void way_out_door(struct way_out *w, const struct init_message *m, int fd)
{
	if (w && w->doors)
		doors_answer(w->doors, m, fd);
	else
		close_fd(&fd);
}

/* --- the relay's word: one for each connection ------------------------------------------------------------------------------ */

static void put_connection(struct way_out *w)
{
	atomic_fetch_sub(&w->connections, 1);
	way_out_put(w);
}

static void record_decoys(struct way_out *w, const char *host, unsigned port, const struct needle_hits *decoys, bool stopped)
{
	if (decoys)
		decoy_seen_record(&w->who.sandbox, 0, &(struct seen_place){.in = SEEN_STREAM, .host = host, .port = port, .stopped = stopped}, decoys);
}

static void refused(void *whose, const struct relay_refusal *r)
{
	struct way_out *w = whose;
	char detail[HOST_TEXT_MAX + 128];

	record_decoys(w, r->host, r->port, r->decoys, false);
	if (r->asked_port) {
		proxied_record(&w->who.sandbox, r);
		put_connection(w);
		return;
	}
	struct event ev = {
		.type = "net.connect",
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(w->who.sandbox.sup), "net.connect.name"),
		.source = SRC_KERNEL,
		.target = {.host = r->host, .port = r->port, .protocol = "tcp", .name = r->name[0] ? r->name : NULL},
		.detail = r->why,
	};

	if (r->tunnel[0]) {
		snprintf(detail, sizeof detail, "%s, in the proxy's tunnel to %s", r->why, r->tunnel);
		ev.detail = detail;
	}
	supervisor_record(&w->who.sandbox, 0, &ev);
	put_connection(w);
}

static void ended(void *whose, const struct relay_ended *e)
{
	record_decoys(whose, e->host, e->port, e->decoys, e->stopped);
	put_connection(whose);
}

static enum relay_may may(void *whose, const char *host, unsigned port)
{
	struct way_out *w = whose;

	return proxied_may(&w->who.sandbox, host, port);
}

static struct relay *get_relay(void)
{
	static const struct relay_calls calls = {.refused = refused, .ended = ended, .may = may};
	struct rlimit files;

	pthread_mutex_lock(&relay_lock);
	/* It takes two for each connection.  Whatever is started from now on comes from the zygote, which keeps the limit that it has. */
	if (!the_relay && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < DESCRIPTORS ? files.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!the_relay && relay_start(&the_relay, &calls) < 0)
		the_relay = NULL;
	pthread_mutex_unlock(&relay_lock);
	return the_relay;
}

void relays_full(struct way_out *w, const struct relay_target *t, const char *what)
{
	struct event ev = {
		.type = "net.connect",
		.action = EV_DENIED,
		.verdict = policy_rule(supervisor_policy(w->who.sandbox.sup), "net.connect.full"),
		.source = SRC_KERNEL,
		.target = {.host = t->host, .port = t->port, .protocol = "tcp"},
		.detail = what,
	};

	if (atomic_fetch_add(&w->full, 1) < FULL_RECORDED)
		supervisor_record(&w->who.sandbox, 0, &ev);
}

int relays_add(struct way_out *w, const struct relay_target *t, int inside, int outside)
{
	struct relay *relay = get_relay();
	struct relay_connection c = {.client = inside, .outside = outside, .host = t->host, .port = t->port, .opaque = t->opaque, .proxy = t->proxy, .whose = way_out_take(w),
	                             .needles = seen_needles(&w->who.sandbox, NEEDLE_DATA)};
	int error;

	atomic_fetch_add(&w->connections, 1);
	pthread_mutex_lock(&w->adding);
	error = atomic_load(&w->ended) ? -ECONNRESET : relay ? relay_add(relay, &c) : -EAGAIN;
	pthread_mutex_unlock(&w->adding);
	if (error == -EAGAIN)
		relays_full(w, t, "a build or command may have 256 connections to allowed hosts at a time, all of a run 1024, less where few descriptors may be open (ulimit -n)");
	if (error < 0) {
		close_fd(&inside);
		close_fd(&outside);
		put_connection(w);
	}
	return error;
}

void way_out_dials(struct way_out *w, bool begins)
{
	atomic_fetch_add(&w->connections, begins ? 1u : -1u);
}

enum way_out_state way_out_state(struct way_out *w)
{
	return atomic_load(&w->ended) ? WAY_OUT_ENDED : atomic_load(&w->closed) ? WAY_OUT_CLOSED : WAY_OUT_OPEN;
}

void way_out_close(struct way_out *w)
{
	atomic_store(&w->closed, true);
	if (w->doors)
		doors_close(w->doors);
}

void way_out_end(struct way_out *w)
{
	for (int ms = 0; ms < WAY_OUT_GRACE_MS && atomic_load(&w->connections) > 0; ms++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	pthread_mutex_lock(&w->adding);
	atomic_store(&w->ended, true);
	pthread_mutex_unlock(&w->adding);
	pthread_mutex_lock(&relay_lock);
	struct relay *relay = the_relay;
	pthread_mutex_unlock(&relay_lock);
	if (relay)
		relay_drop(relay, w);
}
