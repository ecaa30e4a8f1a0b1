/* Process images, and which of them the shim has checked in for (PW_OP_HELLO): what an exec makes and a fork copies.
 * Advisory, as everything that the shim says: who wants to seem to have it makes the call itself. */
#ifndef SUPERVISE_IMAGE_H
#define SUPERVISE_IMAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A number that is the image's own: from the random bytes that the kernel lays down at each exec.  0: cannot be read. */
uint64_t image_of(pid_t tid);

#define IMAGES_MAX 8192 /* of one sandbox; beyond it nobody is called absent any more */

/* All zero: empty.  Any thread. */
struct images {
	pthread_mutex_t lock;
	struct image { uint64_t image, intents; } *slot; /* open addressing; image 0: free */
	size_t size, count;
	bool full;
	_Atomic uint64_t recent; /* the intents that were found last */
};

/* intents: where it says that its struct pw_intents is; 0: nowhere.  What it said first counts. */
void images_add(struct images *set, uint64_t image, uint64_t intents);
/* 0: it is not there, or has none. */
uint64_t images_intents(struct images *set, uint64_t image);
/* Is it known that this one is not there?  Not of image 0, and not once something could not be added. */
bool images_lack(struct images *set, uint64_t image);
/* The same of a thread's image, and remembers it: to be tried first, of whatever thread the next one is, for a look at an image costs more.  What lies at an
 * address says whether it is its own. */
uint64_t images_intents_of(struct images *set, pid_t tid);
void images_finish(struct images *set);

#endif
