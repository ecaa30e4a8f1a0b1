/* A tree of any depth is taken apart from above: a directory's files are unlinked, the directories in it are moved up
 * beside it under a name of ours, and it is removed.  So there is never more than one level to descend, and no path
 * grows too long. */
#include "launcher/base/rmtree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"

struct sweep {
	int top;
	dev_t dev;
	const char *keep;
	unsigned long *budget;
	unsigned long moved; /* for names of ours */
	unsigned long done;  /* entries removed in this pass */
	int error;
};

static void failed(struct sweep *s, int error)
{
	if (s->error == 0) {
		s->error = error;
	}
}

static bool spend(struct sweep *s)
{
	if (*s->budget == 0) {
		s->error = -EAGAIN;
		return false;
	}
	--*s->budget;
	return true;
}

static bool dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A readable descriptor of the directory, its mode mended; never of a link or of another filesystem.  chmod goes
 * through the pinned object. */
static int open_directory(const struct sweep *s, int parent, const char *name)
{
	struct stat st;
	char proc[40];
	cleanup_fd int pinned = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pinned < 0 || fstat(pinned, &st) < 0) {
		return -errno;
	}
	if (st.st_dev != s->dev) {
		return -EXDEV;
	}
	if ((st.st_mode & S_IRWXU) != S_IRWXU && st.st_uid == geteuid()) {
		snprintf(proc, sizeof(proc), "/proc/self/fd/%d", pinned);
		if (chmod(proc, 0700) < 0) {
			return -errno;
		}
	}
	int fd = openat(pinned, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Moves a directory that is not empty from dir to the top.  Its own mode counts too: its ".." is rewritten. */
static int move_up(struct sweep *s, int dir, const char *name)
{
	cleanup_fd int child = open_directory(s, dir, name);
	if (child < 0) {
		return child;
	}
	while (spend(s)) {
		char moved[32];
		snprintf(moved, sizeof(moved), ".gone-%lu", s->moved++);
		if (renameat2(dir, name, s->top, moved, RENAME_NOREPLACE) == 0) {
			return 0;
		}
		if (errno != EEXIST) {
			return -errno;
		}
	}
	return -EAGAIN;
}

/* Not a directory, or an empty one: gone.  -ENOTEMPTY: a directory with something in it. */
static int remove_leaf(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0) {
		return 0;
	}
	if (errno != EISDIR && errno != EPERM) {
		return -errno;
	}
	int error = errno;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0) {
		return 0;
	}
	return errno == ENOTEMPTY || errno == EEXIST ? -ENOTEMPTY : errno == ENOTDIR ? -error : -errno;
}

/* One level below the top: files go, directories move up.  dir is read to its end as often as that gets anywhere. */
static void clear_one(struct sweep *s, int fd)
{
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		failed(s, -errno);
		return;
	}
	bool again = true;
	while (again && s->error != -EAGAIN) {
		struct dirent *entry;
		again = false;
		rewinddir(dir);
		while ((entry = readdir(dir)) != NULL) {
			if (dots(entry->d_name)) {
				continue;
			}
			if (!spend(s)) {
				break;
			}
			int r = remove_leaf(dirfd(dir), entry->d_name);
			r = r == -ENOTEMPTY ? move_up(s, dirfd(dir), entry->d_name) : r;
			if (r < 0) {
				failed(s, r);
			} else {
				again = true;
				s->done++;
			}
		}
	}
	closedir(dir);
}

static void remove_entry(struct sweep *s, const char *name)
{
	int r = remove_leaf(s->top, name);
	if (r == -ENOTEMPTY) {
		int fd = open_directory(s, s->top, name);
		if (fd < 0) {
			failed(s, fd);
			return;
		}
		clear_one(s, fd);
		r = unlinkat(s->top, name, AT_REMOVEDIR) < 0 ? -errno : 0;
	}
	if (r == 0) {
		s->done++;
	} else {
		failed(s, r);
	}
}

int rmtree_empty(int top, const char *keep, unsigned long *budget)
{
	struct stat st;
	int copy = fstat(top, &st) < 0 ? -1 : openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL) {
		int error = errno;
		close_fd(&copy);
		return -error;
	}
	struct sweep s = {.top = top, .dev = st.st_dev, .keep = keep, .budget = budget};
	do {
		struct dirent *entry;
		s.done = 0;
		s.error = 0; /* a pass that could do something is followed by another one, which meets again what still fails */
		rewinddir(dir);
		while (s.error != -EAGAIN && (entry = readdir(dir)) != NULL) {
			if (!dots(entry->d_name) && (keep == NULL || strcmp(entry->d_name, keep) != 0) && spend(&s)) {
				remove_entry(&s, entry->d_name);
			}
		}
	} while (s.done > 0 && s.error != -EAGAIN);
	closedir(dir);
	return s.error;
}
