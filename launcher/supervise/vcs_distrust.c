/* A checkout that was there before the run.  Under pipwarden no build could have changed its `.git`; before, and in a submodule's place, something else may have.
 * So its tool gets to see it only where its configuration holds nothing but what a clone writes: a list of what is harmless, for git has dozens of settings
 * that run a program.  The environment cannot take those away (filters have any name), and where submodules begin git drops what it says. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "pathtext.h"
#include "vcs.h"
#include "vcs_config.h"

#define ENTRIES_MAX 300000
#define DEPTH_MAX 100
#define FILE_MAX (1u << 20)

struct look {
	const char *root; /* the checkout */
	char *why;
	unsigned entries;
};

static void __attribute__((format(printf, 2, 3))) distrust(struct look *l, const char *format, ...)
{
	va_list ap;

	if (l->why == NULL) {
		va_start(ap, format);
		if (vasprintf(&l->why, format, ap) < 0) {
			abort(); /* without memory nothing says that it may be trusted */
		}
		va_end(ap);
	}
}

static const char *inside(const struct look *l, const char *path)
{
	size_t len = strlen(l->root);

	return strncmp(path, l->root, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

typedef void entry_fn(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth);

/* Every entry of a folder, which is none of a link's. */
static void each_entry(struct look *l, const char *path, unsigned depth, entry_fn *look)
{
	cleanup_fd int at = fd_open_nofollow(path);
	int listed = at >= 0 ? openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = listed >= 0 ? fdopendir(listed) : NULL;
	struct dirent *entry;

	if (dir == NULL || depth > DEPTH_MAX) {
		distrust(l, "%s cannot be looked at", inside(l, path));
	}
	while (l->why == NULL && (entry = readdir(dir)) != NULL) {
		char below[PATH_MAX];
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		int n = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		if (n < 0 || (size_t)n >= sizeof below || fstatat(at, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || ++l->entries > ENTRIES_MAX) {
			distrust(l, "%s cannot be looked at, or it is too much", inside(l, path));
		} else {
			look(l, below, entry->d_name, &st, depth);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	} else {
		close_fd(&listed);
	}
}

static char *text_of(const char *path)
{
	char *text = NULL;
	cleanup_fd int fd = fd_open_file_nofollow(path);
	ssize_t len = fd >= 0 ? fd_slurp(fd, FILE_MAX, &text) : -1;

	if (len < 0 || strlen(text) != (size_t)len) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- git ---------------------------------------------------------------------------------------------------------- */

static void look_config(struct look *l, const char *path, bool module)
{
	char *text = text_of(path), *key = NULL;

	if (text == NULL) {
		distrust(l, "%s cannot be read", inside(l, path));
	} else if (!vcs_config_harmless(text, module, &key)) {
		distrust(l, "%s sets %s", inside(l, path), key != NULL ? key : "something that is not understood");
	}
	free(key);
	free(text);
}

static void look_hook(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth)
{
	size_t len = strlen(name);

	(void)st;
	(void)depth;
	if (len < 7 || strcmp(name + len - 7, ".sample") != 0) {
		distrust(l, "%s is a hook", inside(l, path));
	}
}

static void look_module(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth);

static void look_repository(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth, bool module)
{
	if (strcasecmp(name, "config") == 0) {
		look_config(l, path, module);
	} else if (strcasecmp(name, "config.worktree") == 0 || strcasecmp(name, "commondir") == 0 || S_ISLNK(st->st_mode)) {
		distrust(l, "%s leads elsewhere", inside(l, path));
	} else if (module && strcasecmp(name, "hooks") == 0 && S_ISDIR(st->st_mode)) { /* of the checkout itself the environment says where its hooks are */
		each_entry(l, path, depth + 1, look_hook);
	} else if (strcasecmp(name, "modules") == 0 && S_ISDIR(st->st_mode)) {
		each_entry(l, path, depth + 1, look_module);
	}
}

static void look_git_entry(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth)
{
	look_repository(l, path, name, st, depth, false);
}

/* Below `modules` lie repositories at any depth: a submodule's name may have slashes.  What is in one and has the name of another's part is looked at as such. */
static void look_module(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth)
{
	static const char *const data[] = {"objects", "refs", "logs"};

	look_repository(l, path, name, st, depth, true);
	for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
		char head[PATH_MAX];
		snprintf(head, sizeof head, "%.*sHEAD", (int)(strlen(path) - strlen(name)), path);
		if (strcmp(name, data[i]) == 0 && access(head, F_OK) == 0) {
			return;
		}
	}
	if (S_ISDIR(st->st_mode) && strcasecmp(name, "hooks") != 0 && strcasecmp(name, "modules") != 0) {
		each_entry(l, path, depth + 1, look_module);
	}
}

/* `gitdir: ../.git/modules/NAME`: a submodule's, as git makes it. */
static bool leads_to_module(const struct look *l, const char *path)
{
	char *text = text_of(path), modules[PATH_MAX], folder[PATH_MAX], real[PATH_MAX];
	bool good = text != NULL && strncmp(text, "gitdir: ", 8) == 0 && text[8] != '/';

	if (good) {
		text[strcspn(text, "\n")] = '\0';
		int n = snprintf(folder, sizeof folder, "%.*s/%s", (int)(strrchr(path, '/') - path), path, text + 8);
		snprintf(modules, sizeof modules, "%.4000s/.git/modules", l->root);
		good = n > 0 && (size_t)n < sizeof folder && realpath(folder, real) != NULL && pathtext_below(real, modules) && strcmp(real, modules) != 0;
	}
	free(text);
	return good;
}

/* A repository in the tree, under any name that git could take for `.git` where names that differ in case are the same. */
static void look_tree(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth)
{
	if (strcasecmp(name, ".git") == 0) {
		if (!S_ISREG(st->st_mode) || !leads_to_module(l, path)) {
			distrust(l, "%s is no submodule's", inside(l, path));
		}
	} else if (S_ISDIR(st->st_mode)) {
		each_entry(l, path, depth + 1, look_tree);
	}
}

static void look_top(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth)
{
	if (strcmp(name, ".git") != 0) {
		look_tree(l, path, name, st, depth);
	} else if (S_ISDIR(st->st_mode)) {
		each_entry(l, path, depth + 1, look_git_entry);
	} else {
		distrust(l, ".git is no folder");
	}
}

/* --- the others ---------------------------------------------------------------------------------------------------- */

/* Mercurial's hgrc can set hooks and extensions; a clone's says where it is from. */
static void look_hg(struct look *l)
{
	char path[PATH_MAX], *text = NULL, *key = NULL;
	struct stat st;

	snprintf(path, sizeof path, "%.4000s/.hg/hgrc", l->root);
	if (lstat(path, &st) == 0 && ((text = text_of(path)) == NULL || !vcs_hgrc_harmless(text, &key))) {
		distrust(l, ".hg/hgrc sets %s", key != NULL ? key : "something that is not understood");
	}
	free(text);
	free(key);
	static const char *const elsewhere[] = {"hgrc-not-shared", "sharedpath", "shared"};
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
		snprintf(path, sizeof path, "%.4000s/.hg/%s", l->root, elsewhere[i]);
		if (lstat(path, &st) == 0) {
			distrust(l, ".hg/%s leads elsewhere", elsewhere[i]);
		}
	}
}

/* A subrepository would be one with a configuration of its own. */
static void look_hg_tree(struct look *l, const char *path, const char *name, const struct stat *st, unsigned depth)
{
	if (strcasecmp(name, ".hg") == 0 || strcasecmp(name, ".git") == 0) {
		if (depth > 0 || strcmp(name, ".hg") != 0) {
			distrust(l, "%s is a repository in the tree", inside(l, path));
		}
	} else if (S_ISDIR(st->st_mode)) {
		each_entry(l, path, depth + 1, look_hg_tree);
	}
}

char *vcs_distrust(enum vcs_tool tool, const char *folder)
{
	struct look l = {.root = folder};

	switch (tool) {
	case VCS_GIT:
		each_entry(&l, folder, 0, look_top);
		break;
	case VCS_HG:
		look_hg(&l);
		each_entry(&l, folder, 0, look_hg_tree);
		break;
	case VCS_SVN: /* a working copy has no configuration */
		break;
	case VCS_BZR:
	case VCS_COUNT:
		distrust(&l, "it was there before");
		break;
	}
	return l.why;
}
