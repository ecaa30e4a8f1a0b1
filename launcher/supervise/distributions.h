/* Whose file is it?  The installed distributions of a folder of packages, by what their RECORDs claim; of an egg-info, by its top_level.txt; of an editable install,
 * by the project's folder that direct_url.json names.
 *
 * What is read was written by packages, which may claim what they like: this says whose attempt a line of the record is, and decides nothing.  Bounded, and read
 * once for each state of a folder.  Any thread. */
#ifndef SUPERVISE_DISTRIBUTIONS_H
#define SUPERVISE_DISTRIBUTIONS_H

#include <stdbool.h>

struct distribution {
	char name[128], version[64]; /* "": unknown */
};

/* path: absolute.  sites: folders of packages in which scripts and editable projects that own a file elsewhere are looked for; NULL-terminated, or NULL.
 * False: nobody's. */
bool distribution_owning(const char *path, const char *const *sites, struct distribution *out);
/* The one that brings this module or package ("a.b": "a"), of any of the folders. */
bool distribution_providing(const char *module, const char *const *sites, struct distribution *out);

#endif
