/* The machine's own nameservers, as its programs find them: /etc/resolv.conf (resolv.conf(5)).  A sandbox with a network namespace has a stub resolver at
 * each of these addresses (supervise/stub.h), since programs that ask by themselves take an answer only from the address that they asked. */
#ifndef NAMES_NAMESERVERS_H
#define NAMES_NAMESERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* glibc and musl use three (MAXNS); c-ares takes more. */
#define NAMESERVERS_MAX 8
#define NAMESERVER_PORT 53

/* glibc takes any number, musl 256 bytes of them. */
#define SEARCH_MAX 8
#define SEARCH_TEXT_MAX 256

struct nameservers {
	size_t searches;
	char search[SEARCH_MAX][SEARCH_TEXT_MAX]; /* domains of the last "search" or "domain" line, in small letters, with no dot at either end */
	size_t n;
	struct sockaddr_storage at[NAMESERVERS_MAX]; /* AF_INET or AF_INET6, with the port; one only once */
};

/* From the text of a resolv.conf of `len` bytes.  An address with a scope is left out: it belongs to an interface that a sandbox has not.  None: the
 * loopback's, as resolvers do.  Pure. */
void nameservers_parse(const char *text, size_t len, struct nameservers *out);
/* From the machine's file; without one as from an empty one. */
void nameservers_read(struct nameservers *out);
/* Is `name`, in small letters, another one with a domain of the search list behind it?  The length of that one, or 0; `from`: 0 at first, then counts them. */
size_t nameservers_searched(const struct nameservers *n, const char *name, size_t *from);
bool nameservers_has(const struct nameservers *n, const struct sockaddr_storage *sa);

#endif
