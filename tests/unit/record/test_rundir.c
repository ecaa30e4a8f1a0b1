/* The run's folders, their removal and the sweep: launcher/base/rundir.c, made.c, rmtree.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/base/made.h"
#include "launcher/base/rmtree.h"
#include "launcher/base/rundir.h"

struct world {
	char base[64], tmp[96], state[96], home[96];
};

static int world_make(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	strcpy(w->base, "/tmp/pwtest-rundir-XXXXXX");
	if (mkdtemp(w->base) == NULL) {
		return -1;
	}
	snprintf(w->tmp, sizeof(w->tmp), "%s/tmp", w->base);
	snprintf(w->state, sizeof(w->state), "%s/a/b/runs", w->base);
	snprintf(w->home, sizeof(w->home), "%s/home", w->base);
	*state = w;
	return mkdir(w->tmp, 0700) | mkdir(w->home, 0700);
}

static int world_remove(void **state)
{
	struct world *w = *state;
	unsigned long budget = 1000000;
	int fd = open(w->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = rmtree_empty(fd, NULL, &budget);
	close(fd);
	r |= rmdir(w->base);
	free(w);
	return r;
}

static char *in(const char *folder, const char *name)
{
	static char path[4][4096];
	static unsigned turn;
	char *at = path[turn++ % 4];
	assert_true(snprintf(at, sizeof(path[0]), "%s/%s", folder, name) < (int)sizeof(path[0]));
	return at;
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static bool is_mode(const char *path, mode_t mode)
{
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & 07777) == mode;
}

/* A run that was killed: everything but the lock stays. */
static void die(struct rundir *r)
{
	rundir_close(r);
}

