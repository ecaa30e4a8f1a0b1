/* Which of what a process said an event is about (launcher/record/intent.c), and the head of a request (request.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/record/intent.h"
#include "launcher/record/request.h"

static struct pw_intents ring;

static int empty(void **state)
{
	memset(&ring, 0, sizeof(ring));
	return 0;
}

static struct pw_intent *say(uint32_t turn, enum pw_intent_kind kind, const char *text, unsigned port, unsigned line)
{
	struct pw_intent *i = &ring.intent[turn % PW_INTENTS];
	*i = (struct pw_intent){.turn = turn, .kind = kind, .port = port, .line = line, .file = "setup.py", .function = "main"};
	strncpy(i->text, text, sizeof(i->text) - 1);
	return i;
}

/* The line, 0: nothing was found. */
static unsigned line_of(const struct event *ev)
{
	struct intent_view view;
	return intent_find(&ring, ev, &view) ? view.line : 0;
}

static void test_newest(void **state)
{
	struct event ev = {.type = "exec", .target = {.path = "/usr/bin/true", .as_written = "/bin/true"}};
	assert_int_equal(line_of(&ev), 0);
	say(1, PW_IN_EXEC, "/bin/true", 0, 10);
	say(2, PW_IN_EXEC, "/bin/false", 0, 20);
	assert_int_equal(line_of(&ev), 10);
	say(3, PW_IN_EXEC, "/bin/true", 0, 30);
	assert_int_equal(line_of(&ev), 30);
	say(UINT32_MAX, PW_IN_EXEC, "/bin/true", 0, 40); /* then the count begins anew */
	assert_int_equal(line_of(&ev), 30);
	ring.intent[3].turn = 0; /* half written */
	assert_int_equal(line_of(&ev), 10);
	say(4, PW_IN_EXEC, "/bin/true", 0, 50)->file[0] = '\0'; /* the newest, whose code is not known: nobody else's stands for it */
	ring.intent[4].line = 0;
	assert_int_equal(line_of(&ev), 0);
}

