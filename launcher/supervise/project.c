#include "project.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/fd.h"

#define FILE_MAX (1u << 20)
#define NAME_LEN_MAX 120

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* `name = "x"` or `name = x`: the value's length at *value, 0: something else. */
static size_t name_value(const char *line, const char **value)
{
	line = skip_blanks(line);
	if (strncmp(line, "name", 4) != 0) {
		return 0;
	}
	line = skip_blanks(line + 4);
	if (*line != '=') {
		return 0;
	}
	line = skip_blanks(line + 1);
	line += *line == '"' || *line == '\'';
	*value = line;
	return strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}

char *project_name_in(const char *text, const char *section)
{
	size_t len = strlen(section);
	bool inside = false;

	while (*text != '\0') {
		const char *line = skip_blanks(text), *value = NULL;
		if (*line == '[') {
			inside = strncmp(line + 1, section, len) == 0 && line[1 + len] == ']';
		} else if (inside) {
			size_t n = name_value(line, &value);
			if (n > 0 && n <= NAME_LEN_MAX) {
				return strndup(value, n);
			}
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

char *project_name(const char *folder)
{
	static const struct { const char *file, *section; } places[] = {
		{"pyproject.toml", "project"}, {"pyproject.toml", "tool.poetry"}, {"setup.cfg", "metadata"},
	};
	const char *last = strrchr(folder, '/');

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char path[PATH_MAX], *text = NULL, *name = NULL;
		snprintf(path, sizeof path, "%.4000s/%s", folder, places[i].file);
		cleanup_fd int fd = fd_open_file_nofollow(path);
		if (fd >= 0 && fd_slurp(fd, FILE_MAX, &text) >= 0) {
			name = project_name_in(text, places[i].section);
		}
		free(text);
		if (name != NULL) {
			return name;
		}
	}
	return strdup(last != NULL && last[1] != '\0' ? last + 1 : folder);
}
