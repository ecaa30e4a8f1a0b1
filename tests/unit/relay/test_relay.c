#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assemble.h"
#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "outlets.h"

/* Pieces of rows: see assemble.h. */
#define HELLO(extensions) "16 0301 (2 01 (3 0303 52*32 (1 ) (2 1301 c02f) (1 00) (2 " extensions ") ) ) "
#define SNI(name) "0000 (2 (2 00 (2 " name ") ) ) "
#define GOOD HELLO(SNI("'a.example'"))
#define OTHER HELLO(SNI("'b.example'"))
#define SERVER(random) "16 0303 (2 02 (3 0303 " random " (1 ) 1301 00) ) "
#define SERVER_HELLO SERVER("77*32")
#define SERVER_RETRY SERVER("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
#define REQUEST(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"

static struct relay *relay;
static struct reports *reports;
static unsigned next_id;

static int begin(void **state)
{
	reports = calloc(1, sizeof *reports);
	next_id = 0;
	return relay_start(&relay, &outlet_calls);
}

static int finish(void **state)
{
	relay_stop(relay);
	free(reports);
	return 0;
}

static struct outlet add(bool opaque)
{
	struct outlet o;

	assert_int_equal(outlet_add(relay, &o, next_id++, opaque, reports), 0);
	return o;
}

static struct bytes {
	uint8_t at[4096];
	size_t len;
} bytes_of(const char *text)
{
	struct bytes b;

	b.len = assemble(text, b.at, sizeof b.at);
	return b;
}

static void say(int fd, const char *text)
{
	struct bytes b = bytes_of(text);

	outlet_say(fd, b.at, b.len);
}

static void hears(int fd, const char *text)
{
	struct bytes b = bytes_of(text);

	outlet_hears(fd, b.at, b.len);
}

static void is_refused(struct outlet *o, const char *why, const char *name, uint64_t sent)
{
	struct report r = outlet_report(reports, o->id);

	assert_int_equal(r.refused, 1);
	assert_string_equal(r.why, why);
	assert_string_equal(r.name, name);
	assert_int_equal(r.sent, sent);
	outlet_hears_reset(o->client);
	outlet_hears_end(o->server); /* and nothing before it */
	outlet_close(o);
}

static void ends_well(struct outlet *o, uint64_t sent, uint64_t received)
{
	outlet_close(o);
	struct report r = outlet_report(reports, o->id);

	assert_int_equal(r.ended, 1);
	assert_int_equal(r.sent, sent);
	assert_int_equal(r.received, received);
}

/* --- names ------------------------------------------------------------------------------------- */

static void test_right(void **state)
{
	struct outlet o = add(false);

	say(o.client, GOOD);
	hears(o.server, GOOD);
	say(o.server, SERVER_HELLO);
	hears(o.client, SERVER_HELLO);
	outlet_say(o.client, "anything", 8);
	outlet_hears(o.server, "anything", 8);
	outlet_say(o.server, "at all", 6);
	outlet_hears(o.client, "at all", 6);
	ends_well(&o, 72 + 8, 47 + 6);
}

static void refuses(const char *client, const char *why, const char *name)
{
	struct outlet o = add(false);

	say(o.client, client);
	is_refused(&o, why, name, 0);
}

static void test_refused(void **state)
{
	refuses(OTHER, "another server's name", "b.example");
	refuses(HELLO(""), "names no server", "");
	refuses(HELLO(SNI("'a.example'") "fe0d (2 00)"), "an encrypted hello may hide another name", "a.example");
	refuses("'ssh-'", "neither TLS nor HTTP", "");
	refuses("'GET / HTTP/1.1' 0d0a 'Host: b.example' 0d0a 0d0a", "another server's name", "b.example");
}

static void test_byte_by_byte(void **state)
{
	struct outlet good = add(false), bad = add(false);
	struct bytes right = bytes_of(GOOD), wrong = bytes_of(OTHER);

	assert_int_equal(right.len, wrong.len);
	for (size_t i = 0; i < right.len; i++) {
		outlet_say(good.client, right.at + i, 1);
		outlet_say(bad.client, wrong.at + i, 1);
		usleep(500);
		if (i == right.len / 2)
			outlet_hears_nothing(good.server);
	}
	hears(good.server, GOOD);
	is_refused(&bad, "another server's name", "b.example", 0);
	ends_well(&good, right.len, 0);
}

