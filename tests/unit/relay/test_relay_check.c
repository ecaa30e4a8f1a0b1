#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "hellos.h"
#include "launcher/relay/relay_check.h"

#define LEN(a) (sizeof(a) / sizeof *(a))

/* Pieces of rows: see assemble.h. */
#define RECORD(payload) "16 0301 (2 " payload ") "
#define HELLO(extensions) RECORD("01 (3 0303 52*32 (1 ) (2 1301 c02f) (1 00) (2 " extensions ") ) ")
#define SNI(name) "0000 (2 (2 00 (2 " name ") ) ) "
#define ECH "fe0d (2 00) "
#define GOOD HELLO(SNI("'a.example'"))
#define OTHER HELLO(SNI("'b.example'"))
#define CCS "14 0303 (2 01) "
#define DATA(n) "17 0303 (2 aa*" #n ") "
#define KEY_EXCHANGE "16 0303 (2 10 (3 bb*32) ) "

#define SERVER(random) "16 0303 (2 02 (3 0303 " random " (1 ) 1301 00) ) "
#define RETRY_RANDOM "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
#define SERVER_HELLO SERVER("77*32")
#define SERVER_RETRY SERVER(RETRY_RANDOM)
#define WARNING "15 0301 (2 01 70) "

/* A client's and a server's bytes in turn: what was let through of the client's, and the end. */
struct outcome {
	size_t passed;
	bool free;
	const char *why;
	char name[HOST_TEXT_MAX];
};

struct talk {
	struct relay_check *check;
	uint8_t held[RELAY_HELD_MAX];
	size_t count;
	uint64_t unseen;
	struct outcome o;
};

static void drain(struct talk *t)
{
	for (;;) {
		size_t used, n = t->unseen < t->count ? (size_t)t->unseen : t->count;

		t->unseen -= n;
		t->o.passed += n;
		t->count -= n;
		memmove(t->held, t->held + n, t->count);
		if (t->unseen || t->o.free || t->o.why)
			return;
		switch (relay_check_client(t->check, t->held, t->count, &used)) {
		case RELAY_CHECK_MORE:
			assert_int_equal(used, 0);
			return;
		case RELAY_CHECK_PASS:
			assert_true(used || t->check->unseen);
			t->unseen = t->check->unseen + used; /* passed above */
			break;
		case RELAY_CHECK_FREE:
			t->o.free = true;
			t->o.passed += t->count;
			t->count = 0;
			break;
		case RELAY_CHECK_REFUSED:
			t->o.why = t->check->why;
			memcpy(t->o.name, t->check->name, sizeof t->o.name);
			break;
		}
	}
}

static void client_says(struct talk *t, const uint8_t *bytes, size_t len, size_t portion)
{
	for (size_t at = 0; at < len && !t->o.why; at += portion) {
		size_t n = len - at < portion ? len - at : portion;

		if (t->o.free) {
			t->o.passed += n;
			continue;
		}
		assert_true(t->count + n <= sizeof t->held);
		memcpy(t->held + t->count, bytes + at, n);
		t->count += n;
		drain(t);
	}
}

static void server_says(struct talk *t, const uint8_t *bytes, size_t len, size_t portion)
{
	for (size_t at = 0; at < len; at += portion)
		relay_check_server(t->check, bytes + at, len - at < portion ? len - at : portion);
	if (!t->o.why)
		drain(t);
}

/* Texts in turn, the client's first; NULL is the end. */
static struct outcome play(const char *const *turns, size_t portion)
{
	struct talk *t = calloc(1, sizeof *t);
	static uint8_t wire[64 * 1024];
	struct outcome o;

	t->check = calloc(1, sizeof *t->check);
	relay_check_init(t->check, "a.example", 443);
	for (size_t i = 0; turns[i]; i++) {
		size_t len = assemble(turns[i], wire, sizeof wire);
		(i % 2 ? server_says : client_says)(t, wire, len, portion);
	}
	o = t->o;
	free(t->check);
	free(t);
	return o;
}

