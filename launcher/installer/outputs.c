/* Where the command line has pip write, and pip's cache. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "launcher/installer/parts.h"

static int add_output(struct installer *ins, const struct policy *p, const char *path, const char *where, struct installer_error *err)
{
	cleanup_text char *real = realpath(path, NULL);
	const char *what = NULL;

	/* Both as written and as it is: a link to the home directory is the home directory. */
	if (policy_grant_conflict(p, path, FILE_WRITE, &what) || (real && policy_grant_conflict(p, real, FILE_WRITE, &what))) {
		return inst_fail(err, 125, "%s: writing %s cannot be allowed, for it is, contains or lies in a protected place (%s): name another folder", where,
			    path, what ? what : "?");
	}
	if (!strings_has(&ins->outputs, path)) {
		strings_put(&ins->outputs, path);
	}
	return 0;
}

static int add_named(struct installer *ins, const struct policy *p, const struct sourced *one, const char *cwd, const char *home,
                     struct installer_error *err)
{
	cleanup_text char *expanded = NULL;
	cleanup_text char *path = NULL;

	if (!one->value || !*one->value || !strcmp(one->value, "-")) {
		return 0;
	}
	expanded = inst_path_expand_user(one->value, home);
	path = inst_path_absolute(cwd, expanded);
	return add_output(ins, p, path, one->where, err);
}

static bool owned_as_pip_wants(const char *path)
{
	cleanup_text char *at = inst_dup(path);
	struct stat st;

	while (lstat(at, &st)) {
		if (!strcmp(at, "/")) {
			return false;
		}
		inst_set(&at, inst_path_dir(at));
	}
	/* pip's check_path_owner: root must own it, anybody else must be able to write it. */
	return geteuid() == 0 ? !stat(at, &st) && st.st_uid == 0 : !access(at, W_OK);
}

static int plan_cache(struct installer *ins, const struct asked *a, const struct policy *p, char *const envp[], const char *cwd, const char *home,
                      struct installer_error *err)
{
	const struct sourced *named = &a->single[OPT_CACHE_DIR];
	const char *xdg = inst_env(envp, "XDG_CACHE_HOME");
	cleanup_text char *written = NULL;
	cleanup_text char *path = NULL;

	if (a->flag[OPT_NO_CACHE_DIR]) {
		return 0;
	}
	if (named->value) {
		written = inst_path_expand_user(named->value, home);
	} else if (xdg && *xdg) {
		written = inst_path_join(xdg, "pip");
	} else {
		written = inst_path_join(home, ".cache/pip");
	}
	path = inst_path_absolute(cwd, written);
	if (!owned_as_pip_wants(path)) {
		return 0;
	}
	if (named->value && add_output(ins, p, path, named->where, err)) {
		return -1;
	}
	inst_set(&ins->cache_dir, inst_dup(path));
	return 0;
}

/* The file that `pip config set` or `unset` writes, and for the user's its folder. */
static int plan_config(struct installer *ins, const struct asked *a, const struct policy *p, char *const envp[], const char *home,
                       struct installer_error *err)
{
	cleanup_text char *site = inst_path_join(ins->env.prefix, "pip.conf");
	cleanup_text char *user = pip_config_dir(ins->pip_version, envp, home);
	const char *action = a->positionals.n ? a->positionals.v[0].value : "";

	if (strcmp(action, "set") && strcmp(action, "unset")) {
		return 0;
	}
	if (a->flag[OPT_GLOBAL]) {
		strings_put(&ins->output_files, "/etc/pip.conf");
		return add_output(ins, p, "/etc/pip.conf", "--global", err);
	}
	if (a->flag[OPT_SITE] || (!a->flag[OPT_USER] && inst_path_is_file(site))) {
		return inst_path_is_file(site) ? add_output(ins, p, site, "--site", err) :
		                            inst_fail(err, 125, "%s: does not exist, and the environment's own folder is not opened for it: make the file first",
		                                 site);
	}
	strings_put(&ins->outputs, user); /* pip's own folder, by the role's rule: not asked for by an option */
	return 0;
}

/* Where editable requirements are checked out: pip's own default is below a virtual environment, else below the working directory. */
static int plan_src(struct installer *ins, const struct asked *a, const struct policy *p, const char *cwd, const char *home, struct installer_error *err)
{
	const struct sourced *named = &a->single[OPT_SRC];
	cleanup_text char *expanded = named->value ? inst_path_expand_user(named->value, home) : inst_path_join(ins->env.venv ? ins->env.prefix : cwd, "src");

	if (!inst_vcs_editable(a, cwd)) {
		return 0;
	}
	inst_set(&ins->src_dir, inst_path_absolute(cwd, expanded));
	return add_output(ins, p, ins->src_dir, named->value ? named->where : "-e of a requirement from version control", err);
}

int inst_outputs_plan(struct installer *ins, const struct asked *a, const struct policy *p, char *const envp[], const char *cwd, const char *home,
                 struct installer_error *err)
{
	static const enum option_id folders[] = { OPT_DEST, OPT_WHEEL_DIR, OPT_TARGET, OPT_PREFIX, OPT_ROOT, OPT_SRC };
	static const enum option_id files[] = { OPT_REPORT, OPT_OUTPUT };
	const char *command = ins->command;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (add_named(ins, p, &a->single[folders[i]], cwd, home, err)) {
			return -1;
		}
	}
	if ((pip_command_bit(command) & (CMD_INSTALL | CMD_DOWNLOAD | CMD_WHEEL | CMD_LOCK)) && plan_src(ins, a, p, cwd, home, err)) {
		return -1;
	}
	size_t folder_count = ins->outputs.n;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (add_named(ins, p, &a->single[files[i]], cwd, home, err)) {
			return -1;
		}
	}
	for (size_t i = 0; i < a->logs.n; i++) {
		if (add_named(ins, p, &a->logs.v[i], cwd, home, err)) {
			return -1;
		}
	}
	for (size_t i = folder_count; i < ins->outputs.n; i++) {
		strings_put(&ins->output_files, ins->outputs.v[i]);
	}
	if ((!strcmp(command, "download") && !a->single[OPT_DEST].value) || (!strcmp(command, "wheel") && !a->single[OPT_WHEEL_DIR].value)) {
		if (add_output(ins, p, cwd, !strcmp(command, "wheel") ? "pip wheel without -w" : "pip download without -d", err)) {
			return -1;
		}
	}
	if (!strcmp(command, "lock") && !a->single[OPT_OUTPUT].value) {
		cleanup_text char *file = inst_path_join(cwd, "pylock.toml");

		if (add_output(ins, p, file, "pip lock", err)) {
			return -1;
		}
		strings_put(&ins->output_files, file);
	}
	if (!strcmp(command, "config") && plan_config(ins, a, p, envp, home, err)) {
		return -1;
	}
	return plan_cache(ins, a, p, envp, cwd, home, err);
}
