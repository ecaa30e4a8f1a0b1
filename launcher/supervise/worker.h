/* Work that may block, off the notification threads: names, connects, opens of slow things.  Bounded: WORKERS_MAX at once, WORKERS_EACH of them for one sandbox, and
 * some are left for the installer; beyond that worker_start refuses (-EAGAIN) and the caller answers the notification with an error. Any thread. */
#ifndef SUPERVISE_WORKER_H
#define SUPERVISE_WORKER_H

#include <time.h>

#define WORKERS_MAX 256
#define WORKERS_EACH 64      /* one that waits for ever in each of them stops nobody else */
#define WORKERS_INSTALLER 16 /* that no build or guest takes */

typedef void worker_func(void *argument);
/* Runs f(argument) on a detached thread with all signals blocked but SIGURG (used to break a blocking call).  whose: the sandbox's id; 0: the installer's. 0 or -errno. */
int worker_start(unsigned whose, worker_func *f, void *argument);

/* For a worker that makes a call which may block for ever: from start to stop SIGURG comes to the calling thread every `milliseconds`, so that
 * the call returns with EINTR (a tick may fall beside the call; the next one does not) and the worker can look whether it is still wanted. */
struct worker_tick {
	timer_t timer;
};
int worker_tick_start(struct worker_tick *t, unsigned milliseconds); /* 0 or -errno: then make no blocking call */
void worker_tick_stop(struct worker_tick *t);

#endif