/* depth folders below each other, further down than any path can name; full: a file in each. */
static void deep(const char *path, int depth, bool full)
{
	int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(mkdirat(at, "directory-with-a-long-name-0123456789", 0700), 0);
		int below = openat(at, "directory-with-a-long-name-0123456789", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		if (full) {
			close(openat(at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		}
		close(at);
		at = below;
	}
	close(at);
}

static void test_create(void **state)
{
	struct world *w = *state;
	struct rundir r, again;
	assert_int_equal(rundir_create(&r, w->state, w->tmp), 0);
	assert_int_equal(strlen(r.id), RUNDIR_ID_LEN);
	assert_int_equal(strspn(r.id, "0123456789TZabcdef-"), RUNDIR_ID_LEN);
	assert_true(is_mode(r.state, 0700) && is_mode(r.tmp, 0700) && is_mode(w->state, 0700));
	assert_true(is_mode(in(r.tmp, "t"), 0700));
	assert_true(exists(in(r.tmp, "lock")) && !exists(in(r.tmp, "lock.new")));
	assert_true((fcntl(r.lock, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(r.dir, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(rundir_create(&again, w->state, w->tmp), 0);
	assert_string_not_equal(r.id, again.id);
	touch(in(r.state, "events.jsonl"));
	assert_int_equal(rundir_remove(&r), 0);
	assert_int_equal(rundir_remove(&again), 0);
	assert_false(exists(r.tmp) || exists(again.tmp));
	assert_true(exists(in(r.state, "events.jsonl"))); /* a journal stays */
	assert_false(exists(again.state));
}

static void test_create_fails(void **state)
{
	struct world *w = *state;
	struct rundir r;
	assert_int_equal(rundir_create(&r, NULL, in(w->base, "none")), -ENOENT);
	assert_string_equal(r.failed, in(w->base, "none"));
	assert_int_equal(rundir_create(&r, NULL, "relative"), -EINVAL);
	touch(in(w->base, "file"));
	assert_int_equal(rundir_create(&r, in(w->base, "file/runs"), w->tmp), -ENOTDIR);
	assert_memory_equal(r.failed, in(w->base, "file/runs"), strlen(in(w->base, "file/runs")));
	assert_int_equal(rmdir(w->tmp), 0); /* nothing was left in it */
	assert_int_equal(mkdir(w->tmp, 0700), 0);
	assert_int_equal(chmod(w->tmp, 0777), 0); /* anybody may rename in it */
	assert_int_equal(rundir_create(&r, NULL, w->tmp), -EPERM);
	assert_int_equal(chmod(w->tmp, 01777), 0);
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	assert_string_equal(r.state, "");
	assert_int_equal(rundir_remove(&r), 0);
	assert_int_equal(chmod(w->tmp, 0700), 0);
}

static void test_sweep_live_and_dead(void **state)
{
	struct world *w = *state;
	struct rundir live, dead, journalled;
	assert_int_equal(rundir_create(&live, w->state, w->tmp), 0);
	assert_int_equal(rundir_create(&dead, NULL, w->tmp), 0);
	assert_int_equal(rundir_create(&journalled, w->state, w->tmp), 0);
	touch(in(dead.tmp, "t/x"));
	touch(in(journalled.state, "events.jsonl"));
	touch(in(w->tmp, "pw-123456")); /* a file of that name; names that are not quite ours */
	assert_int_equal(mkdir(in(w->tmp, "pw-1234567"), 0700), 0);
	assert_int_equal(mkdir(in(w->tmp, "other"), 0700), 0);
	die(&dead);
	die(&journalled);
	assert_int_equal(rundir_sweep(w->tmp, w->state), 2);
	assert_false(exists(dead.tmp) || exists(journalled.tmp));
	assert_true(exists(live.tmp) && exists(in(live.tmp, "t")) && exists(live.state));
	assert_true(exists(in(journalled.state, "events.jsonl")));
	assert_true(exists(in(w->tmp, "pw-123456")) && exists(in(w->tmp, "pw-1234567")) && exists(in(w->tmp, "other")));
	assert_int_equal(rundir_sweep(w->tmp, NULL), 0);
	assert_int_equal(rundir_remove(&live), 0);
}

/* The lock lives as long as any process that inherited it. */
static void test_sweep_inherited_lock(void **state)
{
	struct world *w = *state;
	struct rundir r;
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	die(&r);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 0);
	assert_true(exists(r.tmp));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 1);
	assert_false(exists(r.tmp));
}

/* ctime cannot be set, so the clock is: the test is linked with --wrap=time. */
static time_t clock_ahead;
time_t __real_time(time_t *out);
time_t __wrap_time(time_t *out);

time_t __wrap_time(time_t *out)
{
	return __real_time(out) + clock_ahead;
}

/* Between mkdir and the lock a run is young, and live; what died there becomes old. */
static void test_sweep_young(void **state)
{
	struct world *w = *state;
	assert_int_equal(mkdir(in(w->tmp, "pw-abcdef"), 0700), 0);
	touch(in(w->tmp, "pw-abcdef/lock.new"));
	assert_int_equal(rundir_sweep(w->tmp, NULL), 0);
	assert_true(exists(in(w->tmp, "pw-abcdef/lock.new")));
	struct rundir stillborn;
	assert_int_equal(rundir_create(&stillborn, w->state, w->tmp), 0); /* killed before it had a journal */
	die(&stillborn);
	clock_ahead = RUNDIR_GRACE + 2;
	assert_int_equal(rundir_sweep(w->tmp, w->state), 2);
	assert_true(exists(stillborn.state));
	clock_ahead = 3602;
	assert_int_equal(rundir_sweep(w->tmp, w->state), 0);
	assert_true(exists(stillborn.state)); /* old records are looked through only when a dead run is found */
	struct rundir another;
	assert_int_equal(rundir_create(&another, NULL, w->tmp), 0);
	die(&another);
	assert_int_equal(rundir_sweep(w->tmp, w->state), 1);
	clock_ahead = 0;
	assert_false(exists(in(w->tmp, "pw-abcdef")) || exists(stillborn.state));
}

static void test_sweep_symlink_traps(void **state)
{
	struct world *w = *state;
	struct rundir r;
	touch(in(w->home, "precious"));
	assert_int_equal(mkdir(in(w->home, "dir"), 0500), 0);
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	assert_int_equal(symlink(w->home, in(r.tmp, "t/link")), 0);
	assert_int_equal(symlink("../../home/precious", in(r.tmp, "t/link2")), 0);
	assert_int_equal(symlink("/", in(r.tmp, "t/root")), 0);
	assert_int_equal(mkdir(in(r.tmp, "t/d"), 0700), 0);
	assert_int_equal(symlink(w->home, in(r.tmp, "t/d/link")), 0);
	assert_int_equal(link(in(w->home, "precious"), in(r.tmp, "t/hard")), 0);
	assert_int_equal(mkfifo(in(r.tmp, "t/fifo"), 0), 0);
	/* a run's folder that is a link, and a lock that is one */
	assert_int_equal(symlink(w->home, in(w->tmp, "pw-llllll")), 0);
	assert_int_equal(mkdir(in(w->tmp, "pw-kkkkkk"), 0700), 0);
	assert_int_equal(symlink("/dev/null", in(w->tmp, "pw-kkkkkk/lock")), 0);
	die(&r);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 1);
	assert_false(exists(r.tmp));
	assert_true(exists(in(w->home, "precious")) && is_mode(in(w->home, "dir"), 0500));
	assert_true(exists(in(w->tmp, "pw-llllll")) && exists(in(w->tmp, "pw-kkkkkk/lock")));
}

static void test_deep_and_wide(void **state)
{
	struct world *w = *state;
	struct rundir r;
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	deep(in(r.tmp, "t"), 400, true);
	assert_int_equal(mkdir(in(r.tmp, "0h"), 0700), 0);
	deep(in(r.tmp, "0h"), 300, false);
	for (int i = 0; i < 500; i++) {
		char name[32];
		snprintf(name, sizeof(name), "t/%d", i);
		assert_int_equal(mkdir(in(r.tmp, name), 0700), 0);
		strcat(name, "/file");
		touch(in(r.tmp, name));
	}
	assert_int_equal(mkdir(in(r.tmp, ".gone-0"), 0700), 0); /* a name that the removal wants for itself */
	touch(in(r.tmp, ".gone-0/x"));
	assert_int_equal(rundir_remove(&r), 0);
	assert_false(exists(r.tmp));
}

static void test_bounded(void **state)
{
	struct world *w = *state;
	unsigned long budget = 50;
	deep(w->home, 100, true);
	int fd = open(w->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rmtree_empty(fd, NULL, &budget), -EAGAIN);
	assert_int_equal(budget, 0);
	budget = 10000;
	assert_int_equal(rmtree_empty(fd, NULL, &budget), 0);
	close(fd);
	assert_int_equal(rmdir(w->home), 0);
}

/* As the ordinary user that owns it; root needs no modes. */
static void remove_read_only(const struct world *w)
{
	struct rundir r;
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	assert_int_equal(mkdir(in(r.tmp, "t/a"), 0700), 0);
	assert_int_equal(mkdir(in(r.tmp, "t/a/b"), 0700), 0);
	assert_int_equal(mkdir(in(r.tmp, "t/a/b/c"), 0700), 0);
	touch(in(r.tmp, "t/a/b/c/file"));
	assert_int_equal(mkdir(in(r.tmp, "t/empty"), 0), 0);
	assert_int_equal(chmod(in(r.tmp, "t/a/b/c"), 0), 0);
	assert_int_equal(chmod(in(r.tmp, "t/a/b"), 0500), 0);
	assert_int_equal(chmod(in(r.tmp, "t/a"), 0), 0);
	assert_int_equal(chmod(in(r.tmp, "t"), 0500), 0);
	die(&r);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 1);
	assert_false(exists(r.tmp));
}

static void test_read_only(void **state)
{
	struct world *w = *state;
	if (geteuid() != 0) {
		remove_read_only(w);
		return;
	}
	const struct passwd *nobody = getpwnam("nobody");
	assert_non_null(nobody);
	assert_int_equal(chown(w->tmp, nobody->pw_uid, nobody->pw_gid), 0);
	assert_int_equal(chmod(w->base, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		_exit(setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) != 0 ? 2 : (remove_read_only(w), 0));
	}
	int status;
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static void test_foreign_owner(void **state)
{
	struct world *w = *state;
	struct rundir r;
	if (geteuid() != 0) {
		print_message("needs root: a folder of another user\n");
		skip();
	}
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	die(&r);
	assert_int_equal(chown(r.tmp, 12345, 12345), 0);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 0);
	assert_true(exists(in(r.tmp, "lock")));
	assert_int_equal(chown(r.tmp, 0, 0), 0);
	assert_int_equal(chown(in(r.tmp, "t"), 12345, 12345), 0); /* inside ours: root may have let a build chown */
	assert_int_equal(rundir_sweep(w->tmp, NULL), 1);
}

/* Another filesystem in the tree is left alone (in a mount namespace of the test's own). */
static void test_other_device(void **state)
{
	struct world *w = *state;
	if (geteuid() != 0) {
		print_message("needs root: a mount\n");
		skip();
	}
	pid_t child = fork();
	if (child == 0) {
		struct rundir r;
		if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    rundir_create(&r, NULL, w->tmp) != 0 || mkdir(in(r.tmp, "t/m"), 0700) != 0 ||
		    mount("tmpfs", in(r.tmp, "t/m"), "tmpfs", 0, NULL) != 0) {
			_exit(2);
		}
		touch(in(r.tmp, "t/m/precious"));
		touch(in(r.tmp, "t/x"));
		bool left = rundir_remove(&r) != 0 && !exists(in(r.tmp, "t/x"));
		/* t holds the mount, so t may have moved; the file itself must be where it was. */
		_exit(left && exists(in(r.tmp, "t/m/precious")) && exists(in(r.tmp, "lock")) ? 0 : 1);
	}
	int status;
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2 && getenv("PIPWARDEN_MUST_WORK") == NULL) {
		print_message("no mounts for this root\n");
		skip();
	}
	assert_int_equal(status, 0);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 1); /* here there is no mount */
}

