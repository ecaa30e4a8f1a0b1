/* Which archives pip may read: those that the user named, not those that a package names (pip_boot.py holds pip to it).
 *
 * An entry is a file, a folder with all below it, or "FOLDER/" and a star for what lies directly in it. */
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

struct places {
	struct strings *list;
	const char *cwd, *home;
};

static void put_once(struct strings *list, const char *text)
{
	if (!strings_has(list, text)) {
		strings_put(list, text);
	}
}

/* As written and as it is: pip may use either. */
static void put_both(struct strings *list, const char *path, const char *end)
{
	cleanup_text char *written = inst_format("%s%s", path, end);
	cleanup_text char *resolved = realpath(path, NULL);
	cleanup_text char *real = resolved ? inst_format("%s%s", resolved, end) : NULL;

	put_once(list, written);
	if (real) {
		put_once(list, real);
	}
}

/* All below a folder; but whoever names the home directory, or what holds it, does not mean every archive in there. */
static void put_folder(const struct places *p, const char *dir)
{
	cleanup_text char *real = realpath(dir, NULL);
	cleanup_text char *real_home = realpath(p->home, NULL);
	bool holds_home = pathtext_below(p->home, dir) || (real && real_home && pathtext_below(real_home, real));

	put_both(p->list, !strcmp(dir, "/") ? "" : dir, holds_home ? "/*" : "");
}

/* The path of a file: URL or of a local path; NULL: neither. */
static char *local_path(const struct places *p, const char *value)
{
	cleanup_text char *expanded = NULL;
	char *where = NULL;

	if (!strncmp(value, "file:", 5)) {
		pip_requirement_kind(value, p->cwd, &where);
		return where;
	}
	if (strstr(value, "://") || !*value) {
		return NULL;
	}
	expanded = inst_path_expand_user(value, p->home);
	return inst_path_absolute(p->cwd, expanded);
}

/* A page names archives beside it. */
static void put_beside(const struct places *p, const char *file)
{
	cleanup_text char *dir = inst_path_dir(file);

	put_both(p->list, file, "");
	if (inst_ends(file, ".html") || inst_ends(file, ".htm")) {
		put_folder(p, dir);
	}
}

static void put_links(const struct places *p, const struct sourced_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		cleanup_text char *path = local_path(p, list->v[i].value);

		if (path && inst_path_is_dir(path)) {
			put_folder(p, path);
		} else if (path) {
			put_beside(p, path);
		}
	}
}

/* Pages of a local index name files of theirs, and of the folder above where the index is its `simple`, as mirrors lay it out. */
static void put_indexes(const struct places *p, const struct sourced_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		cleanup_text char *path = local_path(p, list->v[i].value);
		cleanup_text char *above = path ? inst_path_dir(path) : NULL;

		if (path) {
			put_folder(p, path);
		}
		if (path && !strcmp(inst_path_base(path), "simple")) {
			put_folder(p, above);
		}
	}
}

static void put_requirements(const struct places *p, const struct sourced_list *list, bool are_paths)
{
	for (size_t i = 0; i < list->n; i++) {
		cleanup_text char *where = NULL;
		enum requirement_kind kind = pip_requirement_kind(list->v[i].value, p->cwd, &where);

		if (kind == REQ_FILE) {
			put_both(p->list, where, "");
		} else if (are_paths) {
			cleanup_text char *path = inst_path_absolute(p->cwd, list->v[i].value);

			put_both(p->list, path, "");
		}
	}
}

void inst_archives_plan(struct installer *ins, const struct asked *a, const char *cwd, const char *home)
{
	const struct places p = { &ins->archives, cwd, home };
	const struct strings *environment[] = { &ins->env.site_dirs, &ins->env.write_dirs };

	if (ins->cache_dir) {
		put_both(p.list, ins->cache_dir, "");
	}
	/* pip moves what it uninstalls or replaces: that may be a package's own data. */
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < environment[k]->n; i++) {
			put_both(p.list, environment[k]->v[i], "");
		}
	}
	/* What lies in a download's folder already is looked at first. */
	for (size_t i = 0; i < ins->outputs.n; i++) {
		put_folder(&p, ins->outputs.v[i]);
	}
	put_requirements(&p, &a->positionals, !strcmp(ins->command, "hash"));
	put_links(&p, &a->find_links);
	put_indexes(&p, &a->scope.urls);
}
