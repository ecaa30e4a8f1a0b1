/* What a worker knows of a sandbox, which may be gone, its struct freed and its listener closed, before the worker has looked up: a listener of its own (a
 * duplicate), and whose the sandbox was, for the record. */
#ifndef SUPERVISE_SHADE_H
#define SUPERVISE_SHADE_H

#include <fcntl.h>
#include <stdio.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/supervise.h"

struct shade {
	struct sandbox sandbox; /* of its pointers only sup, requirement (both the run's) and the names below are set; init is its own as long as a caller waits */
	char package[128], version[64], stage[16];
};

static inline const char *shade_text(char *out, size_t size, const char *text)
{
	if (text == NULL)
		return NULL;
	snprintf(out, size, "%s", text);
	return out;
}

/* The struct points into itself: it stays where it is. */
static inline void shade_init(struct shade *s, const struct sandbox *sb)
{
	s->sandbox = (struct sandbox){.sup = sb->sup, .role = sb->role, .id = sb->id, .init = sb->init, .audit = sb->audit, .namespaces = sb->namespaces, .listener = -1,
	                              .requirement = sb->requirement};
	s->sandbox.package = shade_text(s->package, sizeof s->package, sb->package);
	s->sandbox.version = shade_text(s->version, sizeof s->version, sb->version);
	s->sandbox.stage = shade_text(s->stage, sizeof s->stage, sb->stage);
}

#endif
