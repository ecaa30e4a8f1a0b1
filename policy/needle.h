/* Decoys that are looked for in what leaves: as they are, or encoded.  Pure but for memory; what was made is never changed, and any thread may search it.
 *
 * Decoys are random, and of no use to honest code, so a part of one is as good as the whole.  Only what is random in one is looked for: of a URL its user and
 * its password, or without those what follows its host; not the prefix, the header or the PEM lines that every value of its kind has (decoy_random).  Each such
 * part is written down in every encoding, at each place in a group of bits that it can begin at, and turned round; of these texts every few characters the eight
 * that stand there are kept in a table.  A search is one look per byte into a map of bits, and hardly ever more: linear in the data, whatever it holds.
 *
 * In data (NEEDLE_DATA): plain, URL-encoded, JSON-escaped, base64 of either alphabet, base32, hex, and each of the last three turned round before or after.  Control
 * characters, NULs, blanks and line ends are passed over.  A stretch counts that has 48 bits or more of what was random: 12 letters, 15 digits, about 18 hex
 * digits; at least 12 characters of it, 16 of base64 (12 bytes), 19 of base32, 24 of hex.  So a part with less than 48 bits is never found in data.
 *
 * In names (NEEDLE_NAME; whoever runs the domain reads them): without case and separators, read in each of these ways and each of them turned round:
 *
 *   letters and digits alone, without case        a whole part, or 16 characters of one in a row
 *   base64 in whose letters the case was lost     a whole part, or 20 characters of its base64 in a row
 *   hex, base32, base32hex, base64, base64url     a whole part, or 12 bytes of one in a row, beginning at whatever character
 *
 * What is no digit of an encoding is passed over, so neither separators nor padding matter.  A part counts from 8 letters and digits on. */
#ifndef POLICY_NEEDLE_H
#define POLICY_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>

#define NEEDLE_PART_MAX 4096     /* bytes of a part that are looked for */
#define NEEDLE_BYTES_MAX (8u << 20) /* of all texts together; what is added beyond is not looked for */
#define NEEDLE_HITS_MAX 16
#define NEEDLE_TEXT_MAX 255      /* of a name what is longer is looked at to there */

struct needles;
enum needle_kind { NEEDLE_NAME, NEEDLE_DATA };

/* NULL: no memory. */
struct needles *needles_new(enum needle_kind kind);
void needles_free(struct needles *n);

/* decoy: as decoy_value and decoy_userinfo make them; copied as far as it is needed.  host: whose secret it is, who may be sent it; NULL: nobody's.  of: what a hit
 * will say.  False: no memory. */
bool needles_add(struct needles *n, const char *decoy, const char *host, unsigned of);
/* Is there anything to look for? */
bool needles_any(const struct needles *n);

#define NEEDLE_ENCODING 40
struct needle_hit {
	unsigned of;
	char encoding[NEEDLE_ENCODING]; /* "plain", "base64", "base64+reversed" (the base64 of what was turned round) … */
};
/* Each decoy once, as it was found first. */
struct needle_hits {
	const char *host;             /* what goes to it may hold its own decoys; NULL: nobody's */
	char layers[NEEDLE_ENCODING]; /* what the bytes were taken out of: "gzip+" (policy/seek.h) */
	size_t n;
	struct needle_hit v[NEEDLE_HITS_MAX];
};

/* Adds what is found, of the kind that n was made for; n may be NULL.  True: there is something in *hits. */
bool needles_search(const struct needles *n, const void *bytes, size_t len, struct needle_hits *hits);

#endif
