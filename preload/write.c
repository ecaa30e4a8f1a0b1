/* Refused writes of the installer: pip is trusted to tell what it could not write, and the summary can
 * then say which option would allow it.  Nothing else is looked at, and only after a failure. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/python.h"
#include "preload/shim.h"

static int is_refusal(int err)
{
	return err == EACCES || err == EROFS;
}

/* Where a relative path begins.  An empty answer means: unknown. */
static void put_base(int dirfd, char *text, size_t size)
{
	char link[32] = "/proc/self/fd/";
	long n;

	text[0] = '\0';
	if (dirfd == AT_FDCWD) {
		if (syscall(SYS_getcwd, text, size) < 0 || text[0] != '/')
			text[0] = '\0';
		return;
	}
	shim_append_number(link, sizeof(link), (unsigned)dirfd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
}

static void report(int dirfd, const char *path)
{
	char text[PATH_MAX + 1];

	text[0] = '\0';
	if (path[0] != '/') {
		put_base(dirfd, text, sizeof(text));
		if (!text[0])
			return;
		shim_append(text, sizeof(text), "/");
	}
	shim_append(text, sizeof(text), path);
	shim_event(PW_EV_WRITE_REFUSED, text, &(struct shim_origin){ 0 });
}

/* Called with the result of a call that wanted to write; errno is that call's. */
static int told(int ret, int dirfd, const char *path)
{
	int err = errno;

	if (ret < 0 && is_refusal(err) && path && shim_get()->role == PW_ROLE_INSTALLER)
		report(dirfd, path);
	errno = err;
	return ret;
}

static int wants_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

/* Each name goes on to the next definition of that very name: a library that stands behind us may have one of them only. */
typedef int open_fn(const char *, int, ...);
typedef int openat_fn(int, const char *, int, ...);

static int do_open(open_fn *real, const char *path, int flags, mode_t mode)
{
	int fd;

	python_opens();
	fd = real ? real(path, flags, mode) : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	return fd < 0 && wants_write(flags) ? told(fd, AT_FDCWD, path) : fd;
}

static int do_openat(openat_fn *real, int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	python_opens();
	fd = real ? real(dirfd, path, flags, mode) : (int)syscall(SYS_openat, dirfd, path, flags, mode);
	return fd < 0 && wants_write(flags) ? told(fd, dirfd, path) : fd;
}

/* libc declares these with "...".  The mode lies in the third (fourth) register then as well, or what is there means nothing: do_open's flags tell. */
#define INSTEAD_OF(name) __asm__(#name) EXPORT
int write_open(const char *path, int flags, mode_t mode) INSTEAD_OF(open);
int write_open64(const char *path, int flags, mode_t mode) INSTEAD_OF(open64);
int write_openat(int dirfd, const char *path, int flags, mode_t mode) INSTEAD_OF(openat);
int write_openat64(int dirfd, const char *path, int flags, mode_t mode) INSTEAD_OF(openat64);

int write_open(const char *path, int flags, mode_t mode)
{
	return do_open(shim_get()->real.open, path, flags, mode);
}

int write_open64(const char *path, int flags, mode_t mode)
{
	return do_open(shim_get()->real.open64, path, flags, mode);
}

int write_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return do_openat(shim_get()->real.openat, dirfd, path, flags, mode);
}

int write_openat64(int dirfd, const char *path, int flags, mode_t mode)
{
	return do_openat(shim_get()->real.openat64, dirfd, path, flags, mode);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	const struct shim *shim = shim_get();
	int ret = shim->real.mkdir ? shim->real.mkdir(path, mode) : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

	return told(ret, AT_FDCWD, path);
}

EXPORT int rename(const char *from, const char *to)
{
	const struct shim *shim = shim_get();
	int ret = shim->real.rename ? shim->real.rename(from, to)
		: (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);

	told(ret, AT_FDCWD, from); /* either end may be what was refused */
	return told(ret, AT_FDCWD, to);
}

/* Not rmdir: pip tries that on folders that are not empty, to see. */
EXPORT int unlink(const char *path)
{
	const struct shim *shim = shim_get();
	int ret = shim->real.unlink ? shim->real.unlink(path) : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);

	return told(ret, AT_FDCWD, path);
}
