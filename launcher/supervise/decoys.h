/* Decoy files: credentials in a private home, and what is read in the place of a protected file where its rule says `decoy`.
 *
 * A home's are made while the command runs already, at its first look into the home or some milliseconds after its start: what is too short-lived to look pays
 * nothing.  They are the sandbox's own files, to be read, changed and removed; only that one was read is written down. */
#ifndef SUPERVISE_DECOYS_H
#define SUPERVISE_DECOYS_H

#include <pthread.h>
#include <time.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "policy/decoy.h"
#include "supervise.h"

#define DECOYS_MAX 12
#define DECOYS_MILLISECONDS 15  /* after the start, and again after twice that … */
#define DECOYS_NOTIFICATIONS 40 /* when it has asked so often */
#define DECOYS_LATEST 960       /* or this late */

/* Of a package's home; outlives its sandboxes. */
struct decoys {
	struct timespec begun; /* the first sandbox with that home; written once */
	pthread_mutex_t lock;
	_Atomic bool planted;
	size_t count;
	struct { dev_t device; ino_t inode; } file[DECOYS_MAX];
};

/* Once a home.  Never follows a link, never touches what is there: whoever lives in the home may be hostile. Any thread. */
void decoys_plant(struct decoys *d, const char *home, const uint8_t key[DECOY_KEY_LEN]);

/* Is the open file one of them, as it was made? */
bool decoys_have(struct decoys *d, int fd);

/* In the place of a protected file: a descriptor to be read, with the flags' O_CLOEXEC. */
struct reply decoys_instead(const uint8_t key[DECOY_KEY_LEN], const char *real, uint64_t flags);

#endif
