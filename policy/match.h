/* Patterns: path components, whole paths, host names, addresses.  Pure, no allocation. */
#ifndef POLICY_MATCH_H
#define POLICY_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/hostname.h"
#include "policy/internal.h"

/* '*' stands for any run of characters, the empty one included; everything else for itself. */
bool glob_match(const char *pattern, size_t pattern_len, const char *text, size_t len);
bool glob_match_nocase(const char *pattern, size_t pattern_len, const char *text, size_t len);

/* Paths component by component, both without a leading '/': `**` stands for any number of components, none included, and `*`
 * for a run inside one. */
bool path_match(const char *pattern, const char *path);

/* The next component of *path ("" at the end); steps over it and over repeated slashes. */
size_t path_next(const char **path, const char **part);

/* Label by label, both normalised; "*" stands for one label, a leading "*." for any number, none included. */
bool host_match(const char *pattern, const char *host);

/* An address in the forms of inet_pton, with optional brackets and zone; IPv4 becomes its mapped form. */
bool address_parse(const char *text, struct net_block *out);
/* The same and the forms that inet_aton and so getaddrinfo take (2852039166, 0xa9.254.43518). */
bool address_parse_loose(const char *text, struct net_block *out);
/* ADDRESS or ADDRESS/BITS. */
bool block_parse(const char *text, struct net_block *out);
bool block_holds(const struct net_block *block, const struct net_block *address);

#endif
