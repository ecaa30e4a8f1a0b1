/* Modules of a wheel that was built here and that its source does not have: whoever reads the source has not read all that is installed.  Honest packages make
 * modules, too (their version), so this is information: `install.unsourced`. */
#ifndef SUPERVISE_UNSOURCED_H
#define SUPERVISE_UNSOURCED_H

#include "roles.h"

struct sandbox;

/* After a build in an unpacked source has ended and nothing of its sandbox lives.  Any thread. */
void unsourced_tell(struct sandbox *sb, const struct birthright *right);

#endif
