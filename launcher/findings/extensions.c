#include "extensions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beneath.h"
#include "launcher/base/fd.h"

enum { LISTED_MAX = 100000, LISTED_COST = 32 /* of one entry */, WALKED_COST = 128 /* of a letter: every other one may be a folder */ };

bool extensions_spend(uint64_t *work, uint64_t cost)
{
	*work -= cost < *work ? cost : *work;
	return *work > 0;
}

/* --- what is named ------------------------------------------------------------------------------- */

/* "NAME.so", "NAME.cpython-311-x86_64-linux-gnu.so". */
static bool is_library(const char *base, const char *name, size_t len)
{
	size_t n = strlen(base);

	return n > 3 && strncmp(base, name, len) == 0 && base[len] == '.' && strcmp(base + n - 3, ".so") == 0;
}

static int by_name(const void *a, const void *b)
{
	const struct extension *x = a, *y = b;
	int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* The import system takes a package's NAME/__init__.so as well as NAME.so, and before any source.  0 to 2 of them. */
static size_t names_of(const char *path, struct extension out[2])
{
	const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path, *above = slash;
	size_t len = strcspn(base, "."), n = 0;

	if (!is_library(base, base, len)) {
		return 0;
	}
	out[n++] = (struct extension){.name = base, .len = len};
	if (slash != NULL && is_library(base, "__init__", 8)) {
		while (above > path && above[-1] != '/') {
			above--;
		}
		out[n++] = (struct extension){.name = above, .len = (size_t)(slash - above)};
	}
	return n;
}

static int add(struct extensions *e, size_t *room, const char *path)
{
	struct extension found[2];
	size_t n = names_of(path, found);

	if (e->n + n > *room) {
		size_t more = *room == 0 ? 64 : *room * 2;
		struct extension *grown = realloc(e->v, more * sizeof *grown);
		if (grown == NULL) {
			return -ENOMEM;
		}
		e->v = grown;
		*room = more;
	}
	for (size_t i = 0; i < n; i++) {
		e->v[e->n++] = found[i];
	}
	return 0;
}

int extensions_read(struct extensions *e, const struct view *w, const struct dists *d)
{
	size_t room = 0;
	int error = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct view_entries *after = &w->v[i].after;
		for (size_t k = 0; k < after->n && error == 0; k++) {
			error = add(e, &room, after->v[k].name);
		}
	}
	for (size_t i = 0; i < d->named && error == 0; i++) {
		error = add(e, &room, d->index[i].line->path);
	}
	if (e->n > 0) {
		qsort(e->v, e->n, sizeof *e->v, by_name);
	}
	return error;
}

bool extensions_named(const struct extensions *e, const char *name)
{
	const struct extension key = {.name = name, .len = strlen(name)};

	return e->n > 0 && bsearch(&key, e->v, e->n, sizeof key, by_name) != NULL;
}

void extensions_finish(struct extensions *e)
{
	free(e->v);
	*e = (struct extensions){0};
}

/* --- what lies there ----------------------------------------------------------------------------- */

/* Is there such a file in the folder? */
static bool holds_library(int parent, const char *folder, const char *name, uint64_t *work)
{
	cleanup_fd int fd = openat(parent, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool found = false;
	size_t n = 0;

	if (dir == NULL) {
		return errno != ENOENT; /* a link may lead to one */
	}
	steal_fd(&fd);
	while (!found && (errno = 0, entry = readdir(dir)) != NULL) {
		found = is_library(entry->d_name, name, strlen(name)) || n++ == LISTED_MAX || !extensions_spend(work, LISTED_COST);
	}
	found |= errno != 0;
	closedir(dir);
	return found;
}

bool extensions_lie(const struct view_folder *f, const char *module, uint64_t *work)
{
	char path[PATH_MAX];
	const char *name;

	snprintf(path, sizeof path, "%s", module);
	for (char *dot = path; (dot = strchr(dot, '.')) != NULL;) {
		*dot = '/';
	}
	if (!extensions_spend(work, WALKED_COST * strlen(path))) {
		return true;
	}
	cleanup_fd int parent = beneath_parent(f->fd, path, &name);
	if (parent < 0) {
		return parent != -ENOENT;
	}
	return holds_library(parent, ".", name, work) || holds_library(parent, name, "__init__", work);
}
