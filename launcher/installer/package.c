/* The pip package that will run, read as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static char *read_version(const char *pip_dir)
{
	cleanup_text char *init = inst_path_join(pip_dir, "__init__.py");
	cleanup_text char *text = inst_file_text(init, 1 << 20, NULL);
	const char *at = text ? strstr(text, "__version__") : NULL;

	return at ? quoted(at) : NULL;
}

bool inst_pip_locate(struct installer *ins)
{
	for (size_t i = 0; i < ins->env.site_dirs.n; i++) {
		cleanup_text char *dir = inst_path_join(ins->env.site_dirs.v[i], "pip");
		cleanup_text char *init = inst_path_join(dir, "__init__.py");
		cleanup_text char *runner = inst_path_join(dir, "__pip-runner__.py");

		if (!inst_path_is_file(init)) {
			continue;
		}
		inst_set(&ins->pip_dir, inst_dup(dir));
		inst_set(&ins->pip_version, read_version(dir));
		inst_set(&ins->runner, inst_dup(inst_path_is_file(runner) ? runner : dir));
		inst_set(&ins->runner_real, realpath(ins->runner, NULL));
		ins->zips_itself = ins->pip_version && inst_version_before(ins->pip_version, 22, 2) && !inst_version_before(ins->pip_version, 21, 1);
		return true;
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
