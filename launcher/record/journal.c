#include "launcher/record/journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/decoy_read.h"
#include "launcher/record/encode.h"
#include "launcher/record/fold.h"
#include "launcher/record/summary.h"
#include "launcher/record/text.h"
#include "launcher/record/sink.h"

#define SINKS_MAX 8
#define RUN_EVENTS_SPARE 64 /* "run.…" events beyond the bound */

struct journal {
	pthread_mutex_t lock;
	struct sink sinks[SINKS_MAX];
	size_t sink_count;
	char *run_id;
	struct redact redact;
	struct fold fold;
	struct score *score;
	struct encoder encoder;
	struct summary_run run; /* what the summary says of the run as a whole */
	struct journal_counts counts;
	uint64_t seq, bytes;
	int error; /* of the first write that failed: negative errno */
};

static int open_sinks(struct journal *j, const char *const paths[], int fd, const char **error_path)
{
	for (size_t i = 0; paths != NULL && paths[i] != NULL; i++) {
		*error_path = paths[i];
		int r = j->sink_count == SINKS_MAX ? -E2BIG : sink_open_path(&j->sinks[j->sink_count], paths[i]);
		if (r < 0) {
			return r;
		}
		j->sink_count++;
	}
	*error_path = NULL;
	if (fd >= 0) {
		int r = j->sink_count == SINKS_MAX ? -E2BIG : sink_open_fd(&j->sinks[j->sink_count], fd);
		if (r < 0) {
			return r;
		}
		j->sink_count++;
	}
	return j->sink_count == 0 ? -EINVAL : 0;
}

static struct encoder *begin_at(struct journal *j, const struct timespec *now)
{
	line_reset(&j->encoder.line);
	encode_head(&j->encoder, now, j->seq + 1, j->run_id);
	return &j->encoder;
}

/* Starts the next line; the caller holds the lock. */
static struct encoder *begin(struct journal *j)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return begin_at(j, &now);
}

/* Ends the line and writes it everywhere.  The number is used up only when it was written. */
static int commit(struct journal *j)
{
	encode_end(&j->encoder);
	if (j->encoder.line.failed) {
		j->error = -ENOMEM;
	}
	for (size_t i = 0; i < j->sink_count && j->error == 0; i++) {
		j->error = sink_write(&j->sinks[i], j->encoder.line.data, j->encoder.line.len);
	}
	if (j->error == 0) {
		j->seq++;
		j->bytes += j->encoder.line.len;
	}
	return j->error;
}

/* Without the lock: a slow disk must not hold up the other sandboxes' events. */
static int flush(struct journal *j)
{
	int r = 0;
	for (size_t i = 0; i < j->sink_count && r == 0; i++) {
		r = sink_sync(&j->sinks[i]);
	}
	if (r < 0) {
		pthread_mutex_lock(&j->lock);
		j->error = j->error != 0 ? j->error : r;
		pthread_mutex_unlock(&j->lock);
	}
	return r;
}

/* layers_json is JSON of our own; only a raw newline in it could do harm. */
static void append_layers(struct line *l, const char *json)
{
	line_text(l, ",\"layers\":");
	for (const char *at = json; *at != '\0'; at++) {
		line_bytes(l, (unsigned char)*at < 0x20 ? " " : at, 1);
	}
}

static int write_start(struct journal *j, const struct journal_start *start)
{
	struct encoder *e = begin(j);
	encode_string(e, "type", "run.start");
	encode_count(e, "format", 1);
	encode_strings(e, "command", start->argv, ENCODE_ARGV_MAX * 32, ENCODE_ARGV_BYTES * 4);
	encode_string(e, "version", start->version);
	encode_string(e, "policy_digest", start->policy_digest);
	if (start->layers_json != NULL) {
		append_layers(&e->line, start->layers_json);
	}
	if (start->audit) {
		line_text(&e->line, ",\"audit\":true");
	}
	encode_strings(e, start->audit ? "would_replace" : "replaced", start->replaced, ENCODE_NAMES_MAX, SIZE_MAX);
	encode_strings(e, start->audit ? "would_remove" : "removed", start->removed, ENCODE_NAMES_MAX, SIZE_MAX);
	return commit(j);
}

