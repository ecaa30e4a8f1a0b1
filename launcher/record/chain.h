/* A secret read, made fit to travel, a host looked up, a connection made: the steps of a theft.  Pure. */
#ifndef RECORD_CHAIN_H
#define RECORD_CHAIN_H

#include "launcher/record/event.h"

enum chain_step {
	CHAIN_NONE,
	CHAIN_READ_NAME, /* a secret variable by its name */
	CHAIN_READ_FILE, /* a file of secrets: what was got is a decoy, or under --audit the thing itself */
	CHAIN_READ_ALL,  /* the whole environment, as honest builds do too */
	CHAIN_ENCODE,
	CHAIN_RESOLVE,
	CHAIN_CONNECT,
	CHAIN_SEND,
};

enum chain_step chain_step(const struct event *ev);
const char *chain_step_name(enum chain_step s); /* "read" "encode" "resolve" "connect" "send"; "" for none */

static inline bool chain_reads(enum chain_step s) { return s >= CHAIN_READ_NAME && s <= CHAIN_READ_ALL; }
/* Can what was read leave by such an attempt: the network, another process's socket, a decoy that was seen? */
static inline bool chain_ends(enum chain_step s) { return s >= CHAIN_RESOLVE; }

/* Attempts of one package: of the same name, version and role, or one is of a build requirement of the other's; where there is no name, of the same role. */
bool chain_same_package(const struct event *a, const struct event *b);
/* Both name a host, and the same. */
bool chain_same_host(const struct event *a, const struct event *b);

#endif
