/* What happened, in reading order, for one screen. */
#include <stdlib.h>
#include <string.h>

#include "launcher/record/text.h"
#include "launcher/report/report.h"
#include "launcher/report/words.h"
#include "policy/attack.h"

#define FINDINGS_WHOLE 3 /* with all that is known of them */
#define FINDINGS_SHOWN 9
#define STEPS_SHOWN 4
#define PACKAGES_SHOWN 6

static void say_verdict(struct writer *w, enum score_verdict v)
{
	static const char *const colours[] = {[SCORE_CLEAN] = "\033[32m", [SCORE_SUSPICIOUS] = "\033[33m", [SCORE_MALICIOUS] = "\033[1;31m"};
	say(w, w->colour ? colours[v] : "");
	say(w, score_verdict_name(v));
	say(w, w->colour ? "\033[0m" : "");
}

static void say_replaced(struct writer *w, const struct record *r)
{
	size_t n = 0;
	while (r->replaced[n] != NULL) {
		n++;
	}
	if (n > 0) {
		say(w, "; ");
		say_count(w, n, "secret variable", "secret variables");
		say(w, r->audit ? " would have been replaced by decoys" : n == 1 ? " was replaced by a decoy" : " were replaced by decoys");
	}
}

static void say_head(struct writer *w, const struct report *r)
{
	say_verdict(w, r->run.verdict);
	if (r->run.points > 0) {
		say(w, " (score ");
		line_number(&w->line, r->run.points);
		say(w, " of 100)");
	}
	say(w, ": ");
	words_command(w, (const char *const *)r->record.command + r->command_at);
	say(w, "\n  run ");
	say_foreign(w, r->record.run);
	if (r->record.ended) {
		say(w, ", exit status ");
		line_number(&w->line, r->record.exit_status);
	}
	say(w, r->record.audit ? ", --audit: nothing was blocked" : "");
	say_replaced(w, &r->record);
	say(w, "; record: ");
	text_append(&w->line, r->path, 4096, TEXT_TERMINAL, NULL);
	say(w, "\n");
}

static void say_attack(struct writer *w, const char *rule)
{
	for (const char *const *id = attack_of_rule(rule); *id != NULL; id++) {
		say(w, ", ");
		say(w, *id);
		say(w, " ");
		say(w, attack_name(*id));
	}
}

/* What was read, what says most first, and what was made of it. */
static void say_steps(struct writer *w, const struct report *r, const struct finding *f)
{
	size_t shown = 0, all = f->all_steps - f->step_count;
	for (enum chain_step step = CHAIN_READ_NAME; step <= CHAIN_ENCODE; step++) {
		for (size_t i = 0; i < f->step_count; i++) {
			if (chain_step(&f->steps[i]->ev) != step) {
				continue;
			}
			all++;
			if (shown == STEPS_SHOWN) {
				continue;
			}
			shown++;
			say(w, step == CHAIN_ENCODE ? "    encoded  " : "    read     ");
			words_step(w, f->steps[i], report_secrets(r));
			say(w, "\n");
		}
	}
	if (all > shown) {
		say(w, "             and ");
		line_number(&w->line, (int64_t)(all - shown));
		say(w, " more\n");
	}
}

/* What was to leave by the end of the chain, seen beforehand. */
static void say_carried(struct writer *w, const struct finding *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->step_count; i++) {
		const struct event_decoy *d = &f->steps[i]->ev.decoy;
		if (d->in == NULL || f->steps[i] == f->lead) {
			continue;
		}
		if (n++ < STEPS_SHOWN) {
			say(w, n == 1 ? "    carried  the decoy of " : ", ");
			say_foreign(w, d->name != NULL ? d->name : d->path != NULL ? d->path : "");
			say(w, d->encoding != NULL && strcmp(d->encoding, "plain") != 0 ? " as " : "");
			say_foreign(w, d->encoding != NULL && strcmp(d->encoding, "plain") != 0 ? d->encoding : "");
		}
	}
	if (n > STEPS_SHOWN) {
		say(w, ", +");
		line_number(&w->line, (int64_t)(n - STEPS_SHOWN));
	}
	say(w, n > 0 ? "\n" : "");
}

static void say_outcome(struct writer *w, const struct report *r, const struct finding *f)
{
	say(w, "    outcome  ");
	say(w, finding_outcome(f));
	say(w, f->aborted ? ", and the run was stopped" : "");
	if (f->times > 1) {
		say(w, ", ");
		say_count(w, f->times, "time", "times");
	}
	if (finding_milliseconds(f) >= 0) {
		say(w, ", ");
		words_time(w, finding_milliseconds(f));
		say(w, " after the first read");
	}
	say(w, "\n");
}

