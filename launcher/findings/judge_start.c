/* Start-up code that a run has brought. */
#include <cjson/cJSON.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beneath.h"
#include "direct_url.h"
#include "extensions.h"
#include "judge.h"
#include "launcher/base/pathtext.h"
#include "startup.h"

#define START_UP_MAX (1u << 20)
#define DIRECT_URL_MAX (64u << 10)
#define WORK_MAX (256u << 20) /* for all start-up files of a run, as extensions_spend counts */
/* Files of one folder; of a run (file, RECORD that names it), for each file is judged for each of them. */
enum { START_UPS_MAX = 500, PAIRS_MAX = 2000 };
enum { FILE_COST = 4096 /* of opening it */, PARSED_COST = 8 /* of a byte of JSON */ };

struct start_ups { /* of a run */
	const struct judge *j;
	struct extensions extensions;
	bool sorted;   /* they are */
	size_t pairs;  /* judged so far */
	uint64_t work; /* that is left; 0: nothing more is looked at */
};

struct start_up { /* one file: read once, however many name it */
	const struct view_folder *f; /* `site` runs it with this folder */
	const char *name;
	bool too_many, read, hashed;
	ssize_t len;   /* -errno: it cannot be read */
	char *text;
	unsigned char hash[RECORDED_HASH];
};

struct place { /* what a line of code is judged by */
	struct start_ups *all;
	const struct view_folder *f;
};

