/* Ending process trees, where no PID namespace does it at once.  Any thread; uses /proc. */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stdbool.h>
#include <sys/types.h>

/* What is ending by itself has so long before it counts as left. */
#define DYING_MILLISECONDS 20

/* SIGKILLs every descendant of `root`, again and again until none is left or milliseconds have passed.  keep: processes that stay, with what lies below them,
 * ended by 0; or NULL: none, and when root is the caller, which must be a subreaper, its children are reaped.  True: none is left. */
bool tree_kill(pid_t root, const pid_t *keep, int milliseconds);

/* Have all children of the caller ended, or do they within so many milliseconds?  Reaps them.  Callers have every signal blocked. */
bool tree_childless(int milliseconds);

#endif
