/* SOCKS5 (RFC 1928, 1929), what both sides say until the tunnel is made: whom the client asks for, and whether the proxy has agreed.
 *
 * Hostile bytes in, values out: no system call, no allocation.  A struct belongs to one connection, so to one thread at a time; all zero is its beginning.
 *
 * Only what a tunnel needs: CONNECT, without a login or with a name and a password.  A client that says more before it was answered is not refused: that is held
 * until the answer tells what it is.  Names and passwords are passed on and kept nowhere. */
#ifndef RELAY_SOCKS_H
#define RELAY_SOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/hostname.h"

#define SOCKS_MESSAGE_MAX 513 /* the longest, a login */
#define SOCKS_PORT 1080

enum socks_event {
	SOCKS_MORE, /* all of it is held on: for more from the client, or for the proxy's answer */
	SOCKS_PASS, /* the first `used` bytes may be passed on */
	SOCKS_ASKS, /* the same, if the caller likes host and port */
	SOCKS_BAD,  /* why; nothing of what is held is to be passed on, now or later */
};

struct socks_talk {
	char host[HOST_TEXT_MAX]; /* SOCKS_ASKS: a name as host_normal makes it, or an address as inet_ntop does */
	unsigned port;
	const char *why; /* SOCKS_BAD: for a record, static */
	bool made;       /* the proxy has agreed: what both say from now on is the tunnel's */

	/* The machine's own. */
	enum { SOCKS_AT_GREETING, SOCKS_AT_METHOD, SOCKS_AT_LOGIN, SOCKS_AT_LOGGED, SOCKS_AT_REQUEST, SOCKS_AT_ANSWER, SOCKS_AT_END, SOCKS_AT_FAULT } state;
	bool offers_none, offers_login;
	uint8_t answer[4 + 1 + 255 + 2];
	size_t have;
};

/* What is held of the client's: from its first byte that was not yet passed on.  One event at most; ask again until it is SOCKS_MORE, also when the proxy has
 * said something. */
enum socks_event socks_client(struct socks_talk *t, const uint8_t *held, size_t len, size_t *used);

/* What the proxy says, in any portions: how many of the bytes are SOCKS and not the tunnel's. */
size_t socks_proxy(struct socks_talk *t, const void *bytes, size_t len);

#endif
