/* Events as JSON.  Each function appends to the line; keys come with their comma before them, but for encode_head,
 * which opens the object. */
#ifndef RECORD_ENCODE_H
#define RECORD_ENCODE_H

#include <time.h>

#include "launcher/record/event.h"
#include "launcher/record/line.h"
#include "launcher/record/redact.h"
#include "launcher/record/score.h"

#define ENCODE_TEXT_MAX 4096 /* bytes of one string; what is cut ends in "…" */
#define ENCODE_ARGV_MAX 32   /* entries of an argv; what is cut ends in an entry "…" */
#define ENCODE_ARGV_BYTES 8192
#define ENCODE_NAMES_MAX 4096 /* for lists of our own: names of variables */

struct encoder {
	struct line line;
	const struct redact *redact; /* may be NULL */
};

/* {"ts":…,"seq":…,"run":… */
void encode_head(struct encoder *e, const struct timespec *now, uint64_t seq, const char *run);
/* ,"key":"value"; nothing when value is NULL */
void encode_string(struct encoder *e, const char *key, const char *value);
/* The same, cut at max bytes. */
void encode_cut(struct encoder *e, const char *key, const char *value, size_t max);
void encode_count(struct encoder *e, const char *key, uint64_t value);
/* ,"key":[…]; nothing when list is NULL.  At most max entries and about bytes of text. */
void encode_strings(struct encoder *e, const char *key, const char *const *list, size_t max, size_t bytes);
/* ,"package":{…} and the like; nothing when nothing is known */
void encode_package(struct encoder *e, const struct event_package *p);
void encode_origin(struct encoder *e, const struct event_origin *o);
/* Nothing where there is none; texts are cut at max bytes. */
void encode_decoy(struct encoder *e, const struct event_decoy *d, size_t max);
/* ,"key": ; what follows is the caller's. */
void encode_key(struct encoder *e, const char *key);
/* ,"type":… and everything else that is said of an event */
void encode_event(struct encoder *e, const struct event *ev);
/* ,"verdict":…,"score":…,"attack":… */
void encode_result(struct encoder *e, const struct score_result *r);
/* ,"packages":[…], each with name, version, result and the number of its findings */
void encode_packages(struct encoder *e, const struct score *s);
/* }\n */
void encode_end(struct encoder *e);

const char *event_action_name(enum event_action a);
const char *event_source_name(enum event_source s);

#endif
