#include "launcher/supervise/pathtext.h"

#include <errno.h>
#include <string.h>

/* The next component at *p, past slashes: its start, its length in *len (0: there is none); *p moves behind it. */
static const char *component(const char **p, size_t *len)
{
	const char *start = *p + strspn(*p, "/");
	*len = strcspn(start, "/");
	*p = start + *len;
	return start;
}

static bool is_dot(const char *c, size_t len)
{
	return len == 1 && c[0] == '.';
}

static bool is_dotdot(const char *c, size_t len)
{
	return len == 2 && c[0] == '.' && c[1] == '.';
}

bool pathtext_plain(const char *path)
{
	if (path[0] != '/')
		return false;
	if (path[1] == '\0')
		return true;
	for (const char *p = path; *p;) {
		const char *start = p + 1; /* *p is a slash */
		size_t len = strcspn(start, "/");
		if (len == 0 || is_dot(start, len) || is_dotdot(start, len))
			return false;
		p = start + len;
	}
	return true;
}

bool pathtext_stays(const char *path, size_t root_len)
{
	const char *p = path + root_len;
	size_t depth = 0, len;
	for (;;) {
		const char *c = component(&p, &len);
		if (len == 0)
			return true;
		if (is_dotdot(c, len)) {
			if (depth == 0)
				return false;
			depth--;
		} else if (!is_dot(c, len)) {
			depth++;
		}
	}
}

/* Appends the components of path to the normalised text of *used bytes in out ("" stands for the root). */
static bool append(const char *path, char *out, size_t size, size_t *used)
{
	size_t len;
	for (const char *p = path;;) {
		const char *c = component(&p, &len);
		if (len == 0)
			return true;
		if (is_dot(c, len))
			continue;
		if (is_dotdot(c, len)) {
			while (*used > 0 && out[--*used] != '/')
				;
			continue;
		}
		if (len + 2 > size - *used)
			return false;
		out[(*used)++] = '/';
		memcpy(out + *used, c, len);
		*used += len;
	}
}

ssize_t pathtext_join(const char *base, const char *path, char *out, size_t size)
{
	size_t used = 0;
	if (size < 2)
		return -ENAMETOOLONG;
	if (path[0] != '/' && !append(base, out, size, &used))
		return -ENAMETOOLONG;
	if (!append(path, out, size, &used))
		return -ENAMETOOLONG;
	if (used == 0)
		out[used++] = '/';
	out[used] = '\0';
	return (ssize_t)used;
}

int pathtext_split(const char *path, char *dir, size_t size, const char **last)
{
	size_t end = strlen(path);
	if (end == 0)
		return -ENOENT;
	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	const char *text = path;
	size_t len = start;
	*last = path + start;
	if (end == 0) { /* slashes only */
		text = "/";
		len = 1;
		*last = ".";
	} else if (start == 0) {
		text = ".";
		len = 1;
	}
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(dir, text, len);
	dir[len] = '\0';
	return 0;
}

pid_t pathtext_pid(const char *c, size_t len)
{
	pid_t pid = 0;
	if (len == 0 || len > 9 || c[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (c[i] < '0' || c[i] > '9')
			return 0;
		pid = pid * 10 + (c[i] - '0');
	}
	return pid;
}

bool pathtext_bytecode(const char *path, size_t *dir_len)
{
	static const char folder[] = "/__pycache__";
	const char *cache = strstr(path, folder);
	if (cache && (cache[sizeof folder - 1] == '/' || cache[sizeof folder - 1] == '\0')) {
		*dir_len = (size_t)(cache - path) + sizeof folder - 1;
		return true;
	}
	size_t len = strlen(path);
	const char *slash = strrchr(path, '/');
	if (!slash || len < 5 || strcmp(path + len - 4, ".pyc") != 0)
		return false;
	*dir_len = slash == path ? 1 : (size_t)(slash - path);
	return true;
}

const char *pathtext_packages(const char *path)
{
	static const char *const packages[] = {"/site-packages/", "/dist-packages/"};
	const char *found = NULL;

	for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
		for (const char *at = path; (at = strstr(at, packages[i])) != NULL; at++) {
			if (found == NULL || at + strlen(packages[i]) > found)
				found = at + strlen(packages[i]);
		}
	}
	return found;
}

const char *pathtext_source(const char *file, const char *project, char *const *roots)
{
	size_t longest = project != NULL && pathtext_below(file, project) && file[strlen(project)] == '/' ? strlen(project) : 0;

	for (; roots != NULL && *roots != NULL; roots++) {
		size_t len = strlen(*roots);

		if (len > longest && pathtext_below(file, *roots) && file[len] == '/')
			longest = len;
	}
	if (longest != 0)
		return file + longest + 1;
	const char *found = pathtext_packages(file);
	return found != NULL ? found : file;
}
