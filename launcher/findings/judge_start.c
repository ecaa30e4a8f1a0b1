/* Start-up code that a run has brought. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beneath.h"
#include "direct_url.h"
#include "judge.h"
#include "launcher/base/fd.h"
#include "launcher/base/pathtext.h"
#include "startup.h"

#define START_UP_MAX (1u << 20)
#define DIRECT_URL_MAX (64u << 10)
enum { START_UPS_MAX = 500, LISTED_MAX = 100000 };

struct place { /* what a line of code is judged by: `site` runs it with this folder */
	const struct judge *j;
	const struct view_folder *f;
};

/* "NAME.so", "NAME.cpython-311-x86_64-linux-gnu.so". */
static bool is_library(const char *base, const char *name, size_t len)
{
	size_t n = strlen(base);

	return n > 3 && strncmp(base, name, len) == 0 && base[len] == '.' && strcmp(base + n - 3, ".so") == 0;
}

/* The import system takes a package's NAME/__init__.so as well as NAME.so, and before any source. */
static bool names_extension(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	size_t len = strlen(name), above = slash != NULL ? (size_t)(slash - path) : 0;

	if (is_library(slash != NULL ? slash + 1 : path, name, len)) {
		return true;
	}
	return above >= len && strncmp(slash - len, name, len) == 0 && (above == len || slash[-(ptrdiff_t)len - 1] == '/') && is_library(slash + 1, "__init__", 8);
}

/* Is there such a file in the folder?  What cannot be read as a whole has one. */
static bool holds_library(int parent, const char *folder, const char *name)
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
		found = is_library(entry->d_name, name, strlen(name)) || n++ == LISTED_MAX;
	}
	found |= errno != 0;
	closedir(dir);
	return found;
}

/* As it lies there, whoever brought it and when. */
static bool lies_there(const struct view_folder *f, const char *module)
{
	char path[PATH_MAX];
	const char *name;

	snprintf(path, sizeof path, "%s", module);
	for (char *dot = path; (dot = strchr(dot, '.')) != NULL;) {
		*dot = '/';
	}
	cleanup_fd int parent = beneath_parent(f->fd, path, &name);
	if (parent < 0) {
		return parent != -ENOENT;
	}
	return holds_library(parent, ".", name) || holds_library(parent, name, "__init__");
}

static bool is_extension(const void *context, const char *module)
{
	const struct place *p = context;
	const struct judge *j = p->j;
	const char *dot = strrchr(module, '.'), *name = dot != NULL ? dot + 1 : module;
	bool found = lies_there(p->f, module);

	for (size_t i = 0; i < j->view->n && !found; i++) {
		const struct view_entries *e = &j->view->v[i].after;
		for (size_t k = 0; k < e->n && !found; k++) {
			found = names_extension(e->v[k].name, name);
		}
	}
	for (size_t i = 0; i < j->dists->named && !found; i++) {
		found = names_extension(j->dists->index[i].line->path, name);
	}
	return found;
}

/* pip names the folder as it was typed; projects have their links resolved. */
static bool is_project(const struct judge *j, const char *path)
{
	char *real = realpath(path, NULL);
	bool is = false;

	for (const char *const *one = j->projects; real != NULL && !is && *one != NULL; one++) {
		is = pathtext_below(real, *one);
	}
	free(real);
	return is;
}

/* Is it an editable install of a project that the user named?  pip says so in direct_url.json; a wheel that brings one of its own does not know the folder. */
static bool is_editable(const struct judge *j, const struct dist *d)
{
	char path[NAME_MAX + 24], folder[PATH_MAX], *text = NULL;
	cJSON *root;
	bool is;

	if (j->projects == NULL || j->projects[0] == NULL || d == NULL) {
		return j->projects != NULL && j->projects[0] != NULL; /* `setup.py develop`, which develop.c has judged */
	}
	snprintf(path, sizeof path, "%s/direct_url.json", d->info);
	root = beneath_text(d->folder->fd, path, DIRECT_URL_MAX, &text) >= 0 ? cJSON_Parse(text) : NULL;
	is = direct_url_editable(root, folder) && is_project(j, folder);
	cJSON_Delete(root);
	free(text);
	return is;
}

