/* How paths and their patterns are written. */
#include <string.h>

#include "policy/internal.h"
#include "policy/match.h"

const char *path_pattern_error(const char *pattern)
{
	const char *rest = pattern, *part;

	if (*pattern == '~' && pattern[1] && pattern[1] != '/')
		return "\"~\" stands for every home; homes of single users are written as paths";
	if (*pattern != '/' && *pattern != '~' && strncmp(pattern, "**/", 3))
		return "a path starts with '/', \"~/\" or \"**/\"";
	if (*rest == '~')
		rest++;
	if (strstr(pattern, "//"))
		return "an empty component: such a path is never seen";
	size_t total = strlen(pattern);
	if (total > 1 && pattern[total - 1] == '/')
		return "a path does not end in '/': write \"/**\" for a folder and all below it";
	bool literal = *pattern == '~';
	for (size_t len; (len = path_next(&rest, &part)) != 0;) {
		if ((len == 1 && *part == '.') || (len == 2 && !memcmp(part, "..", 2)))
			return "\".\" and \"..\" are never seen in a path";
		if (len > 2 && memmem(part, len, "**", 2))
			return "\"**\" stands for whole components";
		for (size_t i = 0; i < len; i++)
			literal = literal || part[i] != '*';
	}
	return literal ? NULL : "the pattern stands for every path";
}

const char *project_pattern_error(const char *pattern)
{
	return *pattern == '~' ? "a project's paths are relative to its folder: \"/name\" or \"**/name\"" : path_pattern_error(pattern);
}

char *path_normal(struct arena *a, const char *path, const char *cwd)
{
	const char *rest, *part;

	if (*path != '/' && (!cwd || *cwd != '/'))
		return NULL;
	size_t size = strlen(path) + (*path == '/' ? 0 : strlen(cwd)) + 3;
	char *whole = arena_alloc(a, size), *out = arena_alloc(a, size);
	if (!whole || !out)
		return NULL;
	if (*path != '/') {
		strcpy(whole, cwd);
		strcat(whole, "/");
	}
	strcat(whole, path);
	rest = whole;
	size_t n = 0;
	for (size_t len; (len = path_next(&rest, &part)) != 0;) {
		if (len == 1 && *part == '.')
			continue;
		if (len == 2 && !memcmp(part, "..", 2)) {
			while (n && out[--n] != '/')
				;
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, part, len);
		n += len;
	}
	if (!n)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

/* U+200C to U+200F, U+202A to U+202E, U+206A to U+206F and U+FEFF: HFS+ ignores them.  Their length, or 0. */
static size_t ignored(const char *at)
{
	const unsigned char *c = (const unsigned char *)at;

	if (c[0] == 0xef)
		return c[1] == 0xbb && c[2] == 0xbf ? 3 : 0;
	if (c[0] != 0xe2 || (c[1] != 0x80 && c[1] != 0x81))
		return 0;
	if (c[1] == 0x81)
		return c[2] >= 0xaa && c[2] <= 0xaf ? 3 : 0;
	return (c[2] >= 0x8c && c[2] <= 0x8f) || (c[2] >= 0xaa && c[2] <= 0xae) ? 3 : 0;
}

void path_fold(const char *path, char *out)
{
	char *part = out; /* where the component begins in out */

	for (;;) {
		size_t skip = ignored(path);
		if (skip) {
			path += skip;
			continue;
		}
		if (!*path || *path == '/') {
			if (out - part == 5 && !memcmp(part, "git~", 4) && part[4] >= '0' && part[4] <= '9') {
				memcpy(part, ".git", 4);
				out = part + 4;
			}
			while (out - part > 2 && (out[-1] == '.' || out[-1] == ' ')) /* Windows leaves them out; not of ".." */
				out--;
		}
		*out = *path >= 'A' && *path <= 'Z' ? (char)(*path - 'A' + 'a') : *path;
		if (!*path)
			return;
		if (*path == '/')
			part = out + 1;
		out++;
		path++;
	}
}
