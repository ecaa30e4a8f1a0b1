/* Refused writes of the installer: pip is trusted to tell what it could not write, and the summary can
 * then say which option would allow it.  Nothing else is looked at, and only after a failure. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/python.h"
#include "preload/shim.h"

_Static_assert(sizeof(off_t) == sizeof(off64_t), "open and open64 are one function here");

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

static int has_mode(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

static int wants_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

static int do_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	const struct shim *shim = shim_get();
	int fd;

	python_opens();
	if (dirfd == AT_FDCWD && shim->real.open)
		fd = shim->real.open(path, flags, mode);
	else if (shim->real.openat)
		fd = shim->real.openat(dirfd, path, flags, mode);
	else
		fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
	return fd < 0 && wants_write(flags) ? told(fd, dirfd, path) : fd;
}

static mode_t take_mode(int flags, va_list *args)
{
	return has_mode(flags) ? va_arg(*args, mode_t) : 0;
}

#define OPEN(dirfd, path, flags) do { \
	va_list args; \
	mode_t mode; \
	va_start(args, flags); \
	mode = take_mode(flags, &args); \
	va_end(args); \
	return do_openat(dirfd, path, flags, mode); \
} while (0)

EXPORT int open(const char *path, int flags, ...)
{
	OPEN(AT_FDCWD, path, flags);
}

EXPORT int open64(const char *path, int flags, ...)
{
	OPEN(AT_FDCWD, path, flags);
}

EXPORT int openat(int dirfd, const char *path, int flags, ...)
{
	OPEN(dirfd, path, flags);
}

EXPORT int openat64(int dirfd, const char *path, int flags, ...)
{
	OPEN(dirfd, path, flags);
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
