#include "launcher/record/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/fd.h"

#define WAIT_MILLISECONDS 5000 /* for a reader of a non-blocking descriptor */

/* A foreign line that was cut short must not swallow our first one. */
static int end_last_line(int fd, off_t size)
{
	char last = '\n';
	if (size > 0 && pread(fd, &last, 1, size - 1) != 1) {
		return -EIO;
	}
	return last != '\n' && write(fd, "\n", 1) != 1 ? -errno : 0;
}

static int open_existing(const char *path)
{
	struct stat st;
	cleanup_fd int fd = open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return -EINVAL;
	}
	/* A second name: the file is something else as well, which we would write into. */
	if (st.st_uid != geteuid() || st.st_nlink != 1) {
		return -EPERM;
	}
	int r = end_last_line(fd, st.st_size);
	return r < 0 ? r : steal_fd(&fd);
}

int sink_open_path(struct sink *s, const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		fd = errno == EEXIST ? open_existing(path) : -errno;
	}
	*s = (struct sink){.fd = fd, .regular = true};
	return fd < 0 ? fd : 0;
}

int sink_open_fd(struct sink *s, int fd)
{
	struct stat st;
	*s = (struct sink){.fd = -1};
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0) {
		return -errno;
	}
	if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0) {
		return -EBADF;
	}
	s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (s->fd < 0 || fstat(s->fd, &st) < 0) {
		int error = errno;
		sink_close(s);
		return -error;
	}
	s->regular = S_ISREG(st.st_mode);
	return 0;
}

/* Only when the piece is the end of the file: another run may have appended to it since. */
static void take_back(struct sink *s, size_t written)
{
	struct stat st;
	off_t end = lseek(s->fd, 0, SEEK_CUR);
	if (end >= (off_t)written && fstat(s->fd, &st) == 0 && st.st_size == end &&
	    ftruncate(s->fd, end - (off_t)written) < 0) {
		return; /* nothing is left to try; the line stays cut, and no other follows it */
	}
}

int sink_write(struct sink *s, const char *line, size_t len)
{
	size_t written = 0;
	int error = 0;
	while (written < len && error == 0) {
		ssize_t n = write(s->fd, line + written, len - written);
		if (n > 0) {
			written += (size_t)n;
		} else if (n == 0) {
			error = EIO;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = s->fd, .events = POLLOUT};
			int ready = poll(&wait, 1, WAIT_MILLISECONDS);
			error = ready == 0 ? EAGAIN : ready < 0 && errno != EINTR ? errno : 0;
		} else if (errno != EINTR) {
			error = errno;
		}
	}
	if (error != 0 && written > 0 && s->regular) {
		take_back(s, written);
	}
	return -error;
}

int sink_sync(struct sink *s)
{
	while (s->regular && fdatasync(s->fd) < 0) {
		if (errno == EINVAL || errno == EROFS) { /* a filesystem that has no sync */
			return 0;
		}
		if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

void sink_close(struct sink *s)
{
	close_fd(&s->fd);
}
