#include "takeback.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beneath.h"
#include "launcher/base/fd.h"
#include "startup.h"
#include "words.h"

#define HASHED_MAX (1u << 30)
#define CHUNK (256u << 10)
#define WALKED_MAX 2000000 /* folders that are opened to remove others */

/* --- moving -------------------------------------------------------------------------------------- */

/* The folder of the quarantine for what lay at an absolute path, made; *name: the last component. */
static int room_for(int quarantine, const char *path, const char **name)
{
	cleanup_fd int at = fcntl(quarantine, F_DUPFD_CLOEXEC, 0);

	while (at >= 0) {
		char one[NAME_MAX + 1];
		path += strspn(path, "/");
		size_t n = strcspn(path, "/");
		if (n == 0 || n > NAME_MAX) {
			return -EINVAL;
		}
		if (path[n] == '\0') {
			*name = path;
			return steal_fd(&at);
		}
		memcpy(one, path, n);
		one[n] = '\0';
		if (mkdirat(at, one, 0700) < 0 && errno != EEXIST) {
			return -errno;
		}
		int next = openat(at, one, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int error = errno;
		close(at);
		at = next;
		errno = error;
		path += n;
	}
	return -errno;
}

static int copy(int from, int to)
{
	char *chunk = malloc(CHUNK);
	int error = chunk == NULL ? -ENOMEM : 0;
	ssize_t n = 1;

	while (error == 0 && n != 0) {
		n = read(from, chunk, CHUNK);
		if (n > 0) {
			error = fd_write_all(to, chunk, (size_t)n);
		} else if (n < 0 && errno != EINTR) {
			error = -errno;
		}
	}
	free(chunk);
	return error;
}

/* To another file system. */
static int carry(int parent, const char *name, int room, const char *as)
{
	cleanup_fd int from = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	cleanup_fd int to = from < 0 ? -1 : openat(room, as, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (from < 0 || to < 0) {
		return -errno;
	}
	int error = copy(from, to);
	if (error == 0 && unlinkat(parent, name, 0) < 0) {
		error = -errno;
	}
	if (error < 0) {
		unlinkat(room, as, 0);
	}
	return error;
}

static int move(struct takeback *t, int parent, const char *name, const char *path)
{
	const char *as = NULL;

	if (t->quarantine < 0) {
		return unlinkat(parent, name, 0) < 0 ? -errno : 0;
	}
	cleanup_fd int room = room_for(t->quarantine, path, &as);
	if (room < 0) {
		return room;
	}
	if (renameat(parent, name, room, as) == 0) {
		return 0;
	}
	return errno == EXDEV ? carry(parent, name, room, as) : -errno;
}

/* --- may it go? ---------------------------------------------------------------------------------- */

enum fit { FIT_NO, FIT_YES, FIT_UNKNOWN /* too much was read already */ };

/* What reading it costs; opening it as well. */
static uint64_t cost_of(const struct view_folder *f, const char *rest)
{
	const char *name;
	struct stat st;
	cleanup_fd int parent = beneath_parent(f->fd, rest, &name);
	bool there = parent >= 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);

	return CHUNK + (!there ? 0 : st.st_size > HASHED_MAX ? HASHED_MAX : (uint64_t)st.st_size);
}

/* The very file that a RECORD names.  RECORDs may name one file many times. */
static enum fit fits(struct takeback *t, const struct view_folder *f, const char *rest, const struct recorded *line)
{
	struct takeback_hash *h = &t->last;

	if (!line->sha256) {
		return FIT_NO;
	}
	if (h->folder != f || strcmp(h->path, rest) != 0) {
		uint64_t cost = cost_of(f, rest);
		if (cost > t->hash_left) {
			return FIT_UNKNOWN;
		}
		t->hash_left -= cost;
		h->folder = f;
		snprintf(h->path, sizeof h->path, "%s", rest);
		h->error = beneath_hash(f->fd, rest, HASHED_MAX, h->hash);
	}
	return h->error == 0 && memcmp(h->hash, line->hash, sizeof h->hash) == 0 ? FIT_YES : FIT_NO;
}

/* Byte code that pip compiled of a file of the same RECORD. */
static bool is_compiled(const struct takeback *t, const struct dist *d, const struct recorded *line)
{
	char source[PATH_MAX];

	return !line->has_hash && words_source(line->path, source, sizeof source) && dists_names(t->judge->dists, d, source);
}

/* --- what is another's as well ------------------------------------------------------------------- */

struct own { /* an entry of one that is taken back */
	char *path; /* absolute */
	struct recorded *line;
};
struct owns {
	struct own *v; /* by path */
	size_t n;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct own *)a)->path, ((const struct own *)b)->path);
}

static void owns_finish(struct owns *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->v[i].path);
	}
	free(all->v);
}

