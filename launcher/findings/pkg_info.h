/* What a package's PKG-INFO (METADATA) claims of itself: the package's own words. */
#ifndef FINDINGS_PKG_INFO_H
#define FINDINGS_PKG_INFO_H

#include <stdbool.h>

/* Of its headers, to the empty line that ends them.  text is overwritten; *name and *version, of malloc or NULL, are replaced by what is found. */
void pkg_info_read(char *text, char **name, char **version);

/* "My.Pkg" and "my-pkg" name the same project.  Pure. */
bool pkg_info_same_name(const char *a, const char *b);

#endif
