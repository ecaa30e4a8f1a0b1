/* The guardian: the process that the user started.  It stays above everything, waits, passes signals on, and whoever of the others dies, it ends the tree. */
#ifndef LAUNCHER_GUARDIAN_H
#define LAUNCHER_GUARDIAN_H

#include "launcher/supervise/supervisor.h"

/* Runs the supervisor in a child and returns the exit status of the run.  Must be called without threads. */
int guardian_run(struct run *run);

#endif