struct journal *journal_open(const char *const paths[], int fd, const struct journal_start *start,
                             char *const *secrets, int *error, const char **error_path)
{
	const char *nowhere;
	error_path = error_path != NULL ? error_path : &nowhere;
	*error_path = NULL;
	struct journal *j = calloc(1, sizeof(*j));
	if (j == NULL) {
		*error = ENOMEM;
		return NULL;
	}
	pthread_mutex_init(&j->lock, NULL);
	j->encoder.redact = &j->redact;
	j->run_id = strdup(start->run_id != NULL ? start->run_id : "");
	int r = j->run_id == NULL ? -ENOMEM : redact_init(&j->redact, secrets);
	r = r < 0 ? r : fold_init(&j->fold);
	j->score = score_new();
	r = r < 0 ? r : j->score == NULL ? -ENOMEM : 0;
	r = r < 0 ? r : summary_run_init(&j->run, start->replaced, start->replaced_for);
	j->run.audit = start->audit;
	r = r < 0 ? r : open_sinks(j, paths, fd, error_path);
	r = r < 0 ? r : write_start(j, start);
	if (r < 0) {
		*error = -r;
		journal_close(j);
		return NULL;
	}
	return j;
}

static void count(struct journal *j, const struct event *ev)
{
	j->counts.by_severity[ev->verdict.severity]++;
	j->counts.denied += ev->action == EV_DENIED || ev->action == EV_ABORTED;
	j->run.aborted |= ev->action == EV_ABORTED;
}

static bool room_for(const struct journal *j, const struct event *ev)
{
	size_t max = JOURNAL_DISTINCT_MAX;
	if (ev->type != NULL && strncmp(ev->type, "run.", 4) == 0) {
		max += RUN_EVENTS_SPARE;
	} else if (j->fold.bytes >= FOLD_BYTES_MAX || j->bytes >= JOURNAL_BYTES_MAX) {
		return false;
	}
	return j->fold.count < max;
}

/* A new attempt; the caller holds the lock. */
static int record_first(struct journal *j, const struct event *ev)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int scored = score_add(j->score, ev); /* also what finds no room */
	if (!room_for(j, ev)) {
		j->run.dropped++;
		return -ENOBUFS;
	}
	struct fold_entry *entry = scored < 0 ? NULL : fold_add(&j->fold, ev, j->seq + 1, &j->redact);
	if (entry == NULL) {
		j->error = -ENOMEM;
		return j->error;
	}
	entry->when = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	struct event full = *ev;
	full.decoy.read = ev->decoy.in != NULL ? decoy_read(&j->fold, ev) : 0;
	encode_event(begin_at(j, &now), &full);
	return commit(j);
}

int journal_event(struct journal *j, const struct event *ev, uint64_t *seq)
{
	bool sync = false;
	pthread_mutex_lock(&j->lock);
	count(j, ev);
	int r = j->error;
	struct fold_entry *same = r < 0 ? NULL : fold_find(&j->fold, ev, &j->redact);
	if (r == 0 && same == NULL) {
		r = record_first(j, ev);
		sync = r == 0 && ev->verdict.severity >= SEV_HIGH;
	} else if (r == 0) {
		same->again++;
	}
	if (r == 0 && seq != NULL) {
		*seq = same != NULL ? same->seq : j->seq;
	}
	pthread_mutex_unlock(&j->lock);
	return sync ? flush(j) : r;
}

size_t journal_redact(const struct journal *j, char *dst, size_t cap, const char *text)
{
	return text_redact(dst, cap, text, &j->redact);
}

