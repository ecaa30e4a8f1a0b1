/* Home directories.  Before there are threads. */
#ifndef LAUNCHER_HOMES_H
#define LAUNCHER_HOMES_H

/* Whose secrets `~` means, NULL-terminated: the user's own home first, also as the kernel names it; then everybody's who may log in here.  Of the file alone:
 * asking the name services for everybody loads libraries, and may bring a whole company.  Found once; lives as long as the process. */
const char *const *homes_find(void);

#endif
