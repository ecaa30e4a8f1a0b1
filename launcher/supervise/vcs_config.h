/* Configuration of a repository: is it what a clone writes, and nothing else?  Pure: values in, values out.  Any thread. */
#ifndef SUPERVISE_VCS_CONFIG_H
#define SUPERVISE_VCS_CONFIG_H

#include <stdbool.h>

/* text: git's config, NUL-terminated.  module: of a submodule, which says where its files are.  False: it sets what is not known to run no program; then *key
 * names it (malloc'ed; NULL: a line that is not understood, or no memory). */
bool vcs_config_harmless(const char *text, bool module, char **key);
/* The same of Mercurial's hgrc. */
bool vcs_hgrc_harmless(const char *text, char **key);

#endif
