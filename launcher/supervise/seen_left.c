/* What a build leaves behind, looked at for decoys once nothing of its sandbox lives: its wheel and metadata, what it asks pip for, the project's folder. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "seen_left.h"

#define DEPTH_MAX 32
#define ENTRIES_MAX 20000          /* of a folder with all below it */
#define FILE_BYTES (64u << 20)     /* of a file what lies behind is not looked at */
#define ALL_BYTES (256u << 20)
#define UNPACKED_BYTES (1u << 30)  /* taken out of all that a build leaves: by pipwarden itself, when no limit of the sandbox's counts any more */

struct walk {
	struct sandbox *sb;
	struct seen_place where;
	struct timespec since; /* what has not been changed since is not looked at */
	unsigned entries;
	size_t bytes;
	bool found;
};

/* Never waits, and changes nothing: a FIFO or a device is not opened. */
static void look_at_file(struct walk *w, int folder, const char *name, const char *path)
{
	struct stat st;
	cleanup_fd int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	w->where.path = path;
	w->found = decoy_seen_data(w->sb, 0, &w->where, path, strlen(path)) || w->found;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || w->bytes == 0) {
		return;
	}
	size_t size = (uint64_t)st.st_size < FILE_BYTES ? (size_t)st.st_size : FILE_BYTES;
	size = size < w->bytes ? size : w->bytes;
	w->bytes -= size;
	w->found = decoy_seen_file(w->sb, &w->where, fd, size) || w->found;
}

static void look_below(struct walk *w, int folder, const char *path, int depth)
{
	DIR *dir = depth > DEPTH_MAX ? NULL : fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3));
	struct dirent *entry;

	while (dir != NULL && w->entries > 0 && (entry = readdir(dir)) != NULL) {
		char name[PATH_MAX];
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		w->entries--;
		if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    snprintf(name, sizeof name, "%s%s%s", path, path[0] != '\0' ? "/" : "", entry->d_name) >= (int)sizeof name) {
			continue;
		}
		if (S_ISDIR(st.st_mode)) {
			cleanup_fd int below = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (below >= 0) {
				look_below(w, below, name, depth + 1);
			}
		} else if (S_ISREG(st.st_mode) && !clock_before(&st.st_ctim, &w->since)) {
			look_at_file(w, folder, entry->d_name, name);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

static bool look_in(struct sandbox *sb, struct seen_budget *budget, enum seen_in in, const char *folder, const struct timespec *since)
{
	struct walk w = {.sb = sb, .where = {.in = in, .stopped = in != SEEN_SOURCE, .budget = budget}, .since = since != NULL ? *since : (struct timespec){0}, .entries = ENTRIES_MAX, .bytes = ALL_BYTES};
	cleanup_fd int fd = folder != NULL ? fd_open_nofollow(folder) : -1;
	cleanup_fd int listed = fd >= 0 ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (listed >= 0) {
		look_below(&w, listed, "", 0);
	}
	return w.found;
}

/* What a hook has returned: requirements may have URLs. */
static bool look_at_output(struct sandbox *sb, struct seen_budget *budget, const char *folder)
{
	struct walk w = {.sb = sb, .where = {.in = SEEN_URL, .stopped = true, .budget = budget}, .bytes = FILE_BYTES};
	cleanup_fd int dir = folder != NULL ? fd_open_nofollow(folder) : -1;

	if (dir >= 0) {
		look_at_file(&w, dir, "output.json", "output.json");
	}
	return w.found;
}

bool seen_left(struct sandbox *sb, const struct birthright *right, const struct timespec *since)
{
	struct seen_budget budget = {.left = UNPACKED_BYTES};
	bool found = false;

	if (sb->role != ROLE_BUILD || !seen_possible(sb)) {
		return false;
	}
	found = look_at_output(sb, &budget, right->control_dir);
	found = look_in(sb, &budget, SEEN_WHEEL, right->wheel_dir, NULL) || found;
	found = look_in(sb, &budget, SEEN_WHEEL, right->metadata_dir, NULL) || found;
	for (size_t i = 0; i < right->results.n; i++) {
		found = look_in(sb, &budget, SEEN_WHEEL, right->results.v[i], NULL) || found;
	}
	return look_in(sb, &budget, SEEN_SOURCE, right->tree, since) || found;
}
