/* handle_open against the ways in which a path can be written.  Nothing here is confined, so a call that succeeds was continued. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/sandbox/compat.h"
#include "launcher/supervise/own_fd.h"
#include "launcher/supervise/own_proc.h"
#include "launcher/supervise/own_shm.h"
#include "one_world.h"

static long open_at(int dirfd, const char *path, int flags)
{
	long fd = TRY(SYS_openat, dirfd, path, flags, 0644);
	if (fd >= 0)
		close((int)fd);
	return fd < 0 ? fd : 0;
}

static long read_open(const char *path)
{
	return open_at(AT_FDCWD, path, O_RDONLY);
}

/* --- reading what is protected ------------------------------------------------------------------ */

enum { WAYS = 18 };

static void many_ways(struct world *x)
{
	char path[PATH_MAX + 200], secret[200];
	long *r = x->result;
	int n = 0;
	snprintf(secret, sizeof secret, "%s/secret", x->outside);
	int dir = (int)TRY(SYS_openat, AT_FDCWD, x->outside, O_RDONLY | O_DIRECTORY);
	int path_dir = (int)TRY(SYS_openat, AT_FDCWD, x->outside, O_PATH);
	if (dir < 0 || path_dir < 0 || symlink(secret, world_path(x, "own/link")) < 0 || symlink("../outside", world_path(x, "own/dirlink")) < 0 ||
	    symlink("/proc/self/root", world_path(x, "own/rootlink")) < 0)
		_exit(10);
	r[n++] = read_open(secret);
	r[n++] = read_open(world_path(x, "own/link"));
	r[n++] = read_open(world_path(x, "own/dirlink/secret"));
	r[n++] = read_open(world_path(x, "own/../outside/./secret"));
	r[n++] = read_open(world_path(x, "own//..//outside///secret"));
	r[n++] = open_at(dir, "secret", O_RDONLY);
	r[n++] = open_at(path_dir, "secret", O_RDONLY);
	if (fchdir(dir) < 0)
		_exit(11);
	r[n++] = read_open("secret");
	r[n++] = read_open("./../outside/secret");
	r[n++] = read_open("/proc/self/cwd/secret");
	r[n++] = read_open("/proc/thread-self/cwd/secret");
	snprintf(path, sizeof path, "/proc/self/root%s", secret);
	r[n++] = read_open(path);
	snprintf(path, sizeof path, "//proc//self//root//%s", secret);
	r[n++] = read_open(path);
	snprintf(path, sizeof path, "%s%s", world_path(x, "own/rootlink"), secret);
	r[n++] = read_open(path);
	snprintf(path, sizeof path, "/dev/fd/%d/secret", dir);
	r[n++] = read_open(path);
	snprintf(path, sizeof path, "/proc/self/fd/%d/secret", path_dir);
	r[n++] = read_open(path);
	int object = (int)TRY(SYS_openat, AT_FDCWD, secret, O_PATH);
	snprintf(path, sizeof path, "/proc/self/fd/%d", object);
	r[n++] = read_open(path);
	r[n++] = TRY(SYS_open, secret, O_RDWR);
	if (n != WAYS)
		_exit(12);
}

static void protected_by_every_way(void **state)
{
	assert_true(world_run(&w, many_ways));
	for (int i = 0; i < WAYS; i++)
		assert_int_equal(w.result[i], -EACCES);
	assert_int_equal(w.events, WAYS);
	for (int i = 0; i < WAYS; i++) {
		assert_string_equal(w.event[i].path, world_path(&w, "outside/secret"));
		assert_string_equal(w.event[i].rule, "file.test");
		assert_int_equal(w.event[i].action, EV_DENIED);
		assert_int_equal(w.event[i].wanted, ACTION_ABORT);
		assert_string_equal(w.event[i].type, i == WAYS - 1 ? "file.write" : "file.open");
	}
	assert_string_equal(w.event[1].as_written, world_path(&w, "own/link"));
}

static void protected_in_namespaces(void **state)
{
	w.namespaces = true;
	if (!world_run(&w, many_ways)) {
		world_skip();
	}
	for (int i = 0; i < WAYS; i++) {
		assert_int_equal(w.result[i], -EACCES);
		assert_string_equal(w.event[i].path, world_path(&w, "outside/secret"));
	}
	assert_int_equal(w.events, WAYS);
}

static void no_process_vm(void **state)
{
	w.caps.process_vm = false;
	assert_true(world_run(&w, many_ways));
	assert_int_equal(w.events, WAYS);
}

