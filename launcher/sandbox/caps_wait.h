/* The end of a throw-away child.  No probe may hang the start: a mechanism that has not answered by its deadline is not there. */
#ifndef SANDBOX_CAPS_WAIT_H
#define SANDBOX_CAPS_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CAPS_PATIENCE_MS 2000

/* On clock_milliseconds(). */
int64_t caps_deadline(void);
/* Reaps a child that is about to end; kills it when it is not.  True: it exited with 0. */
bool caps_reap(pid_t pid, int64_t deadline);

#endif