/* How the run is named on a command line: where its journal was looked up by its id, so. */
static void say_run(struct writer *w, const struct report *r)
{
	size_t id = strlen(r->record.run), len = strlen(r->path), tail = strlen("/events.jsonl");
	bool looked_up = len > id + tail && strcmp(r->path + len - tail, "/events.jsonl") == 0 && strncmp(r->path + len - tail - id, r->record.run, id) == 0;
	words_shell(w, looked_up ? r->record.run : r->path);
}

static void say_allow(struct writer *w, const struct report *r, const struct attempt *a)
{
	struct allow allow;
	if (r->policy != NULL) {
		allow_find(r->policy, &a->ev, &allow);
		say(w, "    allow    ");
		say(w, allow.option != NULL ? allow.option : "no option does");
		say(w, allow.option != NULL ? " " : allow.why != NULL ? ": " : "");
		if (allow.option != NULL) {
			words_shell(w, allow.value);
		} else {
			say(w, allow.why != NULL ? allow.why : "");
		}
		say(w, "\n");
	}
	say(w, "    more     pipwarden explain ");
	say_run(w, r);
	say(w, " ");
	line_number(&w->line, (int64_t)a->seq);
	say(w, "\n");
}

static void say_finding(struct writer *w, const struct report *r, const struct finding *f)
{
	const struct attempt *lead = f->lead, *place = finding_place(f);
	const struct event *ev = &lead->ev;

	say(w, "\n  ");
	say_severity(w, f->severity);
	say(w, "  ");
	say_who(w, ev);
	say(w, " ");
	if (f->step_count > 0) {
		words_chain(w, f);
		say(w, "\n");
		say_steps(w, r, f);
		say(w, "    to       ");
	} else {
		words_verb(w, ev, f->refused);
		say(w, " ");
	}
	words_step(w, lead, report_secrets(r));
	say_kind(w, ev);
	say(w, "\n");
	say_carried(w, f);
	if (place != NULL && place != lead) {
		say(w, "    by code ");
		say_origin(w, &place->ev.origin);
		say(w, "\n");
	}
	say_outcome(w, r, f);
	say(w, "    rule     ");
	say_foreign(w, ev->verdict.rule != NULL ? ev->verdict.rule : "none");
	say_attack(w, ev->verdict.rule);
	say(w, "\n");
	if (f->refused || f->decoy || f->audited) {
		say_allow(w, r, lead);
	}
}

/* What is of severity low, or not among the gravest: one line is enough. */
static void say_minor(struct writer *w, const struct report *r, const struct finding *f)
{
	say(w, "  ");
	say_severity(w, f->severity);
	say(w, "  ");
	say_who(w, &f->lead->ev);
	say(w, " ");
	words_verb(w, &f->lead->ev, f->refused);
	say(w, " ");
	words_step(w, f->lead, report_secrets(r));
	say(w, ": ");
	say(w, finding_outcome(f));
	say(w, " (event ");
	line_number(&w->line, (int64_t)f->lead->seq);
	say(w, ")\n");
}

static void say_findings(struct writer *w, const struct report *r)
{
	size_t shown = 0, left = 0;
	for (size_t i = 0; i < r->findings.n; i++) {
		const struct finding *f = &r->findings.v[i];
		if (f->told) {
			continue;
		}
		if (shown++ >= FINDINGS_SHOWN) {
			left++;
		} else if (f->severity > SEV_LOW && shown <= FINDINGS_WHOLE) {
			say_finding(w, r, f);
		} else {
			say_minor(w, r, f);
		}
	}
	if (left > 0) {
		say(w, "  and ");
		line_number(&w->line, (int64_t)left);
		say(w, " more: --format json has them\n");
	}
}

static void say_packages(struct writer *w, const struct report *r)
{
	size_t n = 0, shown = 0, all = score_packages(r->score);
	struct score_result p;
	for (size_t i = 0; i < all; i++) {
		score_package(r->score, i, &p);
		if (p.verdict == SCORE_CLEAN || ++n > PACKAGES_SHOWN) {
			continue;
		}
		say(w, shown++ == 0 ? "\n  packages: " : ", ");
		say_foreign(w, p.name);
		say(w, p.version != NULL ? " " : "");
		say_foreign(w, p.version);
		say(w, " ");
		say_verdict(w, p.verdict);
		say(w, " (");
		line_number(&w->line, p.points);
		say(w, ")");
	}
	say(w, n > PACKAGES_SHOWN ? ", …" : "");
	say(w, shown > 0 ? "\n" : "");
}

int report_text(const struct report *r, FILE *out, bool colour)
{
	struct writer w = {.colour = colour};
	say_head(&w, r);
	words_damage(&w, &r->record);
	say_findings(&w, r);
	say_packages(&w, r);
	char *text = line_steal(&w.line);
	int wrong = text == NULL || fputs(text, out) < 0;
	free(text);
	return wrong ? -1 : 0;
}
