#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha256.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"

#define CHUNK (64u << 10)

static bool plain(const char *at, size_t n)
{
	return n > 0 && n <= NAME_MAX && !(n == 1 && at[0] == '.') && !(n == 2 && at[0] == '.' && at[1] == '.');
}

int beneath_parent(int folder, const char *path, const char **name)
{
	cleanup_fd int at = fcntl(folder, F_DUPFD_CLOEXEC, 0);

	while (at >= 0) {
		char one[NAME_MAX + 1];
		size_t n = strcspn(path, "/");
		if (!plain(path, n)) {
			return -EINVAL;
		}
		if (path[n] == '\0') {
			*name = path;
			return steal_fd(&at);
		}
		memcpy(one, path, n);
		one[n] = '\0';
		int next = openat(at, one, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int error = errno;
		close(at);
		at = next;
		errno = error;
		path += n + 1;
	}
	return -errno;
}

int beneath_open(int folder, const char *path)
{
	struct stat st;
	const char *name;
	cleanup_fd int parent = beneath_parent(folder, path, &name);

	if (parent < 0) {
		return parent;
	}
	cleanup_fd int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

ssize_t beneath_text(int folder, const char *path, size_t max, char **out)
{
	cleanup_fd int fd = beneath_open(folder, path);

	return fd < 0 ? fd : fd_slurp(fd, max, out);
}

ssize_t beneath_head(int folder, const char *path, size_t max, char **out)
{
	cleanup_fd int fd = beneath_open(folder, path);
	char *text = fd < 0 ? NULL : malloc(max + 1);
	size_t len = 0;

	if (text == NULL) {
		return fd < 0 ? fd : -ENOMEM;
	}
	for (ssize_t n = 1; n > 0 && len < max;) {
		n = read(fd, text + len, max - len);
		if (n < 0 && errno != EINTR) {
			int error = errno;
			free(text);
			return -error;
		}
		len += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	text[len] = '\0';
	*out = text;
	return (ssize_t)len;
}

int beneath_hash(int folder, const char *path, size_t max, unsigned char out[32])
{
	cleanup_fd int fd = beneath_open(folder, path);
	uint8_t *chunk = fd < 0 ? NULL : malloc(CHUNK);
	size_t all = 0;
	ssize_t n = chunk != NULL ? 1 : 0;
	SHA2_CTX ctx;
	int error = fd < 0 ? fd : chunk == NULL ? -ENOMEM : 0;

	SHA256Init(&ctx);
	while (error == 0 && n != 0) {
		n = read(fd, chunk, CHUNK);
		if (n > 0) {
			SHA256Update(&ctx, chunk, (size_t)n);
			all += (size_t)n;
			error = all > max ? -EFBIG : 0;
		} else if (n < 0 && errno != EINTR) {
			error = -errno;
		}
	}
	SHA256Final(out, &ctx);
	free(chunk);
	return error;
}
