#include "folders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "homes.h"
#include "launch.h"
#include "launcher/base/fd.h"
#include "launcher/supervise/pathtext.h"

/* As the kernel names it (build folders are granted without following a link), if folders can be made there. */
static const char *usable_temp(const char *path)
{
	static char real[PATH_MAX];
	struct stat st;

	if (path == NULL || path[0] != '/' || realpath(path, real) == NULL || stat(real, &st) < 0 || !S_ISDIR(st.st_mode) || access(real, W_OK | X_OK) < 0) {
		return NULL;
	}
	/* A sandbox has a /dev/shm of its own, in which pip's folders would not be; root may write what makes no folders. */
	return pathtext_below(real, "/dev/shm") || pathtext_below(real, "/proc") || pathtext_below(real, "/sys") ? NULL : real;
}

/* Where pip would put its temporary files: Python goes on to the next as well. */
static const char *temp_base(void)
{
	const char *places[] = {getenv("TMPDIR"), "/tmp", "/var/tmp"};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const char *real = usable_temp(places[i]);
		if (real != NULL) {
			return real;
		}
	}
	return "/tmp"; /* whose failure is told */
}

void folders_state(char out[PATH_MAX])
{
	const char *state = getenv("XDG_STATE_HOME");

	if (state != NULL && state[0] == '/') {
		snprintf(out, PATH_MAX, "%.4000s/pipwarden/runs", state);
	} else {
		snprintf(out, PATH_MAX, "%.4000s/.local/state/pipwarden/runs", homes_find()[0]);
	}
}

int folders_make_run(struct run *run, const struct options *o)
{
	static struct rundir dir;
	char state[PATH_MAX];
	int error;

	folders_state(state);
	error = rundir_create(&dir, state, temp_base());
	if (error < 0 && o->logs.n > 0) {
		error = rundir_create(&dir, NULL, temp_base()); /* the journal was named: the state folder is not needed */
	}
	if (error < 0) {
		return launch_error(125, "%s cannot be made: %s%s", dir.failed, strerror(-error), o->logs.n == 0 ? "; name a journal with --log" : "");
	}
	run->dir = &dir;
	return 0;
}

/* A file that pip is to write: a rule can only be made for what exists. */
static int make_file(const char *path)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);

	return fd < 0 && errno != EISDIR && errno != ENXIO ? -errno : 0;
}

/* pip moves a folder away as a whole when it uninstalls all the files in it (a user's only command, ~/.local/bin with it).  That takes the right to
 * remove what lies in the folder's parent, which is not pip's.  With one file more it moves the files. */
static void hold_folders(struct run *run)
{
	const struct installer *ins = run->installer;

	for (size_t i = 0; ins != NULL && !run->audit && i < ins->env.write_dirs.n; i++) {
		rundir_hold(run->dir, ins->env.write_dirs.v[i]);
	}
}

/* Errors come again with the folders below. */
static void make_private_site(struct run *run, const struct installer *ins)
{
	char above[PATH_MAX];

	snprintf(above, sizeof above, "%s", ins->private_site);
	*strrchr(above, '/') = '\0';
	rundir_make(run->dir, ins->env.user_base, 0700);
	rundir_make(run->dir, above, 0755);
	rundir_make(run->dir, ins->private_site, 0700);
}

int folders_make_granted(struct run *run)
{
	const struct installer *ins = run->installer;

	hold_folders(run); /* before those that are made now, which hold nothing to uninstall */
	if (ins != NULL && ins->private_site != NULL) {
		make_private_site(run, ins);
	}
	for (size_t i = 0; ins != NULL && i < ins->env.make_dirs.n; i++) {
		int error = rundir_make(run->dir, ins->env.make_dirs.v[i], 0755);
		if (error < 0 && error != -EACCES && error != -EROFS && error != -EPERM) {
			return launch_error(125, "%s cannot be made: %s", ins->env.make_dirs.v[i], strerror(-error));
		}
	}
	for (size_t i = 0; ins != NULL && i < ins->outputs.n; i++) {
		const char *output = ins->outputs.v[i];
		int error = strings_has(&ins->output_files, output) ? make_file(output) : rundir_make(run->dir, output, 0777 & ~run->umask);
		if (error < 0) { /* pip would say the same, later and worse */
			return launch_error(125, "%s cannot be made: %s", output, strerror(-error));
		}
	}
	/* What --allow-write opens to pip: it makes folders of data where none are yet. */
	const char *const *grants = ins != NULL ? policy_grants(run->policy, ROLE_INSTALLER, FILE_WRITE) : NULL;
	for (; grants != NULL && *grants != NULL; grants++) {
		if (access(*grants, F_OK) < 0 && errno == ENOENT) {
			rundir_make(run->dir, *grants, 0777 & ~run->umask); /* what cannot be made pip cannot make either, and says so */
		}
	}
	if (ins != NULL && ins->cache_dir != NULL) {
		rundir_make(run->dir, ins->cache_dir, 0700); /* pip does without a cache it cannot have */
	}
	return 0;
}