static const struct {
	const char *what, *turns[6];
	size_t passed;
	bool free;
	const char *why, *name;
} rows[] = {
	{"right", {GOOD}, 72},
	{"right, answered", {GOOD, SERVER_HELLO, DATA(9)}, 72 + 14, true},
	{"in upper case", {HELLO(SNI("'A.Example'"))}, 72},
	{"with early data", {GOOD CCS DATA(500)}, 72 + 6 + 505},
	{"wrong", {OTHER}, 0, false, "another server's name", "b.example"},
	{"none", {HELLO("")}, 0, false, "names no server", ""},
	{"an address", {HELLO(SNI("'127.0.0.1'"))}, 0, false, "an address for a server name", ""},
	{"hidden", {HELLO(SNI("'a.example'") ECH)}, 0, false, "an encrypted hello may hide another name", "a.example"},
	{"hidden and wrong", {HELLO(SNI("'b.example'") ECH)}, 0, false, "another server's name", "b.example"},
	{"SSH", {"'SSH-2.0-x' 0d0a"}, 0, false, "no request line", ""},
	{"neither", {"'ssh'"}, 0, false, "neither TLS nor HTTP", ""},
	{"neither", {"00"}, 0, false, "neither TLS nor HTTP", ""},
	{"SSLv2", {"80 2e 01 0002"}, 0, false, "neither TLS nor HTTP", ""},
	{"tried anew", {GOOD, SERVER_RETRY, CCS GOOD, SERVER_HELLO, CCS DATA(64)}, 72 + 6 + 72 + 6 + 69, true},
	{"tried anew, not answered", {GOOD, SERVER_RETRY, CCS GOOD CCS DATA(64)}, 72 + 6 + 72 + 6 + 69},
	{"tried anew, wrong", {GOOD, SERVER_RETRY, CCS OTHER}, 72 + 6, false, "another server's name", "b.example"},
	{"tried anew, nameless", {GOOD, SERVER_RETRY, HELLO("")}, 72, false, "names no server", ""},
	{"a second that nobody asked for yet", {GOOD OTHER}, 72, false, "another server's name", "b.example"},
	{"a second behind early data", {GOOD CCS DATA(300), SERVER_RETRY, DATA(20) OTHER}, 72 + 6 + 305 + 25, false, "another server's name", "b.example"},
	{"a second behind an alert", {GOOD, WARNING, "15 0301 (2 02 00) " OTHER}, 72 + 7, false, "another server's name", "b.example"},
	{"a third", {GOOD, SERVER_RETRY, GOOD, SERVER_RETRY, OTHER}, 72 + 72, false, "another server's name", "b.example"},
	{"a warning before the answer", {GOOD, WARNING SERVER_HELLO, KEY_EXCHANGE}, 72 + 41, true},
	{"a key exchange before the answer", {GOOD KEY_EXCHANGE}, 72, false, "a handshake message that is no hello", ""},
	{"retry and hello in one record", {GOOD, "16 0303 (2 02 (3 0303 " RETRY_RANDOM " 00*4) 02 (3 0303 55*34) ) ", DATA(1)}, 72 + 6, true},
	{"an answer in two records", {GOOD, "16 0303 (2 02 000026 0303 77*3) 16 0303 (2 77*29 00 1301 00)", DATA(1)}, 72 + 6, true},
	{"no answer of TLS", {GOOD, "'HTTP/1.1 400 x'", OTHER}, 72, false, "another server's name", "b.example"},
	{"another message", {GOOD, "16 0303 (2 00 (3 ) ) " SERVER_HELLO, OTHER}, 72, false, "another server's name", "b.example"},
	{"a record of nothing", {GOOD "18 0303 (2 01) "}, 72, false, "no record of TLS", ""},
	{"a record too long", {GOOD "17 0303 4900"}, 72, false, "no record of TLS", ""},
	{"a record's version", {GOOD "17 0403 0001 00"}, 72, false, "no record of TLS", ""},
	{"HTTP", {"'GET / HTTP/1.1' 0d0a 'Host: a.example' 0d0a 0d0a"}, 35},
	{"HTTP, port", {"'GET / HTTP/1.1' 0d0a 'Host: a.example:443' 0d0a 0d0a"}, 39},
	{"HTTP, another port", {"'GET / HTTP/1.1' 0d0a 'Host: a.example:80' 0d0a 0d0a"}, 0, false, "another port", "a.example"},
	{"HTTP, another host", {"'GET / HTTP/1.1' 0d0a 'Host: b.example' 0d0a 0d0a"}, 0, false, "another server's name", "b.example"},
	{"HTTP, a tunnel", {"'CONNECT a.example:443 HTTP/1.1' 0d0a 'Host: a.example:443' 0d0a 0d0a"}, 0, false, "asks for a tunnel", "a.example"},
	{"HTTP, websocket", {"'GET / HTTP/1.1' 0d0a 'Host: a.example' 0d0a 'Connection: upgrade' 0d0a 'Upgrade: websocket' 0d0a 0d0a"},
	 0, false, "asks for another protocol", "a.example"},
	{"HTTP, body and another",
	 {"'PUT / HTTP/1.1' 0d0a 'Host: a.example' 0d0a 'Content-Length: 5' 0d0a 0d0a 'GET /' 'GET / HTTP/1.1' 0d0a 'Host: b.example' 0d0a 0d0a"},
	 35 + 19 + 5, false, "another server's name", "b.example"},
};

static void check_row(size_t i, size_t portion)
{
	struct outcome o = play(rows[i].turns, portion);
	const char *why = rows[i].why ? rows[i].why : "", *got = o.why ? o.why : "";

	if (o.passed != rows[i].passed || o.free != rows[i].free || strcmp(why, got) || strcmp(o.name, rows[i].name ? rows[i].name : ""))
		fail_msg("%s, by %zu: passed %zu, free %d, \"%s\" \"%s\"", rows[i].what, portion, o.passed, o.free, got, o.name);
}

static void test_rows(void **state)
{
	static const size_t portions[] = {16000, 1, 2, 3, 5, 7, 64, 79};

	for (size_t i = 0; i < LEN(rows); i++)
		for (size_t j = 0; j < LEN(portions); j++)
			check_row(i, portions[j]);
}

/* Early data of a real client, and what it says once it was answered. */
static void test_real(void **state)
{
	static const char *const hellos[] = {hello_openssl_13, hello_openssl_12, hello_openssl_early, hello_curl, hello_python_13, hello_node};

	for (size_t i = 0; i < LEN(hellos); i++) {
		const char *turns[] = {hellos[i], SERVER_HELLO, DATA(3), NULL};
		struct talk *t = calloc(1, sizeof *t);
		static uint8_t wire[64 * 1024];
		size_t total = 0;

		t->check = calloc(1, sizeof *t->check);
		relay_check_init(t->check, "files.example.com", 443);
		for (size_t j = 0; turns[j]; j++) {
			size_t len = assemble(turns[j], wire, sizeof wire);
			(j % 2 ? server_says : client_says)(t, wire, len, 100);
			total += j % 2 ? 0 : len;
		}
		assert_true(t->o.free && !t->o.why);
		assert_int_equal(t->o.passed, total);
		free(t->check);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_real)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
