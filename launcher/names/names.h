/* The resolver of the supervisor: which names may be asked for, and what the allowed ones were answered with.
 * Thread-safe.  names_resolve may block (real resolver): workers only. */
#ifndef NAMES_NAMES_H
#define NAMES_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "preload/pw_event.h"

struct names; /* addresses that allowed names were answered with, each with its name */

struct names *names_new(void);
void names_free(struct names *n);

/* How a name is to be treated before anything is asked. Pure. */
enum name_class {
	NAME_LITERAL, /* an address already, in any spelling that getaddrinfo takes (2130706433, 0x7f.1): canonical form in canonical */
	NAME_LOCAL,   /* localhost, *.localhost, the machine's own name, an entry of /etc/hosts: answered without a resolver */
	NAME_REMOTE,  /* needs the resolver */
	NAME_BAD,     /* no host name: empty, over-long, control characters */
};
enum name_class names_classify(const char *host, char canonical[PW_HOST_MAX]);

/* Asks the real resolver (getaddrinfo) for family; fills *out; remembers every address for host. */
void names_resolve(struct names *n, const char *host, int family, struct pw_answer *out);
/* Answers a NAME_LOCAL from /etc/hosts and the loopback addresses, with no resolver. */
void names_local(const char *host, int family, struct pw_answer *out);

/* The name that this address was given out for, copied into host: true. Several: each is called on by `each` until it returns true. */
bool names_of_address(struct names *n, const struct sockaddr_storage *sa, bool (*each)(const char *host, void *arg), void *arg);

/* A socket address as text: "203.0.113.7" (IPv4-mapped shown as IPv4), "2001:db8::1", unix path, "@abstract". false: unknown family or malformed. Pure; fuzzed. */
struct sockaddr_text {
	int family;
	char address[128];
	unsigned port;
	bool loopback, mapped, abstract_name;
};
bool sockaddr_describe(const struct sockaddr_storage *sa, socklen_t len, struct sockaddr_text *out);

#endif
