/* Which Python asdf and mise choose, read from their files; what is not understood is refused, for a wrong guess would install elsewhere. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

struct search {
	const char *home, *tool_file; /* ".tool-versions" */
	bool mise, legacy;            /* asdf reads .python-version only when told to */
	struct strings *versions;
	char *odd;                    /* a file that says something which is not understood */
};

/* "python 3.11.7 system # why" */
static bool read_tool_versions(const char *path, struct strings *versions)
{
	cleanup_text char *text = inst_file_text(path, 64 << 10, NULL);
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line; line = strtok_r(NULL, "\r\n", &save)) {
		cleanup_strings struct strings words = { 0 };

		line[strcspn(line, "#")] = '\0';
		strings_split(&words, line);
		for (size_t i = 1; i < words.n && !strcmp(words.v[0], "python"); i++) {
			strings_put(versions, words.v[i]);
		}
	}
	return versions->n > 0;
}

static bool read_python_version(const char *path, struct strings *versions)
{
	cleanup_text char *text = inst_file_text(path, 64 << 10, NULL);

	if (text) {
		strings_split(versions, text);
	}
	return versions->n > 0;
}

/* The value of `python = "3.11"` or the first of `python = ["3.11", …]`.  false: it is something else. */
static bool toml_version(const char *value, struct strings *versions)
{
	const char *start = value + strspn(value, "[ \t");
	char quote = *start;
	size_t len = quote == '"' || quote == '\'' ? strcspn(start + 1, "\"'") : 0;
	cleanup_text char *version = inst_dup_n(start + 1, len);

	if (!len || start[1 + len] != quote || strpbrk(version, "{}\\")) {
		return false;
	}
	strings_put(versions, version);
	return true;
}

/* mise's own file.  Only the one key of the one table is looked at. */
static bool read_mise_toml(const char *path, struct search *s)
{
	cleanup_text char *text = inst_file_text(path, 256 << 10, NULL);
	bool tools = false;
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line; line = strtok_r(NULL, "\r\n", &save)) {
		char *word = inst_strip(line);

		if (word[0] == '[') {
			tools = inst_starts(word, "[tools]");
			if (inst_starts(word, "[tools.python") || inst_starts(word, "[tools.\"python")) {
				inst_set(&s->odd, inst_dup(path));
			}
			continue;
		}
		char *key = inst_starts(word, "tools.") ? word + 6 : tools ? word : NULL;
		size_t quoted = key && (*key == '"' || *key == '\'');
		if (key && inst_starts(key + quoted, "python") && strchr(" \t=\"'", key[quoted + 6])) {
			char *equals = strchr(key, '=');

			if (!equals || !toml_version(equals + 1, s->versions)) {
				inst_set(&s->odd, inst_dup(path));
			}
		} else if (inst_starts(word, "tools") && strchr(" \t=", word[5])) {
			inst_set(&s->odd, inst_dup(path)); /* an inline table */
		}
	}
	return s->versions->n > 0 || s->odd;
}

/* What one folder says, in the manager's order. */
static bool read_folder(const char *dir, struct search *s)
{
	static const char *const files[] = { "mise.local.toml", ".mise.local.toml", "mise.toml", ".mise.toml", "mise/config.toml", ".mise/config.toml",
		                             ".config/mise.toml", ".config/mise/config.toml" };
	cleanup_text char *tool = inst_path_join(dir, s->tool_file);
	cleanup_text char *plain = inst_path_join(dir, ".python-version");

	for (size_t i = 0; s->mise && i < sizeof(files) / sizeof(*files); i++) {
		cleanup_text char *path = inst_path_join(dir, files[i]);

		if (read_mise_toml(path, s)) {
			return true;
		}
	}
	if (read_tool_versions(tool, s->versions)) {
		return true;
	}
	if (s->mise && inst_path_is_file(plain)) {
		inst_set(&s->odd, inst_dup(plain)); /* it depends on settings whether mise reads it */
		return true;
	}
	return s->legacy && read_python_version(plain, s->versions);
}

