/* Files that two distributions name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "startup.h"
#include "words.h"

/* The first component of a path under which a new distribution has files, and which was there before. */
struct top {
	const struct view_folder *folder;
	const char *path;   /* of a RECORD; only its first `len` bytes count */
	size_t len;
	struct dist *dist;
};
struct tops {
	struct top *v;
	size_t n;
};

static int by_top(const void *a, const void *b)
{
	const struct top *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = x->folder != y->folder ? (x->folder < y->folder ? -1 : 1) : memcmp(x->path, y->path, n);

	return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* Byte code goes with its source; what leaves the folder (../) is no package's. */
static bool is_shared(const struct top *t)
{
	char name[NAME_MAX + 1];
	size_t unused;

	if (t->len == 0 || t->len > NAME_MAX || strncmp(t->path, "..", 2) == 0 || strncmp(t->path, "__pycache__", 11) == 0) {
		return false;
	}
	memcpy(name, t->path, t->len);
	name[t->len] = '\0';
	return !dist_split(name, &unused, &unused) && view_find(&t->folder->before, name) != NULL;
}

static int collect(const struct dists *d, struct tops *tops)
{
	const struct top *last = NULL;

	tops->v = calloc(d->named + 1, sizeof *tops->v);
	for (size_t i = 0; tops->v != NULL && i < d->named; i++) {
		struct top t = {.folder = d->index[i].folder, .path = d->index[i].line->path, .dist = d->index[i].dist};
		t.len = words_top(t.path);
		bool again = last != NULL && by_top(last, &t) == 0;
		if (!again && is_shared(&t)) {
			tops->v[tops->n] = t;
			last = &tops->v[tops->n++];
		}
	}
	if (tops->v != NULL && tops->n > 0) {
		qsort(tops->v, tops->n, sizeof *tops->v, by_top);
	}
	return tops->v != NULL ? 0 : -ENOMEM;
}

static bool same_content(const struct recorded *a, const struct recorded *b)
{
	return a->sha256 && b->sha256 && memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

static void tell(const struct judge *j, const struct named *new, const char *other)
{
	char path[PATH_MAX], top[NAME_MAX + 1], why[NAME_MAX + 100];
	const char *rest;
	bool common;

	judge_place(j, new->dist, new->line->path, path, &rest);
	snprintf(top, sizeof top, "%.*s", (int)words_top(new->line->path), new->line->path);
	common = words_is_common(top);
	snprintf(why, sizeof why, "%.*s has a file of that name, with other content", (int)(strlen(other) - strlen(".dist-info")), other);
	j->found(j->context, &(struct finding){.rule = common ? "install.overlap.common" : "install.overlap", .path = path, .why = why, .dist = new->dist});
}

static void tell_inside(const struct judge *j, const struct top *t, const char *other)
{
	char path[PATH_MAX], top[NAME_MAX + 1], why[NAME_MAX + 100];
	const char *rest;

	snprintf(top, sizeof top, "%.*s", (int)t->len, t->path);
	judge_place(j, t->dist, top, path, &rest);
	snprintf(why, sizeof why, "the package is %.*s's", (int)(strlen(other) - strlen(".dist-info")), other);
	j->found(j->context, &(struct finding){.rule = "install.inside", .path = path, .why = why, .dist = t->dist});
}

/* One line of a RECORD that is not new. */
static void compare(const struct judge *j, const struct tops *tops, const struct view_folder *f, const char *info, const struct recorded *line)
{
	struct top key = {.folder = f, .path = line->path, .len = words_top(line->path)};
	const struct top *t = bsearch(&key, tops->v, tops->n, sizeof key, by_top);
	const struct named *new = t != NULL ? dists_find(j->dists, f, line->path) : NULL;
	bool cached;

	if (t == NULL) {
		return;
	}
	if (new == NULL) {
		if (strcmp(line->path + key.len, "/__init__.py") == 0) {
			tell_inside(j, t, info);
		}
	} else if (!same_content(new->line, line) && !words_is_bytecode(line->path, &cached)) {
		tell(j, new, info);
	}
}

/* On to the next line that is under one of the tops: most lines of most RECORDs are not, and are not taken apart.  One that begins with a quote is. */
static bool seek(const struct tops *tops, const struct view_folder *f, char **at)
{
	while (**at != '\0') {
		const struct top key = {.folder = f, .path = *at, .len = strcspn(*at, "/,\r\n")};
		if (**at == '"' || bsearch(&key, tops->v, tops->n, sizeof key, by_top) != NULL) {
			return true;
		}
		char *end = strchr(*at + key.len, '\n');
		*at = end != NULL ? end + 1 : *at + strlen(*at);
	}
	return false;
}

static void compare_all(const struct judge *j, const struct tops *tops, const struct view_folder *f)
{
	size_t unused;

	for (size_t i = 0; i < f->after.n; i++) {
		const char *info = f->after.v[i].name;
		struct recorded line;
		char *text = NULL, *at;
		if (!dist_split(info, &unused, &unused) || dists_of(j->dists, f, info) != NULL || dist_record(f, info, &text) < 0) {
			continue;
		}
		for (at = text; seek(tops, f, &at) && recorded_next(&at, &line);) {
			compare(j, tops, f, info, &line);
		}
		free(text);
	}
}

void judge_overlap(const struct judge *j)
{
	const struct dists *d = j->dists;
	struct tops tops = {0};
	bool cached;

	for (size_t i = 1; i < d->named; i++) { /* two that are new */
		const struct named *a = &d->index[i - 1], *b = &d->index[i];
		if (a->folder == b->folder && a->dist != b->dist && strcmp(a->line->path, b->line->path) == 0 && !same_content(a->line, b->line) &&
		    !words_is_bytecode(b->line->path, &cached)) {
			tell(j, b, a->dist->info);
		}
	}
	if (collect(d, &tops) == 0 && tops.n > 0) {
		for (size_t i = 0; i < j->view->n; i++) {
			if (j->view->v[i].kind == FOLDER_PACKAGES) {
				compare_all(j, &tops, &j->view->v[i]);
			}
		}
	}
	free(tops.v);
}
