#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <limits.h>

#include "launcher/findings/recorded.h"

#define EMPTY "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

static void lines_are_read(void **state)
{
	char text[] = "a/b.py," EMPTY ",0\n\"c,\"\"d\"\".py\",,\r\n\n,x,y\n\"e\nf\",md5=abc,1,more,fields\nlast";
	static const char *const paths[] = {"a/b.py", "c,\"d\".py", "e\nf", "last"};
	struct recorded line;
	char *at = text;

	for (size_t i = 0; i < 4; i++) {
		assert_true(recorded_next(&at, &line));
		assert_string_equal(line.path, paths[i]);
		assert_int_equal(line.sha256, i == 0);
		assert_int_equal(line.has_hash, i == 0 || i == 2);
	}
	assert_false(recorded_next(&at, &line));
}

static void a_hash_is_decoded(void **state)
{
	char text[] = "a," EMPTY ",0\nb,sha256=short,0\nc," EMPTY "A,0\nd,sha256=!7DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n";
	struct recorded line;
	char *at = text;

	assert_true(recorded_next(&at, &line) && line.sha256);
	assert_int_equal(line.hash[0], 0xe3);
	assert_int_equal(line.hash[31], 0x55);
	while (recorded_next(&at, &line)) {
		assert_true(line.has_hash && !line.sha256);
	}
}

static void nothing_hides_behind_a_nul(void **state)
{
	char text[] = "a,,\n\0b,,\n";
	struct recorded line;
	char *at = text;

	recorded_prepare(text, sizeof text - 1);
	assert_true(recorded_next(&at, &line));
	assert_true(recorded_next(&at, &line));
	assert_string_equal(line.path, "\1b");
}

static void long_paths_are_passed_over(void **state)
{
	char *text = malloc(3 * PATH_MAX), *at = text;
	struct recorded line;

	memset(text, 'x', 2 * PATH_MAX);
	strcpy(text + 2 * PATH_MAX, ",,\nshort,,\n");
	assert_true(recorded_next(&at, &line));
	assert_string_equal(line.path, "short");
	free(text);
}

static void paths_are_resolved(void **state)
{
	static const char *const cases[][3] = {
		{"/v/lib/p/site-packages", "a/b", "/v/lib/p/site-packages/a/b"}, {"/v/lib/p/site-packages", "../../../bin/x", "/v/bin/x"},
		{"/v", "../../../../etc/passwd", "/etc/passwd"}, {"/v", "/etc/./x/../y", "/etc/y"}, {"/", "a", "/a"}, {"/v/", "", "/v"}, {"/v", "..", "/"},
	};
	char out[PATH_MAX], *longest = malloc(2 * PATH_MAX);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(recorded_resolve(cases[i][0], cases[i][1], out));
		assert_string_equal(out, cases[i][2]);
	}
	memset(longest, 'x', PATH_MAX + 1);
	longest[PATH_MAX + 1] = '\0';
	assert_false(recorded_resolve("/v", longest, out));
	free(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read), cmocka_unit_test(a_hash_is_decoded), cmocka_unit_test(nothing_hides_behind_a_nul),
		cmocka_unit_test(long_paths_are_passed_over), cmocka_unit_test(paths_are_resolved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
