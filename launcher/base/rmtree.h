/* Deletes what untrusted code may have filled: any depth, no recursion, a fixed number of descriptors; never follows
 * a link, never leaves the filesystem, touches modes only of directories that belong to the caller. */
#ifndef BASE_RMTREE_H
#define BASE_RMTREE_H

/* Empties the directory `dir` (open, readable), but for the top-level entry `keep` (may be NULL).  *budget: entries
 * that may be looked at; counts down.  0: empty; -EAGAIN: the budget is used up; else the errno of what could not be
 * removed (the rest was). */
int rmtree_empty(int dir, const char *keep, unsigned long *budget);

#endif
