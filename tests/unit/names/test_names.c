#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "launcher/names/hosts_file.h"
#include "launcher/names/names.h"

/* --- classification ---------------------------------------------------------------------------- */

static void is(const char *host, enum name_class class, const char *canonical)
{
	char got[PW_HOST_MAX];
	enum name_class was = names_classify(host, got);

	if (was != class)
		fail_msg("%s: class %d instead of %d", host, was, class);
	if (canonical)
		assert_string_equal(got, canonical);
}

static void test_literals(void **state)
{
	(void)state;
	is("127.0.0.1", NAME_LITERAL, "127.0.0.1");
	is("2130706433", NAME_LITERAL, "127.0.0.1");
	is("0x7f.1", NAME_LITERAL, "127.0.0.1");
	is("0177.0.0.1", NAME_LITERAL, "127.0.0.1");
	is("0", NAME_LITERAL, "0.0.0.0");
	is("169.254.43518", NAME_LITERAL, "169.254.169.254");
	is("0xA9FEA9FE", NAME_LITERAL, "169.254.169.254");
	is("::1", NAME_LITERAL, "::1");
	is("2001:DB8:0:0::1", NAME_LITERAL, "2001:db8::1");
	is("::ffff:192.0.2.1", NAME_LITERAL, "::ffff:192.0.2.1");
	is("fe80::1%1", NAME_LITERAL, "fe80::1%1");
	is("fe80::1%lo", NAME_LITERAL, "fe80::1%1");
	/* What getaddrinfo does not take for an address goes to a resolver. */
	is("127.0.0.1 x", NAME_REMOTE, NULL);
	is("1.2.3.4.5", NAME_REMOTE, "1.2.3.4.5");
	is("256.1.1.1", NAME_REMOTE, "256.1.1.1");
	is("127.0.0.1.", NAME_REMOTE, "127.0.0.1");
}

static void test_local(void **state)
{
	char own[PW_HOST_MAX];

	(void)state;
	is("localhost", NAME_LOCAL, "localhost");
	is("LocalHost.", NAME_LOCAL, "localhost");
	is("api.localhost", NAME_LOCAL, "api.localhost");
	is("notlocalhost", NAME_REMOTE, NULL);
	is("localhost.example", NAME_REMOTE, NULL);
	assert_int_equal(gethostname(own, sizeof own), 0);
	if (own[0])
		is(own, NAME_LOCAL, NULL);
}

static void test_remote(void **state)
{
	(void)state;
	is("EO1a2B.M.Pipedream.NET", NAME_REMOTE, "eo1a2b.m.pipedream.net");
	is("eo1a2b.m.pipedream.net.", NAME_REMOTE, "eo1a2b.m.pipedream.net");
	is("x.example", NAME_REMOTE, "x.example");
	is("b\xc3\xbc" "cher.example", NAME_REMOTE, "b\xc3\xbc" "cher.example");
}

static void test_bad(void **state)
{
	char text[PW_HOST_MAX + 8], label[PW_HOST_MAX];

	(void)state;
	is("", NAME_BAD, "");
	is(".", NAME_BAD, NULL);
	is("a..", NAME_BAD, NULL);
	is("a\nb.example", NAME_BAD, NULL);
	is("a\x7f", NAME_BAD, NULL);
	memset(text, 'a', sizeof text);
	text[254] = 0;
	is(text, NAME_BAD, NULL);
	text[253] = 0;
	is(text, NAME_REMOTE, NULL);
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = 0;
	assert_int_equal(names_classify(text, label), NAME_BAD); /* longer than the buffer */
	assert_int_equal(strlen(label), PW_HOST_MAX - 1);
	text[253] = '.';
	text[254] = 0;
	is(text, NAME_REMOTE, NULL); /* 253 octets and the trailing dot */
}

/* --- answers ----------------------------------------------------------------------------------- */

