/* Opening a descriptor of one's own by a name: /dev/stderr, /dev/fd/N, /proc/self/fd/N.  Where it is a plain file outside the sandbox's grants (pip's or a
 * shell's redirection) Landlock refuses what every shell script does; the supervisor opens the very object again, never wider than the descriptor is. */
#ifndef SUPERVISE_OWN_FD_H
#define SUPERVISE_OWN_FD_H

#include "supervise.h"

/* The number that such a name means, or -1.  Pure. */
int own_fd_number(const char *path);

/* Serves an open of descriptor `number` with `flags`: true with *reply; false: it is no plain file, or its mode does not allow it, or the machine refuses
 * pidfd_getfd: the ordinary way decides. Listener threads. */
bool own_fd_open(const struct sandbox *sb, const struct seccomp_notif *req, int number, int flags, struct reply *reply);

#endif
