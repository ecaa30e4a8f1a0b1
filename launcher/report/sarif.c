/* The findings as SARIF 2.1.0: a result each, its place a file of the package, a chain as a code flow.  Files are relative to their
 * package's root (uriBaseId); a path that leads out of it is none.  Text is plain: what SARIF takes for links or placeholders is taken out. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "launcher/record/fold.h"
#include "launcher/record/text.h"
#include "launcher/report/document.h"
#include "launcher/report/report.h"
#include "launcher/report/uri.h"
#include "launcher/report/words.h"
#include "launcher/version.h"
#include "policy/attack.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#define PATH_CUT 1024

struct sarif {
	const struct report *r;
	struct encoder e;
	const struct finding *findings[REPORT_FINDINGS_MAX]; /* those that are written */
	size_t n;
	const struct event *rules[REPORT_FINDINGS_MAX]; /* the first of each rule */
	size_t rule_of[REPORT_FINDINGS_MAX], rule_count;
	const struct event *packages[REPORT_FINDINGS_MAX]; /* the first of each */
	size_t package_count;
};

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *rule_id(const struct event *ev)
{
	return ev->verdict.rule != NULL ? ev->verdict.rule : ev->type;
}

static size_t rule_index(struct sarif *s, const struct event *ev)
{
	size_t i = 0;
	while (i < s->rule_count && strcmp(rule_id(s->rules[i]), rule_id(ev)) != 0) {
		i++;
	}
	if (i == s->rule_count) {
		s->rules[s->rule_count++] = ev;
	}
	return i;
}

static size_t package_index(struct sarif *s, const struct event *ev)
{
	size_t i = 0;
	while (i < s->package_count &&
	       (!same(s->packages[i]->package.name, ev->package.name) || !same(s->packages[i]->package.version, ev->package.version))) {
		i++;
	}
	if (i == s->package_count) {
		s->packages[s->package_count++] = ev;
	}
	return i;
}

static void collect(struct sarif *s)
{
	for (size_t i = 0; i < s->r->findings.n && s->n < REPORT_FINDINGS_MAX; i++) {
		const struct finding *f = &s->r->findings.v[i];
		if (!f->told) {
			s->rule_of[s->n] = rule_index(s, &f->lead->ev);
			package_index(s, &f->lead->ev);
			s->findings[s->n++] = f;
		}
	}
}

/* --- texts --- */

/* [text](target) would be a link, {0} a placeholder. */
static void put_plain(struct encoder *e, const char *key, struct writer *w)
{
	char *text = line_steal(&w->line);
	for (char *at = text; at != NULL && *at != '\0'; at++) {
		*at = *at == '[' || *at == '{' ? '(' : *at == ']' || *at == '}' ? ')' : *at;
	}
	encode_key(e, key);
	line_text(&e->line, "{");
	encode_string(e, "text", text != NULL ? text : "");
	line_text(&e->line, "}");
	e->line.failed |= text == NULL;
	free(text);
}

static void put_text(struct encoder *e, const char *key, const char *text)
{
	struct writer w = {0};
	say_foreign(&w, text);
	put_plain(e, key, &w);
}

static const char *level(enum severity s)
{
	return s >= SEV_HIGH ? "error" : s == SEV_MEDIUM ? "warning" : "note";
}

/* --- places --- */

static void put_physical(struct sarif *s, const struct event *ev)
{
	char uri[PATH_CUT], base[32];
	if (ev->origin.file == NULL || !uri_of_path(ev->origin.file, uri, sizeof uri)) {
		return;
	}
	encode_key(&s->e, "physicalLocation");
	line_text(&s->e.line, "{");
	encode_key(&s->e, "artifactLocation");
	line_text(&s->e.line, "{");
	encode_string(&s->e, "uri", uri);
	if (ev->origin.file[0] != '/') {
		snprintf(base, sizeof base, "PACKAGE_%zu", package_index(s, ev) + 1);
		encode_string(&s->e, "uriBaseId", base);
	}
	line_text(&s->e.line, "}");
	if (ev->origin.line > 0) {
		line_text(&s->e.line, ",\"region\":{");
		encode_count(&s->e, "startLine", ev->origin.line);
		line_text(&s->e.line, "}");
	}
	line_text(&s->e.line, "}");
}

