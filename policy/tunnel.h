/* Does a host name carry data?  Whoever runs a domain is sent every name below it, so a name that nobody may ask tells by its looks what was tried.
 * Pure, no allocation; thread-safe.  It is evidence and allows nothing: whether a name is asked is for the policy's lists to say.
 *
 * One name is judged by itself, and by what an honest one can hold: some labels are identifiers.  A UUID has 32 characters, a digest (MD5, SHA-1) 32 to
 * 40, the gateway of a virtual network a UUID and 12 digits, the endpoint of a private service 49 in three labels.  What is longer and not made of words
 * carries data.
 *
 * Words are told by their pairs of letters.  The 208 pairs that are common in names are 82 to 85 % of those in host names and package names, and 31 % of
 * random ones.  A run of letters and digits is odd when fewer of its pairs are common than not, a change between letter and digit counting as one that
 * is not, or when it has digits alone.  (The entropy of single characters, which is often named for this, does not part them: at 30 characters names have
 * 3.5 to 4.1 bits, hex 3.3 to 3.8, base32 3.9 to 4.4.)
 *
 * TUNNEL_DATA, of the labels but for the last two, which are the domain itself (of all where the last can be no top-level domain):
 *   - one has more than 44 characters in odd runs.  63 is the most a label can hold, and tools fill it: iodine 57, dnscat2 60, DNSExfiltrator 63;
 *   - those that have 8 or more have more than 56 together;
 *   - one has 20 or more and stands beside a number of at most 6 digits: a piece, and which;
 *   - or the name has 8 bytes or more that are no text in UTF-8 (iodine's Base128).
 * TUNNEL_LONG: more than 180 characters (honest names were found with up to 110), or more than 100 in 10 labels or more; reverse names are exempt.
 *
 * Measured: of 112 327 host names from public lists 153 have a sign: 145 hold the base32 of a SHA-256, 6 the hex of a mail address, one 63 hex digits,
 * one is 217 characters long.  Of 1 112 800 names of packages as a label, 3.  Of 3000 names with hex, base32 or base64 of text or random bytes each: 60
 * characters in one label 98 to 100 %, 120 or more in labels of 57 or 60 all, pieces of 32 with a counter 97 to 100 %.  Not seen: words for digits, and a
 * short piece of data by itself.  That takes a view of many names. */
#ifndef POLICY_TUNNEL_H
#define POLICY_TUNNEL_H

#include "policy/needle.h"

/* The graver the later. */
enum tunnel_sign {
	TUNNEL_NONE,
	TUNNEL_LONG,   /* longer than honest names are */
	TUNNEL_DATA,   /* labels that look like encoded data */
	TUNNEL_SECRET, /* one of needles is in it, or a part of one: see needle.h */
};

/* name: spelled as it was asked for, since base64 has meaning in its case; \DDD is that byte, as in names/dns.h.  What is longer than a name can be is
 * not looked at.  needles: the run's decoys, of kind NEEDLE_NAME; or NULL.  They are looked for in all labels, joined; *hits, if it is not NULL: which and how. */
enum tunnel_sign tunnel_judge(const char *name, const struct needles *needles, struct needle_hits *hits);
/* For people: "", "a very long name", "encoded data", "a secret". */
const char *tunnel_text(enum tunnel_sign sign);

#endif
