/* The view of folders, what is judged in them, and what is taken back: in a folder of their own, against what a package could lay there. */
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
#include "launcher/findings/beneath.h"
#include "launcher/findings/takeback.h"

#define X "sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE" /* of "x" */

static char top[64], site[96], bin[96], kept[96];
static struct view view;
static struct dists dists;
static struct { char rule[40], path[PATH_MAX]; struct dist *dist; bool placed; } found[8000];
static size_t count, stayed;
static uint64_t hash_max = TAKEBACK_HASH_MAX;

static void put(const char *path, const char *text)
{
	char whole[PATH_MAX], *at;

	snprintf(whole, sizeof whole, "%s/%s", top, path);
	for (at = whole + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
		*at = '\0';
		mkdir(whole, 0755);
	}
	cleanup_fd int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

static bool there(const char *path)
{
	char whole[PATH_MAX];
	struct stat st;

	snprintf(whole, sizeof whole, "%s/%s", top, path);
	return lstat(whole, &st) == 0;
}

static int begin_at(const char *where)
{
	snprintf(top, sizeof top, "%s/pwfindXXXXXX", where);
	assert_non_null(mkdtemp(top));
	snprintf(site, sizeof site, "%s/lib/site-packages", top);
	snprintf(bin, sizeof bin, "%s/bin", top);
	snprintf(kept, sizeof kept, "%s/kept", top);
	put("lib/site-packages/old/__init__.py", "old");
	put("lib/site-packages/old-1.dist-info/RECORD", "old/__init__.py," X ",1\nold-1.dist-info/RECORD,,\n");
	put("bin/known", "");
	put("kept/.x", "");
	put("secret", "mine");
	return 0;
}

static bool only_grave; /* the rest is not kept: there is too much of it */
static const char *only_of; /* the same: what start-up files are whose paths end so */

static int begin(void **state)
{
	return begin_at("/tmp");
}

/* For very many files. */
static int begin_in_memory(void **state)
{
	return begin_at(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static void keep(void *context, const struct finding *f)
{
	if (only_grave && strncmp(f->rule, "install.unread", 14) != 0 && strcmp(f->rule, "install.pth.hostile") != 0) {
		return;
	}
	if (only_of != NULL && (strncmp(f->rule, "install.pth.", 12) != 0 || strcmp(f->path + strlen(f->path) - strlen(only_of), only_of) != 0)) {
		return;
	}
	assert_true(count < sizeof found / sizeof *found);
	found[count].dist = f->dist;
	found[count].placed = f->folder != NULL;
	snprintf(found[count].rule, sizeof found[count].rule, "%s", f->rule);
	snprintf(found[count++].path, PATH_MAX, "%s", f->path != NULL ? f->path : "");
}

static bool has(const char *rule, const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof whole, "%s/%s", top, path);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(found[i].rule, rule) == 0 && strcmp(found[i].path, whole) == 0) {
			return true;
		}
	}
	return false;
}

static void stays(void *context, const struct dist *d, const char *path, const char *why)
{
	stayed++;
}

static void look_before(void)
{
	struct timespec now;

	assert_int_equal(view_add(&view, FOLDER_PACKAGES, site), 0);
	assert_int_equal(view_add(&view, FOLDER_SCRIPTS, bin), 0);
	assert_int_equal(view_add(&view, FOLDER_PACKAGES, site), 0);
	assert_int_equal(view.n, 2);
	usleep(20000); /* the kernel's clock for files goes by some milliseconds */
	clock_gettime(CLOCK_REALTIME, &now);
	view_before(&view, now, NULL);
	usleep(20000);
}

static const struct judge *look_after(void)
{
	static struct judge j;

	view_after(&view);
	assert_int_equal(dists_read(&dists, &view), 0);
	j = (struct judge){.view = &view, .dists = &dists, .umask = 022, .found = keep};
	judge_all(&j);
	return &j;
}

static void look_after_of_many(void)
{
	only_grave = true;
	look_after();
}

static bool has_of(const char *rule, const char *info)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(found[i].rule, rule) == 0 && found[i].dist != NULL && strcmp(found[i].dist->info, info) == 0) {
			return true;
		}
	}
	return false;
}

