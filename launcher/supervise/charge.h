/* To whom an event is charged, and at which stage: to the distribution whose code did it, where that can be told; else to the package that the sandbox was made for.
 * A build requirement's code that runs in a package's build is charged to itself and, behind it, to the package.  Decides nothing.  Any thread. */
#ifndef SUPERVISE_CHARGE_H
#define SUPERVISE_CHARGE_H

#include "supervise.h"

/* Fills in ev->package from the sandbox, ev->origin and, where that is empty and pid != 0, the program that the process runs. */
void charge_event(const struct sandbox *sb, pid_t pid, struct event *ev);
#endif
