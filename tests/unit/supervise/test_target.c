/* target.h itself: looks at a thread that waits in getppid(a, b, c …), made from inside the answering loop. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/target.h"
#include "one_world.h"

#define ASK(...) TRY(SYS_getppid, __VA_ARGS__)

/* --- memory ------------------------------------------------------------------------------------ */

static void memory_body(struct world *x)
{
	char *page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || munmap(page + 4096, 4096) < 0)
		_exit(10);
	memcpy(page + 4096 - 6, "hello", 6);
	ASK(page + 4096 - 6);
}

static void memory_hook(struct world *x, const struct seccomp_notif *req)
{
	uint64_t at = req->data.args[0];
	struct sockaddr_storage address;
	char out[64];
	assert_true(target_alive(&x->sb, req));
	assert_int_equal(target_read(&x->sb, req, at, out, 6), 0);
	assert_string_equal(out, "hello");
	assert_int_equal(target_read(&x->sb, req, at, out, 7), -EFAULT);
	assert_int_equal(target_read_some(&x->sb, req, at, out, sizeof out), 6);
	assert_int_equal(target_string(&x->sb, req, at, out, sizeof out, false), 5);
	assert_int_equal(target_string(&x->sb, req, at, out, 6, false), 5);
	assert_int_equal(target_string(&x->sb, req, at, out, 5, false), -ENAMETOOLONG);
	assert_int_equal(target_string(&x->sb, req, at + 6, out, sizeof out, false), -EFAULT);
	assert_int_equal(target_read(&x->sb, req, 0, out, 1), -EFAULT);
	assert_int_equal(target_read(&x->sb, req, UINT64_MAX - 2, out, 8), -EFAULT);
	assert_int_equal(target_read(&x->sb, req, 0, out, 0), 0);
	assert_int_equal(target_sockaddr(&x->sb, req, at, 6, &address), 0);
	assert_memory_equal(&address, "hello\0\0\0", 8);
	assert_int_equal(target_sockaddr(&x->sb, req, at, sizeof address + 1, &address), -EINVAL);
	assert_int_equal(target_sockaddr(&x->sb, req, at, UINT32_MAX, &address), -EINVAL);
	assert_int_equal(target_sockaddr(&x->sb, req, at, 7, &address), -EFAULT);
	struct seccomp_notif gone = *req;
	gone.id ^= 0x5555;
	assert_false(target_alive(&x->sb, &gone));
	assert_int_equal(target_read(&x->sb, &gone, at, out, 6), -ESRCH);
	assert_int_equal(target_string(&x->sb, &gone, at, out, sizeof out, false), -ESRCH);
	assert_int_equal(target_dir_path(&x->sb, &gone, AT_FDCWD, out, sizeof out), -ESRCH);
}

static void memory(void **state)
{
	w.hook = memory_hook;
	assert_true(world_run(&w, memory_body));
	assert_int_equal(w.notified, 1);
	w.caps.process_vm = false;
	assert_true(world_run(&w, memory_body));
	assert_int_equal(w.notified, 1);
}

/* --- descriptors and directories ---------------------------------------------------------------- */

static void fd_body(struct world *x)
{
	int dir = (int)TRY(SYS_openat, AT_FDCWD, x->outside, O_PATH | O_DIRECTORY), file = (int)TRY(SYS_openat, AT_FDCWD, world_path(x, "own/file"), O_RDWR);
	if (chdir(x->own) < 0)
		_exit(10);
	ASK(dir, file);
}

static void fd_hook(struct world *x, const struct seccomp_notif *req)
{
	int dir = (int)req->data.args[0], file = (int)req->data.args[1];
	char path[4096];
	struct stat got, want;
	assert_true(target_dir_path(&x->sb, req, AT_FDCWD, path, sizeof path) > 0);
	assert_string_equal(path, x->own);
	assert_true(target_dir_path(&x->sb, req, dir, path, sizeof path) > 0);
	assert_string_equal(path, x->outside);
	assert_int_equal(target_dir_path(&x->sb, req, dir, path, 4), -ENAMETOOLONG);
	assert_int_equal(target_dir_path(&x->sb, req, 99, path, sizeof path), -EBADF);
	assert_int_equal(target_dir_path(&x->sb, req, -1, path, sizeof path), -EBADF);
	int fd = target_fd(&x->sb, req, file);
	if (fd != -EPERM) { /* plain Docker */
		assert_true(fd >= 0 && fstat(fd, &got) == 0 && stat(world_path(x, "own/file"), &want) == 0 && got.st_ino == want.st_ino);
		close(fd);
		assert_int_equal(target_fd(&x->sb, req, 99), -EBADF);
	}
	x->caps.pidfd_getfd = false;
	assert_int_equal(target_fd(&x->sb, req, file), -ENOSYS);
	x->caps.pidfd_getfd = true;
}

