/* handle_meta: what is the sandbox's own is changed, exactly; what is not stays as it was, by every way and under a race. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#include "launcher/sandbox/compat.h"
#include "one_world.h"

static long times_at(int dirfd, const char *path, long seconds, int flags)
{
	struct timespec t[2] = {{.tv_sec = seconds}, {.tv_sec = seconds, .tv_nsec = 5}};
	return TRY(SYS_utimensat, dirfd, path, t, flags);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static long mtime_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 ? st.st_mtim.tv_sec : -1;
}

/* Each call is followed by a look: a result of 1 says that it did what it should. */
static void own_body(struct world *x)
{
	long *r = x->result;
	char file[200], link[200], dir[200], self[64];
	snprintf(file, sizeof file, "%s/file", x->own);
	snprintf(link, sizeof link, "%s/link", x->own);
	snprintf(dir, sizeof dir, "%s/dir", x->own);
	int fd = (int)TRY(SYS_openat, AT_FDCWD, file, O_RDWR), dirfd = (int)TRY(SYS_openat, AT_FDCWD, x->own, O_PATH);
	int path_fd = (int)TRY(SYS_openat, AT_FDCWD, file, O_PATH);
	if (symlink("file", link) < 0 || fd < 0 || dirfd < 0 || path_fd < 0)
		_exit(10);
	int n = 0;
	r[n++] = TRY(SYS_chmod, file, 0600) == 0 && mode_of(file) == 0600;
	r[n++] = TRY(SYS_chmod, link, 0640) == 0 && mode_of(file) == 0640;
	r[n++] = TRY(SYS_fchmod, fd, 0604) == 0 && mode_of(file) == 0604;
	r[n++] = TRY(SYS_fchmodat, dirfd, "file", 0700) == 0 && mode_of(file) == 0700;
	r[n++] = TRY(PW_NR_fchmodat2, fd, "", 0710, AT_EMPTY_PATH) == 0 && mode_of(file) == 0710;
	r[n++] = TRY(PW_NR_fchmodat2, dirfd, "link", 0600, AT_SYMLINK_NOFOLLOW) == -EOPNOTSUPP;
	snprintf(self, sizeof self, "/proc/self/fd/%d", path_fd);
	r[n++] = TRY(SYS_chmod, self, 0755) == 0 && mode_of(file) == 0755;
	r[n++] = TRY(SYS_fchmod, path_fd, 0777) == -EBADF && mode_of(file) == 0755;
	r[n++] = TRY(SYS_chmod, dir, 02770) == 0 && mode_of(dir) == 02770; /* copytree in a setgid folder */
	r[n++] = TRY(SYS_chmod, x->own, 0700) == 0 && mode_of(x->own) == 0700 && TRY(SYS_chmod, x->own, 0755) == 0;
	r[n++] = TRY(SYS_chown, file, getuid(), getgid()) == 0;
	r[n++] = TRY(SYS_lchown, link, -1, getgid()) == 0;
	r[n++] = TRY(SYS_fchown, fd, -1, -1) == 0;
	r[n++] = TRY(SYS_fchownat, dirfd, "file", getuid(), -1, 0) == 0;
	r[n++] = TRY(SYS_fchownat, fd, "", getuid(), -1, AT_EMPTY_PATH) == 0;
	struct utimbuf old = {.actime = 11, .modtime = 12};
	r[n++] = TRY(SYS_utime, file, &old) == 0 && mtime_of(file) == 12;
	struct timeval tv[2] = {{.tv_sec = 21}, {.tv_sec = 22}};
	r[n++] = TRY(SYS_utimes, file, tv) == 0 && mtime_of(file) == 22;
	tv[1].tv_sec = 23;
	r[n++] = TRY(SYS_futimesat, dirfd, "file", tv) == 0 && mtime_of(file) == 23;
	tv[1].tv_sec = 24;
	r[n++] = TRY(SYS_futimesat, fd, NULL, tv) == 0 && mtime_of(file) == 24;
	tv[0].tv_usec = 1000000;
	r[n++] = TRY(SYS_utimes, file, tv) == -EINVAL;
	r[n++] = times_at(dirfd, "file", 31, 0) == 0 && mtime_of(file) == 31;
	r[n++] = times_at(fd, NULL, 32, 0) == 0 && mtime_of(file) == 32; /* futimens */
	r[n++] = times_at(dirfd, "link", 33, AT_SYMLINK_NOFOLLOW) == 0 && mtime_of(link) == 33 && mtime_of(file) == 32;
	r[n++] = TRY(SYS_utimensat, AT_FDCWD, file, NULL, 0) == 0 && mtime_of(file) > 1000000;
	r[n++] = TRY(SYS_utimensat, AT_FDCWD, file, 8, 0) == -EFAULT;
	r[n++] = TRY(SYS_utimensat, AT_FDCWD, file, NULL, 0x4000) == -EINVAL;
	r[n++] = TRY(SYS_chmod, world_path(x, "own/none"), 0600) == -ENOENT;
	r[n++] = TRY(SYS_chmod, world_path(x, "own/file/x"), 0600) == -ENOTDIR;
	r[n++] = TRY(SYS_chmod, "", 0600) == -ENOENT;
	r[n++] = TRY(SYS_chmod, NULL, 0600) == -EFAULT;
	r[n++] = TRY(SYS_fchmod, 99, 0600) == -EBADF;
	r[n++] = TRY(SYS_fchmod, -1, 0600) == -EBADF;
	r[RESULTS_MAX - 1] = n;
}

