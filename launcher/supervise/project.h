/* What a local project says of itself, for events.  Any thread. */
#ifndef SUPERVISE_PROJECT_H
#define SUPERVISE_PROJECT_H

#include <stddef.h>

/* The name in pyproject.toml's [project] (or [tool.poetry]), in setup.cfg's [metadata], or the folder's own.  The caller frees; NULL without memory. */
char *project_name(const char *folder);
/* The version that stands beside such a name; NULL: there is none, code computes it. */
char *project_version(const char *folder);

/* A key's plain value in a section of such a file's text.  Pure; NULL: not there.  The caller frees. */
char *project_value_in(const char *text, const char *section, const char *key);

#endif