static void take(const struct judge *j)
{
	cleanup_fd int fd = open(kept, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct takeback t = {.judge = j, .quarantine = fd, .hash_left = hash_max, .stays = stays};

	for (size_t i = 0; i < dists.n; i++) {
		dists.v[i].take_back = strcmp(dists.v[i].name, "new") == 0;
	}
	takeback_dists(&t);
}

static int end(void **state)
{
	unsigned long budget = 1000000;
	cleanup_fd int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dists_finish(&dists);
	view_finish(&view);
	count = stayed = 0;
	only_grave = false;
	only_of = NULL;
	hash_max = TAKEBACK_HASH_MAX;
	rmtree_empty(fd, NULL, &budget);
	return rmdir(top);
}

static void a_package_is_judged_and_taken_back(void **state)
{
	look_before();
	put("lib/site-packages/new/__init__.py", "x");
	put("lib/site-packages/new/__pycache__/__init__.cpython-311.pyc", "y");
	put("lib/site-packages/new.pth", "import os\n");
	put("lib/site-packages/.pth", "import os\n");
	put("bin/sudo", "x");
	put("lib/site-packages/new-1.dist-info/RECORD",
	    "new/__init__.py," X ",1\nnew/__pycache__/__init__.cpython-311.pyc,,\nnew.pth," X ",1\n.pth,,\n../../bin/sudo,,\nnew-1.dist-info/RECORD,,\n");
	const struct judge *j = look_after();
	assert_true(has("install.pth.hostile", "lib/site-packages/new.pth") && has("install.record.hash", "lib/site-packages/new.pth"));
	assert_true(has("install.pth.hostile", "lib/site-packages/.pth"));
	assert_true(has("install.shadow.command", "bin/sudo"));
	assert_string_equal(dists.v[0].name, "new");
	take(j);
	assert_false(there("lib/site-packages/new") || there("lib/site-packages/new.pth") || there("lib/site-packages/new-1.dist-info") || there("bin/sudo"));
	assert_true(there("lib/site-packages/old/__init__.py") && there("bin/known") && stayed == 0);
}

static void nothing_is_led_elsewhere(void **state)
{
	char link[PATH_MAX];

	look_before();
	put("lib/site-packages/new.pth", "import os\n");
	snprintf(link, sizeof link, "%s/away", site);
	assert_int_equal(symlink(top, link), 0);
	snprintf(link, sizeof link, "%s/file", site);
	assert_int_equal(symlink("../../secret", link), 0);
	snprintf(link, sizeof link, "%s/fifo.pth", site);
	assert_int_equal(mkfifo(link, 0600), 0);
	put("lib/site-packages/new-1.dist-info/RECORD",
	    "new.pth," X ",1\naway/secret," X ",1\nfile," X ",1\nfifo.pth,,\n../../secret," X ",1\n/etc/passwd,,\nold/__init__.py," X ",1\n../../bin/known,,\n\nnew-1.dist-info/RECORD,,\n");
	const struct judge *j = look_after();
	assert_true(has("install.record.absent", "lib/site-packages/away/secret") && has("install.record.kind", "lib/site-packages/file"));
	assert_true(has("install.record.foreign", "bin/known") && has("install.record.outside", "secret"));
	assert_true(has("install.pth.hostile", "lib/site-packages/fifo.pth"));
	take(j);
	assert_true(there("secret") && there("lib/site-packages/away") && there("lib/site-packages/old/__init__.py") && there("bin/known"));
	assert_false(there("lib/site-packages/new.pth") || there("lib/site-packages/file"));
	cleanup_fd int dir = open(site, O_PATH | O_DIRECTORY);
	assert_int_equal(beneath_open(dir, "away/secret"), -ENOTDIR);
	assert_int_equal(beneath_open(dir, "../../secret"), -EINVAL);
	assert_int_equal(beneath_open(dir, "/etc/passwd"), -EINVAL);
	assert_int_equal(beneath_open(dir, "old//__init__.py"), -EINVAL);
}

static void a_file_of_two_stays_while_it_is_the_others(void **state)
{
	put("lib/site-packages/old/__init__.py", "x"); /* as RECORD has it */
	look_before();
	put("lib/site-packages/old/__init__.py", "x");
	put("lib/site-packages/new-1.dist-info/RECORD", "old/__init__.py," X ",1\nnew-1.dist-info/RECORD,,\n");
	take(look_after());
	assert_true(there("lib/site-packages/old/__init__.py") && stayed == 1);
}

static void an_overwritten_file_goes(void **state)
{
	look_before();
	put("lib/site-packages/old/__init__.py", "evil");
	put("lib/site-packages/new-1.dist-info/RECORD", "old/__init__.py,sha256=tcH7Lvxta0Z0wv3MSM4BtDo7fAN2PAwzVd4Ame4PjHM,4\nnew-1.dist-info/RECORD,,\n");
	const struct judge *j = look_after();
	assert_true(has("install.overlap", "lib/site-packages/old/__init__.py"));
	take(j);
	assert_false(there("lib/site-packages/old/__init__.py") || stayed > 0);
	assert_true(there("lib/site-packages/old")); /* was there before */
}

static void a_record_without_end(void **state)
{
	look_before();
	put("lib/site-packages/new-1.dist-info/METADATA", "Name: Other\nVersion: 2\n");
	put("lib/site-packages/new-1.dist-info/RECORD", "\"never closed");
	put("lib/site-packages/-1.dist-info/RECORD", "a,,\n");
	put("lib/site-packages/bad.dist-info/RECORD", "a,,\n");
	look_after();
	assert_int_equal(dists.n, 1);
	assert_string_equal(dists.v[0].name, "new"); /* METADATA speaks of another one */
}

#define NAMESPACE "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('pwa', 'pwb'));importlib = __import__('importlib.util');" \
	"__import__('importlib.machinery');m = sys.modules.setdefault('pwa.pwb', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec(" \
	"'pwa.pwb', [os.path.dirname(p)])));m = m or sys.modules.setdefault('pwa.pwb', types.ModuleType('pwa.pwb'));" \
	"mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p);m and setattr(sys.modules['pwa'], 'pwb', m)\n"

/* Of "%s", five times the name: one without a package above. */
#define LINE_OF "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('%s',));importlib = __import__('importlib.util');" \
	"__import__('importlib.machinery');m = sys.modules.setdefault('%s', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec(" \
	"'%s', [os.path.dirname(p)])));m = m or sys.modules.setdefault('%s', types.ModuleType('%s'));" \
	"mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n"

/* What the import system would take for pwa.pwb, named by a RECORD of this run or there since an earlier one. */
static void a_namespace_that_loads_native_code(void **state)
{
	static const char *const native[] = {"pwb.so", "pwb.abi3.so", "pwb.cpython-311-x86_64-linux-gnu.so", "pwb/__init__.so", "pwb/__init__.abi3.so"};
	static const char *const plain[] = {"pwb/__init__.py", "pwb/x.so", "pwb/sub/__init__.so", "pwbx.so", "xpwb/__init__.so", "pwc/__init__.so"};
	char path[PATH_MAX], record[PATH_MAX + 100];

	for (size_t i = 0; i < 2 * (sizeof native / sizeof *native + sizeof plain / sizeof *plain); i++) {
		size_t of = i / 2, first = sizeof native / sizeof *native;
		bool earlier = i % 2 == 0, loads = of < first;
		snprintf(path, sizeof path, "lib/site-packages/pwa/%s", loads ? native[of] : plain[of - first]);
		if (i > 0) {
			begin(state);
		}
		if (earlier) {
			put(path, "x");
		}
		look_before();
		put(path, "x");
		put("lib/site-packages/new-nspkg.pth", NAMESPACE);
		snprintf(record, sizeof record, "%s,,\nnew-nspkg.pth,,\nnew-1.dist-info/RECORD,,\n", earlier ? "new.py" : path + strlen("lib/site-packages/"));
		put("lib/site-packages/new-1.dist-info/RECORD", record);
		look_after();
		if (has("install.pth.hostile", "lib/site-packages/new-nspkg.pth") != loads || has("install.pth.known", "lib/site-packages/new-nspkg.pth") == loads) {
			fail_msg("%s, %s", path, earlier ? "of an earlier run" : "of this one");
		}
		if (i + 1 < 2 * (first + sizeof plain / sizeof *plain)) {
			end(state);
		}
	}
}

/* Where a link leads is not looked at: there may be such a file. */
static void a_namespace_behind_a_link(void **state)
{
	char link[PATH_MAX];

	put("away/pwb.so", "x");
	snprintf(link, sizeof link, "%s/pwa", site);
	assert_int_equal(symlink("../../away", link), 0);
	look_before();
	put("lib/site-packages/new-nspkg.pth", NAMESPACE);
	put("lib/site-packages/new-1.dist-info/RECORD", "new-nspkg.pth,,\nnew-1.dist-info/RECORD,,\n");
	look_after();
	assert_true(has("install.pth.hostile", "lib/site-packages/new-nspkg.pth"));
}

/* Each of them with its distribution and its place, or nothing of it would be taken back. */
static void too_many_start_up_files(void **state)
{
	char path[64], *record = calloc(1, 40000), *at = record;
	size_t of_it = 0;

	look_before();
	for (int i = 0; i < 600; i++) {
		snprintf(path, sizeof path, "lib/site-packages/x%d.pth", i);
		put(path, "x\n");
		at += sprintf(at, "x%d.pth,,\n", i);
	}
	strcpy(at, "new-1.dist-info/RECORD,,\n");
	put("lib/site-packages/new-1.dist-info/RECORD", record);
	put("lib/site-packages/second-1.dist-info/RECORD", record);
	look_after();
	for (size_t i = 0; i < count; i++) {
		of_it += strcmp(found[i].rule, "install.pth.hostile") == 0 && found[i].placed && found[i].dist != NULL;
	}
	assert_int_equal(of_it, 200);
	free(record);
}

static void fill(size_t n)
{
	cleanup_fd int dir = open(site, O_PATH | O_DIRECTORY);
	char name[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "junk%zu", i);
		cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CREAT, 0644);
		assert_true(fd >= 0);
	}
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* x000.pth and so on, of 20 lines of namespace packages without native code, and the hostile zz.pth behind them; each of the RECORDs names them all. */
static void lay_start_ups(size_t files, size_t records, bool other_names)
{
	char path[64], name[16], *text = malloc(40 * sizeof LINE_OF), *record = calloc(1, (files + 2) * 20), *at = record;

	for (size_t i = 0; i < files; i++) {
		char *to = text;
		for (size_t line = 0; line < 20; line++) {
			snprintf(name, sizeof name, "pw%zu", other_names ? i * 20 + line : 0);
			to += sprintf(to, LINE_OF, name, name, name, name, name);
		}
		snprintf(path, sizeof path, "lib/site-packages/x%03zu.pth", i);
		put(path, text);
		at += sprintf(at, "x%03zu.pth,,\n", i);
	}
	strcpy(at, "zz.pth,,\n");
	put("lib/site-packages/zz.pth", "import os\n");
	for (size_t i = 0; i < records; i++) {
		snprintf(path, sizeof path, "lib/site-packages/n%zu-1.dist-info/RECORD", i);
		put(path, record);
	}
	free(text);
	free(record);
}

