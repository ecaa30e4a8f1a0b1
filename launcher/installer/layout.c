/* A Python environment read from its files, as getpath and site compute it, without starting anything. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

struct cfg {
	char *home, *version;
	bool system_site;
};

bool inst_name_version(const char *name, char *out, size_t size)
{
	unsigned major, minor;
	char rest;

	if (sscanf(name, "python%1u.%2u%c", &major, &minor, &rest) != 2 || major != 3) {
		return false;
	}
	snprintf(out, size, "%u.%u", major, minor);
	return true;
}

static void read_cfg_line(struct cfg *cfg, char *line)
{
	char *equals = strchr(line, '='), *key, *value;

	if (!equals) {
		return;
	}
	*equals = '\0';
	key = inst_strip(line);
	value = inst_strip(equals + 1);
	if (!strcasecmp(key, "home")) {
		inst_set(&cfg->home, inst_dup(value));
	} else if (!strcasecmp(key, "version") || !strcasecmp(key, "version_info")) {
		inst_set(&cfg->version, inst_dup(value));
	} else if (!strcasecmp(key, "include-system-site-packages")) {
		cfg->system_site = !strcasecmp(value, "true");
	}
}

static bool read_cfg(const char *path, struct cfg *cfg)
{
	cleanup_text char *text = inst_file_text(path, 64 << 10, NULL);
	char *save = NULL;

	if (!text) {
		return false;
	}
	for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		read_cfg_line(cfg, line);
	}
	return true;
}

/* "lib" or "lib64": where prefix has its standard library of this version; NULL: it has none. */
static const char *library_folder(const char *prefix, const char *version)
{
	static const char *const folders[] = { "lib", "lib64" };

	for (size_t i = 0; i < 2; i++) {
		cleanup_text char *mark = inst_format("%s/%s/python%s/os.py", prefix, folders[i], version);

		if (inst_path_is_file(mark)) {
			return folders[i];
		}
	}
	return NULL;
}

/* The one version that prefix holds; where there are several none is chosen. */
static bool scan_version(const char *prefix, char *out, size_t size)
{
	cleanup_text char *folder = inst_path_join(prefix, "lib");
	DIR *d = opendir(folder);
	struct dirent *entry;
	unsigned found = 0;

	while (d && (entry = readdir(d))) {
		char one[16];

		if (inst_name_version(entry->d_name, one, sizeof(one))) {
			found++;
			snprintf(out, size, "%s", one);
		}
	}
	if (d) {
		closedir(d);
	}
	return found == 1;
}

static bool find_version(struct python_env *env, const struct cfg *cfg)
{
	char text[16];
	unsigned major, minor;

	if (inst_name_version(inst_path_base(env->interpreter_real), text, sizeof(text))) {
		/* the interpreter's own name says it */
	} else if (cfg->version && sscanf(cfg->version, "%1u.%2u", &major, &minor) == 2) {
		snprintf(text, sizeof(text), "%u.%u", major, minor);
	} else {
		cleanup_text char *bin = inst_path_dir(env->interpreter_real);
		cleanup_text char *prefix = inst_path_dir(bin);

		if (!scan_version(prefix, text, sizeof(text))) {
			return false;
		}
	}
	inst_set(&env->version, inst_dup(text));
	return true;
}

/* Upwards from the interpreter's folder to what holds the library. */
static bool find_base(struct python_env *env, const char *bin)
{
	cleanup_text char *at = inst_dup(bin);

	for (;;) {
		if (library_folder(at, env->version)) {
			inst_set(&env->base_prefix, inst_dup(at));
			return true;
		}
		if (!strcmp(at, "/") || !strcmp(at, ".")) {
			return false;
		}
		inst_set(&at, inst_path_dir(at));
	}
}

static bool has_flag(const struct strings *flags, const char *letters)
{
	for (size_t i = 0; i < flags->n; i++) {
		const char *flag = flags->v[i];

		if (flag[0] != '-') {
			continue;
		}
		for (const char *c = flag + 1; *c && *c != 'W' && *c != 'X'; c++) {
			if (strchr(letters, *c)) {
				return true;
			}
		}
	}
	return false;
}

static void add_site(struct python_env *env, const char *dir)
{
	if (inst_path_is_dir(dir) && !strings_has(&env->site_dirs, dir)) {
		strings_put(&env->site_dirs, dir);
	}
}

/* What site.getsitepackages names for one prefix. */
static void add_prefix_sites(struct python_env *env, const char *prefix, bool is_venv)
{
	const char *lib = library_folder(env->base_prefix, env->version);

	if (env->debian && !is_venv) {
		cleanup_text char *local = inst_format("%s/local/lib/python%s/dist-packages", prefix, env->version);
		cleanup_text char *shared = inst_format("%s/lib/python3/dist-packages", prefix);
		cleanup_text char *own = inst_format("%s/lib/python%s/dist-packages", prefix, env->version);

		add_site(env, local);
		add_site(env, shared);
		add_site(env, own);
		return;
	}
	if (lib && !strcmp(lib, "lib64")) {
		cleanup_text char *arch = inst_format("%s/lib64/python%s/site-packages", prefix, env->version);

		add_site(env, arch);
	}
	{
		cleanup_text char *pure = inst_format("%s/lib/python%s/site-packages", prefix, env->version);

		add_site(env, pure);
	}
}