static void test_local_answers(void **state)
{
	struct pw_answer answer;
	uint8_t loopback[4] = {127, 0, 0, 1};

	(void)state;
	names_local("localhost", AF_INET, &answer);
	assert_int_equal(answer.error, 0);
	assert_true(answer.count >= 1);
	assert_int_equal(answer.address[0].family, AF_INET);
	assert_memory_equal(answer.address[0].bytes, loopback, 4);
	names_local("x.localhost", AF_UNSPEC, &answer);
	assert_int_equal(answer.error, 0);
	assert_int_equal(answer.address[answer.count - 1].family, AF_INET);
	names_local("2130706433", AF_UNSPEC, &answer);
	assert_int_equal(answer.count, 1);
	assert_memory_equal(answer.address[0].bytes, loopback, 4);
	names_local("fe80::1%1", AF_INET6, &answer);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.address[0].scope, 1);
	names_local("::1", AF_INET, &answer);
	assert_int_equal(answer.error, EAI_ADDRFAMILY);
	assert_int_equal(answer.count, 0);
	names_local("x.example", AF_UNSPEC, &answer); /* never asks anybody */
	assert_int_equal(answer.error, EAI_NONAME);
}

static void test_answer_is_bounded(void **state)
{
	struct pw_answer answer = {0};

	(void)state;
	for (unsigned i = 0; i < PW_ANSWER_MAX; i++)
		assert_true(names_add(&answer, AF_INET, &i, 0));
	for (unsigned i = 0; i < PW_ANSWER_MAX; i++)
		assert_true(names_add(&answer, AF_INET, &i, 0)); /* known already */
	assert_int_equal(answer.count, PW_ANSWER_MAX);
	assert_false(names_add(&answer, AF_INET, "\xff\xff\xff\xff", 0));
	assert_false(names_add(&answer, AF_UNIX, "", 0));
}

/* --- memory ------------------------------------------------------------------------------------ */

struct seen {
	unsigned count;
	const char *stop;
	char last[PW_HOST_MAX];
};

static bool see(const char *host, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	snprintf(seen->last, sizeof seen->last, "%s", host);
	return seen->stop && !strcmp(host, seen->stop);
}

static struct sockaddr_storage v4(const char *text)
{
	struct sockaddr_storage sa = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&sa;

	in->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	return sa;
}

static struct sockaddr_storage v6(const char *text)
{
	struct sockaddr_storage sa = {0};
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)&sa;

	in->sin6_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, text, &in->sin6_addr), 1);
	return sa;
}

static void remember(struct names *n, const char *host, const char *address)
{
	struct sockaddr_storage sa = v4(address);
	struct pw_answer answer = {0};

	names_add(&answer, AF_INET, &((struct sockaddr_in *)(void *)&sa)->sin_addr, 0);
	names_remember(n, host, &answer);
}

static void test_memory(void **state)
{
	struct names *n = names_new();
	struct sockaddr_storage a = v4("192.0.2.1"), mapped = v6("::ffff:192.0.2.1"), other = v6("2001:db8::1"), none = {0};
	struct seen seen = {0};

	(void)state;
	assert_false(names_of_address(n, &a, see, &seen));
	remember(n, "one.example", "192.0.2.1");
	remember(n, "two.example", "192.0.2.1");
	remember(n, "two.example", "192.0.2.1");
	assert_false(names_of_address(n, &a, see, &seen));
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.last, "one.example"); /* the newest first */
	seen = (struct seen){.stop = "two.example"};
	assert_true(names_of_address(n, &mapped, see, &seen));
	assert_int_equal(seen.count, 1);
	assert_false(names_of_address(n, &other, see, &seen));
	assert_false(names_of_address(n, &none, see, &seen));
	names_free(n);
	names_free(NULL);
}

/* What builds ask for is nobody's to connect to by its address. */
static void test_nothing_is_remembered(void **state)
{
	struct pw_answer answer;

	(void)state;
	names_resolve(NULL, "localhost", AF_INET, &answer);
	assert_int_equal(answer.error, 0);
	assert_true(answer.count >= 1);
}

struct lines {
	char text[256];
	unsigned count;
};

static bool keep_line(const char *address, void *arg)
{
	struct lines *l = arg;

	snprintf(l->text + strlen(l->text), sizeof l->text - strlen(l->text), "%s ", address);
	return ++l->count == 3;
}

