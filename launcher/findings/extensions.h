/* Where an extension module of a name is: by what RECORDs of this run and the view's folders name, sorted once, and as it lies below a folder, whoever brought it.
 * The names are those of the view and of the dists, which must outlive them.  By one thread. */
#ifndef FINDINGS_EXTENSIONS_H
#define FINDINGS_EXTENSIONS_H

#include "dist.h"

struct extension { /* what it is imported by: no NUL behind it */
	const char *name;
	size_t len;
};
struct extensions {
	struct extension *v; /* by name */
	size_t n;
};

/* 0 or -ENOMEM. */
int extensions_read(struct extensions *e, const struct view *w, const struct dists *d);
/* name: of one component, without a dot. */
bool extensions_named(const struct extensions *e, const char *name);
void extensions_finish(struct extensions *e);

/* Is there a file of it below the folder, module being "google.cloud"?  What cannot be read as a whole has one, and what costs more than *work, which is then 0. */
bool extensions_lie(const struct view_folder *f, const char *module, uint64_t *work);
/* Takes cost from *work, a number that bounds what packages can make of it, about the time of so many bytes that are read and judged.  False: that was all. */
bool extensions_spend(uint64_t *work, uint64_t cost);

#endif
