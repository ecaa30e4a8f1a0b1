/* Reports of hostile records: no writer lets through what acts on a terminal, breaks a document, or leads a viewer elsewhere. */
#include "common.h"

#include "launcher/record/fold.h"

#define EVIL "\\u001b]0;owned\\u0007\\u202egnp.\\u009b[click](https://evil.example){0}\\\"</script>\\n"
#define READ(seq, file, line) "{" TS "\"seq\":" #seq ",\"run\":\"R\",\"type\":\"env.read\",\"action\":\"decoy\",\"severity\":\"low\",\"source\":\"shim\",\"role\":\"build\",\"rule\":\"env.read\"," \
	PACKAGE ",\"origin\":{\"file\":\"" file "\",\"line\":" #line ",\"function\":\"steal" EVIL "\"},\"target\":{\"name\":\"TOKEN\"}}\n"
#define PACKAGE "\"package\":{\"name\":\"evil" EVIL "\",\"version\":\"1" EVIL "\",\"stage\":\"build\"}"
#define CHAIN START READ(2, "setup.py", 15) READ(3, "a b/ü.py", 16) EVENT(4, HOST("h" EVIL) "," PACKAGE ",\"kind\":\"kind" EVIL "\",\"hint\":\"hint" EVIL "\"") END(5)

static void is_harmless(const char *text, bool lines)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		assert_true((*c >= 0x20 && *c != 0x7f) || (lines && *c == '\n'));
		assert_false(c[0] == 0xc2 && c[1] < 0xa0);                                  /* C1 */
		assert_false(c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae); /* bidi */
	}
}

static cJSON *parsed(const char *text)
{
	cJSON *json = cJSON_ParseWithOpts(text, NULL, 1);
	assert_non_null(json);
	return json;
}

static const cJSON *at(const cJSON *json, const char *path)
{
	char copy[256], *save = NULL;
	snprintf(copy, sizeof copy, "%s", path);
	for (char *part = strtok_r(copy, "/", &save); part != NULL && json != NULL; part = strtok_r(NULL, "/", &save)) {
		json = part[0] >= '0' && part[0] <= '9' ? cJSON_GetArrayItem(json, atoi(part)) : cJSON_GetObjectItemCaseSensitive(json, part);
	}
	if (json == NULL) {
		fail_msg("there is no %s", path);
	}
	return json;
}

