/* Decoys in what clients say to hosts that they may have: found at once in what is said in the clear, and not passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "assemble.h"
#include "launcher/base/fd.h"
#include "outlets.h"

#define DECOY "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"
#define BASE64 "Z2hwX1Ezc1B6WTBwUXVLdzVZd1Z0TnBHcVpvU2tQd0lxMjBjczhMaw=="
#define HELLO "16 0301 (2 01 (3 0303 52*32 (1 ) (2 1301 c02f) (1 00) (2 0000 (2 (2 00 (2 'a.example' ) ) ) ) ) ) "
#define SERVER_HELLO "16 0303 (2 02 (3 0303 77*32 (1 ) 1301 00) ) "
#define HEAD "POST / HTTP/1.1\r\nHost: a.example\r\n"

static struct relay *relay;
static struct reports *reports;
static struct needles *needles;
static unsigned next_id;

static int begin(void **state)
{
	reports = calloc(1, sizeof *reports);
	needles = needles_new(NEEDLE_DATA);
	next_id = 0;
	outlet_needles = needles;
	return needles_add(needles, DECOY, NULL, 7) ? relay_start(&relay, &outlet_calls) : -1;
}

static int finish(void **state)
{
	relay_stop(relay);
	needles_free(needles);
	free(reports);
	return 0;
}

static struct outlet add(bool opaque)
{
	struct outlet o;

	assert_int_equal(outlet_add(relay, &o, next_id++, opaque, reports), 0);
	return o;
}

static void say(struct outlet *o, const char *text)
{
	outlet_say(o->client, text, strlen(text));
}

static void arrives(struct outlet *o, const char *text)
{
	outlet_hears(o->server, text, strlen(text));
}

/* The server got `sent` bytes, none of what the decoy was in; both ends are reset. */
static void is_stopped(struct outlet *o, const char *encoding, uint64_t sent)
{
	struct report r = outlet_report(reports, o->id);

	assert_int_equal(r.ended, 1);
	assert_int_equal(r.decoys, 1);
	assert_string_equal(r.encoding, encoding);
	assert_true(r.stopped);
	assert_int_equal(r.sent, sent);
	outlet_hears_reset(o->client);
	outlet_close(o);
}

static void is_fine(struct outlet *o, size_t decoys, const char *encoding)
{
	outlet_close(o);
	struct report r = outlet_report(reports, o->id);

	assert_int_equal(r.ended, 1);
	assert_int_equal(r.decoys, decoys);
	assert_string_equal(r.encoding, encoding);
	assert_false(r.stopped);
}

static void test_heads(void **state)
{
	static const char *const heads[] = {"GET /" DECOY " HTTP/1.1\r\nHost: a.example\r\n\r\n", HEAD "Content-Length: 0\r\nX-Token: " DECOY "\r\n\r\n"};

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		struct outlet o = add(false);
		say(&o, heads[i]);
		is_stopped(&o, "plain", 0);
		o = add(false); /* byte by byte */
		for (const char *at = heads[i]; *at; at++)
			outlet_say(o.client, at, 1);
		is_stopped(&o, "plain", 0);
	}
	struct outlet o = add(false); /* what nobody looks for goes through */
	say(&o, HEAD "Content-Length: 0\r\nX-Token: ghp_QuiteAnotherTokenThanTheOneThatIsTold\r\n\r\n");
	arrives(&o, HEAD);
	is_fine(&o, 0, "");
}

static void test_bodies(void **state)
{
	static const char length[] = HEAD "Content-Length: 400\r\n\r\n", chunked[] = HEAD "Transfer-Encoding: chunked\r\n\r\n";
	struct outlet o = add(false);
	char rest[64];

	say(&o, length); /* the head first, the body in pieces */
	arrives(&o, length);
	say(&o, "token=" BASE64);
	is_stopped(&o, "base64", strlen(length));

	o = add(false); /* all at once */
	say(&o, HEAD "Content-Length: 62\r\n\r\ntoken=" BASE64);
	is_stopped(&o, "base64", strlen(HEAD "Content-Length: 62\r\n\r\n"));

	o = add(false); /* a byte a chunk, and the sizes between them are no part of it */
	say(&o, chunked);
	for (const char *at = DECOY; at[1]; at++) {
		snprintf(rest, sizeof rest, "1;x=%c\r\n%c\r\n", *at, *at);
		say(&o, rest);
	}
	struct report r = outlet_report(reports, o.id);
	assert_true(r.decoys == 1 && r.stopped && r.sent < strlen(chunked) + 10 * strlen(DECOY));
	outlet_close(&o);

	o = add(false); /* in a chunk's extension; in a trailer */
	say(&o, chunked);
	arrives(&o, chunked);
	say(&o, "1;x=" DECOY "\r\n");
	is_stopped(&o, "plain", strlen(chunked));
	o = add(false);
	say(&o, chunked);
	arrives(&o, chunked);
	say(&o, "0\r\nX-Token: " DECOY "\r\n\r\n");
	is_stopped(&o, "plain", strlen(chunked));
}

