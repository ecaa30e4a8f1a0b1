/* Which code made an attempt: what the shim in its process says, put beside what the kernel says.  Explanations only: whatever a sandbox's memory holds
 * changes no decision.  Any thread. */
#ifndef SUPERVISE_ORIGIN_H
#define SUPERVISE_ORIGIN_H

#include "launcher/record/decode.h"
#include "launcher/record/intent.h"
#include "launcher/record/request.h"
#include "supervise.h"

/* Of a record of the shim's; borrows from view. */
struct event_origin origin_of_record(const struct sandbox *sb, const struct record_view *view);

/* Where the process of the thread says that its intents are; 0: nowhere. */
uint64_t origin_intents(struct sandbox *sb, pid_t tid);

/* What an event borrows until it is written. */
struct origin_room {
	struct intent_view intent;
	struct request_view request;
};
/* Fills in ev->origin and, of an HTTP request, url, method and bytes of ev->target: from what the process of thread `tid` said before it made the call that
 * the kernel asked about (preload/pw_event.h, struct pw_intents).  Nothing where it said nothing. */
void origin_join(struct sandbox *sb, pid_t tid, struct event *ev, struct origin_room *room);

/* May what the role's code sends and runs be looked at, and its URLs be written down?  Not of tools that have the user's own passwords: who redacts does not
 * know those. */
bool origin_is_open(const struct sandbox *sb);
/* An HTTP request is sent: its target from its head, of whose URL what may be written down is left. */
void origin_request(const struct sandbox *sb, struct request_view *request, struct event_target *target);

#endif