static void openat2_is_never_served(struct world *x)
{
	struct open_how how = {.flags = O_RDONLY};
	x->result[0] = TRY(SYS_openat2, AT_FDCWD, world_path(x, "outside/secret"), &how, sizeof how);
	x->result[1] = TRY(SYS_openat2, AT_FDCWD, world_path(x, "own/file"), &how, sizeof how);
	x->result[2] = TRY(SYS_openat2, AT_FDCWD, world_path(x, "outside/secret"), NULL, sizeof how);
}

static void openat2(void **state)
{
	assert_true(world_run(&w, openat2_is_never_served));
	for (int i = 0; i < 3; i++)
		assert_int_equal(w.result[i], -ENOSYS);
	assert_int_equal(w.events, 2);
	assert_string_equal(w.event[0].path, world_path(&w, "outside/secret"));
}

static void missing_body(struct world *x)
{
	x->result[0] = read_open(world_path(x, "outside/secret.d/none/at/all"));
	x->result[1] = read_open(world_path(x, "outside/secret2"));
	x->result[2] = read_open(world_path(x, "outside/none"));
	if (chdir(x->own) < 0)
		_exit(10);
	x->result[3] = read_open("../outside/secret3/x");
	x->result[4] = read_open("none/there");
	if (symlink("../outside/secret4", "dangling") < 0)
		_exit(11);
	x->result[5] = read_open("dangling");
	x->result[6] = read_open("file/x");
}

/* Looking for a secret that is not there is told, answered as ever, and never ends the run. */
static void missing(void **state)
{
	assert_true(world_run(&w, missing_body));
	for (int i = 0; i < 6; i++)
		assert_int_equal(w.result[i], -ENOENT);
	assert_int_equal(w.result[6], -ENOTDIR);
	assert_int_equal(w.events, 4);
	assert_string_equal(w.event[0].path, world_path(&w, "outside/secret.d/none/at/all"));
	assert_string_equal(w.event[1].path, world_path(&w, "outside/secret2"));
	assert_string_equal(w.event[2].path, world_path(&w, "outside/secret3/x"));
	assert_string_equal(w.event[3].path, world_path(&w, "outside/secret4"));
	for (int i = 0; i < 4; i++)
		assert_int_equal(w.event[i].wanted, ACTION_DENY);
}

/* --- what is nobody's business ------------------------------------------------------------------ */

