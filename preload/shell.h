/* The shell, as system and popen start it. */
#ifndef PRELOAD_SHELL_H
#define PRELOAD_SHELL_H

#include "preload/shim.h"

/* `/bin/sh -c command` with the current environment, in whatever role.  0, or an errno value. */
int spawn_shell(pid_t *pid, const char *command, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attr);
/* waitpid that a signal does not interrupt; -1 and errno when there is no such child. */
int spawn_wait(pid_t pid, int *status);

#endif
