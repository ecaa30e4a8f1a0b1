#include "launcher/report/words.h"

#include <stdlib.h>
#include <string.h>

#include "launcher/record/chain.h"
#include "launcher/record/text.h"

#define NAMES_SHOWN 6
#define COMMAND_WORDS 24
#define SHELL_MAX 4608

/* Are all of its characters shown as they are? */
static bool is_seen_as_is(const char *text)
{
	struct line l = {0};
	text_append(&l, text, SHELL_MAX, TEXT_TERMINAL, NULL);
	char *shown = line_steal(&l);
	bool same = shown != NULL && strcmp(shown, text) == 0;
	free(shown);
	return same;
}

/* All of it but for two characters, which mean something inside quotes. */
static void say_quoted(struct writer *w, const char *text, const char *apostrophe, const char *backslash)
{
	for (const char *at = text; *at != '\0';) {
		size_t run = strcspn(at, "'\\");
		char piece[SHELL_MAX + 1];
		run = run < SHELL_MAX ? run : SHELL_MAX;
		memcpy(piece, at, run);
		piece[run] = '\0';
		text_append(&w->line, piece, SHELL_MAX, TEXT_TERMINAL, NULL);
		at += run;
		if (*at == '\'' || *at == '\\') {
			say(w, *at == '\'' ? apostrophe : backslash);
			at++;
		}
	}
}

void words_shell(struct writer *w, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
	if (text[0] != '\0' && strspn(text, plain) == strlen(text)) {
		say_quoted(w, text, "", "");
		return;
	}
	/* What cannot be seen is shown as bash and zsh write it. */
	bool as_is = is_seen_as_is(text);
	say(w, as_is ? "'" : "$'");
	say_quoted(w, text, as_is ? "'\\''" : "\\'", as_is ? "\\" : "\\\\");
	say(w, "'");
}

void words_command(struct writer *w, const char *const *words)
{
	say(w, words[0] == NULL ? "(no command)" : "");
	for (size_t n = 0; words[n] != NULL; n++) {
		say(w, n == 0 ? "" : " ");
		if (n == COMMAND_WORDS) {
			say(w, "…");
			break;
		}
		say_foreign(w, words[n]);
	}
}

void words_allow(struct writer *w, const struct allow *a, const char *indent)
{
	say(w, indent);
	if (a->option != NULL) {
		say(w, "pipwarden ");
		say(w, a->option);
		say(w, " ");
		words_shell(w, a->value);
		say(w, " …");
	} else {
		say(w, "no option does");
	}
	if (a->why != NULL) {
		say(w, a->option != NULL ? "  (" : ": ");
		say(w, a->why);
		say(w, a->option != NULL ? ")" : "");
	}
	say(w, "\n");
	if (a->policy[0] != '\0') {
		say(w, indent);
		say(w, a->option != NULL ? "for good, in a policy file: " : "a policy file (--policy FILE): ");
		text_append(&w->line, a->policy, sizeof a->policy, TEXT_TERMINAL, NULL);
		say(w, "\n");
	}
}

static void damage_count(struct writer *w, uint64_t n, const char *one, const char *many)
{
	if (n > 0) {
		say(w, "  the record is damaged: ");
		say_count(w, n, one, many);
		say(w, "\n");
	}
}

void words_damage(struct writer *w, const struct record *r)
{
	if (!r->ended) {
		say(w, "  the record has no end: the run was killed, goes on still, or found no room to write; what it did after that is not known\n");
	}
	if (r->bad_lines > 0) {
		say(w, "  the record is damaged: line ");
		line_number(&w->line, (int64_t)r->first_bad);
		if (r->bad_lines > 1) {
			say(w, " and ");
			line_number(&w->line, (int64_t)(r->bad_lines - 1));
			say(w, " more");
		}
		say(w, " cannot be understood\n");
	}
	damage_count(w, r->missing, "line is missing", "lines are missing");
	if (r->cut) {
		say(w, "  the record is damaged: its last line is cut\n");
	}
	if (r->too_long) {
		say(w, "  the record is longer than one run writes: the rest was not read\n");
	}
	if (r->unrecorded > 0) {
		say(w, "  the record was full: ");
		say_count(w, r->unrecorded, "attempt was", "attempts were");
		say(w, " only counted\n");
	}
}

