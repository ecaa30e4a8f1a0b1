/* Paths as text.  Values in, values out: no system call, no allocation.  Any thread.
 * Text says nothing of links: who may rely on it is said where it is used (trusted.c, resolve.c). */
#ifndef SUPERVISE_PATHTEXT_H
#define SUPERVISE_PATHTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "launcher/base/pathtext.h"

/* Absolute and already what pathtext_join makes: no empty, "." or ".." component, no trailing slash. */
bool pathtext_plain(const char *path);

/* path begins with a directory of root_len bytes; does what follows stay below it at every component, ".." counted as text? */
bool pathtext_stays(const char *path, size_t root_len);

/* path relative to the absolute base (ignored when path is absolute), ".." and "." folded as text. Length, or -ENAMETOOLONG. */
ssize_t pathtext_join(const char *base, const char *path, char *out, size_t size);

/* Splits off the last component: *last points into path (trailing slashes included), the directory's text is copied to dir: "." where
 * there is none, "/" where it is the root.  0, -ENOENT (empty path) or -ENAMETOOLONG.  A path of slashes only has dir "/" and last ".". */
int pathtext_split(const char *path, char *dir, size_t size, const char **last);

/* A process number as a whole component of len bytes, or 0. */
pid_t pathtext_pid(const char *component, size_t len);

/* Where Python puts bytecode: below a __pycache__, or a .pyc.  *dir_len gets the length of the folder that it is in. */
bool pathtext_bytecode(const char *path, size_t *dir_len);

/* What follows the folder of installed packages in a path, at any depth: build isolation has its own; NULL: it lies in none.  Points into path. */
const char *pathtext_packages(const char *path);

/* Python's source file as it is told: relative to the project (NULL: none) or the root (NULL-terminated list; the longest that it lies below), else to the folder of
 * installed packages that it lies in, else as it is.  Points into file, which may be any text. */
const char *pathtext_source(const char *file, const char *project, char *const *roots);

#endif
