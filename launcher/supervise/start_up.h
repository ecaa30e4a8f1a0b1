/* The environment's start-up code, which runs in every Python but pip: what is new since the last guarded run is listed before pip starts (launcher/findings/seen.h).
 * By the main thread. */
#ifndef SUPERVISE_START_UP_H
#define SUPERVISE_START_UP_H

#include "supervisor.h"

void start_up_list(struct supervisor *s);
/* At the run's end: what is there now has been seen, for what this run brought is a finding of its own. */
void start_up_remember(struct supervisor *s);

#endif
