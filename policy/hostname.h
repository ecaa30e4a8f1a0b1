/* Host names as text, from anybody: what a name is, and its one form that is compared.  Pure, no allocation; any thread. */
#ifndef POLICY_HOSTNAME_H
#define POLICY_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

#define HOST_TEXT_MAX 256 /* 253 octets (RFC 1035 2.3.4, without the root's dot) and a NUL fit */

/* Lower case, without the last dot.  False: empty, over-long, an empty label, or a character that no host name of DNS has:
 * names outside ASCII are no match for anything, the caller has to refuse them. */
bool host_normal(const char *host, char out[HOST_TEXT_MAX]);

enum host_kind {
	HOST_NAME,    /* out is what host_normal makes of it */
	HOST_ADDRESS, /* in any form that getaddrinfo takes (127.1, 0x7f000001), with or without brackets, zone and last dot */
	HOST_NEITHER, /* empty, over-long, or with a character that no host name has, a NUL included */
};
/* The same for len bytes of a message.  out is "" but for HOST_NAME. */
enum host_kind host_read(const void *text, size_t len, char out[HOST_TEXT_MAX]);

/* 1 to 65535 in decimal digits, at most five of them, and nothing else. */
bool port_read(const char *text, size_t len, unsigned *port);

#endif
