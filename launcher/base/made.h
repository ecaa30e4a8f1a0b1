/* The list of what was made for a run in the user's folders: file `made` of the run's folder, each path ended by NUL.
 * Directories, and empty files whose name begins with MADE_HOLD. */
#ifndef BASE_MADE_H
#define BASE_MADE_H

#define MADE_HOLD ".pipwarden-hold-"

/* Notes, before it is made, that `path` (absolute, no "." or "..", not existing: else -EEXIST) is made for the run whose folder `dir` is.
 * Links in the part that exists are resolved. */
int made_note(int dir, const char *path);
/* Removes the empty ones among them (a file that somebody wrote to stays), deepest first.  A path is taken as it is written: no link is followed. */
void made_remove(int dir);

#endif
