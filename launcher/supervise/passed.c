#include "passed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

void passed_init(struct passed *p)
{
	p->copied[0] = p->copied[1] = (struct copied){.pipe = -1, .end = -1, .to = -1};
}

static bool is_connected_stream(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof domain;
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM && getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0;
}

/* Only 0 to 2, pipes and plain files go in; never a socket but a connected AF_UNIX stream on 0 to 2, never a directory or a handle on one. */
static bool may_pass(int fd, int number, bool audit)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (audit) {
		return flags >= 0;
	}
	if (flags < 0 || (flags & O_PATH) != 0 || fstat(fd, &st) < 0) {
		return false;
	}
	if (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode)) {
		return true;
	}
	return number <= 2 && (S_ISCHR(st.st_mode) || (S_ISSOCK(st.st_mode) && is_connected_stream(fd)));
}

static int open_null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* Where the program's output goes, if that is a terminal or a pipe; else false. */
static bool is_copied(const struct passed *p, uint32_t i, struct stat *st)
{
	if (p->numbers[i] == 0 || fstat(p->fds[i], st) < 0) {
		return false;
	}
	return (p->numbers[i] <= 2 && isatty(p->fds[i])) || (S_ISFIFO(st->st_mode) && (fcntl(p->fds[i], F_GETFL) & O_ACCMODE) != O_RDONLY);
}

/* The write end of the pipe that stands for an output, made at its first number; only 1 and 2 are outputs, and what is the same.  -ENOENT: it is none. */
static int copied_end(struct passed *p, int number, const struct stat *st)
{
	int ends[2], k = 0;

	for (; k < 2 && p->copied[k].pipe >= 0; k++) {
		if (p->copied[k].device == st->st_dev && p->copied[k].inode == st->st_ino) {
			return fcntl(p->copied[k].end, F_DUPFD_CLOEXEC, 3);
		}
	}
	if (number > 2) {
		return -ENOENT;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	p->copied[k].device = st->st_dev;
	p->copied[k].inode = st->st_ino;
	p->copied[k].pipe = ends[0];
	p->copied[k].end = ends[1];
	p->copied[k].to = number;
	return fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
}

/* A build has no terminal on 0.  What it writes to a terminal, or to pip, which shows it on one, goes through a pipe that `enter` copies and looks at (escapes.h);
 * where 1 and 2 are the same, so is the pipe: their order stays. */
static int copy_outputs(struct passed *p)
{
	struct stat st;

	for (uint32_t i = 0; i < p->count; i++) {
		int replacement = -ENOENT;
		if (p->numbers[i] == 0 && isatty(p->fds[i])) {
			replacement = open_null();
		} else if (is_copied(p, i, &st)) {
			replacement = copied_end(p, p->numbers[i], &st);
		}
		if (replacement == -ENOENT) {
			continue;
		}
		if (replacement < 0) {
			return -EMFILE;
		}
		close(p->fds[i]);
		p->fds[i] = replacement;
	}
	for (int k = 0; k < 2; k++) {
		close_fd(&p->copied[k].end);
	}
	return 0;
}

int passed_choose(struct passed *p, bool audit, bool copies)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		bool pass = may_pass(p->fds[i], p->numbers[i], audit);
		if (!pass && p->numbers[i] <= 2) {
			close(p->fds[i]);
			p->fds[i] = open_null();
			pass = p->fds[i] >= 0;
		}
		if (!pass) {
			close_fd(&p->fds[i]);
			continue;
		}
		p->numbers[kept] = p->numbers[i];
		p->fds[kept++] = p->fds[i];
	}
	p->count = kept;
	return copies ? copy_outputs(p) : 0;
}

void passed_own(struct passed *p, bool audit)
{
	int open_fds[FD_LIST_MAX];
	size_t count = fd_numbers(open_fds, FD_LIST_MAX);

	for (size_t i = 0; i < count && p->count < FD_PASS_MAX; i++) {
		int fd = open_fds[i], flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && (flags & FD_CLOEXEC) == 0 && may_pass(fd, fd, audit)) {
			p->numbers[p->count] = fd;
			p->fds[p->count++] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		}
	}
	for (int fd = 0; fd < 3; fd++) {
		if (isatty(fd) && ttyname_r(fd, p->terminal, sizeof p->terminal) == 0) {
			break;
		}
	}
}

void passed_standard(struct passed *p)
{
	while (p->count > 0 && p->numbers[p->count - 1] > 2) { /* ascending */
		close_fd(&p->fds[--p->count]);
	}
}

int passed_pipe(const struct passed *p, int number, int access)
{
	uint32_t i = 0;
	struct statfs fs;
	char path[48];

	while (i < p->count && p->numbers[i] != number) {
		i++;
	}
	int flags = i < p->count ? fcntl(p->fds[i], F_GETFL) : -1;
	bool usable = flags >= 0 && (flags & O_PATH) == 0 && ((flags & O_ACCMODE) == access || (flags & O_ACCMODE) == O_RDWR);
	/* A FIFO with a name lies in another file system than the kernel's own for pipes. */
	if (!usable || fstatfs(p->fds[i], &fs) < 0 || fs.f_type != PIPEFS_MAGIC) {
		return -1;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", p->fds[i]);
	return open(path, access | O_NONBLOCK | O_CLOEXEC);
}

void passed_close(struct passed *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		close_fd(&p->fds[i]);
	}
	p->count = 0;
	for (int k = 0; k < 2; k++) {
		close_fd(&p->copied[k].pipe);
		close_fd(&p->copied[k].end);
	}
}
