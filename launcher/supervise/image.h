/* Process images, and which of them the shim has checked in for (PW_OP_HELLO): what an exec makes and a fork copies.
 * Advisory, as everything that the shim says: who wants to seem to have it makes the call itself. */
#ifndef SUPERVISE_IMAGE_H
#define SUPERVISE_IMAGE_H

#include <pthread.h>
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
};

/* intents: where it says that its struct pw_intents is; 0: nowhere.  What it said first counts. */
void images_add(struct images *set, uint64_t image, uint64_t intents);
/* 0: it is not there, or has none. */
uint64_t images_intents(struct images *set, uint64_t image);
/* Is it known that this one is not there?  Not of image 0, and not once something could not be added. */
bool images_lack(struct images *set, uint64_t image);
void images_finish(struct images *set);

#endif