static void silent_body(struct world *x)
{
	long *r = x->result;
	r[0] = read_open("/etc/passwd");
	r[1] = read_open("/usr/lib/../share/../lib/x86_64-linux-gnu/../none") == -ENOENT ? 0 : -1;
	r[2] = read_open(world_path(x, "trusted/header.h"));
	r[3] = read_open(world_path(x, "own/file"));
	r[4] = open_at(AT_FDCWD, world_path(x, "own/new"), O_CREAT | O_EXCL | O_WRONLY);
	r[5] = open_at(AT_FDCWD, world_path(x, "own/dir/"), O_RDONLY | O_DIRECTORY);
	r[6] = open_at(AT_FDCWD, "/dev/zero", O_RDWR);
	r[7] = read_open("/dev/urandom");
	r[8] = read_open("/proc/self/status");
	r[9] = read_open("/proc/mounts");
	r[10] = read_open(world_path(x, "trusted/../trusted/header.h"));
	r[11] = open_at(AT_FDCWD, world_path(x, "own/file"), O_RDONLY | O_CREAT); /* it exists: not a write */
	r[12] = open_at(AT_FDCWD, world_path(x, "home/.cache"), O_CREAT | O_RDWR);
	r[13] = open_at(AT_FDCWD, x->own, O_TMPFILE | O_RDWR);
	r[14] = open_at(AT_FDCWD, world_path(x, "outside/secret"), O_PATH);
	r[15] = read_open("/proc/uptime");
	r[16] = open_at(AT_FDCWD, world_path(x, "own/\xff\xfe\x01name"), O_CREAT | O_WRONLY);
	r[17] = open_at(AT_FDCWD, "/proc/self/comm", O_WRONLY);
	r[18] = mkfifo(world_path(x, "own/fifo"), 0600) || open_at(AT_FDCWD, world_path(x, "own/fifo"), O_RDONLY | O_NONBLOCK);
	/* what a glob does with each file */
	r[19] = open_at(AT_FDCWD, world_path(x, "own/file"), O_RDONLY | O_NONBLOCK | O_DIRECTORY) == -ENOTDIR ? 0 : -1;
	r[20] = symlink("dir", world_path(x, "own/link")) || open_at(AT_FDCWD, world_path(x, "own/link"), O_RDONLY | O_DIRECTORY);
	r[21] = open_at(AT_FDCWD, world_path(x, "own/link"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW) == -ENOTDIR ? 0 : -1;
}

static void folders_of_processes(void **state)
{
	assert_int_equal(own_proc_pid("/proc/12"), 12);
	assert_int_equal(own_proc_pid("/proc/12/status"), 12);
	assert_int_equal(own_proc_pid("/proc/12/task/13/maps"), 12);
	assert_int_equal(own_proc_pid("/proc/12/netx"), 12);
	assert_int_equal(own_proc_pid("/proc/12/net/tcp"), 0);
	assert_int_equal(own_proc_pid("/proc/12/task/13/net"), 0);
	assert_int_equal(own_proc_pid("/proc/net/tcp"), 0);
	assert_int_equal(own_proc_pid("/proc"), 0);
	assert_int_equal(own_proc_pid("/proc/sys/kernel"), 0);
	assert_int_equal(own_proc_pid("/etc/12"), 0);
}

static void names_of_shared_memory(void **state)
{
	assert_string_equal(own_shm_name("/dev/shm/sem.x"), "sem.x");
	assert_string_equal(own_shm_name("/dev/shm/..x"), "..x");
	static const char *const none[] = {"/dev/shm", "/dev/shm/", "/dev/shm/.", "/dev/shm/..", "/dev/shm/a/b", "/dev/shm//a", "/dev/shmem/a", "dev/shm/a", "/tmp/a"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_null(own_shm_name(none[i]));
}

static void silent(void **state)
{
	assert_true(world_run(&w, silent_body));
	for (int i = 0; i < 22; i++) {
		if (w.result[i])
			print_message("step %d\n", i);
		assert_int_equal(w.result[i], 0);
	}
	assert_int_equal(w.events, 0);
}

static void silent_in_namespaces(void **state)
{
	w.namespaces = true;
	if (!world_run(&w, silent_body))
		world_skip();
	for (int i = 0; i < 22; i++) {
		if (w.result[i])
			print_message("step %d\n", i);
		assert_int_equal(w.result[i], 0);
	}
	assert_int_equal(w.events, 0);
}

/* What is there, named by no rule and granted by nobody: Landlock's to refuse, and in the record, a bounded number of times. */
static void unnamed_body(struct world *x)
{
	x->result[0] = read_open(world_path(x, "outside/unnamed"));
	x->result[1] = open_at(AT_FDCWD, world_path(x, "outside/unnamed"), O_RDONLY | O_CREAT);
	x->result[2] = read_open(world_path(x, "outside/missing"));
	for (int i = 0; i < 600; i++)
		read_open(world_path(x, "outside/unnamed"));
	x->result[3] = read_open(world_path(x, "outside/secret"));
}

static void unnamed(void **state)
{
	world_file(&w, world_path(&w, "outside/unnamed"), "x", 0644);
	assert_true(world_run(&w, unnamed_body));
	assert_int_equal(w.result[0], 0);
	assert_int_equal(w.result[1], 0);
	assert_int_equal(w.result[2], -ENOENT);
	assert_int_equal(w.result[3], -EACCES);
	assert_int_equal(w.events, 501);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(w.event[i].type, "file.open");
		assert_string_equal(w.event[i].rule, "file.read.outside");
		assert_string_equal(w.event[i].path, world_path(&w, "outside/unnamed"));
	}
	char allows[PATH_MAX + 32];
	snprintf(allows, sizeof allows, "--allow-read build:%s", world_path(&w, "outside/unnamed"));
	assert_string_equal(w.event[0].detail, allows);
}

/* A link planted below a trusted root by means of a grant inside it is seen. */
static void planted_body(struct world *x)
{
	if (symlink(x->outside, world_path(x, "trusted/sub/link")) < 0)
		_exit(10);
	x->result[0] = read_open(world_path(x, "trusted/sub/link/secret"));
	x->result[1] = read_open(world_path(x, "trusted/x/../sub/link/secret"));
	x->result[2] = read_open(world_path(x, "trusted/header.h"));
	x->result[3] = read_open(world_path(x, "trusted/../outside/secret"));
}

static void planted(void **state)
{
	char sub[200];
	snprintf(sub, sizeof sub, "%s/sub", w.trusted);
	assert_int_equal(mkdir(sub, 0755), 0);
	snprintf(sub, sizeof sub, "%s/x", w.trusted);
	assert_int_equal(mkdir(sub, 0755), 0);
	snprintf(sub, sizeof sub, "%s/sub", w.trusted);
	w.writable[1] = sub;
	assert_true(world_run(&w, planted_body));
	assert_int_equal(w.result[0], -EACCES);
	assert_int_equal(w.result[1], -EACCES);
	assert_int_equal(w.result[2], 0);
	assert_int_equal(w.result[3], -EACCES);
	assert_int_equal(w.events, 3);
}

/* --- writing ----------------------------------------------------------------------------------- */

static void write_body(struct world *x)
{
	long *r = x->result;
	r[0] = open_at(AT_FDCWD, world_path(x, "outside/plain"), O_WRONLY | O_APPEND);
	r[1] = open_at(AT_FDCWD, world_path(x, "outside/new"), O_CREAT | O_WRONLY | O_EXCL);
	r[2] = open_at(AT_FDCWD, world_path(x, "environment/evil.pth"), O_CREAT | O_WRONLY);
	r[3] = open_at(AT_FDCWD, world_path(x, "environment/__pycache__/m.pyc.123"), O_CREAT | O_WRONLY);
	r[4] = open_at(AT_FDCWD, world_path(x, "temp/other/wheel.whl"), O_CREAT | O_WRONLY);
	r[5] = open_at(AT_FDCWD, world_path(x, "outside/persist"), O_CREAT | O_WRONLY);
	r[6] = open_at(AT_FDCWD, world_path(x, "outside/plain"), O_RDONLY | O_TRUNC);
	r[7] = open_at(AT_FDCWD, world_path(x, "outside/plain"), O_ACCMODE);
	r[8] = open_at(AT_FDCWD, world_path(x, "outside/empty"), O_RDONLY | O_CREAT);
	r[9] = open_at(AT_FDCWD, x->outside, O_TMPFILE | O_RDWR);
	r[10] = TRY(SYS_creat, world_path(x, "outside/plain"), 0644);
	/* for a reason of the kernel's own, without a word */
	r[11] = open_at(AT_FDCWD, world_path(x, "outside/plain"), O_WRONLY | O_CREAT | O_EXCL);
	r[12] = open_at(AT_FDCWD, x->outside, O_WRONLY);
	r[13] = open_at(AT_FDCWD, world_path(x, "outside/none"), O_WRONLY);
	r[14] = open_at(AT_FDCWD, world_path(x, "outside/none/none"), O_WRONLY | O_CREAT);
}

static void writing(void **state)
{
	char dir[200];
	snprintf(dir, sizeof dir, "%s/__pycache__", w.environment);
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(dir, sizeof dir, "%s/other", w.temp);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_true(world_run(&w, write_body));
	static const char *const rules[] = {"file.write.outside", "file.write.outside", "file.write.environment", "file.write.pycache",
	                                    "file.write.build", "file.persistence.test", "file.write.outside", "file.write.outside",
	                                    "file.write.outside", "file.write.outside", "file.write.outside"};
	assert_int_equal(w.events, 11);
	for (int i = 0; i < 11; i++) {
		assert_int_equal(w.result[i], -EACCES);
		assert_string_equal(w.event[i].rule, rules[i]);
		assert_string_equal(w.event[i].type, "file.write");
	}
	assert_string_equal(w.event[1].path, world_path(&w, "outside/new"));
	assert_string_equal(w.event[1].detail + strlen("--allow-write build:"), world_path(&w, "outside/new"));
	assert_string_equal(w.event[3].path, world_path(&w, "environment/__pycache__"));
	assert_int_equal(w.result[11], -EEXIST);
	assert_int_equal(w.result[12], -EISDIR);
	assert_int_equal(w.result[13], -ENOENT);
	assert_int_equal(w.result[14], -ENOENT);
	struct stat st;
	assert_int_equal(stat(world_path(&w, "outside/plain"), &st), 0);
	assert_int_equal(st.st_size, 5);
}

static void truncating_body(struct world *x)
{
	x->result[0] = open_at(AT_FDCWD, world_path(x, "outside/plain"), O_RDONLY | O_TRUNC);
	x->result[1] = open_at(AT_FDCWD, world_path(x, "own/file"), O_RDONLY | O_TRUNC);
	x->result[2] = open_at(AT_FDCWD, world_path(x, "own/file"), O_ACCMODE | O_TRUNC);
	x->result[3] = open_at(AT_FDCWD, world_path(x, "trusted/header.h"), O_RDONLY | O_TRUNC);
	x->result[4] = open_at(AT_FDCWD, world_path(x, "own/file"), O_RDWR);
	/* A swapped path would do what the one that was looked at does not: never continued, whatever it is. */
	char zero[] = "/dev/zero"; /* in memory of the caller's own: looked at no closer */
	x->result[5] = open_at(AT_FDCWD, zero, O_RDONLY | O_TRUNC);
	x->result[6] = open_at(AT_FDCWD, "/proc/self/comm", O_RDONLY | O_TRUNC);
	x->result[7] = open_at(AT_FDCWD, world_path(x, "own/none"), O_RDONLY | O_TRUNC);
	x->result[8] = open_at(AT_FDCWD, x->own, O_RDONLY | O_TRUNC);
	x->result[9] = open_at(AT_FDCWD, world_path(x, "own/file"), O_PATH | O_TRUNC);
}

static void truncating_below_abi_3(void **state)
{
	w.caps.landlock_abi = 2;
	assert_true(world_run(&w, truncating_body));
	for (int i = 0; i < 4; i++)
		assert_int_equal(w.result[i], -EACCES);
	assert_int_equal(w.result[4], 0);
	assert_int_equal(w.result[5], -EACCES);
	assert_int_equal(w.result[6], -EACCES);
	assert_int_equal(w.result[7], -ENOENT);
	assert_int_equal(w.result[8], -EACCES);
	assert_int_equal(w.result[9], 0);
	assert_int_equal(w.events, 6);
}

/* --- addresses --------------------------------------------------------------------------------- */

static void address_body(struct world *x)
{
	long *r = x->result;
	char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char *secret = world_path(x, "outside/secret");
	size_t len = strlen(secret) + 1;
	if (page == MAP_FAILED || munmap(page + 2 * 4096, 4096) < 0)
		_exit(10);
	char *last = memcpy(page + 2 * 4096 - len, secret, len); /* ends with the mapping */
	r[0] = read_open(last);
	char *across = memcpy(page + 4096 - len / 2, secret, len);
	r[1] = read_open(across);
	memset(page + 2 * 4096 - 8, 'a', 8); /* no NUL before the end */
	r[2] = read_open(page + 2 * 4096 - 8);
	r[3] = read_open(NULL);
	r[4] = read_open("");
	memset(page, '/', 8192);
	page[4096] = '\0';
	r[5] = read_open(page); /* 4096 and a NUL */
	page[4095] = '\0';
	r[6] = read_open(page); /* 4095 slashes: the root */
	r[7] = read_open((const char *)-4096L);
	memset(page, 'x', 300);
	page[300] = '\0';
	r[8] = open_at(AT_FDCWD, world_path(x, "own/%s", page), O_CREAT | O_WRONLY);
	r[9] = open_at(77, "x", O_RDONLY);
	r[10] = open_at(-5, "x", O_RDONLY);
	if (symlink("loop", world_path(x, "own/loop")) < 0)
		_exit(11);
	r[11] = read_open(world_path(x, "own/loop"));
	r[12] = open_at(AT_FDCWD, world_path(x, "own/loop"), O_RDONLY | O_NOFOLLOW);
}

static void addresses(void **state)
{
	assert_true(world_run(&w, address_body));
	static const long want[] = {-EACCES, -EACCES, -EFAULT, -EFAULT, -ENOENT, -ENAMETOOLONG, 0, -EFAULT, -ENAMETOOLONG, -EBADF, -EBADF, -ELOOP, -ELOOP};
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_int_equal(w.result[i], want[i]);
	assert_int_equal(w.events, 2);
}

static void deleted_body(struct world *x)
{
	long fd = TRY(SYS_openat, AT_FDCWD, world_path(x, "own/gone"), O_CREAT | O_RDWR, 0600);
	char path[64];
	if (fd < 0 || unlink(world_path(x, "own/gone")) < 0 || mkdir(world_path(x, "own/gonedir"), 0700) < 0 || chdir(world_path(x, "own/gonedir")) < 0 ||
	    rmdir(world_path(x, "own/gonedir")) < 0)
		_exit(10);
	snprintf(path, sizeof path, "/proc/self/fd/%ld", fd);
	x->result[0] = open_at(AT_FDCWD, path, O_RDWR);
	x->result[1] = read_open("x");
	x->result[2] = open_at(AT_FDCWD, "x", O_CREAT | O_WRONLY);
	int memory = memfd_create("secret", 0);
	snprintf(path, sizeof path, "/dev/fd/%d", memory);
	x->result[3] = open_at(AT_FDCWD, path, O_RDWR);
	int pair[2];
	if (pipe(pair) < 0)
		_exit(11);
	snprintf(path, sizeof path, "/proc/self/fd/%d", pair[1]);
	x->result[4] = open_at(AT_FDCWD, path, O_WRONLY);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		_exit(12);
	snprintf(path, sizeof path, "/proc/self/fd/%d", pair[1]);
	x->result[5] = read_open(path);
}

static void deleted(void **state)
{
	assert_true(world_run(&w, deleted_body));
	assert_int_equal(w.result[0], 0);
	assert_int_equal(w.result[1], -ENOENT);
	assert_int_equal(w.result[2], -ENOENT);
	assert_int_equal(w.result[3], 0);
	assert_int_equal(w.result[4], 0);
	assert_int_equal(w.result[5], -ENXIO);
	assert_int_equal(w.events, 0);
}

/* --- descriptors by name ------------------------------------------------------------------------ */

/* A file outside every grant that the child holds, as by a redirection: for adding, for both, for reading.  The table is shared with the parent. */
static int held_add, held_both, held_read;

static void redirected_body(struct world *x)
{
	char path[64];
	snprintf(path, sizeof path, "/dev/fd/%d", held_both);
	x->result[0] = open_at(AT_FDCWD, path, O_RDWR);
	snprintf(path, sizeof path, "/proc/self/fd/%d", held_read);
	x->result[1] = open_at(AT_FDCWD, path, O_RDONLY);
	x->result[2] = open_at(AT_FDCWD, path, O_RDONLY | O_TRUNC); /* empties nothing */
	x->result[3] = open_at(AT_FDCWD, path, O_WRONLY); /* wider than the descriptor */
	x->result[4] = open_at(AT_FDCWD, path, O_RDWR);
	snprintf(path, sizeof path, "/proc/thread-self/fd/%d", held_add);
	x->result[5] = open_at(AT_FDCWD, path, O_RDWR);
	long again = TRY(SYS_openat, AT_FDCWD, path, O_WRONLY | O_TRUNC, 0); /* who may only add takes nothing away */
	x->result[6] = again < 0 ? again : write((int)again, "more", 4);
	close((int)again);
}

static void redirected(void **state)
{
	const char *out = world_path(&w, "outside/redirected");
	char text[32] = "";
	world_file(&w, out, "first", 0666);
	held_add = open(out, O_WRONLY | O_APPEND | O_CLOEXEC);
	held_both = open(out, O_RDWR | O_CLOEXEC);
	held_read = open(out, O_RDONLY | O_CLOEXEC);
	assert_true(held_add >= 0 && held_both >= 0 && held_read >= 0);
	assert_true(world_run(&w, redirected_body));
	static const long want[] = {0, 0, 0, -EACCES, -EACCES, -EACCES, 4};
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_int_equal(w.result[i], want[i]);
	assert_int_equal(pread(held_both, text, sizeof text - 1, 0), 9);
	assert_string_equal(text, "firstmore");
	close(held_add);
	close(held_both);
	close(held_read);
}

static void descriptor_names(void **state)
{
	assert_int_equal(own_fd_number("/dev/stdin"), 0);
	assert_int_equal(own_fd_number("/dev/stdout"), 1);
	assert_int_equal(own_fd_number("/dev/stderr"), 2);
	assert_int_equal(own_fd_number("/dev/fd/63"), 63);
	assert_int_equal(own_fd_number("/proc/self/fd/7"), 7);
	assert_int_equal(own_fd_number("/proc/thread-self/fd/0"), 0);
	const char *const others[] = {"/dev/fd/", "/dev/fd/x", "/dev/fd/1/x", "/dev/fd/-1", "/dev/fd/123456", "/proc/1/fd/2", "/dev/stderrx", "stderr", "/dev/fd"};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(own_fd_number(others[i]), -1);
}

/* --- /proc of others --------------------------------------------------------------------------- */

static pid_t stranger;

static void inspect_body(struct world *x)
{
	static const char *const entries[] = {"environ", "cmdline", "maps", "mem", "fd", "cwd", "root/etc/passwd", "task/TID/environ", NULL};
	char entry[64], path[128];
	int i = 0;
	for (; entries[i]; i++) {
		snprintf(entry, sizeof entry, "%s", entries[i]);
		if (strcmp(entry, "task/TID/environ") == 0)
			snprintf(entry, sizeof entry, "task/%d/environ", (int)stranger);
		snprintf(path, sizeof path, "/proc/%d/%s", (int)stranger, entry);
		x->result[i] = read_open(path);
	}
	snprintf(path, sizeof path, "/proc/self/../%d/environ", (int)stranger);
	x->result[i++] = read_open(path);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)stranger);
	x->result[i++] = read_open(path);
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof path, "/proc/%d/environ", (int)child);
	x->result[i++] = read_open(path);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void inspecting_others(void **state)
{
	stranger = fork();
	if (stranger == 0) {
		alarm(60);
		pause();
		_exit(0);
	}
	assert_true(stranger > 0);
	assert_true(world_run(&w, inspect_body));
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
	for (int i = 0; i < 9; i++)
		assert_int_equal(w.result[i], -EACCES);
	assert_int_equal(w.result[9], 0);
	assert_int_equal(w.result[10], 0);
	assert_int_equal(w.events, 9);
	for (int i = 0; i < 9; i++)
		assert_string_equal(w.event[i].rule, "process.inspect");
}

