/* Putting into the caller an open of an object that the supervisor has judged.  What is judged is what is given: the caller gets a descriptor of that very object,
 * so no path, link or memory that changes meanwhile matters, and Landlock, which goes by the path of the caller's own opens, is not asked. */
#ifndef SUPERVISE_INJECT_H
#define SUPERVISE_INJECT_H

#include <fcntl.h>

#include "supervise.h"

/* Which of the caller's flags an open of ours takes over: those that say how to open, not what.  The rest (O_CREAT, O_EXCL, O_NOFOLLOW) has had its say, and
 * whether it waits (O_NONBLOCK) is for who opens to decide. */
#define INJECT_FLAGS (O_ACCMODE | O_APPEND | O_TRUNC | O_DIRECTORY | O_NOATIME | O_SYNC | O_DSYNC | O_DIRECT)

/* Opens the object of `pinned` (O_PATH or any other descriptor of ours; it stays the caller's to close) as the notified open's flags say, and answers with the
 * descriptor or with the error that the kernel would give.  Only regular files and directories: everything else is EACCES.  Creates nothing: O_CREAT means only that
 * the object exists, O_TMPFILE is refused.  Never waits for a FIFO, a lease or a terminal.
 * It is opened with the supervisor's rights: whoever has fewer is judged before.  Any thread. */
struct reply inject_open(int pinned, uint64_t flags);
/* Whatever kind it is: for a thread that the kernel judges (domain.h).  A FIFO or a terminal is opened without waiting; a terminal does not become ours. */
struct reply inject_any(int pinned, uint64_t flags);

#endif
