#include "launcher/base/made.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/fd.h"

#define MADE_BYTES_MAX (1u << 20)
#define MADE_PATHS_MAX 4096

static bool plain(const char *path)
{
	if (path[0] != '/' || path[1] == '\0' || strlen(path) >= PATH_MAX) {
		return false;
	}
	for (const char *at = path; *at == '/'; at += 1 + strcspn(at + 1, "/")) {
		size_t len = strcspn(at + 1, "/");
		if ((len == 1 && at[1] == '.') || (len == 2 && at[1] == '.' && at[2] == '.')) {
			return false;
		}
	}
	return true;
}

/* The path with links resolved in the part that exists.  The file is read when no one can say any more what a link
 * meant. */
static int resolve(const char *path, char out[PATH_MAX])
{
	char copy[PATH_MAX], real[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", path);
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--) {
		copy[len - 1] = '\0';
	}
	size_t keep = strlen(copy);
	do { /* up to a parent that exists */
		while (keep > 0 && copy[keep - 1] != '/') {
			keep--;
		}
		while (keep > 0 && copy[keep - 1] == '/') {
			keep--;
		}
		char was = copy[keep];
		copy[keep] = '\0';
		char *found = realpath(keep == 0 ? "/" : copy, real);
		copy[keep] = was;
		if (found != NULL) {
			const char *head = strcmp(real, "/") == 0 ? "" : real;
			return snprintf(out, PATH_MAX, "%s%s", head, copy + keep) < PATH_MAX ? 0 : -ENAMETOOLONG;
		}
	} while (errno == ENOENT && keep > 0);
	return -errno;
}

int made_note(int dir, const char *path)
{
	struct stat st;
	char real[PATH_MAX];
	if (!plain(path)) {
		return -EINVAL;
	}
	if (lstat(path, &st) == 0) {
		return -EEXIST;
	}
	int error = errno == ENOENT ? resolve(path, real) : -errno;
	if (error < 0) {
		return error;
	}
	cleanup_fd int fd = openat(dir, "made", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &st) < 0 || (size_t)st.st_size + strlen(real) >= MADE_BYTES_MAX) {
		return -EFBIG;
	}
	return fd_write_all(fd, real, strlen(real) + 1);
}

static void remove_entry(int folder, const char *name)
{
	struct stat st;
	if (strncmp(name, MADE_HOLD, strlen(MADE_HOLD)) != 0) {
		unlinkat(folder, name, AT_REMOVEDIR);
	} else if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 && st.st_uid == geteuid()) {
		unlinkat(folder, name, 0);
	}
}

/* Without following a link anywhere: every parent is opened by name in the one before. */
static void remove_one(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", path);
	cleanup_fd int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest, *name = NULL;
	for (char *next = strtok_r(copy, "/", &rest); next != NULL; next = strtok_r(NULL, "/", &rest)) {
		if (name != NULL) {
			int below = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			close_fd(&at);
			at = below;
			if (at < 0) {
				return;
			}
		}
		name = next;
	}
	if (name != NULL && at >= 0) {
		remove_entry(at, name);
	}
}

static int longer_first(const void *a, const void *b)
{
	size_t x = strlen(*(const char *const *)a), y = strlen(*(const char *const *)b);
	return x > y ? -1 : x < y;
}

void made_remove(int dir)
{
	char *text = NULL;
	struct stat st;
	cleanup_fd int fd = openat(dir, "made", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid()) {
		return;
	}
	ssize_t len = fd_slurp(fd, MADE_BYTES_MAX, &text);
	const char **paths = len > 0 ? calloc(MADE_PATHS_MAX, sizeof(*paths)) : NULL;
	size_t n = 0;
	for (const char *at = text; paths != NULL && at < text + len && n < MADE_PATHS_MAX; at += strlen(at) + 1) {
		/* A last entry without its NUL was being written when the run died: nothing was made yet. */
		if (at + strlen(at) < text + len && plain(at)) {
			paths[n++] = at;
		}
	}
	if (n > 0) {
		qsort(paths, n, sizeof(*paths), longer_first); /* a child's path is longer than its parent's */
	}
	for (size_t i = 0; i < n; i++) {
		remove_one(paths[i]);
	}
	free(paths);
	if (len >= 0) {
		free(text);
	}
}