static void put_logical(struct encoder *e, const struct event *ev)
{
	struct writer w = {0};
	say_who(&w, ev);
	char *who = line_steal(&w.line);
	line_text(&e->line, e->line.data != NULL && e->line.len > 0 && e->line.data[e->line.len - 1] == '{' ? "" : ",");
	line_text(&e->line, "\"logicalLocations\":[{");
	encode_cut(e, "name", ev->package.name != NULL ? ev->package.name : role_name(ev->role), PATH_CUT);
	encode_cut(e, "fullyQualifiedName", who, PATH_CUT);
	encode_string(e, "kind", "package");
	line_text(&e->line, "}");
	if (ev->origin.function != NULL) {
		line_text(&e->line, ",{");
		encode_cut(e, "name", ev->origin.function, PATH_CUT);
		encode_string(e, "kind", "function");
		line_text(&e->line, "}");
	}
	line_text(&e->line, "]");
	free(who);
}

/* {place of `where`, if it is known; package of the attempt} */
static void put_location(struct sarif *s, const struct event *ev, const struct event *where, struct writer *message)
{
	line_text(&s->e.line, "{");
	if (where != NULL) {
		put_physical(s, where);
	}
	put_logical(&s->e, where != NULL ? where : ev);
	if (message != NULL) {
		put_plain(&s->e, "message", message);
	}
	line_text(&s->e.line, "}");
}

/* --- parts of the document --- */

static void put_rule(struct encoder *e, const struct event *ev)
{
	static const char *const scores[] = {[SEV_INFO] = "0.0", [SEV_LOW] = "3.0", [SEV_MEDIUM] = "5.5", [SEV_HIGH] = "8.0", [SEV_CRITICAL] = "9.5"};
	const char *const *ids = attack_of_rule(ev->verdict.rule);
	struct writer w = {0};
	char tag[48];

	encode_string(e, "id", rule_id(ev));
	put_text(e, "shortDescription", ev->verdict.kind != NULL ? ev->verdict.kind : rule_id(ev));
	say(&w, "pipwarden's rule ");
	say_foreign(&w, rule_id(ev));
	say(&w, ev->verdict.kind != NULL ? ": " : "");
	say_foreign(&w, ev->verdict.kind);
	say(&w, ".");
	for (size_t i = 0; ids[i] != NULL; i++) {
		say(&w, i == 0 ? " MITRE ATT&CK: " : ", ");
		say(&w, ids[i]);
		say(&w, " ");
		say(&w, attack_name(ids[i]));
	}
	say(&w, " `pipwarden policy show` shows the rule, `pipwarden explain` what would allow an attempt.");
	put_plain(e, "help", &w);
	line_text(&e->line, ",\"defaultConfiguration\":{");
	encode_string(e, "level", level(ev->verdict.severity));
	line_text(&e->line, "},\"properties\":{");
	encode_string(e, "security-severity", scores[ev->verdict.severity]);
	encode_key(e, "tags");
	line_text(&e->line, "[\"security\",\"supply-chain\"");
	for (size_t i = 0; ids[i] != NULL; i++) {
		snprintf(tag, sizeof tag, ",\"external/mitre-attack/%s\"", ids[i]);
		line_text(&e->line, tag);
	}
	line_text(&e->line, "]}");
}

