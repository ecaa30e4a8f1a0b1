/* The addresses of a name that a build or guest is allowed: the real ones are looked up, those that it may not reach are left out, and it gets stand-ins for the rest. */
#ifndef SUPERVISE_LOOKUP_H
#define SUPERVISE_LOOKUP_H

#include "launcher/names/names.h"
#include "launcher/supervise/shade.h"

/* host: as names_classify leaves it, allowed for the role.  Blocks (real resolver): workers only. */
void lookup_allowed(struct shade *who, const char *host, int family, struct pw_answer *out);
/* May the allowed host be connected to there?  Of an address that is not the public Internet's the port counts as well, which was not known when it was looked up. */
bool lookup_reaches(const struct sandbox *sb, const char *host, const struct pw_address *address, unsigned port);

#endif
