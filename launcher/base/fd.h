/* Descriptors: closing on scope exit, whole reads and writes, passing over a socket.
 * Everything here is async-signal-safe and returns -errno; nothing dies. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

static inline void close_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
	*fd = -1;
}
#define cleanup_fd __attribute__((cleanup(close_fd)))

static inline int steal_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/* 0, or -errno; -EPIPE for an early end of file. */
int fd_read_all(int fd, void *buffer, size_t len);
int fd_write_all(int fd, const void *buffer, size_t len);

/* Opens a path without following a link in any component, `..` refused: an O_PATH descriptor, or -errno (a link is ELOOP).  Component by component and not by
 * openat2, which container profiles refuse: one way that works everywhere. */
int fd_open_nofollow(const char *path);
/* The same for a regular file, to be read: its folder as above, then the file itself.  Never blocks on a FIFO. */
int fd_open_file_nofollow(const char *path);

/* What one message carries at most: the control descriptors of a start and FD_PASS_MAX of the command's own. */
#define FD_PASS_MAX 64
/* How many open descriptors are looked at to find those. */
#define FD_LIST_MAX 1024

/* One message with descriptors over a SOCK_SEQPACKET or SOCK_STREAM AF_UNIX socket.  0 or -errno. */
int fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds);
/* Receives one message; descriptors are close-on-exec.  Returns the length (0: the peer is gone) or -errno; -EMSGSIZE when
 * descriptors or data were cut off (those received are closed). *nfds: in: room, out: how many. */
ssize_t fd_receive(int sock, void *data, size_t len, int *fds, size_t *nfds);
/* One of exactly len bytes with at least that many descriptors.  0 or -errno: -EPROTO for any other, whose descriptors are closed, also those that come with no byte. */
int fd_receive_whole(int sock, void *data, size_t len, size_t least, int *fds, size_t *nfds);

/* A close-on-exec memfd that holds data and is sealed against every change, at offset 0; or -errno. */
int fd_sealed(const char *name, const void *data, size_t len);
/* The numbers of the process's own open descriptors, ascending, at most room: how many. */
size_t fd_numbers(int *out, size_t room);

/* The whole of a regular file or memfd of at most max bytes, NUL-terminated, by pread.  Length or -errno; *out is malloc'ed. */
ssize_t fd_slurp(int fd, size_t max, char **out);

#endif
