#include "launcher/record/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/line.h"
#include "launcher/record/text.h"

#define GROUPS_SHOWN 9
#define NAMES_SHOWN 10
#define PIECE_MAX 320 /* bytes of one name in a text for people; a host name and its option fit */

struct group { /* attempts of one rule, package and target */
	uint64_t hash, seq, attempts;
	enum severity severity;
	bool refused, aborted, decoy, observed, audited; /* audited: nothing stopped it, but without --audit something would have */
	const struct fold_entry *entry; /* the first of them */
	const char *detail;
};

struct writer {
	struct line line;
	const struct redact *redact;
	bool colour;
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

static void say(struct writer *w, const char *text)
{
	line_text(&w->line, text);
}

static void say_foreign(struct writer *w, const char *text)
{
	text_append(&w->line, text, PIECE_MAX, TEXT_TERMINAL, w->redact);
}

static void say_count(struct writer *w, uint64_t n, const char *one, const char *many)
{
	line_number(&w->line, (int64_t)n);
	say(w, " ");
	say(w, n == 1 ? one : many);
}

static void say_severity(struct writer *w, enum severity s)
{
	static const char *const colours[] = {"", "\033[36m", "\033[33m", "\033[1;31m", "\033[1;31m"};
	say(w, w->colour ? colours[s] : "");
	say(w, severity_name(s));
	say(w, w->colour && s != SEV_INFO ? "\033[0m" : "");
}

/* The one word for what was attempted on. */
static const char *object_of(const struct event *ev)
{
	const struct event_target *t = &ev->target;
	const char *const words[] = {t->host, t->path, t->name, t->address, t->protocol, t->as_written,
	                             t->argv != NULL ? t->argv[0] : NULL};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i] != NULL) {
			return words[i];
		}
	}
	return "";
}

static uint64_t group_hash(const struct fold *f, const struct fold_entry *e)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(e, &ev, argv);
	const char *const parts[] = {ev.verdict.rule, ev.package.name, ev.package.version, ev.package.stage, object_of(&ev)};
	uint64_t seed[2] = {f->seed[0], f->seed[1] ^ (uint64_t)ev.role};
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

static const char *verb_of(const struct event *ev, bool refused)
{
	static const struct {
		const char *type, *refused, *done;
	} verbs[] = {
		{"env.read", "wanted the variable", "read the variable"},
		{"env.enumerate", "wanted the whole environment", "read the whole environment"},
		{"file.open", "tried to open", "opened"},
		{"file.write", "tried to write", "wrote"},
		{"file.meta", "tried to change the mode or owner of", "changed the mode or owner of"},
		{"net.resolve", "asked for", "asked for"},
		{"net.socket", "asked for a socket", "made a socket"},
		{"net.connect", "tried to connect to", "connected to"},
		{"net.bind", "tried to listen on", "listened on"},
		{"net.send", "tried to send to", "sent to"},
		{"ipc.connect", "tried to connect to", "connected to"},
		{"exec", "tried to run", "ran"},
		{"process.signal", "tried to signal", "signalled"},
		{"syscall.denied", "called", "called"},
		{"install.finding", "wanted to install", "installed"},
		{"decoy.seen", "tried to send out the decoy of", "sent out the decoy of"},
	};
	for (size_t i = 0; ev->type != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].type, ev->type) == 0) {
			return refused ? verbs[i].refused : verbs[i].done;
		}
	}
	return ev->type != NULL ? ev->type : "did";
}

static void say_who(struct writer *w, const struct event *ev)
{
	static const char *const roles[ROLE_COUNT] = {"pip", "a build", "the command", "the version control tool",
	                                              "the credential helper"};
	say_foreign(w, ev->package.name != NULL ? ev->package.name : roles[ev->role]);
	if (ev->package.version != NULL) {
		say(w, " ");
		say_foreign(w, ev->package.version);
	}
	if (ev->package.stage != NULL) {
		say(w, " (");
		say_foreign(w, ev->package.stage);
		say(w, ")");
	}
}

static void say_object(struct writer *w, const struct event *ev)
{
	bool decoy = ev->type != NULL && strcmp(ev->type, "decoy.seen") == 0 && ev->target.name != NULL;
	const char *object = decoy ? ev->target.name : object_of(ev);
	say(w, object[0] != '\0' ? " " : "");
	say_foreign(w, object);
	if (decoy && object_of(ev) != object) {
		say(w, " to ");
		say_foreign(w, object_of(ev));
	}
	if (ev->target.port != 0 && (ev->target.host != NULL || ev->target.address != NULL)) {
		say(w, " port ");
		line_number(&w->line, ev->target.port);
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
	say_foreign(w, verb_of(&ev, g->refused));
	say_object(w, &ev);
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
	size_t shown = n <= GROUPS_SHOWN + 1 ? n : GROUPS_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		say_group(&w, &groups[i]);
	}
	if (shown < n) {
		say(&w, "  and ");
		line_number(&w.line, (int64_t)(n - shown));
		say(&w, " more, see the record\n");
	}
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
