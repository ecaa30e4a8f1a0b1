#include "dist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beneath.h"
#include "pkg_info.h"
#include "startup.h"

#define RECORD_MAX (32u << 20)
#define LINES_MAX 400000
#define RUN_TEXT_MAX (128u << 20) /* of all RECORDs that are new */
#define RUN_LINES_MAX 1000000
#define DEEP 10 /* components that count as one more line */
#define DISTS_MAX 2000 /* of one run; a wheel may bring as many .dist-info as it likes */
#define METADATA_HEAD (16u << 10) /* its headers come first */

bool dist_split(const char *info, size_t *name, size_t *version)
{
	static const char end[] = ".dist-info";
	size_t len = strlen(info), tail = sizeof end - 1;
	const char *dash = strchr(info, '-');

	if (len <= tail || strcmp(info + len - tail, end) != 0 || dash == NULL || dash == info || dash + 1 >= info + len - tail) {
		return false;
	}
	*name = (size_t)(dash - info);
	*version = len - tail - *name - 1;
	return true;
}

bool dist_filled(const struct dist *d)
{
	return d->error == -E2BIG || d->error == -EFBIG;
}

static char *normal_of(const char *name, size_t len)
{
	char *out = malloc(len + 1);

	if (out != NULL) {
		name_normal(name, len, out);
	}
	return out;
}

/* Of the same name, before the run, and another one now. */
static const char *older_of(const struct view_folder *f, const char *info, const char *normal)
{
	for (size_t i = 0; i < f->before.n; i++) {
		const char *was = f->before.v[i].name;
		size_t name, version;
		char *other = dist_split(was, &name, &version) ? normal_of(was, name) : NULL;
		bool same = other != NULL && strcmp(other, normal) == 0;
		free(other);
		if (same && (strcmp(was, info) == 0 || view_find(&f->after, was) == NULL)) {
			return was;
		}
	}
	return NULL;
}

/* What METADATA calls it, if that is the same name in another spelling. */
static void read_names(struct dist *d)
{
	char path[NAME_MAX + 16], *text = NULL, *name = NULL, *version = NULL, *normal;

	snprintf(path, sizeof path, "%s/METADATA", d->info);
	if (beneath_head(d->folder->fd, path, METADATA_HEAD, &text) < 0) {
		return;
	}
	pkg_info_read(text, &name, &version);
	normal = name != NULL ? normal_of(name, strlen(name)) : NULL;
	if (normal != NULL && strcmp(normal, d->normal) == 0) {
		char *was = d->name;
		d->name = name;
		name = was;
	}
	free(normal);
	free(name);
	free(version); /* the folder's has been compared by pip */
	free(text);
}

static ssize_t record_of(const struct view_folder *f, const char *info, size_t max, bool cut, char **text)
{
	char path[NAME_MAX + 16];
	ssize_t len;

	*text = NULL;
	snprintf(path, sizeof path, "%s/RECORD", info);
	len = cut ? beneath_head(f->fd, path, max, text) : beneath_text(f->fd, path, max, text);
	if (len > 0) {
		recorded_prepare(*text, (size_t)len);
	}
	return len;
}

static int grow(struct dist *d, size_t *room)
{
	size_t more = *room == 0 ? 64 : *room * 2;
	struct recorded *grown = realloc(d->entries, more * sizeof *grown);

	if (grown == NULL) {
		return -ENOMEM;
	}
	d->entries = grown;
	*room = more;
	return 0;
}

static int by_line(const void *a, const void *b)
{
	const struct recorded *x = *(struct recorded *const *)a, *y = *(struct recorded *const *)b;
	int order = strcmp(x->path, y->path);

	order = order != 0 ? order : x->has_hash != y->has_hash ? x->has_hash - y->has_hash : x->sha256 - y->sha256;
	return order != 0 ? order : memcmp(x->hash, y->hash, sizeof x->hash);
}

