/* What fixed paths really are, remembered for the run: the system's folders, the environment's, those on PATH.  Each sandbox asks for the same ones, and a
 * realpath() is a system call a component.  Only for answers that keep a word or drop it (is PATH's folder one that may be executed in?), never for what is
 * opened or granted.  What is not there is asked again: pip may make it. */
#ifndef SUPERVISE_REALS_H
#define SUPERVISE_REALS_H

#include <limits.h>
#include <stdbool.h>

/* As realpath().  Any thread. */
bool reals_path(const char *path, char out[PATH_MAX]);

#endif