static void write_hosts(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *lines_of(const char *path, const char *name)
{
	static struct lines l;

	l = (struct lines){.count = 0};
	hosts_file_each_of(path, name, keep_line, &l);
	return l.text;
}

static void test_hosts_file(void **state)
{
	char path[] = "/tmp/pw-hosts-XXXXXX";

	(void)state;
	close(mkstemp(path));
	write_hosts(path, "# 192.0.2.9 no\n192.0.2.1 one.example One\n\n\t192.0.2.2\tTWO.example.\r\n2001:db8::1 one.example#two\n192.0.2.3 one.example");
	assert_string_equal(lines_of(path, "one.example"), "192.0.2.1 2001:db8::1 192.0.2.3 ");
	assert_string_equal(lines_of(path, "two.Example"), "192.0.2.2 ");
	assert_string_equal(lines_of(path, "one"), "192.0.2.1 ");
	assert_string_equal(lines_of(path, "no"), "");
	assert_string_equal(lines_of(path, "192.0.2.1"), "");
	write_hosts(path, "192.0.2.2 one.example One\n"); /* at once, and perhaps within the clock's same tick */
	assert_string_equal(lines_of(path, "one.example"), "192.0.2.2 ");
	write_hosts(path, "192.0.2.4 one.example One\n");
	assert_string_equal(lines_of(path, "one.example"), "192.0.2.4 ");
	unlink(path);
	assert_string_equal(lines_of(path, "one.example"), "");
}

/* A look into a file that has not changed reads nothing: its length does not matter. */
static void test_a_long_hosts_file(void **state)
{
	char path[] = "/tmp/pw-hosts-XXXXXX";
	struct timespec past[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}}, begun, ended;
	FILE *f = fdopen(mkstemp(path), "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 200000; i++)
		fprintf(f, "0.0.0.0 ads%d.example\n", i);
	fclose(f);
	utimensat(AT_FDCWD, path, past, 0);
	sleep(3); /* until nobody can have changed it in the moment in which it is read */
	assert_string_equal(lines_of(path, "ads199999.example"), "0.0.0.0 ");
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (int i = 0; i < 1000; i++)
		lines_of(path, "nobody.example");
	clock_gettime(CLOCK_MONOTONIC, &ended);
	unlink(path);
	double ms = (double)(ended.tv_sec - begun.tv_sec) * 1e3 + (double)(ended.tv_nsec - begun.tv_nsec) / 1e6;
	assert_true(ms < 1000); /* to read it takes 20 ms each time */
}

static void test_memory_is_bounded(void **state)
{
	struct names *n = names_new();
	struct seen seen = {0};
	struct sockaddr_storage a = v4("10.0.0.0"), z = v4("10.0.39.15");
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(text, sizeof text, "10.0.%u.%u", i >> 8, i & 255);
		remember(n, "many.example", text);
	}
	assert_false(names_of_address(n, &a, see, &seen)); /* forgotten */
	assert_int_equal(seen.count, 0);
	names_of_address(n, &z, see, &seen);
	assert_int_equal(seen.count, 1);
	names_free(n);
}