/* With their place and distribution, or nothing would be taken back. */
static size_t placed(const char *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		n += strcmp(found[i].rule, rule) == 0 && found[i].placed && found[i].dist != NULL;
	}
	return n;
}

/* Each of the numbers is one that is looked at; their product is not. */
static void start_up_files_that_many_records_name(void **state)
{
	double begun;

	look_before();
	lay_start_ups(300, 200, false);
	only_of = "/zz.pth";
	begun = cpu();
	look_after();
	assert_true(cpu() - begun < 20);
	assert_int_equal(placed("install.pth.hostile"), 200);
}

/* Beyond that nothing is read, and what is harmless is hostile as well. */
static void the_first_of_many_are_judged(void **state)
{
	look_before();
	lay_start_ups(50, 60, false);
	only_of = ".pth";
	look_after();
	assert_int_equal(placed("install.pth.known"), 2000);
	assert_int_equal(placed("install.pth.hostile"), 51 * 60 - 2000);
	assert_true(has("install.pth.known", "lib/site-packages/x000.pth"));
	assert_false(has("install.pth.known", "lib/site-packages/x049.pth"));
}

/* Each line has all of the folder read. */
static void namespaces_in_a_large_folder(void **state)
{
	double begun;

	look_before();
	fill(50000);
	lay_start_ups(400, 1, true);
	only_of = ".pth";
	begun = cpu();
	look_after();
	assert_true(cpu() - begun < 20);
	assert_true(placed("install.pth.known") > 0 && placed("install.pth.hostile") > 1);
	assert_int_equal(placed("install.pth.known") + placed("install.pth.hostile"), 401);
}