static void descriptors(void **state)
{
	w.hook = fd_hook;
	assert_true(world_run(&w, fd_body));
	assert_int_equal(w.notified, 3);
}

/* --- resolving ---------------------------------------------------------------------------------- */

static void resolve_body(struct world *x)
{
	if (symlink("../outside", world_path(x, "own/out")) < 0 || symlink("new", world_path(x, "own/dangling")) < 0 || chdir(x->own) < 0)
		_exit(10);
	ASK(0);
}

static void check(struct world *x, const struct seccomp_notif *req, const char *path, bool follow, bool create, int error, bool missing, const char *real)
{
	struct resolved r;
	char want[4096];
	int got = target_resolve(&x->sb, req, AT_FDCWD, path, follow, create, &r);
	snprintf(want, sizeof want, real[0] == '/' ? "%.0s%s" : "%s/%s", x->top, real);
	if (got != error || strcmp(r.real, want) != 0)
		print_message("%s: %d, %s\n", path, got, r.real);
	assert_int_equal(got, error);
	assert_string_equal(r.real, want);
	if (error) {
		assert_int_equal(r.fd, -1);
		return;
	}
	assert_int_equal(r.missing, missing);
	assert_true(r.fd >= 0 && (fcntl(r.fd, F_GETFL) & O_PATH));
	if (missing)
		assert_string_equal(r.last, strrchr(want, '/') + 1);
	close(r.fd);
}

static void resolve_hook(struct world *x, const struct seccomp_notif *req)
{
	check(x, req, "file", true, false, 0, false, "own/file");
	check(x, req, "./dir/../file", true, false, 0, false, "own/file");
	check(x, req, "out/plain", true, false, 0, false, "outside/plain");
	check(x, req, "out", false, false, 0, false, "own/out");
	check(x, req, "out", true, false, 0, false, "outside");
	check(x, req, "out/", false, false, 0, false, "outside");
	check(x, req, "out/.", false, false, 0, false, "outside");
	check(x, req, "none", true, true, 0, true, "own/none");
	check(x, req, "out/none", true, true, 0, true, "outside/none");
	check(x, req, "dangling", true, true, 0, true, "own/new");
	check(x, req, "dangling", false, true, 0, false, "own/dangling");
	check(x, req, "dangling", true, false, -ENOENT, false, "own/new");
	check(x, req, "none", true, false, -ENOENT, false, "own/none");
	check(x, req, "none/deeper", true, true, -ENOENT, false, "own/none/deeper");
	check(x, req, "out/none/deeper", true, true, -ENOENT, false, "outside/none/deeper");
	check(x, req, "file/", true, false, -ENOTDIR, false, "own/file");
	check(x, req, "/", true, false, 0, false, "/");
	check(x, req, "/../..", true, false, 0, false, "/");
	check(x, req, "/none-at-all", true, true, 0, true, "/none-at-all");
	check(x, req, "/proc/self/cwd", true, false, 0, false, "own");
	check(x, req, "/proc/thread-self/cwd/out/plain", true, false, 0, false, "outside/plain");
	struct resolved r;
	assert_int_equal(target_resolve(&x->sb, req, AT_FDCWD, "", true, false, &r), -ENOENT);
	assert_int_equal(target_resolve(&x->sb, req, 99, "x", true, false, &r), -EBADF);
	struct seccomp_notif gone = *req;
	gone.id ^= 0x5555;
	assert_int_equal(target_resolve(&x->sb, &gone, AT_FDCWD, "file", true, false, &r), -ESRCH);
	assert_int_equal(r.fd, -1);
}

