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
	unsigned asked_port;
	const char *words;
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

/* Whom the client may have of a proxy. */
static enum relay_may may(void *arg, const char *host, unsigned port)
{
	if (!strcmp(host, "a.example") || !strcmp(host, "b.example"))
		return port == 443 || port == 80 ? RELAY_MAY : RELAY_MAY_NOT;
	if (!strcmp(host, "192.0.2.1") || !strcmp(host, "2001:db8::1"))
		return RELAY_MAY_UNSEEN;
	return !strcmp(host, "192.0.2.2") ? RELAY_MAY_ANY : RELAY_MAY_NOT;
}

/* Texts in turn, the client's first; NULL is the end. */
static struct outcome play(enum relay_proxy proxy, const char *const *turns, size_t portion)
{
	struct talk *t = calloc(1, sizeof *t);
	static uint8_t wire[64 * 1024];
	struct outcome o;

	t->check = calloc(1, sizeof *t->check);
	if (proxy == RELAY_NO_PROXY)
		relay_check_init(t->check, "a.example", 443);
	else
		relay_check_init_proxy(t->check, &(struct relay_asks){.proxy = proxy, .may = may});
	for (size_t i = 0; turns[i]; i++) {
		size_t len = assemble(turns[i], wire, sizeof wire);
		(i % 2 ? server_says : client_says)(t, wire, len, portion);
	}
	o = t->o;
	o.asked_port = t->check->asked_port;
	o.words = t->check->words;
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
	struct outcome o = play(RELAY_NO_PROXY, rows[i].turns, portion);
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

#define CONNECT(host, port) "'CONNECT " host ":" port " HTTP/1.1' 0d0a 'Host: " host ":" port "' 0d0a 0d0a "
#define ESTABLISHED "'HTTP/1.1 200 Connection established' 0d0a 'Via: x' 0d0a 0d0a "
#define GET(host) "'GET http://" host "/x HTTP/1.1' 0d0a 'Host: " host "' 0d0a 0d0a "
#define GREETING "05 (1 00) "
#define SOCKS_NAME(name, port) "05 01 00 03 (1 '" name "') " port " "
#define SOCKS_MADE "05 00 00 01 00000000 0000 "
#define DENIED "the proxy was asked for a host that is not allowed"

static const struct {
	const char *what;
	enum relay_proxy proxy;
	const char *turns[8];
	size_t passed;
	bool free;
	const char *why, *name;
	unsigned asked_port;
	bool words;
} proxied[] = {
	{"a tunnel", RELAY_HTTP_PROXY, {CONNECT("a.example", "443"), ESTABLISHED, GOOD, SERVER_HELLO, DATA(9)}, 55 + 72 + 14, true},
	{"a tunnel, early", RELAY_HTTP_PROXY, {CONNECT("a.example", "443") GOOD, ESTABLISHED, "", SERVER_HELLO}, 55 + 72, true},
	{"not yet a tunnel", RELAY_HTTP_PROXY, {CONNECT("a.example", "443") GOOD, "'HTTP/1.1 200 x' 0d0a 'Via: x' 0d0a"}, 55},
	{"an interim answer", RELAY_HTTP_PROXY, {CONNECT("a.example", "443") GOOD, "'HTTP/1.1 100 x' 0d0a 0d0a"}, 55},
	{"then a tunnel", RELAY_HTTP_PROXY, {CONNECT("a.example", "443") GOOD, "'HTTP/1.1 100 x' 0d0a 0d0a" ESTABLISHED}, 55 + 72},
	{"no tunnel", RELAY_HTTP_PROXY, {CONNECT("a.example", "443"), "'HTTP/1.1 407 x' 0d0a 0d0a", GOOD}, 55, false, "more after the proxy's refusal", "", 0, true},
	{"no answer", RELAY_HTTP_PROXY, {CONNECT("a.example", "443"), "'ICY 200 x' 0d0a 0d0a", GOOD}, 55, false, "more after the proxy's refusal", "", 0, true},
	{"a status of four digits", RELAY_HTTP_PROXY, {CONNECT("a.example", "443"), "'HTTP/1.1 2000' 0d0a 0d0a", GOOD}, 55, false, "more after the proxy's refusal", "",
	 0, true},
	{"a tunnel to another", RELAY_HTTP_PROXY, {CONNECT("c.example", "443") GOOD}, 0, false, DENIED, "c.example", 443, true},
	{"a tunnel to another port", RELAY_HTTP_PROXY, {CONNECT("a.example", "25")}, 0, false, DENIED, "a.example", 25, true},
	{"another inside", RELAY_HTTP_PROXY, {CONNECT("a.example", "443"), ESTABLISHED, OTHER}, 55, false, "another server's name", "b.example", 0, false},
	{"nobody inside", RELAY_HTTP_PROXY, {CONNECT("a.example", "443"), ESTABLISHED, HELLO("")}, 55, false, "names no server", "", 0, false},
	{"HTTP inside", RELAY_HTTP_PROXY, {CONNECT("a.example", "80"), ESTABLISHED, "'GET / HTTP/1.1' 0d0a 'Host: a.example' 0d0a 0d0a"}, 53 + 35},
	{"a tunnel inside", RELAY_HTTP_PROXY, {CONNECT("a.example", "80"), ESTABLISHED, CONNECT("a.example", "80")}, 53, false, "asks for a tunnel", "a.example", 0, false},
	{"to an address", RELAY_HTTP_PROXY, {CONNECT("192.0.2.1", "5"), ESTABLISHED, "'ssh'"}, 51 + 3, true},
	{"to an address in brackets", RELAY_HTTP_PROXY, {CONNECT("[2001:DB8::1]", "5"), ESTABLISHED, "'ssh'"}, 59 + 3, true},
	{"to another address", RELAY_HTTP_PROXY, {CONNECT("192.0.2.3", "443")}, 0, false, DENIED, "192.0.2.3", 443, true},
	{"to an address in octal", RELAY_HTTP_PROXY, {CONNECT("0300.0.2.1", "443")}, 0, false, "an address for a Host", "", 0, true},
	{"to a short address", RELAY_HTTP_PROXY, {CONNECT("127.1", "443")}, 0, false, "an address for a Host", "", 0, true},
	{"to one of several names", RELAY_HTTP_PROXY, {CONNECT("192.0.2.2", "443"), ESTABLISHED, OTHER}, 55 + 72},
	{"to none of them", RELAY_HTTP_PROXY, {CONNECT("192.0.2.2", "443"), ESTABLISHED, HELLO(SNI("'c.example'"))}, 55, false, "another server's name", "c.example"},
	{"requests", RELAY_HTTP_PROXY, {GET("a.example") GET("b.example")}, 104},
	{"a request for another behind one", RELAY_HTTP_PROXY, {GET("a.example") GET("c.example")}, 52, false, DENIED, "c.example", 80, true},
	{"a request for another host than Host", RELAY_HTTP_PROXY, {"'GET http://a.example/ HTTP/1.1' 0d0a 'Host: b.example' 0d0a 0d0a"}, 0, false,
	 "a target for another host than Host", "", 0, true},
	{"a request of https", RELAY_HTTP_PROXY, {"'GET https://a.example/ HTTP/1.1' 0d0a 'Host: a.example' 0d0a 0d0a"}, 0, false, "a target that is none", "", 0, true},
	{"a tunnel behind a request", RELAY_HTTP_PROXY, {GET("a.example") CONNECT("a.example", "443")}, 52, false, "asks for a tunnel after something else", "a.example",
	 0, true},
	{"another protocol", RELAY_HTTP_PROXY, {"'GET http://a.example/ HTTP/1.1' 0d0a 'Host: a.example' 0d0a 'Upgrade: h2c' 0d0a 0d0a"}, 0, false,
	 "asks for another protocol", "a.example", 0, true},
	{"TLS", RELAY_HTTP_PROXY, {GOOD}, 0, false, "a control character", "", 0, true},
	{"SOCKS to HTTP", RELAY_HTTP_PROXY, {GREETING}, 0, false, "a control character", "", 0, true},

	{"SOCKS", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "01bb"), SOCKS_MADE, GOOD, SERVER_HELLO, DATA(9)}, 3 + 16 + 72 + 14, true},
	{"SOCKS at once", RELAY_SOCKS_PROXY, {GREETING SOCKS_NAME("a.example", "01bb") GOOD, "0500", "", SOCKS_MADE, "", SERVER_HELLO}, 3 + 16 + 72, true},
	{"SOCKS, login", RELAY_SOCKS_PROXY, {"05 (1 00 02)", "0502", "01 (1 'me') (1 'word')", "0100", SOCKS_NAME("A.example.", "01bb"), SOCKS_MADE, GOOD}, 4 + 9 + 17 + 72},
	{"SOCKS, wrong login", RELAY_SOCKS_PROXY, {"05 (1 02)", "0502", "01 (1 'me') (1 'word')", "0101", SOCKS_NAME("a.example", "01bb")}, 3 + 9, false,
	 "more after the proxy's refusal", "", 0, false},
	{"SOCKS, a method that was not offered", RELAY_SOCKS_PROXY, {GREETING, "0502", SOCKS_NAME("a.example", "01bb")}, 3, false, "more after the proxy's refusal", ""},
	{"SOCKS, refused", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "01bb"), "05 05 00 01 00000000 0000", GOOD}, 3 + 16, false,
	 "more after the proxy's refusal", ""},
	{"SOCKS, to a name's answer", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "01bb"), "05 00 00 03 (1 'x.example') 0000", GOOD}, 3 + 16 + 72},
	{"SOCKS, to IPv6's answer", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "01bb"), "05 00 00 04 00*16 0000", GOOD}, 3 + 16 + 72},
	{"SOCKS, not yet", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "01bb") GOOD, "05 00 00 01 00000000 00"}, 3 + 16},
	{"SOCKS, another", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("c.example", "01bb")}, 3, false, DENIED, "c.example", 443, true},
	{"SOCKS, another inside", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "01bb"), SOCKS_MADE, OTHER}, 3 + 16, false, "another server's name", "b.example"},
	{"SOCKS, HTTP inside", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "0050"), SOCKS_MADE, "'GET / HTTP/1.1' 0d0a 'Host: b.example' 0d0a 0d0a"}, 3 + 16,
	 false, "another server's name", "b.example"},
	{"SOCKS, an address", RELAY_SOCKS_PROXY, {GREETING, "0500", "05 01 00 01 c0000201 0016", SOCKS_MADE, "'ssh'"}, 3 + 10 + 3, true},
	{"SOCKS, an address of IPv6", RELAY_SOCKS_PROXY, {GREETING, "0500", "05 01 00 04 20010db8 00*11 01 0016", SOCKS_MADE, "'ssh'"}, 3 + 22 + 3, true},
	{"SOCKS, an address as a name", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("169.254.169.254", "0050")}, 3, false, DENIED, "169.254.169.254", 80, true},
	{"SOCKS, a number as a name", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("2852039166", "0050")}, 3, false, "a host that is none", ""},
	{"SOCKS, an address with several names", RELAY_SOCKS_PROXY, {GREETING, "0500", "05 01 00 01 c0000202 01bb", SOCKS_MADE, OTHER}, 3 + 10 + 72},
	{"SOCKS, an address of others", RELAY_SOCKS_PROXY, {GREETING, "0500", "05 01 00 01 c0000203 01bb"}, 3, false, DENIED, "192.0.2.3", 443, true},
	{"SOCKS, bind", RELAY_SOCKS_PROXY, {GREETING, "0500", "05 02 00 01 c0000201 01bb"}, 3, false, "asks for something else than a connection", ""},
	{"SOCKS, udp", RELAY_SOCKS_PROXY, {GREETING, "0500", "05 03 00 01 c0000201 01bb"}, 3, false, "asks for something else than a connection", ""},
	{"SOCKS, another kind", RELAY_SOCKS_PROXY, {GREETING, "0500", "05 01 00 02 c0000201 01bb"}, 3, false, "no request of SOCKS5", ""},
	{"SOCKS, port 0", RELAY_SOCKS_PROXY, {GREETING, "0500", SOCKS_NAME("a.example", "0000")}, 3, false, "no port", ""},
	{"SOCKS, GSSAPI", RELAY_SOCKS_PROXY, {"05 (1 00 01)"}, 0, false, "a way to log in that hides what follows", ""},
	{"SOCKS4", RELAY_SOCKS_PROXY, {"04 01 01bb c0000201 00"}, 0, false, "no SOCKS5", ""},
	{"HTTP to SOCKS", RELAY_SOCKS_PROXY, {CONNECT("a.example", "443")}, 0, false, "no SOCKS5", ""},
};

static void check_proxied(size_t i, size_t portion)
{
	struct outcome o = play(proxied[i].proxy, proxied[i].turns, portion);
	const char *why = proxied[i].why ? proxied[i].why : "", *got = o.why ? o.why : "";

	if (o.passed != proxied[i].passed || o.free != proxied[i].free || strcmp(why, got) || strcmp(o.name, proxied[i].name ? proxied[i].name : "") ||
	    o.asked_port != proxied[i].asked_port || (o.words != NULL) != proxied[i].words)
		fail_msg("%s, by %zu: passed %zu, free %d, \"%s\" \"%s\" %u, words %d", proxied[i].what, portion, o.passed, o.free, got, o.name, o.asked_port, o.words != NULL);
}

static void test_proxied(void **state)
{
	static const size_t portions[] = {16000, 1, 2, 3, 5, 7, 64, 79};

	for (size_t i = 0; i < LEN(proxied); i++)
		for (size_t j = 0; j < LEN(portions); j++)
			check_proxied(i, portions[j]);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_proxied), cmocka_unit_test(test_real)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
