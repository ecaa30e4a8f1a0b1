#include "vcs_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECTION_MAX 40
#define KEY_MAX 60

/* "section.key"; of sections with a name of their own it does not count ("remote.origin.url"). */
static const char *const harmless[] = {
	"core.repositoryformatversion", "core.filemode", "core.bare", "core.logallrefupdates", "core.ignorecase", "core.precomposeunicode", "core.symlinks",
	"extensions.partialclone", "extensions.objectformat",
	"remote.url", "remote.fetch", "remote.promisor", "remote.partialclonefilter", "remote.tagopt",
	"branch.remote", "branch.merge", "branch.rebase",
	"submodule.url", "submodule.active",
	"user.name", "user.email",
	"lfs.repositoryformatversion", "lfs.access",
};

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static bool is_harmless(const char *name, const char *value, bool module)
{
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
		if (strcasecmp(name, harmless[i]) == 0) {
			return true;
		}
	}
	if (strcasecmp(name, "submodule.update") == 0) {
		return strcmp(value, "checkout") == 0 || strcmp(value, "rebase") == 0 || strcmp(value, "merge") == 0 || strcmp(value, "none") == 0;
	}
	return module && strcasecmp(name, "core.worktree") == 0 && value[0] == '.'; /* whatever it names, the sandbox writes its one folder */
}

/* `[section]` or `[section "name"]`, alone on its line. */
static bool read_section(const char *line, char section[SECTION_MAX])
{
	size_t len = strspn(line + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
	const char *at = line + 1 + len;

	if (len == 0 || len >= SECTION_MAX) {
		return false;
	}
	memcpy(section, line + 1, len);
	section[len] = '\0';
	if (*at == ' ' && at[1] == '"') {
		at += 2 + strcspn(at + 2, "\"\\");
		at += *at == '"'; /* an escape is nothing that is met in honest names */
	}
	return *at == ']' && *skip_blanks(at + 1) == '\0';
}

/* `key = value`.  A value that goes on in the next line, and what needs git's rules of quotation to be understood, is not. */
static bool read_key(const char *line, const char *section, char name[SECTION_MAX + KEY_MAX], const char **value)
{
	size_t len = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
	const char *at = skip_blanks(line + len);

	if (len == 0 || len >= KEY_MAX || section[0] == '\0') {
		return false;
	}
	snprintf(name, SECTION_MAX + KEY_MAX, "%s.%.*s", section, (int)len, line);
	*value = *at == '=' ? skip_blanks(at + 1) : at;
	return (*at == '=' || *at == '\0') && strchr(*value, '\\') == NULL;
}

/* One line, cut off at its end.  False: not harmless. */
static bool take_line(char *line, char section[SECTION_MAX], bool module, char **key)
{
	char name[SECTION_MAX + KEY_MAX];
	const char *at = skip_blanks(line), *value;
	size_t len = strlen(line);

	if (len > 0 && line[len - 1] == '\r') {
		line[--len] = '\0';
	}
	for (const char *c = line; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' && *c != '\t') {
			return false;
		}
	}
	if (*at == '\0' || *at == '#' || *at == ';') {
		return true;
	}
	if (*at == '[') {
		return read_section(at, section);
	}
	if (!read_key(at, section, name, &value)) {
		return false;
	}
	if (is_harmless(name, value, module)) {
		return true;
	}
	*key = strdup(name);
	return false;
}

bool vcs_config_harmless(const char *text, bool module, char **key)
{
	char section[SECTION_MAX] = "", *copy = strdup(text), *save = NULL;
	bool good = copy != NULL;

	*key = NULL;
	for (char *line = good ? strtok_r(copy, "\n", &save) : NULL; line != NULL && good; line = strtok_r(NULL, "\n", &save)) {
		good = take_line(line, section, module, key);
	}
	free(copy);
	return good;
}

/* Of Mercurial: comments, `[paths]`, and keys of that. */
static bool take_hg_line(const char *line, bool *paths, char **key)
{
	if (*skip_blanks(line) == '\0' || *line == '#' || *line == ';') {
		return true;
	}
	if (*line == '[') {
		*paths = strcmp(line, "[paths]") == 0;
		*key = *paths ? NULL : strdup(line);
		return *paths;
	}
	return *paths && isalpha((unsigned char)*line); /* `%include`, and what goes on, begin otherwise */
}

bool vcs_hgrc_harmless(const char *text, char **key)
{
	char *copy = strdup(text), *save = NULL;
	bool paths = false, good = copy != NULL;

	*key = NULL;
	for (char *line = good ? strtok_r(copy, "\n", &save) : NULL; line != NULL && good; line = strtok_r(NULL, "\n", &save)) {
		good = take_hg_line(line, &paths, key);
	}
	free(copy);
	return good;
}
