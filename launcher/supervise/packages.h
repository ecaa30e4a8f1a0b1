/* Whose code a run's sandboxes and events are, kept: what is handed out here lives as long as the process and never changes, so a worker may look at it when the
 * sandbox is gone.  Any thread. */
#ifndef SUPERVISE_PACKAGES_H
#define SUPERVISE_PACKAGES_H

#include "launcher/record/event.h"

/* Of a package that nothing is known of. */
extern const struct event_package packages_unknown;

/* The one copy of it; without memory, or beyond some thousands, packages_unknown. */
const struct event_package *packages_keep(const struct event_package *package);

#endif
