/* The folders of a run.
 *
 *     <state_base>/ID/           0700, for the journal; stays
 *     <tmp_base>/pw-XXXXXX/      0700, short (AF_UNIX paths), removed at the end or by the next run's sweep
 *         lock                   locked by flock for the life of the run
 *         made                   directories (and holds) that were made for the run elsewhere
 *         t/                     TMPDIR of pip, or of the guest
 *         Nh/ Nt/                home and TMPDIR of each package's sandboxes, made by others
 *
 * A run is live while the lock is held: by every process that inherited the descriptor (close-on-exec).  A folder
 * without a lock is live while it is younger than RUNDIR_GRACE seconds: its run is between mkdir and the lock.
 * Functions return 0 or -errno. */
#ifndef BASE_RUNDIR_H
#define BASE_RUNDIR_H

#include <limits.h>
#include <sys/types.h>

#define RUNDIR_GRACE 60
#define RUNDIR_ID_LEN 27

struct rundir {
	char id[RUNDIR_ID_LEN + 1]; /* "20250129T123456Z-0123456789": sorts by time */
	char state[PATH_MAX];       /* <state_base>/ID, or "" */
	char tmp[PATH_MAX];         /* <tmp_base>/pw-XXXXXX */
	char failed[PATH_MAX];      /* after an error of rundir_create: the path that it is about */
	int dir, lock;              /* close-on-exec */
};

/* state_base: made, 0700, and what is missing above it, 0755; NULL: no state folder.  tmp_base must be absolute, and
 * nobody else may be able to rename in it (-EPERM: writable by others without the sticky bit). After an error nothing
 * is left. */
int rundir_create(struct rundir *r, const char *state_base, const char *tmp_base);

/* Makes `path` and what is missing above it, each noted before (made.h): it is removed at the end if it is empty then, also when
 * the run was killed.  0 also when it exists already. */
int rundir_make(struct rundir *r, const char *path, mode_t mode);
/* An empty file in `folder`, for the life of the run, removed in the same way: whoever removes all that he knows of there
 * does not take the folder itself for empty.  No file where there is no such folder. */
int rundir_hold(struct rundir *r, const char *folder);

/* Removes the noted directories that are empty, the temp folder with all in it, and an empty state folder.  To be
 * called when no process of the run is left. The lock is given up.  An error: something is left, which the next sweep
 * tries again. */
int rundir_remove(struct rundir *r);
/* Gives up the descriptors only: for a process that inherited them. */
void rundir_close(struct rundir *r);

/* Deletes what dead runs of this user left below tmp_base, and empty folders that are older than an hour below
 * state_base (may be NULL).  Bounded: what is left over is the next one's.  Returns how many runs were removed. */
int rundir_sweep(const char *tmp_base, const char *state_base);
/* The same where this run's own folders lie. */
int rundir_sweep_beside(const struct rundir *r);

#endif
