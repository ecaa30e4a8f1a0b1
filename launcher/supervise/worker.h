/* Work that may block, off the notification threads: names, connects, opens of slow things.  Bounded: WORKERS_MAX at once;
 * beyond that worker_start refuses (-EAGAIN) and the caller answers the notification with an error. Any thread. */
#ifndef SUPERVISE_WORKER_H
#define SUPERVISE_WORKER_H

#define WORKERS_MAX 64

typedef void worker_func(void *argument);
/* Runs f(argument) on a detached thread with all signals blocked but SIGURG (used to break a blocking call). 0 or -errno. */
int worker_start(worker_func *f, void *argument);

#endif