/* In a PID namespace the numbers are the sandbox's own, and /proc/1 is its init. */
static void own_proc_body(struct world *x)
{
	char path[64];
	x->result[0] = read_open("/proc/1/cgroup");
	x->result[1] = read_open("/proc/self/environ");
	snprintf(path, sizeof path, "/proc/%d/maps", (int)getpid());
	x->result[2] = read_open(path);
	x->result[3] = open_at(AT_FDCWD, "/dev/shm/x", O_CREAT | O_RDWR);
	x->result[4] = read_open("/proc/thread-self/comm");
	x->result[5] = getpid() == 1 ? 0 : -1;
}

static void own_proc(void **state)
{
	w.namespaces = true;
	if (!world_run(&w, own_proc_body))
		world_skip();
	for (int i = 0; i < 6; i++)
		assert_int_equal(w.result[i], 0);
	assert_int_equal(w.events, 0);
}

/* --- listing own folders ------------------------------------------------------------------------- */

#define LIST (O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC)

/* The inode of what a listing of this name opens, or -errno. */
static long listed(int dirfd, const char *path, int flags)
{
	struct stat st;
	long fd = TRY(SYS_openat, dirfd, path, flags, 0);
	if (fd < 0)
		return fd;
	long inode = fstat((int)fd, &st) == 0 && S_ISDIR(st.st_mode) && (fcntl((int)fd, F_GETFL) & O_NONBLOCK) == (flags & O_NONBLOCK) &&
	             (fcntl((int)fd, F_GETFD) == FD_CLOEXEC) == ((flags & O_CLOEXEC) != 0) ? (long)st.st_ino : -1;
	close((int)fd);
	return inode;
}

