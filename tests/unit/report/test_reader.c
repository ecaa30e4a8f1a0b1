/* Journals as they come: whole, cut, mended by somebody, of several runs, and made to harm. */
#include "common.h"

#include "launcher/record/line.h"
#include "launcher/report/parse.h"

static void test_whole(void **state)
{
	struct record r;
	read_good(&r, START EVENT(2, HOST("a.example")) EVENT(3, HOST("b.example")) EVENT(4, HOST("a.example") ",\"count\":41,\"first\":2") END(5));
	assert_int_equal(r.n, 2);
	assert_int_equal(r.attempts[0].times, 42);
	assert_int_equal(r.attempts[1].times, 1);
	assert_string_equal(r.attempts[1].ev.target.host, "b.example");
	assert_int_equal(r.attempts[0].ev.verdict.severity, SEV_HIGH);
	assert_int_equal(r.attempts[0].when, 1796042164100);
	assert_true(r.ended && !reader_damaged(&r));
	assert_int_equal(r.exit_status, 100);
	assert_string_equal(r.replaced[0], "TOKEN");
	assert_ptr_equal(reader_find(&r, 3), &r.attempts[1]);
	assert_ptr_equal(reader_find(&r, 4), &r.attempts[0]); /* what closes a line is about that line */
	assert_null(reader_find(&r, 1));
	assert_null(reader_find(&r, 5));
	assert_null(reader_find(&r, 99));
	reader_finish(&r);
}

static void test_all_fields(void **state)
{
	struct record r;
	read_good(&r, START EVENT(2, ",\"would\":\"aborted\",\"shim\":\"absent\",\"package\":{\"name\":\"p\",\"version\":\"1\",\"stage\":\"build\",\"digest\":\"d\",\"for\":[\"q 1\",\"r\"]},"
	                              "\"process\":{\"pid\":7,\"ppid\":6,\"exe\":\"/e\",\"argv\":[\"x\",\"y\"],\"cwd\":\"/\"},"
	                              "\"origin\":{\"object\":\"o\",\"symbol\":\"s\",\"source\":\"hook\",\"file\":\"f.py\",\"line\":9,\"function\":\"g\"},"
	                              "\"target\":{\"host\":\"h\",\"port\":443,\"url\":\"https://h/\",\"method\":\"POST\",\"bytes\":12,\"digest\":\"x\",\"argv\":[\"curl\",\"h\"]},"
	                              "\"decoy\":{\"name\":\"TOKEN\",\"encoding\":\"base64\",\"in\":\"body\",\"read\":2},\"kind\":\"k\",\"hint\":\"why\"") END(3));
	const struct event *ev = &r.attempts[0].ev;
	assert_true(ev->audited && ev->would == EV_ABORTED && ev->shim_absent);
	assert_string_equal(ev->package.stage, "build");
	assert_string_equal(ev->package.digest, "d");
	assert_string_equal(ev->package.above, "q 1\nr");
	assert_int_equal(ev->origin.line, 9);
	assert_string_equal(ev->origin.symbol, "s");
	assert_string_equal(ev->target.method, "POST");
	assert_int_equal(ev->target.bytes, 12);
	assert_string_equal(ev->decoy.name, "TOKEN");
	assert_int_equal(ev->decoy.read, 2);
	assert_string_equal(ev->target.argv[0], "curl");
	assert_null(ev->target.argv[1]);
	assert_string_equal(ev->detail, "why");
	reader_finish(&r);
}