static void *hammer(void *arg)
{
	struct sockaddr_storage a = v4("192.0.2.1");
	struct seen seen = {0};

	for (unsigned i = 0; i < 500; i++) {
		struct pw_answer answer;

		names_resolve(arg, "localhost", AF_INET, &answer); /* a file of this machine answers */
		remember(arg, i % 2 ? "a.example" : "b.example", "192.0.2.1");
		names_of_address(arg, &a, see, &seen);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct names *n = names_new();
	struct sockaddr_storage a = v4("192.0.2.1"), l = v4("127.0.0.1");
	struct seen seen = {0};
	pthread_t t[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, n), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	names_of_address(n, &a, see, &seen);
	assert_int_equal(seen.count, 2);
	seen = (struct seen){.stop = "localhost"};
	assert_true(names_of_address(n, &l, see, &seen));
	names_free(n);
}

/* --- addresses as text ------------------------------------------------------------------------- */

static void test_describe(void **state)
{
	struct sockaddr_storage sa;
	struct sockaddr_text to;

	(void)state;
	sa = v4("203.0.113.7");
	((struct sockaddr_in *)(void *)&sa)->sin_port = htons(443);
	assert_true(sockaddr_describe(&sa, sizeof(struct sockaddr_in), &to));
	assert_string_equal(to.address, "203.0.113.7");
	assert_int_equal(to.port, 443);
	assert_false(to.loopback || to.mapped);
	assert_true(sockaddr_describe(&sa, sizeof sa, &to)); /* longer: the kernel takes it */
	sa = v6("2001:db8::1");
	assert_true(sockaddr_describe(&sa, 24, &to)); /* without the scope */
	assert_true(sockaddr_describe(&sa, sizeof(struct sockaddr_in6), &to));
	assert_string_equal(to.address, "2001:db8::1");
	sa = v6("::ffff:203.0.113.7");
	assert_true(sockaddr_describe(&sa, sizeof(struct sockaddr_in6), &to));
	assert_string_equal(to.address, "203.0.113.7");
	assert_true(to.mapped && !to.loopback);
}

static void test_describe_loopback(void **state)
{
	static const char *const inside4[] = {"127.0.0.1", "127.255.0.9", "0.0.0.0"}, *const outside4[] = {"128.0.0.1", "0.0.0.1", "10.0.0.1", "255.255.255.255"};
	static const char *const inside6[] = {"::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"};
	static const char *const outside6[] = {"::2", "::127.0.0.1", "fe80::1", "::ffff:10.0.0.1", "ff02::1"};
	struct sockaddr_storage sa;
	struct sockaddr_text to;

	(void)state;
	for (size_t i = 0; i < sizeof inside4 / sizeof *inside4; i++) {
		sa = v4(inside4[i]);
		assert_true(sockaddr_describe(&sa, sizeof(struct sockaddr_in), &to) && to.loopback);
	}
	for (size_t i = 0; i < sizeof outside4 / sizeof *outside4; i++) {
		sa = v4(outside4[i]);
		assert_true(sockaddr_describe(&sa, sizeof(struct sockaddr_in), &to) && !to.loopback);
	}
	for (size_t i = 0; i < sizeof inside6 / sizeof *inside6; i++) {
		sa = v6(inside6[i]);
		assert_true(sockaddr_describe(&sa, sizeof(struct sockaddr_in6), &to) && to.loopback);
	}
	for (size_t i = 0; i < sizeof outside6 / sizeof *outside6; i++) {
		sa = v6(outside6[i]);
		assert_true(sockaddr_describe(&sa, sizeof(struct sockaddr_in6), &to) && !to.loopback);
	}
}

static void test_describe_lengths(void **state)
{
	struct sockaddr_storage sa = {.ss_family = AF_INET};
	struct sockaddr_text to;

	(void)state;
	for (socklen_t len = 0; len < 16; len++)
		assert_false(sockaddr_describe(&sa, len, &to));
	assert_true(sockaddr_describe(&sa, 16, &to));
	assert_false(sockaddr_describe(&sa, sizeof sa + 1, &to));
	assert_false(sockaddr_describe(&sa, 4096, &to));
	assert_false(sockaddr_describe(&sa, UINT32_MAX, &to));
	sa.ss_family = AF_INET6;
	for (socklen_t len = 0; len < 24; len++)
		assert_false(sockaddr_describe(&sa, len, &to));
	assert_int_equal(to.family, AF_INET6);
	sa.ss_family = AF_UNSPEC;
	assert_false(sockaddr_describe(&sa, 16, &to));
	assert_int_equal(to.family, AF_UNSPEC);
	assert_false(sockaddr_describe(&sa, 1, &to));
}

static void test_describe_unix(void **state)
{
	struct sockaddr_storage sa = {0};
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&sa;
	struct sockaddr_text to;

	(void)state;
	un->sun_family = AF_UNIX;
	assert_false(sockaddr_describe(&sa, 2, &to)); /* no name at all */
	strcpy(un->sun_path, "/run/x");
	assert_true(sockaddr_describe(&sa, 2 + 4, &to));
	assert_string_equal(to.address, "/run"); /* the length cuts */
	assert_true(sockaddr_describe(&sa, sizeof *un, &to));
	assert_string_equal(to.address, "/run/x");
	assert_false(sockaddr_describe(&sa, sizeof *un + 1, &to));
	memset(un->sun_path, 'p', sizeof un->sun_path);
	assert_true(sockaddr_describe(&sa, sizeof *un, &to));
	assert_int_equal(strlen(to.address), sizeof un->sun_path); /* no NUL at its end */
	memcpy(un->sun_path, "\0a\0b", 4);
	assert_true(sockaddr_describe(&sa, 2 + 4, &to));
	assert_true(to.abstract_name);
	assert_string_equal(to.address, "@a@b");
	assert_true(sockaddr_describe(&sa, 2 + 1, &to));
	assert_string_equal(to.address, "@");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_remote),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_local_answers),
		cmocka_unit_test(test_answer_is_bounded),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_nothing_is_remembered),
		cmocka_unit_test(test_hosts_file),
		cmocka_unit_test(test_a_long_hosts_file),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_describe_loopback),
		cmocka_unit_test(test_describe_lengths),
		cmocka_unit_test(test_describe_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
