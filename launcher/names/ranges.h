/* Which addresses are the public Internet's?  The special-purpose registries of IANA (RFC 6890 and its successors).  Pure. */
#ifndef NAMES_RANGES_H
#define NAMES_RANGES_H

#include <stdbool.h>

#include "preload/pw_event.h"

/* Of this machine, of a network around it, or of none: what a public name has no business to lead to.  An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4)
 * is judged as what it is. */
bool range_is_private(const struct pw_address *address);

#endif
