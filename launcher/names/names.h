/* The resolver of the supervisor: which names may be asked for, and what the allowed ones were answered with.
 * Thread-safe.  names_resolve may block (real resolver): workers only. */
#ifndef NAMES_NAMES_H
#define NAMES_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "preload/pw_event.h"

struct names; /* addresses that the installer's names were answered with, each with its name; what builds ask for would push them out */

struct names *names_new(void);
void names_free(struct names *n);

/* How a name is to be treated before anything is asked.  Reads /etc/hosts and the machine's name, asks no resolver; thread-safe. */
enum name_class {
	NAME_LITERAL, /* an address already, in any spelling that getaddrinfo takes (2130706433, 0x7f.1): canonical form in canonical */
	NAME_LOCAL,   /* localhost, *.localhost, the machine's own name, an entry of /etc/hosts: answered without a resolver */
	NAME_REMOTE,  /* needs the resolver */
	NAME_BAD,     /* no host name: empty, over-long, control characters */
};
/* canonical: of a literal the inet_ntop form (an IPv6 scope kept as %scope); of a name the form that policy matches: lower case, no trailing
 * dot; of NAME_BAD the text as far as it fits. */
enum name_class names_classify(const char *host, char canonical[PW_HOST_MAX]);

/* "*." and the last two labels: what is written down of names that are many.  Returns out.  Pure. */
#define NAMES_DOMAIN_MAX (PW_HOST_MAX + 2)
const char *names_domain(const char *host, char out[NAMES_DOMAIN_MAX]);

/* Asks the real resolver (getaddrinfo) for family; fills *out; remembers every address for host.  n NULL: remembers nothing. */
void names_resolve(struct names *n, const char *host, int family, struct pw_answer *out);
/* The same, remembers nothing, and tells the name that the addresses are of where host is another name (CNAME) of it, as names_classify leaves it, else host or "". */
void names_ask(const char *host, int family, struct pw_answer *out, char canonical[PW_HOST_MAX]);
/* Answers a NAME_LOCAL from /etc/hosts and the loopback addresses, or a NAME_LITERAL by itself, with no resolver. */
void names_local(const char *host, int family, struct pw_answer *out);
/* The address as the program that asked will use it; false: no room, or a family that is none. Pure. */
bool names_add(struct pw_answer *out, int family, const void *bytes, uint32_t scope);
struct addrinfo;
/* The same of one address of getaddrinfo's. */
void names_add_found(struct pw_answer *out, const struct addrinfo *ai);
/* Remembers what host was answered with (names_resolve does it itself): for names that are answered locally. */
void names_remember(struct names *n, const char *host, const struct pw_answer *answer);

/* Calls `each` with every name that this address was given out for (a v4-mapped one counts as IPv4), the newest first, until it returns true;
 * true if one did.  A lock is held meanwhile: `each` calls nothing of names_. */
bool names_of_address(struct names *n, const struct sockaddr_storage *sa, bool (*each)(const char *host, void *arg), void *arg);

/* A socket address as text: "203.0.113.7" (IPv4-mapped shown as IPv4), "2001:db8::1", unix path, "@abstract" (a NUL in it shows as @).
 * false: unknown family or malformed (too short or too long for its family: what the kernel calls EINVAL); out->family is set all the same, AF_UNSPEC
 * when there is not even that.  loopback: 127/8, ::1, and the wildcard addresses, which connect() takes for loopback.  Pure; fuzzed. */
struct sockaddr_text {
	int family;
	char address[128];
	unsigned port;
	bool loopback, wildcard, mapped, abstract_name;
};
bool sockaddr_describe(const struct sockaddr_storage *sa, socklen_t len, struct sockaddr_text *out);
/* The socket address of an inet address and a port: its length.  Pure. */
socklen_t sockaddr_of(const struct pw_address *address, unsigned port, struct sockaddr_storage *out);
/* The address and the port of an inet socket address; an IPv4 address that is mapped into IPv6 as IPv4.  False: of another family.  Pure. */
bool sockaddr_inet(const struct sockaddr_storage *sa, struct pw_address *address, unsigned *port);
/* The one form of sixteen bytes for both families: of IPv4 the mapped one.  Pure. */
void sockaddr_mapped(const struct pw_address *address, uint8_t out[16]);

#endif