static const char *text_at(const cJSON *json, const char *path)
{
	const cJSON *item = at(json, path);
	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

static void test_text(void **state)
{
	char *text = written(CHAIN, NULL, report_text);
	is_harmless(text, true);
	assert_non_null(strstr(text, "\\x1b]0;owned\\x07\\u202egnp."));
	assert_non_null(strstr(text, "suspicious (score 90 of 100): pip install evil\n"));
	assert_non_null(strstr(text, "the variable TOKEN at setup.py:15"));
	assert_non_null(strstr(text, "refused"));
	assert_non_null(strstr(text, "/j\\x1b[2J")); /* the path as well */
	free(text);
}

static void test_text_is_short(void **state)
{
	char *text = written(START END(2), NULL, report_text);
	int lines = 0;
	for (const char *c = text; (c = strchr(c, '\n')) != NULL; c++) {
		lines++;
	}
	assert_int_equal(lines, 2);
	free(text);
	text = written(START EVENT(2, HOST("h")), NULL, report_text);
	assert_non_null(strstr(text, "the record has no end"));
	free(text);
	text = written(START "x\ny\n" EVENT(9, HOST("h")) "{", NULL, report_text);
	assert_non_null(strstr(text, "line 2 and 1 more cannot be understood"));
	assert_non_null(strstr(text, "7 lines are missing"));
	assert_non_null(strstr(text, "its last line is cut"));
	free(text);
}

static void test_json(void **state)
{
	char *text = written(CHAIN, report_json, NULL);
	is_harmless(text, true);
	cJSON *json = parsed(text);
	assert_string_equal(text_at(json, "findings/0/kind"), "chain");
	assert_int_equal(cJSON_GetArraySize(at(json, "findings")), 1); /* the reads are its steps */
	assert_int_equal(cJSON_GetArraySize(at(json, "findings/0/steps")), 3);
	assert_string_equal(text_at(json, "findings/0/steps/0/origin/file"), "setup.py");
	assert_string_equal(text_at(json, "findings/0/steps/2/step"), "resolve");
	assert_int_equal(at(json, "findings/0/milliseconds")->valueint, 0);
	assert_non_null(strstr(text_at(json, "findings/0/package/name"), "\033]0;owned")); /* lossless for programs */
	cJSON_Delete(json);
	free(text);
}

static void test_sarif(void **state)
{
	char *text = written(CHAIN, report_sarif, NULL);
	is_harmless(text, true);
	cJSON *json = parsed(text);
	const cJSON *result = at(json, "runs/0/results/0");
	assert_string_equal(text_at(json, "version"), "2.1.0");
	assert_string_equal(text_at(result, "ruleId"), text_at(json, "runs/0/tool/driver/rules/0/id"));
	assert_string_equal(text_at(result, "level"), "error");
	assert_string_equal(text_at(result, "locations/0/physicalLocation/artifactLocation/uri"), "a%20b/%C3%BC.py");
	assert_int_equal(at(result, "locations/0/physicalLocation/region/startLine")->valueint, 16);
	assert_string_equal(text_at(result, "codeFlows/0/threadFlows/0/locations/0/location/physicalLocation/artifactLocation/uri"), "setup.py");
	const char *base = text_at(result, "locations/0/physicalLocation/artifactLocation/uriBaseId");
	at(at(json, "runs/0/originalUriBaseIds"), base);
	/* No link, no placeholder. */
	const char *message = text_at(result, "message/text");
	assert_null(strpbrk(message, "[]{}"));
	assert_non_null(strstr(message, "(click)(https://evil.example)"));
	assert_true(cJSON_IsTrue(at(json, "runs/0/invocations/0/executionSuccessful")));
	cJSON_Delete(json);
	free(text);
}

/* A path that leads out of the package is no place; one outside of every package is one of the machine. */
static void test_places(void **state)
{
	static const struct {
		const char *file, *uri;
	} rows[] = {
		{"../../../../etc/passwd", NULL}, {"a/../../x.py", NULL}, {"..", NULL}, {"a..b/c.py", "a..b/c.py"}, {"/usr/lib/x.py", "file:///usr/lib/x.py"},
		{"javascript:alert(1)", "javascript%3Aalert%281%29"}, {"//evil.example/x", "file:////evil.example/x"}, {"a%2e%2e", "a%252e%252e"}, {"x?y#z", "x%3Fy%23z"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char journal[2048];
		snprintf(journal, sizeof journal, START "{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"env.read\",\"action\":\"decoy\",\"severity\":\"low\",\"source\":\"shim\",\"role\":\"build\","
		         "\"rule\":\"env.read\",\"origin\":{\"file\":\"%s\",\"line\":3}}\n" END(3), rows[i].file);
		char *text = written(journal, report_sarif, NULL);
		cJSON *json = parsed(text);
		const cJSON *location = at(json, "runs/0/results/0/locations/0"), *physical = cJSON_GetObjectItemCaseSensitive(location, "physicalLocation");
		if (rows[i].uri == NULL) {
			assert_null(physical);
		} else {
			assert_string_equal(text_at(location, "physicalLocation/artifactLocation/uri"), rows[i].uri);
			assert_int_equal(cJSON_HasObjectItem(at(physical, "artifactLocation"), "uriBaseId"), rows[i].file[0] != '/');
		}
		assert_true(cJSON_GetArraySize(at(location, "logicalLocations")) > 0);
		cJSON_Delete(json);
		free(text);
	}
}

/* Thousands of findings of the longest texts: bounded, and still a document. */
static void test_flood(void **state)
{
	char *journal = NULL, *text, long_text[4097];
	size_t len = 0;
	FILE *out = open_memstream(&journal, &len);

	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	fputs(START, out);
	for (unsigned i = 2; i < 3000; i++) {
		fprintf(out, "{" TS "\"seq\":%u,\"run\":\"R\",\"type\":\"file.open\",\"action\":\"%s\",\"severity\":\"medium\",\"source\":\"shim\",\"role\":\"build\",\"rule\":\"x\","
		        "\"target\":{\"path\":\"/%u%s\"},\"hint\":\"%s\"}\n", i, i % 2 != 0 ? "decoy" : "denied", i, long_text, long_text);
	}
	fputs(EVENT(3000, HOST("h")), out);
	fclose(out);
	text = written(journal, report_json, NULL);
	cJSON *json = parsed(text);
	assert_int_equal(cJSON_GetArraySize(at(json, "findings")), REPORT_FINDINGS_MAX);
	assert_true(at(json, "findings_omitted")->valueint > 0);
	assert_string_equal(text_at(json, "findings/0/kind"), "chain");
	cJSON_Delete(json);
	free(text);
	text = written(journal, report_sarif, NULL);
	json = parsed(text);
	assert_int_equal(cJSON_GetArraySize(at(json, "runs/0/results")), REPORT_FINDINGS_MAX);
	cJSON_Delete(json);
	free(text);
	text = written(journal, NULL, report_text);
	assert_true(strlen(text) < 16384);
	free(text);
	free(journal);
}

/* The graver of what the end says and what the attempts come to; of a killed run there are the attempts. */
static void test_verdict(void **state)
{
	struct report r = {.path = "x"};
	read_good(&r.record, START "{" TS "\"seq\":2,\"run\":\"R\",\"type\":\"run.end\",\"exit_status\":0,\"verdict\":\"malicious\"}\n");
	assert_true(report_make(&r, SEV_LOW));
	assert_int_equal(r.run.verdict, SCORE_MALICIOUS);
	report_finish(&r);
	r = (struct report){.path = "x"};
	read_good(&r.record, START EVENT(2, HOST("h")));
	assert_true(report_make(&r, SEV_LOW));
	assert_int_equal(r.run.verdict, SCORE_SUSPICIOUS);
	report_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text), cmocka_unit_test(test_text_is_short), cmocka_unit_test(test_json), cmocka_unit_test(test_sarif),
		cmocka_unit_test(test_places), cmocka_unit_test(test_flood), cmocka_unit_test(test_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
