/* What of the system a build or guest may touch.  Landlock can only allow, so this is a list of what programs need, found with real builds; what is
 * not here, or granted to one sandbox, is refused, or of the long tail served (tail.h).  Any thread. */
#ifndef SUPERVISE_PLACES_H
#define SUPERVISE_PLACES_H

#include <stdbool.h>

struct place {
	const char *path;
	unsigned grants; /* enum grant */
};

extern const struct place places_system[];          /* ends with a NULL path */
extern const char *const places_global_proc[];      /* without a PID namespace: what of /proc tells nothing of other processes */
extern const char *const places_home_tools[];       /* below a home: read and executed, never written */
/* Is the plain absolute path one of places_system, or below one?  Pure. */
bool places_granted(const char *path);
extern const char *const places_installer_devices[]; /* devices that pip itself writes to: the terminal for a password prompt */

/* Does a path, links resolved, lie at or below one that is named, whatever that is by now?  roots: NULL-terminated, or NULL. */
bool places_below(const char *real, const char *root);
bool places_below_one(const char *real, const char *const *roots);

#endif
