#include "common.h"

#include "policy/match.h"

static bool g(const char *pattern, const char *text)
{
	return glob_match(pattern, strlen(pattern), text, strlen(text));
}

static void globs(void **state)
{
	assert_true(g("", ""));
	assert_true(g("*", ""));
	assert_true(g("a*b", "ab"));
	assert_true(g("a*b", "axxb"));
	assert_true(g("a*b*c", "abbbc"));
	assert_true(g("*TOKEN*", "MY_TOKEN_1"));
	assert_true(g("**", "x"));
	assert_false(g("", "a"));
	assert_false(g("a", ""));
	assert_false(g("a*b", "axxc"));
	assert_false(g("a*b", "xab"));
	assert_false(g("abc", "ab"));
	assert_false(g("A", "a"));
	assert_true(glob_match_nocase("a*B", 3, "AxxB", 4));
}

/* Many stars must not cost more than pattern times text. */
static void globs_are_cheap(void **state)
{
	char pattern[129], text[4097];

	for (int i = 0; i < 128; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[128] = '\0';
	memset(text, 'a', 4096);
	text[4096] = '\0';
	text[4095] = 'b';
	assert_false(g(pattern, text));
}

static void paths(void **state)
{
	assert_true(path_match("/a/b", "/a/b"));
	assert_true(path_match("a/b", "/a//b/"));
	assert_true(path_match("/a/**", "/a"));
	assert_true(path_match("/a/**", "/a/b/c"));
	assert_true(path_match("/a/**/c", "/a/c"));
	assert_true(path_match("/a/**/c", "/a/b/b/c"));
	assert_true(path_match("**/.env", "/.env"));
	assert_true(path_match("**/.env", "/x/y/.env"));
	assert_true(path_match("/a/*.pem", "/a/x.pem"));
	assert_true(path_match("/a/**/b/**/c", "/a/b/x/b/c"));
	assert_true(path_match("**", ""));
	assert_false(path_match("/a/*.pem", "/a/b/x.pem"));
	assert_false(path_match("/a/*", "/a"));
	assert_false(path_match("/a/*", "/a/b/c"));
	assert_false(path_match("/a/**", "/ab"));
	assert_false(path_match("/a/b", "/a"));
	assert_false(path_match("/a", "/a/b"));
	assert_false(path_match("/a/**/c", "/a/b/cc"));
	assert_false(path_match("", "/a"));
}

static void host_names(void **state)
{
	char out[HOST_TEXT_MAX], longest[260];

	assert_true(host_normal("Example.COM.", out));
	assert_string_equal(out, "example.com");
	assert_true(host_normal("_dmarc.a-b.example", out));
	assert_false(host_normal("", out));
	assert_false(host_normal(".", out));
	assert_false(host_normal("a..b", out));
	assert_false(host_normal(".a", out));
	assert_false(host_normal("a..", out));
	assert_false(host_normal("ex\xc3\xa4mple.com", out));
	assert_false(host_normal("a b", out));
	assert_false(host_normal("*.a", out));
	assert_false(host_normal("a\n.b", out));
	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	assert_false(host_normal(longest, out));
	longest[63] = '\0';
	assert_true(host_normal(longest, out));
	memset(longest, 'a', sizeof(longest));
	for (int i = 50; i < 259; i += 51)
		longest[i] = '.';
	longest[259] = '\0';
	assert_false(host_normal(longest, out));
}

static void hosts_of_messages(void **state)
{
	static const char *const addresses[] = {"203.0.113.7", "203.0.113.7.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "::1", "[::1]", "fe80::1%eth0", NULL};
	char out[HOST_TEXT_MAX], longest[256];

	assert_int_equal(host_read("Example.COM.rest", 12, out), HOST_NAME);
	assert_string_equal(out, "example.com");
	assert_int_equal(host_read("1.2.3.4.example", 15, out), HOST_NAME);
	for (int i = 0; addresses[i]; i++) {
		assert_int_equal(host_read(addresses[i], strlen(addresses[i]), out), HOST_ADDRESS);
		assert_string_equal(out, "");
	}
	assert_int_equal(host_read("a.b", 0, out), HOST_NEITHER);
	assert_int_equal(host_read("a.b\0", 4, out), HOST_NEITHER);
	assert_int_equal(host_read("a.b\0.c", 6, out), HOST_NEITHER);
	assert_int_equal(host_read("a.b..", 5, out), HOST_NEITHER);
	assert_string_equal(out, "");
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 64 == 63 ? '.' : 'a';
	assert_int_equal(host_read(longest, 253, out), HOST_NAME);
	assert_int_equal(host_read(longest, 254, out), HOST_NEITHER);
	assert_int_equal(host_read(longest, sizeof(longest), out), HOST_NEITHER);
	longest[253] = '.';
	assert_int_equal(host_read(longest, 254, out), HOST_NAME);
}

static void ports(void **state)
{
	unsigned port = 0;

	assert_true(port_read("443/", 3, &port));
	assert_int_equal(port, 443);
	assert_true(port_read("65535", 5, &port) && port_read("00080", 5, &port));
	assert_int_equal(port, 80);
	assert_false(port_read("", 0, &port));
	assert_false(port_read("0", 1, &port));
	assert_false(port_read("65536", 5, &port));
	assert_false(port_read("000080", 6, &port));
	assert_false(port_read("+80", 3, &port));
	assert_false(port_read("8 ", 2, &port));
}

static void host_patterns(void **state)
{
	assert_true(host_match("a.b", "a.b"));
	assert_true(host_match("*.a.b", "a.b"));
	assert_true(host_match("*.a.b", "x.y.a.b"));
	assert_true(host_match("hook.*.make.com", "hook.eu1.make.com"));
	assert_true(host_match("*.s3.*.amazonaws.com", "b.s3.eu-1.amazonaws.com"));
	assert_true(host_match("*.s3.*.amazonaws.com", "s3.eu-1.amazonaws.com"));
	assert_false(host_match("a.b", "x.a.b"));
	assert_false(host_match("*.a.b", "xa.b"));
	assert_false(host_match("*.a.b", "a.b.c"));
	assert_false(host_match("hook.*.make.com", "hook.make.com"));
	assert_false(host_match("hook.*.make.com", "hook.a.b.make.com"));
	assert_false(host_match("a.b", "a"));
	assert_false(host_match("a", "a.b"));
}

static void host_pattern_errors(void **state)
{
	static const char *const good[] = {"a", "a.b", "*.a", "A.b.", "hook.*.make.com", "*.xn--gg8h.eu.org", NULL};
	static const char *const bad[] = {"*", "*.*", "a.*", "a*.b", "*a.b", "a.b/c", "https://a.b", "a..b", "", "\xc3\xa4.b", "a b", "a:1", NULL};

	for (int i = 0; good[i]; i++)
		assert_null(host_pattern_error(good[i]));
	for (int i = 0; bad[i]; i++)
		if (!host_pattern_error(bad[i]))
			fail_msg("\"%s\" passed", bad[i]);
}

static void path_pattern_errors(void **state)
{
	static const char *const good[] = {"/a", "~", "~/.ssh/**", "**/.env", "/a/**/b", "/a/*.pem", "/a/b c", NULL};
	static const char *const bad[] = {"", "a", "a/b", "/", "/**", "**/*", "~ann/x", "/a/../b", "/a/./b", "/a//b", "/a/", "/a/**x",
					  "~/", "/*/*", "**", NULL};

	for (int i = 0; good[i]; i++)
		if (path_pattern_error(good[i]))
			fail_msg("\"%s\": %s", good[i], path_pattern_error(good[i]));
	for (int i = 0; bad[i]; i++)
		if (!path_pattern_error(bad[i]))
			fail_msg("\"%s\" passed", bad[i]);
}

static void addresses(void **state)
{
	struct net_block a, b;

	assert_true(address_parse("169.254.169.254", &a));
	assert_true(address_parse("::ffff:169.254.169.254", &b));
	assert_memory_equal(a.bytes, b.bytes, 16);
	assert_true(address_parse("[fe80::1%eth0]", &b));
	assert_false(address_parse("169.254.169", &b));
	assert_false(address_parse("a.b", &b));
	assert_true(address_parse_loose("2852039166", &b));
	assert_memory_equal(a.bytes, b.bytes, 16);
	assert_true(address_parse_loose("0xa9.254.43518", &b));
	assert_memory_equal(a.bytes, b.bytes, 16);
	assert_true(address_parse_loose("0251.0376.0251.0376", &b));
	assert_memory_equal(a.bytes, b.bytes, 16);
	assert_false(address_parse_loose("abc.de", &b));
	assert_false(address_parse_loose("example.com", &b));
	assert_true(block_parse("169.254.0.0/16", &b));
	assert_true(block_holds(&b, &a));
	assert_true(block_parse("169.254.169.252/30", &b));
	assert_true(block_holds(&b, &a));
	assert_true(block_parse("169.254.169.248/30", &b));
	assert_false(block_holds(&b, &a));
	assert_true(block_parse("fd00::/8", &b));
	assert_false(block_holds(&b, &a));
	assert_true(address_parse("fd12::1", &a));
	assert_true(block_holds(&b, &a));
	assert_false(block_parse("1.2.3.4/33", &b));
	assert_false(block_parse("1.2.3.4/", &b));
	assert_false(block_parse("1.2.3.4/0", &b));
	assert_false(block_parse("1.2.3.4/ 8", &b));
	assert_false(block_parse("[::1]", &b));
}

static void normal_paths(void **state)
{
	struct arena a = {0};

	assert_string_equal(path_normal(&a, "/a/./b//c/../d/", NULL), "/a/b/d");
	assert_string_equal(path_normal(&a, "../..", "/a"), "/");
	assert_string_equal(path_normal(&a, "x", "/a/b"), "/a/b/x");
	assert_string_equal(path_normal(&a, ".", "/a/b"), "/a/b");
	assert_string_equal(path_normal(&a, "/../../x", "/a"), "/x");
	assert_null(path_normal(&a, "x", NULL));
	assert_null(path_normal(&a, "x", "y"));
	arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs), cmocka_unit_test(globs_are_cheap), cmocka_unit_test(paths), cmocka_unit_test(host_names),
		cmocka_unit_test(hosts_of_messages),
		cmocka_unit_test(ports),
		cmocka_unit_test(host_patterns), cmocka_unit_test(host_pattern_errors), cmocka_unit_test(path_pattern_errors),
		cmocka_unit_test(addresses), cmocka_unit_test(normal_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