bool journal_folds(struct journal *j, const struct event *ev)
{
	pthread_mutex_lock(&j->lock);
	bool known = j->error == 0 && fold_find(&j->fold, ev, &j->redact) != NULL;
	pthread_mutex_unlock(&j->lock);
	return known;
}

void journal_counts(struct journal *j, struct journal_counts *out)
{
	pthread_mutex_lock(&j->lock);
	*out = j->counts;
	out->failed = j->error != 0;
	pthread_mutex_unlock(&j->lock);
}

static int write_closing(struct journal *j, const struct fold_entry *same)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(same, &ev, argv);
	ev.detail = NULL; /* has been said in the first line */
	struct encoder *e = begin(j);
	encode_event(e, &ev);
	encode_count(e, "count", same->again);
	encode_count(e, "first", same->seq);
	return commit(j);
}

enum score_verdict journal_verdict(struct journal *j)
{
	struct score_result run;
	pthread_mutex_lock(&j->lock);
	score_run(j->score, &run);
	pthread_mutex_unlock(&j->lock);
	return run.verdict;
}

static int write_end(struct journal *j, int exit_status, const struct journal_cost *cost)
{
	struct encoder *e = begin(j);
	struct line *l = &e->line;
	struct score_result result;
	char text[48];
	encode_string(e, "type", "run.end");
	line_text(l, ",\"exit_status\":");
	line_number(l, exit_status);
	line_text(l, ",\"counts\":{");
	for (enum severity s = SEV_INFO; s <= SEV_CRITICAL; s++) {
		encode_count(e, severity_name(s), j->counts.by_severity[s]);
	}
	line_text(l, "}");
	encode_count(e, "denied", j->counts.denied);
	if (j->run.dropped > 0) {
		encode_count(e, "unrecorded", j->run.dropped);
	}
	score_run(j->score, &result);
	encode_result(e, &result);
	encode_packages(e, j->score);
	line_text(l, ",\"cost\":{");
	encode_count(e, "notifications", cost->installer + cost->sandboxes);
	encode_count(e, "installer_notifications", cost->installer);
	/* By hand: printf's decimal point is the locale's. */
	double cpu = cost->supervisor_cpu;
	uint64_t micro = cpu > 0 && cpu < 1e9 ? (uint64_t)(cpu * 1e6 + 0.5) : 0;
	snprintf(text, sizeof(text), ",\"supervisor_cpu\":%llu.%06llu", (unsigned long long)(micro / 1000000),
	         (unsigned long long)(micro % 1000000));
	line_text(l, text);
	encode_count(e, "supervisor_peak_rss", cost->supervisor_peak_rss);
	line_text(l, "}");
	return commit(j);
}

int journal_end(struct journal *j, int exit_status, const struct journal_cost *cost)
{
	pthread_mutex_lock(&j->lock);
	int r = j->error;
	for (const struct fold_entry *e = j->fold.first; e != NULL && r == 0; e = e->next) {
		r = e->again > 0 ? write_closing(j, e) : 0;
	}
	r = r < 0 ? r : write_end(j, exit_status, cost);
	pthread_mutex_unlock(&j->lock);
	return r < 0 ? r : flush(j);
}

char *journal_summary(struct journal *j, const char *journal_path, bool colour, int verbosity)
{
	pthread_mutex_lock(&j->lock);
	char *text = summary_text(&j->fold, &j->run, &j->redact, journal_path, colour, verbosity);
	pthread_mutex_unlock(&j->lock);
	return text;
}

void journal_close(struct journal *j)
{
	if (j == NULL) {
		return;
	}
	for (size_t i = 0; i < j->sink_count; i++) {
		sink_close(&j->sinks[i]);
	}
	summary_run_finish(&j->run);
	fold_finish(&j->fold);
	score_free(j->score);
	redact_finish(&j->redact);
	line_finish(&j->encoder.line);
	free(j->run_id);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
