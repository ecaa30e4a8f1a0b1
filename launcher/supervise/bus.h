/* A key store's client at the session's message bus: it is connected to the supervisor, which passes on what bus_message.h lets pass.  Another call is answered as the
 * bus answers one that it does not allow, and is recorded. */
#ifndef SUPERVISE_BUS_H
#define SUPERVISE_BUS_H

#include "launcher/supervise/connect.h"

/* Is this, as the kernel names it, the bus of which the sandbox may ask for passwords? */
bool bus_is(const struct sandbox *sb, const char *real);

/* Connects the caller's descriptor to the bus that is pinned, from a worker that stays until one of them hangs up.  Takes pinned over. */
struct reply bus_connect(struct sandbox *sb, const struct seccomp_notif *req, int pinned, const struct in_place *place);

#endif
