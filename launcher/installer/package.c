/* The pip package that will run, read as text. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/installer/parts.h"

/* The string literal after `start`, up to its quote, on the same line; NULL: none. */
static char *quoted(const char *at)
{
	size_t len;
	char quote;

	at += strcspn(at, "\"'\n");
	quote = *at;
	if (quote != '"' && quote != '\'') {
		return NULL;
	}
	at++;
	len = strcspn(at, "\"'\n");
	return at[len] == quote ? inst_dup_n(at, len) : NULL;
}

char *inst_pip_text(const struct installer *ins, const char *name)
{
	cleanup_text char *path = inst_path_join(ins->zip ? "pip" : ins->pip_dir, name);

	return ins->zip ? inst_zip_text(ins->zip, path) : inst_file_text(path, 1 << 20, NULL);
}

static char *read_version(const struct installer *ins)
{
	cleanup_text char *text = inst_pip_text(ins, "__init__.py");
	const char *at = text ? strstr(text, "__version__") : NULL;

	return at ? quoted(at) : NULL;
}

static void settle_runner(struct installer *ins)
{
	cleanup_text char *runner = inst_path_join(ins->pip_dir, "__pip-runner__.py");

	inst_set(&ins->runner, inst_dup(inst_path_is_file(runner) ? runner : ins->pip_dir));
	inst_set(&ins->runner_real, realpath(ins->runner, NULL));
	ins->zips_itself = ins->pip_version && inst_version_before(ins->pip_version, 22, 2) && !inst_version_before(ins->pip_version, 21, 1);
}

bool inst_pip_locate(struct installer *ins)
{
	for (size_t i = 0; i < ins->env.site_dirs.n; i++) {
		cleanup_text char *dir = inst_path_join(ins->env.site_dirs.v[i], "pip");
		cleanup_text char *init = inst_path_join(dir, "__init__.py");

		if (!inst_path_is_file(init)) {
			continue;
		}
		inst_set(&ins->pip_dir, inst_dup(dir));
		inst_set(&ins->pip_version, read_version(ins));
		settle_runner(ins);
		return true;
	}
	return false;
}

int inst_archive_read(struct installer *ins, const char *path, struct installer_error *err)
{
	cleanup_text char *above = inst_path_dir(path);
	const char *file = inst_ends(above, ".whl") ? above : path;
	size_t len = 0;
	char *text = inst_file_text(file, 64 << 20, &len);
	struct zip z = { (unsigned char *)text, len, 0, 0, 0 };
	bool good;

	if (!text) {
		return inst_fail(err, 126, "%s: cannot be read", file);
	}
	if (inst_ends(file, "get-pip.py")) {
		good = inst_get_pip_payload(text, len, &z);
		free(text);
	} else {
		good = inst_zip_open(&z);
	}
	ins->zip = calloc(1, sizeof(*ins->zip));
	if (!ins->zip) {
		good = false;
		free(z.data);
	} else {
		*ins->zip = z;
	}
	if (good) {
		inst_set(&ins->pip_version, read_version(ins));
	}
	return good && ins->pip_version ? 0 : inst_fail(err, 126, "%s: there is no pip in it", file);
}

int installer_unpack(struct installer *ins, const char *folder, struct installer_error *err)
{
	cleanup_text char *top = inst_path_join(folder, "p");
	int error;

	if (!ins->zip) {
		return 0;
	}
	error = mkdir(top, 0755) ? -errno : inst_zip_unpack_pip(ins->zip, top);
	if (error) {
		return inst_fail(err, 125, "pip cannot be unpacked into %s: %s", top, error == -EINVAL ? "the archive is damaged" : strerror(-error));
	}
	inst_set(&ins->pip_dir, inst_path_join(top, "pip"));
	settle_runner(ins);
	if (ins->other_python) {
		inst_set(&ins->program, inst_dup(ins->runner));
	}
	strings_put(&ins->env.read_dirs, ins->pip_dir);
	return 0;
}

bool inst_has_package(const struct python_env *env, const char *name)
{
	for (size_t i = 0; i < env->site_dirs.n; i++) {
		cleanup_text char *init = inst_format("%s/%s/__init__.py", env->site_dirs.v[i], name);

		if (inst_path_is_file(init)) {
			return true;
		}
	}
	return false;
}

bool inst_package_before(const struct python_env *env, const char *name, int major)
{
	for (size_t i = 0; i < env->site_dirs.n; i++) {
		DIR *d = opendir(env->site_dirs.v[i]);
		struct dirent *entry;
		size_t len = strlen(name);
		int found = -1;

		while (d && found < 0 && (entry = readdir(d))) {
			bool is_info = inst_ends(entry->d_name, ".dist-info") || inst_ends(entry->d_name, ".egg-info");

			if (is_info && inst_starts(entry->d_name, name) && entry->d_name[len] == '-') {
				sscanf(entry->d_name + len + 1, "%6d", &found);
			}
		}
		if (d) {
			closedir(d);
		}
		if (found >= 0) {
			return found < major;
		}
	}
	return false;
}

bool inst_version_before(const char *version, int major, int minor)
{
	int a = 0, b = 0;

	sscanf(version, "%4d.%4d", &a, &b);
	return a < major || (a == major && b < minor);
}

bool inst_default_index(const char *text, char **index_url, char **file_host)
{
	/* `PyPI = PackageIndex("URL", file_storage_domain="HOST")`, perhaps over several lines; TestPyPI's is not it. */
	static const char name[] = "PyPI = PackageIndex(", word[] = "file_storage_domain=";
	const char *at = text, *domain;

	while ((at = strstr(at, name)) && at != text && at[-1] != '\n') {
		at++;
	}
	if (!at) {
		return false;
	}
	at += sizeof(name) - 1;
	at += strspn(at, " \t\n");
	*index_url = quoted(at);
	domain = strstr(at, word);
	*file_host = domain && (size_t)(domain - at) < 1024 ? quoted(domain) : NULL;
	if (*index_url && *file_host) {
		return true;
	}
	inst_set(index_url, NULL);
	inst_set(file_host, NULL);
	return false;
}
