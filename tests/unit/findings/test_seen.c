#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/base/rmtree.h"
#include "launcher/findings/seen.h"

static char top[64], place[PATH_MAX];

static void put(const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", top, name);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static int begin(void **state)
{
	char path[PATH_MAX];

	strcpy(top, "/tmp/pwseenXXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(path, sizeof path, "%s/pkg-1.dist-info", top);
	return mkdir(path, 0755);
}

static int end(void **state)
{
	unsigned long budget = 1000;
	cleanup_fd int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	rmtree_empty(fd, NULL, &budget);
	return rmdir(top);
}

static void what_is_saved_is_loaded(void **state)
{
	const char *const folders[] = {top, "/nowhere", top, NULL};
	struct seen now = {0}, was = {0};
	struct stat st;
	bool known = true;

	put("a.pth", "import a\n");
	put("sitecustomize.py", "");
	put("x.py", "");
	assert_true(seen_place(top, folders, place));
	assert_int_equal(seen_load(&was, place, &known), 0);
	assert_false(known);
	assert_int_equal(seen_collect(&now, folders), 0);
	assert_int_equal(now.n, 2); /* a folder counts once */
	assert_int_equal(seen_save(&now, place), 0);
	assert_true(stat(place, &st) == 0 && (st.st_mode & 0777) == 0600);
	assert_int_equal(seen_load(&was, place, &known), 0);
	assert_true(known && was.n == 2);
	assert_string_equal(seen_find(&was, now.v[0].path)->hash, now.v[0].hash);
	assert_null(seen_find(&was, "/other"));
	seen_finish(&now);
	seen_finish(&was);
}

static void a_broken_state_is_none(void **state)
{
	static const char *const texts[] = {"", "[]", "{", "{\"files\": []}", "{\"files\": 1}"};
	struct seen was = {0};
	bool known;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		put("state.json", texts[i]);
		snprintf(place, sizeof place, "%s/state.json", top);
		assert_int_equal(seen_load(&was, place, &known), 0);
		assert_true(!known && was.n == 0);
	}
	put("state.json", "{\"files\": {\"/a\": 1, \"/b\": \"x\"}}");
	assert_int_equal(seen_load(&was, place, &known), 0);
	seen_finish(&was);
}

static void its_origin_is_told(void **state)
{
	const char *const folders[] = {top, NULL};
	struct seen now = {0};
	struct seen_origin o;

	put("pkg.py", "");
	put("x.pth", "import pkg\n");
	put("y.pth", "import pkg\n");
	put("pkg-1.dist-info/RECORD", "pkg.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nx.pth,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n");
	assert_int_equal(seen_collect(&now, folders), 0);
	seen_origin(&now.v[0], &o);
	assert_string_equal(o.name, "pkg");
	assert_string_equal(o.version, "1");
	assert_true(o.hash_known && !o.hash_fits && o.module_known && o.module_fits);
	seen_origin(&now.v[1], &o);
	assert_string_equal(o.name, "");
	assert_false(o.hash_known || o.module_known);
	seen_finish(&now);
}

static void what_is_no_file_is_not_waited_for(void **state)
{
	const char *const folders[] = {top, NULL};
	char path[PATH_MAX];
	struct seen now = {0};

	snprintf(path, sizeof path, "%s/a.pth", top);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof path, "%s/b.pth", top);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(seen_collect(&now, folders), 0);
	assert_int_equal(now.n, 2);
	assert_true(strlen(now.v[0].hash) == 64 && strlen(now.v[1].hash) == 64 && !seen_same(&now.v[0], &now.v[1]) && now.v[1].judged.level == STARTUP_CODE);
	seen_finish(&now);
}

/* Too large to be read, or behind a link: another one is another one. */
static void what_cannot_be_read_is_told_apart(void **state)
{
	const char *const folders[] = {top, NULL};
	const struct seen_file nothing = {0};
	char path[PATH_MAX];
	struct seen was = {0}, now = {0}, again = {0};

	put("away", "import a\n");
	put("large.pth", "import a\n");
	snprintf(path, sizeof path, "%s/large.pth", top);
	assert_int_equal(truncate(path, 2 << 20), 0);
	snprintf(path, sizeof path, "%s/link.pth", top);
	assert_int_equal(symlink("away", path), 0);
	assert_int_equal(seen_collect(&was, folders), 0);
	usleep(20000);
	assert_int_equal(seen_collect(&again, folders), 0);
	put("away", "import b\n");
	put("large.pth", "import b\n");
	snprintf(path, sizeof path, "%s/large.pth", top);
	assert_int_equal(truncate(path, 2 << 20), 0);
	assert_int_equal(seen_collect(&now, folders), 0);
	assert_true(was.n == 2 && now.n == 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(seen_same(&was.v[i], &again.v[i]));
		assert_false(seen_same(&was.v[i], &now.v[i]) || seen_same(&nothing, &nothing));
	}
	seen_finish(&was);
	seen_finish(&now);
	seen_finish(&again);
}

static void too_many_are_told(void **state)
{
	const char *const folders[] = {top, NULL};
	struct seen now = {0};
	char name[32];

	for (int i = 0; i < 513; i++) {
		assert_false(now.cut);
		snprintf(name, sizeof name, "x%d.pth", i);
		put(name, "");
		if (i == 511) {
			assert_int_equal(seen_collect(&now, folders), 0);
			assert_false(now.cut);
			seen_finish(&now);
		}
	}
	assert_int_equal(seen_collect(&now, folders), 0);
	assert_true(now.cut && now.n == 512);
	seen_finish(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_saved_is_loaded, begin, end), cmocka_unit_test_setup_teardown(a_broken_state_is_none, begin, end),
		cmocka_unit_test_setup_teardown(its_origin_is_told, begin, end), cmocka_unit_test_setup_teardown(what_is_no_file_is_not_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told_apart, begin, end), cmocka_unit_test_setup_teardown(too_many_are_told, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
