/* What a run of pip leaves in the environment (launcher/findings/), judged when nothing of the run lives and written down as events of type install.finding; a distribution
 * with a critical finding is taken back into the run's folder.  By the main thread. */
#ifndef SUPERVISE_INSTALLED_H
#define SUPERVISE_INSTALLED_H

#include "supervisor.h"

/* Before pip starts: how the folders look that it may install into.  Nothing where the command installs nothing. */
void installed_before(struct supervisor *s);
/* After the end of it all, before run.end. */
void installed_after(struct supervisor *s);

#endif
