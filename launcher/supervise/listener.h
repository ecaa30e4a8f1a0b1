/* The thread of a listener: receives, dispatches to the handler that the table names, answers. */
#ifndef SUPERVISE_LISTENER_H
#define SUPERVISE_LISTENER_H

#include <pthread.h>

#include "supervise.h"

struct listener {
	pthread_t thread;
	struct sandbox *sandbox;
	struct seccomp_notif *request; /* of the size that the kernel wants */
	_Atomic bool stop, ended;
};

/* The sandbox must outlive listener_join(). 0 or -errno. */
int listener_start(struct listener *l, struct sandbox *sb);
/* Waits until nothing lives in the sandbox any more (the listener's hang-up is the kernel's word for it), at most milliseconds;
 * true: nothing does. */
bool listener_wait_empty(struct listener *l, int milliseconds);
/* Ends the thread and closes the listener: what still lives gets ENOSYS from then on. */
void listener_join(struct listener *l);

/* Called once by the supervisor's main thread before any listener_start. */
int listener_setup(void);

#endif
