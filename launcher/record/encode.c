#include "launcher/record/encode.h"

#include <stdio.h>
#include <string.h>

#include "launcher/record/text.h"

const char *event_action_name(enum event_action a)
{
	switch (a) {
	case EV_ALLOWED: return "allowed";
	case EV_DENIED: return "denied";
	case EV_DECOY: return "decoy";
	case EV_ABORTED: return "aborted";
	case EV_OBSERVED: return "observed";
	}
	return "observed";
}

const char *event_source_name(enum event_source s)
{
	return s == SRC_SHIM ? "shim" : "kernel";
}

void encode_key(struct encoder *e, const char *name)
{
	/* The first key of an object has no comma before it. */
	if (e->line.len > 0 && !e->line.failed && e->line.data[e->line.len - 1] != '{') {
		line_text(&e->line, ",");
	}
	line_text(&e->line, "\"");
	line_text(&e->line, name);
	line_text(&e->line, "\":");
}

static void quoted(struct encoder *e, const char *value, size_t max)
{
	line_text(&e->line, "\"");
	text_append(&e->line, value, max, TEXT_JSON, e->redact);
	line_text(&e->line, "\"");
}

void encode_cut(struct encoder *e, const char *name, const char *value, size_t max)
{
	if (value != NULL) {
		encode_key(e, name);
		quoted(e, value, max);
	}
}

void encode_string(struct encoder *e, const char *name, const char *value)
{
	encode_cut(e, name, value, ENCODE_TEXT_MAX);
}

