/* The server's name in a TLS ClientHello: what a relay has to see before it passes a connection's first byte on.
 *
 * Hostile bytes in, values out: no system call, no allocation.  A struct belongs to one connection, so to one thread at a time; all zero is its beginning.
 * Nothing is altered: the caller keeps what it was sent and passes that on once it likes the name.
 *
 * Strict: a real client passes, and whatever a real server could read otherwise than this reader is HELLO_BAD, a server that would refuse it included.
 * TLS 1.0 to 1.3 (RFC 2246, 4346, 5246, 8446), the name by RFC 6066 section 3, values that stand for nothing (GREASE, RFC 8701) like any other.
 *
 * What the name proves is bounded by TLS itself.  It is that of the first hello: after a HelloRetryRequest a client sends a second one in the clear, and in
 * TLS 1.2 it may negotiate anew under encryption; RFC 8446 section 4.1.2 forbids the second another name, but not every server looks.  What is asked for
 * inside the encryption (HTTP's Host) nobody sees but the server. */
#ifndef RELAY_CLIENT_HELLO_H
#define RELAY_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/hostname.h"

#define HELLO_BODY_MAX (16 * 1024) /* ours: with a post-quantum key share a hello has some 2 kB, and a ticket can have 64 kB but never has */
#define HELLO_RECORDS_MAX 32       /* ours: one is usual, and two or three where one does not fit a segment */
#define HELLO_EXTENSIONS_MAX 128   /* ours: browsers send 20 */
#define HELLO_WIRE_MAX (HELLO_RECORDS_MAX * 5 + 4 + HELLO_BODY_MAX) /* what a caller has to keep at most */

enum hello_verdict {
	HELLO_MORE, /* all was taken, and the hello goes on */
	HELLO_NAME, /* name */
	HELLO_NONE, /* a hello that names no server */
	HELLO_BAD,  /* fault */
};

enum hello_fault {
	HELLO_FINE,
	HELLO_BAD_TLS,            /* does not begin with a handshake record of TLS: another protocol, SSLv2's hello */
	HELLO_BAD_RECORD_TYPE,    /* an alert or other data before the hello's end */
	HELLO_BAD_RECORD_VERSION, /* not 3.1 to 3.3, or not that of the first record */
	HELLO_BAD_RECORD_LENGTH,  /* empty, or above 2^14 (RFC 8446 section 5.1) */
	HELLO_BAD_RECORDS,        /* too many */
	HELLO_BAD_MESSAGE,        /* another handshake message than a hello */
	HELLO_BAD_SIZE,           /* above HELLO_BODY_MAX */
	HELLO_BAD_BEHIND,         /* the record goes on behind the hello (RFC 8446 section 5.1: it must not) */
	HELLO_BAD_VERSION,        /* of the client: not 3.1 to 3.3; TLS 1.3 says 3.3 there */
	HELLO_BAD_LENGTHS,        /* a length leads out of what holds it, or leaves a rest */
	HELLO_BAD_FIELDS,         /* session, cipher suites, compression */
	HELLO_BAD_EXTENSIONS,     /* too many */
	HELLO_BAD_TWICE,          /* one extension two times (RFC 8446 section 4.2) */
	HELLO_BAD_KEY_ORDER,      /* something behind pre_shared_key (RFC 8446 section 4.2.11) */
	HELLO_BAD_NAMES,          /* server_name does not hold exactly one host_name */
	HELLO_BAD_NAME,           /* which is no host name */
	HELLO_BAD_ADDRESS,        /* or an address */
	HELLO_FAULTS,
};

struct client_hello {
	char name[HOST_TEXT_MAX]; /* HELLO_NAME: as host_normal makes it; "" otherwise */
	bool encrypted;           /* HELLO_NAME, HELLO_NONE: another hello is hidden in it (ECH, or a browser's imitation of it), and name is only the outer one */
	size_t length;            /* how many bytes of the stream were taken: of a complete hello its records with their headers */
	enum hello_fault fault;   /* HELLO_BAD */

	/* The reader's own. */
	enum hello_verdict verdict;
	uint8_t header[5], version;
	unsigned header_have, records;
	size_t record_left, have; /* of the record's payload; of the message */
	uint8_t message[4 + HELLO_BODY_MAX];
};

/* The next len bytes from the client, in any portions.  *used: how many of them belong to the hello, or were looked at when it was found bad; what follows
 * a complete hello (early data) is not judged.  Once it is not HELLO_MORE it stays what it is, with *used 0.  Each byte is looked at a few times at most. */
enum hello_verdict client_hello_feed(struct client_hello *h, const void *bytes, size_t len, size_t *used);

/* For a record: "no handshake record of TLS". */
const char *hello_fault_text(enum hello_fault fault);

#endif
