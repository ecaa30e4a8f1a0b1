#include "launcher/record/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/chain.h"
#include "launcher/record/say.h"
#include "launcher/record/text.h"

#define GROUPS_SHOWN 9
#define NAMES_SHOWN 10
#define READS_SHOWN 5

struct group { /* attempts of one rule, package and target */
	uint64_t hash, seq, attempts;
	enum severity severity;
	bool told; /* with what it led to */
	bool refused, aborted, decoy, observed, audited; /* audited: nothing stopped it, but without --audit something would have */
	const struct fold_entry *entry; /* the first of them */
	const char *detail;
};

int summary_run_init(struct summary_run *run, const char *const *replaced, const char *replaced_for)
{
	size_t n = 0;
	while (replaced != NULL && replaced[n] != NULL) {
		n++;
	}
	*run = (struct summary_run){.replaced = calloc(n + 1, sizeof(char *))};
	if (run->replaced == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		run->replaced[i] = strdup(replaced[i]);
		if (run->replaced[i] == NULL) {
			return -ENOMEM;
		}
	}
	if (replaced_for != NULL && (run->replaced_for = strdup(replaced_for)) == NULL) {
		return -ENOMEM;
	}
	return 0;
}

void summary_run_finish(struct summary_run *run)
{
	for (size_t i = 0; run->replaced != NULL && run->replaced[i] != NULL; i++) {
		free(run->replaced[i]);
	}
	free(run->replaced);
	free(run->replaced_for);
	*run = (struct summary_run){0};
}

static uint64_t group_hash(const struct fold *f, const struct fold_entry *e)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(e, &ev, argv);
	bool read = chain_is_read(&ev); /* each place that reads is a finding */
	const char *const parts[] = {ev.verdict.rule, ev.package.name, ev.package.version, ev.package.stage, say_target(&ev),
	                             read ? ev.origin.object : NULL, read ? ev.origin.file : NULL, ev.decoy.name, ev.decoy.path, ev.decoy.in};
	uint64_t seed[2] = {f->seed[0], f->seed[1] ^ (uint64_t)ev.role ^ (read ? (uint64_t)ev.origin.line << 8 : 0)};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		seed[0] ^= fold_hash(seed, parts[i] != NULL ? parts[i] : "", parts[i] != NULL ? strlen(parts[i]) + 1 : 0);
	}
	return seed[0];
}

static struct group group_of(const struct fold *f, const struct fold_entry *e)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(e, &ev, argv);
	return (struct group){
		.hash = group_hash(f, e), .seq = e->seq, .attempts = 1 + e->again, .severity = e->severity, .entry = e,
		.refused = ev.action == EV_DENIED || ev.action == EV_ABORTED, .aborted = ev.action == EV_ABORTED,
		.decoy = ev.action == EV_DECOY, .observed = ev.action == EV_OBSERVED, .audited = ev.audited && ev.would != EV_DECOY, .detail = e->detail,
	};
}

static int by_hash(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : x->seq < y->seq ? -1 : 1;
}

static int by_gravity(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return x->severity != y->severity ? (x->severity > y->severity ? -1 : 1) : x->seq < y->seq ? -1 : 1;
}

static void merge(struct group *into, const struct group *from)
{
	into->attempts += from->attempts;
	into->severity = from->severity > into->severity ? from->severity : into->severity;
	into->refused |= from->refused;
	into->aborted |= from->aborted;
	into->decoy |= from->decoy;
	into->observed |= from->observed;
	into->audited |= from->audited;
	into->detail = into->detail != NULL ? into->detail : from->detail;
}

/* All groups worth a word, the gravest first; *out is malloc'ed. */
static size_t collect(const struct fold *f, int verbosity, struct group **out)
{
	enum severity least = verbosity > 0 ? SEV_INFO : verbosity == 0 ? SEV_LOW : SEV_HIGH;
	size_t n = 0, merged = 0;
	struct group *all = calloc(f->count + 1, sizeof(*all));
	*out = all;
	for (const struct fold_entry *e = f->first; all != NULL && e != NULL; e = e->next) {
		struct group g = group_of(f, e);
		if (e->severity >= least || g.aborted) {
			all[n++] = g;
		}
	}
	if (n == 0) {
		return 0;
	}
	qsort(all, n, sizeof(*all), by_hash);
	for (size_t i = 1; i < n; i++) {
		if (all[i].hash == all[merged].hash) {
			merge(&all[merged], &all[i]);
		} else {
			all[++merged] = all[i];
		}
	}
	qsort(all, merged + 1, sizeof(*all), by_gravity);
	return merged + 1;
}

static void say_read(struct writer *w, const struct fold_entry *e)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(e, &ev, argv);
	say(w, "    before, it ");
	say_verb(w, &ev, false);
	say_object(w, &ev);
	say_origin(w, &ev.origin);
	say(w, e->detail != NULL ? " (" : "");
	say_foreign(w, e->detail != NULL ? e->detail : "");
	say(w, e->detail != NULL ? ")\n" : "\n");
}

/* Both ends of a theft in one place. */
static void say_reads(struct writer *w, const struct fold *f, const struct group *g)
{
	size_t n = 0;
	/* What was asked for by name says more than what any build does. */
	for (int by_name = 1; by_name >= 0; by_name--) {
		for (const struct fold_entry *e = f->first; e != NULL; e = e->next) {
			if (chain_leads(e, g->entry, by_name == 1) && ++n <= READS_SHOWN) {
				say_read(w, e);
			}
		}
	}
	if (n > READS_SHOWN) {
		say(w, "    and ");
		line_number(&w->line, (int64_t)(n - READS_SHOWN));
		say(w, " more\n");
	}
}

