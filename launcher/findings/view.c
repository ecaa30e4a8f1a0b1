#include "view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/base/pathtext.h"
#include "startup.h"

#define ENTRIES_MAX 100000 /* of one folder; beyond it what may run by itself, and what says whose a file is */

/* --- the list ------------------------------------------------------------------------------------ */

/* With the links resolved in the part that exists; the caller frees. */
static char *resolve(const char *path)
{
	char *copy = strdup(path), *real = NULL, *out = NULL;
	size_t keep = copy != NULL ? strlen(copy) : 0;

	while (copy != NULL && keep > 0 && (real = realpath(copy, NULL)) == NULL && errno == ENOENT) {
		while (keep > 0 && copy[--keep] != '/') {
		}
		copy[keep] = '\0';
	}
	if (keep == 0 || (real == NULL && errno == ENOENT)) {
		out = strdup(path);
	} else if (real != NULL && asprintf(&out, "%s%s", strcmp(real, "/") == 0 ? "" : real, path + keep) < 0) {
		out = NULL;
	}
	free(real);
	free(copy);
	return out;
}

static void identify(struct view_folder *f)
{
	struct stat st;

	if (f->fd >= 0 && fstat(f->fd, &st) == 0) {
		f->dev = st.st_dev;
		f->ino = st.st_ino;
	}
}

static bool is_known(const struct view *w, const struct view_folder *new)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct view_folder *f = &w->v[i];
		if (strcmp(f->path, new->path) == 0 || (new->fd >= 0 && f->fd >= 0 && f->dev == new->dev && f->ino == new->ino)) {
			return true;
		}
	}
	return false;
}

static void folder_finish(struct view_folder *f)
{
	close_fd(&f->fd);
	free(f->path);
	free(f->real);
}

int view_add(struct view *w, enum folder_kind kind, const char *path)
{
	struct view_folder *grown = realloc(w->v, (w->n + 1) * sizeof *grown);
	struct view_folder f = {.kind = kind, .path = strdup(path), .real = resolve(path), .fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)};

	w->v = grown != NULL ? grown : w->v;
	if (grown == NULL || f.path == NULL || f.real == NULL) {
		folder_finish(&f);
		return -ENOMEM;
	}
	identify(&f);
	if (is_known(w, &f)) {
		folder_finish(&f);
		return 0;
	}
	w->v[w->n++] = f;
	return 0;
}

struct view_folder *view_holder(const struct view *w, const char *path, const char **rest)
{
	struct view_folder *best = NULL;

	for (size_t i = 0; i < w->n; i++) {
		struct view_folder *f = &w->v[i];
		size_t len = strlen(f->path);
		if (pathtext_below(path, f->path) && path[len] == '/' && (best == NULL || len > strlen(best->path))) {
			best = f;
			*rest = path + len + strspn(path + len, "/");
		}
	}
	return best;
}

/* --- looking ------------------------------------------------------------------------------------- */

struct look view_look(const struct stat *st)
{
	return (struct look){.ino = st->st_ino, .mode = st->st_mode, .size = st->st_size, .mtime = st->st_mtim, .ctime = st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool view_same(const struct look *a, const struct look *b)
{
	return a->ino == b->ino && a->mode == b->mode && a->size == b->size && same_time(a->mtime, b->mtime) && same_time(a->ctime, b->ctime);
}

static struct look look_at(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? view_look(&st) : (struct look){0};
}

static int add_entry(struct view_entries *e, size_t *room, int folder, const char *name)
{
	if (e->n == *room) {
		size_t more = *room == 0 ? 64 : *room * 2;
		struct view_entry *grown = realloc(e->v, more * sizeof *grown);
		if (grown == NULL) {
			return -ENOMEM;
		}
		e->v = grown;
		*room = more;
	}
	struct view_entry *one = &e->v[e->n];
	*one = (struct view_entry){.name = strdup(name), .look = look_at(folder, name)};
	if (one->name == NULL) {
		return -ENOMEM;
	}
	e->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct view_entry *)a)->name, ((const struct view_entry *)b)->name);
}

