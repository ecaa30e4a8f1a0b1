#include "launcher/report/explain.h"

#include <stdlib.h>
#include <string.h>

#include "launcher/record/encode.h"
#include "launcher/record/text.h"
#include "launcher/report/words.h"
#include "policy/attack.h"

/* Who held it back: the longest beginning of a type counts. */
static const char *layer(const struct record *r, const struct event *ev)
{
	static const struct {
		const char *type, *with, *without; /* with and without namespaces */
	} layers[] = {
		{"env.", "the environment that it was given: a decoy stands in the place of each secret", NULL},
		{"file.open", "Landlock, and the supervisor, which opens what lies beyond its rules or refuses it (seccomp)", NULL},
		{"file.", "Landlock, and the supervisor, which judges the calls that it does not cover (seccomp)", NULL},
		{"net.resolve", "the supervisor, which answers every look-up (seccomp): the name was sent to no resolver", NULL},
		{"net.connect", "the supervisor, which makes every connection (seccomp); its network namespace has a loopback alone",
		 "the supervisor, which makes every connection (seccomp)"},
		{"net.", "the supervisor (seccomp); its network namespace has a loopback alone", "the supervisor (seccomp)"},
		{"ipc.", "the supervisor, which makes every connection (seccomp)", NULL},
		{"exec", "Landlock, and the supervisor, which is asked about every program (seccomp)", NULL},
		{"process.", "its PID namespace, and the supervisor (seccomp)", "the supervisor (seccomp), and Landlock's scope"},
		{"syscall.", "the seccomp filter", NULL},
		{"resource.", "the limits of its sandbox", NULL},
		{"python.import", "pip's start-up code of pipwarden, inside pip", NULL},
		{"install.", "pipwarden's look at what was installed", NULL},
		{"decoy.", "the supervisor, which looks for decoys in what is sent", NULL},
		{"terminal.", "nothing: it is recorded only", NULL},
	};

	for (size_t i = 0; ev->type != NULL && i < sizeof(layers) / sizeof(layers[0]); i++) {
		if (strncmp(ev->type, layers[i].type, strlen(layers[i].type)) == 0) {
			return r->namespaces || layers[i].without == NULL ? layers[i].with : layers[i].without;
		}
	}
	return "the supervisor";
}

static void say_layer(struct writer *w, const struct record *r, const struct event *ev)
{
	say(w, "  by       ");
	if (ev->action == EV_ALLOWED) {
		say(w, "nothing: it was allowed\n");
		return;
	}
	if (ev->action == EV_OBSERVED) {
		say(w, ev->audited ? "nothing: --audit enforces nothing; otherwise " : "nothing: it was only seen");
		say(w, ev->audited ? layer(r, ev) : "");
	} else if (ev->role == ROLE_INSTALLER && strncmp(ev->type, "file.", 5) == 0) {
		say(w, "Landlock: pip writes its environment, its cache and what its command line names");
	} else {
		say(w, layer(r, ev));
	}
	say(w, "\n");
}

static void say_rule(struct writer *w, const struct report *r, const struct event *ev)
{
	const char *rule = ev->verdict.rule;
	char origin[320];
	say(w, "  rule     ");
	if (rule == NULL) {
		say(w, "none\n");
		return;
	}
	say_foreign(w, rule);
	say_kind(w, ev);
	say(w, ", ");
	say_severity(w, ev->verdict.severity);
	for (const char *const *id = attack_of_rule(rule); *id != NULL; id++) {
		say(w, ", ");
		say(w, *id);
	}
	if (policy_rule_origin(r->policy, rule, origin, sizeof origin)) {
		say(w, ", from ");
		say_foreign(w, origin);
		say(w, ", action ");
		say(w, policy_action_name(policy_rule(r->policy, rule).action));
	} else {
		say(w, ", of no rule in the policy that is in force now");
	}
	say(w, "\n");
}

static void say_became(struct writer *w, const struct event *ev)
{
	static const char *const words[] = {
		[EV_ALLOWED] = "allowed", [EV_DENIED] = "refused", [EV_DECOY] = "a decoy was given",
		[EV_ABORTED] = "refused, and the run was ended", [EV_OBSERVED] = "recorded",
	};
	say(w, "  outcome  ");
	say(w, words[ev->action]);
	if (ev->audited) {
		say(w, "; without --audit: ");
		say(w, words[ev->would]);
	}
	say(w, "\n");
}

static bool refused(const struct event *ev)
{
	enum event_action a = ev->audited ? ev->would : ev->action;
	return a == EV_DENIED || a == EV_ABORTED || a == EV_DECOY;
}

static void say_event(struct writer *w, const struct report *r, const struct attempt *a)
{
	const struct event *ev = &a->ev;
	struct allow allow;
	say(w, "event ");
	line_number(&w->line, (int64_t)a->seq);
	say(w, ": ");
	say_who(w, ev);
	say(w, ", as ");
	say(w, role_name(ev->role));
	say(w, ", ");
	words_verb(w, ev, refused(ev));
	say(w, " ");
	words_step(w, a, report_secrets(r));
	say(w, "\n");
	say_became(w, ev);
	say_rule(w, r, ev);
	say_layer(w, &r->record, ev);
	if (ev->detail != NULL) {
		say(w, "  hint     ");
		text_append(&w->line, ev->detail, 4096, TEXT_TERMINAL, NULL);
		say(w, "\n");
	}
	if (refused(ev)) {
		allow_find(r->policy, ev, &allow);
		words_allow(w, &allow, "  allow    ");
	}
}

static void say_policy(struct writer *w, const struct report *r)
{
	if (r->record.digest != NULL && strcmp(r->record.digest, policy_digest(r->policy)) != 0) {
		say(w, "(that run had another policy, by options or files, than the one that is in force now and that this speaks of)\n");
	}
}

static void say_all(struct writer *w, const struct report *r)
{
	size_t shown = 0, left = 0;
	for (size_t i = 0; i < r->findings.n; i++) {
		const struct attempt *a = r->findings.v[i].lead;
		if (!refused(&a->ev) || (a->ev.action == EV_DECOY && a->ev.verdict.severity == SEV_INFO)) {
			continue; /* of decoys those of a variable or file that was asked for by name */
		}
		if (shown == EXPLAIN_SHOWN) {
			left++;
			continue;
		}
		say(w, shown++ == 0 ? "" : "\n");
		say_event(w, r, a);
	}
	if (shown == 0) {
		say(w, "nothing was refused in run ");
		say_foreign(w, r->record.run);
		say(w, "\n");
	}
	if (left > 0) {
		say(w, "\nand ");
		line_number(&w->line, (int64_t)left);
		say(w, " more: name an event by its number in ");
		text_append(&w->line, r->path, 4096, TEXT_TERMINAL, NULL);
		say(w, "\n");
	}
}

int explain_text(const struct report *r, uint64_t seq, FILE *out, bool colour)
{
	struct writer w = {.colour = colour};
	const struct attempt *a = seq != 0 ? reader_find(&r->record, seq) : NULL;
	words_damage(&w, &r->record);
	say_policy(&w, r);
	if (a != NULL) {
		say_event(&w, r, a);
	} else {
		say_all(&w, r);
	}
	char *text = line_steal(&w.line);
	int wrong = text == NULL || fputs(text, out) < 0;
	free(text);
	return wrong ? -1 : 0;
}
