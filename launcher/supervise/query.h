/* A name that a program wants resolved: PW_OP_RESOLVE. */
#ifndef SUPERVISE_QUERY_H
#define SUPERVISE_QUERY_H

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/supervise/supervise.h"
#include "preload/pw_event.h"

/* Is the copied query well-formed (a NUL in host, a family that is one)?  Pure; fuzzed. */
static inline bool query_is_valid(const struct pw_query *query)
{
	return memchr(query->host, 0, sizeof query->host) && (query->family == AF_UNSPEC || query->family == AF_INET || query->family == AF_INET6);
}

struct reply query_answer(struct sandbox *sb, const struct seccomp_notif *req);

#endif
