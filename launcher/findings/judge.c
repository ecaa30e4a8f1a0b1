#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "launcher/base/fd.h"
#include "words.h"

enum { SCRIPTS_MAX = 4000, SHARE_MANY = 1000, POINTS_TOLD = 101 /* of one distribution: one more than is written down */ };
#define POINTS_MAX (1u << 20)
#define RUN_POINTS_MAX (64u << 20)

static void tell(const struct judge *j, struct dist *d, const char *rule, const char *path, const char *why)
{
	j->found(j->context, &(struct finding){.rule = rule, .path = path, .why = why, .dist = d});
}

static bool is_plain(const char *path)
{
	if (*path == '/') {
		return false;
	}
	for (const char *at = path; *at != '\0';) {
		size_t n = strcspn(at, "/");
		if (n == 0 || (n == 1 && *at == '.') || (n == 2 && at[0] == '.' && at[1] == '.')) {
			return false;
		}
		at += n + (at[n] == '/');
	}
	return true;
}

const struct view_folder *judge_place(const struct judge *j, const struct dist *d, const char *path, char *out, const char **rest)
{
	bool aside = d->folder->flat && strncmp(path, "../../", 6) == 0;

	if (aside) { /* --target: pip installs elsewhere and moves it */
		path += 6;
	}
	if (!recorded_resolve(d->folder->path, path, out)) {
		*out = '\0';
		return NULL;
	}
	if (is_plain(path)) {
		*rest = path;
		return d->folder;
	}
	return view_holder(j->view, out, rest);
}

static bool ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

/* --- each file of a RECORD ----------------------------------------------------------------------- */

struct script {
	const struct view_folder *folder;
	const char *name;
	struct dist *dist;
};

struct walk {
	const struct judge *j;
	struct dist *d;
	int library;
	const struct view_folder *parent_of; /* whose `parent` is open: the folder that the last file lay in */
	char parent[PATH_MAX];
	int fd;
	char top[NAME_MAX + 1]; /* the last one that was judged */
	bool cache_told;        /* of the distribution: once is enough */
	size_t points;          /* bytes of entry points so far */
	struct script *scripts;
	size_t script_count;
};

