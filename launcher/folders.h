/* The folders that a run needs.  A status, after a line on standard error, or 0. */
#ifndef LAUNCHER_FOLDERS_H
#define LAUNCHER_FOLDERS_H

#include <limits.h>

#include "launcher/supervise/supervisor.h"
#include "options.h"

/* Below which runs have their journals: $XDG_STATE_HOME/pipwarden/runs, or in the home. */
void folders_state(char out[PATH_MAX]);

/* The run's own: run->dir. */
int folders_make_run(struct run *run, const struct options *o);

/* Folders that a grant needs and that do not exist yet: made now, removed at the end if empty. */
int folders_make_granted(struct run *run);

#endif