void words_time(struct writer *w, int64_t milliseconds)
{
	if (milliseconds < 10000) {
		line_number(&w->line, milliseconds);
		say(w, " ms");
		return;
	}
	line_number(&w->line, milliseconds / 1000);
	say(w, ".");
	line_number(&w->line, milliseconds % 1000 / 100);
	say(w, " s");
}

static void say_secrets(struct writer *w, const char *const *secrets)
{
	size_t n = 0;
	for (; secrets[n] != NULL && n < NAMES_SHOWN; n++) {
		say(w, n == 0 ? " (with " : ", ");
		say_foreign(w, secrets[n]);
	}
	for (; secrets[n] != NULL; n++) {
	}
	if (n > NAMES_SHOWN) {
		say(w, ", +");
		line_number(&w->line, (int64_t)(n - NAMES_SHOWN));
	}
	say(w, n > 0 ? ")" : "");
}

static bool is_seen(const struct event *ev)
{
	return ev->type != NULL && strcmp(ev->type, "decoy.seen") == 0;
}

static void say_decoy(struct writer *w, const struct event *ev)
{
	const char *whose = ev->decoy.name != NULL ? ev->decoy.name : ev->decoy.path != NULL ? ev->decoy.path : is_seen(ev) ? ev->target.name : NULL;
	if (whose == NULL) {
		return;
	}
	say(w, ", with the decoy of ");
	say_foreign(w, whose);
	if (ev->decoy.encoding != NULL && strcmp(ev->decoy.encoding, "plain") != 0) {
		say(w, " as ");
		say_foreign(w, ev->decoy.encoding);
	}
	if (ev->decoy.in != NULL) {
		say(w, " in ");
		say_foreign(w, ev->decoy.in);
	}
}

void words_chain(struct writer *w, const struct finding *f)
{
	bool secrets = false; /* by name, or a file: more than the walk that every build does */
	for (size_t i = 0; i < f->step_count; i++) {
		enum chain_step step = chain_step(&f->steps[i]->ev);
		secrets |= step == CHAIN_READ_NAME || step == CHAIN_READ_FILE;
	}
	say(w, secrets ? "read secrets and tried to get something out" : "read its whole environment and tried to get something out");
}

void words_verb(struct writer *w, const struct event *ev, bool refused)
{
	enum chain_step step = chain_step(ev);
	if (is_seen(ev)) { /* what was to be sent is said with where to */
		say(w, refused ? "tried to send to" : "sent to");
	} else if (step == CHAIN_READ_NAME || step == CHAIN_READ_ALL) {
		say(w, "read");
	} else {
		say_verb(w, ev, refused);
	}
}

/* A file of the private home, as the code that read it would name it: .../pw-4B3xdQ/1h/.ssh/id_ed25519. */
static const char *in_private_home(const char *path)
{
	for (const char *at = path; at != NULL && (at = strstr(at, "/pw-")) != NULL; at++) {
		size_t number = strlen(at) > 11 && at[10] == '/' ? strspn(at + 11, "0123456789") : 0;
		if (number > 0 && strncmp(at + 11 + number, "h/", 2) == 0) {
			return at + 11 + number + 1;
		}
	}
	return NULL;
}

void words_step(struct writer *w, const struct attempt *a, const char *const *secrets)
{
	const struct event *ev = &a->ev;
	enum chain_step step = chain_step(ev);
	const char *home = step == CHAIN_READ_FILE && ev->action == EV_DECOY ? in_private_home(ev->target.path) : NULL;
	if (step == CHAIN_READ_ALL) {
		say(w, "all variables");
		say_secrets(w, secrets);
	} else if (home != NULL) {
		say(w, "the decoy file ~");
		say_foreign(w, home);
	} else {
		say(w, step == CHAIN_READ_NAME ? "the variable " : "");
		say_foreign(w, say_target(ev)[0] != '\0' ? say_target(ev) : ev->type);
	}
	if (ev->target.port != 0) {
		say(w, " port ");
		line_number(&w->line, ev->target.port);
	}
	say_request(w, ev);
	say_decoy(w, ev);
	if (ev->origin.file != NULL || ev->origin.object != NULL) {
		say_origin(w, &ev->origin);
	}
	if (ev->origin.file == NULL && ev->origin.symbol != NULL) {
		say(w, " in ");
		say_foreign(w, ev->origin.symbol);
	}
}