/* Each folder that is removed is looked for from the top: of very deep ones some are left, which is said once. */
static void folders_without_end(void **state)
{
	enum { CHAINS = 3, DEPTH = 1900 };
	char *record = calloc(1, CHAINS * (2 * DEPTH + 100)), *path = malloc(2 * DEPTH + 100);
	const size_t begin = strlen("lib/site-packages/");
	double begun;

	look_before();
	for (int i = 0; i < CHAINS; i++) {
		int n = sprintf(path, "lib/site-packages/new%02d/", i);
		for (int k = 0; k < DEPTH; k++) {
			n += sprintf(path + n, "a/");
		}
		strcpy(path + n, "x.py");
		put(path, "x");
		sprintf(record + strlen(record), "%s," X ",1\n", path + begin);
	}
	put("lib/site-packages/new-1.dist-info/RECORD", record);
	const struct judge *j = look_after();
	begun = cpu();
	take(j);
	assert_true(cpu() - begun < 30);
	assert_int_equal(stayed, 1);
	assert_false(there(path) || there("lib/site-packages/new00") || !there("lib/site-packages/new02"));
	free(record);
	free(path);
}

/* Groups that are there again, and more than a run may bring. */
static void entry_points_without_end(void **state)
{
	char path[100], *text = malloc((1u << 20) + 1), *at = text;
	double begun;
	size_t points = 0, unread = 0;

	while (at + 12 <= text + (1u << 20)) {
		at += sprintf(at, "[pytest11]\n");
	}
	look_before();
	for (int i = 0; i < 70; i++) {
		snprintf(path, sizeof path, "lib/site-packages/n%d-1.dist-info/RECORD", i);
		put(path, "");
		snprintf(path, sizeof path, "lib/site-packages/n%d-1.dist-info/entry_points.txt", i);
		put(path, text);
	}
	begun = cpu();
	look_after();
	assert_true(cpu() - begun < 5);
	for (size_t i = 0; i < count; i++) {
		points += strcmp(found[i].rule, "install.plug-in") == 0;
		unread += strcmp(found[i].rule, "install.unread") == 0;
	}
	assert_int_equal(unread, 6);
	assert_int_equal(points, 64 * 101);
	free(text);
}

