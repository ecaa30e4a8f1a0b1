#include "launcher/record/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/finding.h"
#include "launcher/record/say.h"
#include "launcher/record/text.h"

#define FINDINGS_SHOWN 9
#define NAMES_SHOWN 10
#define READS_SHOWN 5

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

static void say_read(struct writer *w, const struct event *ev)
{
	say(w, "    before, it ");
	say_verb(w, ev, false);
	say_object(w, ev);
	say_origin(w, &ev->origin);
	say(w, ev->detail != NULL ? " (" : "");
	say_foreign(w, ev->detail != NULL ? ev->detail : "");
	say(w, ev->detail != NULL ? ")\n" : "\n");
}

/* Both ends of a theft in one place. */
static void say_reads(struct writer *w, const struct finding *f)
{
	size_t n = 0;
	/* What was asked for by name says more than what any build does. */
	for (enum chain_step step = CHAIN_READ_NAME; step <= CHAIN_READ_ALL; step++) {
		for (size_t i = 0; i < f->step_count; i++) {
			if (chain_step(&f->steps[i]->ev) == step && ++n <= READS_SHOWN) {
				say_read(w, &f->steps[i]->ev);
			}
		}
	}
	n += f->all_steps - f->step_count;
	if (n > READS_SHOWN) {
		say(w, "    and ");
		line_number(&w->line, (int64_t)(n - READS_SHOWN));
		say(w, " more\n");
	}
}

static void say_finding(struct writer *w, const struct finding *f)
{
	const struct event *ev = &f->lead->ev;
	say(w, "  ");
	say_foreign(w, ev->verdict.rule != NULL ? ev->verdict.rule : ev->type);
	say(w, "  ");
	say_who(w, ev);
	say(w, " ");
	say_verb(w, ev, f->refused);
	say_object(w, ev);
	say_request(w, ev);
	say_origin(w, &ev->origin); /* of the first of them */
	say_kind(w, ev);
	say(w, ": ");
	say(w, finding_outcome(f));
	if (f->times > 1) {
		say(w, " (");
		say_count(w, f->times, "time)", "times)");
	}
	say(w, "\n");
	if (f->detail != NULL) {
		say(w, strncmp(f->detail, "--", 2) == 0 ? "    allow it:  " : "    ");
		say_foreign(w, f->detail);
		say(w, "\n");
	}
}

/* What pipwarden needs for itself is refused under --audit, too; a probe (of severity info: io_uring) is not worth the word. */
static void say_audit(struct writer *w, const struct attempt *all, size_t n)
{
	bool refused = false;
	for (size_t i = 0; i < n && !refused; i++) {
		refused = all[i].ev.verdict.severity > SEV_INFO && (all[i].ev.action == EV_DENIED || all[i].ev.action == EV_ABORTED);
	}
	say(w, refused ? "audit: nothing was blocked but what reached for pipwarden itself; " : "audit: nothing was blocked; ");
}

static void say_head(struct writer *w, const struct finding_list *f, const struct summary_run *run)
{
	uint64_t violations = 0;
	for (size_t i = 0; i < f->n; i++) {
		violations += finding_violation(&f->v[i]);
	}
	if (violations > 0) {
		say_count(w, violations, "violation", "violations");
	} else if (f->n > 0 || !run->audit) {
		say_count(w, f->n, "event", "events");
	} else {
		say(w, "nothing would have been");
	}
	if (f->n > 0) {
		say(w, " (");
		say_severity(w, f->v[0].severity);
		say(w, ")");
	}
	if (violations > 0 && violations < f->n) {
		say(w, ", ");
		say_count(w, f->n - violations, "other event", "other events");
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

static void say_findings(struct writer *w, const struct finding_list *f)
{
	size_t left = f->n, shown = 0, most = f->n <= FINDINGS_SHOWN + 1 ? f->n : FINDINGS_SHOWN;
	for (size_t i = 0; i < f->n; i++) {
		if (!f->v[i].told && shown < most) {
			say_finding(w, &f->v[i]);
			say_reads(w, &f->v[i]);
			shown++;
			left--;
		}
		left -= f->v[i].told;
	}
	if (left > 0) {
		say(w, "  and ");
		line_number(&w->line, (int64_t)left);
		say(w, " more, see the record\n");
	}
}

static void say_all(struct writer *w, const struct finding_list *f, const struct attempt *all, size_t n, const struct summary_run *run,
                    const char *journal_path)
{
	say(w, "pipwarden: ");
	if (run->audit) {
		say_audit(w, all, n);
	}
	say_head(w, f, run);
	say_findings(w, f);
	if (run->dropped > 0) {
		say(w, "  the record is full: ");
		say_count(w, run->dropped, "attempt is only counted\n", "attempts are only counted\n");
	}
	say_replaced(w, run);
	if (journal_path != NULL) {
		say(w, "  record: ");
		text_append(&w->line, journal_path, 4096, TEXT_TERMINAL, w->redact);
		say(w, "\n");
	}
}

char *summary_text(const struct fold *f, const struct summary_run *run, const struct redact *r, const char *journal_path,
                   bool colour, int verbosity)
{
	const char *(*words)[FOLD_ARGV_MAX];
	struct finding_list found = {0};
	struct writer w = {.redact = r, .colour = colour};
	enum severity least = verbosity > 0 ? SEV_INFO : verbosity == 0 ? SEV_LOW : SEV_HIGH;
	struct attempt *all = fold_attempts(f, &words);
	bool whole = all != NULL && finding_list_make(&found, all, f->count, least, f->seed);
	if (whole && (found.n > 0 || run->dropped > 0 || run->audit)) {
		say_all(&w, &found, all, f->count, run, journal_path);
	} else {
		w.line.failed = true;
	}
	finding_list_finish(&found);
	free(all);
	free(words);
	return line_steal(&w.line);
}
