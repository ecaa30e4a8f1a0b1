/* The main thread's watch over the command: its end, signals for it, the clock, and a run that is to end. */
#ifndef SUPERVISE_WATCH_H
#define SUPERVISE_WATCH_H

#include "supervisor.h"

struct watch {
	struct supervisor *sup;
	int signals;          /* signalfd of all that is blocked */
	int64_t deadline;     /* CLOCK_MONOTONIC milliseconds; 0: none */
	int64_t kill_after;   /* the same, once pip was asked to take back */
	int64_t to_group[32]; /* when a signal came to the whole process group, and so to the command as well */
	bool asked, done;
	int status;           /* wait status of the command */
};

/* Until the command has ended: its wait status is in w->status.  By the main thread, with sup, signals and deadline set. */
void watch_run(struct watch *w);

#endif
