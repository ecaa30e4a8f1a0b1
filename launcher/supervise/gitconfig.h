/* A repository's configuration without its logins, for builds that call git.  Pure: values in, values out.  Any thread. */
#ifndef SUPERVISE_GITCONFIG_H
#define SUPERVISE_GITCONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* text: the whole file, NUL-terminated behind its len bytes (git's config, Mercurial's hgrc).  False: it holds no login, serve the file as it is.
 * True: *out is a copy (malloc'ed, *out_len bytes, NULL: no memory, or not to be served) in which user:password@ of URLs is gone, and values whose name or shape says
 * that they are secret are the word "removed". */
bool gitconfig_without_logins(const char *text, size_t len, char **out, size_t *out_len);

/* Does text hold what looks like a password, a token or a private key of any tool's file?  For files whose name alone proves nothing. */
bool gitconfig_has_login(const char *text, size_t len);
/* A private key, in PEM, PuTTY's or age's form, or nothing but one long word? */
bool gitconfig_has_key(const char *text, size_t len);

#endif
