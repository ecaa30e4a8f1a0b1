/* Ways out of sandboxes to allowed hosts: what binds a sandbox's doors, the run's one relay and the record together. */
#ifndef SUPERVISE_RELAYS_H
#define SUPERVISE_RELAYS_H

#include <stdbool.h>

#include "launcher/relay/relay_check.h"
#include "launcher/supervise/doors.h"
#include "launcher/supervise/shade.h"
#include "preload/pw_event.h"

struct relay_target {
	char host[PW_HOST_MAX]; /* the name that was resolved; of an address that the policy lists, that */
	struct pw_address real;
	unsigned port;
	bool opaque; /* no server name is looked for */
	enum relay_proxy proxy; /* of pip's: what is asked of it is looked at */
	const struct proxy *by; /* dialled through it, by name: real is nowhere */
};

/* One sandbox's; lives until its session, its workers and its connections have put it down. */
struct way_out;

/* For a sandbox that has any host, and for a pip that goes through proxies; else NULL, and nothing leads out.  NULL as well without memory. */
struct way_out *way_out_new(const struct sandbox *sb, int init_sock);
struct way_out *way_out_take(struct way_out *w);
void way_out_put(struct way_out *w);
struct doors *way_out_doors(struct way_out *w); /* NULL: without a network namespace there are none */
/* What init answered to a door's question; takes fd over. */
void way_out_door(struct way_out *w, const struct init_message *m, int fd);
/* The session's, at the sandbox's end: nobody new comes out.  And when nothing of it lives any more: what was sent goes on its way, as after a process's end without us,
 * for WAY_OUT_GRACE at most; then its connections are cut. */
#define WAY_OUT_GRACE_MS 2000
void way_out_close(struct way_out *w);
void way_out_end(struct way_out *w);
/* For who dials the outside behind a caller that has been answered.  Until it says that it has done so, way_out_end waits for it as for a connection.  Any thread. */
void way_out_dials(struct way_out *w, bool begins);
enum way_out_state { WAY_OUT_OPEN, WAY_OUT_CLOSED, WAY_OUT_ENDED };
enum way_out_state way_out_state(struct way_out *w);

/* Takes both ends over, also when it fails: -ECONNRESET behind way_out_end, -EAGAIN if there are too many, which is written down.  Any thread. */
int relays_add(struct way_out *w, const struct relay_target *t, int inside, int outside);

/* Writes down that the sandbox has too much of something (static text) for another connection to t: some times, since it can be had at will.  Any thread. */
void relays_full(struct way_out *w, const struct relay_target *t, const char *what);

#endif
