/* A secret in a short text that leaves: as it is or encoded.  Pure, no allocation; thread-safe.
 *
 * What is looked for are decoys: random, and of no use to honest code, so a part of one is as good as the whole. */
#ifndef POLICY_NEEDLE_H
#define POLICY_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>

#define NEEDLE_TEXT_MAX 255 /* what is longer is looked at to there */

/* Does text hold one of needles (NULL-terminated; NULL: there are none), or a part of one?  Read in each of these ways, and each backwards too:
 *
 *   letters and digits alone, without case        a whole needle, or 16 characters of one in a row
 *   base64 in whose letters the case was lost     a whole needle, or 20 characters of its base64 in a row
 *   hex, base32, base32hex, base64, base64url     a whole needle, or 12 bytes of one in a row, beginning at whatever character
 *
 * What is no digit of an encoding is passed over, so neither separators nor padding matter.  A needle, or a part of one that is no secret, counts only
 * from 8 characters on: of a URL its user, its password, or without those what follows its host, which honest code asks for.  Of a needle the first
 * 4096 bytes are looked for. */
bool needle_in(const char *text, size_t len, char *const needles[]);

#endif