/* fstatat below the folder; what lies beside the last one needs no new walk. */
static int look_at(struct walk *w, const struct view_folder *f, const char *rest, struct stat *st)
{
	const char *slash = strrchr(rest, '/');
	size_t n = slash != NULL ? (size_t)(slash - rest) : 0;

	if (slash == NULL) {
		return fstatat(f->fd, rest, st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	}
	if (w->parent_of != f || strlen(w->parent) != n || strncmp(w->parent, rest, n) != 0) {
		const char *name;
		close_fd(&w->fd);
		w->parent_of = NULL;
		w->fd = beneath_parent(f->fd, rest, &name);
		if (w->fd < 0) {
			int error = w->fd;
			w->fd = -1;
			return error;
		}
		w->parent_of = f;
		snprintf(w->parent, sizeof w->parent, "%.*s", (int)n, rest);
	}
	return fstatat(w->fd, slash + 1, st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static void judge_mode(const struct walk *w, const struct stat *st, const char *path)
{
	if ((st->st_mode & (S_ISUID | S_ISGID)) != 0) {
		tell(w->j, w->d, "install.mode.setid", path, "it is executed with its owner's rights");
	} else if ((st->st_mode & S_IWOTH) != 0 && (w->j->umask & S_IWOTH) != 0) {
		tell(w->j, w->d, "install.mode.writable", path, "everybody may change it, and the umask says that nobody else may");
	}
}

static void judge_bytecode(struct walk *w, const struct recorded *line, const char *path, bool cached)
{
	char source[PATH_MAX];
	size_t len = strlen(line->path);

	if (cached && line->has_hash && !w->cache_told) { /* pip lists what it compiles itself without one */
		w->cache_told = true;
		tell(w->j, w->d, "install.bytecode.cache", path, "the wheel brings it compiled");
	}
	memcpy(source, line->path, len); /* shorter than PATH_MAX */
	source[len - 1] = '\0';
	if (!cached && dists_find(w->j->dists, w->d->folder, source) == NULL) {
		tell(w->j, w->d, "install.bytecode", path, "there is no source of it");
	}
}

static void judge_line(struct walk *w, const struct recorded *line, const char *path)
{
	static const char *const unlisted[] = {"/RECORD", "/RECORD.jws", "/RECORD.p7s"};
	bool cached;

	if (words_is_bytecode(line->path, &cached)) {
		judge_bytecode(w, line, path, cached);
		return;
	}
	for (size_t i = 0; i < sizeof unlisted / sizeof *unlisted; i++) {
		if (ends(line->path, unlisted[i])) {
			return;
		}
	}
	if (!line->has_hash) {
		tell(w->j, w->d, "install.record.unlisted", path, "the wheel has it and its RECORD does not name it");
	}
}

static void judge_elsewhere(struct walk *w, const struct recorded *line, const struct view_folder *f, const char *rest, const char *path)
{
	enum place place = words_place(path);

	if (f->kind == FOLDER_SCRIPTS && strchr(rest, '/') == NULL) {
		struct script *grown = w->script_count < SCRIPTS_MAX ? realloc(w->scripts, (w->script_count + 1) * sizeof *grown) : NULL;
		if (grown != NULL) {
			w->scripts = grown;
			w->scripts[w->script_count++] = (struct script){.folder = f, .name = strrchr(line->path, '/') + 1, .dist = w->d};
		}
	} else if (place == PLACE_STARTS) {
		tell(w->j, w->d, "install.data", path, "something is started by the files of this folder, where it counts");
	} else if (place == PLACE_COMPLETION) {
		tell(w->j, w->d, "install.data.completion", path, "a shell may read it");
	}
}

static void judge_entry(struct walk *w, const struct recorded *line)
{
	char path[PATH_MAX];
	const char *rest = NULL;
	const struct view_folder *f = judge_place(w->j, w->d, line->path, path, &rest);
	struct stat st;
	int error;

	if (f == NULL) {
		tell(w->j, w->d, "install.record.outside", path, "its RECORD names it, and it lies in none of the folders that pip installs into: an uninstall would remove it");
		return;
	}
	error = f->fd < 0 ? -ENOENT : look_at(w, f, rest, &st);
	if (error < 0) {
		tell(w->j, w->d, "install.record.absent", path, error == -ENOENT ? "its RECORD names it, and it is not there" : "its RECORD names it, and it cannot be looked at");
		return;
	}
	if (!view_is_written(f, rest, &st)) {
		tell(w->j, w->d, "install.record.foreign", path, "its RECORD names it, and it was there before: an uninstall would remove it");
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		tell(w->j, w->d, "install.record.kind", path, "it is no plain file");
		return;
	}
	judge_mode(w, &st, path);
	judge_line(w, line, path);
	if (f != w->d->folder) {
		judge_elsewhere(w, line, f, rest, path);
		return;
	}
	size_t n = words_top(line->path);
	if (n <= NAME_MAX && (strlen(w->top) != n || strncmp(w->top, line->path, n) != 0)) {
		snprintf(w->top, sizeof w->top, "%.*s", (int)n, line->path);
		judge_module(w->j, w->library, w->d, line->path);
	}
}

/* --- entry points -------------------------------------------------------------------------------- */

static void judge_points(struct walk *w, struct dist *d)
{
	const struct judge *j = w->j;
	char path[NAME_MAX + 24], whole[PATH_MAX], group[128], *text = NULL;
	const char *at, *rest;
	size_t left = RUN_POINTS_MAX - w->points, told = 0;

	snprintf(path, sizeof path, "%s/entry_points.txt", d->info);
	judge_place(j, d, path, whole, &rest);
	ssize_t len = beneath_text(d->folder->fd, path, left < POINTS_MAX ? left : POINTS_MAX, &text);
	if (len == -EFBIG) {
		tell(j, d, "install.unread", whole, "there are more entry points than are looked at");
	}
	if (len < 0) {
		return;
	}
	w->points += (size_t)len;
	for (at = text; told < POINTS_TOLD && words_next_group(&at, group, sizeof group);) {
		if (words_is_plugin(group)) {
			told++;
			j->found(j->context, &(struct finding){.rule = "install.plug-in", .path = whole, .name = group, .why = "it runs wherever that is loaded, in each build or test run", .dist = d});
		}
	}
	free(text);
}

/* --- all ----------------------------------------------------------------------------------------- */

static void judge_dist(struct walk *w, struct dist *d)
{
	w->d = d;
	w->top[0] = '\0';
	w->cache_told = false;
	if (d->error < 0) {
		bool filled = dist_filled(d);
		tell(w->j, d, filled ? "install.unread.filled" : "install.unread", NULL,
		     filled ? "its RECORD is longer than any honest one: what it has installed is not judged" : "its RECORD cannot be read as a whole: what it has installed is not judged");
	}
	for (size_t i = 0; i < d->n; i++) {
		judge_entry(w, &d->entries[i]);
	}
	close_fd(&w->fd);
	w->parent_of = NULL;
	judge_points(w, d);
}

static void judge_scripts(const struct walk *w, const struct view_folder *f)
{
	for (size_t i = 0; i < f->after.n; i++) {
		const struct view_entry *e = &f->after.v[i];
		struct dist *d = NULL;
		for (size_t k = 0; k < w->script_count && d == NULL; k++) {
			d = w->scripts[k].folder == f && strcmp(w->scripts[k].name, e->name) == 0 ? w->scripts[k].dist : NULL;
		}
		if (view_is_new(f, e) && !S_ISDIR(e->look.mode)) {
			judge_script(w->j, f, e->name, d);
		}
	}
}

/* What lies in a package folder since this run and no RECORD names: pip lists what it installs. */
static void judge_unlisted(const struct judge *j, const struct view_folder *f)
{
	for (size_t i = 0; i < f->after.n; i++) {
		const char *name = f->after.v[i].name;
		char path[PATH_MAX];
		bool honest = name[0] == '~' || name[0] == '.' || strcmp(name, "__pycache__") == 0 || strcmp(name, "easy-install.pth") == 0 || ends(name, ".egg-link") ||
		              ends(name, "-nspkg.pth") || ends(name, ".dist-info") || ends(name, ".egg-info") || ends(name, ".egg");
		bool named = honest || view_find(&f->before, name) != NULL || dists_find(j->dists, f, name) != NULL || dists_below(j->dists, f, name) != NULL;
		if (!named && recorded_resolve(f->path, name, path)) {
			j->found(j->context, &(struct finding){.rule = "install.stray", .path = path, .why = "it came in this run, and no RECORD names it", .folder = f});
		}
	}
}

/* How much of a folder a distribution has: its entries there, or what lies beside its own folder. */
static size_t share_of(const struct dist *d, const struct view_folder *f)
{
	const char *last = "";
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		const char *path = d->entries[i].path;
		size_t top = words_top(path);
		bool leaves = top == 0 || (top == 2 && strncmp(path, "..", 2) == 0);
		bool again = !leaves && words_top(last) == top && strncmp(last, path, top) == 0;
		n += leaves != (f == d->folder) && !again;
		last = path;
	}
	return n;
}

/* A folder that this run has filled beyond what is looked at: by those that have much in it, or else by all that are in question. */
static void tell_filled(const struct judge *j, const struct view_folder *f)
{
	struct finding one = {.rule = "install.unread.filled", .name = f->path, .why = "more came into a folder than is looked at: what was installed there cannot be judged as a whole"};
	size_t many = SHARE_MANY, told = 0;

	for (int turn = 0; turn < 2 && told == 0; turn++, many = 0) {
		for (size_t i = 0; i < j->dists->n; i++) {
			one.dist = &j->dists->v[i];
			if ((f->kind != FOLDER_PACKAGES || one.dist->folder == f) && share_of(one.dist, f) >= many) {
				j->found(j->context, &one);
				told++;
			}
		}
	}
	if (told == 0) {
		one.dist = NULL;
		j->found(j->context, &one);
	}
}

static void judge_unread(const struct judge *j, const struct view_folder *f)
{
	if (f->error == -E2BIG && f->before.error == 0) {
		tell_filled(j, f);
	} else if (f->error < 0) {
		j->found(j->context, &(struct finding){.rule = "install.unread", .path = f->path, .why = "what was installed there cannot be looked at as a whole"});
	}
}

void judge_all(const struct judge *j)
{
	cleanup_fd int library = j->library != NULL ? open(j->library, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	struct walk w = {.j = j, .library = library, .fd = -1};

	for (size_t i = 0; i < j->view->n; i++) {
		judge_unread(j, &j->view->v[i]);
	}
	judge_start_ups(j);
	for (size_t i = 0; i < j->dists->n; i++) {
		judge_dist(&w, &j->dists->v[i]);
	}
	for (size_t i = 0; i < j->view->n; i++) {
		const struct view_folder *f = &j->view->v[i];
		if (f->kind == FOLDER_SCRIPTS) {
			judge_scripts(&w, f);
		} else if (f->kind == FOLDER_PACKAGES && !f->flat) {
			judge_unlisted(j, f);
		}
	}
	free(w.scripts);
	judge_overlap(j);
}
