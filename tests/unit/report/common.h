/* What the tests of report/ share: journals as text, and reports of them. */
#ifndef TESTS_REPORT_COMMON_H
#define TESTS_REPORT_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "launcher/report/report.h"

#define TS "\"ts\":\"2026-11-30T12:36:04.100000000Z\","
#define START "{" TS "\"seq\":1,\"run\":\"R\",\"type\":\"run.start\",\"format\":1,\"command\":[\"pipwarden\",\"--log\",\"x\",\"pip\",\"install\",\"evil\"],\"replaced\":[\"TOKEN\"],\"removed\":[]}\n"
#define EVENT(seq, rest) "{" TS "\"seq\":" #seq ",\"run\":\"R\",\"type\":\"net.resolve\",\"action\":\"denied\",\"severity\":\"high\",\"source\":\"kernel\",\"role\":\"build\",\"rule\":\"net.resolve\"" rest "}\n"
#define HOST(name) ",\"target\":{\"host\":\"" name "\"}"
#define END(seq) "{" TS "\"seq\":" #seq ",\"run\":\"R\",\"type\":\"run.end\",\"exit_status\":100,\"counts\":{},\"denied\":1,\"verdict\":\"suspicious\",\"score\":60,\"attack\":[],\"packages\":[],\"cost\":{}}\n"

static inline const char *read_bytes(struct record *r, const char *text, size_t len)
{
	const char *why = NULL;
	FILE *in = len > 0 ? fmemopen((void *)(uintptr_t)text, len, "r") : fopen("/dev/null", "r");
	assert_non_null(in);
	int error = reader_read(r, in, &why);
	fclose(in);
	assert_int_equal(error == 0, why == NULL);
	return why;
}

static inline void read_good(struct record *r, const char *text)
{
	const char *why = read_bytes(r, text, strlen(text));
	if (why != NULL) {
		fail_msg("%s", why);
	}
}

/* What a writer writes; the caller frees. */
static inline char *written(const char *journal, int (*write)(const struct report *, FILE *), int (*text)(const struct report *, FILE *, bool))
{
	struct report r = {.path = "/j\033[2J", .command_at = 3};
	char *out = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&out, &len);
	read_good(&r.record, journal);
	assert_true(report_make(&r, SEV_LOW));
	assert_int_equal(write != NULL ? write(&r, stream) : text(&r, stream, false), 0);
	fclose(stream);
	assert_int_equal(strlen(out), len);
	report_finish(&r);
	return out;
}

#endif