static void search_upwards(struct search *s, const char *cwd)
{
	cleanup_text char *at = inst_dup(cwd);

	while (!read_folder(at, s) && strcmp(at, "/")) {
		inst_set(&at, inst_path_dir(at));
	}
	if (!s->versions->n && !s->odd) {
		read_folder(s->home, s);
	}
}

static bool legacy_files(const char *home, char *const envp[])
{
	const char *named = inst_env(envp, "ASDF_CONFIG_FILE");
	cleanup_text char *path = named && *named ? inst_dup(named) : inst_path_join(home, ".asdfrc");
	cleanup_text char *text = inst_file_text(path, 64 << 10, NULL);
	const char *at = text ? strstr(text, "legacy_version_file") : NULL;

	at = at ? at + strlen("legacy_version_file") : NULL;
	return at && inst_starts(at + strspn(at, " \t="), "yes");
}

static char *file_of(const char *shims, const char *version, const char *name, char *const envp[], const struct search *s)
{
	cleanup_text char *data = inst_path_dir(shims);
	cleanup_text char *folder = inst_path_join(data, "installs/python");
	cleanup_text char *prefix = NULL;
	cleanup_text char *file = NULL;

	if (!strcmp(version, "system")) {
		return inst_search_path(name, envp, shims);
	}
	if (inst_starts(version, "path:/")) {
		prefix = inst_dup(version + 5);
	} else if (strchr(version, '/') || version[0] == '.' || version[0] == '-') {
		return NULL;
	} else if (inst_starts(version, "ref:")) {
		prefix = inst_format("%s/ref-%s", folder, version + 4);
	} else {
		prefix = inst_path_join(folder, version);
		if (s->mise && !inst_path_is_dir(prefix)) {
			cleanup_text char *newest = inst_newest_like(folder, version);

			inst_set(&prefix, newest ? inst_path_join(folder, newest) : inst_dup("/"));
		}
	}
	file = inst_format("%s/bin/%s", prefix, name);
	return inst_path_is_file(file) && !access(file, X_OK) ? inst_dup(file) : NULL;
}

int inst_tool_resolve(bool mise, const char *shims, const char *name, char *const envp[], const char *cwd, const char *home, char **real,
                      struct installer_error *err)
{
	static const char *const unknown[] = { "MISE_ENV", "MISE_CONFIG_FILE", "MISE_CONFIG_DIR", "MISE_GLOBAL_CONFIG_FILE", "MISE_OVERRIDE_CONFIG_FILENAMES" };
	const char *manager = mise ? "mise" : "asdf";
	const char *variable = inst_env(envp, mise ? "MISE_PYTHON_VERSION" : "ASDF_PYTHON_VERSION");
	const char *tool_file = inst_env(envp, "ASDF_DEFAULT_TOOL_VERSIONS_FILENAME");
	cleanup_strings struct strings versions = { 0 };
	struct search s = { home, !mise && tool_file && *tool_file ? tool_file : ".tool-versions", mise, !mise && legacy_files(home, envp), &versions, NULL };
	cleanup_text char *odd = NULL;

	for (size_t i = 0; mise && i < sizeof(unknown) / sizeof(*unknown); i++) {
		if (inst_env(envp, unknown[i])) {
			return inst_fail(err, 126, "%s is set, and what mise then chooses is not known here: give the path of pip itself (`mise which %s` prints it)",
			                 unknown[i], name);
		}
	}
	if (variable && *variable) {
		strings_split(&versions, variable);
	} else {
		search_upwards(&s, cwd);
		odd = s.odd;
	}
	if (odd) {
		return inst_fail(err, 126, "%s: what mise chooses by it is not known here: give the path of pip itself (`mise which %s` prints it)", odd, name);
	}
	if (mise && !versions.n) {
		strings_put(&versions, "system"); /* its shims step aside then */
	}
	for (size_t i = 0; i < versions.n; i++) {
		*real = file_of(shims, versions.v[i], name, envp, &s);
		if (*real) {
			return 1;
		}
	}
	return inst_fail(err, 127, "%s has no %s for the Python that is chosen (%s): give the path of pip itself (`%s which %s` prints it)", manager, name,
	                 versions.n ? versions.v[0] : "none", manager, name);
}
