/* Records of the shim: launcher/record/decode.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/record/decode.h"

static struct pw_record good(void)
{
	struct pw_record r = {.type = PW_EV_ENV_READ, .text_len = 4, .object_len = 7, .line = 12, .file_len = 8, .function_len = 4};
	memcpy(r.file, "setup.py", 8);
	memcpy(r.function, "main", 4);
	memcpy(r.text, "HOME", 4);
	memcpy(r.object, "libx.so", 7);
	return r;
}

static bool decodes(const struct pw_record *r)
{
	struct record_view view;
	return record_decode(r, sizeof(*r), &view);
}

static void test_good(void **state)
{
	struct record_view view;
	struct pw_record r = good();
	assert_true(record_decode(&r, sizeof(r), &view));
	assert_int_equal(view.type, PW_EV_ENV_READ);
	assert_string_equal(view.text, "HOME");
	assert_string_equal(view.object, "libx.so");
	assert_string_equal(view.file, "setup.py");
	assert_string_equal(view.function, "main");
	assert_int_equal(view.line, 12);
	r.object_len = 0;
	assert_true(record_decode(&r, sizeof(r), &view));
	assert_string_equal(view.object, "");
	memset(r.text, 'a', sizeof(r.text)); /* full, without any NUL */
	r.text_len = sizeof(r.text);
	memset(r.object, 'b', sizeof(r.object));
	r.object_len = sizeof(r.object);
	memset(r.file, 'c', sizeof(r.file));
	r.file_len = sizeof(r.file);
	memset(r.function, '\n', sizeof(r.function)); /* escaped where it is written */
	r.function_len = sizeof(r.function);
	r.line = INT32_MAX;
	assert_true(record_decode(&r, sizeof(r), &view));
	assert_int_equal(strlen(view.text), PW_TEXT_MAX);
	assert_int_equal(strlen(view.object), sizeof(r.object));
	assert_int_equal(strlen(view.file), PW_FILE_MAX);
	assert_int_equal(strlen(view.function), PW_FUNCTION_MAX);
}

static void test_bad(void **state)
{
	struct record_view view;
	struct pw_record r = good();
	assert_false(record_decode(&r, sizeof(r) - 1, &view));
	assert_false(record_decode(&r, 0, &view));
	r.type = 0;
	assert_false(decodes(&r));
	r.type = PW_EV_LOAD + 1;
	assert_false(decodes(&r));
	r = good();
	r.text_len = PW_TEXT_MAX + 1;
	assert_false(decodes(&r));
	r.text_len = UINT32_MAX;
	assert_false(decodes(&r));
	r.text_len = 0;
	assert_false(decodes(&r));
	r = good();
	r.object_len = sizeof(r.object) + 1;
	assert_false(decodes(&r));
	r = good();
	r.file_len = sizeof(r.file) + 1;
	assert_false(decodes(&r));
	r = good();
	r.function_len = UINT32_MAX;
	assert_false(decodes(&r));
	r = good();
	r.file[2] = '\0';
	assert_false(decodes(&r));
	r = good();
	r.function[0] = '\0';
	assert_false(decodes(&r));
	r = good();
	r.line = INT32_MAX + 1u;
	assert_false(decodes(&r));
	r = good();
	r.file_len = 0; /* a line of no file */
	assert_false(decodes(&r));
	r = good();
	r.text[1] = '\0'; /* what is compared and what is shown would differ */
	assert_false(decodes(&r));
	r = good();
	r.object[0] = '\0';
	assert_false(decodes(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