static void test_made(void **state)
{
	struct world *w = *state;
	struct rundir r;
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	assert_int_equal(mkdir(in(w->home, "mine"), 0700), 0);
	assert_int_equal(mkdir(in(w->home, "real"), 0700), 0);
	assert_int_equal(symlink("real", in(w->home, "link")), 0);
	assert_int_equal(made_note(r.dir, in(w->home, "mine")), -EEXIST); /* it was there: it is not ours to remove */
	assert_int_equal(made_note(r.dir, "relative"), -EINVAL);
	assert_int_equal(made_note(r.dir, in(w->home, "a/../b")), -EINVAL);
	assert_int_equal(made_note(r.dir, "/"), -EINVAL);
	assert_int_equal(rundir_make(&r, in(w->home, ".cache/pip/"), 0700), 0);
	assert_int_equal(rundir_make(&r, in(w->home, ".cache/used"), 0700), 0);
	assert_int_equal(rundir_make(&r, in(w->home, "link/x"), 0700), 0); /* by way of a link of the user's own */
	assert_int_equal(rundir_make(&r, in(w->home, "mine"), 0700), 0);
	assert_true(exists(in(w->home, ".cache/pip")) && exists(in(w->home, "real/x")));
	touch(in(w->home, ".cache/used/file"));
	assert_int_equal(rundir_remove(&r), 0);
	assert_false(exists(in(w->home, ".cache/pip")) || exists(in(w->home, "real/x")));
	assert_true(exists(in(w->home, ".cache/used/file")) && exists(in(w->home, "mine")) && exists(in(w->home, "real")));
}

