#include "launcher/record/chain.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Did the reader get something that is, or stands for, a secret? */
static bool got_secret(const struct event *ev)
{
	if (ev->action == EV_DECOY || (ev->audited && ev->would == EV_DECOY)) {
		return true;
	}
	return ev->audited && ev->action == EV_OBSERVED && ev->verdict.severity >= SEV_MEDIUM;
}

enum chain_step chain_step(const struct event *ev)
{
	static const struct {
		const char *type;
		enum chain_step step;
	} steps[] = {
		{"env.read", CHAIN_READ_NAME},   {"env.enumerate", CHAIN_READ_ALL}, {"file.open", CHAIN_READ_FILE}, {"python.encode", CHAIN_ENCODE},
		{"net.resolve", CHAIN_RESOLVE},  {"net.socket", CHAIN_CONNECT},     {"net.connect", CHAIN_CONNECT}, {"ipc.connect", CHAIN_CONNECT},
		{"net.send", CHAIN_SEND},        {"decoy.seen", CHAIN_SEND},
	};

	for (size_t i = 0; ev->type != NULL && i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(ev->type, steps[i].type) == 0) {
			return steps[i].step == CHAIN_READ_FILE && !got_secret(ev) ? CHAIN_NONE : steps[i].step;
		}
	}
	return CHAIN_NONE;
}

const char *chain_step_name(enum chain_step s)
{
	static const char *const names[] = {
		[CHAIN_NONE] = "", [CHAIN_READ_NAME] = "read", [CHAIN_READ_FILE] = "read", [CHAIN_READ_ALL] = "read", [CHAIN_ENCODE] = "encode",
		[CHAIN_RESOLVE] = "resolve", [CHAIN_CONNECT] = "connect", [CHAIN_SEND] = "send",
	};

	return names[s];
}

/* Is `one` required to build `other`? */
static bool is_above(const struct event_package *one, const struct event_package *other)
{
	size_t name = other->name != NULL ? strlen(other->name) : 0;
	char word[EVENT_ABOVE_MAX];

	for (const char *at = name > 0 ? one->above : NULL; event_above_next(&at, word);) {
		if (strncmp(word, other->name, name) == 0 && (word[name] == '\0' || word[name] == ' ')) {
			return true;
		}
	}
	return false;
}

bool chain_same_package(const struct event *a, const struct event *b)
{
	bool unnamed = a->package.name == NULL || b->package.name == NULL;

	if (a->role != b->role) {
		return false;
	}
	if (unnamed && a->role == ROLE_GUEST) { /* one of the two could not be traced to a distribution */
		return true;
	}
	return (same(a->package.name, b->package.name) && same(a->package.version, b->package.version)) || is_above(&a->package, &b->package) ||
	       is_above(&b->package, &a->package);
}

bool chain_same_host(const struct event *a, const struct event *b)
{
	return a->target.host != NULL && b->target.host != NULL && strcmp(a->target.host, b->target.host) == 0;
}
