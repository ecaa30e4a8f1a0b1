/* Events in words, for people.  Each function appends to the writer's line; what comes from the run is escaped and redacted. */
#ifndef RECORD_SAY_H
#define RECORD_SAY_H

#include <stdbool.h>

#include "launcher/record/event.h"
#include "launcher/record/line.h"
#include "launcher/record/redact.h"

struct writer {
	struct line line;
	const struct redact *redact;
	bool colour;
};

void say(struct writer *w, const char *text); /* text of our own */
void say_foreign(struct writer *w, const char *text);
void say_count(struct writer *w, uint64_t n, const char *one, const char *many);
void say_severity(struct writer *w, enum severity s);
/* The one word for what was attempted on; never NULL. */
const char *say_target(const struct event *ev);
void say_who(struct writer *w, const struct event *ev);
void say_verb(struct writer *w, const struct event *ev, bool refused);
void say_object(struct writer *w, const struct event *ev);
/* " for POST URL, 12 bytes", or nothing. */
void say_request(struct writer *w, const struct event *ev);
/* " (Pipedream HTTP endpoint)", or nothing. */
void say_kind(struct writer *w, const struct event *ev);
/* " at FILE:LINE in FUNCTION", " by OBJECT", or nothing. */
void say_origin(struct writer *w, const struct event_origin *o);

#endif