static void own_objects(void **state)
{
	assert_true(world_run(&w, own_body));
	for (long i = 0; i < w.result[RESULTS_MAX - 1]; i++) {
		if (!w.result[i])
			print_message("step %ld\n", i);
		assert_int_equal(w.result[i], 1);
	}
	assert_int_equal(w.events, 0);
}

static void own_in_namespaces(void **state)
{
	w.namespaces = true;
	if (!world_run(&w, own_body))
		world_skip();
	for (long i = 0; i < w.result[RESULTS_MAX - 1]; i++)
		assert_int_equal(w.result[i], 1);
	assert_int_equal(w.events, 0);
}

static int file_flags; /* -1: this file system has none */

static void attribute_body(struct world *x)
{
	long *r = x->result;
	char file[200], out[16];
	snprintf(file, sizeof file, "%s/file", x->own);
	int n = 0, fd = (int)TRY(SYS_openat, AT_FDCWD, file, O_RDWR);
	struct { uint64_t value; uint32_t size, flags; } at = {.value = (uintptr_t)"three", .size = 5};
	r[n++] = TRY(SYS_setxattr, file, "user.pw", "one", 3, 0) == 0 && getxattr(file, "user.pw", out, sizeof out) == 3;
	r[n++] = TRY(SYS_fsetxattr, fd, "user.pw", "four", 4, 0) == 0 && getxattr(file, "user.pw", out, sizeof out) == 4;
	r[n++] = TRY(SYS_setxattr, file, "user.pw", "x", 1, XATTR_CREATE) == -EEXIST;
	r[n++] = TRY(SYS_lsetxattr, file, "user.pw", "", 0, XATTR_REPLACE) == 0 && getxattr(file, "user.pw", out, sizeof out) == 0;
	r[n++] = syscall(PW_NR_setxattrat, AT_FDCWD, file, 0, "user.pw", &at, sizeof at) == 0 && getxattr(file, "user.pw", out, sizeof out) == 5;
	r[n++] = syscall(PW_NR_setxattrat, AT_FDCWD, file, 0, "user.pw", &at, 8) < 0 && errno == EINVAL;
	r[n++] = TRY(PW_NR_removexattrat, AT_FDCWD, file, 0, "user.none") == -ENODATA;
	r[n++] = TRY(SYS_removexattr, file, "user.pw") == 0 && getxattr(file, "user.pw", out, sizeof out) < 0;
	r[n++] = TRY(SYS_removexattr, file, "user.pw") == -ENODATA;
	r[n++] = TRY(SYS_fremovexattr, fd, "user.none") == -ENODATA;
	/* what needs a capability that the caller has not, the supervisor must not lend */
	r[n++] = TRY(SYS_setxattr, file, "security.capability", "\1\0\0\2\377\377\377\377\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0) == -EPERM;
	r[n++] = TRY(SYS_setxattr, file, "trusted.x", "1", 1, 0) == -EPERM;
	r[n++] = TRY(SYS_setxattr, file, "nonsense", "1", 1, 0) == -EOPNOTSUPP;
	r[n++] = TRY(SYS_setxattr, file, "", "1", 1, 0) == -ERANGE;
	r[n++] = TRY(SYS_setxattr, file, "user.pw", "1", 1 << 20, 0) == -E2BIG;
	r[n++] = TRY(SYS_setxattr, file, "user.pw", 8, 5, 0) == -EFAULT;
	r[n++] = TRY(SYS_setxattr, file, NULL, "1", 1, 0) == -EFAULT;
	r[n++] = TRY(PW_NR_file_setattr, AT_FDCWD, file, &at, sizeof at, 0) == -EOPNOTSUPP;
	int flags = file_flags | FS_IMMUTABLE_FL;
	r[n++] = TRY(SYS_ioctl, fd, FS_IOC_SETFLAGS, &flags) == (file_flags < 0 ? -ENOTTY : -EPERM);
	flags = file_flags | FS_NODUMP_FL;
	r[n++] = TRY(SYS_ioctl, fd, FS_IOC_SETFLAGS, &flags) == (file_flags < 0 ? -ENOTTY : 0);
	r[n++] = TRY(SYS_ioctl, fd, FS_IOC_SETFLAGS, 8) == -EFAULT;
	r[n++] = TRY(SYS_ioctl, fd, FS_IOC_FSSETXATTR, &at) == -EOPNOTSUPP;
	r[RESULTS_MAX - 1] = n;
}

static void attributes(void **state)
{
	int fd = open(world_path(&w, "own/file"), O_RDONLY | O_CLOEXEC);
	if (ioctl(fd, FS_IOC_GETFLAGS, &file_flags) < 0)
		file_flags = -1;
	assert_true(world_run(&w, attribute_body));
	int after = -1;
	if (file_flags >= 0) {
		assert_int_equal(ioctl(fd, FS_IOC_GETFLAGS, &after), 0);
		assert_int_equal(after, file_flags | FS_NODUMP_FL);
	}
	close(fd);
	for (long i = 0; i < w.result[RESULTS_MAX - 1]; i++) {
		if (!w.result[i])
			print_message("step %ld\n", i);
		assert_int_equal(w.result[i], 1);
	}
	assert_int_equal(w.events, 0);
}

enum { OUTSIDE = 22 };

static void outside_body(struct world *x)
{
	long *r = x->result;
	char file[200], self[64];
	int n = 0, flags = 0;
	snprintf(file, sizeof file, "%s/plain", x->outside);
	int fd = (int)TRY(SYS_openat, AT_FDCWD, file, O_RDONLY), dirfd = (int)TRY(SYS_openat, AT_FDCWD, x->outside, O_PATH);
	int path_fd = (int)TRY(SYS_openat, AT_FDCWD, file, O_PATH);
	if (fd < 0 || dirfd < 0 || path_fd < 0 || symlink(file, world_path(x, "own/out")) < 0 || symlink("../outside", world_path(x, "own/outdir")) < 0)
		_exit(10);
	r[n++] = TRY(SYS_chmod, file, 0777);
	r[n++] = TRY(SYS_chmod, world_path(x, "own/out"), 0777);
	r[n++] = TRY(SYS_chmod, world_path(x, "own/../outside/plain"), 0777);
	r[n++] = TRY(SYS_fchmodat, AT_FDCWD, world_path(x, "own/outdir/plain"), 0777);
	r[n++] = TRY(SYS_fchmodat, dirfd, "plain", 0777);
	r[n++] = TRY(SYS_fchmod, fd, 0777);
	r[n++] = TRY(PW_NR_fchmodat2, path_fd, "", 0777, AT_EMPTY_PATH);
	snprintf(self, sizeof self, "/proc/self/fd/%d", path_fd);
	r[n++] = TRY(SYS_chmod, self, 0777);
	r[n++] = TRY(SYS_fchown, fd, -1, -1);
	r[n++] = TRY(SYS_fchownat, path_fd, "", -1, -1, AT_EMPTY_PATH);
	r[n++] = TRY(SYS_lchown, file, -1, -1);
	r[n++] = times_at(AT_FDCWD, file, 1, 0);
	r[n++] = times_at(fd, NULL, 1, 0);
	r[n++] = TRY(SYS_utime, file, NULL);
	r[n++] = TRY(SYS_setxattr, file, "user.pw", "1", 1, 0);
	r[n++] = TRY(SYS_fsetxattr, fd, "user.pw", "1", 1, 0);
	r[n++] = TRY(SYS_removexattr, file, "user.pw");
	r[n++] = TRY(SYS_ioctl, fd, FS_IOC_SETFLAGS, &flags);
	r[n++] = TRY(SYS_chmod, "/dev/null", 0666);
	r[n++] = TRY(SYS_chmod, world_path(x, "own/file"), 04755);
	r[n++] = TRY(SYS_chmod, world_path(x, "outside/secret"), 0777);
	r[n++] = TRY(SYS_chmod, x->environment, 0777);
	if (n != OUTSIDE)
		_exit(11);
}

static void outside_objects(void **state)
{
	char null[] = "/dev/null"; /* granted for writing, as it is to everybody */
	struct stat before, after;
	w.writable[1] = null;
	assert_int_equal(stat(world_path(&w, "outside/plain"), &before), 0);
	assert_true(world_run(&w, outside_body));
	for (int i = 0; i < OUTSIDE; i++)
		assert_int_equal(w.result[i], -EPERM);
	assert_int_equal(stat(world_path(&w, "outside/plain"), &after), 0);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	assert_int_equal(mode_of(world_path(&w, "own/file")), 0644);
	assert_int_equal(w.events, OUTSIDE);
	for (int i = 0; i < OUTSIDE - 4; i++) {
		assert_string_equal(w.event[i].path, world_path(&w, "outside/plain"));
		assert_string_equal(w.event[i].rule, "file.meta.outside");
		assert_string_equal(w.event[i].type, "file.meta");
	}
	assert_string_equal(w.event[OUTSIDE - 3].rule, "file.meta.setid");
	assert_string_equal(w.event[OUTSIDE - 2].rule, "file.test");
	assert_string_equal(w.event[OUTSIDE - 1].rule, "file.meta.environment");
}

static void nameless_body(struct world *x)
{
	long *r = x->result;
	char path[200];
	int pair[2], n = 0;
	if (pipe(pair) < 0)
		_exit(10);
	r[n++] = TRY(SYS_fchmod, pair[0], 0600);
	r[n++] = TRY(SYS_fchown, pair[0], -1, -1);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		_exit(11);
	r[n++] = TRY(SYS_fchmod, pair[0], 0600);
	int memory = memfd_create("x", 0);
	r[n++] = TRY(SYS_fchmod, memory, 0600);
	r[n++] = TRY(SYS_fchmod, memory, 04600) == -EPERM ? 0 : -1;
	snprintf(path, sizeof path, "%s/gone", x->own);
	int gone = (int)TRY(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600);
	r[n++] = unlink(path);
	r[n++] = TRY(SYS_fchmod, gone, 0640);
	r[n++] = times_at(gone, NULL, 7, 0);
	int nowhere = (int)TRY(SYS_openat, AT_FDCWD, x->own, O_TMPFILE | O_RDWR, 0600);
	r[n++] = TRY(SYS_fchmod, nowhere, 0640);
	/* from outside, unlinked since: open for writing (a captured output), and for reading only */
	r[n++] = TRY(SYS_fchmod, 40, 0600);
	r[n++] = TRY(SYS_fchmod, 41, 0600) == -EPERM ? 0 : -1;
	r[RESULTS_MAX - 1] = n;
}

static void nameless_objects(void **state)
{
	const char *path = world_path(&w, "outside/captured");
	world_file(&w, path, "x", 0644);
	int writer = open(path, O_WRONLY | O_CLOEXEC), reader = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(writer, 40), 40);
	assert_int_equal(dup2(reader, 41), 41);
	close(writer);
	close(reader);
	assert_int_equal(unlink(path), 0);
	assert_true(world_run(&w, nameless_body));
	close(40);
	close(41);
	for (long i = 0; i < w.result[RESULTS_MAX - 1]; i++) {
		if (w.result[i])
			print_message("step %ld: %ld\n", i, w.result[i]);
		assert_int_equal(w.result[i], 0);
	}
	assert_int_equal(w.events, 2); /* set-id on the memfd; the reader */
}

