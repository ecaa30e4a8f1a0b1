/* The pips that pip starts of itself for build isolation.  Any thread. */
#ifndef SUPERVISE_SUBPIP_H
#define SUPERVISE_SUBPIP_H

#include "roles.h"

/* Is this pip's own runner, started as pip starts it for build isolation?  False with b untouched: no; it may be refused, too. */
bool subpip_is(struct supervisor *s, const struct start *r, struct birthright *b);

#endif
