/* Which messages of a key store's client go on to the session's bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "launcher/supervise/bus_message.h"

static uint8_t message[4096];
static size_t at;

static void put_number(uint32_t n, bool big)
{
	at = (at + 3) / 4 * 4;
	for (int i = 0; i < 4; i++) {
		message[at++] = (uint8_t)(n >> (big ? 24 - 8 * i : 8 * i));
	}
}

static void put_text(const char *text, bool big)
{
	put_number((uint32_t)strlen(text), big);
	memcpy(message + at, text, strlen(text) + 1);
	at += strlen(text) + 1;
}

static void put_field(uint8_t code, const char *type, const char *text, bool big)
{
	at = (at + 7) / 8 * 8;
	message[at++] = code;
	message[at++] = 1;
	message[at++] = (uint8_t)type[0];
	message[at++] = 0;
	if (type[0] == 'g') {
		message[at++] = (uint8_t)strlen(text);
		memcpy(message + at, text, strlen(text) + 1);
		at += strlen(text) + 1;
	} else if (type[0] == 'u') {
		put_number(1, big);
	} else {
		put_text(text, big);
	}
}

struct call {
	const char *to, *interface, *member, *argument;
	uint8_t type; /* 0: a call */
	bool big, fds, twice;
};

/* The message's length. */
static size_t make(const struct call *c)
{
	size_t fields, body;

	memset(message, 0, sizeof message);
	message[0] = c->big ? 'B' : 'l';
	message[1] = c->type ? c->type : 1;
	message[3] = 1;
	at = 16;
	put_field(1, "o", "/org/x", c->big);
	if (c->to) {
		put_field(6, "s", c->to, c->big);
	}
	if (c->interface) {
		put_field(2, "s", c->interface, c->big);
	}
	put_field(3, "s", c->member, c->big);
	if (c->twice) {
		put_field(6, "s", "org.freedesktop.systemd1", c->big);
	}
	if (c->argument) {
		put_field(8, "g", "s", c->big);
	}
	if (c->fds) {
		put_field(9, "u", NULL, c->big);
	}
	fields = at - 16;
	at = (at + 7) / 8 * 8;
	body = at;
	if (c->argument) {
		put_text(c->argument, c->big);
	}
	size_t end = at;
	at = 4;
	put_number((uint32_t)(end - body), c->big);
	put_number(7, c->big);
	put_number((uint32_t)fields, c->big);
	return end;
}

#define SECRETS "org.freedesktop.secrets"
#define BUS "org.freedesktop.DBus"