/* /dev/shm of its own is the sandbox's; a descriptor on the machine's is not, though its name is the same. */
static void shm_body(struct world *x)
{
	long fd = TRY(SYS_openat, AT_FDCWD, "/dev/shm/pw-own", O_CREAT | O_RDWR, 0600);
	x->result[0] = TRY(SYS_fchmod, fd, 0640);
	x->result[1] = TRY(SYS_chmod, "/dev/shm/pw-own", 0644);
	x->result[2] = TRY(SYS_fchmod, 40, 0777);
	x->result[3] = TRY(SYS_chmod, "/proc/self/fd/40", 0777);
}

static void shared_memory(void **state)
{
	char path[64];
	snprintf(path, sizeof path, "/dev/shm/pw-unit-%d", (int)getpid());
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(dup2(fd, 40), 40);
	close(fd);
	w.namespaces = true;
	char shm[] = "/dev/shm";
	w.writable[1] = shm;
	bool run = world_run(&w, shm_body);
	close(40);
	mode_t mode = mode_of(path);
	unlink(path);
	if (!run)
		world_skip();
	assert_int_equal(mode, 0600);
	assert_int_equal(w.result[0], 0);
	assert_int_equal(w.result[1], 0);
	assert_int_equal(w.result[2], -EPERM);
	assert_int_equal(w.result[3], -EPERM);
}

