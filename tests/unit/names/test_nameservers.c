#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "launcher/names/nameservers.h"

/* The addresses of a list, each behind a space. */
static void listed(const char *text, size_t len, const char *expected)
{
	char got[512] = "", one[INET6_ADDRSTRLEN];
	struct nameservers n;

	nameservers_parse(text, len, &n);
	for (size_t i = 0; i < n.n; i++) {
		const struct sockaddr_in *in = (const void *)&n.at[i];
		const struct sockaddr_in6 *in6 = (const void *)&n.at[i];
		bool four = n.at[i].ss_family == AF_INET;

		assert_int_equal(ntohs(four ? in->sin_port : in6->sin6_port), 53);
		inet_ntop(n.at[i].ss_family, four ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr, one, sizeof one);
		strcat(strcat(got, " "), one);
		assert_true(nameservers_has(&n, &n.at[i]));
	}
	assert_string_equal(got, expected);
}

static void is(const char *text, const char *expected)
{
	listed(text, strlen(text), expected);
}

static void test_lists(void **state)
{
	(void)state;
	is("nameserver 192.0.2.1\nnameserver 2001:db8::53\n", " 192.0.2.1 2001:db8::53");
	is("nameserver\t192.0.2.1   \r\nsearch a b\noptions edns0\nnameserver 192.0.2.2", " 192.0.2.1 192.0.2.2");
	is("nameserver 192.0.2.1 # the router\nnameserver 192.0.2.2;x\n", " 192.0.2.1 192.0.2.2");
	is("nameserver 192.0.2.1\nnameserver 192.0.2.1\n", " 192.0.2.1");
}

static void searched(const char *text, const char *name, const char *expected)
{
	char got[512] = "";
	struct nameservers n;
	size_t from = 0, len;

	nameservers_parse(text, strlen(text), &n);
	while ((len = nameservers_searched(&n, name, &from)) > 0)
		sprintf(got + strlen(got), " %.*s", (int)len, name);
	assert_string_equal(got, expected);
}

static void test_search(void **state)
{
	(void)state;
	searched("search ns.svc.Cluster.local  cluster.local.\n", "files.test.ns.svc.cluster.local", " files.test files.test.ns.svc");
	searched("search a.test\ndomain b.test", "x.a.test", "");
	searched("search a.test\ndomain b.test", "x.b.test", " x");
	searched("search a.test\r\n", "a.test", "");
	searched("search a.test\n", ".a.test", "");
	searched("search a.test\n", "xa.test", "");
	searched("searched a.test\n search b.test\nsearch\nsearch . \n", "x.a.test", "");
	searched("search 1 2 3 4 5 6 7 8 9\n", "x.9", "");
	searched("", "x.a.test", "");
}

static void test_what_is_none(void **state)
{
	(void)state;
	is("", " 127.0.0.1");
	is("\n\n#nameserver 192.0.2.1\n", " 127.0.0.1");
	is(" nameserver 192.0.2.1\n", " 127.0.0.1"); /* not at the line's beginning: glibc takes none either */
	is("nameservers 192.0.2.1\nnameserver\nnameserver \n", " 127.0.0.1");
	is("nameserver fe80::1%eth0\nnameserver 192.0.2.9\n", " 192.0.2.9");
	is("nameserver 0x7f.1\nnameserver 2130706433\n", " 127.0.0.1");
	is("nameserver 1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc\n", " 127.0.0.1");
	listed("nameserver 192.0.2.1\0.5\n", 24, " 192.0.2.1");
}

static void test_no_more_than_there_is_room_for(void **state)
{
	char text[1024] = "";
	struct nameservers n;

	(void)state;
	for (int i = 1; i < 20; i++)
		sprintf(text + strlen(text), "nameserver 192.0.2.%d\n", i);
	nameservers_parse(text, strlen(text), &n);
	assert_int_equal(n.n, NAMESERVERS_MAX);
}

static void test_another_port_is_another_place(void **state)
{
	struct nameservers n;
	struct sockaddr_in other;

	(void)state;
	nameservers_parse("nameserver 192.0.2.1", 20, &n);
	memcpy(&other, &n.at[0], sizeof other);
	other.sin_port = htons(54);
	assert_false(nameservers_has(&n, (const struct sockaddr_storage *)(const void *)&other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists), cmocka_unit_test(test_search), cmocka_unit_test(test_what_is_none), cmocka_unit_test(test_no_more_than_there_is_room_for),
		cmocka_unit_test(test_another_port_is_another_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
