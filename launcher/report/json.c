/* The findings as JSON: docs/schema/report.schema.json.  One finding a line; the stream takes each as soon as it is made. */
#include <stdlib.h>
#include <string.h>

#include "launcher/record/encode.h"
#include "launcher/report/allow.h"
#include "launcher/report/document.h"
#include "launcher/report/report.h"
#include "policy/attack.h"

#define CUT 512 /* bytes of a text inside a step: a finding has up to 64 */

static void put_flag(struct encoder *e, const char *key, bool flag)
{
	encode_key(e, key);
	line_text(&e->line, flag ? "true" : "false");
}

static void put_target(struct encoder *e, const struct event_target *t, size_t cut)
{
	encode_key(e, "target");
	line_text(&e->line, "{");
	encode_cut(e, "name", t->name, cut);
	encode_cut(e, "path", t->path, cut);
	encode_cut(e, "host", t->host, cut);
	encode_cut(e, "address", t->address, cut);
	if (t->port != 0) {
		encode_count(e, "port", t->port);
	}
	encode_cut(e, "protocol", t->protocol, cut);
	encode_cut(e, "program", t->argv != NULL ? t->argv[0] : NULL, cut);
	encode_cut(e, "url", t->url, cut);
	encode_cut(e, "method", t->method, cut);
	if (t->bytes != 0) {
		encode_count(e, "bytes", t->bytes);
	}
	encode_cut(e, "digest", t->digest, cut);
	line_text(&e->line, "}");
}

static void put_attack(struct encoder *e, const char *rule)
{
	encode_strings(e, "attack", attack_of_rule(rule), ATTACK_OF_RULE_MAX, SIZE_MAX);
}

static void put_step(struct encoder *e, const struct report *r, const struct attempt *a, int64_t from)
{
	struct event_origin origin = a->ev.origin;
	encode_count(e, "seq", a->seq);
	encode_string(e, "step", chain_step_name(chain_step(&a->ev)));
	encode_string(e, "type", a->ev.type);
	encode_string(e, "outcome", event_action_name(a->ev.action));
	if (a->when >= from && from != 0) {
		encode_count(e, "milliseconds", (uint64_t)(a->when - from));
	}
	put_target(e, &a->ev.target, CUT);
	origin.object = origin.file != NULL ? NULL : origin.object;
	encode_origin(e, &origin);
	encode_decoy(e, &a->ev.decoy, CUT);
	encode_count(e, "times", a->times);
}

static void put_steps(struct encoder *e, const struct report *r, const struct finding *f)
{
	if (f->step_count == 0) {
		return;
	}
	encode_key(e, "steps");
	line_text(&e->line, "[");
	for (size_t i = 0; i < f->step_count; i++) {
		line_text(&e->line, i == 0 ? "{" : ",{");
		put_step(e, r, f->steps[i], f->steps[0]->when);
		line_text(&e->line, "}");
	}
	line_text(&e->line, "]");
	encode_count(e, "steps_omitted", f->all_steps - f->step_count);
	if (finding_milliseconds(f) >= 0) {
		encode_count(e, "milliseconds", (uint64_t)finding_milliseconds(f));
	}
}

static void put_allow(struct encoder *e, const struct report *r, const struct event *ev)
{
	struct allow allow;
	if (r->policy == NULL) {
		return;
	}
	allow_find(r->policy, ev, &allow);
	encode_key(e, "allow");
	line_text(&e->line, "{");
	const char *const words[] = {allow.option, allow.value, NULL};
	encode_strings(e, "option", allow.option != NULL ? words : words + 2, 2, SIZE_MAX);
	encode_cut(e, "policy", allow.policy[0] != '\0' ? allow.policy : NULL, sizeof allow.policy);
	encode_string(e, "why", allow.why);
	line_text(&e->line, "}");
}

static void put_finding(struct encoder *e, const struct report *r, const struct finding *f)
{
	const struct event *ev = &f->lead->ev;
	const struct attempt *place = finding_place(f);
	encode_string(e, "kind", f->step_count > 0 ? "chain" : "attempt");
	encode_string(e, "severity", severity_name(f->severity));
	encode_string(e, "rule", ev->verdict.rule);
	encode_string(e, "text", ev->verdict.kind);
	put_attack(e, ev->verdict.rule);
	encode_string(e, "type", ev->type);
	encode_string(e, "outcome", event_action_name(ev->action));
	encode_string(e, "would", ev->audited ? event_action_name(ev->would) : NULL);
	encode_string(e, "source", event_source_name(ev->source));
	encode_string(e, "role", role_name(ev->role));
	encode_package(e, &ev->package);
	put_target(e, &ev->target, ENCODE_TEXT_MAX);
	encode_decoy(e, &ev->decoy, CUT);
	if (place != NULL) {
		encode_origin(e, &place->ev.origin);
	}
	encode_count(e, "seq", f->lead->seq);
	encode_count(e, "times", f->times);
	encode_string(e, "hint", f->detail);
	put_steps(e, r, f);
	put_allow(e, r, ev);
}

static void put_record(struct encoder *e, const struct report *r)
{
	const struct record *rec = &r->record;
	encode_key(e, "record");
	line_text(&e->line, "{");
	put_flag(e, "ended", rec->ended);
	put_flag(e, "damaged", rec->bad_lines > 0 || rec->missing > 0 || rec->cut || rec->too_long);
	encode_count(e, "bad_lines", rec->bad_lines);
	encode_count(e, "missing_lines", rec->missing);
	put_flag(e, "cut", rec->cut || rec->too_long);
	encode_count(e, "unrecorded", rec->unrecorded);
	line_text(&e->line, "}");
}

static void put_head(struct encoder *e, const struct report *r)
{
	const struct record *rec = &r->record;
	line_text(&e->line, "{");
	encode_count(e, "format", 1);
	encode_string(e, "run", rec->run);
	encode_string(e, "version", rec->version);
	encode_strings(e, "command", rec->command, 1024, 32768);
	encode_string(e, "started", rec->started);
	encode_string(e, "finished", rec->finished);
	if (rec->ended) {
		encode_count(e, "exit_status", (uint64_t)rec->exit_status);
	}
	put_flag(e, "audit", rec->audit);
	put_record(e, r);
	encode_result(e, &r->run);
	encode_packages(e, r->score);
	encode_strings(e, "secrets", rec->replaced, ENCODE_NAMES_MAX, SIZE_MAX);
	encode_strings(e, "removed", rec->removed, ENCODE_NAMES_MAX, SIZE_MAX);
}

int report_json(const struct report *r, FILE *out)
{
	struct encoder e = {0};
	size_t written = 0, left = 0;
	put_head(&e, r);
	encode_key(&e, "findings");
	line_text(&e.line, "[");
	for (size_t i = 0; i < r->findings.n; i++) {
		const struct finding *f = &r->findings.v[i];
		if (f->told || written == REPORT_FINDINGS_MAX) {
			left += !f->told;
			continue;
		}
		line_text(&e.line, written++ == 0 ? "\n{" : ",\n{");
		put_finding(&e, r, f);
		line_text(&e.line, "}");
		document_flush(&e, out);
	}
	line_text(&e.line, "]");
	encode_count(&e, "findings_omitted", left);
	line_text(&e.line, "}\n");
	return document_end(&e, out);
}
