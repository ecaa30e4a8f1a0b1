/* direct_url.json, by which pip says where a distribution came from; a wheel can bring one, too.  Pure. */
#ifndef FINDINGS_DIRECT_URL_H
#define FINDINGS_DIRECT_URL_H

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdbool.h>

/* The folder of an editable project, as it was named.  root: what the file holds, or NULL.  False: it is none. */
bool direct_url_editable(const cJSON *root, char folder[PATH_MAX]);

#endif
