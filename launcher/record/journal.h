/* The journal of a run: JSON Lines, one event a line, numbered from 1 without gaps, O_APPEND, one write(2) a line,
 * fdatasync at severity high and above and at the end.  Only the supervisor writes it.  Thread-safe (one mutex).
 *
 * Identical attempts (type, action, rule, source, role, package, target) are folded: the first is written at once,
 * the rest counted; journal_end writes one closing line for each folded one, with `count` (the attempts after the
 * first) and `first`, the first one's seq.
 * Distinct ones are bounded (JOURNAL_DISTINCT_MAX in all, JOURNAL_BYTES_MAX of lines, FOLD_BYTES_MAX of memory):
 * journal_event then returns -ENOBUFS, writes nothing, and counts the attempt.  A few events of type "run.…" still
 * pass, so that the end can be recorded.
 * A write that fails (full disk) is -EIO or the errno, from then on for good: nothing may be allowed unrecorded, so
 * the caller stops the run.
 * The process must ignore SIGPIPE and SIGXFSZ, or these kill it before the failure is seen.
 * Every string is redacted (the run's own secrets become "[redacted]") and escaped so that a line is valid UTF-8 JSON
 * with no C0, C1 or bidi characters. */
#ifndef RECORD_JOURNAL_H
#define RECORD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "score.h"

#define JOURNAL_DISTINCT_MAX 10000
#define JOURNAL_BYTES_MAX (64u << 20) /* closing lines come on top: at most as much again */

struct journal;

struct journal_start { /* the `run.start` line */
	const char *run_id;
	const char *const *argv;
	const char *version, *policy_digest;
	const char *layers_json; /* a JSON object: layers in force, from caps_json() */
	const char *const *replaced, *const *removed; /* names of variables; under audit of those that would be */
	bool audit; /* nothing is enforced: said in run.start and in the summary */
	const char *replaced_for; /* who sees the decoys, for the summary: "installer, build"; NULL: not said */
};

/* Opens (creates 0600, O_EXCL unless it exists as a regular file of ours for --log, O_NOFOLLOW) and writes run.start.
 * paths: NULL-terminated or NULL; fd: --log-fd or -1, duplicated, stays the caller's.  secrets: for redaction,
 * borrowed until journal_close.  NULL with *error set to an errno. */
struct journal *journal_open(const char *const paths[], int fd, const struct journal_start *start,
                             char *const *secrets, int *error, const char **error_path);
/* 0, -ENOBUFS, or a negative errno. Fills *seq (may be NULL) with the event's number (of the first one when folded). */
int journal_event(struct journal *j, const struct event *ev, uint64_t *seq);

/* Would this event be folded into one that was written?  Then its process need not be looked up: it would not be written. */
bool journal_folds(struct journal *j, const struct event *ev);

/* As every string of a line, without what is done for terminals and parsers: text_redact's result. */
size_t journal_redact(const struct journal *j, char *dst, size_t cap, const char *text);

struct journal_counts {
	uint64_t by_severity[5]; /* index: enum severity; every attempt, folded ones too */
	uint64_t denied;
	bool failed; /* a write failed */
};
void journal_counts(struct journal *j, struct journal_counts *out);

/* What the attempts so far come to. */
enum score_verdict journal_verdict(struct journal *j);

struct journal_cost {
	uint64_t installer, sandboxes; /* notifications: system calls that were asked about */
	double supervisor_cpu;         /* seconds */
	uint64_t supervisor_peak_rss;  /* bytes */
};
/* Writes the closing lines and run.end (exit status, counts, verdict with score and packages, cost), flushes. 0 or -errno. */
int journal_end(struct journal *j, int exit_status, const struct journal_cost *cost);
void journal_close(struct journal *j);

/* The text that goes to standard error at the end: what, by which package, what became of it, how to allow it, where
 * the record is.  Only when an event of severity low or above happened (verbosity below 0: high; above 0: any) or the
 * run was aborted.  Made from what journal_event keeps in memory (bounded), grouped by rule, package and target; at
 * most about 25 lines; terminal control characters are escaped.  Under audit there is always something to say.
 * The caller frees; NULL: nothing to say. */
char *journal_summary(struct journal *j, const char *journal_path, bool colour, int verbosity);

#endif