static void test_second_hello(void **state)
{
	struct outlet o = add(false), p = add(false);

	say(o.client, GOOD);
	hears(o.server, GOOD);
	say(o.server, SERVER_RETRY);
	hears(o.client, SERVER_RETRY);
	say(o.client, "14 0303 (2 01) " OTHER);
	hears(o.server, "14 0303 (2 01) ");
	is_refused(&o, "another server's name", "b.example", 72 + 6);

	say(p.client, GOOD);
	hears(p.server, GOOD);
	say(p.server, SERVER_RETRY);
	hears(p.client, SERVER_RETRY);
	say(p.client, GOOD);
	hears(p.server, GOOD);
	say(p.server, SERVER_HELLO);
	hears(p.client, SERVER_HELLO);
	say(p.client, OTHER); /* nobody reads it as one now */
	hears(p.server, OTHER);
	ends_well(&p, 3 * 72, 2 * 47);
}

static void test_requests(void **state)
{
	struct outlet o = add(false);
	static const char first[] = REQUEST("a.example"), second[] = REQUEST("A.EXAMPLE:443"), third[] = REQUEST("b.example");

	outlet_say(o.client, first, strlen(first));
	outlet_hears(o.server, first, strlen(first));
	outlet_say(o.server, "answer", 6);
	outlet_hears(o.client, "answer", 6);
	outlet_say(o.client, second, strlen(second));
	outlet_hears(o.server, second, strlen(second));
	outlet_say(o.client, third, strlen(third));
	is_refused(&o, "another server's name", "b.example", strlen(first) + strlen(second));

	o = add(false); /* the first and a wrong one in one piece */
	outlet_say(o.client, REQUEST("a.example") REQUEST("b.example"), strlen(first) + strlen(third));
	outlet_hears(o.server, first, strlen(first));
	is_refused(&o, "another server's name", "b.example", strlen(first));
}

static void test_body(void **state)
{
	struct outlet o = add(false);
	static const char head[] = "PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n", next[] = REQUEST("a.example");
	uint8_t piece[10000];

	outlet_say(o.client, head, strlen(head));
	outlet_hears(o.server, head, strlen(head));
	for (int i = 0; i < 100; i++) {
		memset(piece, i, sizeof piece);
		outlet_say(o.client, piece, sizeof piece);
		outlet_hears(o.server, piece, sizeof piece);
	}
	outlet_say(o.client, next, strlen(next));
	outlet_hears(o.server, next, strlen(next));
	outlet_say(o.client, "GET / HTTP/1.1\r\nHo", 18); /* a part of a request, which nobody gets */
	shutdown(o.client, SHUT_WR);
	outlet_hears_end(o.server);
	outlet_say(o.server, "answer", 6);
	outlet_hears(o.client, "answer", 6);
	ends_well(&o, strlen(head) + 1000000 + strlen(next), 6);
}

static void test_server_first(void **state)
{
	struct outlet opaque = add(true), checked = add(false);

	outlet_say(opaque.server, "220 hello", 9);
	outlet_hears(opaque.client, "220 hello", 9);
	outlet_say(opaque.client, "EHLO b.example", 14);
	outlet_hears(opaque.server, "EHLO b.example", 14);
	ends_well(&opaque, 14, 9);

	outlet_say(checked.server, "220 hello", 9);
	outlet_hears_nothing(checked.client);
	say(checked.client, GOOD);
	outlet_hears(checked.client, "220 hello", 9);
	hears(checked.server, GOOD);
	ends_well(&checked, 72, 9);
}

/* --- ends -------------------------------------------------------------------------------------- */

static void test_half_close(void **state)
{
	for (int way = 0; way < 2; way++) {
		struct outlet o = add(true);
		int first = way ? o.server : o.client, other = way ? o.client : o.server;

		outlet_say(first, "last words", 10);
		shutdown(first, SHUT_WR);
		outlet_hears(other, "last words", 10);
		outlet_hears_end(other);
		outlet_say(other, "goes on", 7);
		outlet_hears(first, "goes on", 7);
		outlet_hears_nothing(first);
		shutdown(other, SHUT_WR);
		outlet_hears_end(first);
		ends_well(&o, way ? 7 : 10, way ? 10 : 7);
	}
}

