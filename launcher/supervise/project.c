#include "project.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/fd.h"

#define FILE_MAX (1u << 20)
#define VALUE_LEN_MAX 120

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* `key = "x"` or `key = x`: the value's length at *value, 0: something else. */
static size_t value_of(const char *line, const char *key, const char **value)
{
	line = skip_blanks(line);
	if (strncmp(line, key, strlen(key)) != 0) {
		return 0;
	}
	line = skip_blanks(line + strlen(key));
	if (*line != '=') {
		return 0;
	}
	line = skip_blanks(line + 1);
	line += *line == '"' || *line == '\'';
	*value = line;
	size_t len = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+!");
	return strchr("\"' \t\r\n#", line[len]) != NULL ? len : 0; /* `attr: x`, `file: x` are computed */
}

char *project_value_in(const char *text, const char *section, const char *key)
{
	size_t len = strlen(section);
	bool inside = false;

	while (*text != '\0') {
		const char *line = skip_blanks(text), *value = NULL;
		if (*line == '[') {
			inside = strncmp(line + 1, section, len) == 0 && line[1 + len] == ']';
		} else if (inside) {
			size_t n = value_of(line, key, &value);
			if (n > 0 && n <= VALUE_LEN_MAX) {
				return strndup(value, n);
			}
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

static char *value_for(const char *folder, const char *key)
{
	static const struct { const char *file, *section; } places[] = {
		{"pyproject.toml", "project"}, {"pyproject.toml", "tool.poetry"}, {"setup.cfg", "metadata"},
	};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char path[PATH_MAX], *text = NULL, *value = NULL;
		snprintf(path, sizeof path, "%.4000s/%s", folder, places[i].file);
		cleanup_fd int fd = fd_open_file_nofollow(path);
		if (fd >= 0 && fd_slurp(fd, FILE_MAX, &text) >= 0) {
			value = project_value_in(text, places[i].section, key);
		}
		free(text);
		if (value != NULL) {
			return value;
		}
	}
	return NULL;
}

char *project_name(const char *folder)
{
	const char *last = strrchr(folder, '/');
	char *name = value_for(folder, "name");

	return name != NULL ? name : strdup(last != NULL && last[1] != '\0' ? last + 1 : folder);
}

char *project_version(const char *folder)
{
	return value_for(folder, "version");
}