static void test_damage(void **state)
{
	static const struct {
		const char *what, *text;
		size_t n, bad, first_bad, missing;
		bool ended, cut;
	} rows[] = {
		{"killed", START EVENT(2, ""), 1, 0, 0, 0, false, false},
		{"only begun", START, 0, 0, 0, 0, false, false},
		{"cut", START EVENT(2, "") "{\"ts\":\"2026", 1, 0, 0, 0, false, true},
		{"cut behind a whole line", START "{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"net.bind\",\"action\":\"denied\",\"severity\":\"low\",\"source\":\"shim\",\"role\":\"guest\"}", 1, 0, 0, 0, false, true},
		{"no JSON", START "garbage\n" EVENT(2, "") END(3), 1, 1, 2, 0, true, false},
		{"a list", START "[]\n" EVENT(2, "") END(3), 1, 1, 2, 0, true, false},
		{"a number", START "7\n" END(2), 0, 1, 2, 0, true, false},
		{"a gap", START EVENT(4, "") END(9), 1, 0, 0, 6, true, false},
		{"a line twice", START EVENT(2, "") EVENT(2, "") END(3), 1, 1, 3, 0, true, false},
		{"backwards", START EVENT(3, "") EVENT(2, "") END(4), 1, 1, 3, 1, true, false},
		{"behind the end", START END(2) EVENT(3, ""), 0, 1, 3, 0, true, false},
		{"two ends", START END(2) END(3), 0, 1, 3, 0, true, false},
		{"another run's line", START "{" TS "\"seq\":7,\"run\":\"Q\",\"type\":\"exec\"}\n" EVENT(2, "") END(3), 1, 0, 0, 0, true, false},
		{"a severity of no name", START "{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"x\",\"action\":\"denied\",\"severity\":\"grave\",\"role\":\"build\"}\n" END(3), 0, 1, 2, 1, true, false},
		{"an action of no name", START "{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"x\",\"action\":1,\"severity\":\"low\",\"role\":\"build\"}\n" END(3), 0, 1, 2, 1, true, false},
		{"a number that is text", START "{" TS "\"seq\":\"2\",\"run\":\"R\",\"type\":\"x\"}\n" END(2), 0, 1, 2, 0, true, false},
		{"a negative number", START "{" TS "\"seq\":-2,\"run\":\"R\",\"type\":\"x\"}\n" END(2), 0, 1, 2, 0, true, false},
		{"a huge one", START "{" TS "\"seq\":1e300,\"run\":\"R\",\"type\":\"x\"}\n" END(2), 0, 1, 2, 0, true, false},
		{"an end without a status", START "{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"run.end\",\"verdict\":\"clean\"}\n", 0, 1, 2, 0, false, false},
		{"an end of another verdict", START "{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"run.end\",\"verdict\":\"fine\",\"exit_status\":0}\n", 0, 1, 2, 0, false, false},
		{"closes what is not there", START EVENT(2, ",\"count\":3,\"first\":77") END(3), 1, 0, 0, 0, true, false},
		{"targets that are none", START EVENT(2, ",\"target\":[1],\"package\":\"p\",\"origin\":7,\"process\":null,\"decoy\":[]") END(3), 1, 0, 0, 0, true, false},
		{"the wrong kinds", START EVENT(2, ",\"target\":{\"host\":7,\"port\":\"x\",\"bytes\":-3,\"argv\":\"y\"},\"origin\":{\"line\":1e99}") END(3), 1, 0, 0, 0, true, false},
		{"empty lines", START "\n\n" EVENT(2, "") "\n" END(3), 1, 0, 0, 0, true, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record r;
		read_good(&r, rows[i].text);
		if (r.n != rows[i].n || r.bad_lines != rows[i].bad || r.first_bad != rows[i].first_bad || r.missing != rows[i].missing || r.ended != rows[i].ended ||
		    r.cut != rows[i].cut) {
			fail_msg("%s: n %zu bad %d first %d missing %d ended %d cut %d", rows[i].what, r.n, (int)r.bad_lines, (int)r.first_bad, (int)r.missing, r.ended, r.cut);
		}
		reader_finish(&r);
	}
}

static void test_nothing_to_tell(void **state)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{"", "empty"},
		{"\n\n", "no run begins"},
		{"root:x:0:0:root:/root:/bin/bash\n", "no run begins"},
		{EVENT(2, ""), "no run begins"},
		{"{\"seq\":1,\"run\":\"R\",\"type\":\"run.start\",\"format\":2}\n", "newer"},
		{"{\"seq\":1,\"run\":\"R\",\"type\":\"run.start\"}\n", "no run begins"},
	};
	struct record r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = read_bytes(&r, rows[i].text, strlen(rows[i].text));
		assert_non_null(why);
		assert_non_null(strstr(why, rows[i].word));
	}
}

