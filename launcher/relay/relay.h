/* One thread that carries connections between sandboxed clients and allowed outside hosts, each after its client's first bytes have named the host that was
 * resolved (relay_check.h), and as long as they do.
 *
 * What a server says before is held back unread: those of TLS and HTTP say nothing.  A client that says nothing for RELAY_SILENCE_MS before anything was let
 * through is closed.  After that a connection may be idle for ever; TCP's keep-alive finds peers that are gone.  An end of stream is passed on as one, when
 * all before it was; a reset as a reset, and then what the other end has not yet received may be lost, as TCP has it.
 *
 * Descriptors: two for a connection, four for the relay.  Memory: 36 kB for a connection while it is checked (of TLS the first bytes, of HTTP all), and
 * RELAY_CHUNK at most for each direction whose receiver is slow; where decoys are looked for, up to 66 kB for what the client said last.
 *
 * Callbacks run on the relay's thread, with no lock of the relay's held: they may call relay_add, but neither relay_drop nor relay_stop.  For each connection
 * that was taken over one of the two is called, once, when both its sockets are closed.  Texts are valid during the call. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/needle.h"
#include "relay_check.h"

#define RELAY_MAX 1024         /* connections in a run; fewer where they would take more than half of the descriptors that the process may have */
#define RELAY_MAX_EACH 256     /* of one `whose` */
#define RELAY_SILENCE_MS 60000

struct relay;

struct relay_connection {
	int client;       /* accepted from the sandbox's network namespace: a connected stream socket, close-on-exec, in either mode */
	int outside;      /* connected to an address of the host's: the same */
	const char *host; /* that was resolved, as host_normal makes it; of an opaque one or a proxy any text, an address too; copied */
	unsigned port;
	bool opaque;      /* no check: the policy says so */
	enum relay_proxy proxy; /* what is asked of it is judged by `may` */
	const struct needles *needles; /* decoys that are looked for in what the client says in the clear; outlive the connection.  NULL: none */
	void *whose;      /* given back, and what relay_drop goes by */
	unsigned id;      /* given back */
};

/* Bytes that the outside and the client took. */
struct relay_moved {
	uint64_t sent, received;
};

/* Nothing of what was found to be wrong was passed on, nor anything behind it: of TLS and of a first request nothing at all.  The client gets a reset, or of what
 * it asked a proxy for that proxy's words for no. */
struct relay_refusal {
	const char *host;
	unsigned port, id;
	const char *name;         /* that was seen, or "" */
	unsigned asked_port;      /* not 0: it is a host that the proxy was asked for, at this port, and `may` has said no */
	const char *tunnel;       /* the host that the proxy was asked for before, or "" */
	const char *why;          /* static: "another server's name" */
	struct relay_moved moved; /* before: by good requests, or behind a good first hello */
	const struct needle_hits *decoys; /* that were found in what the client said; NULL: none */
};

struct relay_ended {
	const char *host;
	unsigned port, id;
	struct relay_moved moved;
	const struct needle_hits *decoys; /* as above */
	bool stopped; /* for them; what they were found in was not passed on */
};

struct relay_calls {
	void (*refused)(void *whose, const struct relay_refusal *refusal);
	void (*ended)(void *whose, const struct relay_ended *ended);
	enum relay_may (*may)(void *whose, const char *host, unsigned port); /* of what proxies are asked for: relay_check.h.  NULL where there are none */
	unsigned silence_ms; /* 0: RELAY_SILENCE_MS; the tests are less patient */
};

/* Starts the thread, which takes no signals.  0 or -errno. */
int relay_start(struct relay **out, const struct relay_calls *calls);

/* Any thread; never blocks for long.  0: both sockets are the relay's now.  -errno: they stay the caller's, in whatever mode; -EAGAIN: a bound
 * is reached. */
int relay_add(struct relay *r, const struct relay_connection *c);

/* Any thread but the relay's.  Cuts what is left of whose connections, with their callbacks; when it returns none of those can run any more.  The caller adds
 * none for `whose` from its call on, and holds no lock that a callback takes. */
void relay_drop(struct relay *r, const void *whose);

/* The same for all, then ends the thread and frees.  Nobody else may be in a call.  NULL: nothing. */
void relay_stop(struct relay *r);

#endif