static void test_second_request(void **state)
{
	static const char first[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
	struct outlet o = add(false);

	say(&o, first);
	arrives(&o, first);
	say(&o, "GET /?q=" BASE64 " HTTP/1.1\r\nHost: a.example\r\n\r\n");
	is_stopped(&o, "base64", strlen(first));
}

static void test_opaque(void **state)
{
	struct outlet o = add(true);

	say(&o, "hello ");
	arrives(&o, "hello ");
	say(&o, "ghp_Q3sPzY0");
	arrives(&o, "ghp_Q3sPzY0"); /* not enough to be one */
	say(&o, "pQuKw5YwVtNpGqZoSkPwIq20cs8Lk");
	is_stopped(&o, "plain", 17);
	o = add(true); /* what the server says is its own */
	outlet_say(o.server, DECOY, strlen(DECOY));
	outlet_hears(o.client, DECOY, strlen(DECOY));
	is_fine(&o, 0, "");
}

/* Packed, in pieces: found when the client has said all. */
static void test_packed(void **state)
{
	unsigned char packed[200];
	uLongf len = sizeof packed;
	struct outlet o = add(true);

	assert_int_equal(compress(packed, &len, (const unsigned char *)"token=" DECOY, 6 + strlen(DECOY)), Z_OK);
	outlet_say(o.client, packed, 20);
	outlet_hears(o.server, packed, 20);
	outlet_say(o.client, packed + 20, len - 20);
	outlet_hears(o.server, packed + 20, len - 20);
	shutdown(o.client, SHUT_WR);
	is_fine(&o, 1, "zlib");
}

/* Nobody looks into TLS; the hello is no place for data either, but is not ours to read. */
static void test_tls(void **state)
{
	uint8_t hello[512], answer[512], record[512];
	size_t hello_len = assemble(HELLO, hello, sizeof hello), answer_len = assemble(SERVER_HELLO, answer, sizeof answer),
	       record_len = assemble("17 0303 (2 '" DECOY "') ", record, sizeof record);
	struct outlet o = add(false);

	outlet_say(o.client, hello, hello_len);
	outlet_hears(o.server, hello, hello_len);
	outlet_say(o.client, record, record_len);
	outlet_hears(o.server, record, record_len);
	outlet_say(o.server, answer, answer_len);
	outlet_hears(o.client, answer, answer_len);
	outlet_say(o.client, record, record_len);
	outlet_hears(o.server, record, record_len);
	is_fine(&o, 0, "");
}

static void *say_much(void *argument)
{
	static char piece[100000];
	const struct outlet *o = argument;

	memset(piece, '.', sizeof piece);
	for (int i = 0; i < 20; i++)
		outlet_say(o->client, piece, sizeof piece);
	outlet_say(o->client, DECOY, strlen(DECOY));
	return NULL;
}

/* Of a connection the first MiB, and then it goes on as ever. */
static void test_bound(void **state)
{
	static char dots[100000];
	struct outlet o = add(true);
	pthread_t thread;

	memset(dots, '.', sizeof dots);
	pthread_create(&thread, NULL, say_much, &o);
	for (int i = 0; i < 20; i++)
		outlet_hears(o.server, dots, sizeof dots);
	arrives(&o, DECOY);
	pthread_join(thread, NULL);
	is_fine(&o, 0, "");
}

/* A connection that is cut while something is kept. */
static void test_drop(void **state)
{
	struct outlet o = add(true);

	say(&o, "hello");
	arrives(&o, "hello");
	relay_drop(relay, reports);
	struct report r = outlet_report(reports, o.id);
	assert_true(r.ended == 1 && r.decoys == 0);
	outlet_close(&o);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(test_heads), TEST(test_bodies), TEST(test_second_request), TEST(test_opaque), TEST(test_packed), TEST(test_tls), TEST(test_bound), TEST(test_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
