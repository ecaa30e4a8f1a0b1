/* The folders of this run into which version control has been checked out, and for which requirement.  Any thread. */
#ifndef SUPERVISE_CHECKOUTS_H
#define SUPERVISE_CHECKOUTS_H

#include "supervisor.h"

struct checkout {
	char *folder;  /* as the kernel names it; lives as long as the run */
	const struct vcs_requirement *requirement;
	bool built;    /* a build has begun in it */
};

/* 0 or -ENOMEM.  One that is known already stays as it is. */
int checkouts_add(struct supervisor *s, const char *folder, const struct vcs_requirement *requirement);
/* The one that path is or lies below.  False: it lies in none. */
bool checkouts_find(struct supervisor *s, const char *path, struct checkout *out);
/* From now on the tool gets a build's rights there: what it finds may be a package's. */
void checkouts_built(struct supervisor *s, const char *folder);

#endif