static void reset(int *fd)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close_fd(fd);
}

static void test_reset(void **state)
{
	for (int way = 0; way < 2; way++) {
		struct outlet o = add(true);
		int *first = way ? &o.server : &o.client, other = way ? o.client : o.server;

		outlet_say(*first, "x", 1);
		outlet_hears(other, "x", 1);
		outlet_say(*first, "before it", 9);
		outlet_hears(other, "before it", 9);
		reset(first);
		outlet_hears_reset(other);
		ends_well(&o, way ? 0 : 10, way ? 10 : 0);
	}
}

static void test_early_ends(void **state)
{
	struct outlet o = add(false);

	say(o.client, "16 03");
	shutdown(o.client, SHUT_WR); /* in the midst of a hello: no refusal */
	outlet_hears_end(o.client);
	outlet_hears_end(o.server);
	ends_well(&o, 0, 0);

	o = add(false);
	reset(&o.server); /* which the client is told once it has said whom it wants */
	outlet_hears_nothing(o.client);
	say(o.client, GOOD);
	outlet_hears_reset(o.client);
	ends_well(&o, 0, 0);
}

static void test_silence(void **state)
{
	struct relay_calls calls = outlet_calls;
	struct outlet silent, speaking, opaque;
	struct relay *impatient;
	int64_t begun = clock_milliseconds();

	calls.silence_ms = 400;
	assert_int_equal(relay_start(&impatient, &calls), 0);
	assert_int_equal(outlet_add(impatient, &speaking, 1, false, reports), 0);
	assert_int_equal(outlet_add(impatient, &silent, 2, false, reports), 0);
	assert_int_equal(outlet_add(impatient, &opaque, 3, true, reports), 0);
	say(speaking.client, GOOD);
	assert_int_equal(outlet_report(reports, 2).ended, 1);
	assert_in_range(clock_milliseconds() - begun, 400, PATIENCE_MS);
	outlet_hears_end(silent.client);
	usleep(300 * 1000);
	hears(speaking.server, GOOD);
	outlet_hears_nothing(speaking.client);
	outlet_hears_nothing(opaque.client);
	outlet_close(&silent);
	outlet_close(&speaking);
	outlet_close(&opaque);
	relay_stop(impatient);
}

/* --- much -------------------------------------------------------------------------------------- */

#define MUCH (64u << 20)

struct stream {
	int fd;
	uint64_t seed, digest, count;
	unsigned pause_us; /* of a reader, every megabyte */
};

static uint64_t scramble(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

static uint64_t digest(uint64_t sum, const uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ words[i]) * 0x100000001b3;
	return sum;
}