static int owns_read(struct owns *all, const struct judge *j)
{
	size_t room = 0;

	for (size_t i = 0; i < j->dists->n; i++) {
		room += j->dists->v[i].take_back ? j->dists->v[i].n : 0;
	}
	all->v = calloc(room + 1, sizeof *all->v);
	for (size_t i = 0; i < j->dists->n && all->v != NULL; i++) {
		const struct dist *d = &j->dists->v[i];
		for (size_t k = 0; d->take_back && k < d->n; k++) {
			char path[PATH_MAX];
			const char *rest;
			if (judge_place(j, d, d->entries[k].path, path, &rest) == NULL) {
				continue;
			}
			struct own *one = &all->v[all->n];
			*one = (struct own){.path = strdup(path), .line = &d->entries[k]};
			if (one->path == NULL) {
				return -ENOMEM;
			}
			all->n++;
		}
	}
	if (all->n > 0) {
		qsort(all->v, all->n, sizeof *all->v, by_path);
	}
	return all->v != NULL ? 0 : -ENOMEM;
}

static size_t owns_find(const struct owns *all, const char *path)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(all->v[middle].path, path) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* A line of another one's RECORD.  What cannot be compared any more counts as that one's. */
static void claim(struct takeback *t, const struct owns *all, const struct view_folder *folder, const struct recorded *line)
{
	char path[PATH_MAX];
	const char *rest;
	const struct dist as = {.folder = (struct view_folder *)folder};
	const struct view_folder *f = judge_place(t->judge, &as, line->path, path, &rest);
	size_t i = f != NULL ? owns_find(all, path) : all->n;

	if (i == all->n || strcmp(all->v[i].path, path) != 0 || all->v[i].line->claimed || (line->sha256 && fits(t, f, rest, line) == FIT_NO)) {
		return;
	}
	for (; i < all->n && strcmp(all->v[i].path, path) == 0; i++) {
		all->v[i].line->claimed = true;
	}
}

/* Only those of its paths are looked at that a new RECORD has too: by the index, for RECORDs of other distributions may be long. */
static void claims_of(struct takeback *t, const struct owns *all, const struct view_folder *f, const char *info)
{
	struct recorded line;
	char *text = NULL, *at;

	if (dist_record(f, info, &text) < 0) {
		return;
	}
	for (at = text; recorded_next(&at, &line);) {
		bool leaves = line.path[0] == '/' || strncmp(line.path, "..", 2) == 0;
		if (leaves || dists_find(t->judge->dists, f, line.path) != NULL) {
			claim(t, all, f, &line);
		}
	}
	free(text);
}

static bool is_named(const struct takeback *t, const struct named *n, const struct view_folder *f, const char *path)
{
	const struct dists *all = t->judge->dists;

	return n != NULL && n < all->index + all->named && n->folder == f && strcmp(n->line->path, path) == 0;
}

/* Is that .dist-info a file of one that is taken back?  A wheel may bring more than one, and they speak for each other.  But its RECORD only names it where that was
 * written before the run, or where it was installed: then it names itself without a hash, as pip has it. */
static bool is_brought(struct takeback *t, const struct view_folder *f, const char *info)
{
	char path[NAME_MAX + 16];
	const struct named *n;
	struct stat st;
	bool brought = false;

	snprintf(path, sizeof path, "%s/RECORD", info);
	for (n = dists_find(t->judge->dists, f, path); is_named(t, n, f, path); n++) {
		if (strcmp(n->dist->info, info) == 0 && !n->line->has_hash) {
			return false;
		}
		brought |= n->dist->take_back && n->line->has_hash && fits(t, f, path, n->line) == FIT_YES;
	}
	return brought && fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && view_is_written(f, path, &st);
}

static bool goes_too(const struct takeback *t, const struct view_folder *f, const char *info)
{
	const struct dist *d = dists_of(t->judge->dists, f, info);

	return d != NULL && d->take_back;
}

static void claims_all(struct takeback *t, const struct owns *all)
{
	const struct view *w = t->judge->view;
	size_t unused;

	for (size_t i = 0; i < w->n; i++) {
		const struct view_folder *f = &w->v[i];
		for (size_t k = 0; f->kind == FOLDER_PACKAGES && k < f->after.n; k++) {
			const char *info = f->after.v[k].name;
			if (dist_split(info, &unused, &unused) && !goes_too(t, f, info) && !is_brought(t, f, info)) {
				claims_of(t, all, f, info);
			}
		}
	}
}

/* --- files and folders --------------------------------------------------------------------------- */

static void stays(struct takeback *t, const struct dist *d, const char *path, const char *why)
{
	t->left++;
	t->stays(t->context, d, path, why);
}

