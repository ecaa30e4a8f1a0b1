/* Ending process trees, where no PID namespace does it at once.  Any thread; uses /proc. */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stdbool.h>
#include <sys/types.h>

/* SIGKILLs every descendant of `root` but those below `spare` (0: none), again and again until none is left or milliseconds have
 * passed; children of the calling process are reaped.  The caller must be a subreaper above them.  True: none is left. */
bool tree_kill(pid_t root, pid_t spare, int milliseconds);

#endif