/* Nothing hides behind the bound: of 60 start-up files and two .dist-info one at least would lie beyond it, in whatever order the folder is read. */
static void a_folder_that_is_filled(void **state)
{
	char path[64], *record = calloc(1, 1100 * 20), *at = record;
	size_t hostile = 0;

	look_before();
	for (int i = 0; i < 60; i++) {
		if (i == 30) {
			fill(130000);
		}
		snprintf(path, sizeof path, "lib/site-packages/x%d.pth", i);
		put(path, "import os\n");
	}
	for (int i = 0; i < 1100; i++) {
		at += sprintf(at, "junk%d,,\n", i);
	}
	put("lib/site-packages/new-1.dist-info/RECORD", record);
	put("lib/site-packages/honest-1.dist-info/RECORD", "honest.py,,\n");
	free(record);
	look_after_of_many();
	for (size_t i = 0; i < count; i++) {
		hostile += strcmp(found[i].rule, "install.pth.hostile") == 0;
	}
	assert_int_equal(hostile, 60);
	assert_true(has_of("install.unread.filled", "new-1.dist-info"));
	assert_false(has_of("install.unread.filled", "honest-1.dist-info") || has("install.unread", "lib/site-packages"));
}

/* What was there before is nobody's of this run. */
static void a_folder_that_was_full(void **state)
{
	fill(100100);
	look_before();
	put("lib/site-packages/new-1.dist-info/RECORD", "new.py,,\n");
	look_after_of_many();
	assert_true(has("install.unread", "lib/site-packages"));
	assert_false(has_of("install.unread.filled", "new-1.dist-info"));
	assert_int_equal(dists.n, 1);
}