/* Is this one folder too many?  Each is looked for from the top. */
static bool walked_enough(struct takeback *t, const struct dist *d, const struct view_folder *f, const char *path)
{
	bool before = t->walked > WALKED_MAX;
	char whole[PATH_MAX];

	for (const char *at = path; at != NULL; at = strchr(at + 1, '/')) {
		t->walked++;
	}
	if (!before && t->walked > WALKED_MAX && recorded_resolve(f->path, path, whole)) {
		stays(t, d, whole, "there are too many folders: those that are empty now are left from here on");
	}
	return t->walked > WALKED_MAX;
}

/* Those that are empty now.  What was there before stays, but where an older version of the distribution had it. */
static void remove_folders(struct takeback *t, const struct dist *d, const struct view_folder *f, const char *rest)
{
	char path[PATH_MAX];
	size_t n = strlen(rest);

	snprintf(path, sizeof path, "%s", rest);
	while (n > 0) {
		const char *name;
		while (n > 0 && path[--n] != '/') {
		}
		if (n == 0) {
			return;
		}
		path[n] = '\0';
		if ((strchr(path, '/') == NULL && f->kind != FOLDER_OTHER && !view_has_come(f, path) && d->older == NULL) || walked_enough(t, d, f, path)) {
			return;
		}
		cleanup_fd int parent = beneath_parent(f->fd, path, &name);
		if (parent < 0 || unlinkat(parent, name, AT_REMOVEDIR) < 0) {
			return; /* something else is in it */
		}
	}
}

enum claimed { OF_OTHERS, OF_NOBODY, OF_NO_MATTER /* it is what the run is malicious for */ };

static void take(struct takeback *t, const struct dist *d, const struct recorded *line, enum claimed claimed)
{
	enum fit fit = FIT_YES;
	char path[PATH_MAX];
	const char *rest, *name;
	const struct view_folder *f = judge_place(t->judge, d, line->path, path, &rest);
	struct stat st;
	int error;

	if (f == NULL || f->fd < 0) {
		return; /* nowhere that pip could have written */
	}
	cleanup_fd int parent = beneath_parent(f->fd, rest, &name);
	if (parent < 0 || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode) || !view_is_written(f, rest, &st)) {
		return; /* not there, or not of this run */
	}
	if (claimed == OF_NOBODY && !view_has_come(f, rest) && !is_compiled(t, d, line)) {
		fit = fits(t, f, rest, line);
	}
	if (claimed == OF_OTHERS) {
		stays(t, d, path, "another distribution has the same file");
	} else if (fit != FIT_YES) {
		stays(t, d, path, fit == FIT_NO ? "it is not the file that its RECORD names" : "there is too much to be compared");
	} else if ((error = move(t, parent, name, path)) < 0 && (claimed != OF_NO_MATTER || unlinkat(parent, name, 0) < 0)) {
		stays(t, d, path, error == -ENOSPC || error == -EDQUOT ? "there is no room to keep it" : "it could not be moved");
	} else {
		t->moved++;
		remove_folders(t, d, f, rest);
	}
}

/* What runs by itself goes first, and what names the rest last: an interrupted attempt can be gone on with by an uninstall. */
static int turn_of(const struct dist *d, const struct recorded *line)
{
	const char *slash = strchr(line->path, '/');

	if (slash == NULL) {
		return startup_is_pth(line->path) || startup_is_customize(line->path) ? 0 : 1;
	}
	return strncmp(line->path, d->info, (size_t)(slash - line->path)) == 0 && strcmp(slash, "/RECORD") == 0 ? 2 : 1;
}

static void take_dist(struct takeback *t, const struct dist *d)
{
	if (d->error < 0) {
		stays(t, d, d->folder->path, "its RECORD cannot be read as a whole: there may be more of it");
	}
	for (int turn = 0; turn <= 2; turn++) {
		for (size_t i = 0; i < d->n; i++) {
			if (turn_of(d, &d->entries[i]) == turn) {
				take(t, d, &d->entries[i], d->entries[i].claimed ? OF_OTHERS : OF_NOBODY);
			}
		}
	}
}

void takeback_dists(struct takeback *t)
{
	const struct dists *all = t->judge->dists;
	struct owns owns = {0};
	bool failed = owns_read(&owns, t->judge) < 0;

	if (!failed) {
		claims_all(t, &owns);
	}
	owns_finish(&owns);
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].take_back && failed) {
			stays(t, &all->v[i], all->v[i].folder->path, "memory is short");
		} else if (all->v[i].take_back) {
			take_dist(t, &all->v[i]);
		}
	}
}

void takeback_file(struct takeback *t, const struct view_folder *f, const char *name)
{
	const struct dist none = {.folder = (struct view_folder *)f};
	const struct recorded line = {.path = (char *)name};

	take(t, &none, &line, OF_NO_MATTER);
}
