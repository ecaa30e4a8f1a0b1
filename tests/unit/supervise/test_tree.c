/* handle_tree: served where Landlock's ABI is old, watched elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "one_world.h"

static bool there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static void own_body(struct world *x)
{
	long *r = x->result;
	int n = 0;
	int dirfd = (int)TRY(SYS_openat, AT_FDCWD, world_path(x, "own/dir"), O_PATH);
	r[n++] = TRY(SYS_rename, world_path(x, "own/file"), world_path(x, "own/dir/moved")) == 0 && there(world_path(x, "own/dir/moved"));
	r[n++] = TRY(SYS_renameat2, dirfd, "moved", AT_FDCWD, world_path(x, "home/moved"), 0) == 0 && there(world_path(x, "home/moved"));
	r[n++] = TRY(SYS_linkat, AT_FDCWD, world_path(x, "home/moved"), dirfd, "linked", 0) == 0 && there(world_path(x, "own/dir/linked"));
	r[n++] = TRY(SYS_link, world_path(x, "home/moved"), world_path(x, "own/dir/linked")) == -EEXIST;
	r[n++] = symlink("linked", world_path(x, "own/dir/soft")) == 0;
	r[n++] = TRY(SYS_linkat, dirfd, "soft", dirfd, "followed", AT_SYMLINK_FOLLOW) == 0;
	struct stat st;
	r[n++] = lstat(world_path(x, "own/dir/followed"), &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 3;
	r[n++] = TRY(SYS_linkat, dirfd, "soft", dirfd, "soft2", 0) == 0 && lstat(world_path(x, "own/dir/soft2"), &st) == 0 && S_ISLNK(st.st_mode);
	r[n++] = TRY(SYS_renameat2, dirfd, "soft", dirfd, "linked", 1) == -EEXIST;
	r[n++] = TRY(SYS_renameat2, dirfd, "soft", dirfd, "linked", 4) == -EINVAL;
	r[n++] = TRY(SYS_renameat2, dirfd, "soft", dirfd, "linked", 2) == 0;
	r[n++] = TRY(SYS_rename, world_path(x, "own/none"), world_path(x, "own/x")) == -ENOENT;
	r[n++] = TRY(SYS_rename, world_path(x, "own/dir/"), world_path(x, "own/dir2/")) == 0 && there(world_path(x, "own/dir2/followed"));
	r[n++] = TRY(SYS_rename, world_path(x, "own/dir2"), world_path(x, "own/dir2/sub")) == -EINVAL;
	r[n++] = TRY(SYS_rename, world_path(x, "own/dir2/.."), world_path(x, "own/y")) == -EBUSY;
	r[n++] = TRY(SYS_truncate, world_path(x, "own/dir2/followed"), 2) == 0 && stat(world_path(x, "home/moved"), &st) == 0 && st.st_size == 2;
	r[n++] = TRY(SYS_truncate, world_path(x, "own/dir2"), 0) == -EISDIR;
	r[n++] = TRY(SYS_truncate, world_path(x, "own/dir2/followed"), -1) == -EINVAL;
	r[n++] = TRY(SYS_truncate, NULL, 0) == -EFAULT;
	r[n++] = TRY(SYS_mkdir, world_path(x, "own/new"), 0755) == 0;
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, world_path(x, "own/new"), AT_REMOVEDIR) == 0;
	r[n++] = TRY(SYS_mkdir, x->outside, 0755) == -EEXIST;
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, world_path(x, "outside/none"), 0) == -ENOENT;
	r[RESULTS_MAX - 1] = n;
}

static void check_own(int abi, bool namespaces)
{
	w.caps.landlock_abi = abi;
	w.namespaces = namespaces;
	if (!world_run(&w, own_body))
		world_skip();
	for (long i = 0; i < w.result[RESULTS_MAX - 1]; i++) {
		if (!w.result[i])
			print_message("step %ld\n", i);
		assert_int_equal(w.result[i], 1);
	}
	assert_int_equal(w.events, 0);
}

static void own_abi_1(void **state) { check_own(1, false); }
static void own_abi_1_namespaces(void **state) { check_own(1, true); }

enum { OUTSIDE = 15 };

static void outside_body(struct world *x)
{
	long *r = x->result;
	int n = 0;
	if (symlink("../outside", world_path(x, "own/out")) < 0 || symlink("../outside/secret", world_path(x, "own/secretlink")) < 0)
		_exit(10);
	r[n++] = TRY(SYS_rename, world_path(x, "outside/plain"), world_path(x, "own/got"));
	r[n++] = TRY(SYS_rename, world_path(x, "own/out/plain"), world_path(x, "own/got"));
	r[n++] = TRY(SYS_rename, world_path(x, "own/file"), world_path(x, "own/out/put"));
	r[n++] = TRY(SYS_rename, world_path(x, "own/file"), world_path(x, "own/../outside/put"));
	r[n++] = TRY(SYS_rename, x->own, world_path(x, "home/own"));
	r[n++] = TRY(SYS_link, world_path(x, "outside/secret"), world_path(x, "own/got"));
	r[n++] = TRY(SYS_linkat, AT_FDCWD, world_path(x, "own/secretlink"), AT_FDCWD, world_path(x, "own/got"), AT_SYMLINK_FOLLOW);
	r[n++] = TRY(SYS_link, world_path(x, "own/file"), world_path(x, "outside/put"));
	r[n++] = TRY(SYS_truncate, world_path(x, "outside/plain"), 0);
	r[n++] = TRY(SYS_truncate, world_path(x, "own/secretlink"), 0);
	r[n++] = TRY(SYS_symlinkat, "x", AT_FDCWD, world_path(x, "environment/evil.pth"));
	r[n++] = TRY(SYS_mkdir, world_path(x, "outside/new"), 0755);
	r[n++] = TRY(SYS_mknodat, AT_FDCWD, world_path(x, "outside/new"), S_IFIFO | 0600, 0);
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, world_path(x, "outside/secret"), 0);
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, x->own, AT_REMOVEDIR);
	if (n != OUTSIDE)
		_exit(11);
}

static void check_outside(int abi)
{
	w.caps.landlock_abi = abi;
	assert_true(world_run(&w, outside_body));
	for (int i = 0; i < OUTSIDE; i++)
		assert_int_equal(w.result[i], -EACCES);
	assert_int_equal(w.events, OUTSIDE);
	assert_string_equal(w.event[5].type, "file.open");
	assert_string_equal(w.event[5].rule, "file.test");
	assert_string_equal(w.event[6].path, world_path(&w, "outside/secret"));
	assert_string_equal(w.event[10].rule, "file.write.environment");
	assert_true(there(world_path(&w, "outside/plain")) && there(world_path(&w, "outside/secret")) && there(world_path(&w, "own/file")));
	assert_false(there(world_path(&w, "own/got")) || there(world_path(&w, "outside/put")) || there(world_path(&w, "outside/new")));
	struct stat st;
	assert_int_equal(stat(world_path(&w, "outside/plain"), &st), 0);
	assert_int_equal(st.st_size, 5);
}

static void outside_abi_1(void **state) { check_outside(1); }
static void outside_abi_7(void **state) { check_outside(7); }

/* Renames, links and truncation in a folder that is now its own, now outside. */
static void race_body(struct world *x)
{
	long done = 0, refused = 0;
	char plain[200], moved[200], linked[200];
	snprintf(plain, sizeof plain, "%s/a/plain", x->own);
	snprintf(moved, sizeof moved, "%s/dir/moved", x->own);
	snprintf(linked, sizeof linked, "%s/dir/linked", x->own);
	while (world_swapping(x, done > 0 && refused > 0)) {
		long got = TRY(SYS_rename, plain, moved);
		*(got == 0 ? &done : &refused) += 1;
		if (got == 0)
			while (TRY(SYS_rename, moved, plain) != 0 && world_swapping(x, done > 0 && refused > 0))
				;
		if (TRY(SYS_link, plain, linked) == 0)
			unlink(linked);
		TRY(SYS_truncate, plain, 0);
	}
	x->result[0] = done;
	x->result[1] = refused;
}

static void swapped_component(void **state)
{
	struct stat before, after;
	w.caps.landlock_abi = 1;
	assert_int_equal(stat(world_path(&w, "outside/plain"), &before), 0);
	assert_true(world_run_swapping(&w, race_body));
	long done = w.result[0], refused = w.result[1];
	print_message("done %ld, refused %ld\n", done, refused);
	assert_true(done > 0 && refused > 0);
	assert_int_equal(stat(world_path(&w, "outside/plain"), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, 5);
	assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	assert_false(there(world_path(&w, "outside/moved")));
}

static int group(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {TEST(own_abi_1), TEST(own_abi_1_namespaces), TEST(outside_abi_1), TEST(outside_abi_7), TEST(swapped_component)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_as_both(group);
}