static char *junk_record(const char *letter, size_t lines)
{
	char *text = malloc(lines * 20 + 1), *at = text;

	for (size_t i = 0; i < lines; i++) {
		at += sprintf(at, "%s%zu,,\n", letter, i);
	}
	return text;
}

static void a_record_that_is_too_long(void **state)
{
	char *lines = junk_record("j", 400001), *bytes = malloc((32u << 20) + 2);

	look_before();
	put("lib/site-packages/new-1.dist-info/RECORD", lines);
	memset(bytes, '\n', (32u << 20) + 1);
	bytes[(32u << 20) + 1] = '\0';
	memcpy(bytes, "first.py,,", 10);
	put("lib/site-packages/second-1.dist-info/RECORD", bytes);
	put("lib/site-packages/honest-1.dist-info/RECORD", "honest.py,,\n");
	put("lib/site-packages/paths.pth", "x\n"); /* which the rest may name */
	look_after_of_many();
	assert_true(has_of("install.unread.filled", "new-1.dist-info") && has_of("install.unread.filled", "second-1.dist-info"));
	assert_false(has_of("install.unread.filled", "honest-1.dist-info"));
	assert_true(has("install.pth.hostile", "lib/site-packages/paths.pth"));
	assert_non_null(dists_find(&dists, &view.v[0], "first.py"));
	free(lines);
	free(bytes);
}

static void records_that_are_too_long_together(void **state)
{
	char *a = junk_record("a", 390000), *b = junk_record("b", 380000);

	look_before();
	put("lib/site-packages/new-1.dist-info/RECORD", a);
	put("lib/site-packages/next-1.dist-info/RECORD", b);
	put("lib/site-packages/small-1.dist-info/RECORD", "small.py,,\n");
	put("lib/site-packages/then-1.dist-info/RECORD", b);
	look_after_of_many();
	assert_true(has_of("install.unread.filled", "new-1.dist-info") && has_of("install.unread.filled", "then-1.dist-info"));
	assert_false(has_of("install.unread.filled", "small-1.dist-info"));
	assert_true(dists.named <= 1000000);
	free(a);
	free(b);
}

/* As a RECORD has it. */
static void hash_of(const char *path, char out[64])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char hash[33] = {0};
	cleanup_fd int dir = open(site, O_PATH | O_DIRECTORY);
	char *at = out + sprintf(out, "sha256=");

	assert_int_equal(beneath_hash(dir, path, 1 << 20, hash), 0);
	for (size_t bit = 0; bit < 258; bit += 6) {
		unsigned two = (unsigned)hash[bit / 8] << 8 | (bit / 8 < 32 ? hash[bit / 8 + 1] : 0);
		*at++ = letters[two >> (10 - bit % 8) & 63];
	}
	*at = '\0';
}

/* Its RECORD names the other one's RECORD, with the right hash: that makes it no part of itself. */
static void anothers_claims_count(void **state)
{
	char old[64], twin[64], record[1000];

	put("lib/site-packages/old/__init__.py", "x"); /* as RECORD has it */
	look_before();
	put("lib/site-packages/old/__init__.py", "x");
	put("lib/site-packages/twin.py", "x");
	put("lib/site-packages/own.py", "x");
	put("lib/site-packages/twin-1.dist-info/RECORD", "twin.py," X ",1\ntwin-1.dist-info/RECORD,,\n");
	put("lib/site-packages/fake-1.dist-info/RECORD", "own.py," X ",1\n");
	hash_of("old-1.dist-info/RECORD", old);
	hash_of("twin-1.dist-info/RECORD", twin);
	snprintf(record, sizeof record, "old/__init__.py," X ",1\ntwin.py," X ",1\nown.py," X ",1\nold-1.dist-info/RECORD,%s,\ntwin-1.dist-info/RECORD,%s,\n", old, twin);
	hash_of("fake-1.dist-info/RECORD", old);
	snprintf(record + strlen(record), sizeof record - strlen(record), "fake-1.dist-info/RECORD,%s,\nnew-1.dist-info/RECORD,,\n", old);
	put("lib/site-packages/new-1.dist-info/RECORD", record);
	take(look_after());
	assert_true(there("lib/site-packages/old/__init__.py") && there("lib/site-packages/twin.py"));
	assert_false(there("lib/site-packages/own.py"));
}

