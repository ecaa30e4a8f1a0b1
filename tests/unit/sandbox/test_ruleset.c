/* Rulesets against real files, on every ABI that this kernel has, as root and as an ordinary user. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "as_user.h"
#include "launcher/sandbox/compat.h"
#include "launcher/sandbox/ruleset.h"

static char root[] = "/tmp/pw-ruleset-XXXXXX";

static int kernel_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return abi < 0 ? 0 : abi > 10 ? 10 : (int)abi;
}

static const char *at(const char *name)
{
	static char buffer[4][256];
	static int turn;
	char *s = buffer[turn++ % 4];
	snprintf(s, sizeof buffer[0], "%s/%s", root, name);
	return s;
}

static void put(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
	assert_int_equal(chmod(at(name), 0666), 0);
}

/* Everybody may do everything here as far as modes go: what is refused, Landlock refuses. */
static int make_tree(void **state)
{
	static const char *const dirs[] = {"", "read", "write", "write2", "none", "read/deep"};

	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		if (*dirs[i]) {
			assert_int_equal(mkdir(at(dirs[i]), 0777), 0);
		}
		assert_int_equal(chmod(at(dirs[i]), 0777), 0);
	}
	put("read/f");
	put("read/deep/f");
	put("none/f");
	put("single");
	assert_int_equal(symlink("none", at("planted")), 0);
	return 0;
}

static int remove_tree(void **state)
{
	static const char *const names[] = {"read/f", "read/deep/f", "none/f", "single", "planted", "read/deep", "read", "write", "write2", "none", ""};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		remove(at(names[i]));
	}
	return 0;
}

static int try_open(const char *name, int flags)
{
	int fd = open(at(name), flags | O_CLOEXEC, 0666);
	int r = fd < 0 ? -errno : 0;
	if (fd >= 0) {
		close(fd);
	}
	return r;
}

static int try_tcp(bool binds, unsigned short port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = binds ? bind(fd, (void *)&sin, sizeof sin) : connect(fd, (void *)&sin, sizeof sin);
	r = r < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int errno_of(int r)
{
	return r < 0 ? -errno : 0;
}

static int run_program(const char *path)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno == EACCES ? 99 : 98);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int enforce(struct ruleset *r)
{
	int e;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	e = ruleset_enforce(r->fd);
	ruleset_finish(r);
	return e;
}

struct run {
	enum ruleset_kind kind;
	int abi;
	bool tcp;
};

