/* The files by which an installed distribution tells of itself.  Pure; what they say is the package's own word. */
#ifndef SUPERVISE_DISTRIBUTION_FILES_H
#define SUPERVISE_DISTRIBUTION_FILES_H

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdbool.h>

#include "distributions.h"

/* The next path of a RECORD, which is overwritten: CSV, of which only the first field counts.  *at moves on; NULL: there is no more. */
char *record_path(char **at);
/* Of direct_url.json: the folder of an editable project.  False: it is none. */
bool editable_folder(const cJSON *direct_url, char folder[PATH_MAX]);
/* Of "NAME-VERSION.dist-info", "NAME-VERSION-py3.11.egg-info". */
void info_name(const char *info, struct distribution *out);
/* "My.Pkg" and "my-pkg" are the same project. */
bool same_name(const char *a, const char *b);

#endif
