#include "bus_message.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FIELDS_MAX (64u << 10)
#define SECRETS "org.freedesktop.secrets"
#define BUS "org.freedesktop.DBus"

#define DENIED "org.freedesktop.DBus.Error.AccessDenied"

enum { FIELD_INTERFACE = 2, FIELD_MEMBER = 3, FIELD_ERROR = 4, FIELD_REPLY = 5, FIELD_DESTINATION = 6, FIELD_SENDER = 7, FIELD_SIGNATURE = 8, FIELD_FDS = 9,
       FIELD_COUNT };
enum { METHOD_CALL = 1, ERROR = 3, NO_REPLY_EXPECTED = 1 };

struct call {
	const char *field[FIELD_COUNT]; /* texts, in the message's memory */
	bool seen[FIELD_COUNT];
};

struct allowed {
	const char *interface, *member;
};

/* Reading, unlocking (which asks the user), and nothing that makes, changes or removes. */
static const struct allowed of_secrets[] = {
	{"org.freedesktop.Secret.Service", "OpenSession"}, {"org.freedesktop.Secret.Service", "SearchItems"}, {"org.freedesktop.Secret.Service", "Unlock"},
	{"org.freedesktop.Secret.Service", "GetSecrets"}, {"org.freedesktop.Secret.Service", "ReadAlias"},
	{"org.freedesktop.Secret.Collection", "SearchItems"}, {"org.freedesktop.Secret.Item", "GetSecret"},
	{"org.freedesktop.Secret.Prompt", "Prompt"}, {"org.freedesktop.Secret.Prompt", "Dismiss"}, {"org.freedesktop.Secret.Session", "Close"},
	{"org.freedesktop.DBus.Properties", "Get"}, {"org.freedesktop.DBus.Properties", "GetAll"},
	{"org.freedesktop.DBus.Introspectable", "Introspect"}, {"org.freedesktop.DBus.Peer", "Ping"}, {0},
};
static const struct allowed of_bus[] = {
	{BUS, "Hello"}, {BUS, "GetId"}, {BUS, "GetNameOwner"}, {BUS, "NameHasOwner"}, {BUS, "ListNames"}, {BUS, "ListActivatableNames"}, {BUS, "RemoveMatch"},
	{"org.freedesktop.DBus.Peer", "Ping"}, {0},
};

static uint32_t number(const uint8_t *m, size_t at)
{
	uint32_t a = m[at], b = m[at + 1], c = m[at + 2], d = m[at + 3];

	return m[0] == 'l' ? a | b << 8 | c << 16 | d << 24 : d | c << 8 | b << 16 | a << 24;
}

static size_t align(size_t at, size_t to)
{
	return (at + to - 1) / to * to;
}

size_t bus_message_length(const uint8_t head[BUS_HEAD])
{
	if ((head[0] != 'l' && head[0] != 'B') || head[3] != 1) {
		return 0;
	}
	uint32_t body = number(head, 4), fields = number(head, 12);
	if (fields > FIELDS_MAX || body > BUS_MAX) {
		return 0;
	}
	size_t len = align(BUS_HEAD + (size_t)fields, 8) + body;
	return len <= BUS_MAX ? len : 0;
}

/* A text of a length before it and a NUL behind it; NULL: none, or it does not end before `end`. */
static const char *text(const uint8_t *m, size_t *at, size_t end)
{
	*at = align(*at, 4);
	if (*at + 4 > end) {
		return NULL;
	}
	size_t len = number(m, *at);
	const char *found = (const char *)m + *at + 4;
	if (len > FIELDS_MAX || *at + 4 + len + 1 > end || strnlen(found, len + 1) != len) {
		return NULL;
	}
	*at += 4 + len + 1;
	return found;
}

/* One field: a code, then a variant of one of the four types that fields have. */
static bool read_field(const uint8_t *m, size_t *at, size_t end, struct call *c)
{
	const char *value = "";

	if (*at + 4 > end || m[*at + 1] != 1 || m[*at + 3] != 0) {
		return false;
	}
	uint8_t code = m[*at], type = m[*at + 2];
	*at += 4;
	if (type == 's' || type == 'o') {
		value = text(m, at, end);
	} else if (type == 'g') {
		size_t len = *at < end ? m[*at] : end;
		value = *at + 1 + len + 1 <= end && strnlen((const char *)m + *at + 1, len + 1) == len ? (const char *)m + *at + 1 : NULL;
		*at += 1 + len + 1;
	} else if (type == 'u') {
		*at = align(*at, 4) + 4;
	} else {
		return false;
	}
	if (value == NULL || *at > end || code == 0 || code >= FIELD_COUNT || c->seen[code]) {
		return false; /* one that is told twice could be read in two ways */
	}
	c->seen[code] = true;
	c->field[code] = value;
	return true;
}