static int sandbox_files(void *argument)
{
	const struct run *run = argument;
	struct ruleset r;
	int abi = run->abi;

	umask(0);
	CHECK(ruleset_init(&r, RULESET_SANDBOX, abi, run->tcp) == 0);
	CHECK(ruleset_add(&r, at("read"), GRANT_READ) == 0);
	CHECK(ruleset_add(&r, at("write"), GRANT_READ | GRANT_WRITE) == 0);
	CHECK(ruleset_add_nofollow(&r, at("write2"), GRANT_READ | GRANT_WRITE) == 0);
	CHECK(ruleset_add(&r, at("single"), GRANT_READ | GRANT_WRITE | GRANT_EXECUTE | GRANT_DEVICE) == 0);
	CHECK(ruleset_add(&r, "/dev/zero", GRANT_READ | GRANT_WRITE_FILE | GRANT_DEVICE) == 0);
	CHECK(ruleset_add(&r, at("absent"), GRANT_READ) == -ENOENT);
	CHECK(ruleset_add_nofollow(&r, at("planted"), GRANT_READ | GRANT_WRITE) == -ELOOP);
	CHECK(ruleset_add_nofollow(&r, at("planted/f"), GRANT_READ | GRANT_WRITE) == -ELOOP);
	CHECK(ruleset_add_nofollow(&r, at("write/../none"), GRANT_WRITE) == -EINVAL);
	CHECK(ruleset_add_nofollow(&r, "", GRANT_WRITE) == -ENOENT);
	CHECK(ruleset_add_port(&r, false, 9) == 0);
	CHECK(r.writable_count == 4 && !r.writable[4] && !strcmp(r.writable[0], at("write")));
	CHECK(enforce(&r) == 0);

	CHECK(try_open("read/f", O_RDONLY) == 0 && try_open("read/deep/f", O_RDONLY) == 0 && try_open("read", O_RDONLY | O_DIRECTORY) == 0);
	CHECK(try_open("read/f", O_WRONLY) == -EACCES && try_open("read/new", O_WRONLY | O_CREAT) == -EACCES);
	CHECK(try_open("none/f", O_RDONLY) == -EACCES && try_open("none", O_RDONLY | O_DIRECTORY) == -EACCES);
	CHECK(try_open("planted/f", O_RDONLY) == -EACCES);
	CHECK(try_open("single", O_RDWR) == 0);
	CHECK(errno_of(unlink(at("single"))) == -EACCES && errno_of(unlink(at("read/f"))) == -EACCES);
	CHECK(open("/dev/zero", O_RDWR | O_CLOEXEC) >= 0 && open("/dev/full", O_RDONLY | O_CLOEXEC) < 0);
	CHECK(open("/proc/self/environ", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);

	CHECK(try_open("write/a", O_RDWR | O_CREAT | O_TRUNC) == 0);
	CHECK(truncate(at("write/a"), 0) == 0);
	CHECK(mkdir(at("write/d"), 0777) == 0 && rename(at("write/a"), at("write/b")) == 0);
	CHECK(errno_of(rename(at("write/b"), at("write2/b"))) == (abi >= 2 ? 0 : -EXDEV));
	if (abi < 2) {
		CHECK(unlink(at("write/b")) == 0);
	} else {
		CHECK(unlink(at("write2/b")) == 0);
	}
	CHECK(symlink("nowhere", at("write/s")) == 0 && unlink(at("write/s")) == 0);
	CHECK(mkfifo(at("write/p"), 0666) == 0 && unlink(at("write/p")) == 0);
	CHECK(mknod(at("write/c"), S_IFCHR | 0666, (1 << 8) | 3) < 0 && (errno == EACCES || (geteuid() && errno == EPERM)));
	CHECK(rmdir(at("write/d")) == 0);
	/* A secret does not come into reach by another name. */
	CHECK(link(at("none/f"), at("write/l")) < 0 && (errno == EXDEV || errno == EACCES || (geteuid() && errno == EPERM)));
	CHECK(rename(at("none/f"), at("write/f")) < 0 && rename(at("read/f"), at("write/f")) < 0);

	/* What filter.h's options exist for. */
	CHECK(errno_of(truncate(at("none/f"), 1)) == (abi >= 3 ? -EACCES : 0));
	CHECK(try_open("read/f", O_RDONLY | O_TRUNC) == (abi >= 3 ? -EACCES : 0));
	CHECK(run_program("/bin/true") == 99);
	return 0;
}

/* A second ruleset of the kept rules allows what the first one does, and its own. */
static int kept_files(void *argument)
{
	const struct run *run = argument;
	struct kept_rules kept = {0};
	struct ruleset first, second;

	CHECK(ruleset_init(&first, RULESET_SANDBOX, run->abi, run->tcp) == 0);
	first.keep = &kept;
	CHECK(ruleset_add(&first, at("read"), GRANT_READ) == 0);
	CHECK(ruleset_add(&first, at("single"), GRANT_READ | GRANT_WRITE_FILE) == 0);
	CHECK(ruleset_add(&first, at("absent"), GRANT_READ) == -ENOENT);
	first.keep = NULL;
	CHECK(ruleset_add(&first, at("none"), GRANT_READ) == 0);
	ruleset_finish(&first);
	CHECK(kept.count == 2 && fcntl(kept.v[0].fd, F_GETFD) == FD_CLOEXEC);

	CHECK(ruleset_init(&second, RULESET_SANDBOX, run->abi, run->tcp) == 0);
	CHECK(ruleset_add_kept(&second, &kept) == 0);
	CHECK(ruleset_add(&second, at("write"), GRANT_WRITE) == 0);
	CHECK(second.writable_count == 2 && !strcmp(second.writable[0], at("single")));
	CHECK(enforce(&second) == 0);
	CHECK(try_open("read/deep/f", O_RDONLY) == 0 && try_open("read/f", O_WRONLY) == -EACCES);
	CHECK(try_open("single", O_RDWR) == 0 && try_open("none/f", O_RDONLY) == -EACCES);
	ruleset_forget(&kept);
	CHECK(kept.count == 0);
	return 0;
}

/* Where descriptors run out nothing is kept, and the ruleset has its rules all the same. */
static int kept_nothing(void *argument)
{
	const struct run *run = argument;
	struct kept_rules kept = {0};
	struct ruleset r;
	int fds[2] = {-1, -1};

	CHECK(ruleset_init(&r, RULESET_SANDBOX, run->abi, run->tcp) == 0);
	CHECK(pipe(fds) == 0);
	close(fds[0]); /* free again: for what is granted itself */
	struct rlimit limit = {.rlim_cur = (rlim_t)fds[1] + 2, .rlim_max = (rlim_t)fds[1] + 2};
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	r.keep = &kept;
	CHECK(ruleset_add(&r, at("read"), GRANT_READ) == 0 && kept.count == 1);
	CHECK(ruleset_add(&r, at("single"), GRANT_READ) == 0);
	CHECK(kept.count == 0 && r.keep == NULL);
	CHECK(enforce(&r) == 0);
	CHECK(try_open("read/f", O_RDONLY) == 0 && try_open("single", O_RDONLY) == 0 && try_open("none/f", O_RDONLY) == -EACCES);
	return 0;
}

static int outside(void *argument)
{
	const struct run *run = argument;
	struct ruleset r;
	int alive[2];
	char end;
	pid_t stranger;

	/* Ends with the pipe: a parent-death signal from a parent in a scoped domain does not reach a child outside of it. */
	CHECK(pipe(alive) == 0);
	stranger = fork();
	if (stranger == 0) {
		close(alive[1]);
		alarm(20);
		_exit(read(alive[0], &end, 1) == 0 ? 0 : 1);
	}
	CHECK(stranger > 0);
	CHECK(ruleset_init(&r, run->kind, run->abi, run->tcp) == 0);
	CHECK(ruleset_add_port(&r, false, 9) == 0);
	CHECK(enforce(&r) == 0);
	CHECK(try_tcp(false, 10) == (run->abi >= 4 && run->tcp ? -EACCES : -ECONNREFUSED));
	CHECK(try_tcp(false, 9) == -ECONNREFUSED);
	CHECK(try_tcp(true, 0) == (run->abi >= 4 && run->tcp ? -EACCES : 0));
	CHECK(errno_of(kill(stranger, 0)) == (run->abi >= 6 ? -EPERM : 0));
	return 0;
}

static int installer_files(void *argument)
{
	const struct run *run = argument;
	static const char *const programs[] = {"/usr", "/lib", "/lib64", "/bin"};
	struct ruleset r;

	umask(0);
	CHECK(ruleset_init(&r, RULESET_INSTALLER, run->abi, true) == 0);
	CHECK(ruleset_add(&r, at("write"), GRANT_READ | GRANT_WRITE) == 0);
	CHECK(ruleset_add(&r, at("read"), GRANT_READ) == 0); /* nothing that it handles: no rule, no error */
	CHECK(r.writable_count == 1 && !strcmp(r.writable[0], at("write")));
	if (run->tcp) { /* here: programs are granted */
		for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
			int e = ruleset_add(&r, programs[i], GRANT_READ | GRANT_EXECUTE);
			CHECK(e == 0 || e == -ENOENT);
		}
	}
	CHECK(enforce(&r) == 0);
	CHECK(try_open("none/f", O_RDONLY) == 0 && try_open("none", O_RDONLY | O_DIRECTORY) == 0);
	CHECK(try_open("none/f", O_WRONLY) == -EACCES && try_open("none/new", O_WRONLY | O_CREAT) == -EACCES);
	CHECK(try_open("read/f", O_WRONLY) == -EACCES && try_open("single", O_WRONLY) == -EACCES);
	CHECK(try_open("write/i", O_WRONLY | O_CREAT) == 0 && unlink(at("write/i")) == 0);
	CHECK(run_program("/bin/true") == (run->tcp ? 0 : 99));
	return 0;
}

