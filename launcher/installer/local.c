/* The local folders that the user names to be built: `.`, `-e .`, file: URLs, and those of the requirement files that the command line names.
 * Never those that a package's metadata names: a build gets its folder only when it is one of these (supervise/roles.c). */
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

/* A URL's `#subdirectory=x`: where in the folder the project lies.  NULL: nowhere else. */
static char *subdirectory(const char *value)
{
	const char *at = strchr(value, '#');

	for (at = at ? at + 1 : NULL; at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
		if (inst_starts(at, "subdirectory=")) {
			at += strlen("subdirectory=");
			return inst_dup_n(at, strcspn(at, "& \t;"));
		}
	}
	return NULL;
}

/* `-e` takes a folder's bare name, too. */
static char *bare_folder(const char *value, const char *cwd)
{
	cleanup_text char *bare = inst_dup_n(value, strcspn(value, "["));
	char *path = inst_path_absolute(cwd, bare);

	if (!inst_path_is_dir(path)) {
		inst_set(&path, NULL);
	}
	return path;
}

static char *folder_of(const struct sourced *one, const char *cwd, bool editable)
{
	char *where = NULL;

	if (pip_requirement_kind(one->value, cwd, &where) != REQ_DIRECTORY) {
		inst_set(&where, editable ? bare_folder(one->value, cwd) : NULL);
	}
	return where;
}

static int add(struct installer *ins, const struct policy *p, const struct sourced *one, const char *folder, struct installer_error *err)
{
	cleanup_text char *below = subdirectory(one->value);
	cleanup_text char *named = below ? inst_path_join(folder, below) : inst_dup(folder);
	cleanup_text char *root = realpath(folder, NULL);
	cleanup_text char *project = realpath(named, NULL);
	const char *what;

	if (!root || !project) {
		return 0; /* pip says so itself */
	}
	if (policy_tree_conflict(p, root, &what)) {
		return inst_fail(err, 125, "%s: %s would be built in place, and it is, holds or lies in a protected place (%s): move the project into a folder of its own",
			    one->where, root, what);
	}
	if (!pathtext_below(project, root)) {
		return inst_fail(err, 125, "%s: the subdirectory %s leads out of %s", one->where, below, root);
	}
	if (!strings_has(&ins->local_dirs, project)) {
		strings_put(&ins->local_dirs, project);
		strings_put(&ins->local_roots, root);
	}
	return 0;
}

int inst_local_plan(struct installer *ins, const struct asked *a, const struct policy *p, const char *cwd, struct installer_error *err)
{
	for (size_t i = 0; i < a->editables.n + a->positionals.n; i++) {
		bool editable = i < a->editables.n;
		const struct sourced *one = editable ? &a->editables.v[i] : &a->positionals.v[i - a->editables.n];
		cleanup_text char *folder = folder_of(one, cwd, editable);

		if (folder && inst_path_is_dir(folder) && add(ins, p, one, folder, err)) {
			return -1;
		}
	}
	return 0;
}