static void list_body(struct world *x)
{
	long *r = x->result;
	struct stat st;
	if (mkdir(world_path(x, "own/d"), 0700) < 0 || mkdir(world_path(x, "own/d/..e"), 0700) < 0 || mkdir(world_path(x, "own/secret_d"), 0700) < 0 ||
	    symlink("../outside", world_path(x, "own/link")) < 0 || symlink("d", world_path(x, "own/dlink")) < 0 || stat(world_path(x, "own/d"), &st) < 0 || chdir(x->own) < 0)
		_exit(10);
	int own = (int)TRY(SYS_openat, AT_FDCWD, ".", LIST), file = (int)TRY(SYS_openat, AT_FDCWD, "file", O_RDONLY);
	r[0] = listed(AT_FDCWD, "d", LIST) == (long)st.st_ino;
	r[1] = listed(AT_FDCWD, "./d//", O_RDONLY | O_DIRECTORY) == (long)st.st_ino;
	r[2] = listed(own, "d/.", LIST | O_NOFOLLOW) == (long)st.st_ino;
	r[3] = listed(AT_FDCWD, world_path(x, "own/d"), LIST) == (long)st.st_ino;
	r[4] = listed(AT_FDCWD, "dlink", LIST) == (long)st.st_ino;
	r[5] = listed(AT_FDCWD, "d/..e", LIST) > 0;
	r[6] = listed(AT_FDCWD, "secret_d", LIST) > 0; /* its own, whatever it is called */
	r[7] = listed(AT_FDCWD, "file", LIST) == -ENOTDIR;
	r[8] = listed(AT_FDCWD, "file/", LIST) == -ENOTDIR;
	r[9] = listed(AT_FDCWD, "file/x", LIST) == -ENOTDIR;
	r[10] = listed(AT_FDCWD, "none", LIST) == -ENOENT;
	r[11] = listed(file, "d", LIST) == -ENOTDIR;
	r[12] = listed(1000, "d", LIST) == -EBADF;
	r[13] = listed(AT_FDCWD, "link/secret_f", LIST) == -EACCES;
	r[14] = listed(AT_FDCWD, "d/../../outside/secret_f", LIST) == -EACCES;
	r[15] = listed(AT_FDCWD, world_path(x, "own/link/secret_f"), LIST) == -EACCES;
	r[16] = fchdir((int)TRY(SYS_openat, AT_FDCWD, "link", LIST)) == 0 && listed(AT_FDCWD, "secret_f", LIST) == -EACCES && listed(own, "d", LIST) == (long)st.st_ino;
	/* A folder that is no more, and one of another name: both by what they are. */
	if (fchdir(own) < 0 || chdir("d/..e") < 0 || rmdir("../..e") < 0)
		_exit(11);
	r[17] = listed(AT_FDCWD, ".", LIST) > 0 && listed(AT_FDCWD, "x", LIST) == -ENOENT;
	int moved = (int)TRY(SYS_openat, AT_FDCWD, world_path(x, "own/d"), LIST);
	r[18] = rename(world_path(x, "own/d"), world_path(x, "own/e")) == 0 && listed(moved, ".", LIST) == (long)st.st_ino;
}