/* A line that is there twice says nothing new. */
static int drop_equal(struct dist *d)
{
	struct recorded **order = calloc(d->n + 1, sizeof *order), *last = NULL;
	size_t n = 0;

	if (order == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < d->n; i++) {
		order[i] = &d->entries[i];
	}
	qsort(order, d->n, sizeof *order, by_line);
	for (size_t i = 0; i < d->n; i++) {
		if (last != NULL && by_line(&last, &order[i]) == 0) {
			order[i]->path = NULL;
		} else {
			last = order[i];
		}
	}
	for (size_t i = 0; i < d->n; i++) {
		if (d->entries[i].path != NULL) {
			d->entries[n++] = d->entries[i];
		}
	}
	d->n = n;
	free(order);
	return 0;
}

/* What walking along the path costs, in lines of honest ones: each component is opened. */
static size_t lines_of(const char *path)
{
	size_t n = 0;

	for (; (path = strchr(path, '/')) != NULL; path++) {
		n++;
	}
	return 1 + n / DEEP;
}

/* What is too long is cut: its beginning can be taken back. */
static int read_entries(struct dist *d, size_t text_max, size_t lines_max)
{
	size_t room = 0;
	struct recorded one;
	ssize_t len = record_of(d->folder, d->info, text_max, false, &d->text);
	int error = len < 0 ? (int)len : 0;

	if (error == -EFBIG) {
		len = record_of(d->folder, d->info, text_max, true, &d->text);
	}
	if (len < 0) {
		return (int)len;
	}
	d->len = (size_t)len;
	char *at = d->text;
	while (recorded_next(&at, &one)) {
		size_t lines = lines_of(one.path);
		if (lines > lines_max - d->lines) {
			error = -E2BIG;
			break;
		}
		d->lines += lines;
		if (d->n == room && grow(d, &room) < 0) {
			return -ENOMEM;
		}
		d->entries[d->n++] = one;
	}
	return drop_equal(d) < 0 ? -ENOMEM : error;
}

ssize_t dist_record(const struct view_folder *f, const char *info, char **text)
{
	return record_of(f, info, RECORD_MAX, false, text);
}