static void test_words(void **state)
{
	static const struct {
		enum pw_intent_kind kind;
		const char *text;
		unsigned port;
		const char *type;
		struct event_target target;
		bool same;
	} cases[] = {
		{PW_IN_RESOLVE, "Evil.Test.", 0, "net.resolve", {.host = "evil.test"}, true},
		{PW_IN_RESOLVE, "a.b.evil.test", 0, "net.resolve", {.host = "*.evil.test"}, true},
		{PW_IN_RESOLVE, "a.notevil.test", 0, "net.resolve", {.host = "*.evil.test"}, false},
		{PW_IN_RESOLVE, "b\xc3\xbc" "cher.test", 0, "net.resolve", {.host = "xn--bcher-kva.test"}, true},
		{PW_IN_RESOLVE, "other.test", 0, "net.resolve", {.host = "evil.test"}, false},
		{PW_IN_RESOLVE, "", 0, "net.resolve", {.host = ""}, false},
		{PW_IN_RESOLVE, "192.0.2.1", 0, "net.resolve", {.address = "192.0.2.1"}, true},
		{PW_IN_RESOLVE, "evil.test", 0, "exec", {.path = "evil.test"}, false},
		{PW_IN_CONNECT, "192.0.2.1", 443, "net.connect", {.address = "192.0.2.1", .port = 443}, true},
		{PW_IN_CONNECT, "192.0.2.1", 443, "net.connect", {.address = "192.0.2.1", .port = 80}, false},
		{PW_IN_CONNECT, "192.0.2.1", 53, "net.send", {.address = "192.0.2.1", .port = 53}, true},
		{PW_IN_CONNECT, "192.0.2.77", 443, "net.connect", {.address = "192.0.2.0/24"}, true},
		{PW_IN_CONNECT, "/run/agent", 0, "ipc.connect", {.path = "/run/agent", .as_written = "/run/agent"}, true},
		{PW_IN_BIND, "", 8080, "net.bind", {.address = "0.0.0.0", .port = 8080}, true},
		{PW_IN_SOCKET, "", 0, "net.socket", {.name = "AF_ALG"}, true},
		{PW_IN_EXEC, "true", 0, "exec", {.as_written = "/usr/bin/true", .path = "/usr/bin/true"}, true},
		{PW_IN_EXEC, "rue", 0, "exec", {.as_written = "/usr/bin/true", .path = "/usr/bin/true"}, false},
		{PW_IN_EXEC, "", 0, "exec", {.as_written = "/usr/bin/true", .path = "/usr/bin/true"}, false},
		{PW_IN_FILE, "/home/u/./.ssh//id", 0, "file.open", {.as_written = "/home/u/.ssh/id"}, true},
		{PW_IN_FILE, "/home/u/.ssh/id", 0, "file.open", {.as_written = "/home/u/.ssh/id2"}, false},
		{PW_IN_FILE, "/home/u/.ssh/id2", 0, "file.write", {.as_written = "/home/u/.ssh/id"}, false},
		{PW_IN_FILE, "/link", 0, "file.open", {.as_written = "/other", .path = "/link"}, true},
		{PW_IN_FILE, "/p/__pycache__/a.pyc.123", 0, "file.write", {.path = "/p/__pycache__"}, false}, /* one line a folder, whoever imports */
		{PW_IN_FILE, ".env", 0, "file.open", {.as_written = "/home/u/project/.env"}, true},
		{PW_IN_SIGNAL, "", 0, "process.signal", {.name = "kill"}, true},
		{PW_IN_CALL, "ptrace", 0, "syscall.denied", {.name = "ptrace"}, true},
		{PW_IN_CALL, "syscall", 0, "syscall.denied", {.name = "ptrace"}, true},
		{PW_IN_CALL, "getpid", 0, "syscall.denied", {.name = "ptrace"}, false},
		{(enum pw_intent_kind)0, "evil.test", 0, "net.resolve", {.host = "evil.test"}, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event ev = {.type = cases[i].type, .target = cases[i].target};
		empty(NULL);
		say(5, cases[i].kind, cases[i].text, cases[i].port, 7);
		if ((line_of(&ev) == 7) != cases[i].same) {
			fail_msg("%s: %s", cases[i].type, cases[i].text);
		}
	}
	say(5, PW_IN_SOCKET, "", 0, 7);
	assert_int_equal(line_of(&(struct event){.type = NULL}), 0);
	assert_int_equal(line_of(&(struct event){.type = "net.socket"}), 7);
}

static void test_long_text(void **state)
{
	char path[2000];
	struct event ev = {.type = "file.open", .target = {.as_written = path}};
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	say(1, PW_IN_FILE, path, 0, 3); /* cut: as much of it as there is has to be the same */
	assert_int_equal(line_of(&ev), 3);
	path[100] = 'y';
	assert_int_equal(line_of(&ev), 0);
}

static void test_hostile(void **state)
{
	struct event ev = {.type = "net.socket"};
	struct pw_intent *i = say(1, PW_IN_SOCKET, "", 0, 7);
	assert_int_equal(line_of(&ev), 7);
	memset(i->text, 'x', sizeof(i->text)); /* without an end */
	assert_int_equal(line_of(&ev), 0);
	i = say(1, PW_IN_SOCKET, "", 0, 7);
	memset(i->file, 'x', sizeof(i->file));
	assert_int_equal(line_of(&ev), 0);
	say(1, PW_IN_SOCKET, "", 0, 0x80000000u);
	assert_int_equal(line_of(&ev), 0);
	say(1, PW_IN_SOCKET, "", 70000, 7);
	assert_int_equal(line_of(&ev), 0);
	say(1, PW_IN_SOCKET, "", 0, 7)->file[0] = '\0'; /* a line of no file */
	assert_int_equal(line_of(&ev), 0);
	memset(&ring, 0xff, sizeof(ring));
	assert_int_equal(line_of(&ev), 0);
	ring.magic = PW_INTENTS_MAGIC;
	ring.self = 4096;
	assert_true(intent_ring(&ring, 4096));
	assert_false(intent_ring(&ring, 8192));
}

static bool decode(const char *text, bool tls, struct request_view *v)
{
	return request_decode(text, strlen(text), tls, v);
}

static void test_requests(void **state)
{
	struct request_view v;
	assert_true(decode("POST /a?b=c HTTP/1.1\r\nhost: evil.test:8443 \r\nContent-Length: 1234\r\n\r\nGET /", true, &v));
	assert_string_equal(v.method, "POST");
	assert_string_equal(v.url, "https://evil.test:8443/a?b=c");
	assert_int_equal(v.bytes, 1234);
	assert_true(decode("GET / HTTP/1.0\r\n\r\n", false, &v)); /* no Host; no body */
	assert_string_equal(v.url, "http:///");
	assert_int_equal(v.bytes, 0);
	assert_true(decode("GET http://x.test/p HTTP/1.1\r\nHost: x.test\r\n\r\n", true, &v));
	assert_string_equal(v.url, "http://x.test/p");
	assert_true(decode("CONNECT x.test:443 HTTP/1.1\r\n\r\n", false, &v));
	assert_string_equal(v.url, "x.test:443");
	assert_true(decode("PUT /x y HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\nContent-Length", false, &v));
	assert_string_equal(v.url, "http:///x y");
	assert_int_equal(v.bytes, 0);
	static const char *const others[] = {"", "\r\n\r\n", "hello", "GET /", "GET / FTP/1.1\r\n", " / HTTP/1.1\r\n", "G3T / HTTP/1.1\r\n", "GET HTTP/1.1\r\n",
	                                     "AMETHODTHATISMUCHTOOLONGFORONE / HTTP/1.1\r\n"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(decode(others[i], false, &v));
	}
	assert_false(request_decode("GET /\0 HTTP/1.1\r\n", 17, false, &v));
	char big[REQUEST_HEAD_MAX * 2];
	memset(big, 'x', sizeof(big));
	memcpy(big, "GET /", 5);
	memcpy(big + 10000, " HTTP/1.1\r\n", 11);
	assert_true(request_decode(big, sizeof(big), false, &v));
	assert_string_equal(v.url, "http:///…"); /* never a part of what may be a secret */
}

static void test_clean_urls(void **state)
{
	static const char *const urls[][2] = {
		{"https://api.test/v1/users", "https://api.test/v1/users"}, {"http:///", "http:///"}, {"", ""}, {"x.test:443", "x.test:443"},
		{"https://h.test/p?access_token=x", "https://h.test/p?…"}, {"https://h.test/p#frag", "https://h.test/p?…"}, {"https://h.test?k", "https://h.test?…"},
		{"https://h.test/a?u=http://x/y", "https://h.test/a?…"}, {"http://user:pw@h.test:80/p", "http://h.test:80/p"}, {"http://a@b:c@h.test", "http://h.test"},
		{"user:pw@h.test:443", "h.test:443"}, {"http://h.test/@scope/a@b", "http://h.test/@scope/a@b"}, {"http://[::1]:80/p", "http://[::1]:80/p"},
		{"https://t.test/bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALD/sendMessage", "https://t.test/…/sendMessage"},
		{"https://d.test/api/webhooks/112233/abcdefghijklmnopqrstuvw1", "https://d.test/api/webhooks/112233/…"}, /* 24 */
		{"https://d.test/abcdefghijklmnopqrstuv1/", "https://d.test/abcdefghijklmnopqrstuv1/"},                   /* 23 */
		{"https://d.test/abcdefghijklmnopqrstuvwxyz/012345678901234567890123456789", "https://d.test/abcdefghijklmnopqrstuvwxyz/012345678901234567890123456789"},
		{"https://d.test/x.eyJhbGciOiJIUzI1NiIsInR5.y/abc%2Bdefghijklmnop%2Fqrs/a", "https://d.test/…/…/a"}, {"https://h.test/[redacted]/p", "https://h.test/[redacted]/p"},
		{"https://h.test//", "https://h.test//"}, {"no?://u:p@h/", "no?…"},
	};
	char out[REQUEST_URL_MAX], big[2 * REQUEST_URL_MAX];
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		request_clean(urls[i][0], out);
		assert_string_equal(out, urls[i][1]);
	}
	memset(big, '/', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	request_clean(big, out);
	assert_int_equal(strlen(out), REQUEST_URL_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_newest, empty), cmocka_unit_test_setup(test_words, empty), cmocka_unit_test_setup(test_long_text, empty),
		cmocka_unit_test_setup(test_hostile, empty), cmocka_unit_test(test_requests), cmocka_unit_test(test_clean_urls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
