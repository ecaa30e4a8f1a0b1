/* Journals of arbitrary bytes.  Whatever is read: the reports are documents, and nothing in them acts on a terminal. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "launcher/report/explain.h"
#include "launcher/report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char start[] = "{\"ts\":\"2026-11-30T12:36:04.100000000Z\",\"seq\":1,\"run\":\"R\",\"type\":\"run.start\",\"format\":1,\"command\":[\"pipwarden\",\"pip\"],\"replaced\":[\"TOKEN\"]}\n";

/* An input that begins with "+" goes on behind a good first line. */
static bool read_input(struct record *r, const uint8_t *data, size_t size)
{
	const char *why = NULL;
	bool more = size > 0 && data[0] == '+';
	size_t head = more ? sizeof(start) - 1 : 0, len = head + size - more;
	char *text = malloc(len + 1);
	memcpy(text, start, head);
	memcpy(text + head, data + more, size - more);
	FILE *in = len > 0 ? fmemopen(text, len, "r") : NULL;
	bool good = in != NULL && reader_read(r, in, &why) == 0;
	assert(in == NULL || good == (why == NULL));
	if (in != NULL) {
		fclose(in);
	}
	free(text);
	return good;
}

static void check_text(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		assert((*c >= 0x20 && *c != 0x7f) || *c == '\n');
		assert(c[0] != 0xc2 || c[1] >= 0xa0);
		assert(c[0] != 0xe2 || c[1] != 0x80 || c[2] < 0xaa || c[2] > 0xae);
	}
}

static void check_document(const struct report *r, int (*write)(const struct report *, FILE *))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	assert(write(r, out) == 0);
	fclose(out);
	assert(strlen(text) == len);
	check_text(text);
	cJSON *json = cJSON_ParseWithOpts(text, NULL, 1);
	assert(cJSON_IsObject(json));
	cJSON_Delete(json);
	free(text);
}

static void check_words(const struct report *r, bool explain)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	assert((explain ? explain_text(r, 0, out, false) : report_text(r, out, false)) == 0);
	fclose(out);
	check_text(text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *policy;
	struct policy_error err;
	struct report r = {.path = "/journal"};

	if (policy == NULL) {
		policy = policy_new(&err);
		assert(policy != NULL && policy_finish(policy, (const char *const[]){"/home/u", NULL}, &err) == 0);
	}
	r.policy = policy;
	if (!read_input(&r.record, data, size)) {
		return 0;
	}
	assert(report_make(&r, SEV_INFO));
	check_document(&r, report_json);
	check_document(&r, report_sarif);
	check_words(&r, false);
	check_words(&r, true);
	report_finish(&r);
	return 0;
}