static void test_made_after_kill(void **state)
{
	struct world *w = *state;
	struct rundir r;
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	assert_int_equal(rundir_make(&r, in(w->home, "d1/d2/d3"), 0700), 0);
	assert_int_equal(rundir_make(&r, in(w->home, "e1/e2"), 0700), 0);
	assert_int_equal(mkdir(in(w->home, "other"), 0700), 0);
	assert_int_equal(mkdir(in(w->home, "other/e2"), 0700), 0);
	assert_int_equal(rmdir(in(w->home, "e1/e2")) | rmdir(in(w->home, "e1")), 0);
	assert_int_equal(symlink("other", in(w->home, "e1")), 0); /* a link where a noted parent was */
	int fd = open(in(r.tmp, "made"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, in(w->home, "mi"), 4), 4); /* a last entry that was cut */
	close(fd);
	die(&r);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 1);
	assert_false(exists(in(w->home, "d1")));
	assert_true(exists(in(w->home, "other/e2")) && exists(in(w->home, "e1")));
}

static void test_hold(void **state)
{
	struct world *w = *state;
	struct rundir r;
	char one[4096], two[4096];
	assert_int_equal(rundir_create(&r, NULL, w->tmp), 0);
	assert_int_equal(mkdir(in(w->home, "bin"), 0700) | mkdir(in(w->home, "etc"), 0700), 0);
	assert_int_equal(rundir_hold(&r, in(w->home, "missing")), -ENOENT);
	assert_false(exists(in(w->home, "missing")));
	assert_int_equal(rundir_hold(&r, in(w->home, "bin")), 0);
	assert_int_equal(rundir_hold(&r, in(w->home, "etc")), 0);
	snprintf(one, sizeof(one), "%s/bin/.pipwarden-hold-%s", w->home, r.id);
	snprintf(two, sizeof(two), "%s/etc/.pipwarden-hold-%s", w->home, r.id);
	assert_true(exists(one) && exists(two));
	int fd = open(two, O_WRONLY);
	assert_int_equal(write(fd, "x", 1), 1); /* somebody's own by now */
	close(fd);
	die(&r);
	assert_int_equal(rundir_sweep(w->tmp, NULL), 1);
	assert_false(exists(one));
	assert_true(exists(two) && exists(in(w->home, "bin")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_make, world_remove)
		T(test_create), T(test_create_fails), T(test_sweep_live_and_dead), T(test_sweep_inherited_lock), T(test_sweep_young),
		T(test_sweep_symlink_traps), T(test_deep_and_wide), T(test_bounded), T(test_read_only), T(test_foreign_owner),
		T(test_other_device), T(test_made), T(test_made_after_kill), T(test_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