static struct startup judge_start_up(const struct judge *j, const struct view_folder *f, const char *name, const struct dist *d)
{
	struct startup s = {.level = STARTUP_HOSTILE, .why = "every Python of this environment imports it when it starts"};
	char *text = NULL;
	ssize_t len;

	if (!startup_is_pth(name)) {
		return s;
	}
	len = beneath_text(f->fd, name, START_UP_MAX, &text);
	if (len < 0) {
		s.why = "it is no file that can be read, or too large for one";
		return s;
	}
	const struct place place = {.j = j, .f = f};
	const struct startup_of of = {.dist = d != NULL ? d->normal : "", .editable = is_editable(j, d), .is_extension = is_extension, .context = &place};
	s = startup_pth(text, (size_t)len, &of);
	free(text);
	return s;
}

/* What a RECORD says of the file that was judged. */
static void check_hash(const struct judge *j, const struct view_folder *f, const char *name, const char *path, const struct named *n)
{
	unsigned char hash[RECORDED_HASH];

	if (n != NULL && strcmp(n->line->path, name) == 0 && n->line->sha256 && beneath_hash(f->fd, name, START_UP_MAX, hash) == 0 && memcmp(hash, n->line->hash, sizeof hash) != 0) {
		j->found(j->context, &(struct finding){.rule = "install.record.hash", .path = path, .why = "it is another file than its RECORD says", .dist = n->dist});
	}
}

/* unread: it is one of too many. */
static void judge_one_start_up(const struct judge *j, const struct view_folder *f, const char *name, const struct named *n, bool unread)
{
	static const char *const rules[] = {[STARTUP_PATHS] = NULL, [STARTUP_KNOWN] = "install.pth.known", [STARTUP_OUTSIDE] = "install.pth.path",
	                                    [STARTUP_CODE] = "install.pth.code", [STARTUP_HOSTILE] = "install.pth.hostile"};
	char path[PATH_MAX], why[320];
	struct startup s = unread ? (struct startup){.level = STARTUP_HOSTILE, .why = "it came with more than is looked at"}
	                          : judge_start_up(j, f, name, n != NULL ? n->dist : NULL);
	const char *rule = startup_is_pth(name) ? rules[s.level] : "install.customize";

	if (rule == NULL || !recorded_resolve(f->path, name, path)) {
		return;
	}
	snprintf(why, sizeof why, "%s%s%s", s.why, s.module[0] != '\0' ? "; it imports " : "", s.module);
	j->found(j->context, &(struct finding){.rule = rule, .path = path, .name = s.module[0] != '\0' ? s.module : NULL, .why = why, .dist = n != NULL ? n->dist : NULL, .folder = f});
	if (!unread) {
		check_hash(j, f, name, path, n);
	}
}

/* Is there a RECORD that was not read to its end?  It may name the file. */
static bool is_cut(const struct dists *d, const struct view_folder *f)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].folder == f && dist_filled(&d->v[i])) {
			return true;
		}
	}
	return false;
}

/* Of each distribution that names it: a second one must not keep what the first one is taken back for. */
static void judge_of_all(const struct judge *j, const struct view_folder *f, const char *name, bool unread)
{
	const struct named *n = dists_find(j->dists, f, name), *end = j->dists->index + j->dists->named;

	if (n == NULL) {
		const struct named *below = dists_below(j->dists, f, name);
		judge_one_start_up(j, f, name, below, unread || (below == NULL && is_cut(j->dists, f)));
	}
	for (const struct dist *last = NULL; n != NULL && n < end && n->folder == f && strcmp(n->line->path, name) == 0; n++) {
		if (n->dist != last) {
			judge_one_start_up(j, f, name, n, unread);
		}
		last = n->dist;
	}
}

void judge_start_ups(const struct judge *j, const struct view_folder *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->after.n; i++) {
		const struct view_entry *e = &f->after.v[i];
		if ((startup_is_pth(e->name) || startup_is_customize(e->name)) && view_is_new(f, e)) {
			judge_of_all(j, f, e->name, n++ >= START_UPS_MAX);
		}
	}
}
