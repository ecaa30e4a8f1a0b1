#include "launcher/record/say.h"

#include <string.h>

#include "launcher/record/text.h"

#define PIECE_MAX 320 /* bytes of one name in a text for people; a host name and its option fit */

void say(struct writer *w, const char *text)
{
	line_text(&w->line, text);
}

void say_foreign(struct writer *w, const char *text)
{
	text_append(&w->line, text, PIECE_MAX, TEXT_TERMINAL, w->redact);
}

void say_count(struct writer *w, uint64_t n, const char *one, const char *many)
{
	line_number(&w->line, (int64_t)n);
	say(w, " ");
	say(w, n == 1 ? one : many);
}

void say_severity(struct writer *w, enum severity s)
{
	static const char *const colours[] = {"", "\033[36m", "\033[33m", "\033[1;31m", "\033[1;31m"};
	say(w, w->colour ? colours[s] : "");
	say(w, severity_name(s));
	say(w, w->colour && s != SEV_INFO ? "\033[0m" : "");
}

const char *say_target(const struct event *ev)
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

/* Of a decoy that was seen. */
static const char *where_left(const char *in)
{
	static const struct {
		const char *in, *words;
	} places[] = {
		{"name", "left in a question for a name"}, {"address", "left in an address"}, {"url", "left in a URL"}, {"argv", "left in a program's arguments"}, {"http", "left in an HTTP request"},
		{"stream", "left in what it sent"}, {"wheel", "left in a wheel"}, {"source", "left in the project's folder"},
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(places[i].in, in) == 0) {
			return places[i].words;
		}
	}
	return "left";
}

static const char *verb_of(const struct event *ev, bool refused)
{
	static const struct {
		const char *type, *refused, *done;
	} verbs[] = {
		{"env.read", "wanted the variable", "read the variable"},
		{"env.enumerate", "wanted all variables of", "read all variables of"},
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
		{"process.exit", "left running", "left running"},
		{"syscall.denied", "called", "called"},
		{"install.finding", "wanted to install", "installed"},
		{"run.startup", "brought", "brought"},
		{"python.http", "sent", "sent"},
		{"python.compile", "made code of", "made code of"},
		{"python.load", "loaded", "loaded"},
		{"decoy.unread", "left behind more than is looked into, at", "left behind more than is looked into, at"},
		{"python.unread", "handed over more than is looked at of", "handed over more than is looked at of"},
	};
	if (ev->decoy.in != NULL) {
		return where_left(ev->decoy.in);
	}
	for (size_t i = 0; ev->type != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].type, ev->type) == 0) {
			return refused ? verbs[i].refused : verbs[i].done;
		}
	}
	return ev->type != NULL ? ev->type : "did";
}

void say_verb(struct writer *w, const struct event *ev, bool refused)
{
	say_foreign(w, verb_of(ev, refused));
}

void say_who(struct writer *w, const struct event *ev)
{
	static const char *const roles[ROLE_COUNT] = {"pip", "a build", "the command", "the version control tool",
	                                              "the credential helper"};
	bool nobody = ev->type != NULL && strcmp(ev->type, "run.startup") == 0; /* it was there before anybody came */
	say_foreign(w, ev->package.name != NULL ? ev->package.name : nobody ? "no package" : roles[ev->role]);
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

/* ", base64: AWS_SECRET_ACCESS_KEY" */
static void say_decoy(struct writer *w, const struct event_decoy *d)
{
	say(w, d->encoding != NULL ? ", " : "");
	say_foreign(w, d->encoding != NULL ? d->encoding : "");
	say(w, ": ");
	say_foreign(w, d->name != NULL ? d->name : d->path != NULL ? d->path : "");
}

void say_object(struct writer *w, const struct event *ev)
{
	bool decoy = ev->decoy.in != NULL;
	const char *object = say_target(ev);
	if (decoy) {
		say_decoy(w, &ev->decoy);
	}
	say(w, object[0] == '\0' ? "" : decoy ? ", at " : " ");
	say_foreign(w, object);
	if (ev->target.port != 0 && (ev->target.host != NULL || ev->target.address != NULL)) {
		say(w, " port ");
		line_number(&w->line, ev->target.port);
	}
}

void say_request(struct writer *w, const struct event *ev)
{
	const struct event_target *t = &ev->target;
	if (t->method == NULL || t->url == NULL) {
		return;
	}
	say(w, say_target(ev)[0] != '\0' ? " for " : " ");
	say_foreign(w, t->method);
	say(w, " ");
	say_foreign(w, t->url);
	if (t->bytes != 0) {
		say(w, ", ");
		say_count(w, t->bytes, "byte", "bytes");
	}
}

void say_kind(struct writer *w, const struct event *ev)
{
	if (ev->verdict.kind != NULL) {
		say(w, " (");
		say_foreign(w, ev->verdict.kind);
		say(w, ")");
	}
}

/* Where in the package's code: by the hook in Python, or of native code the object. */
void say_origin(struct writer *w, const struct event_origin *o)
{
	if (o->file == NULL) {
		say(w, o->object != NULL ? " by " : "");
		say_foreign(w, o->object != NULL ? o->object : "");
		return;
	}
	say(w, " at ");
	say_foreign(w, o->file);
	if (o->line != 0) {
		say(w, ":");
		line_number(&w->line, o->line);
	}
	if (o->function != NULL && strcmp(o->function, "<module>") != 0) {
		say(w, " in ");
		say_foreign(w, o->function);
	}
}