/* --- races ------------------------------------------------------------------------------------- */

static void race_body(struct world *x)
{
	char file[200];
	long done = 0, refused = 0, other = 0;
	snprintf(file, sizeof file, "%s/a/plain", x->own);
	while (world_swapping(x, done > 0 && refused > 0)) {
		long got = TRY(SYS_chmod, file, 0777);
		*(got == 0 ? &done : got == -EPERM ? &refused : &other) += 1;
		got = times_at(AT_FDCWD, file, 1, 0);
		*(got == 0 ? &done : got == -EPERM ? &refused : &other) += 1;
	}
	x->result[0] = done;
	x->result[1] = refused;
	x->result[2] = other;
}

static void swapped_component(void **state)
{
	struct stat before, after;
	assert_int_equal(stat(world_path(&w, "outside/plain"), &before), 0);
	assert_true(world_run_swapping(&w, race_body));
	long changed = w.result[0], refused = w.result[1];
	print_message("changed %ld, refused %ld, neither %ld\n", changed, refused, w.result[2]);
	assert_int_equal(stat(world_path(&w, "outside/plain"), &after), 0);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	assert_true(changed > 0 && refused > 0); /* the race was one */
}

static int group(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(own_objects), TEST(own_in_namespaces), TEST(attributes), TEST(outside_objects), TEST(nameless_objects), TEST(shared_memory),
		TEST(swapped_component),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_as_both(group);
}
