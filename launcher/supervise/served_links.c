/* A file of a project that is also a secret of the user's: a hard link, planted before the run, made for being read by a build.
 * Hard links are common and harmless (git's clones, caches of package managers), so only those are refused whose other name is known. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/supervise/served.h"

enum { DEPTH = 4, BUDGET = 2000 /* entries a place */ };

static void keep(struct served_links *linked, const struct stat *st)
{
	struct served_inode *grown = realloc(linked->v, (linked->n + 1) * sizeof *grown);
	if (!grown) {
		linked->failed = true;
		return;
	}
	linked->v = grown;
	linked->v[linked->n++] = (struct served_inode){st->st_dev, st->st_ino};
}

static void look(struct served_links *linked, int parent, const char *name, int depth)
{
	struct stat st;
	struct dirent *d;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		keep(linked, &st);
	if (!S_ISDIR(st.st_mode) || depth == 0)
		return;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_fd(&fd);
		return;
	}
	while ((d = readdir(dir)) != NULL && --linked->budget > 0)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			look(linked, dirfd(dir), d->d_name, depth - 1);
	closedir(dir);
}

static void look_at_place(void *context, const char *path)
{
	struct served_links *linked = context;
	linked->budget = BUDGET;
	look(linked, AT_FDCWD, path, DEPTH);
}

static bool is_secret_of_project(const struct sandbox *sb, const char *real, const struct stat *st)
{
	static const char *const names[] = {".env", ".git/config", ".netrc", ".pypirc", NULL};
	struct stat other;
	cleanup_fd int root = open(sb->served->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *relative = real + strlen(sb->served->root) + 1;
	for (const char *const *n = names; *n; n++)
		if (strcmp(relative, *n) != 0 && fstatat(root, *n, &other, AT_SYMLINK_NOFOLLOW) == 0 && other.st_ino == st->st_ino && other.st_dev == st->st_dev)
			return true;
	return false;
}

bool served_is_linked_secret(const struct sandbox *sb, const char *real, const struct stat *st)
{
	if (is_secret_of_project(sb, real, st))
		return true;
	struct served_links *linked = sb->served->links;
	if (!linked->known) {
		policy_secret_places(supervisor_policy(sb->sup), look_at_place, linked);
		linked->known = true;
	}
	bool found = linked->failed;
	for (size_t i = 0; i < linked->n && !found; i++)
		found = linked->v[i].ino == st->st_ino && linked->v[i].dev == st->st_dev;
	return found;
}
