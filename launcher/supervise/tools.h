/* Programs outside the system's own folders: /opt/NAME/bin on the user's PATH.  A program can only be executed where Landlock grants it, so what is served to be
 * read (tail.h) is not enough: the folder itself and what programs are split into beside it are granted, each where everybody may read it and no rule names
 * something in it. */
#ifndef SUPERVISE_TOOLS_H
#define SUPERVISE_TOOLS_H

#include "launcher/installer/installer.h"

/* Adds the real paths of such folders for a PATH (may be NULL).  homes: NULL-terminated.  0 or -ENOMEM.  Any thread. */
int tools_on_path(const struct policy *policy, const char *const *homes, const char *path, struct strings *out);

/* Adds the libraries that an LD_PRELOAD (may be NULL) names by absolute path: the user's own, wherever they lie; the loader of every program looks for them and
 * complains otherwise.  Only what is an ELF file.  0 or -ENOMEM.  Any thread. */
int tools_preloaded(const char *preload, struct strings *out);

#endif
