#include "bootstrap.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "rights.h"

#define KEYRING_OVER "--keyring-provider=subprocess"

/* What an interpreter would load code by before the bootstrap's first line (PYTHONPATH can replace `encodings`) is kept from its start; the bootstrap
 * puts PYTHONPATH back for pip's children. */
static const char *const kept_from_start[] = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"};

/* Filesystems that stamp a change with this machine's clock.  A server's may differ from it. */
static bool stamps_by_our_clock(const char *path)
{
	static const long local[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
	                             0x2FC12FC1 /* zfs */, 0xCA451A4E /* bcachefs */};
	struct statfs fs;

	for (size_t i = 0; statfs(path, &fs) == 0 && i < sizeof local / sizeof *local; i++) {
		if (fs.f_type == local[i]) {
			return true;
		}
	}
	return false;
}

static bool older(const char *folder, const char *name, int64_t time)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%.4000s/%s", folder, name);
	return stat(path, &st) == 0 && (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec <= time;
}

/* Can pip's files that change during the run be told by their change times?  Asked before pip starts.  Not where the clock has gone back since pip was
 * installed; and what was unpacked for this run is younger than it, and nobody else's. */
static bool seals_by_time(const struct run *run)
{
	const struct installer *ins = run->installer;

	return ins->zip == NULL && stamps_by_our_clock(ins->pip_dir) && older(ins->pip_dir, "__init__.py", run->started_ns) &&
	       older(ins->pip_dir, "_internal/__init__.py", run->started_ns);
}

static char *make_spec(const struct supervisor *s, bool subpip, const struct strings *above, const char *pythonpath)
{
	const struct boot boot = {.runner = subpip, .allow_pth = &s->run->allow_pth, .pythonpath = pythonpath, .audit = s->run->audit, .above = above,
	                          .started = s->sealed_by_time ? (unsigned long long)s->run->started_ns : 0};

	return installer_boot_spec(s->run->installer, &boot);
}

static int add_all(struct strings *to, char *const *words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		if (strings_add(to, words[i]) < 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

/* pip's own arguments.  The last word on an option counts, wherever it stands, but before what is no option any more; settings and variables come before all
 * of them.  pip then looks for keyring on PATH and starts it, as a helper in a sandbox of its own. */
static int add_arguments(const struct installer *ins, struct strings *to, char *const *words)
{
	bool over = ins->keyring_over;

	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		if (over && strcmp(words[i], "--") == 0) {
			over = false;
			if (strings_add(to, KEYRING_OVER) < 0) {
				return -ENOMEM;
			}
		}
		if (strings_add(to, words[i]) < 0) {
			return -ENOMEM;
		}
	}
	return over ? strings_add(to, KEYRING_OVER) : 0;
}

/* interpreter argv0, its flags (pip starts its own pips without), -S, bootstrap, spec */
static int common_argv(const struct supervisor *s, struct bootstrap *b, const char *argv0, char *const *flags)
{
	if (b->spec == NULL || strings_add(&b->argv, argv0) < 0 || add_all(&b->argv, flags) < 0) {
		return -ENOMEM;
	}
	if (strings_add(&b->argv, "-S") < 0 || strings_add(&b->argv, s->boot_path) < 0 || strings_add(&b->argv, b->spec) < 0) {
		return -ENOMEM;
	}
	return 0;
}

/* As ensurepip does: none of pip's settings counts. */
static int forget_settings(struct bootstrap *b, const char *option)
{
	for (size_t i = 0; i < b->environment.n;) {
		const char *entry = b->environment.v[i];
		char name[128];

		if (strncmp(entry, "PIP_", 4) == 0 && strcspn(entry, "=") < sizeof name) {
			snprintf(name, sizeof name, "%.*s", (int)strcspn(entry, "="), entry);
			environment_unset(&b->environment, name);
		} else {
			i++;
		}
	}
	if (option[0] != '\0' && environment_set(&b->environment, "ENSUREPIP_OPTIONS", option) < 0) {
		return -ENOMEM;
	}
	return environment_set(&b->environment, "PIP_CONFIG_FILE", "/dev/null");
}

static int finish_environment(const struct supervisor *s, struct bootstrap *b)
{
	for (size_t i = 0; i < sizeof kept_from_start / sizeof *kept_from_start; i++) {
		environment_unset(&b->environment, kept_from_start[i]);
	}
	return rights_preload(s, &b->environment);
}

/* Of a user without a name and a HOME Python takes "~" for a folder, and pip would keep its cache in one of that name where it was started. */
static int name_home(const struct supervisor *s, struct bootstrap *b)
{
	if (environment_get(&b->environment, "HOME") != NULL || getpwuid(geteuid()) != NULL) {
		return 0;
	}
	return environment_set(&b->environment, "HOME", s->run->homes[0]);
}

int bootstrap_pip(struct supervisor *s, struct bootstrap *b, struct start *out)
{
	const struct installer *ins = s->run->installer;
	char temp[PATH_MAX];

	memset(b, 0, sizeof *b);
	memset(out, 0, sizeof *out);
	if (environment_copy(&b->environment, s->run->envp) < 0) {
		return -ENOMEM;
	}
	s->sealed_by_time = seals_by_time(s->run);
	b->spec = make_spec(s, ins->other_python, NULL, environment_get(&b->environment, "PYTHONPATH"));
	snprintf(temp, sizeof temp, "%s/t", supervisor_temp(s));
	if (common_argv(s, b, ins->env.interpreter, ins->env.interpreter_flags.v) < 0 || add_arguments(ins, &b->argv, ins->args.v) < 0 ||
	    environment_set(&b->environment, "TMPDIR", temp) < 0 || name_home(s, b) < 0 ||
	    (ins->ensurepip != NULL && forget_settings(b, ins->ensurepip) < 0) ||
	    (ins->other_python && environment_set(&b->environment, "_PIP_RUNNING_IN_SUBPROCESS", "1") < 0) ||
	    (ins->use_pep517 && !s->run->audit && environment_set(&b->environment, "PIP_USE_PEP517", "1") < 0) || finish_environment(s, b) < 0) {
		return -ENOMEM;
	}
	out->path = ins->env.interpreter;
	out->argv = b->argv.v;
	out->envp = b->environment.v;
	return 0;
}

int bootstrap_subpip(const struct supervisor *s, const struct start *request, const struct strings *above, struct bootstrap *b, struct start *out)
{
	memset(b, 0, sizeof *b);
	memset(out, 0, sizeof *out);
	if (environment_copy(&b->environment, request->envp) < 0) {
		return -ENOMEM;
	}
	b->spec = make_spec(s, true, above, environment_get(&b->environment, "PYTHONPATH"));
	if (common_argv(s, b, request->argv[0], NULL) < 0 || add_arguments(s->run->installer, &b->argv, request->argv + 2) < 0 || finish_environment(s, b) < 0) {
		return -ENOMEM;
	}
	out->path = request->path;
	out->argv = b->argv.v;
	out->envp = b->environment.v;
	return 0;
}

void bootstrap_finish(struct bootstrap *b)
{
	free(b->spec);
	strings_finish(&b->argv);
	environment_finish(&b->environment);
	memset(b, 0, sizeof *b);
}