/* Named anywhere in this run, or as it lies there, whoever brought it and when.  Where memory is short it is one. */
static bool is_extension(const void *context, const char *module)
{
	const struct place *p = context;
	struct start_ups *all = p->all;
	const char *dot = strrchr(module, '.');

	if (!all->sorted) {
		if (extensions_read(&all->extensions, all->j->view, all->j->dists) < 0) {
			all->work = 0;
		}
		all->sorted = true;
	}
	return extensions_named(&all->extensions, dot != NULL ? dot + 1 : module) || extensions_lie(p->f, module, &all->work);
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
static bool is_editable(struct start_ups *all, const struct dist *d)
{
	const struct judge *j = all->j;
	char path[NAME_MAX + 24], folder[PATH_MAX], *text = NULL;
	ssize_t len;
	cJSON *root;
	bool is;

	if (j->projects == NULL || j->projects[0] == NULL || d == NULL) {
		return j->projects != NULL && j->projects[0] != NULL; /* `setup.py develop`, which develop.c has judged */
	}
	snprintf(path, sizeof path, "%s/direct_url.json", d->info);
	len = beneath_text(d->folder->fd, path, DIRECT_URL_MAX, &text);
	extensions_spend(&all->work, FILE_COST + (len > 0 ? PARSED_COST * (uint64_t)len : 0));
	root = len >= 0 ? cJSON_Parse(text) : NULL;
	is = direct_url_editable(root, folder) && is_project(j, folder);
	cJSON_Delete(root);
	free(text);
	return is;
}

static void read_start_up(struct start_ups *all, struct start_up *file)
{
	if (!file->read) {
		file->read = true;
		file->len = beneath_text(file->f->fd, file->name, START_UP_MAX, &file->text);
		extensions_spend(&all->work, FILE_COST + (file->len > 0 ? (uint64_t)file->len : 0));
	}
}

static struct startup judge_start_up(struct start_ups *all, struct start_up *file, const struct dist *d)
{
	struct startup s = {.level = STARTUP_HOSTILE, .why = "every Python of this environment imports it when it starts"};
	const struct place place = {.all = all, .f = file->f};

	read_start_up(all, file);
	if (!startup_is_pth(file->name)) {
		return s;
	}
	if (file->len < 0) {
		s.why = "it is no file that can be read, or too large for one";
		return s;
	}
	extensions_spend(&all->work, (uint64_t)file->len);
	return startup_pth(file->text, (size_t)file->len,
	                   &(struct startup_of){.dist = d != NULL ? d->normal : "", .editable = is_editable(all, d), .is_extension = is_extension, .context = &place});
}

/* What a RECORD says of the file that was judged. */
static void check_hash(struct start_ups *all, struct start_up *file, const char *path, const struct named *n)
{
	const struct judge *j = all->j;

	if (n == NULL || strcmp(n->line->path, file->name) != 0 || !n->line->sha256 || file->len < 0) {
		return;
	}
	if (!file->hashed) {
		SHA2_CTX ctx;
		SHA256Init(&ctx);
		SHA256Update(&ctx, (const uint8_t *)file->text, (size_t)file->len);
		SHA256Final(file->hash, &ctx);
		file->hashed = true;
		extensions_spend(&all->work, (uint64_t)file->len);
	}
	if (memcmp(file->hash, n->line->hash, sizeof file->hash) != 0) {
		j->found(j->context, &(struct finding){.rule = "install.record.hash", .path = path, .why = "it is another file than its RECORD says", .dist = n->dist});
	}
}

/* cut: it may be named by a RECORD that was not read to its end. */
static void judge_one_start_up(struct start_ups *all, struct start_up *file, const struct named *n, bool cut)
{
	static const char *const rules[] = {[STARTUP_PATHS] = NULL, [STARTUP_KNOWN] = "install.pth.known", [STARTUP_OUTSIDE] = "install.pth.path",
	                                    [STARTUP_CODE] = "install.pth.code", [STARTUP_HOSTILE] = "install.pth.hostile"};
	const struct judge *j = all->j;
	struct dist *d = n != NULL ? n->dist : NULL;
	struct startup s = {0};
	char path[PATH_MAX], why[320];
	bool unread = cut || file->too_many || all->pairs++ >= PAIRS_MAX || all->work == 0;

	if (!unread) {
		s = judge_start_up(all, file, d);
		unread = all->work == 0; /* not to its end */
	}
	if (unread) {
		s = (struct startup){.level = STARTUP_HOSTILE, .why = "it came with more than is looked at"};
	}
	const char *rule = startup_is_pth(file->name) ? rules[s.level] : "install.customize";
	if (rule == NULL || !recorded_resolve(file->f->path, file->name, path)) {
		return;
	}
	snprintf(why, sizeof why, "%s%s%s", s.why, s.module[0] != '\0' ? "; it imports " : "", s.module);
	j->found(j->context, &(struct finding){.rule = rule, .path = path, .name = s.module[0] != '\0' ? s.module : NULL, .why = why, .dist = d, .folder = file->f});
	if (!unread) {
		check_hash(all, file, path, n);
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
static void judge_of_all(struct start_ups *all, const struct view_folder *f, const char *name, bool too_many)
{
	const struct dists *dists = all->j->dists;
	const struct named *n = dists_find(dists, f, name), *end = dists->index + dists->named;
	struct start_up file = {.f = f, .name = name, .too_many = too_many};

	if (n == NULL) {
		const struct named *below = dists_below(dists, f, name);
		judge_one_start_up(all, &file, below, !too_many && below == NULL && is_cut(dists, f));
	}
	for (const struct dist *last = NULL; n != NULL && n < end && n->folder == f && strcmp(n->line->path, name) == 0; n++) {
		if (n->dist != last) {
			judge_one_start_up(all, &file, n, false);
		}
		last = n->dist;
	}
	free(file.text);
}

static void judge_folder(struct start_ups *all, const struct view_folder *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->after.n; i++) {
		const struct view_entry *e = &f->after.v[i];
		if ((startup_is_pth(e->name) || startup_is_customize(e->name)) && view_is_new(f, e)) {
			judge_of_all(all, f, e->name, n++ >= START_UPS_MAX);
		}
	}
}

void judge_start_ups(const struct judge *j)
{
	struct start_ups all = {.j = j, .work = WORK_MAX};

	for (size_t i = 0; i < j->view->n; i++) {
		if (j->view->v[i].kind == FOLDER_PACKAGES) {
			judge_folder(&all, &j->view->v[i]);
		}
	}
	extensions_finish(&all.extensions);
}
