#include "charge.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "distributions.h"
#include "grants.h"
#include "launcher/findings/pkg_info.h"
#include "packages.h"
#include "pathtext.h"
#include "preload/python.h"
#include "supervisor.h"

static const char *const *sites_of(const struct supervisor *s)
{
	return s->run->env != NULL ? (const char *const *)s->run->env->site_dirs.v : NULL;
}

/* The file whose code it was, as the shim told it: Python's, or a shared object. */
static const char *told_code(const struct event *ev)
{
	const char *told = ev->origin.whole != NULL ? ev->origin.whole : ev->origin.object != NULL && ev->origin.object[0] == '/' ? ev->origin.object : NULL;

	return told != NULL && pathtext_plain(told) ? told : NULL; /* folders are compared as text */
}

static bool is_below_one(const char *path, const char *const *folders)
{
	for (; folders != NULL && *folders != NULL; folders++) {
		if (pathtext_below(path, *folders)) {
			return true;
		}
	}
	return false;
}

/* Of folders of packages only the environment's and pip's build environments count, which the sandbox cannot write: in one of its own making a package could be
 * anybody.  A tool that builds or fetches does it for the code that called it, and has no frame of that on its stack only where it was started as a program. */
static bool is_installed(const struct sandbox *sb, const char *code)
{
	if (python_code_of(code, "") == PYTHON_TOOL) {
		return false;
	}
	return pathtext_packages(code) == NULL ||
	       ((is_below_one(code, sites_of(sb->sup)) || is_below_one(code, (const char *const *)sb->read)) && !grants_write(sb, code));
}

/* Else the program that runs: a distribution may bring one. */
static bool owns_program(const struct sandbox *sb, pid_t pid, struct distribution *out)
{
	char link[48], program[PATH_MAX];

	snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
	ssize_t len = pid > 0 ? readlink(link, program, sizeof program - 1) : -1;
	program[len > 0 ? len : 0] = '\0';
	return len > 0 && is_installed(sb, program) && distribution_owning(program, NULL, out);
}

static void add(char *text, size_t size, const char *name, const char *version)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s%s%s", used > 0 ? "\n" : "", name, version != NULL ? " " : "", version != NULL ? version : "");
}

/* A module's code that runs as it is imported; what is called later, and the script itself, is the script's stage. */
static const char *guest_stage(const struct event *ev)
{
	const char *file = ev->origin.whole;

	return file != NULL && ev->origin.function != NULL && strcmp(ev->origin.function, "<module>") == 0 && pathtext_packages(file) != NULL ? "import" : "script";
}

/* Whose command `run` has started: the distribution that brought the script, or the module of `python -m`. */
static const struct event_package *find_guest(const struct supervisor *s)
{
	struct event_package package = {.stage = "script"};
	char *const *argv = s->run->guest_argv;
	struct distribution found;
	char real[PATH_MAX];
	bool known = realpath(s->run->guest_path, real) != NULL && distribution_owning(real, sites_of(s), &found);

	if (!known && argv[0] != NULL && argv[1] != NULL && argv[2] != NULL && strcmp(argv[1], "-m") == 0) {
		known = distribution_providing(argv[2], sites_of(s), &found);
	}
	if (known) {
		package.name = found.name;
		package.version = found.version[0] != '\0' ? found.version : NULL;
	}
	return packages_keep(&package);
}

/* Looked up at the first event that is worth it: most runs have none, and an environment may have hundreds of distributions. */
static struct event_package guest_package(const struct supervisor *s, bool worth)
{
	static const struct event_package *_Atomic guest;
	static const struct event_package unknown = {.stage = "script"};

	if (atomic_load(&guest) == NULL && worth) {
		atomic_store(&guest, find_guest(s));
	}
	return atomic_load(&guest) != NULL ? *atomic_load(&guest) : unknown;
}

void charge_event(const struct sandbox *sb, pid_t pid, struct event *ev)
{
	const char *code = told_code(ev);
	bool worth = code != NULL || ev->verdict.severity > SEV_INFO; /* each start of a program is written down */
	const struct event_package own = sb->role == ROLE_GUEST ? guest_package(sb->sup, worth) : sb->package != NULL ? *sb->package : packages_unknown;
	char above[1024] = "";
	struct distribution found;

	if (sb->role == ROLE_INSTALLER && ev->package.name != NULL) {
		return; /* pip's own word */
	}
	ev->package = own;
	if ((sb->role != ROLE_BUILD && sb->role != ROLE_GUEST) || !worth) {
		return;
	}
	ev->package.stage = sb->role == ROLE_GUEST ? guest_stage(ev) : own.stage;
	bool known = code != NULL ? is_installed(sb, code) && distribution_owning(code, sites_of(sb->sup), &found) : owns_program(sb, pid, &found);
	if (!known || (own.name != NULL && pkg_info_same_name(found.name, own.name))) {
		return;
	}
	struct event_package package = {.name = found.name, .version = found.version[0] != '\0' ? found.version : NULL, .stage = ev->package.stage};
	if (own.name != NULL) { /* it is both's: of a guest the command's own, or it could have others named in its place */
		add(above, sizeof above, own.name, own.version);
		if (own.above != NULL) {
			add(above, sizeof above, own.above, NULL);
		}
		package.above = above;
	}
	const struct event_package *kept = packages_keep(&package);
	if (kept != &packages_unknown) {
		ev->package = *kept;
	}
}
