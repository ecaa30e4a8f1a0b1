/* /etc/hosts, which each question is looked up in: read when it has changed, and kept in the order of its names.
 *
 * A look costs one stat().  A file that changed within the last two seconds before it was read is read again: another change could have the same time. */
#ifndef NAMES_HOSTS_FILE_H
#define NAMES_HOSTS_FILE_H

#include <stdbool.h>

/* A bigger one is no list of a machine's neighbours any more (ad blockers have some 200,000 lines, 8 MB): there is none. */
#define HOSTS_FILE_MAX (64 * 1024 * 1024)

/* Calls `each` with the address, as it is written, of every line that names `name` in any case, in the file's order, until it returns true; true if one did.
 * Thread-safe; a lock is held meanwhile. */
bool hosts_file_each(const char *name, bool (*each)(const char *address, void *arg), void *arg);

/* The same of another file; the tests'. */
bool hosts_file_each_of(const char *path, const char *name, bool (*each)(const char *address, void *arg), void *arg);

#endif