static void put_driver(struct sarif *s)
{
	line_text(&s->e.line, "\"tool\":{\"driver\":{");
	encode_string(&s->e, "name", "pipwarden");
	encode_string(&s->e, "semanticVersion", PIPWARDEN_VERSION);
	encode_key(&s->e, "rules");
	line_text(&s->e.line, "[");
	for (size_t i = 0; i < s->rule_count; i++) {
		line_text(&s->e.line, i == 0 ? "\n{" : ",\n{");
		put_rule(&s->e, s->rules[i]);
		line_text(&s->e.line, "}");
	}
	line_text(&s->e.line, "]}}");
}

static void put_bases(struct sarif *s)
{
	line_text(&s->e.line, ",\"originalUriBaseIds\":{");
	for (size_t i = 0; i < s->package_count; i++) {
		struct event ev = *s->packages[i];
		struct writer w = {0};
		char base[32];
		snprintf(base, sizeof base, "PACKAGE_%zu", i + 1);
		line_text(&s->e.line, i == 0 ? "" : ",");
		line_text(&s->e.line, "\"");
		line_text(&s->e.line, base);
		line_text(&s->e.line, "\":{");
		ev.package.stage = NULL; /* the root of all its stages */
		say(&w, "root of the files of ");
		say_who(&w, &ev);
		put_plain(&s->e, "description", &w);
		line_text(&s->e.line, "}");
	}
	line_text(&s->e.line, "}");
}

static void put_invocation(struct sarif *s)
{
	const struct record *rec = &s->r->record;
	struct writer w = {0};
	line_text(&s->e.line, ",\"invocations\":[{");
	encode_key(&s->e, "executionSuccessful");
	line_text(&s->e.line, reader_damaged(rec) ? "false" : "true");
	if (rec->ended) {
		encode_count(&s->e, "exitCode", (uint64_t)rec->exit_status);
	}
	encode_string(&s->e, "startTimeUtc", rec->started);
	encode_string(&s->e, "endTimeUtc", rec->finished);
	encode_strings(&s->e, "arguments", rec->command, 1024, 32768);
	words_damage(&w, rec);
	if (w.line.len > 0) {
		line_text(&s->e.line, ",\"toolExecutionNotifications\":[{\"level\":\"warning\"");
		w.line.len--; /* the last line's end */
		put_plain(&s->e, "message", &w);
		line_text(&s->e.line, "}]");
	}
	line_finish(&w.line);
	line_text(&s->e.line, "}]");
}

static void say_result(struct writer *w, const struct sarif *s, const struct finding *f)
{
	const struct event *ev = &f->lead->ev;
	say_who(w, ev);
	say(w, " ");
	if (f->step_count > 0) {
		words_chain(w, f);
		say(w, ": it ");
	}
	words_verb(w, ev, f->refused);
	say(w, " ");
	words_step(w, f->lead, report_secrets(s->r));
	say_kind(w, ev);
	say(w, ": ");
	say(w, finding_outcome(f));
	say(w, ".");
}

static void put_time(struct encoder *e, int64_t when)
{
	time_t seconds = (time_t)(when / 1000);
	struct tm tm = {0};
	char text[64];
	if (when > 0 && gmtime_r(&seconds, &tm) != NULL && strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm) > 0) {
		snprintf(text + strlen(text), 8, ".%03dZ", (int)(when % 1000));
		encode_string(e, "executionTimeUtc", text);
	}
}

static void put_flow(struct sarif *s, const struct finding *f)
{
	if (f->step_count == 0) {
		return;
	}
	line_text(&s->e.line, ",\"codeFlows\":[{\"threadFlows\":[{\"locations\":[");
	for (size_t i = 0; i < f->step_count; i++) {
		const struct attempt *a = f->steps[i];
		struct writer w = {0};
		say(&w, chain_step_name(chain_step(&a->ev)));
		say(&w, " ");
		words_step(&w, a, report_secrets(s->r));
		line_text(&s->e.line, i == 0 ? "{" : ",{");
		encode_key(&s->e, "location");
		put_location(s, &a->ev, &a->ev, &w);
		put_time(&s->e, a->when);
		encode_count(&s->e, "executionOrder", i + 1);
		line_text(&s->e.line, "}");
	}
	line_text(&s->e.line, "]}]}]");
}