static void every_abi(void **state)
{
	assert_true(kernel_abi() >= 1);
	for (int abi = 1; abi <= kernel_abi(); abi++) {
		for (int tcp = 0; tcp < 2; tcp++) {
			struct run run = {RULESET_SANDBOX, abi, tcp};
			assert_int_equal(in_children(sandbox_files, &run), 0);
			assert_int_equal(in_children(kept_files, &run), 0);
			assert_int_equal(in_children(kept_nothing, &run), 0);
			assert_int_equal(in_children(outside, &run), 0);
			run.kind = RULESET_INSTALLER;
			assert_int_equal(in_children(outside, &run), 0);
			assert_int_equal(in_children(installer_files, &run), 0);
		}
	}
}

static void rights_grow_with_the_abi(void **state)
{
	uint64_t before[2] = {0, 0};

	for (int abi = 1; abi <= kernel_abi(); abi++) {
		for (int kind = RULESET_SANDBOX; kind <= RULESET_INSTALLER; kind++) {
			struct ruleset r;
			assert_int_equal(ruleset_init(&r, (enum ruleset_kind)kind, abi, true), 0);
			assert_int_equal(fcntl(r.fd, F_GETFD), FD_CLOEXEC);
			assert_int_equal(before[kind] & ~r.handled_fs, 0);
			assert_int_equal(!(r.handled_fs & PW_LL_FS_REFER), abi < 2);
			assert_int_equal(!(r.handled_fs & PW_LL_FS_TRUNCATE), abi < 3);
			assert_int_equal(!r.handled_net, abi < 4);
			assert_int_equal(!(r.handled_fs & PW_LL_FS_IOCTL_DEV), abi < 5 || kind == RULESET_INSTALLER);
			assert_int_equal(!(r.handled_fs & PW_LL_FS_RESOLVE_UNIX), abi < 9 || kind == RULESET_INSTALLER);
			assert_int_equal(!(r.handled_fs & PW_LL_FS_READ_FILE), kind == RULESET_INSTALLER);
			before[kind] = r.handled_fs;
			ruleset_finish(&r);
			assert_int_equal(r.fd, -1);
			ruleset_finish(&r);
		}
	}
}