static void finish(struct dist *d)
{
	free(d->name);
	free(d->version);
	free(d->normal);
	free(d->text);
	free(d->entries);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What is left for one more.  Where that is not enough, the longest of those before is blamed as well: a small one is not the only one that is too much. */
static int read_next(struct dists *all, struct dist *d)
{
	size_t text = 0, lines = 0;
	struct dist *longest = NULL;
	bool first;

	for (size_t i = 0; i < all->n; i++) {
		text += all->v[i].len;
		lines += all->v[i].lines;
		longest = longest == NULL || all->v[i].len > longest->len ? &all->v[i] : longest;
	}
	text = RUN_TEXT_MAX - text;
	lines = RUN_LINES_MAX - lines;
	d->error = read_entries(d, least(RECORD_MAX, text), least(LINES_MAX, lines));
	first = d->error == -EFBIG ? text < RECORD_MAX : lines < LINES_MAX;
	if (dist_filled(d) && first && longest != NULL && longest->len > d->len && longest->error == 0) {
		longest->error = d->error;
	}
	return d->error;
}

static int add(struct dists *all, struct view_folder *f, const char *info)
{
	size_t name = 0, version = 0;
	struct dist d = {.folder = f, .info = info};
	struct dist *grown;

	dist_split(info, &name, &version);
	grown = realloc(all->v, (all->n + 1) * sizeof *grown);
	all->v = grown != NULL ? grown : all->v;
	d.name = strndup(info, name);
	d.version = strndup(info + name + 1, version);
	d.normal = normal_of(info, name);
	if (grown == NULL || d.name == NULL || d.version == NULL || d.normal == NULL) {
		finish(&d);
		return -ENOMEM;
	}
	d.older = older_of(f, info, d.normal);
	read_names(&d);
	read_next(all, &d);
	all->v[all->n++] = d;
	return 0;
}

/* pip replaces RECORD by a file of another name, which the folder's time shows.  One without RECORD holds nothing that was installed. */
static bool was_installed(const struct view_folder *f, const struct view_entry *e)
{
	char path[NAME_MAX + 16];
	struct stat st;
	size_t unused;

	if (!dist_split(e->name, &unused, &unused) || !view_is_new(f, e)) {
		return false;
	}
	snprintf(path, sizeof path, "%s/RECORD", e->name);
	return fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int by_place(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->folder != y->folder ? (x->folder < y->folder ? -1 : 1) : strcmp(x->line->path, y->line->path);
}

/* Those of one distribution lie together; a key without one comes first. */
static int by_owner(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = by_place(a, b);

	return order != 0 ? order : x->dist < y->dist ? -1 : x->dist > y->dist;
}

static int make_index(struct dists *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		n += d->v[i].n;
	}
	d->index = calloc(n + 1, sizeof *d->index);
	for (size_t i = 0; d->index != NULL && i < d->n; i++) {
		for (size_t k = 0; k < d->v[i].n; k++) {
			d->index[d->named++] = (struct named){.folder = d->v[i].folder, .line = &d->v[i].entries[k], .dist = &d->v[i]};
		}
	}
	if (d->index != NULL) {
		qsort(d->index, d->named, sizeof *d->index, by_owner);
	}
	return d->index != NULL ? 0 : -ENOMEM;
}

/* The first that does not come before it; NULL: all do. */
static const struct named *lower(const struct dists *d, const struct view_folder *f, const char *path, const struct dist *dist)
{
	const struct recorded line = {.path = (char *)path};
	const struct named key = {.folder = f, .line = &line, .dist = (struct dist *)dist};
	size_t low = 0, high = d->named;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_owner(&d->index[middle], &key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < d->named && d->index[low].folder == f ? &d->index[low] : NULL;
}

static int by_info(const void *a, const void *b)
{
	const struct dist *x = a, *y = b;

	return x->folder != y->folder ? (x->folder < y->folder ? -1 : 1) : strcmp(x->info, y->info);
}

const struct dist *dists_of(const struct dists *d, const struct view_folder *f, const char *info)
{
	const struct dist key = {.folder = (struct view_folder *)f, .info = info};

	return d->n > 0 ? bsearch(&key, d->v, d->n, sizeof key, by_info) : NULL;
}

const struct named *dists_find(const struct dists *d, const struct view_folder *f, const char *path)
{
	const struct named *found = lower(d, f, path, NULL);

	return found != NULL && strcmp(found->line->path, path) == 0 ? found : NULL;
}

bool dists_names(const struct dists *d, const struct dist *dist, const char *path)
{
	const struct named *found = lower(d, dist->folder, path, dist);

	return found != NULL && found->dist == dist && strcmp(found->line->path, path) == 0;
}

const struct named *dists_below(const struct dists *d, const struct view_folder *f, const char *name)
{
	char first[NAME_MAX + 2];
	size_t n = (size_t)snprintf(first, sizeof first, "%s/", name);
	const struct named *found = lower(d, f, first, NULL);

	return found != NULL && strncmp(found->line->path, first, n) == 0 ? found : NULL;
}

int dists_read(struct dists *d, const struct view *w)
{
	int error = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct view_folder *f = &w->v[i];
		for (size_t k = 0; f->kind == FOLDER_PACKAGES && error == 0 && k < f->after.n; k++) {
			if (was_installed(f, &f->after.v[k])) {
				error = d->n < DISTS_MAX ? add(d, f, f->after.v[k].name) : 0;
				f->error = d->n < DISTS_MAX ? f->error : -E2BIG;
			}
		}
	}
	return error < 0 ? error : make_index(d);
}

void dists_finish(struct dists *d)
{
	for (size_t i = 0; i < d->n; i++) {
		finish(&d->v[i]);
	}
	free(d->v);
	free(d->index);
	*d = (struct dists){0};
}
