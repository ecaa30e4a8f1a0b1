#include "installed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"
#include "launcher/base/made.h"
#include "launcher/findings/beneath.h"
#include "launcher/findings/takeback.h"

enum { FINDINGS_MAX = 400, OF_ONE_MAX = 100, LEFT_MAX = 1000, LEFT_OF_ONE_MAX = 50 }; /* a package may not fill the record */

struct kept { /* a finding that is to be written down */
	struct verdict verdict;
	char *path, *name, *why; /* why NULL: it is only taken back, for there is no room in the record */
	struct dist *dist;
	const struct view_folder *folder;
	bool taken; /* back: it, or its distribution */
};

struct left { /* what was to be taken back and stays */
	const struct dist *dist; /* NULL: nobody's */
	char *path;              /* NULL: `more` that are not named */
	const char *why;
	size_t more;
};

static struct {
	struct view view;
	bool looked;
} state;

struct report {
	struct supervisor *s;
	struct dists dists;
	struct kept *v;
	size_t n, told, told_of_nobody, more;
	struct left *left;
	size_t left_count, left_of_last, left_more; /* of_last: of the distribution of the last one */
	bool failed; /* memory */
};

/* --- before -------------------------------------------------------------------------------------- */

static int add_all(const struct strings *list, enum folder_kind kind)
{
	int error = 0;

	for (size_t i = 0; i < list->n && error == 0; i++) {
		error = view_add(&state.view, kind, list->v[i]);
	}
	return error;
}

void installed_before(struct supervisor *s)
{
	const struct installer *ins = s->run->installer;
	const char *const *grants = policy_grants(s->run->policy, ROLE_INSTALLER, FILE_WRITE);
	char mark[NAME_MAX + 1];
	int64_t ns = s->run->started_ns;

	if (ins == NULL || ins->package_dirs.n == 0) {
		return;
	}
	state.looked = add_all(&ins->package_dirs, FOLDER_PACKAGES) == 0 && add_all(&ins->script_dirs, FOLDER_SCRIPTS) == 0 && add_all(&ins->data_dirs, FOLDER_OTHER) == 0;
	if (s->run->audit && state.looked) { /* pip may write anywhere */
		state.looked = view_add(&state.view, FOLDER_OTHER, ins->env.prefix) == 0 && (ins->env.user_base == NULL || view_add(&state.view, FOLDER_OTHER, ins->env.user_base) == 0);
	}
	for (; state.looked && grants != NULL && *grants != NULL; grants++) {
		state.looked = view_add(&state.view, FOLDER_OTHER, *grants) == 0;
	}
	for (size_t i = 0; i < state.view.n; i++) {
		state.view.v[i].flat = ins->target_dir != NULL && strcmp(state.view.v[i].path, ins->target_dir) == 0;
	}
	snprintf(mark, sizeof mark, MADE_HOLD "%s", s->run->dir->id);
	view_before(&state.view, (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}, mark);
}

/* --- findings ------------------------------------------------------------------------------------ */

static char *copy(const char *text, bool *failed)
{
	char *out = text != NULL ? strdup(text) : NULL;

	*failed |= text != NULL && out == NULL;
	return out;
}

/* Is it to be taken back?  A policy that allows the rule says that it is known, and then it is no more than that. */
static bool is_refused(struct verdict *v)
{
	if (v->action == ACTION_ALLOW) {
		v->severity = SEV_INFO;
		return false;
	}
	return v->action == ACTION_ABORT || v->severity == SEV_CRITICAL;
}

/* Of each distribution that is refused there is one. */
static bool has_room(const struct report *r, size_t same, bool refused)
{
	return refused ? r->told < 2 * FINDINGS_MAX || same == 0 : r->told < FINDINGS_MAX && same < OF_ONE_MAX;
}

/* Not to be written down, but its file goes like the others. */
static bool is_silent(const struct report *r, const struct kept *k, const struct finding *f)
{
	const struct kept *last = r->n > 0 ? &r->v[r->n - 1] : NULL;

	return k->taken && f->folder != NULL && f->path != NULL && (last == NULL || last->folder != f->folder || last->path == NULL || strcmp(last->path, f->path) != 0);
}

static void keep(void *context, const struct finding *f)
{
	struct report *r = context;
	struct kept k = {.verdict = policy_rule(r->s->run->policy, f->rule), .dist = f->dist, .folder = f->folder};
	size_t *same = f->dist != NULL ? &f->dist->told : &r->told_of_nobody;

	k.taken = is_refused(&k.verdict);
	if (k.taken && f->dist != NULL) {
		f->dist->take_back = true;
	}
	bool written = has_room(r, *same, k.taken);
	r->more += !written;
	if (!written && !is_silent(r, &k, f)) {
		return;
	}
	struct kept *grown = realloc(r->v, (r->n + 1) * sizeof *grown);
	if (grown == NULL) {
		r->failed = true;
		return;
	}
	r->v = grown;
	k.path = copy(f->path, &r->failed);
	if (written) {
		k.name = copy(f->name, &r->failed);
		k.why = copy(f->why, &r->failed);
		r->told++;
		(*same)++;
	}
	r->v[r->n++] = k;
}

