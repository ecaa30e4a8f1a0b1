/* What of a client's bytes may be passed on to the host that was resolved: only what names that host.  Or to a proxy: only what asks for hosts that the client may
 * have, and inside a tunnel to one of them what names it.
 *
 * Hostile bytes in, values out: no system call, no allocation.  A struct belongs to one connection, so to one thread at a time.
 *
 * A handshake record's first byte makes it TLS, a capital letter HTTP, anything else is refused.
 *
 * TLS: the hello's name is the host's, and no other hello may be hidden in it.  Then the client's records are followed, for after a HelloRetryRequest, or
 * without waiting for one, it can send a second hello in the clear, behind early data too: each hello names the host, each other record but a handshake's
 * passes unseen.  That ends, and all is let through, when the server has answered with a ServerHello (hello_answer.h), not before: nothing in the client's
 * own bytes proves that a server would not read another hello.  What the name then proves: client_hello.h.
 *
 * HTTP: each request's head is for the host, and for its port or none, to the connection's end.  What may end HTTP (CONNECT, Upgrade) is refused.
 *
 * An HTTP proxy: so is each request, for any host that the client may have.  CONNECT comes first or not at all, for behind another request nobody could tell
 * whose answer is whose; nothing behind it is passed on before the proxy has said that there is a tunnel.  A SOCKS proxy: socks.h, the same. */
#ifndef RELAY_CHECK_H
#define RELAY_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client_hello.h"
#include "hello_answer.h"
#include "http_answer.h"
#include "http_stream.h"
#include "socks.h"

/* What a caller has to be able to hold. */
#define RELAY_HELD_MAX (HELLO_WIRE_MAX > HTTP_HELD_MAX ? HELLO_WIRE_MAX : HTTP_HELD_MAX)

enum relay_check_event {
	RELAY_CHECK_MORE,    /* all of it is held on; receive more, behind it */
	RELAY_CHECK_PASS,    /* the first `used` bytes may be passed on, and behind them `unseen` bytes that are not given here */
	RELAY_CHECK_FREE,    /* all that is held and all that comes may be passed on */
	RELAY_CHECK_REFUSED, /* why, name; nothing of what is held is to be passed on, now or later */
};

enum relay_proxy { RELAY_NO_PROXY, RELAY_HTTP_PROXY, RELAY_SOCKS_PROXY };

/* May the client have a host of a proxy? */
enum relay_may {
	RELAY_MAY_NOT,
	RELAY_MAY,        /* and its name is looked for in the tunnel */
	RELAY_MAY_ANY,    /* an address: in the tunnel each name is looked for that the client may have */
	RELAY_MAY_UNSEEN, /* whatever is spoken there */
};

struct relay_asks {
	enum relay_proxy proxy;
	/* host: a name as host_normal makes it, or an address as inet_ntop does.  Called by relay_check_client. */
	enum relay_may (*may)(void *arg, const char *host, unsigned port);
	void *arg;
};

struct relay_check {
	uint64_t unseen;          /* RELAY_CHECK_PASS */
	const char *why;          /* RELAY_CHECK_REFUSED: for a record, static */
	char name[HOST_TEXT_MAX]; /* and the name that was seen, or "" */
	unsigned asked_port;      /* and not 0: a proxy was asked for name, at that port, and `may` has said no */
	const char *words;        /* and what the client is to be told, or NULL: nothing; words_len bytes */
	size_t words_len;

	/* The machine's own. */
	const char *host;         /* NULL: any that `may` knows */
	unsigned port;
	struct relay_asks asks;   /* RELAY_NO_PROXY also in the tunnel */
	bool free;                /* in the tunnel nothing is looked at */
	bool requests;            /* there was one */
	char asked[HOST_TEXT_MAX];
	enum { RELAY_AT_START, RELAY_AT_HELLO, RELAY_AT_RECORD, RELAY_AT_REQUESTS, RELAY_AT_SOCKS, RELAY_AT_ANSWER, RELAY_AT_REFUSAL } state;
	size_t seen; /* of what is held: what the hello's reader has taken */
	struct hello_answer answer;
	union {
		struct client_hello hello;
		struct http_stream http;
		struct socks_talk socks;
		struct http_answer connected;
	};
};

/* host, as host_normal makes it, stays the caller's and valid. */
void relay_check_init(struct relay_check *c, const char *host, unsigned port);
/* To a proxy. */
void relay_check_init_proxy(struct relay_check *c, const struct relay_asks *asks);

/* What is held: from the first byte that was not yet passed on, more of it each time.  One event at most; ask again until it is RELAY_CHECK_MORE, also
 * when the server has said something. */
enum relay_check_event relay_check_client(struct relay_check *c, const uint8_t *held, size_t len, size_t *used);

/* What the server said, before the client gets it; where that matters. */
bool relay_check_wants_server(const struct relay_check *c);
void relay_check_server(struct relay_check *c, const void *bytes, size_t len);

#endif
