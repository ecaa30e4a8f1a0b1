/* A TLS server's first answer: may the client say another hello in the clear?
 *
 * A HelloRetryRequest (RFC 8446 section 4.1.4) asks for a second one, and a client may send that before it was asked.  A ServerHello ends it: what a server
 * then reads as a hello in the clear it refuses, in TLS 1.3 because all is encrypted and in those before because it is in the midst of a handshake.
 *
 * Bytes in, values out: no system call, no allocation.  A struct belongs to one connection, so to one thread at a time; all zero is its beginning.
 * The server is not the enemy here: it is the allowed host's.  Still nothing follows from an answer that is not understood. */
#ifndef RELAY_HELLO_ANSWER_H
#define RELAY_HELLO_ANSWER_H

#include <stddef.h>
#include <stdint.h>

enum hello_answer_verdict {
	HELLO_ANSWER_MORE,  /* alerts, a HelloRetryRequest, an answer that is not complete: another hello may come */
	HELLO_ANSWER_FINAL, /* a ServerHello */
	HELLO_ANSWER_OTHER, /* anything else: another hello may come, and no more is learnt here */
};

#define HELLO_ANSWER_HEAD (4 + 2 + 32) /* a message's header, the version, the random bytes that tell the two kinds apart */

struct hello_answer {
	/* The reader's own. */
	enum hello_answer_verdict verdict;
	uint8_t header[5], message[HELLO_ANSWER_HEAD];
	size_t header_have, have;
	size_t record_left, skip; /* of the record's payload; of the message behind its head */
};

/* The next len bytes from the server, in any portions.  Once it is not HELLO_ANSWER_MORE it stays what it is. */
enum hello_answer_verdict hello_answer_feed(struct hello_answer *a, const void *bytes, size_t len);

#endif