static void say_group(struct writer *w, const struct group *g)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(g->entry, &ev, argv);
	say(w, "  ");
	say_foreign(w, ev.verdict.rule != NULL ? ev.verdict.rule : ev.type);
	say(w, "  ");
	say_who(w, &ev);
	say(w, " ");
	say_verb(w, &ev, g->refused);
	say_object(w, &ev);
	if (chain_is_read(&ev)) {
		say_origin(w, &ev.origin);
	}
	if (ev.verdict.kind != NULL) {
		say(w, " (");
		say_foreign(w, ev.verdict.kind);
		say(w, ")");
	}
	say(w, g->refused ? ": refused" : g->audited ? ": not blocked, would be refused" : g->decoy ? ": a decoy was given" : g->observed ? ": recorded" : ": allowed");
	if (g->attempts > 1) {
		say(w, " (");
		say_count(w, g->attempts, "time)", "times)");
	}
	say(w, "\n");
	if (g->detail != NULL) {
		say(w, strncmp(g->detail, "--", 2) == 0 ? "    allow it:  " : "    ");
		say_foreign(w, g->detail);
		say(w, "\n");
	}
}

static bool violation(const struct group *g)
{
	return g->severity >= SEV_MEDIUM || ((g->refused || g->audited) && g->severity >= SEV_LOW);
}

/* What pipwarden needs for itself is refused under --audit, too; a probe (of severity info: io_uring) is not worth the word. */
static void say_audit(struct writer *w, const struct fold *f)
{
	bool refused = false;
	for (const struct fold_entry *e = f->first; e != NULL && !refused; e = e->next) {
		refused = e->severity > SEV_INFO && group_of(f, e).refused;
	}
	say(w, refused ? "audit: nothing was blocked but what reached for pipwarden itself; " : "audit: nothing was blocked; ");
}

static void say_head(struct writer *w, const struct fold *f, const struct summary_run *run, const struct group *groups, size_t n)
{
	uint64_t violations = 0;
	for (size_t i = 0; i < n; i++) {
		violations += violation(&groups[i]);
	}
	say(w, "pipwarden: ");
	if (run->audit) {
		say_audit(w, f);
	}
	if (violations > 0) {
		say_count(w, violations, "violation", "violations");
	} else if (n > 0 || !run->audit) {
		say_count(w, n, "event", "events");
	} else {
		say(w, "nothing would have been");
	}
	if (n > 0) {
		say(w, " (");
		say_severity(w, groups[0].severity);
		say(w, ")");
	}
	if (violations > 0 && violations < n) {
		say(w, ", ");
		say_count(w, n - violations, "other event", "other events");
	}
	say(w, run->aborted ? ", the run was stopped\n" : "\n");
}

static void say_replaced(struct writer *w, const struct summary_run *run)
{
	size_t n = 0;
	while (run->replaced[n] != NULL) {
		n++;
	}
	if (n == 0) {
		return;
	}
	say(w, run->audit ? "  would be replaced by decoys: " : "  replaced by decoys: ");
	size_t shown = n <= NAMES_SHOWN + 1 ? n : NAMES_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		say(w, i == 0 ? "" : ", ");
		say_foreign(w, run->replaced[i]);
	}
	if (shown < n) {
		say(w, ", +");
		line_number(&w->line, (int64_t)(n - shown));
	}
	if (run->replaced_for != NULL) {
		say(w, " (");
		say_foreign(w, run->replaced_for);
		say(w, ")");
	}
	say(w, "\n");
}

/* The gravest of a package's attempts to get something out is told with what it read before. */
static bool begins_chain(const struct group *groups, size_t i)
{
	bool first = violation(&groups[i]) && chain_ends(groups[i].entry);
	for (size_t k = 0; k < i && first; k++) {
		first = !chain_ends(groups[k].entry) || !chain_same_package(groups[k].entry, groups[i].entry);
	}
	return first;
}

static void say_groups(struct writer *w, const struct fold *f, struct group *groups, size_t n)
{
	size_t left = n, shown = 0, most = n <= GROUPS_SHOWN + 1 ? n : GROUPS_SHOWN;
	for (size_t i = 0; i < n && shown < most; i++) {
		if (groups[i].told) {
			continue;
		}
		say_group(w, &groups[i]);
		shown++;
		left--;
		if (!begins_chain(groups, i)) {
			continue;
		}
		say_reads(w, f, &groups[i]);
		for (size_t k = i + 1; k < n; k++) {
			groups[k].told = groups[k].told || chain_leads(groups[k].entry, groups[i].entry, true) ||
			                 chain_leads(groups[k].entry, groups[i].entry, false);
		}
	}
	for (size_t i = 0; i < n; i++) {
		left -= groups[i].told;
	}
	if (left > 0) {
		say(w, "  and ");
		line_number(&w->line, (int64_t)left);
		say(w, " more, see the record\n");
	}
}

char *summary_text(const struct fold *f, const struct summary_run *run, const struct redact *r, const char *journal_path,
                   bool colour, int verbosity)
{
	struct group *groups;
	size_t n = collect(f, verbosity, &groups);
	struct writer w = {.redact = r, .colour = colour};
	if (groups == NULL || (n == 0 && run->dropped == 0 && !run->audit)) {
		free(groups);
		return NULL;
	}
	say_head(&w, f, run, groups, n);
	say_groups(&w, f, groups, n);
	if (run->dropped > 0) {
		say(&w, "  the record is full: ");
		say_count(&w, run->dropped, "attempt is only counted\n", "attempts are only counted\n");
	}
	say_replaced(&w, run);
	if (journal_path != NULL) {
		say(&w, "  record: ");
		text_append(&w.line, journal_path, 4096, TEXT_TERMINAL, r);
		say(&w, "\n");
	}
	free(groups);
	return line_steal(&w.line);
}
