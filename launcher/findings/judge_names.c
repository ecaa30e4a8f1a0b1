/* Names that stand for something else: scripts of commands, modules of the standard library. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "words.h"

/* Is a program of this name started from the folder, and not another one (in `other`, "": there is none)?  A folder that is not on PATH will stand first in it: an
 * environment that is activated. */
static bool stands_before(const char *search, const struct view_folder *f, const char *name, char *other, size_t size)
{
	bool passed = false, on_path = false;

	other[0] = '\0';
	for (const char *at = search; at != NULL && *at != '\0';) {
		size_t n = strcspn(at, ":");
		char path[PATH_MAX];
		struct stat st;
		bool there = n > 0 && *at == '/' && snprintf(path, sizeof path, "%.*s", (int)n, at) < (int)sizeof path && stat(path, &st) == 0;
		if (there && st.st_dev == f->dev && st.st_ino == f->ino) {
			on_path = true;
			passed |= other[0] == '\0';
		} else if (there && other[0] == '\0' && snprintf(path, sizeof path, "%.*s/%s", (int)n, at, name) < (int)sizeof path && access(path, X_OK) == 0) {
			snprintf(other, size, "%s", path);
		}
		at += n + (at[n] == ':');
	}
	return passed || !on_path;
}

void judge_script(const struct judge *j, const struct view_folder *f, const char *name, struct dist *d)
{
	char path[PATH_MAX], other[PATH_MAX], why[PATH_MAX + 100];
	bool before = stands_before(j->search, f, name, other, sizeof other), command = words_is_command(name);

	if ((!command && other[0] == '\0') || !recorded_resolve(f->path, name, path)) {
		return;
	}
	snprintf(why, sizeof why, "%s%s%s", before ? "with its folder first on PATH it is started in place of " : "it has the name of ",
	         other[0] != '\0' ? other : "the system's command", before ? "" : ", which PATH finds first");
	j->found(j->context, &(struct finding){.rule = command && before ? "install.shadow.command" : "install.shadow.name", .path = path, .why = why, .dist = d, .folder = f});
}

static bool is_file(int folder, const char *name, const char *end)
{
	char path[NAME_MAX + 32];
	struct stat st;

	return snprintf(path, sizeof path, "%s%s", name, end) < (int)sizeof path && fstatat(folder, path, &st, 0) == 0 && S_ISREG(st.st_mode);
}

/* site-packages comes after the library, so nothing is replaced there; with --target on PYTHONPATH it is. */
void judge_module(const struct judge *j, int library, struct dist *d, const char *top)
{
	char module[NAME_MAX + 1], path[PATH_MAX];
	size_t n = strcspn(top, "./");
	const char *rest;
	bool package = top[n] == '/';

	if (n == 0 || n > NAME_MAX || library < 0 || (top[n] == '.' && strcmp(top + n, ".py") != 0)) {
		return;
	}
	snprintf(module, sizeof module, "%.*s", (int)n, top);
	if (words_is_common(module) || !(words_is_builtin(module) || is_file(library, module, ".py") || is_file(library, module, "/__init__.py"))) {
		return;
	}
	judge_place(j, d, package ? module : top, path, &rest);
	j->found(j->context, &(struct finding){.rule = "install.shadow.library", .path = path, .name = module, .why = "the standard library has a module of this name", .dist = d});
}
