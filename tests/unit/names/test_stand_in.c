#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "launcher/names/names.h"
#include "launcher/names/ranges.h"
#include "launcher/names/stand_in.h"

static struct pw_address address(const char *text)
{
	struct pw_address a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton((int)a.family, text, a.bytes) != 1)
		fail_msg("%s is no address", text);
	return a;
}

static struct stand_ins *with_networks(const char *four, unsigned four_bits, const char *six, unsigned six_bits)
{
	struct policy_network of4 = {.bits = four_bits}, of6 = {.bits = six_bits};
	struct pw_address a = address(four), b = address(six);

	memcpy(of4.bytes, a.bytes, 4);
	memcpy(of6.bytes, b.bytes, 16);
	return stand_ins_new(of4, of6);
}

static struct sockaddr_storage socket_address(const struct pw_address *a)
{
	struct sockaddr_storage sa;

	sockaddr_of(a, 443, &sa);
	return sa;
}

static struct pw_answer answer(const char *one, const char *two)
{
	struct pw_answer a = {.count = two ? 2 : 1};

	a.address[0] = address(one);
	if (two)
		a.address[1] = address(two);
	return a;
}

static void test_one_for_each_real_one(void **state)
{
	struct stand_ins *s = with_networks("198.18.0.0", 15, "fd70:7770::", 64);
	struct pw_answer real = answer("192.0.2.7", "2001:db8::7"), out, again;
	struct pw_address found;
	char host[PW_HOST_MAX];

	(void)state;
	stand_ins_give(s, 1, "a.example", &real, &out);
	assert_int_equal(out.error, 0);
	assert_int_equal(out.count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		struct sockaddr_storage sa = socket_address(&out.address[i]);

		assert_int_equal(out.address[i].family, real.address[i].family);
		assert_true(stand_ins_hold(s, &sa) && stand_ins_find(s, &sa, host, &found));
		assert_string_equal(host, "a.example");
		assert_memory_equal(&found, &real.address[i], sizeof found);
		sa = socket_address(&real.address[i]);
		assert_false(stand_ins_hold(s, &sa));
	}
	stand_ins_give(s, 1, "a.example", &real, &again);
	assert_memory_equal(&again, &out, sizeof out); /* the same for the whole run */
	stand_ins_give(s, 1, "b.example", &real, &again); /* one address, two names: told apart */
	assert_memory_not_equal(&again.address[0], &out.address[0], sizeof out.address[0]);
	stand_ins_free(s);
}

/* Of a host that a proxy finds. */
static void test_nowhere(void **state)
{
	struct stand_ins *s = with_networks("198.18.0.0", 15, "fd70:7770::", 64);
	struct pw_answer nowhere, out;
	struct pw_address found, real = address("0.0.0.1");
	char host[PW_HOST_MAX];

	(void)state;
	for (int i = 0; i < 2; i++) {
		stand_ins_nowhere(i ? AF_INET6 : AF_UNSPEC, &nowhere);
		assert_true(stand_ins_give(s, 1, "a.example", &nowhere, &out));
		assert_int_equal(out.count, 1);
		assert_int_equal(out.address[0].family, i ? AF_INET6 : AF_INET);
		struct sockaddr_storage sa = socket_address(&out.address[0]);
		assert_true(stand_ins_find(s, &sa, host, &found) && stand_in_is_nowhere(&found));
		assert_string_equal(host, "a.example");
	}
	assert_false(stand_in_is_nowhere(&real));
	stand_ins_free(s);
}

static void test_nobody(void **state)
{
	struct stand_ins *s = with_networks("198.18.0.0", 15, "fd70:7770::", 64);
	struct pw_answer real = answer("192.0.2.7", NULL), out;
	struct pw_address found, others[] = {address("198.18.0.2"), address("198.19.255.255"), address("198.18.0.0"), address("198.20.0.1"), address("fd70:7770::1"),
	                                     address("fd70:7770:0:1::1")};
	char host[PW_HOST_MAX];

	(void)state;
	stand_ins_give(s, 1, "a.example", &real, &out);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct sockaddr_storage sa = socket_address(&others[i]);
		assert_false(stand_ins_find(s, &sa, host, &found)); /* the first IPv6 one would stand for an IPv6 address */
	}
	struct pw_answer error = {.error = EAI_AGAIN}, none = {0};
	stand_ins_give(s, 1, "a.example", &error, &out);
	assert_int_equal(out.error, EAI_AGAIN);
	stand_ins_give(s, 1, "a.example", &none, &out);
	assert_int_equal(out.error, EAI_NONAME);
	stand_ins_free(s);
}