static void record(struct report *r, const struct dist *d, struct event *ev)
{
	const struct event_package package = {.name = d != NULL ? d->name : NULL, .version = d != NULL ? d->version : NULL, .stage = "install"};
	struct sandbox by = *r->s->installer; /* whose package it was */

	by.package = &package;
	ev->type = "install.finding";
	ev->source = SRC_KERNEL;
	if (ev->verdict.action == ACTION_ABORT) { /* there is no run any more that could be ended */
		int none = 0;
		ev->verdict.action = ACTION_DENY;
		atomic_compare_exchange_strong(&r->s->abort_status, &none, r->s->run->audit ? 0 : 100);
	}
	supervisor_record(&by, 0, ev);
}

/* --- taking back --------------------------------------------------------------------------------- */

/* Each distribution's come one behind the other. */
static void stays(void *context, const struct dist *d, const char *path, const char *why)
{
	struct report *r = context;
	struct left *last = r->left_count > 0 ? &r->left[r->left_count - 1] : NULL, *grown;
	const struct dist *of = d->name != NULL ? d : NULL;
	bool again = last != NULL && last->dist == of;

	r->left_of_last = again ? r->left_of_last + 1 : 1;
	if (again && last->path == NULL) {
		last->more++;
		return;
	}
	grown = r->left_count < LEFT_MAX ? realloc(r->left, (r->left_count + 1) * sizeof *grown) : NULL;
	if (grown == NULL) {
		r->left_more++;
		return;
	}
	r->left = grown;
	grown[r->left_count] = (struct left){.dist = of, .why = why, .more = 1};
	if (r->left_of_last <= LEFT_OF_ONE_MAX) {
		grown[r->left_count].path = copy(path, &r->failed);
	}
	r->left_count++;
}

static void say_left(struct report *r, const struct left *one)
{
	char text[256];
	struct event ev = {.action = EV_ALLOWED, .verdict = policy_rule(r->s->run->policy, "install.left"), .target = {.path = one->path}, .detail = text};

	if (one->path != NULL) {
		snprintf(text, sizeof text, "it was to be taken back and stays: %s", one->why);
	} else {
		snprintf(text, sizeof text, "%zu more were to be taken back and stay", one->more);
	}
	record(r, one->dist, &ev);
}

static int make_quarantine(const struct supervisor *s, char path[PATH_MAX])
{
	path[0] = '\0';
	if (s->run->dir->state[0] == '\0') {
		return -1;
	}
	snprintf(path, PATH_MAX, "%.4000s/quarantine", s->run->dir->state);
	int fd = mkdir(path, 0700) == 0 ? open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0) {
		path[0] = '\0';
	}
	return fd;
}

static bool take_back(struct report *r, const struct judge *j, char quarantine[PATH_MAX])
{
	bool any = false;

	quarantine[0] = '\0';
	for (size_t i = 0; i < r->n; i++) {
		any |= r->v[i].taken;
	}
	for (size_t i = 0; i < r->dists.n; i++) {
		any |= r->dists.v[i].take_back;
	}
	if (!any || r->s->run->audit) {
		return false;
	}
	cleanup_fd int fd = make_quarantine(r->s, quarantine);
	struct takeback t = {.judge = j, .quarantine = fd, .hash_left = TAKEBACK_HASH_MAX, .stays = stays, .context = r};
	for (size_t i = 0; i < r->n; i++) {
		const struct kept *k = &r->v[i];
		if (k->taken && k->folder != NULL && k->path != NULL && strrchr(k->path, '/') != NULL) {
			takeback_file(&t, k->folder, strrchr(k->path, '/') + 1);
		}
	}
	takeback_dists(&t);
	return true;
}

/* --- the record ---------------------------------------------------------------------------------- */