static void no_more_is_hashed_than_is_allowed(void **state)
{
	put("lib/site-packages/old/__init__.py", "x");
	look_before();
	put("lib/site-packages/old/new.py", "x");
	put("lib/site-packages/new-1.dist-info/RECORD", "old/new.py," X ",1\nnew-1.dist-info/RECORD,,\n");
	const struct judge *j = look_after();
	hash_max = 1000;
	take(j);
	assert_true(there("lib/site-packages/old/new.py") && stayed == 1);
	hash_max = TAKEBACK_HASH_MAX;
	take(j);
	assert_false(there("lib/site-packages/old/new.py"));
}

/* One file that two RECORDs name very often: the time is that of reading them. */
static void lines_that_are_there_again(void **state)
{
	static const char hash[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t lines = 300000;
	char *many = malloc(lines * 80), *equal = malloc(lines * 20), *at = many;
	struct timespec begun, ended;

	for (size_t i = 0; i < lines; i++) {
		at += sprintf(at, "old/a.py,sha256=%c%c%c%cAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,1\n", hash[i % 64], hash[i / 64 % 64], hash[i / 4096 % 64], hash[i / 262144]);
	}
	strcpy(at, "new-1.dist-info/RECORD,,\n");
	at = equal;
	for (size_t i = 0; i < lines; i++) {
		at += sprintf(at, "old/a.py," "md5=x" ",1\n");
	}
	put("lib/site-packages/old-1.dist-info/RECORD", many);
	look_before();
	put("lib/site-packages/old/a.py", "x");
	put("lib/site-packages/new-1.dist-info/RECORD", many);
	put("lib/site-packages/same-1.dist-info/RECORD", equal);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
	view_after(&view);
	assert_int_equal(dists_read(&dists, &view), 0);
	struct judge j = {.view = &view, .dists = &dists};
	take(&j);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	assert_int_equal(dists.v[0].n, lines + 1);
	assert_int_equal(dists.v[1].n, 1);
	assert_true(ended.tv_sec - begun.tv_sec < 10);
	free(many);
	free(equal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_package_is_judged_and_taken_back, begin, end), cmocka_unit_test_setup_teardown(nothing_is_led_elsewhere, begin, end),
		cmocka_unit_test_setup_teardown(a_file_of_two_stays_while_it_is_the_others, begin, end), cmocka_unit_test_setup_teardown(an_overwritten_file_goes, begin, end),
		cmocka_unit_test_setup_teardown(a_record_without_end, begin, end), cmocka_unit_test_setup_teardown(a_namespace_that_loads_native_code, begin, end),
		cmocka_unit_test_setup_teardown(a_namespace_behind_a_link, begin, end), cmocka_unit_test_setup_teardown(too_many_start_up_files, begin, end),
		cmocka_unit_test_setup_teardown(a_folder_that_is_filled, begin_in_memory, end), cmocka_unit_test_setup_teardown(a_folder_that_was_full, begin_in_memory, end),
		cmocka_unit_test_setup_teardown(a_record_that_is_too_long, begin, end), cmocka_unit_test_setup_teardown(records_that_are_too_long_together, begin, end),
		cmocka_unit_test_setup_teardown(anothers_claims_count, begin, end), cmocka_unit_test_setup_teardown(no_more_is_hashed_than_is_allowed, begin, end),
		cmocka_unit_test_setup_teardown(lines_that_are_there_again, begin, end),
		cmocka_unit_test_setup_teardown(start_up_files_that_many_records_name, begin, end), cmocka_unit_test_setup_teardown(the_first_of_many_are_judged, begin, end),
		cmocka_unit_test_setup_teardown(namespaces_in_a_large_folder, begin_in_memory, end),
		cmocka_unit_test_setup_teardown(folders_without_end, begin_in_memory, end), cmocka_unit_test_setup_teardown(entry_points_without_end, begin_in_memory, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