void encode_count(struct encoder *e, const char *name, uint64_t value)
{
	encode_key(e, name);
	line_number(&e->line, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void encode_strings(struct encoder *e, const char *name, const char *const *list, size_t max, size_t bytes)
{
	if (list == NULL) {
		return;
	}
	encode_key(e, name);
	line_text(&e->line, "[");
	size_t used = 0;
	for (size_t i = 0; list[i] != NULL && !e->line.failed; i++) {
		line_text(&e->line, i == 0 ? "" : ",");
		if (i == max || used >= bytes) {
			line_text(&e->line, "\"…\"");
			break;
		}
		quoted(e, list[i], ENCODE_TEXT_MAX);
		used += strnlen(list[i], ENCODE_TEXT_MAX) + 1;
	}
	line_text(&e->line, "]");
}

void encode_head(struct encoder *e, const struct timespec *now, uint64_t seq, const char *run)
{
	struct tm tm = {0};
	char ts[96];
	gmtime_r(&now->tv_sec, &tm);
	snprintf(ts, sizeof(ts), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	         tm.tm_hour, tm.tm_min, tm.tm_sec, now->tv_nsec);
	line_text(&e->line, "{");
	encode_string(e, "ts", ts);
	encode_count(e, "seq", seq);
	encode_string(e, "run", run);
}

static void encode_process(struct encoder *e, const struct event_process *p)
{
	if (p->pid == 0 && p->ppid == 0 && p->exe == NULL && p->argv == NULL && p->cwd == NULL) {
		return;
	}
	encode_key(e, "process");
	line_text(&e->line, "{");
	if (p->pid > 0) {
		encode_count(e, "pid", (uint64_t)p->pid);
	}
	if (p->ppid > 0) {
		encode_count(e, "ppid", (uint64_t)p->ppid);
	}
	encode_string(e, "exe", p->exe);
	encode_strings(e, "argv", p->argv, ENCODE_ARGV_MAX, ENCODE_ARGV_BYTES);
	encode_string(e, "cwd", p->cwd);
	line_text(&e->line, "}");
}

static void encode_lines(struct encoder *e, const char *name, const char *lines)
{
	char one[EVENT_ABOVE_MAX];

	if (lines == NULL) {
		return;
	}
	encode_key(e, name);
	line_text(&e->line, "[");
	for (const char *at = lines, *separator = ""; event_above_next(&at, one); separator = ",") {
		line_text(&e->line, separator);
		quoted(e, one, ENCODE_TEXT_MAX);
	}
	line_text(&e->line, "]");
}

void encode_package(struct encoder *e, const struct event_package *p)
{
	if (p->name == NULL && p->version == NULL && p->stage == NULL && p->digest == NULL && p->above == NULL) {
		return;
	}
	encode_key(e, "package");
	line_text(&e->line, "{");
	encode_string(e, "name", p->name);
	encode_string(e, "version", p->version);
	encode_string(e, "stage", p->stage);
	encode_string(e, "digest", p->digest);
	encode_lines(e, "for", p->above);
	line_text(&e->line, "}");
}

static void encode_target(struct encoder *e, const struct event_target *t)
{
	if (t->name == NULL && t->path == NULL && t->as_written == NULL && t->host == NULL && t->address == NULL &&
	    t->protocol == NULL && t->port == 0 && t->argv == NULL && t->url == NULL && t->method == NULL && t->digest == NULL && t->bytes == 0) {
		return;
	}
	encode_key(e, "target");
	line_text(&e->line, "{");
	encode_string(e, "name", t->name);
	encode_string(e, "path", t->path);
	encode_string(e, "as_written", t->as_written);
	encode_string(e, "host", t->host);
	encode_string(e, "address", t->address);
	if (t->port != 0) {
		encode_count(e, "port", t->port);
	}
	encode_string(e, "protocol", t->protocol);
	encode_string(e, "url", t->url);
	encode_string(e, "method", t->method);
	if (t->bytes != 0) {
		encode_count(e, "bytes", t->bytes);
	}
	encode_string(e, "digest", t->digest);
	encode_strings(e, "argv", t->argv, ENCODE_ARGV_MAX, ENCODE_ARGV_BYTES);
	line_text(&e->line, "}");
}

void encode_origin(struct encoder *e, const struct event_origin *o)
{
	if (o->object == NULL && o->symbol == NULL && o->file == NULL && o->function == NULL && o->line == 0) {
		return;
	}
	encode_key(e, "origin");
	line_text(&e->line, "{");
	encode_string(e, "source", event_source_name(SRC_SHIM)); /* whoever vouches for the attempt: nobody else knows the code */
	encode_string(e, "object", o->object);
	encode_string(e, "symbol", o->symbol);
	encode_string(e, "file", o->file);
	if (o->line != 0) {
		encode_count(e, "line", o->line);
	}
	encode_string(e, "function", o->function);
	line_text(&e->line, "}");
}

void encode_decoy(struct encoder *e, const struct event_decoy *d, size_t max)
{
	if (d->in == NULL) {
		return;
	}
	encode_key(e, "decoy");
	line_text(&e->line, "{");
	encode_cut(e, "name", d->name, max);
	encode_cut(e, "path", d->path, max);
	encode_cut(e, "encoding", d->encoding, max);
	encode_cut(e, "in", d->in, max);
	if (d->read != 0) {
		encode_count(e, "read", d->read);
	}
	line_text(&e->line, "}");
}

void encode_event(struct encoder *e, const struct event *ev)
{
	encode_string(e, "type", ev->type);
	encode_string(e, "action", event_action_name(ev->action));
	encode_string(e, "would", ev->audited ? event_action_name(ev->would) : NULL);
	encode_string(e, "rule", ev->verdict.rule);
	encode_string(e, "severity", severity_name(ev->verdict.severity));
	encode_string(e, "source", event_source_name(ev->source));
	encode_string(e, "shim", ev->shim_absent ? "absent" : NULL);
	encode_string(e, "role", role_name(ev->role));
	encode_package(e, &ev->package);
	encode_process(e, &ev->process);
	encode_origin(e, &ev->origin);
	encode_decoy(e, &ev->decoy, ENCODE_TEXT_MAX);
	encode_target(e, &ev->target);
	encode_string(e, "kind", ev->verdict.kind != NULL && ev->verdict.kind[0] != '\0' ? ev->verdict.kind : NULL);
	encode_string(e, "hint", ev->detail);
}

void encode_result(struct encoder *e, const struct score_result *r)
{
	encode_string(e, "verdict", score_verdict_name(r->verdict));
	encode_count(e, "score", r->points);
	encode_strings(e, "attack", r->attack, SCORE_ATTACK_MAX, SIZE_MAX);
}

void encode_packages(struct encoder *e, const struct score *s)
{
	struct score_result r;

	encode_key(e, "packages");
	line_text(&e->line, "[");
	for (size_t i = 0; i < score_packages(s); i++) {
		score_package(s, i, &r);
		line_text(&e->line, i == 0 ? "{" : ",{");
		encode_string(e, "name", r.name);
		encode_string(e, "version", r.version);
		encode_result(e, &r);
		encode_count(e, "findings", r.findings);
		line_text(&e->line, "}");
	}
	line_text(&e->line, "]");
}

void encode_end(struct encoder *e)
{
	line_text(&e->line, "}\n");
}