/* --log FILE appends: the last run that began counts, also where two are mixed. */
static void test_several_runs(void **state)
{
	static const char other[] = "{" TS "\"seq\":1,\"run\":\"S\",\"type\":\"run.start\",\"format\":1,\"command\":[]}\n"
	                            "{" TS "\"seq\":2,\"run\":\"S\",\"type\":\"exec\",\"action\":\"denied\",\"severity\":\"low\",\"role\":\"guest\"}\n";
	char text[8192];
	struct record r;

	snprintf(text, sizeof text, "%s%s%s", START EVENT(2, "") "garbage\n" END(3), other, "");
	read_good(&r, text);
	assert_string_equal(r.run, "S");
	assert_int_equal(r.n, 1);
	assert_int_equal(r.bad_lines, 0);
	reader_finish(&r);
	snprintf(text, sizeof text, "%s%s%s", other, START EVENT(2, ""), "{" TS "\"seq\":3,\"run\":\"S\",\"type\":\"run.end\",\"exit_status\":0,\"verdict\":\"clean\"}\n" END(3));
	read_good(&r, text);
	assert_string_equal(r.run, "R");
	assert_int_equal(r.exit_status, 100);
	assert_false(reader_damaged(&r));
	reader_finish(&r);
}

/* What is larger than any run writes is not kept. */
static void test_bounds(void **state)
{
	struct record r;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	fputs(START, out);
	for (unsigned i = 2; i < READER_ATTEMPTS_MAX + 100; i++) {
		fprintf(out, "{" TS "\"seq\":%u,\"run\":\"R\",\"type\":\"exec\",\"action\":\"denied\",\"severity\":\"low\",\"role\":\"guest\"}\n", i);
	}
	fclose(out);
	assert_null(read_bytes(&r, text, len));
	assert_int_equal(r.n, READER_ATTEMPTS_MAX);
	assert_true(r.too_long && reader_damaged(&r));
	reader_finish(&r);
	free(text);

	/* A line without an end, a line of many small parts, brackets without number, a NUL. */
	out = open_memstream(&text, &len);
	fputs(START, out);
	for (size_t i = 0; i < LINE_BYTES_MAX + 10; i++) {
		fputc('x', out);
	}
	fputs("\n{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"exec\",\"action\":\"denied\",\"severity\":\"low\",\"role\":\"build\",\"x\":[", out);
	for (size_t i = 0; i < 300; i++) {
		fputs("1,", out);
	}
	fputs("1]}\n", out);
	for (size_t i = 0; i < 100000; i++) {
		fputc('[', out);
	}
	fputs("\n{\"seq\":2", out);
	fputc('\0', out);
	fputs(",\"run\":\"R\"}\n" EVENT(2, "") END(3), out);
	fclose(out);
	assert_null(read_bytes(&r, text, len));
	assert_int_equal(r.bad_lines, 4);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.attempts[0].ev.type, "net.resolve");
	assert_true(r.ended);
	reader_finish(&r);
	free(text);
}

static void test_moments(void **state)
{
	assert_int_equal(parse_moment("1970-01-01T00:00:01.500000000Z"), 1500);
	for (const char *const *bad = (const char *const[]){"", "today", "2026-11-30T12:36:04Z", "2026-11-30T12:36:04.1Z", "2026-11-30T12:36:04.100000000", "9999-13-40T99:99:99.000000000Z",
	                                                    "2026-11-30T12:36:04.100000000Z]", NULL}; *bad != NULL; bad++) {
		assert_int_equal(parse_moment(*bad), 0);
	}
	assert_int_equal(parse_moment(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_all_fields), cmocka_unit_test(test_damage), cmocka_unit_test(test_nothing_to_tell),
		cmocka_unit_test(test_several_runs), cmocka_unit_test(test_bounds), cmocka_unit_test(test_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
