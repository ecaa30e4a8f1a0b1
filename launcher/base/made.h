/* The list of directories that were made for a run in the user's folders: file `made` of the run's folder, each path
 * ended by NUL. */
#ifndef BASE_MADE_H
#define BASE_MADE_H

/* rundir_note_made. */
int made_note(int dir, const char *path);
/* Removes the empty ones among them, deepest first.  A path is taken as it is written: no link is followed. */
void made_remove(int dir);

#endif
