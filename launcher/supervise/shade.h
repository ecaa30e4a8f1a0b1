/* What a worker knows of a sandbox, which may be gone, its struct freed and its listener closed, before the worker has looked up: a listener of its own (a
 * duplicate), and whose the sandbox was, for the record. */
#ifndef SUPERVISE_SHADE_H
#define SUPERVISE_SHADE_H

#include <fcntl.h>
#include <stdio.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/supervise.h"

struct shade {
	struct sandbox sandbox; /* of its pointers only sup, requirement and package, which are the run's, are set; init is its own as long as a caller waits */
};

static inline void shade_init(struct shade *s, const struct sandbox *sb)
{
	s->sandbox = (struct sandbox){.sup = sb->sup, .role = sb->role, .id = sb->id, .init = sb->init, .audit = sb->audit, .namespaces = sb->namespaces, .listener = -1,
	                              .requirement = sb->requirement, .package = sb->package};
}

#endif
