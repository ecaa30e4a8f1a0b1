/* What pip may write of an environment, and what a build may read of it: the install scheme's folders, never a prefix itself. */
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

/* Subfolders of `share` that hold data and start nothing.  Left out on purpose: applications, autostart, systemd, dbus-1, shell completions,
 * keyrings, extensions of desktops and editors, and other programs' own stores: a list of what is good cannot forget one. */
static const char *const share_data[] = { "man",   "doc",  "jupyter",  "locale", "licenses", "icons",         "info",
	                                  "fonts", "mime", "metainfo", "pixmaps", "gir-1.0", "python-wheels" };

static void grant(struct python_env *env, const char *dir)
{
	/* What the user could not write anyway needs no rule. */
	if (strings_has(&env->write_dirs, dir) || !inst_path_can_make(dir)) {
		return;
	}
	strings_put(&env->write_dirs, dir);
	if (!inst_path_is_dir(dir)) {
		strings_put(&env->make_dirs, dir);
	}
}

static void grant_name(struct python_env *env, const char *base, const char *name)
{
	cleanup_text char *dir = inst_path_join(base, name);

	grant(env, dir);
}

static void grant_share(struct python_env *env, const char *base)
{
	cleanup_text char *share = inst_path_join(base, "share");

	for (size_t i = 0; i < sizeof(share_data) / sizeof(*share_data); i++) {
		grant_name(env, share, share_data[i]);
	}
}

static void grant_data(struct python_env *env, const char *base)
{
	grant_name(env, base, "etc");
	grant_name(env, base, "man");
	/* A prefix that the system or the whole account lives in has a `share` that starts things; a venv's has not. */
	if (pathtext_below(base, "/usr")) {
		grant_share(env, base);
	} else {
		grant_name(env, base, "share");
		grant_name(env, base, "include");
	}
}

static void grant_scheme(struct python_env *env, const char *base, const char *packages)
{
	cleanup_text char *pure = inst_format("%s/lib/python%s/%s", base, env->version, packages);
	cleanup_text char *plat = inst_format("%s/lib64/python%s/%s", base, env->version, packages);
	cleanup_text char *plat_above = inst_path_dir(plat);
	cleanup_text char *headers = inst_format("%s/include/python%s", base, env->version);

	grant(env, pure);
	if (inst_path_is_dir(plat_above)) {
		grant(env, plat);
	}
	grant_name(env, base, "bin");
	grant(env, headers);
}

void python_env_writes(struct python_env *env)
{
	if (env->venv) {
		grant_scheme(env, env->prefix, "site-packages");
		grant_data(env, env->prefix);
	} else if (!strcmp(env->prefix, "/usr")) {
		/* Debian's and Fedora's pip install below /usr/local; others (Arch, Alpine) into /usr's own scheme, data excepted. */
		grant_scheme(env, "/usr/local", env->debian ? "dist-packages" : "site-packages");
		grant_data(env, "/usr/local");
		if (env->debian) {
			/* Debian's scheme puts headers, and nothing else, where the distribution has its own. */
			cleanup_text char *headers = inst_format("/usr/include/python%s", env->version);

			grant(env, headers);
		} else {
			grant_scheme(env, "/usr", "site-packages");
		}
	} else {
		grant_scheme(env, env->prefix, "site-packages");
		grant_data(env, env->prefix);
	}
	if (env->user_base) {
		grant_scheme(env, env->user_base, "site-packages");
		grant_name(env, env->user_base, "etc");
		grant_share(env, env->user_base);
	}
}

bool python_env_scheme(const struct python_env *env, bool user, char **packages, char **scripts)
{
	bool shared = !user && !env->venv && !strcmp(env->prefix, "/usr");
	cleanup_text char *local = inst_format("/usr/local/lib/python%s/site-packages", env->version);
	/* Fedora's Python comes with that folder and installs there; Arch's and Alpine's install into /usr's own. */
	const char *base = user ? env->user_base : shared && (env->debian || inst_path_is_dir(local)) ? "/usr/local" : env->prefix;

	*packages = *scripts = NULL;
	if (base) {
		*packages = inst_format("%s/lib/python%s/%s", base, env->version, shared && env->debian ? "dist-packages" : "site-packages");
		*scripts = inst_path_join(base, "bin");
	}
	return base && strings_has(&env->write_dirs, *packages) && strings_has(&env->write_dirs, *scripts);
}

/* A link of the environment that leads out of it (share -> ~/.ssh: an untrusted checkout brings its own environment) grants nothing. */
static bool stays_inside(const char *dir, const char *base)
{
	cleanup_text char *real = realpath(dir, NULL);
	cleanup_text char *root = realpath(base, NULL);

	return real && root && (pathtext_below(real, root) || pathtext_below(real, "/usr"));
}

static void read_folders(struct python_env *env, const char *base, const char *const names[])
{
	for (; *names; names++) {
		cleanup_text char *dir = inst_path_join(base, *names);

		if (inst_path_is_dir(dir) && stays_inside(dir, base) && !strings_has(&env->read_dirs, dir)) {
			strings_put(&env->read_dirs, dir);
		}
	}
}

void python_env_grants(struct python_env *env)
{
	static const char *const all[] = { "bin", "lib", "lib64", "include", "share", NULL };
	static const char *const user[] = { "bin", "lib", NULL };
	cleanup_text char *real_bin = inst_path_dir(env->interpreter_real);

	read_folders(env, env->prefix, all);
	read_folders(env, env->base_prefix, all);
	if (!strings_has(&env->read_dirs, real_bin)) {
		strings_put(&env->read_dirs, real_bin);
	}
	if (env->user_base) {
		read_folders(env, env->user_base, user);
	}
}

void python_env_narrow(struct python_env *env, bool writes, bool user)
{
	if (!writes) {
		strings_finish(&env->write_dirs);
		strings_finish(&env->make_dirs);
		return;
	}
	/* What exists of the user scheme stays, for an upgrade may remove an older version from there; nothing new is made in it. */
	for (size_t i = 0; !user && env->user_base && i < env->make_dirs.n;) {
		cleanup_text char *dir = inst_dup(env->make_dirs.v[i]);

		if (pathtext_below(dir, env->user_base)) {
			strings_remove(&env->write_dirs, dir);
			strings_remove(&env->make_dirs, dir);
		} else {
			i++;
		}
	}
}
