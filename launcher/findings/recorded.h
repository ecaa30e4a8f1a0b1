/* The lines of a distribution's RECORD (CSV: path, "sha256=…", size): a package's own words, copied by pip from the wheel without a look at the hashes.
 * Pure. */
#ifndef FINDINGS_RECORDED_H
#define FINDINGS_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDED_HASH = 32 };

struct recorded {
	char *path;                  /* as written, without quotes; never empty, shorter than PATH_MAX */
	bool has_hash, sha256;       /* something stands in its place; it is a SHA-256 that can be read: */
	uint8_t hash[RECORDED_HASH];
	bool claimed;                /* for takeback.c: it is another distribution's as well */
};

/* text: NUL-terminated, and overwritten; *at is moved on.  False: that was all.  Lines that name nothing are passed over. */
bool recorded_next(char **at, struct recorded *out);

/* Makes a text of len bytes that may hold NULs one that recorded_next reads to its end. */
void recorded_prepare(char *text, size_t len);

/* base, absolute and normal, and rel, as a RECORD has it ("../../../bin/x", or absolute), to an absolute, normal path.  False: it has no room in PATH_MAX. */
bool recorded_resolve(const char *base, const char *rel, char *out);

#endif
