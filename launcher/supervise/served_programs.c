/* The programs of a served folder that are there when a sandbox begins: `./configure`, tools that come with the sources.
 * Landlock's rules are made for objects, and before the sandbox begins. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/supervise/served.h"

/* What is not reached goes through `become`, so these bound the cost of a start and nothing else. */
enum { DEPTH = 12, ENTRIES = 20000, PROGRAMS = 1000 };

struct walk {
	struct served *served;
	const struct sandbox *sb;
	struct ruleset *ruleset;
	dev_t dev;
	int budget, error;
};

/* On some file systems everything has the bits. */
static bool has_head(int pinned)
{
	char self[40], head[4];
	snprintf(self, sizeof self, "/proc/self/fd/%d", pinned);
	cleanup_fd int fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
	return len >= 2 && (memcmp(head, "#!", 2) == 0 || (len == 4 && memcmp(head, "\177ELF", 4) == 0));
}

static bool may(const struct sandbox *sb, int fd, const char *real)
{
	struct verdict why;
	return served_allows(sb, fd, real, FILE_READ, &why) && served_allows(sb, fd, real, FILE_WRITE, &why);
}

static int keep(struct served *v, const struct stat *st)
{
	struct served_inode *grown = realloc(v->programs, (v->program_count + 1) * sizeof *grown);
	if (!grown)
		return -ENOMEM;
	v->programs = grown;
	v->programs[v->program_count++] = (struct served_inode){st->st_dev, st->st_ino};
	return 0;
}

static void add_file(struct walk *w, int parent, const char *name, const char *real)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111) || w->served->program_count == PROGRAMS)
		return;
	cleanup_fd int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !may(w->sb, fd, real) || !has_head(fd))
		return;
	w->error = ruleset_add_fd(w->ruleset, fd, GRANT_EXECUTE);
	if (!w->error)
		w->error = keep(w->served, &st);
}

static void look(struct walk *w, int parent, const char *name, const char *real, int depth);

/* Once for the files, then for the folders: what lies higher comes first. */
static void look_at_entries(struct walk *w, DIR *dir, const char *real, int depth, bool folders)
{
	struct dirent *d;
	char below[PATH_MAX];
	while ((d = readdir(dir)) != NULL && w->budget > 0 && !w->error) {
		int len = snprintf(below, sizeof below, "%s/%s", real, d->d_name);
		w->budget -= !folders;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 || len >= (int)sizeof below)
			continue;
		if (folders && (d->d_type == DT_DIR || d->d_type == DT_UNKNOWN) && depth > 0)
			look(w, dirfd(dir), d->d_name, below, depth - 1);
		if (!folders && (d->d_type == DT_REG || d->d_type == DT_UNKNOWN))
			add_file(w, dirfd(dir), d->d_name, below);
	}
}

/* Not what is guarded (.git), what is apart (a virtual environment), what is mounted. */
static void look(struct walk *w, int parent, const char *name, const char *real, int depth)
{
	struct stat st;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = NULL;
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_dev == w->dev || !w->dev) && served_holds(w->sb, real) && may(w->sb, fd, real)) {
		w->dev = st.st_dev;
		dir = fdopendir(fd);
	}
	if (!dir) {
		close_fd(&fd);
		return;
	}
	look_at_entries(w, dir, real, depth, false);
	rewinddir(dir);
	look_at_entries(w, dir, real, depth, true);
	closedir(dir);
}

int served_programs(struct served *v, const struct sandbox *sb, struct ruleset *r)
{
	struct walk w = {.served = v, .sb = sb, .ruleset = r, .budget = ENTRIES};
	look(&w, AT_FDCWD, v->root, v->root, DEPTH);
	return w.error;
}

bool served_executes(const struct sandbox *sb, int fd, const char *real)
{
	struct stat st;
	bool found = !served_holds(sb, real) || fstat(fd, &st) < 0;
	for (size_t i = 0; i < sb->served->program_count && !found; i++)
		found = sb->served->programs[i].ino == st.st_ino && sb->served->programs[i].dev == st.st_dev;
	return found;
}
