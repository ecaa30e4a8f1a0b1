/* The start-up code of an environment: NAME.pth with code, sitecustomize, usercustomize.  It runs in every Python of the environment but not in pip; what is new since the
 * last guarded run is listed before the next one.
 *
 * What was seen is kept in <state>/pipwarden/startup/DIGEST.json, one file an environment, 0600: {"version": 1, "files": {PATH: SHA-256}}.  It is pipwarden's own; one that
 * cannot be read counts as none.  By one thread. */
#ifndef FINDINGS_SEEN_H
#define FINDINGS_SEEN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "startup.h"

struct seen_file {
	char *path;
	char hash[65];          /* hex; of one that cannot be read, of what it is (inode, times …); "": not even that, and then it is the same as none */
	struct startup judged;  /* by itself: without a word of who brought it, or of what was asked for */
	bool module;            /* sitecustomize, usercustomize */
};
struct seen {
	struct seen_file *v;
	size_t n;
	bool cut; /* there are more than are looked at */
};

bool seen_same(const struct seen_file *a, const struct seen_file *b);

/* Who brought a file, by the RECORDs beside it, and whether it is still that file. */
struct seen_origin {
	char name[256], version[128]; /* ""; no RECORD names it */
	bool hash_known, hash_fits;
	bool module_known, module_fits; /* of the module that it imports */
	struct startup judged;          /* now that it is known whose it is */
};

/* Those of the folders (NULL-terminated): one reading of each folder, and of the few files.  0 or -ENOMEM. */
int seen_collect(struct seen *s, const char *const folders[]);
/* Reads RECORDs: for what is to be listed only. */
void seen_origin(const struct seen_file *f, struct seen_origin *out);
void seen_finish(struct seen *s);
const struct seen_file *seen_find(const struct seen *s, const char *path);

/* The state's path for an environment, which words (NULL-terminated) tell from all others, below the folder of all runs' state; out: PATH_MAX.  False: no room. */
bool seen_place(const char *state, const char *const words[], char *out);
/* *known: there was one.  0 or -ENOMEM. */
int seen_load(struct seen *s, const char *place, bool *known);
/* Makes the folder (0700) and replaces the file as a whole.  0 or -errno. */
int seen_save(const struct seen *s, const char *place);

#endif
