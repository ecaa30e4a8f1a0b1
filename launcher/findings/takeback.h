/* Takes distributions back that this run has installed: their files are moved into the run's quarantine, where they lie under the paths that they had.
 *
 * Its RECORD is its own word, so a file goes only when it was written in this run, lies in one of the view's folders, and either its entry of site-packages or
 * of the scripts is new, or it is the very file that RECORD names (hash).  What another distribution's RECORD names, and still is that, stays.
 * By one thread, when nothing of the run lives. */
#ifndef FINDINGS_TAKEBACK_H
#define FINDINGS_TAKEBACK_H

#include "judge.h"

#define TAKEBACK_HASH_MAX (4ull << 30)

struct takeback_hash { /* of the last file that was compared */
	const struct view_folder *folder;
	char path[PATH_MAX];
	unsigned char hash[RECORDED_HASH];
	int error;
};

struct takeback {
	const struct judge *judge;
	int quarantine;       /* a folder of the run's own, or -1: there is none, and files are removed */
	size_t moved, left;
	/* Each file that stays, and why (a static string). */
	void (*stays)(void *context, const struct dist *d, const char *path, const char *why);
	void *context;
	uint64_t hash_left;   /* how many bytes may be read to compare hashes, TAKEBACK_HASH_MAX; what is not compared any more stays */
	struct takeback_hash last; /* its own; to begin with all zero */
	uint64_t walked;      /* the same */
};

/* All that have take_back. */
void takeback_dists(struct takeback *t);
/* One entry of a folder of the view, written in the run, that is what makes it malicious: it goes whatever any RECORD says, and where it cannot be kept it is removed. */
void takeback_file(struct takeback *t, const struct view_folder *f, const char *name);

#endif
