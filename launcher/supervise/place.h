/* What a path of an AF_UNIX socket is known to be.  Pure. */
#ifndef SUPERVISE_PLACE_H
#define SUPERVISE_PLACE_H

#include <stdbool.h>

/* The rule for a refused connect to this path (or "@abstract"): net.unix.docker, net.unix.agent, net.unix.dbus, net.unix.display, net.unix.system
 * (name services, logging, uuidd: libraries try them of their own accord), or net.unix. */
const char *place_rule(const char *path);

/* A name service's socket that the installer may use where root owns it. */
bool place_name_service(const char *path);

#endif
