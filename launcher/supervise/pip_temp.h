/* pip's TMPDIR of this run, TEMP, and whose the folders are that pip makes there.  Any thread. */
#ifndef SUPERVISE_PIP_TEMP_H
#define SUPERVISE_PIP_TEMP_H

#include "supervisor.h"

/* The part of path behind "TEMP/", or NULL. */
const char *pip_temp_below(const struct supervisor *s, const char *path);
/* Is it a folder below it, with no link on the way? */
bool pip_temp_is_folder(const struct supervisor *s, const char *path);
/* The folder of pip's that a path below the temp belongs to. `pip install`, `download` and `wheel` unpack every package below one folder of theirs:
 * TEMP/pip-install-X/NAME_hash. Everything else is TEMP/FIRST, a wheel's output (TEMP/pip-wheel-X) too. The caller frees. */
char *pip_temp_unit(const struct supervisor *s, const char *path);

#endif
