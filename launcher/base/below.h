/* The processes below one: its children, theirs, and so on, as /proc has them at the moment of each look.  One that is born behind the walk is missed. */
#ifndef BASE_BELOW_H
#define BASE_BELOW_H

#include <stddef.h>
#include <sys/types.h>

/* proc: a descriptor of /proc.  Puts at most max of them into list, without `top` itself, and returns how many. */
size_t below(int proc, pid_t top, pid_t *list, size_t max);

#endif
