/* What of the system a build or guest may touch.  Landlock can only allow, so this is a list of what programs need, found with real builds; what is
 * not here, or granted to one sandbox, is refused.  Data only. */
#ifndef SUPERVISE_PLACES_H
#define SUPERVISE_PLACES_H

struct place {
	const char *path;
	unsigned grants; /* enum grant */
};

extern const struct place places_system[];          /* ends with a NULL path */
extern const char *const places_global_proc[];      /* without a PID namespace: what of /proc tells nothing of other processes */
extern const char *const places_home_tools[];       /* below a home: read and executed, never written */
extern const char *const places_installer_devices[]; /* devices that pip itself writes to: the terminal for a password prompt */

#endif