/* Of a distribution as a whole: its RECORD. */
static bool is_gone(const struct kept *k)
{
	char path[PATH_MAX];
	const char *rest, *name;
	struct stat st;

	if (k->path != NULL) {
		snprintf(path, sizeof path, "%s", k->path);
	} else if (k->dist == NULL || snprintf(path, sizeof path, "%s/%s/RECORD", k->dist->folder->path, k->dist->info) >= (int)sizeof path) {
		return false;
	}
	const struct view_folder *f = view_holder(&state.view, path, &rest);
	cleanup_fd int parent = f != NULL && f->fd >= 0 ? beneath_parent(f->fd, rest, &name) : -EINVAL;
	if (parent < 0) {
		return parent == -ENOENT || parent == -ENOTDIR;
	}
	return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static void say_taken(const struct kept *k, const char *quarantine, char *out, size_t size)
{
	const char *older = k->dist != NULL && k->dist->older != NULL ? k->dist->older : "";

	snprintf(out, size, "%.300s; %s%s%s%.200s; to keep it: --policy with {\"actions\": {\"%s\": \"allow\"}}", k->why, quarantine[0] != '\0' ? "moved to " : "removed", quarantine,
	         older[0] != '\0' ? "; not brought back: " : "", older, k->verdict.rule);
}

static void write_down(struct report *r, const struct kept *k, const char *quarantine)
{
	char text[PATH_MAX + 600];
	bool audit = r->s->run->audit, back = k->taken || (k->dist != NULL && k->dist->take_back), goes = back && (audit || is_gone(k));
	struct event ev = {.action = goes ? EV_DENIED : EV_ALLOWED, .verdict = k->verdict, .target = {.path = k->path, .name = k->name}, .detail = text};

	if (k->taken && goes && !audit) {
		say_taken(k, quarantine, text, sizeof text);
	} else {
		const char *more = !back || audit ? "" : !goes ? "; it is still there" : strcmp(k->verdict.rule, "install.overlap") == 0
		                           ? "; taken back with its distribution, and the other one's is not there any more: reinstall that" : "; taken back with its distribution";
		snprintf(text, sizeof text, "%.300s%s", k->why, more);
	}
	record(r, k->dist, &ev);
}

/* What is refused comes first, then what stays of it. */
static void write_all(struct report *r, const char *quarantine)
{
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < r->n; i++) {
			if (r->v[i].why != NULL && r->v[i].taken == (turn == 0)) {
				write_down(r, &r->v[i], quarantine);
			}
		}
		for (size_t i = 0; turn == 0 && i < r->left_count; i++) {
			say_left(r, &r->left[i]);
		}
	}
	if (r->left_more > 0) {
		say_left(r, &(struct left){.more = r->left_more});
	}
}

static void report_finish(struct report *r)
{
	for (size_t i = 0; i < r->left_count; i++) {
		free(r->left[i].path);
	}
	free(r->left);
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].path);
		free(r->v[i].name);
		free(r->v[i].why);
	}
	free(r->v);
	dists_finish(&r->dists);
}

static void say_unread(struct report *r, const char *why)
{
	struct event ev = {.action = EV_ALLOWED, .verdict = policy_rule(r->s->run->policy, "install.unread"), .detail = why};

	record(r, NULL, &ev);
}

static const char *search_path(char *const *envp)
{
	for (; envp != NULL && *envp != NULL; envp++) {
		if (strncmp(*envp, "PATH=", 5) == 0) {
			return *envp + 5;
		}
	}
	return NULL;
}

static bool library_of(const struct python_env *env, char out[PATH_MAX])
{
	static const char *const folders[] = {"lib", "lib64"};
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		if (snprintf(out, PATH_MAX, "%s/%s/python%s", env->base_prefix, folders[i], env->version) < PATH_MAX && stat(out, &st) == 0) {
			return true;
		}
	}
	return false;
}

void installed_after(struct supervisor *s)
{
	const struct installer *ins = s->run->installer;
	char library[PATH_MAX], quarantine[PATH_MAX];
	struct report r = {.s = s};
	struct strings projects = {0};

	if (ins == NULL || s->installer == NULL || ins->package_dirs.n == 0) {
		return;
	}
	view_after(&state.view);
	for (size_t i = 0; i < ins->local_dirs.n; i++) {
		r.failed |= strings_add(&projects, ins->local_dirs.v[i]) < 0;
	}
	r.failed |= ins->src_dir != NULL && strings_add(&projects, ins->src_dir) < 0;
	struct judge j = {.view = &state.view, .dists = &r.dists, .library = library_of(&ins->env, library) ? library : NULL, .search = search_path(s->run->envp),
	                  .projects = (const char *const *)projects.v, .umask = s->run->umask, .found = keep, .context = &r};
	r.failed |= !state.looked || dists_read(&r.dists, &state.view) < 0;
	judge_all(&j);
	take_back(&r, &j, quarantine);
	write_all(&r, quarantine);
	if (r.failed) {
		say_unread(&r, "memory was short: what was installed is not judged as a whole");
	}
	if (r.more > 0) {
		say_unread(&r, "there is more of this kind than is written down");
	}
	report_finish(&r);
	strings_finish(&projects);
	view_finish(&state.view);
}
