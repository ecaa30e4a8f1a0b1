/* What a secret looks like, whatever it is called.  Pure, no allocation. */
#ifndef POLICY_SHAPE_H
#define POLICY_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/* A token with a known prefix, a private key, a JWT, a bot token, a URL with a password. */
bool shape_is_secret(const char *value);

/* The user:password part of the first URL in text at or after from: true, and [*start, *end) is what stands before its '@'.
 * *colon: offset of the ':' between the two, or *end without a password. A user name without password counts unless it is one that
 * everyone has (git@). */
bool shape_userinfo(const char *text, size_t from, size_t *start, size_t *colon, size_t *end);

/* Length of a known token prefix at text ("ghp_"), 0: none. */
size_t shape_prefix(const char *text);

/* The header of a JWT at text: its length without the dot; 0: no JWT. */
size_t shape_jwt_header(const char *text);

/* Has a value too few letters and digits, or too few different ones, to be told apart from ordinary text?  other_scripts: bytes
 * outside ASCII count as letters. */
bool shape_is_plain(const char *value, bool other_scripts);

#endif
