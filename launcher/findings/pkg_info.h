/* What a package's PKG-INFO (METADATA) claims of itself: the package's own words. */
#ifndef FINDINGS_PKG_INFO_H
#define FINDINGS_PKG_INFO_H

/* Of its headers, to the empty line that ends them.  text is overwritten; *name and *version, of malloc or NULL, are replaced by what is found. */
void pkg_info_read(char *text, char **name, char **version);

#endif