static void resolving(void **state)
{
	w.hook = resolve_hook;
	assert_true(world_run(&w, resolve_body));
	assert_true(w.notified >= 1);
}

static void resolving_in_namespaces(void **state)
{
	w.hook = resolve_hook;
	w.namespaces = true;
	if (!world_run(&w, resolve_body))
		world_skip();
}

/* --- who --------------------------------------------------------------------------------------- */

static pid_t stranger;

static void *thread_body(void *argument)
{
	struct world *x = argument;
	if (unshare(CLONE_FS | CLONE_FILES) < 0 || chdir(x->outside) < 0)
		_exit(11);
	ASK(syscall(SYS_gettid), getpid());
	x->result[0] = TRY(SYS_openat, AT_FDCWD, "secret", O_RDONLY);
	x->result[1] = TRY(SYS_openat, AT_FDCWD, "/proc/thread-self/cwd/secret", O_RDONLY);
	x->result[2] = TRY(SYS_openat, AT_FDCWD, "/proc/self/cwd/file", O_RDONLY) >= 0; /* the leader's directory */
	return NULL;
}

/* A thread that is not the leader, with a directory and a table of descriptors of its own. */
static void who_body(struct world *x)
{
	pthread_t thread;
	if (chdir(x->own) < 0 || pthread_create(&thread, NULL, thread_body, x) != 0)
		_exit(10);
	pthread_join(thread, NULL);
}

static void who_hook(struct world *x, const struct seccomp_notif *req)
{
	struct target_identity id;
	pid_t inner_tgid, inner_tid;
	target_identify((pid_t)req->pid, &id);
	assert_string_equal(id.cwd, x->outside);
	assert_non_null(strstr(id.exe, "test_target"));
	assert_non_null(id.argv[0]);
	assert_true(id.pid > 0 && id.ppid > 0);
	assert_int_equal(target_tgid((pid_t)req->pid), id.pid);
	assert_true(target_numbers((pid_t)req->pid, &inner_tgid, &inner_tid));
	assert_int_equal(inner_tid, (pid_t)req->data.args[0]);
	assert_int_equal(inner_tgid, (pid_t)req->data.args[1]);
	assert_true(target_is_member(&x->sb, (pid_t)req->pid));
	assert_true(target_is_member(&x->sb, id.pid));
	assert_false(target_is_member(&x->sb, stranger));
	assert_false(target_is_member(&x->sb, getpid()));
	assert_false(target_is_member(&x->sb, 1));
	assert_false(target_is_member(&x->sb, 0));
	assert_int_equal(target_tgid(0x3fffffff), 0);
}

static void check_who(bool namespaces)
{
	w.hook = who_hook;
	w.namespaces = namespaces;
	stranger = fork();
	if (stranger == 0) {
		alarm(60);
		pause();
		_exit(0);
	}
	bool run = world_run(&w, who_body);
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
	if (!run)
		world_skip();
	assert_int_equal(w.result[0], -EACCES);
	assert_int_equal(w.result[1], -EACCES);
	assert_int_equal(w.result[2], 1);
	assert_int_equal(w.events, 2);
}

static void who(void **state) { check_who(false); }
static void who_in_namespaces(void **state) { check_who(true); }

/* A process that hides its memory is refused, and that is told; root's supervisor reads it all the same. */
static void hidden_body(struct world *x)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		_exit(10);
	x->result[0] = TRY(SYS_openat, AT_FDCWD, world_path(x, "own/file"), O_RDONLY);
	x->result[1] = TRY(SYS_chmod, world_path(x, "own/file"), 0600);
	x->result[2] = TRY(SYS_fchmod, 1, 0600);
}

static void hidden(void **state)
{
	assert_true(world_run(&w, hidden_body));
	if (geteuid() == 0)
		return;
	assert_int_equal(w.result[0], -EACCES);
	assert_int_equal(w.result[1], -EACCES);
	assert_int_equal(w.result[2], -EACCES);
	assert_int_equal(w.events, 3);
	assert_string_equal(w.event[0].type, "syscall.denied");
}

static int group(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(memory), TEST(descriptors), TEST(resolving), TEST(resolving_in_namespaces), TEST(who), TEST(who_in_namespaces), TEST(hidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_as_both(group);
}