static void *write_much(void *argument)
{
	struct stream *s = argument;
	uint64_t words[8192], x = s->seed;

	while (s->count < MUCH) {
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			words[i] = x = scramble(x);
		s->digest = digest(s->digest, words, sizeof words / sizeof *words);
		if (fd_write_all(s->fd, words, sizeof words) < 0)
			return NULL;
		s->count += sizeof words;
	}
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

static void *read_much(void *argument)
{
	struct stream *s = argument;
	uint64_t words[8192];

	while (fd_read_all(s->fd, words, sizeof words) == 0) {
		s->digest = digest(s->digest, words, sizeof words / sizeof *words);
		s->count += sizeof words;
		if (s->pause_us && s->count % (1 << 20) == 0)
			usleep(s->pause_us);
	}
	return NULL;
}

static void exchange(struct outlet *o, unsigned client_pause, unsigned server_pause)
{
	struct stream out = {o->client, 1}, in = {o->server, .pause_us = server_pause}, out2 = {o->server, 99}, in2 = {o->client, .pause_us = client_pause};
	pthread_t threads[4];

	pthread_create(&threads[0], NULL, write_much, &out);
	pthread_create(&threads[1], NULL, read_much, &in);
	pthread_create(&threads[2], NULL, write_much, &out2);
	pthread_create(&threads[3], NULL, read_much, &in2);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(in.count, MUCH);
	assert_int_equal(in2.count, MUCH);
	assert_true(in.digest == out.digest && in2.digest == out2.digest);
}

static void test_much(void **state)
{
	struct outlet o = add(true);

	exchange(&o, 0, 0);
	ends_well(&o, MUCH, MUCH);
}

/* Buffers are full all the time, so that of nearly everything a rest is kept. */
static void test_slow_reader(void **state)
{
	struct outlet o = add(true);
	int small = 256 * 1024;

	setsockopt(o.server, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	exchange(&o, 8000, 4000);
	ends_well(&o, MUCH, MUCH);
}

/* All connections go through one pipe: of what one did not take another gets nothing. */
static void test_two_slow_readers(void **state)
{
	struct outlet o[2] = {add(true), add(true)};
	struct stream out[4], in[4];
	pthread_t threads[8];
	int small = 256 * 1024;

	for (unsigned i = 0; i < 4; i++) {
		struct outlet *its = &o[i / 2];
		out[i] = (struct stream){i % 2 ? its->client : its->server, .seed = 7 + i};
		in[i] = (struct stream){i % 2 ? its->server : its->client, .pause_us = 3000 + 1000 * i};
		setsockopt(in[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_create(&threads[2 * i], NULL, write_much, &out[i]);
		pthread_create(&threads[2 * i + 1], NULL, read_much, &in[i]);
	}
	for (unsigned i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < 4; i++)
		assert_true(in[i].count == MUCH && in[i].digest == out[i].digest);
	ends_well(&o[0], MUCH, MUCH);
	ends_well(&o[1], MUCH, MUCH);
}

/* One way, in megabytes a second; rate: of the sender in bytes a second, 0: none. */
static double speed(int from, int to, unsigned rate)
{
	struct stream out = {from, 1}, in = {to};
	int64_t begun = clock_milliseconds();
	pthread_t writer;

	if (rate)
		setsockopt(from, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate);
	pthread_create(&writer, NULL, write_much, &out);
	read_much(&in);
	pthread_join(writer, NULL);
	assert_int_equal(in.count, MUCH);
	return (double)MUCH / 1000 / (double)(clock_milliseconds() - begun + 1);
}

/* Printed, not judged: it is the machine's.  Three threads share two processors without a rate; a network's rate is what counts. */
static void test_speed(void **state)
{
	static const unsigned rates[] = {125000000, 0};

	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		double direct = 0, relayed = 0;

		for (int round = 0; round < 3; round++) {
			struct outlet o = add(true);
			int pair[2];

			outlet_sockets(pair);
			direct += speed(pair[0], pair[1], rates[i]) / 3;
			relayed += speed(o.server, o.client, rates[i]) / 3;
			close(pair[0]);
			close(pair[1]);
			outlet_close(&o);
		}
		print_message("%s: direct %.0f MB/s, relayed %.0f MB/s, ratio %.2f\n", rates[i] ? "1 Gbit/s" : "no rate", direct, relayed, relayed / direct);
	}
}

static void test_many(void **state)
{
	enum { MANY = 300 };
	struct outlet *o = calloc(MANY, sizeof *o);
	struct reports *second = calloc(1, sizeof *second);

	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(outlet_add(relay, &o[i], i, false, i % 2 ? reports : second), 0);
	for (unsigned i = 0; i < MANY; i++)
		say(o[i].client, GOOD);
	for (unsigned i = 0; i < MANY; i++) {
		hears(o[i].server, GOOD);
		outlet_say(o[i].server, &i, sizeof i);
	}
	for (unsigned i = 0; i < MANY; i++) {
		outlet_hears(o[i].client, &i, sizeof i);
		outlet_close(&o[i]);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(outlet_report(i % 2 ? reports : second, i).ended, 1);
	free(o);
	relay_drop(relay, second);
	free(second);
}

static void test_bounds(void **state)
{
	struct outlet *o = calloc(RELAY_MAX_EACH + 1, sizeof *o), one;
	struct reports *second = calloc(1, sizeof *second);

	for (unsigned i = 0; i < RELAY_MAX_EACH; i++)
		assert_int_equal(outlet_add(relay, &o[i], i, false, reports), 0);
	assert_int_equal(outlet_add(relay, &one, 1000, false, reports), -EAGAIN);
	assert_int_equal(outlet_add(relay, &one, 0, false, second), 0); /* another's are another's */
	relay_drop(relay, reports);
	for (unsigned i = 0; i < RELAY_MAX_EACH; i++) {
		assert_int_equal(reports->of[i].ended, 1); /* already */
		outlet_close(&o[i]);
	}
	assert_int_equal(second->of[0].ended, 0);
	assert_int_equal(outlet_add(relay, &o[0], 1001, false, reports), 0); /* room again */
	outlet_close(&o[0]);
	outlet_close(&one);
	relay_drop(relay, second);
	assert_int_equal(second->of[0].ended, 1);
	free(second);
	free(o);
}

/* What the policy lists as an address is carried to it, unseen: a name is not needed there. */
static void test_address(void **state)
{
	struct relay_connection c = {.host = "2001:db8::1", .port = 443, .opaque = true, .whose = reports};
	int inside[2], outside[2];

	outlet_sockets(inside);
	outlet_sockets(outside);
	c.client = inside[1];
	c.outside = outside[0];
	assert_int_equal(relay_add(relay, &c), 0);
	outlet_say(inside[0], "anything", 8);
	outlet_hears(outside[1], "anything", 8);
	close(inside[0]);
	close(outside[1]);
	relay_drop(relay, reports);
	outlet_sockets(inside);
	outlet_sockets(outside);
	c.client = inside[1];
	c.outside = outside[0];
	c.opaque = false;
	assert_int_equal(relay_add(relay, &c), -EINVAL); /* whose name would be looked for? */
	for (int i = 0; i < 2; i++) {
		close(inside[i]);
		close(outside[i]);
	}
}

static void test_few_descriptors(void **state)
{
	struct rlimit before, few;
	struct outlet o[21];
	struct relay *poor;

	getrlimit(RLIMIT_NOFILE, &before);
	few = (struct rlimit){80, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &few);
	assert_int_equal(relay_start(&poor, &outlet_calls), 0);
	setrlimit(RLIMIT_NOFILE, &before);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(outlet_add(poor, &o[i], i, false, reports), 0);
	assert_int_equal(outlet_add(poor, &o[20], 20, false, reports), -EAGAIN);
	relay_stop(poor);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(reports->of[i].ended, 1);
		outlet_close(&o[i]);
	}
}

static void test_drop_amid(void **state)
{
	struct outlet o = add(true), other = add(true);
	struct stream out = {o.client, 1}, in = {o.server, .pause_us = 1000};
	pthread_t writer, reader;
	struct report r;

	signal(SIGPIPE, SIG_IGN); /* the writer's */
	pthread_create(&writer, NULL, write_much, &out);
	pthread_create(&reader, NULL, read_much, &in);
	usleep(20 * 1000);
	relay_drop(relay, reports);
	r = reports->of[o.id]; /* no lock: no callback runs any more */
	assert_int_equal(r.ended, 1);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
	assert_true(in.count <= r.sent);
	assert_int_equal(reports->of[other.id].ended, 1);
	outlet_close(&o);
	outlet_close(&other);
}

/* Adding and dropping from several threads, for the sanitizers. */
static void *add_and_drop(void *argument)
{
	struct reports *whose = calloc(1, sizeof *whose);
	struct outlet o[8];

	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 8; i++)
			if (outlet_add(relay, &o[i], round * 8 + i, i % 2, whose) < 0)
				return argument;
		for (unsigned i = 0; i < 8; i++)
			say(o[i].client, i % 3 ? GOOD : OTHER);
		relay_drop(relay, whose);
		for (unsigned i = 0; i < 8; i++) {
			const struct report *r = &whose->of[round * 8 + i];
			if (r->ended + r->refused != 1)
				return argument;
			outlet_close(&o[i]);
		}
	}
	free(whose);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[4];
	void *failed;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, add_and_drop, &threads);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(test_right), TEST(test_refused), TEST(test_byte_by_byte), TEST(test_second_hello), TEST(test_requests), TEST(test_body),
		TEST(test_server_first), TEST(test_half_close), TEST(test_reset), TEST(test_early_ends), TEST(test_silence), TEST(test_much),
		TEST(test_slow_reader), TEST(test_two_slow_readers), TEST(test_many), TEST(test_bounds), TEST(test_address), TEST(test_few_descriptors), TEST(test_drop_amid), TEST(test_threads),
		TEST(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
