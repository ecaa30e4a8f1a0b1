/* Paths that can be judged by their text: those of trees in which nobody but root, or nobody at all, can have planted a link. */
#ifndef SUPERVISE_TRUSTED_H
#define SUPERVISE_TRUSTED_H

#include "launcher/supervise/supervise.h"

/* Before the first of the others, single-threaded: opens the trusted folders, below which links are looked for. */
void trusted_setup(void);

/* Is a reading open of this path nothing to look at any closer: does a rule name nothing there, and is it Landlock that grants it?  Any thread. */
bool trusted_read(const struct sandbox *sb, const char *path);

/* /dev/null and the like. */
bool trusted_device(const char *path);

#endif
