/* The shims of version managers: small scripts in a folder of PATH that stand for the real file of the version that is chosen. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

char *inst_search_path(const char *name, char *const envp[], const char *skip)
{
	const char *at = inst_env(envp, "PATH");
	int result = ENOENT;

	/* Without a PATH execvp takes the C library's own. */
	for (at = at ? at : "/bin:/usr/bin";;) {
		size_t len = strcspn(at, ":");
		cleanup_text char *dir = inst_dup_n(at, len);
		cleanup_text char *path = len ? inst_path_join(dir, name) : inst_dup(name);

		if (skip && !strcmp(dir, skip)) {
			/* left out */
		} else if (inst_path_is_file(path) && !access(path, X_OK)) {
			return len ? inst_dup(path) : inst_format("./%s", name);
		} else if (!access(path, F_OK) || errno == EACCES) {
			result = EACCES;
		}
		if (!at[len]) {
			errno = result;
			return NULL;
		}
		at += len + 1;
	}
}

/* A version's name becomes a folder's: nothing that climbs. */
static bool version_sane(const char *version)
{
	return *version && *version != '/' && *version != '-' && !strstr(version, "..");
}

static bool read_versions(const char *path, struct strings *versions)
{
	cleanup_text char *text = inst_file_text(path, 64 << 10, NULL);
	char *save = NULL;

	if (!text) {
		return false;
	}
	for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t#")] = '\0';
		if (version_sane(line)) {
			strings_put(versions, line);
		}
	}
	return versions->n > 0;
}

/* PYENV_VERSION, .python-version upwards, the global version, the system: pyenv's own order. */
static void chosen_versions(const char *root, char *const envp[], const char *cwd, struct strings *versions)
{
	const char *variable = inst_env(envp, "PYENV_VERSION"), *from = inst_env(envp, "PYENV_DIR");
	cleanup_text char *at = inst_path_absolute(cwd, from && *from ? from : cwd);
	cleanup_text char *global = inst_path_join(root, "version");

	if (variable && *variable) {
		cleanup_text char *copy = inst_dup(variable);
		char *save = NULL;

		for (char *one = strtok_r(copy, ":", &save); one; one = strtok_r(NULL, ":", &save)) {
			if (version_sane(one)) {
				strings_put(versions, one);
			}
		}
		return;
	}
	for (;;) {
		cleanup_text char *file = inst_path_join(at, ".python-version");

		if (read_versions(file, versions)) {
			return;
		}
		if (!strcmp(at, "/")) {
			break;
		}
		inst_set(&at, inst_path_dir(at));
	}
	if (!read_versions(global, versions)) {
		strings_put(versions, "system");
	}
}

/* The newest installed version that begins with `version` and a dot; NULL: none. */
char *inst_newest_like(const char *folder, const char *version)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char *best = NULL;
	size_t n = strlen(version);

	while (d && (entry = readdir(d))) {
		if (!strncmp(entry->d_name, version, n) && entry->d_name[n] == '.' && (!best || strverscmp(entry->d_name, best) > 0)) {
			inst_set(&best, inst_dup(entry->d_name));
		}
	}
	if (d) {
		closedir(d);
	}
	return best;
}

static char *file_of_version(const char *root, const char *version, const char *name, const char *shims, char *const envp[])
{
	cleanup_text char *folder = inst_path_join(root, "versions");
	cleanup_text char *home = inst_path_join(folder, inst_starts(version, "python-") ? version + 7 : version);
	cleanup_text char *file = NULL;

	if (!strcmp(version, "system")) {
		return inst_search_path(name, envp, shims);
	}
	if (!inst_path_is_dir(home)) {
		cleanup_text char *newest = inst_newest_like(folder, inst_path_base(home));

		if (!newest) {
			return NULL;
		}
		inst_set(&home, inst_path_join(folder, newest));
	}
	file = inst_format("%s/bin/%s", home, name);
	return inst_path_is_file(file) && !access(file, X_OK) ? inst_dup(file) : NULL;
}

static int resolve_pyenv(const char *shims, const char *name, char *const envp[], const char *cwd, char **real, struct installer_error *err)
{
	const char *variable = inst_env(envp, "PYENV_ROOT");
	cleanup_text char *root = variable && *variable == '/' ? inst_dup(variable) : inst_path_dir(shims);
	cleanup_strings struct strings versions = { 0 };

	chosen_versions(root, envp, cwd, &versions);
	for (size_t i = 0; i < versions.n; i++) {
		*real = file_of_version(root, versions.v[i], name, shims, envp);
		if (*real) {
			return 1;
		}
	}
	return inst_fail(err, 127, "pyenv's chosen version (%s) has no %s: choose one with `pyenv local`, or give the path of pip itself",
		    versions.n ? versions.v[0] : "none", name);
}

int inst_shim_resolve(const char *path, const char *name, char *const envp[], const char *cwd, const char *home, char **real,
                 struct installer_error *err)
{
	cleanup_text char *shims = inst_path_dir(path);
	cleanup_text char *text = NULL;
	cleanup_text char *target = NULL;

	if (strcmp(inst_path_base(shims), "shims")) {
		return 0;
	}
	text = inst_file_text(path, 64 << 10, NULL);
	if (text && strstr(text, "pyenv")) {
		return resolve_pyenv(shims, name, envp, cwd, real, err);
	}
	target = realpath(path, NULL);
	if (text && strstr(text, "asdf")) {
		return inst_tool_resolve(false, shims, name, envp, cwd, home, real, err);
	}
	if ((text && strstr(text, "mise")) || (target && !strcmp(inst_path_base(target), "mise"))) {
		return inst_tool_resolve(true, shims, name, envp, cwd, home, real, err);
	}
	if ((text && strstr(text, "rtx")) || (target && !strcmp(inst_path_base(target), "rtx"))) {
		return inst_fail(err, 126, "%s is a shim of rtx: give the path of pip itself (`rtx which %s` prints it)", path, name);
	}
	return 0;
}
