#include "fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

int fd_read_all(int fd, void *buffer, size_t len)
{
	for (char *at = buffer; len > 0;) {
		ssize_t n = read(fd, at, len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EPIPE;
		}
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_write_all(int fd, const void *buffer, size_t len)
{
	for (const char *at = buffer; len > 0;) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* ECONNRESET: the peer has closed with something unread.  It is told once, before what the peer itself sent, which the next call gets, or its end. */
static bool passes(int error)
{
	return error == EINTR || error == ECONNRESET;
}

int fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * (FD_PASS_MAX + 8))];
	} control;
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds > FD_PASS_MAX + 8) {
		return -E2BIG;
	}
	if (nfds > 0) {
		memset(&control, 0, sizeof control);
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	for (;;) {
		ssize_t n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (n >= 0) {
			return (size_t)n == len ? 0 : -EMSGSIZE;
		}
		if (!passes(errno)) {
			return -errno;
		}
	}
}

ssize_t fd_receive(int sock, void *data, size_t len, int *fds, size_t *nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * (FD_PASS_MAX + 8))];
	} control;
	struct iovec iov = {.iov_base = data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1,
	                     .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
	size_t room = nfds != NULL ? *nfds : 0, got = 0;
	bool cut;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && passes(errno));
	if (nfds != NULL) {
		*nfds = 0;
	}
	if (n < 0) {
		return -errno;
	}
	cut = (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
			if (!cut && got < room) {
				fds[got++] = fd;
			} else {
				close(fd);
				cut = true;
			}
		}
	}
	if (cut) {
		for (size_t i = 0; i < got; i++) {
			close(fds[i]);
		}
		return -EMSGSIZE;
	}
	if (nfds != NULL) {
		*nfds = got;
	}
	return n;
}

int fd_receive_whole(int sock, void *data, size_t len, size_t least, int *fds, size_t *nfds)
{
	ssize_t n = fd_receive(sock, data, len, fds, nfds);

	if (n < 0 || ((size_t)n == len && *nfds >= least)) {
		return n < 0 ? (int)n : 0;
	}
	while (*nfds > 0) {
		close(fds[--*nfds]);
	}
	return -EPROTO;
}

int fd_sealed(const char *name, const void *data, size_t len)
{
	cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0) {
		return -errno;
	}
	r = fd_write_all(fd, data, len);
	if (r < 0) {
		return r;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		return -errno;
	}
	lseek(fd, 0, SEEK_SET);
	return steal_fd(&fd);
}

size_t fd_numbers(int *out, size_t room)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t n = 0;

	if (dir == NULL) { /* no /proc */
		for (int fd = 0; fd < FD_LIST_MAX && n < room; fd++) {
			if (fcntl(fd, F_GETFD) >= 0) {
				out[n++] = fd;
			}
		}
		return n;
	}
	while (n < room && (entry = readdir(dir)) != NULL) {
		int fd = entry->d_name[0] == '.' ? dirfd(dir) : atoi(entry->d_name);
		if (fd != dirfd(dir)) {
			out[n++] = fd;
		}
	}
	closedir(dir);
	return n;
}

ssize_t fd_slurp(int fd, size_t max, char **out)
{
	struct stat st;
	size_t len = 0;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return -EINVAL;
	}
	if (st.st_size < 0 || (size_t)st.st_size > max) {
		return -EFBIG;
	}
	char *text = malloc((size_t)st.st_size + 1);
	if (text == NULL) {
		return -ENOMEM;
	}
	while (len < (size_t)st.st_size) {
		ssize_t n = pread(fd, text + len, (size_t)st.st_size - len, (off_t)len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			int error = errno;
			free(text);
			return -error;
		}
		if (n == 0) {
			break;
		}
		len += (size_t)n;
	}
	text[len] = '\0';
	*out = text;
	return (ssize_t)len;
}

int fd_open_nofollow(const char *path)
{
	cleanup_fd int fd = open(*path == '/' ? "/" : ".", O_PATH | O_CLOEXEC | O_DIRECTORY);
	char name[NAME_MAX + 1];
	struct stat st;

	while (fd >= 0) {
		size_t len;
		int next;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0) {
			return steal_fd(&fd);
		}
		if (len > NAME_MAX) {
			return -ENAMETOOLONG;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		if (strcmp(name, "..") == 0) {
			return -EINVAL;
		}
		next = openat(fd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
		if (next >= 0 && (fstat(next, &st) < 0 || S_ISLNK(st.st_mode))) {
			close(next);
			return -ELOOP;
		}
		if (next < 0) {
			return -errno;
		}
		close_fd(&fd);
		fd = next;
	}
	return -errno;
}

int fd_open_file_nofollow(const char *path)
{
	const char *name = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat st;

	if (name == NULL || name == path || (size_t)(name - path) >= sizeof folder) {
		return -EINVAL;
	}
	memcpy(folder, path, (size_t)(name - path));
	folder[name - path] = '\0';
	cleanup_fd int dir = fd_open_nofollow(folder);
	if (dir < 0) {
		return dir;
	}
	cleanup_fd int fd = openat(dir, name + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}
