/* Where this command installs packages and scripts: the folders of the install scheme that it may choose, whether they are there yet or not. */
#include <string.h>

#include "launcher/installer/parts.h"

static void add(struct strings *list, const char *path)
{
	if (!strings_has(list, path)) {
		strings_put(list, path);
	}
}

static void sort_into(struct installer *ins, const char *dir)
{
	if (inst_ends(dir, "/site-packages") || inst_ends(dir, "/dist-packages")) {
		add(&ins->package_dirs, dir);
	} else if (inst_ends(dir, "/bin")) {
		add(&ins->script_dirs, dir);
	} else {
		add(&ins->data_dirs, dir);
	}
}

/* --prefix: the schemes of the interpreter's own and of Debian's. */
static void add_prefix(struct installer *ins, const char *prefix)
{
	static const char *const folders[] = { "lib/python%s/site-packages", "lib64/python%s/site-packages", "lib/python%s/dist-packages", "local/lib/python%s/dist-packages" };
	static const char *const scripts[] = { "bin", "local/bin" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		const char *mark = strstr(folders[i], "%s");
		cleanup_text char *dir = inst_format("%s/%.*s%s%s", prefix, (int)(mark - folders[i]), folders[i], ins->env.version, mark + 2);

		sort_into(ins, dir);
	}
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		cleanup_text char *dir = inst_path_join(prefix, scripts[i]);

		sort_into(ins, dir);
	}
	add(&ins->data_dirs, prefix);
}

static char *named(const struct asked *a, enum option_id id, const char *cwd, const char *home)
{
	const char *value = a->single[id].value;
	cleanup_text char *expanded = value && *value ? inst_path_expand_user(value, home) : NULL;

	return expanded ? inst_path_absolute(cwd, expanded) : NULL;
}

void inst_schemes_plan(struct installer *ins, const struct asked *a, const char *cwd, const char *home)
{
	cleanup_text char *target = named(a, OPT_TARGET, cwd, home);
	cleanup_text char *prefix = named(a, OPT_PREFIX, cwd, home);
	cleanup_text char *root = named(a, OPT_ROOT, cwd, home);
	size_t own;

	for (size_t i = 0; i < ins->env.write_dirs.n; i++) {
		sort_into(ins, ins->env.write_dirs.v[i]);
	}
	if (prefix) {
		add_prefix(ins, prefix);
	}
	own = root ? ins->package_dirs.n : 0;
	for (size_t i = 0; i < own; i++) {
		cleanup_text char *dir = inst_format("%s%s", root, ins->package_dirs.v[i]);

		add(&ins->package_dirs, dir);
	}
	own = root ? ins->script_dirs.n : 0;
	for (size_t i = 0; i < own; i++) {
		cleanup_text char *dir = inst_format("%s%s", root, ins->script_dirs.v[i]);

		add(&ins->script_dirs, dir);
	}
	if (root) {
		add(&ins->data_dirs, root);
	}
	if (target) {
		cleanup_text char *scripts = inst_path_join(target, "bin");

		inst_set(&ins->target_dir, inst_dup(target));
		add(&ins->package_dirs, target);
		add(&ins->script_dirs, scripts);
	}
}
