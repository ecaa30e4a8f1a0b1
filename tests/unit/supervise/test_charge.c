/* Whose code it is: pip's word, and what installed distributions claim. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#include "launcher/base/fd.h"
#include "launcher/base/rmtree.h"
#include "launcher/findings/direct_url.h"
#include "launcher/supervise/distributions.h"
#include "launcher/supervise/packages.h"
#include "launcher/supervise/word.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct word taken(const char *value, bool expected)
{
	char first[] = "A=1", last[] = "B=2", variable[1024];
	char *envp[] = {first, variable, last, NULL};
	struct word w;

	snprintf(variable, sizeof variable, FOR_VARIABLE "=%s", value);
	assert_int_equal(word_take(envp, &w), expected);
	assert_ptr_equal(envp[0], first);
	assert_ptr_equal(envp[1], last);
	assert_null(envp[2]);
	return w;
}

static void the_word_is_read_and_taken_out(void **state)
{
	(void)state;
	struct word w = taken("{\"name\":\"a\",\"version\":\"1.0\",\"sha256\":\"" DIGEST "\",\"for\":[\"b 2\",\"c\"]}", true);
	struct strings above = {0};

	assert_string_equal(w.name, "a");
	assert_string_equal(w.version, "1.0");
	assert_string_equal(w.digest, DIGEST);
	assert_int_equal(word_below(&w, &above), 0);
	assert_int_equal(above.n, 3);
	assert_string_equal(above.v[0], "a 1.0");
	assert_string_equal(above.v[2], "c");
	strings_finish(&above);
	word_finish(&w);
}

static void what_is_no_word_says_nothing(void **state)
{
	static const char *const none[] = {"", "[]", "{", "1", "{\"name\":\"a\"} x"};
	struct word w;

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		w = taken(none[i], false);
		assert_null(w.name);
	}
	w = taken("{\"name\":7,\"version\":\"\",\"sha256\":\"ABC\",\"for\":[1,\"x\"]}", true);
	assert_true(w.name == NULL && w.version == NULL && w.digest == NULL && w.above.n == 1);
	word_finish(&w);
	w = taken("{\"sha256\":\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"}", true);
	assert_null(w.digest);
	word_finish(&w);
	w = taken("{\"name\":\"a\\nb\",\"version\":\"1\\u001b[2J\",\"for\":[\"x\\ny\",\"x\\u007f\",\"x\\ty\",\"z 1\"]}", true);
	assert_true(w.name == NULL && w.version == NULL);
	assert_int_equal(w.above.n, 1);
	assert_string_equal(w.above.v[0], "z 1");
	word_finish(&w);
	char *envp[] = {NULL};
	assert_false(word_take(envp, &w));
}

static void assert_editable(const char *json, const char *want)
{
	char folder[PATH_MAX] = "";
	cJSON *parsed = cJSON_Parse(json);

	assert_int_equal(direct_url_editable(parsed, folder), want != NULL);
	if (want != NULL) {
		assert_string_equal(folder, want);
	}
	cJSON_Delete(parsed);
}

static void folders_of_editable_projects(void **state)
{
	(void)state;
	assert_editable("{\"url\":\"file:///home/u/my%20project\",\"dir_info\":{\"editable\":true}}", "/home/u/my project");
	assert_editable("{\"url\":\"file:///x\",\"dir_info\":{}}", NULL);
	assert_editable("{\"url\":\"https://h/x\",\"dir_info\":{\"editable\":true}}", NULL);
	assert_editable("{\"url\":\"file:///a%00b\",\"dir_info\":{\"editable\":true}}", NULL);
	assert_editable("[]", NULL);
}

/* --- a folder of packages ------------------------------------------------------------------------ */

static char root[] = "/tmp/pw-charge-XXXXXX";
static char site[128];

