#include <string.h>

#include "preload/python.h"

static int begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* What follows the folder of installed packages, at any depth: build isolation has its own. */
static const char *in_packages(const char *file)
{
	static const char *const folders[] = { "/site-packages/", "/dist-packages/" };
	const char *rest = NULL;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		for (const char *p = rest ? rest - 1 : file; (p = strstr(p, folders[i])); p++)
			rest = p + strlen(folders[i]);
	}
	return rest;
}

enum python_code python_code_of(const char *file, const char *library)
{
	/* A list of strings one after the other needs no relocation. */
	static const char tools[] = "setuptools/\0pkg_resources/\0_distutils_hack/\0wheel/\0pip/\0pyproject_hooks/\0pep517/\0"
		"requests/\0urllib3/\0httpx/\0httpcore/\0anyio/\0aiohttp/\0" /* what they send, others have written */
		"attr/\0decorator.py\0jinja2/\0"; /* make code as the standard library's dataclasses do */
	const char *rest;

	if (begins(file, "<frozen "))
		return PYTHON_LIBRARY;
	if (!strcmp(file, "<string>"))
		return PYTHON_STRING;
	if (!strcmp(file, "<pip-setuptools-caller>"))
		return PYTHON_LAUNCH;
	rest = in_packages(file);
	for (const char *tool = tools; rest && *tool; tool += strlen(tool) + 1) {
		if (begins(rest, tool))
			return PYTHON_TOOL;
	}
	return !rest && library[0] && begins(file, library) ? PYTHON_LIBRARY : PYTHON_FOREIGN;
}

int python_is_usual(const char *path, int writes, const char *library, const char *run)
{
	size_t len = strlen(run);
	const char *slash;

	/* Below the working directory, unless it leads out of it or names what is hidden. */
	if (path[0] != '/')
		return path[0] != '.' && !strstr(path, "/.");
	if (len && !strncmp(path, run, len)) { /* <number>h/ is a private home, whose files are decoys */
		slash = strchr(path + len, '/');
		return !slash || slash[-1] != 'h';
	}
	return !writes && ((library[0] && begins(path, library)) || in_packages(path) != NULL);
}
