/* The distributions that a run has installed: those whose .dist-info was not there before, or is another one.  What they say of themselves is their own word.
 * Their files are read below the folder's descriptor.  By one thread. */
#ifndef FINDINGS_DIST_H
#define FINDINGS_DIST_H

#include <sys/types.h>

#include "recorded.h"
#include "view.h"

struct dist {
	struct view_folder *folder;
	const char *info;          /* the name of its .dist-info, of the view */
	char *name, *version;      /* as METADATA has them where that fits the folder's name, else out of that */
	char *normal;              /* the name as indexes compare it */
	const char *older;         /* the .dist-info that it took the place of; NULL: none was there */
	char *text;                /* of RECORD; the entries point into it */
	size_t len, lines;         /* of it, equal ones too; a deep path counts as several */
	struct recorded *entries;
	size_t n;
	int error;                 /* -errno: its RECORD could not be read as a whole; the entries are those before */
	bool take_back;            /* for the caller */
	size_t told;               /* for the caller: findings of it */
};

struct named { /* a path that a RECORD names */
	const struct view_folder *folder;
	const struct recorded *line;
	struct dist *dist;
};
struct dists {
	struct dist *v; /* by folder and .dist-info, as the view has them */
	size_t n;
	struct named *index; /* all of them, by folder and path */
	size_t named;
};

/* Of every package folder of the view, after view_after.  0 or -ENOMEM. */
int dists_read(struct dists *d, const struct view *w);
void dists_finish(struct dists *d);

/* Has it a RECORD that is longer than is read? */
bool dist_filled(const struct dist *d);
/* NAME and VERSION in "NAME-VERSION.dist-info": their lengths; false: it is no such name. */
bool dist_split(const char *info, size_t *name, size_t *version);
/* That of the .dist-info, NULL: it is not one of this run. */
const struct dist *dists_of(const struct dists *d, const struct view_folder *f, const char *info);
/* The first that names the path (as it is written in RECORDs of that folder), those of one distribution one behind the other; NULL: none does. */
const struct named *dists_find(const struct dists *d, const struct view_folder *f, const char *path);
/* Does the RECORD of this one name it? */
bool dists_names(const struct dists *d, const struct dist *dist, const char *path);
/* One that names something below this entry of the folder; NULL: none does. */
const struct named *dists_below(const struct dists *d, const struct view_folder *f, const char *name);
/* The RECORD of a .dist-info, ready for recorded_next: the length or -errno. */
ssize_t dist_record(const struct view_folder *f, const char *info, char **text);

#endif
