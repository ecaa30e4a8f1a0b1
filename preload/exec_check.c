#include "preload/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/exec_head.h"

#ifndef SYS_faccessat2
#define SYS_faccessat2 439 /* Linux 5.8 */
#endif

/* How many `#!` the kernel follows. */
#define MAX_SCRIPTS 5

/* syscall() reports by errno, which must not change here. */
static long quiet(long ret, int saved)
{
	long result = ret < 0 ? -errno : ret;

	errno = saved;
	return result;
}
#define QUIET(...) quiet(syscall(__VA_ARGS__), errno_before)

/* Exists, is a regular file, may be executed (the mount's noexec included). */
static int look(int dirfd, const char *path, int flags)
{
	int errno_before = errno;
	struct stat st;
	long ret = QUIET(SYS_newfstatat, dirfd, path, &st, flags);

	if (ret < 0)
		return (int)-ret;
	if (!S_ISREG(st.st_mode))
		return S_ISLNK(st.st_mode) ? ELOOP : EACCES; /* a link: with AT_SYMLINK_NOFOLLOW only */
	ret = QUIET(SYS_faccessat2, dirfd, path, X_OK, AT_EACCESS | flags);
	if (ret == -ENOSYS || ret == -EPERM) /* an old kernel, an old container's filter */
		ret = QUIET(SYS_faccessat, dirfd, path, X_OK, 0);
	return (int)-ret;
}

/* Bytes read, or -1: a program may be executable and not readable. */
static long read_head(const char *path, char head[EXEC_HEAD_SIZE])
{
	int errno_before = errno;
	/* Not blocking: the regular file of a moment ago may have become a FIFO. */
	long fd = QUIET(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	long n;

	if (fd < 0)
		return -1;
	do
		n = QUIET(SYS_pread64, (int)fd, head, (size_t)EXEC_HEAD_SIZE, 0L);
	while (n == -EINTR);
	QUIET(SYS_close, (int)fd);
	return n < 0 ? -1 : n;
}

int exec_check(const char *path)
{
	char head[EXEC_HEAD_SIZE];
	struct exec_interp interp = { .path = path, .script = true };

	for (int depth = 0; interp.path; depth++) {
		int err = look(AT_FDCWD, interp.path, 0);
		long n;

		if (err || !interp.script)
			return err;
		if (depth > MAX_SCRIPTS)
			return ELOOP;
		n = read_head(interp.path, head); /* interp.path may lie in head: it is used up here */
		if (n < 0)
			return shim_get()->role == PW_ROLE_INSTALLER ? 0 : EACCES;
		err = exec_head(head, (size_t)n, &interp);
		if (err)
			return err;
	}
	return 0;
}

static void begin(struct exec_target *t)
{
	memcpy(t->var, SHIM_EXEC_VAR, sizeof(SHIM_EXEC_VAR) - 1);
}

static int set_path(struct exec_target *t, const char *path, size_t len)
{
	begin(t);
	if (len >= t->room)
		return ENAMETOOLONG;
	memcpy(exec_path(t), path, len);
	exec_path(t)[len] = '\0';
	return 0;
}

static int read_link(struct exec_target *t, const char *link)
{
	int errno_before = errno;
	long n = QUIET(SYS_readlinkat, AT_FDCWD, link, exec_path(t), t->room);

	begin(t);
	if (n < 0)
		return (int)-n;
	if ((size_t)n >= t->room)
		return ENAMETOOLONG;
	exec_path(t)[n] = '\0';
	return 0;
}

/* A deleted file, a memfd, a file of another mount namespace: its link does not lead back to it, and
 * a helper cannot be told by name what to run. */
static int leads_to(const char *path, const char *link)
{
	int errno_before = errno;
	struct stat want, got;

	if (QUIET(SYS_newfstatat, AT_FDCWD, link, &want, 0) < 0)
		return EBADF;
	if (QUIET(SYS_newfstatat, AT_FDCWD, path, &got, 0) < 0 || got.st_dev != want.st_dev ||
	    got.st_ino != want.st_ino)
		return S_ISREG(want.st_mode) ? ENOENT : EACCES;
	return 0;
}

static int resolve_link(struct exec_target *t, const char *link)
{
	int err = read_link(t, link);

	return err ? err : leads_to(exec_path(t), link);
}

static size_t room(const char *path, size_t more)
{
	/* Links of /proc and /dev may have to be read; anything else is as long as it is. */
	size_t len = path[0] == '/' && (path[1] == 'p' || path[1] == 'd') ? PATH_MAX : strlen(path) + 1 + more;

	return len < PATH_MAX ? len : PATH_MAX;
}

size_t exec_path_bytes(const char *path)
{
	return room(path, 0);
}

size_t exec_search_bytes(const char *file)
{
	return room(file, strlen(exec_search_path()) + 1);
}

int exec_target_kept(struct exec_target *t, const char *path)
{
	static const char *const own[] = { "/proc/self/fd/", "/dev/fd/", "/proc/thread-self/fd/" };
	bool mine = !strcmp(path, "/proc/self/exe") || !strcmp(path, "/proc/thread-self/exe");
	int err;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && !mine; i++) {
		size_t len = strlen(own[i]);

		mine = !strncmp(path, own[i], len) && !strchr(path + len, '/');
	}
	if (!mine)
		return set_path(t, path, strlen(path));
	err = look(AT_FDCWD, path, 0);
	begin(t);
	return err ? err : resolve_link(t, path);
}