static void test_mapped(void **state)
{
	struct stand_ins *s = with_networks("198.18.0.0", 15, "fd70:7770::", 64);
	struct pw_answer real = answer("192.0.2.7", NULL), out;
	struct pw_address found, mapped = address("::ffff:198.18.0.1");
	struct sockaddr_storage sa = socket_address(&mapped);
	char host[PW_HOST_MAX];

	(void)state;
	stand_ins_give(s, 1, "a.example", &real, &out);
	assert_true(stand_ins_find(s, &sa, host, &found));
	stand_ins_free(s);
}

/* How many of the next names get one. */
static int give_many(struct stand_ins *s, unsigned whose, int names)
{
	struct pw_answer real = answer("192.0.2.7", NULL), out;
	char host[PW_HOST_MAX];
	int given = 0;

	for (int i = 0; i < names; i++) {
		snprintf(host, sizeof host, "h%d-%u.example", i, whose);
		bool all = stand_ins_give(s, whose, host, &real, &out);
		assert_int_equal(all, out.count == 1);
		assert_int_equal(out.error, all ? 0 : EAI_NONAME);
		given += all;
	}
	return given;
}

static void test_no_more_than_there_is_room_for(void **state)
{
	struct stand_ins *s = with_networks("198.18.0.0", 15, "fd70:7770::", 64);
	struct pw_answer real = answer("192.0.2.7", NULL), out;
	int given = 0;

	(void)state;
	assert_int_equal(give_many(s, 1, STAND_INS_EACH + 10), STAND_INS_EACH); /* one that asks for many takes nothing from others */
	assert_true(stand_ins_give(s, 1, "h0-1.example", &real, &out));         /* and keeps what it has, as everybody does */
	assert_true(stand_ins_give(s, 2, "h1-1.example", &real, &out));
	for (unsigned whose = 2; whose < 20; whose++)
		given += give_many(s, whose, STAND_INS_EACH);
	assert_int_equal(given, STAND_INS_MAX - STAND_INS_EACH);
	stand_ins_free(s);
}

/* The smallest that there may be, with their first addresses and last ones. */
static void test_other_networks(void **state)
{
	struct stand_ins *s = with_networks("10.9.64.0", 18, "fd12:3456::4000", 114);
	struct pw_answer real = answer("192.0.2.7", "2001:db8::7"), out;
	struct pw_address found, others[] = {address("198.18.0.1"), address("10.9.128.1"), address("10.9.0.1"), address("fd70:7770::1"), address("fd12:3456::1"), address("fd12:3456::8001")};
	char host[PW_HOST_MAX];

	(void)state;
	for (unsigned whose = 1; whose <= 16; whose++)
		for (int i = 0; i < STAND_INS_EACH / 2; i++) {
			snprintf(host, sizeof host, "h%d-%u.example", i, whose);
			stand_ins_give(s, whose, host, &real, &out);
			for (uint32_t k = 0; k < out.count; k++) {
				struct sockaddr_storage sa = socket_address(&out.address[k]);
				char again[PW_HOST_MAX];
				assert_true(stand_ins_hold(s, &sa) && stand_ins_find(s, &sa, again, &found));
				assert_string_equal(again, host);
				assert_memory_equal(&found, &real.address[k], sizeof found);
			}
		}
	assert_int_equal(out.count, 0); /* all 16382 are given */
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct sockaddr_storage sa = socket_address(&others[i]);
		assert_false(stand_ins_hold(s, &sa) || stand_ins_find(s, &sa, host, &found));
	}
	stand_ins_free(s);
}

static void test_ranges(void **state)
{
	static const char *const private[] = {"0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.170", "192.168.1.1", "198.18.0.1", "198.19.1.1", "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1",
		"64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "2002:a9fe:a9fe::1", "2002:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "100::1", NULL};
	static const char *const public[] = {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1",
		"192.169.0.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2001:4860:4860::8888", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
		"fe00::1", NULL};

	(void)state;
	for (int i = 0; private[i]; i++) {
		struct pw_address a = address(private[i]);
		if (!range_is_private(&a))
			fail_msg("%s is called public", private[i]);
	}
	for (int i = 0; public[i]; i++) {
		struct pw_address a = address(public[i]);
		if (range_is_private(&a))
			fail_msg("%s is called private", public[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_for_each_real_one), cmocka_unit_test(test_nowhere), cmocka_unit_test(test_nobody), cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_no_more_than_there_is_room_for), cmocka_unit_test(test_other_networks), cmocka_unit_test(test_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
