#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"

/* 0, or the error that the kernel gives before it opens. */
static int refuses(const struct stat *st, uint64_t flags)
{
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return EOPNOTSUPP;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return EEXIST;
	if (S_ISLNK(st->st_mode))
		return flags & O_DIRECTORY ? ENOTDIR : ELOOP;
	return S_ISDIR(st->st_mode) && (flags & O_CREAT) ? EISDIR : 0;
}

struct reply inject_open(int pinned, uint64_t flags)
{
	struct stat st;
	if (fstat(pinned, &st) == 0 && !refuses(&st, flags) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return reply_error(EACCES);
	return inject_any(pinned, flags);
}

struct reply inject_any(int pinned, uint64_t flags)
{
	char path[40];
	struct stat st;
	if (fstat(pinned, &st) < 0)
		return reply_error(errno);
	int error = refuses(&st, flags);
	if (error)
		return reply_error(error);
	/* Of the supervisor, where the number means this descriptor. O_NONBLOCK: a lease is EWOULDBLOCK instead of a wait. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", pinned);
	cleanup_fd int fd = open(path, (int)(flags & INJECT_FLAGS) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return reply_error(errno);
	/* A flag of the open file, which from now on is the caller's. */
	int now = (flags & O_NONBLOCK) ? 0 : fcntl(fd, F_GETFL);
	if (now < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, now & ~O_NONBLOCK) < 0))
		return reply_error(errno);
	return reply_fd(steal_fd(&fd), (flags & O_CLOEXEC) ? O_CLOEXEC : 0);
}
