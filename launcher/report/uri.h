/* Paths as URI references (RFC 3986): everything that means something in one is encoded.  Pure. */
#ifndef REPORT_URI_H
#define REPORT_URI_H

#include <stdbool.h>
#include <stddef.h>

/* "a b.py" as "a%20b.py", "/x" as "file:///x".  False: it leads out of its folder (".."), is empty, or has no room. */
bool uri_of_path(const char *path, char *out, size_t size);

#endif
