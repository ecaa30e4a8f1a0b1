/* Archives of pip: what is read, what is unpacked, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "support.h"

static void put16(FILE *f, unsigned v)
{
	fputc(v & 255, f);
	fputc(v >> 8 & 255, f);
}

static void put32(FILE *f, unsigned v)
{
	put16(f, v & 0xffff);
	put16(f, v >> 16);
}

struct entry {
	const char *name, *text;
};

/* A zip of deflated members behind `before`; raw deflate by compress2, without its header and checksum. */
static struct zip make(const char *before, const struct entry *all, size_t n)
{
	struct zip z = { 0 };
	char *data = NULL;
	FILE *f = open_memstream(&data, &z.len);
	unsigned offset[8];
	unsigned char packed[8][300];
	uLongf size[8];
	long central;

	fputs(before, f);
	for (size_t i = 0; i < n; i++) {
		size[i] = sizeof packed[i];
		assert_int_equal(compress2(packed[i], &size[i], (const unsigned char *)all[i].text, strlen(all[i].text), 9), Z_OK);
		size[i] -= 6;
		offset[i] = (unsigned)(ftell(f) - (long)strlen(before));
		fwrite("PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 1, 26, f);
		put16(f, (unsigned)strlen(all[i].name));
		put16(f, 0);
		fputs(all[i].name, f);
		fwrite(packed[i] + 2, 1, size[i], f);
	}
	central = ftell(f) - (long)strlen(before);
	for (size_t i = 0; i < n; i++) {
		fwrite("PK\1\2\0\0\0\0\0\0\10\0\0\0\0\0", 1, 16, f);
		put32(f, (unsigned)crc32(0, (const unsigned char *)all[i].text, (unsigned)strlen(all[i].text)));
		put32(f, (unsigned)size[i]);
		put32(f, (unsigned)strlen(all[i].text));
		put16(f, (unsigned)strlen(all[i].name));
		fwrite("\0\0\0\0\0\0\0\0\0\0\0\0", 1, 12, f);
		put32(f, offset[i]);
		fputs(all[i].name, f);
	}
	unsigned length = (unsigned)(ftell(f) - (long)strlen(before) - central);
	fwrite("PK\5\6\0\0\0\0\0\0\0\0", 1, 12, f);
	put32(f, length);
	put32(f, (unsigned)central);
	put16(f, 0);
	fclose(f);
	z.data = (unsigned char *)data;
	return z;
}

static const struct entry members[] = { { "pip/__init__.py", "__version__ = \"26.3\"\n" }, { "pip/_internal/models/index.py", "index" }, { "six.py", "six" } };

static void members_are_read(void **state)
{
	static const char *const before[] = { "", "#!/usr/bin/env python3\n" };

	for (size_t i = 0; i < 2; i++) {
		struct zip z = make(before[i], members, 3);

		assert_true(inst_zip_open(&z));
		cleanup_text char *text = inst_zip_text(&z, "pip/__init__.py");
		assert_string_equal(text, members[0].text);
		assert_null(inst_zip_text(&z, "pip/nothing.py"));
		free(z.data);
	}
}

/* At every length, and with every byte changed. */
static void damage_is_seen(void **state)
{
	struct zip whole = make("", members, 3);

	for (size_t len = 0; len < whole.len; len++) {
		struct zip z = { malloc(len + 1), len, 0, 0, 0 };

		memcpy(z.data, whole.data, len);
		assert_false(inst_zip_open(&z));
		free(z.data);
	}
	for (size_t i = 0; i < whole.len; i++) {
		struct zip z = { whole.data, whole.len, 0, 0, 0 };

		whole.data[i] ^= 0x41;
		if (inst_zip_open(&z)) {
			cleanup_text char *text = inst_zip_text(&z, "pip/__init__.py");
			assert_true(!text || !strcmp(text, members[0].text));
		}
		whole.data[i] ^= 0x41;
	}
	free(whole.data);
}

static void only_pip_is_unpacked(void **state)
{
	const struct tree *t = *state;
	static const struct entry hostile[] = { { "pip/__init__.py", "x" }, { "pip/a/b.py", "y" }, { "pip/../../out.py", "z" }, { "pip//c.py", "z" }, { "/pip/d.py", "z" },
	                                        { "other.py", "z" }, { "pip/./e.py", "z" } };
	struct zip z = make("", hostile, 7);
	cleanup_text char *folder = tree_path(t, "down/p");
	static const char *const there[] = { "down/p/pip/__init__.py", "down/p/pip/a/b.py" };
	static const char *const absent[] = { "out.py", "down/out.py", "down/p/pip/c.py", "down/p/other.py", "down/p/pip/e.py" };

	tree_dir(t, "down/p");
	assert_true(inst_zip_open(&z));
	assert_int_equal(inst_zip_unpack_pip(&z, folder), 0);
	for (size_t i = 0; i < 2; i++) {
		cleanup_text char *path = tree_path(t, there[i]);
		assert_true(inst_path_is_file(path));
	}
	for (size_t i = 0; i < 5; i++) {
		cleanup_text char *path = tree_path(t, absent[i]);
		assert_false(inst_path_is_file(path));
	}
	assert_int_not_equal(inst_zip_unpack_pip(&z, folder), 0); /* nothing is written over */
	free(z.data);
}

static void payload_of_get_pip(void **state)
{
	/* base64.b85encode(b"hello zip"): no zip, so it is decoded and refused */
	static const char script[] = "import sys\nDATA = b\"\"\"\nXk~0{Zy\n<VUZ~\n\"\"\"\n";
	struct zip z;

	assert_false(inst_get_pip_payload(script, sizeof script - 1, &z));
	assert_int_equal(z.len, 9);
	assert_memory_equal(z.data, "hello zip", 9);
	free(z.data);
	assert_false(inst_get_pip_payload("import sys\n", 11, &z));
	assert_null(z.data);
	assert_false(inst_get_pip_payload("\nDATA = b\"\"\"\n\"bad", 17, &z));
	free(z.data);
	assert_false(inst_get_pip_payload("\nDATA = b\"\"\"~~~~~\"\"\"", 20, &z)); /* too large a group */
	free(z.data);
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_read),
		cmocka_unit_test(damage_is_seen),
		in_tree(only_pip_is_unpacked),
		cmocka_unit_test(payload_of_get_pip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
