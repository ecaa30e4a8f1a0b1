/* From options to a run: policy, environment, command, machine, folders, journal.  Everything that can be wrong is found here, before anything runs: one
 * line on standard error and a status of 125, 126 or 127. */
#ifndef LAUNCHER_LAUNCH_H
#define LAUNCHER_LAUNCH_H

#include "options.h"

/* The policy of this user: built-in, the machine's file, the user's file, --policy, options.  NULL after a line on standard error. */
struct policy *launch_policy(const struct options *o, enum role role);

/* Runs what the options say; the exit status. argv and envp: the process's own. */
int launch(const struct options *o, char **argv, char **envp);

/* One line on standard error; returns status. */
int launch_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
