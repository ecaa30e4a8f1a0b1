/* What a local project calls itself, for events.  Any thread. */
#ifndef SUPERVISE_PROJECT_H
#define SUPERVISE_PROJECT_H

#include <stddef.h>

/* The name in pyproject.toml's [project] (or [tool.poetry]), in setup.cfg's [metadata], or the folder's own.  The caller frees; NULL without memory. */
char *project_name(const char *folder);

/* The same from such a file's text: section, key.  Pure; NULL: not there.  The caller frees. */
char *project_name_in(const char *text, const char *section);

#endif
