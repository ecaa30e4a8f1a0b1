/* The caller's open of an object that the supervisor has pinned (or made: a name in a pinned folder), put into the caller. */
#ifndef SUPERVISE_OPENING_H
#define SUPERVISE_OPENING_H

#include "launcher/supervise/supervise.h"
#include "launcher/supervise/target.h"

/* By whose rights. */
enum opening_rights {
	OPENING_SUPERVISORS, /* what was judged is the sandbox's to have: regular files, folders and FIFOs only */
	OPENING_CALLERS,     /* the kernel judges: domain.h */
};

/* *r is what the path leads to, or with O_CREAT the folder in which it is to be made; text: as it was written; flags, mode: the call's.
 * The answer is the kernel's own to such a call.  EEXIST without O_EXCL: somebody was quicker, the path is to be resolved again.
 * Does not wait: what may block is opened by a worker. */
struct reply opening(struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, uint64_t mode, const struct resolved *r, const char *text,
                     enum opening_rights rights);

/* The umask to heed for a new file in the pinned folder: the caller's, but none where the folder has a default ACL, as in the kernel.  The supervisor's own is 0. */
mode_t opening_umask(const struct seccomp_notif *req, int folder);

#endif