static void calls(void **state)
{
	static const struct {
		struct call call;
		enum bus_verdict verdict;
	} rows[] = {
		{{SECRETS, "org.freedesktop.Secret.Item", "GetSecret", NULL}, BUS_PASS},
		{{SECRETS, "org.freedesktop.Secret.Item", "GetSecret", NULL, .big = true}, BUS_PASS},
		{{SECRETS, "org.freedesktop.Secret.Service", "SearchItems", NULL}, BUS_PASS},
		{{SECRETS, "org.freedesktop.DBus.Properties", "Get", "x"}, BUS_PASS},
		{{BUS, BUS, "Hello", NULL}, BUS_PASS},
		{{BUS, BUS, "StartServiceByName", SECRETS}, BUS_PASS},
		{{BUS, BUS, "AddMatch", "type='signal',interface='org.freedesktop.Secret.Prompt',member='Completed'"}, BUS_PASS},
		{{BUS, BUS, "AddMatch", "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"}, BUS_PASS},
		/* nothing that writes */
		{{SECRETS, "org.freedesktop.Secret.Item", "SetSecret", NULL}, BUS_REFUSE},
		{{SECRETS, "org.freedesktop.Secret.Item", "Delete", NULL}, BUS_REFUSE},
		{{SECRETS, "org.freedesktop.Secret.Collection", "CreateItem", NULL}, BUS_REFUSE},
		{{SECRETS, "org.freedesktop.DBus.Properties", "Set", NULL}, BUS_REFUSE},
		{{SECRETS, NULL, "GetSecret", NULL}, BUS_REFUSE},
		/* nobody else */
		{{"org.freedesktop.systemd1", "org.freedesktop.systemd1.Manager", "StartTransientUnit", NULL}, BUS_REFUSE},
		{{"org.freedesktop.systemd1", "org.freedesktop.Secret.Item", "GetSecret", NULL}, BUS_REFUSE},
		{{":1.7", "org.freedesktop.Secret.Item", "GetSecret", NULL}, BUS_REFUSE},
		{{NULL, "org.freedesktop.Secret.Item", "GetSecret", NULL}, BUS_REFUSE},
		{{BUS, BUS, "StartServiceByName", "org.freedesktop.systemd1"}, BUS_REFUSE},
		{{BUS, BUS, "UpdateActivationEnvironment", NULL}, BUS_REFUSE},
		{{BUS, BUS, "RequestName", SECRETS}, BUS_REFUSE},
		{{BUS, "org.freedesktop.DBus.Monitoring", "BecomeMonitor", NULL}, BUS_REFUSE},
		{{BUS, BUS, "AddMatch", "type='signal'"}, BUS_REFUSE},
		{{BUS, BUS, "AddMatch", "interface='org.freedesktop.Secret.Prompt',eavesdrop='true'"}, BUS_REFUSE},
		{{BUS, BUS, "AddMatch", NULL}, BUS_REFUSE},
		/* said in two ways; with a descriptor; no call */
		{{SECRETS, "org.freedesktop.Secret.Item", "GetSecret", NULL, .twice = true}, BUS_BROKEN},
		{{SECRETS, "org.freedesktop.Secret.Item", "GetSecret", NULL, .fds = true}, BUS_REFUSE},
		{{SECRETS, "org.freedesktop.Secret.Item", "GetSecret", NULL, .type = 4}, BUS_DROP},
		{{":1.7", "org.freedesktop.Secret.Item", "GetSecret", NULL, .type = 2}, BUS_DROP},
	};
	char what[BUS_WHAT];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t len = make(&rows[i].call);
		assert_int_equal(bus_message_length(message), len);
		if (bus_message_judge(message, len, what) != rows[i].verdict) {
			fail_msg("row %zu: %s", i, what);
		}
	}
}

/* Cut anywhere, and with any byte changed, it is read within its own bounds; whole and cut short it never passes. */
static void damaged(void **state)
{
	const struct call call = {SECRETS, "org.freedesktop.Secret.Item", "GetSecret", "x"};
	size_t len = make(&call);
	uint8_t copy[sizeof message];
	char what[BUS_WHAT];

	memcpy(copy, message, sizeof copy);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(bus_message_judge(copy, cut, what), BUS_BROKEN);
	}
	for (size_t i = 0; i < len; i++) {
		for (int value = 0; value < 256; value++) {
			uint8_t exact[4096];
			memcpy(exact, copy, len);
			exact[i] = (uint8_t)value;
			size_t now = bus_message_length(exact);
			bus_message_judge(exact, now < len ? now : len, what);
		}
	}
	copy[12] = copy[13] = copy[14] = copy[15] = 0xff;
	assert_int_equal(bus_message_length(copy), 0);
	memset(copy, 0, BUS_HEAD);
	assert_int_equal(bus_message_length(copy), 0);
}

/* A message like any other, which answers that call. */
static void answers(void **state)
{
	const struct call call = {"org.freedesktop.systemd1", "x", "StartTransientUnit", NULL, .big = true};
	uint8_t out[BUS_ERROR_MAX];
	char what[BUS_WHAT];

	make(&call);
	size_t len = bus_message_error(message, out);
	assert_int_equal(bus_message_length(out), len);
	assert_int_equal(bus_message_judge(out, len, what), BUS_DROP);
	assert_int_equal(out[1], 3);
	assert_non_null(memmem(out, len, "AccessDenied", 12));
	assert_non_null(memmem(out, len, (const uint8_t[]){5, 1, 'u', 0, 7, 0, 0, 0}, 8));
	message[2] = 1; /* nobody waits */
	assert_int_equal(bus_message_error(message, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(calls), cmocka_unit_test(answers), cmocka_unit_test(damaged)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
