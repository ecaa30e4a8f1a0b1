/* /dev/shm where a sandbox has none of its own: the machine's holds everybody's objects, so no rule grants it.  shm_open and sem_open name a file directly in it; such
 * names lead to a folder of the package's own instead, outside of what its sandboxes can reach by a path: multiprocessing works, and sees nobody else's.
 * The text of the path decides: what is done is done to a plain name in that folder, whatever the text becomes. */
#ifndef SUPERVISE_OWN_SHM_H
#define SUPERVISE_OWN_SHM_H

#include "supervise.h"

/* The name of an object, if path is /dev/shm/NAME and nothing else; or NULL.  Pure. */
const char *own_shm_name(const char *path);

/* The name that the text at an address of the caller means to a sandbox without a /dev/shm, copied to name; false: another path, or a sandbox that has one. */
bool own_shm_asked(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, char name[256]);

/* Each answers the call on names of the folder.  Listener threads. */
struct reply own_shm_open(const struct sandbox *sb, const char *name, uint64_t flags, unsigned mode);
struct reply own_shm_unlink(const struct sandbox *sb, const char *name);
struct reply own_shm_link(const struct sandbox *sb, const char *from, const char *to);
struct reply own_shm_rename(const struct sandbox *sb, const char *from, const char *to);

#endif