static void failures_leave_nothing(void **state)
{
	struct ruleset r;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(next);
	assert_int_equal(ruleset_init(&r, RULESET_SANDBOX, 0, true), -EOPNOTSUPP);
	ruleset_finish(&r);
	/* Newer than the code: the newest that it knows, which this kernel may not have. */
	if (ruleset_init(&r, RULESET_SANDBOX, 99, true) == 0) {
		assert_int_equal(r.abi, 10);
	}
	ruleset_finish(&r);
	assert_int_equal(ruleset_init(&r, RULESET_SANDBOX, 1, true), 0);
	assert_int_equal(ruleset_add(&r, "/nonexistent/x", GRANT_WRITE), -ENOENT);
	assert_int_equal(ruleset_add_nofollow(&r, "/nonexistent/x", GRANT_WRITE), -ENOENT);
	assert_int_equal(ruleset_add_nofollow(&r, "/dev/null/x", GRANT_WRITE), -ENOTDIR);
	assert_int_equal(ruleset_add_fd(&r, -1, GRANT_WRITE), -EBADF);
	assert_int_equal(r.writable_count, 0);
	assert_int_equal(ruleset_add(&r, "/tmp", GRANT_WRITE), 0);
	assert_int_equal(ruleset_add(&r, "/tmp/", GRANT_WRITE_FILE), 0);
	assert_int_equal(r.writable_count, 1);
	ruleset_finish(&r);
	assert_int_equal(open("/dev/null", O_RDONLY | O_CLOEXEC), next);
	close(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_abi),
		cmocka_unit_test(rights_grow_with_the_abi),
		cmocka_unit_test(failures_leave_nothing),
	};
	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