static bool read_fields(const uint8_t *m, struct call *c)
{
	size_t at = BUS_HEAD, end = BUS_HEAD + number(m, 12);

	while (at < end) {
		if (!read_field(m, &at, end, c)) {
			return false;
		}
		at = align(at, 8);
	}
	return true;
}

static bool is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

static bool is_allowed(const struct call *c, const struct allowed *list)
{
	for (; list->interface != NULL; list++) {
		if (is(c->field[FIELD_INTERFACE], list->interface) && is(c->field[FIELD_MEMBER], list->member)) {
			return true;
		}
	}
	return false;
}

/* Its first argument, where that is a text. */
static const char *argument(const uint8_t *m, size_t len, const struct call *c)
{
	size_t at = align(BUS_HEAD + (size_t)number(m, 12), 8);

	return c->field[FIELD_SIGNATURE] != NULL && c->field[FIELD_SIGNATURE][0] == 's' ? text(m, &at, len) : NULL;
}

/* Signals of the key store, and of the bus about who has which name: not what others say to each other. */
static bool is_own_match(const char *rule)
{
	return rule != NULL && strstr(rule, "eavesdrop") == NULL &&
	       (strstr(rule, "interface='org.freedesktop.Secret.") != NULL || strstr(rule, "sender='" BUS "'") != NULL);
}

static bool bus_answers(const uint8_t *m, size_t len, const struct call *c)
{
	if (is_allowed(c, of_bus)) {
		return true;
	}
	if (!is(c->field[FIELD_INTERFACE], BUS)) {
		return false;
	}
	if (is(c->field[FIELD_MEMBER], "StartServiceByName")) {
		return is(argument(m, len, c), SECRETS);
	}
	return is(c->field[FIELD_MEMBER], "AddMatch") && is_own_match(argument(m, len, c));
}

enum bus_verdict bus_message_judge(const uint8_t *m, size_t len, char what[BUS_WHAT])
{
	struct call c = {0};

	snprintf(what, BUS_WHAT, "a message that can be read in two ways, or not at all");
	if (len < BUS_HEAD || bus_message_length(m) != len || !read_fields(m, &c)) {
		return BUS_BROKEN;
	}
	if (m[1] != METHOD_CALL) {
		return BUS_DROP;
	}
	const char *to = c.field[FIELD_DESTINATION], *interface = c.field[FIELD_INTERFACE], *member = c.field[FIELD_MEMBER];
	snprintf(what, BUS_WHAT, "%.60s %.60s.%.60s", to != NULL ? to : "?", interface != NULL ? interface : "?", member != NULL ? member : "?");
	if (c.seen[FIELD_FDS]) {
		return BUS_REFUSE;
	}
	if (is(to, SECRETS) && is_allowed(&c, of_secrets)) {
		return BUS_PASS;
	}
	return is(to, BUS) && bus_answers(m, len, &c) ? BUS_PASS : BUS_REFUSE;
}

/* --- an answer ------------------------------------------------------------------------------------ */

static size_t put_number(uint8_t *out, size_t at, uint32_t n)
{
	at = align(at, 4);
	for (int i = 0; i < 4; i++) {
		out[at++] = (uint8_t)(n >> 8 * i);
	}
	return at;
}

static size_t put_text_field(uint8_t *out, size_t at, uint8_t code, const char *value)
{
	at = align(at, 8);
	memcpy(out + at, (const uint8_t[]){code, 1, 's', 0}, 4);
	at = put_number(out, at + 4, (uint32_t)strlen(value));
	memcpy(out + at, value, strlen(value) + 1);
	return at + strlen(value) + 1;
}

size_t bus_message_error(const uint8_t *m, uint8_t out[BUS_ERROR_MAX])
{
	size_t at = BUS_HEAD;

	if ((m[2] & NO_REPLY_EXPECTED) != 0) {
		return 0;
	}
	memset(out, 0, BUS_ERROR_MAX);
	memcpy(out, (const uint8_t[]){'l', ERROR, NO_REPLY_EXPECTED, 1}, 4);
	at = put_text_field(out, at, FIELD_ERROR, DENIED);
	at = align(at, 8);
	memcpy(out + at, (const uint8_t[]){FIELD_REPLY, 1, 'u', 0}, 4);
	at = put_number(out, at + 4, number(m, 8));
	at = put_text_field(out, at, FIELD_SENDER, BUS);
	put_number(out, 8, UINT32_MAX); /* its serial: nobody answers it */
	put_number(out, 12, (uint32_t)(at - BUS_HEAD));
	return align(at, 8);
}
