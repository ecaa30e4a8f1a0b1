/* A sandbox's own folders, opened to be listed.  Whoever walks a source tree tries so with each file, thousands of times, and by a relative path, which
 * resolve.c would follow object by object: here the name is looked up where the sandbox may do everything, and nowhere else. */
#ifndef SUPERVISE_LISTING_H
#define SUPERVISE_LISTING_H

#include "launcher/supervise/supervise.h"

/* An open with these flags: does it list a folder of the sandbox's own, or a file there as if it were one?  True: *reply answers it.  False: nothing was done,
 * and somebody else decides.  flags, dirfd: the caller's.  For the listener's thread; not under --audit. */
bool listing_open(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, int dirfd, const char *text, struct reply *reply);

#endif
