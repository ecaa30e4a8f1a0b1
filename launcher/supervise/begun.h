/* Has pip begun to write into the environment?  It builds every wheel first.  Told by the times of the site folders: an inotify watch would keep the
 * supervisor's end, and with it the run's, waiting for the kernel for some 15 ms.
 *
 * begun_note: before pip starts.  begun: by one thread. */
#ifndef SUPERVISE_BEGUN_H
#define SUPERVISE_BEGUN_H

#include <stdbool.h>

#include "launcher/installer/installer.h"

/* Remembers how the folders look.  folders: NULL, or lives as long as the process. */
void begun_note(const struct strings *folders);
/* Has an entry come, gone or been renamed in one of them? */
bool begun(void);

#endif
