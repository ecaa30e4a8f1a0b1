/* How bad was it: a number and a word for each package and for the run, from what is recorded.  The rules are a table (score.c, docs/report.md).
 * Pure but for memory; not thread-safe: in the journal its mutex guards it. */
#ifndef RECORD_SCORE_H
#define RECORD_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "launcher/record/event.h"

enum score_verdict { SCORE_CLEAN, SCORE_SUSPICIOUS, SCORE_MALICIOUS };
const char *score_verdict_name(enum score_verdict v);
bool score_verdict_parse(const char *text, enum score_verdict *out);

#define SCORE_SUSPICIOUS_FROM 30
#define SCORE_MALICIOUS_FROM 100
#define SCORE_PACKAGES_MAX 256 /* those that come later are counted for the run alone */
#define SCORE_ATTACK_MAX 16

struct score;

struct score *score_new(void); /* NULL: no memory */
void score_free(struct score *s);
/* A distinct attempt, in the order of the record; not what only repeats one.  0, or -ENOMEM: what it says is lost then. */
int score_add(struct score *s, const struct event *ev);

struct score_result {
	const char *name, *version; /* the score's own; name NULL: of the run */
	enum score_verdict verdict;
	unsigned points;  /* 0 to 100 */
	size_t findings;  /* distinct attempts of severity low and above */
	const char *attack[SCORE_ATTACK_MAX + 1]; /* ids, sorted, NULL-terminated; static */
};
/* Packages that were seen doing anything, in the order in which they were: by name and version, all their roles and stages together. */
size_t score_packages(const struct score *s);
void score_package(const struct score *s, size_t i, struct score_result *out);
/* The worst of all, nameless ones too. */
void score_run(const struct score *s, struct score_result *out);

#endif