/* The same finding of another run is the same. */
static void put_fingerprint(struct encoder *e, const struct finding *f, const struct attempt *place)
{
	static const uint64_t seed[2] = {0x7069707761726465u, 0x6e2f7361726966u};
	const struct event *ev = &f->lead->ev;
	const char *const parts[] = {rule_id(ev), ev->package.name, say_target(ev), place != NULL ? place->ev.origin.file : NULL};
	uint64_t key[2] = {seed[0], seed[1]};
	char text[20];
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		key[0] ^= fold_hash(key, parts[i] != NULL ? parts[i] : "", parts[i] != NULL ? strlen(parts[i]) + 1 : 0);
	}
	snprintf(text, sizeof text, "%016llx", (unsigned long long)key[0]);
	line_text(&e->line, ",\"partialFingerprints\":{");
	encode_string(e, "pipwarden/v1", text);
	line_text(&e->line, "}");
}

static void put_properties(struct encoder *e, const struct finding *f)
{
	const struct event *ev = &f->lead->ev;
	line_text(&e->line, ",\"properties\":{");
	encode_string(e, "severity", severity_name(f->severity));
	encode_string(e, "role", role_name(ev->role));
	encode_package(e, &ev->package);
	encode_string(e, "outcome", event_action_name(ev->action));
	encode_cut(e, "target", say_target(ev), PATH_CUT);
	encode_count(e, "seq", f->lead->seq);
	if (finding_milliseconds(f) >= 0) {
		encode_count(e, "milliseconds", (uint64_t)finding_milliseconds(f));
	}
	line_text(&e->line, "}");
}

static void put_result(struct sarif *s, size_t i)
{
	const struct finding *f = s->findings[i];
	const struct attempt *place = finding_place(f);
	struct writer w = {0};
	encode_string(&s->e, "ruleId", rule_id(&f->lead->ev));
	encode_count(&s->e, "ruleIndex", s->rule_of[i]);
	encode_string(&s->e, "level", level(f->severity));
	say_result(&w, s, f);
	put_plain(&s->e, "message", &w);
	encode_key(&s->e, "locations");
	line_text(&s->e.line, "[");
	put_location(s, &f->lead->ev, place != NULL ? &place->ev : NULL, NULL);
	line_text(&s->e.line, "]");
	encode_count(&s->e, "occurrenceCount", f->times);
	put_flow(s, f);
	put_fingerprint(&s->e, f, place);
	put_properties(&s->e, f);
}

static void put_run(struct sarif *s)
{
	line_text(&s->e.line, "{");
	encode_string(&s->e, "verdict", score_verdict_name(s->r->run.verdict));
	encode_count(&s->e, "score", s->r->run.points);
	encode_strings(&s->e, "attack", s->r->run.attack, SCORE_ATTACK_MAX, SIZE_MAX);
	encode_string(&s->e, "run", s->r->record.run);
	line_text(&s->e.line, "}");
}

int report_sarif(const struct report *r, FILE *out)
{
	struct sarif *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		return -1;
	}
	s->r = r;
	collect(s);
	line_text(&s->e.line, "{\"$schema\":\"" SCHEMA "\",\"version\":\"2.1.0\",\"runs\":[{");
	put_driver(s);
	put_bases(s);
	put_invocation(s);
	line_text(&s->e.line, ",\"columnKind\":\"utf16CodeUnits\",\"properties\":");
	put_run(s);
	line_text(&s->e.line, ",\"results\":[");
	for (size_t i = 0; i < s->n; i++) {
		line_text(&s->e.line, i == 0 ? "\n{" : ",\n{");
		put_result(s, i);
		line_text(&s->e.line, "}");
		document_flush(&s->e, out);
	}
	line_text(&s->e.line, "]}]}\n");
	int wrong = document_end(&s->e, out);
	free(s);
	return wrong;
}
