/* The long tail of the system's files: what no ruleset can list, an odd file in /etc, /opt, /usr or /var/lib that a tool reads.  Landlock refuses it; the supervisor
 * serves it to build and guest where everybody on the machine may read it anyway: a regular file or a folder below one of those roots, to be read only, open to
 * others, every folder on the way too, of the system and not of the user, on a file system of the disk, and named by no rule. */
#ifndef SUPERVISE_TAIL_H
#define SUPERVISE_TAIL_H

#include <sys/stat.h>

#include "target.h"

/* Is the plain absolute path one of the roots or below one?  Pure. */
bool tail_root(const char *path);

/* May everybody read this, and does it belong to the system rather than to `user` (root owns all of the system: there the mode decides)?  Pure. */
bool tail_public(const struct stat *st, uid_t user);

/* Is the object of fd, whose real path is `real`, of the tail and everybody's?  homes: NULL-terminated; nothing below one is.  Any thread. */
bool tail_everybodys(const char *const *homes, int fd, const char *real);

/* Serves a reading open of what was resolved, what no rule names and no grant covers: true with *reply.  False: it is not of the tail, or not everybody's; Landlock decides.
 * Listener threads. */
bool tail_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply);

#endif