int exec_target_path(struct exec_target *t, const char *path)
{
	return shim_get()->role == PW_ROLE_INSTALLER ? exec_target_kept(t, path) : set_path(t, path, strlen(path));
}

int exec_target_at(struct exec_target *t, int dirfd, const char *path, int flags)
{
	int errno_before = errno;
	char link[sizeof("/proc/self/fd/") + 12] = "/proc/self/fd/";
	size_t dir_len, len = strlen(path);
	int err;

	begin(t);
	exec_path(t)[0] = '\0';
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return EINVAL;
	if (!len && !(flags & AT_EMPTY_PATH))
		return ENOENT;
	if (len) {
		err = look(dirfd, path, flags & AT_SYMLINK_NOFOLLOW);
		if (err)
			return err;
	}
	if (path[0] == '/' || (dirfd == AT_FDCWD && len))
		return exec_target_kept(t, path);
	if (dirfd < 0 || QUIET(SYS_fcntl, dirfd, F_GETFD) < 0)
		return dirfd == AT_FDCWD ? EACCES : EBADF;
	shim_append_number(link, sizeof(link), (unsigned)dirfd);
	err = len ? read_link(t, link) : resolve_link(t, link);
	if (err || !len)
		return err;
	dir_len = strlen(exec_path(t));
	if (dir_len + 1 + len >= t->room)
		return ENAMETOOLONG;
	exec_path(t)[dir_len] = '/';
	memcpy(exec_path(t) + dir_len + 1, path, len + 1);
	return 0;
}

int exec_target_in(struct exec_target *t, const char **entry, const char *file)
{
	const char *dir = *entry, *end = strchr(dir, ':');
	size_t dir_len = end ? (size_t)(end - dir) : strlen(dir), len = strlen(file);
	char *p = exec_path(t);

	*entry = end ? end + 1 : NULL;
	begin(t);
	if (dir_len + 1 + len >= t->room)
		return ENAMETOOLONG;
	memcpy(p, dir, dir_len);
	p += dir_len;
	if (dir_len) /* an empty entry is the working directory */
		*p++ = '/';
	memcpy(p, file, len + 1);
	return 0;
}

const char *exec_search_path(void)
{
	const char *path = shim_getenv("PATH");

	return path ? path : "/bin:/usr/bin"; /* glibc's CS_PATH */
}

int exec_search_goes_on(int err)
{
	return err == EACCES || err == ENOENT || err == ESTALE || err == ENOTDIR || err == ENODEV || err == ETIMEDOUT;
}

int exec_search(struct exec_target *t, const char *file)
{
	const char *entry = exec_search_path();
	bool denied = false;
	int err = ENOENT;

	if (!file[0])
		return ENOENT;
	if (strchr(file, '/')) {
		err = exec_target_kept(t, file);
		return err ? err : exec_check(exec_path(t));
	}
	while (entry) {
		err = exec_target_in(t, &entry, file);
		if (!err)
			err = exec_check(exec_path(t));
		if (!exec_search_goes_on(err))
			return err;
		denied |= err == EACCES;
	}
	return denied ? EACCES : err;
}
