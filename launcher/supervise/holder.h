/* A socket of a sandbox by its inode, from whoever in it has it open: a server's descriptor is not the caller's. */
#ifndef SUPERVISE_HOLDER_H
#define SUPERVISE_HOLDER_H

#include <sys/types.h>

/* A duplicate, close-on-exec, of the socket with this inode, of a process below `init`.  -1: nobody was found who has it, within a bound, or it cannot be had
 * (pidfd_getfd).  Of any thread; walks over /proc, so rather of one for which nobody waits. */
int holder_socket(pid_t init, ino_t inode);

#endif