static char *user_base_of(const struct python_env *env, char *const envp[], const char *home, bool system_site)
{
	bool ignore = has_flag(&env->interpreter_flags, "EI");
	const char *off = ignore ? NULL : inst_env(envp, "PYTHONNOUSERSITE");
	const char *base = ignore ? NULL : inst_env(envp, "PYTHONUSERBASE");

	if ((env->venv && !system_site) || has_flag(&env->interpreter_flags, "sI") || (off && *off)) {
		return NULL;
	}
	if (base && *base) {
		cleanup_text char *expanded = inst_path_expand_user(base, home);

		return expanded[0] == '/' ? inst_path_absolute("/", expanded) : NULL;
	}
	return inst_path_join(home, ".local");
}

static void read_sites(struct python_env *env, bool system_site)
{
	if (env->venv) {
		add_prefix_sites(env, env->prefix, true);
	}
	if (env->user_base) {
		cleanup_text char *user = inst_format("%s/lib/python%s/site-packages", env->user_base, env->version);

		add_site(env, user);
	}
	if (!env->venv || system_site) {
		add_prefix_sites(env, env->base_prefix, false);
	}
}

static bool read_prefixes(struct python_env *env, struct cfg *cfg)
{
	cleanup_text char *bin = inst_path_dir(env->interpreter);
	cleanup_text char *above = inst_path_dir(bin);
	cleanup_text char *real_bin = inst_path_dir(env->interpreter_real);
	cleanup_text char *near = inst_path_join(bin, "pyvenv.cfg");
	cleanup_text char *far = inst_path_join(above, "pyvenv.cfg");

	env->venv = read_cfg(near, cfg) || read_cfg(far, cfg);
	if (!find_version(env, cfg)) {
		return false;
	}
	if (env->venv) {
		strings_put(&env->read_files, inst_path_is_file(near) ? near : far);
		inst_set(&env->prefix, inst_dup(above));
	}
	if (!(env->venv && cfg->home && find_base(env, cfg->home)) && !find_base(env, real_bin)) {
		return false;
	}
	if (!env->venv) {
		inst_set(&env->prefix, inst_dup(env->base_prefix));
	}
	return true;
}

bool python_env_read(struct python_env *env, char *const envp[], const char *home)
{
	struct cfg cfg = { 0 };
	bool ok = false;

	inst_set(&env->interpreter_real, realpath(env->interpreter, NULL));
	if (env->interpreter_real && read_prefixes(env, &cfg)) {
		cleanup_text char *shared = inst_path_join(env->base_prefix, "lib/python3/dist-packages");

		env->debian = !strcmp(env->base_prefix, "/usr") && inst_path_is_dir(shared);
		inst_set(&env->user_base, user_base_of(env, envp, home, cfg.system_site));
		read_sites(env, cfg.system_site);
		python_env_grants(env);
		ok = true;
	}
	free(cfg.home);
	free(cfg.version);
	return ok;
}

bool python_env_of_interpreter(const char *interpreter, char *const envp[], const char *home, struct python_env *out)
{
	*out = (struct python_env){ .interpreter = inst_path_absolute("/", interpreter) };
	if (interpreter[0] == '/' && python_env_read(out, envp, home)) {
		return true;
	}
	python_env_finish(out);
	return false;
}

bool python_env_of_script(const char *script, char *const envp[], const char *home, struct python_env *out)
{
	/* The command may be a large program: its first lines suffice. */
	size_t len = 0;
	cleanup_text char *text = inst_file_head(script, 4096, &len);
	cleanup_text char *found = NULL;
	struct shebang bang;
	bool ok;

	*out = (struct python_env){ 0 };
	if (!text || !inst_shebang_parse(text, len, &bang)) {
		return false;
	}
	ok = inst_starts(inst_path_base(bang.interpreter), "python");
	if (ok && bang.by_path) {
		found = inst_search_path(bang.interpreter, envp, NULL);
	} else if (ok) {
		found = inst_dup(bang.interpreter);
	}
	ok = found && found[0] == '/';
	if (ok) {
		*out = (struct python_env){ .interpreter = inst_path_absolute("/", found), .interpreter_flags = bang.flags };
		bang.flags = (struct strings){ 0 };
		ok = python_env_read(out, envp, home);
	}
	inst_shebang_finish(&bang);
	if (!ok) {
		python_env_finish(out);
	}
	return ok;
}

void python_env_finish(struct python_env *env)
{
	free(env->interpreter);
	free(env->interpreter_real);
	free(env->prefix);
	free(env->base_prefix);
	free(env->version);
	free(env->user_base);
	strings_finish(&env->interpreter_flags);
	strings_finish(&env->site_dirs);
	strings_finish(&env->write_dirs);
	strings_finish(&env->make_dirs);
	strings_finish(&env->read_dirs);
	strings_finish(&env->read_files);
	*env = (struct python_env){ 0 };
}
