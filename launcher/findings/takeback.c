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

/* The very file that a RECORD names. */
static bool fits(const struct view_folder *f, const char *rest, const struct recorded *line)
{
	unsigned char hash[RECORDED_HASH];

	return line->sha256 && beneath_hash(f->fd, rest, HASHED_MAX, hash) == 0 && memcmp(hash, line->hash, sizeof hash) == 0;
}

/* Byte code that pip compiled of a file of the same RECORD. */
static bool is_compiled(const struct takeback *t, const struct dist *d, const struct recorded *line)
{
	char source[PATH_MAX];
	const struct named *n;

	if (line->has_hash || !words_source(line->path, source, sizeof source)) {
		return false;
	}
	for (n = dists_find(t->judge->dists, d->folder, source); n != NULL && n < t->judge->dists->index + t->judge->dists->named; n++) {
		if (n->folder != d->folder || strcmp(n->line->path, source) != 0) {
			return false;
		}
		if (n->dist == d) {
			return true;
		}
	}
	return false;
}

/* Of each of its entries: does another distribution name the file, and is it that one's still? */
struct claims {
	const struct takeback *t;
	const struct dist *d;
	bool *others;
};

static void claim(struct claims *c, const struct view_folder *folder, const struct recorded *line)
{
	const struct dist *d = c->d;
	char path[PATH_MAX], own[PATH_MAX];
	const char *rest;
	const struct dist as = {.folder = (struct view_folder *)folder};
	const struct view_folder *f = judge_place(c->t->judge, &as, line->path, path, &rest);

	if (f == NULL || (folder != d->folder && f == folder)) {
		return;
	}
	for (size_t i = 0; i < d->n; i++) {
		bool same = folder == d->folder ? strcmp(d->entries[i].path, line->path) == 0 : false;
		if (folder != d->folder && judge_place(c->t->judge, d, d->entries[i].path, own, &rest) == f) {
			same = strcmp(own, path) == 0;
		}
		if (same && !c->others[i]) {
			judge_place(c->t->judge, &as, line->path, path, &rest);
			c->others[i] = !line->sha256 || fits(f, rest, line);
		}
	}
}

/* Only those of its paths are looked at that are in its own RECORD too: by the index, for RECORDs of other distributions may be long. */
static void claims_of(struct claims *c, const struct view_folder *f, const char *info)
{
	struct recorded line;
	char *text = NULL, *at;

	if (dist_record(f, info, &text) < 0) {
		return;
	}
	for (at = text; recorded_next(&at, &line);) {
		bool leaves = line.path[0] == '/' || strncmp(line.path, "..", 2) == 0;
		if (leaves || (f == c->d->folder && dists_find(c->t->judge->dists, f, line.path) != NULL)) {
			claim(c, f, &line);
		}
	}
	free(text);
}

/* Is that .dist-info one of its own files?  A wheel may bring more than one, and they speak for each other. */
static bool brings(const struct dist *d, const struct view_folder *f, const char *info)
{
	char path[NAME_MAX + 16];

	snprintf(path, sizeof path, "%s/RECORD", info);
	for (size_t i = 0; d->folder == f && i < d->n; i++) {
		if (strcmp(d->entries[i].path, path) == 0 && d->entries[i].has_hash) { /* pip lists its own RECORD without one */
			return fits(f, path, &d->entries[i]);
		}
	}
	return false;
}

static void claims_all(struct claims *c)
{
	const struct view *w = c->t->judge->view;
	size_t unused;

	for (size_t i = 0; i < w->n; i++) {
		for (size_t k = 0; w->v[i].kind == FOLDER_PACKAGES && k < w->v[i].after.n; k++) {
			const char *info = w->v[i].after.v[k].name;
			bool own = &w->v[i] == c->d->folder && strcmp(info, c->d->info) == 0, gone = false;
			gone |= brings(c->d, &w->v[i], info);
			for (size_t m = 0; m < c->t->judge->dists->n; m++) { /* what is taken back as well claims nothing */
				const struct dist *other = &c->t->judge->dists->v[m];
				gone |= other->take_back && other->folder == &w->v[i] && strcmp(other->info, info) == 0;
			}
			if (!own && !gone && dist_split(info, &unused, &unused)) {
				claims_of(c, &w->v[i], info);
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

/* Those that are empty now.  What was there before stays, but where an older version of the distribution had it. */
static void remove_folders(const struct dist *d, const struct view_folder *f, const char *rest)
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
		if (strchr(path, '/') == NULL && f->kind != FOLDER_OTHER && !view_has_come(f, path) && d->older == NULL) {
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
	if (claimed == OF_OTHERS) {
		stays(t, d, path, "another distribution has the same file");
	} else if (claimed == OF_NOBODY && !view_has_come(f, rest) && !fits(f, rest, line) && !is_compiled(t, d, line)) {
		stays(t, d, path, "it is not the file that its RECORD names");
	} else if ((error = move(t, parent, name, path)) < 0 && (claimed != OF_NO_MATTER || unlinkat(parent, name, 0) < 0)) {
		stays(t, d, path, error == -ENOSPC || error == -EDQUOT ? "there is no room to keep it" : "it could not be moved");
	} else {
		t->moved++;
		remove_folders(d, f, rest);
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

void takeback_dist(struct takeback *t, const struct dist *d)
{
	struct claims c = {.t = t, .d = d, .others = calloc(d->n + 1, sizeof *c.others)};

	if (c.others == NULL) {
		stays(t, d, d->folder->path, "memory is short");
		return;
	}
	claims_all(&c);
	if (d->error < 0) {
		stays(t, d, d->folder->path, "its RECORD cannot be read as a whole: there may be more of it");
	}
	for (int turn = 0; turn <= 2; turn++) {
		for (size_t i = 0; i < d->n; i++) {
			if (turn_of(d, &d->entries[i]) == turn) {
				take(t, d, &d->entries[i], c.others[i] ? OF_OTHERS : OF_NOBODY);
			}
		}
	}
	free(c.others);
}

void takeback_file(struct takeback *t, const struct view_folder *f, const char *name)
{
	const struct dist none = {.folder = (struct view_folder *)f};
	const struct recorded line = {.path = (char *)name};

	take(t, &none, &line, OF_NO_MATTER);
}
