/* What every part asks about the text of paths; supervise/pathtext.h has what only the supervisor does.  Pure. */
#ifndef BASE_PATHTEXT_H
#define BASE_PATHTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Is path the directory root, or below it?  By components, both absolute and without "." and ".."; root may end in slashes ("/" holds everything).
 * Nothing is below a root that is NULL or not absolute. */
static inline bool pathtext_below(const char *path, const char *root)
{
	size_t len = root != NULL ? strlen(root) : 0;

	if (len == 0 || root[0] != '/')
		return false;
	while (len > 0 && root[len - 1] == '/')
		len--;
	return strncmp(path, root, len) == 0 && (path[len] == '/' || (path[len] == '\0' && len > 0));
}

#endif