static void listing(void **state)
{
	world_file(&w, world_path(&w, "own/file"), "x", 0644);
	assert_int_equal(mkdir(world_path(&w, "outside/secret_f"), 0755), 0);
	for (int namespaces = 0; namespaces < 2; namespaces++) {
		w.namespaces = namespaces;
		w.events = 0;
		if (!world_run(&w, list_body))
			world_skip();
		for (int i = 0; i < 19; i++)
			if (w.result[i] != 1)
				fail_msg("case %d", i);
		assert_int_equal(w.events, 4);
		assert_non_null(world_event(&w, world_path(&w, "outside/secret_f")));
		for (const char *const *made = (const char *const[]){"own/e", "own/secret_d", NULL}; *made; made++)
			assert_int_equal(rmdir(world_path(&w, "%s", *made)), 0);
		assert_int_equal(unlink(world_path(&w, "own/link")) | unlink(world_path(&w, "own/dlink")), 0);
	}
}

/* own/a is now a folder with a secret_f of the sandbox's own, now a link to where that is the user's. */
static void list_swapped_body(struct world *x)
{
	struct stat outside;
	long *r = x->result;
	if (stat(world_path(x, "outside/secret_f"), &outside) < 0 || chdir(x->own) < 0)
		_exit(10);
	while (TRY(SYS_mkdir, "a/secret_f", 0755) != 0 && world_swapping(x, false))
		;
	while (world_swapping(x, r[0] && r[1])) {
		long inode = listed(AT_FDCWD, "a/secret_f", LIST);
		r[0] += inode > 0 && inode != (long)outside.st_ino;
		r[1] += inode == -EACCES;
		r[2] += inode == (long)outside.st_ino;
	}
}

