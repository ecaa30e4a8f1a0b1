/* What pip may ask its proxies for: the hosts that it may have without them. */
#ifndef SUPERVISE_PROXIED_H
#define SUPERVISE_PROXIED_H

#include "launcher/names/names.h"
#include "launcher/relay/relay.h"
#include "launcher/supervise/supervise.h"

/* connect() of the installer, which has a way out.  False: to no proxy of its configuration, and nothing was done. */
bool proxied_connect(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, const struct sockaddr_text *to, struct reply *reply);

/* host: as struct relay_asks has it.  Any thread. */
enum relay_may proxied_may(struct sandbox *sb, const char *host, unsigned port);

/* Writes down that a proxy was asked for a host that is not allowed. */
void proxied_record(struct sandbox *sb, const struct relay_refusal *r);

#endif