static bool is_grave(const char *name)
{
	size_t len = strlen(name), n = strlen(".dist-info");

	return startup_is_pth(name) || startup_is_customize(name) || (len > n && strcmp(name + len - n, ".dist-info") == 0);
}

static int list(const struct view_folder *f, struct view_entries *e)
{
	cleanup_fd int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	size_t room = 0;
	bool cut = false;
	int error = 0;

	if (dir == NULL) {
		return -errno;
	}
	steal_fd(&fd);
	while (error == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			bool fits = e->n < ENTRIES_MAX || (e->n < 2 * ENTRIES_MAX && is_grave(entry->d_name));
			error = fits ? add_entry(e, &room, f->fd, entry->d_name) : 0;
			cut |= !fits;
		}
	}
	if (error == 0 && errno != 0) {
		error = -errno;
	}
	closedir(dir);
	if (e->n > 0) {
		qsort(e->v, e->n, sizeof *e->v, by_name);
	}
	return error == 0 && cut ? -E2BIG : error;
}

static void look(struct view_folder *f, struct view_entries *e)
{
	e->error = f->kind == FOLDER_OTHER || f->fd < 0 ? 0 : list(f, e);
	f->error = e->error < 0 ? e->error : f->error;
}

void view_before(struct view *w, struct timespec started, const char *mark)
{
	for (size_t i = 0; i < w->n; i++) {
		struct view_folder *f = &w->v[i];
		struct stat st;
		bool marked = mark != NULL && f->fd >= 0 && fstatat(f->fd, mark, &st, AT_SYMLINK_NOFOLLOW) == 0;
		f->since = marked ? st.st_ctim : started;
		look(f, &f->before);
	}
}

void view_after(struct view *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct view_folder *f = &w->v[i];
		if (f->fd < 0 && (f->fd = fd_open_nofollow(f->real)) < 0) {
			f->error = f->fd == -ENOENT || f->fd == -ENOTDIR ? f->error : f->fd;
			f->fd = -1;
			continue;
		}
		identify(f);
		look(f, &f->after);
	}
}

static void entries_finish(struct view_entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].name);
	}
	free(e->v);
	*e = (struct view_entries){0};
}

void view_finish(struct view *w)
{
	for (size_t i = 0; i < w->n; i++) {
		entries_finish(&w->v[i].before);
		entries_finish(&w->v[i].after);
		folder_finish(&w->v[i]);
	}
	free(w->v);
	*w = (struct view){0};
}

const struct view_entry *view_find(const struct view_entries *e, const char *name)
{
	const struct view_entry key = {.name = (char *)name};

	return e->n > 0 ? bsearch(&key, e->v, e->n, sizeof *e->v, by_name) : NULL;
}

static bool is_later(const struct view_folder *f, struct timespec t)
{
	return clock_before(&f->since, &t);
}

bool view_is_new(const struct view_folder *f, const struct view_entry *after)
{
	const struct view_entry *was = view_find(&f->before, after->name);

	if (was == NULL && f->before.error < 0) {
		return is_later(f, after->look.ctime);
	}
	return was == NULL || was->look.ino == 0 || !view_same(&was->look, &after->look);
}

bool view_has_come(const struct view_folder *f, const char *path)
{
	char top[NAME_MAX + 1];
	size_t n = strcspn(path, "/");

	if (f->kind == FOLDER_OTHER || n > NAME_MAX || f->before.error < 0) {
		return false;
	}
	snprintf(top, sizeof top, "%.*s", (int)n, path);
	return view_find(&f->before, top) == NULL;
}

bool view_is_written(const struct view_folder *f, const char *path, const struct stat *st)
{
	return view_has_come(f, path) || is_later(f, st->st_ctim);
}