static void listing_swapped(void **state)
{
	assert_int_equal(mkdir(world_path(&w, "outside/secret_f"), 0755), 0);
	assert_true(world_run_swapping(&w, list_swapped_body));
	assert_true(w.result[0] > 0);
	assert_true(w.result[1] > 0);
	assert_int_equal(w.result[2], 0);
	assert_true(w.events >= w.result[1]); /* no refusal without a record */
}

/* --- cost -------------------------------------------------------------------------------------- */

enum { ROUNDS = 4000 };

static long elapsed_ns(const char *path, int flags)
{
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < ROUNDS; i++) {
		long fd = syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
		if (fd >= 0)
			close((int)fd);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec) / ROUNDS;
}

static void cost_body(struct world *x)
{
	x->result[0] = elapsed_ns("/usr/include/x86_64-linux-gnu/../none.h", O_RDONLY);
	x->result[1] = elapsed_ns("/etc/passwd", O_RDONLY);
	x->result[2] = elapsed_ns(world_path(x, "own/file"), O_RDONLY);
	if (chdir(x->own) < 0)
		_exit(10);
	x->result[3] = elapsed_ns("file", O_RDONLY);
	x->result[4] = elapsed_ns("none.h", O_RDONLY);
	x->result[5] = elapsed_ns("/proc/self/status", O_RDONLY);
}