static void put(const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", site, name);
	for (char *slash = path + strlen(root); (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(site, sizeof site, "%s/lib/site-packages", root);
	put("one-1.0.dist-info/RECORD", "one/__init__.py,,\none-1.0.dist-info/RECORD,,\n../../bin/one,,\n");
	put("one-1.0.dist-info/METADATA", "Name: one\nVersion: 7\n\n");
	put("space_a-2.dist-info/RECORD", "space/a.py,,\nboth.py,,\n");
	put("space_a-2.dist-info/METADATA", "Name: space.a\n");
	put("space_b-3.dist-info/RECORD", "space/b.py,,\nboth.py,,\n");
	put("liar-1.dist-info/RECORD", "liar.py,,\n");
	put("liar-1.dist-info/METADATA", "Name: numpy\n");
	put("old-4.egg-info/top_level.txt", "oldtop\n_other\n");
	put("py-5.1-py3.11.egg-info/top_level.txt", "pytop\n");
	put("bare.egg-info/top_level.txt", "baretop\n");
	put("flat-5.egg-info", "Name: flat\nVersion: 5\n");
	put("live-6.dist-info/direct_url.json", "{\"url\":\"file:///home/u/live\",\"dir_info\":{\"editable\":true}}");
	put("live-6.dist-info/RECORD", "__editable__.live.pth,,\n");
	return 0;
}

static int unmake(void **state)
{
	cleanup_fd int dir = open(root, O_RDONLY | O_DIRECTORY);
	unsigned long budget = 1000;

	(void)state;
	return dir < 0 || rmtree_empty(dir, NULL, &budget) != 0 || rmdir(root) != 0;
}

static void assert_owner(const char *file, const char *name, const char *version)
{
	const char *const sites[] = {site, NULL};
	struct distribution d;
	char path[512];

	snprintf(path, sizeof path, "%s%s%s", file[0] == '/' ? "" : site, file[0] == '/' ? "" : "/", file);
	assert_int_equal(distribution_owning(path, sites, &d), name != NULL);
	if (name != NULL) {
		assert_string_equal(d.name, name);
		assert_string_equal(d.version, version);
	}
}

static void a_file_belongs_to_who_lists_it(void **state)
{
	char script[200];
	struct utimbuf late = {.modtime = 4000000000}; /* installed last */

	(void)state;
	assert_owner("one/sub/module.py", "one", "1.0"); /* the top is its alone */
	assert_owner("space/a.py", "space.a", "2");
	assert_owner("space/b.py", "space_b", "3");
	assert_owner("space/c.py", NULL, NULL);
	assert_owner("liar.py", "liar", "1"); /* its own name, whatever its metadata says */
	assert_owner("oldtop/x.py", "old", "4");
	assert_owner("pytop/x.py", "py", "5.1");
	assert_owner("baretop.py", "bare", "");
	assert_owner("nobody.py", NULL, NULL);
	assert_owner("/home/u/live/src/live.py", "live", "6");
	assert_owner("/home/u/lively/x.py", NULL, NULL);
	snprintf(script, sizeof script, "%s/lib/../bin/one", root);
	assert_owner(script, NULL, NULL); /* paths are real ones */
	snprintf(script, sizeof script, "%s/bin/one", root);
	assert_owner(script, "one", "1.0");
	snprintf(script, sizeof script, "%s/space_b-3.dist-info/RECORD", site);
	assert_int_equal(utime(script, &late), 0);
	assert_owner("both.py", "space_b", "3");
	snprintf(script, sizeof script, "%s/space_a-2.dist-info/RECORD", site);
	late.modtime++;
	assert_int_equal(utime(script, &late), 0);
	assert_owner("both.py", "space.a", "2");
}

static void a_module_is_provided_by_who_lists_it(void **state)
{
	const char *const sites[] = {"/nowhere", site, NULL};
	struct distribution d;

	(void)state;
	assert_true(distribution_providing("one.sub.cli", sites, &d));
	assert_string_equal(d.name, "one");
	assert_true(distribution_providing("liar", sites, &d));
	assert_false(distribution_providing("nobody", sites, &d));
	assert_false(distribution_providing("", sites, &d));
}

static void a_changed_folder_is_read_again(void **state)
{
	(void)state;
	assert_owner("new/x.py", NULL, NULL);
	put("new-1.dist-info/RECORD", "new/x.py,,\n");
	assert_owner("new/x.py", "new", "1");
}

static void what_is_kept_is_kept_once(void **state)
{
	char name[] = "a";
	struct event_package one = {.name = name, .version = "1", .above = "b 2"}, other = {.name = "a", .version = "1"};
	const struct event_package *kept = packages_keep(&one);

	(void)state;
	assert_ptr_not_equal(kept->name, name);
	assert_string_equal(kept->above, "b 2");
	assert_ptr_equal(kept, packages_keep(&one));
	assert_ptr_not_equal(kept, packages_keep(&other));
	name[0] = 'x';
	assert_string_equal(kept->name, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_word_is_read_and_taken_out),
		cmocka_unit_test(what_is_no_word_says_nothing),
		cmocka_unit_test(folders_of_editable_projects),
		cmocka_unit_test(a_file_belongs_to_who_lists_it),
		cmocka_unit_test(a_module_is_provided_by_who_lists_it),
		cmocka_unit_test(a_changed_folder_is_read_again),
		cmocka_unit_test(what_is_kept_is_kept_once),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
