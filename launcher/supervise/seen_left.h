/* What a build leaves behind, looked at for decoys: its wheel and metadata, what it asks pip for, and what it has changed in the project's folder.  By the session's
 * thread, once nothing of the sandbox lives. */
#ifndef SUPERVISE_SEEN_LEFT_H
#define SUPERVISE_SEEN_LEFT_H

#include <time.h>

#include "roles.h"
#include "seen.h"

/* since: by CLOCK_REALTIME_COARSE, before the sandbox began.  True: there are decoys in what pip would take. */
bool seen_left(struct sandbox *sb, const struct birthright *right, const struct timespec *since);

#endif