/* Printed, not judged: the machine is shared.  Both sides together, so the notification itself is in it. */
static void cost(void **state)
{
	static const char *const what[] = {"trusted text", "trusted text with policy", "own, absolute", "own, relative", "own, missing", "/proc/self"};
	struct timespec a, b;
	for (int namespaces = 0; namespaces < 2; namespaces++) {
		w.namespaces = namespaces;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		if (!world_run(&w, cost_body))
			continue;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		for (int i = 0; i < 6; i++)
			print_message("open+close, %s%s: %ld ns\n", what[i], namespaces ? ", namespaces" : "", w.result[i]);
		print_message("supervisor's CPU time: %ld ns a notification\n",
		              ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec) / (6L * ROUNDS));
		assert_true(w.notified >= 6 * ROUNDS);
		assert_int_equal(w.events, 0);
	}
}

static int group(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(protected_by_every_way), TEST(protected_in_namespaces), TEST(no_process_vm), TEST(openat2), TEST(missing), TEST(folders_of_processes), TEST(names_of_shared_memory), TEST(silent),
		TEST(silent_in_namespaces), TEST(unnamed), TEST(planted), TEST(writing), TEST(truncating_below_abi_3), TEST(addresses), TEST(deleted), TEST(redirected), TEST(descriptor_names),
		TEST(inspecting_others), TEST(own_proc), TEST(listing), TEST(listing_swapped), TEST(cost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_as_both(group);
}
