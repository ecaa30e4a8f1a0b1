/* DNS on the wire: a question is read as hostile bytes, an answer is built into the caller's buffer.
 * RFC 1035, 2181, EDNS0 of RFC 6891.  Pure: no allocation, no clock, nothing kept; thread-safe; fuzzed.
 *
 * What a stub resolver has to know and no more: one question a message, addresses and names as answers.  Every message that is a query at all
 * can be answered, for a client that hears nothing waits and asks again; what is not one must not be, or two servers could answer each other's
 * answers for ever. */
#ifndef NAMES_DNS_H
#define NAMES_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/pw_event.h"

#define DNS_HEADER 12
#define DNS_NAME_MAX 255                   /* bytes of a name on the wire, the root's zero with it */
#define DNS_QUESTION_MAX (DNS_NAME_MAX + 4)
#define DNS_TEXT_MAX 1004                  /* 250 bytes in four labels, each as \DDD; three dots, NUL */
#define DNS_TYPE_TEXT 16
#define DNS_UDP_PLAIN 512                  /* what a client without EDNS takes */
#define DNS_UDP_MAX 1232                   /* and what is sent at most: no fragments on any IPv6 path */
#define DNS_TCP_MAX 65535

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41 };
enum dns_class { DNS_IN = 1 };

enum dns_rcode {
	DNS_DROP = -1, /* no RCODE: nothing may be answered */
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16, /* only to a question with EDNS */
};

struct dns_question {
	uint16_t id, type, class;
	uint8_t opcode;
	bool recurse, no_check; /* RD, CD */
	bool edns, dnssec;      /* there is an OPT record; its DO bit */
	uint16_t udp_size;      /* as the OPT record says; 0 without one */
	unsigned labels;
	/* In small letters, without the dot at the end; "" is the root.  A byte that is no letter, digit, '-' or '_' is \DDD (RFC 4343), so it is
	 * printable, a dot is always between labels, and no two names have one text but those that DNS takes for the same. */
	char name[DNS_TEXT_MAX];
	uint16_t wire_len; /* 0: what is wrong came before the question's end */
	uint8_t wire[DNS_QUESTION_MAX]; /* name, type and class as they came: clients compare the spelling (0x20) */
};

/* Reads a message (without the length that TCP puts before it).  DNS_NOERROR: *out is whole.  DNS_DROP: *out says nothing.  Else the RCODE to
 * answer with; *out is then good for dns_answer_code alone, and holds the question if that could be read. */
enum dns_rcode dns_read_question(const void *message, size_t len, struct dns_question *out);
/* The name as it was spelled, for what looks at its letters; else like `name`. */
void dns_spelling(const struct dns_question *q, char out[DNS_TEXT_MAX]);

/* "A", "AAAA", "TXT" …, "TYPE65400" (RFC 3597). */
const char *dns_type_name(uint16_t type, char out[DNS_TYPE_TEXT]);

/* The address that a name below in-addr.arpa or ip6.arpa (as in `name`) stands for.  False: it is none, or only a part of one. */
bool dns_reverse_address(const char *name, struct pw_address *out);

/* How an answer goes.  Over UDP one that is longer than the client takes becomes an empty one with TC set, and the client comes again over TCP. */
enum dns_transport { DNS_UDP, DNS_TCP };
/* The longest message that may be sent: 512 over UDP without EDNS, else what the client takes, 512 to 1232; 65535 over TCP. */
size_t dns_room(const struct dns_question *q, enum dns_transport how);

/* Builders.  Each repeats the question as it was spelled, with its id, RD and CD; RA is set, AA never; an OPT record only where there was one.
 * They return the length of the message, or -ENOSPC: it does not fit into size bytes (DNS_UDP_MAX are enough for UDP); -EMSGSIZE: nor into one of
 * TCP; -EINVAL: no such answer can be given to it. */

/* DNS_NOERROR: the name exists and has nothing of that type.  -EINVAL: DNS_DROP, DNS_BADVERS without EDNS. */
int dns_answer_code(const struct dns_question *q, enum dns_rcode code, void *out, size_t size);
/* count addresses one behind the other, of 4 bytes each for a question of type A, of 16 for AAAA; -EINVAL: another type, or another class than IN.
 * ttl: seconds, at most 2^31-1. */
int dns_answer_addresses(const struct dns_question *q, enum dns_transport how, const void *addresses, size_t count, uint32_t ttl,
                         void *out, size_t size);
/* A host name (letters, digits, '-', '_') to a question of type PTR. */
int dns_answer_name(const struct dns_question *q, enum dns_transport how, const char *name, uint32_t ttl, void *out, size_t size);

/* Over TCP a message has its length before it, in two bytes (RFC 1035, 4.2.2). */
enum dns_frame {
	DNS_FRAME_MORE,  /* not all of it is there yet */
	DNS_FRAME_WHOLE, /* *message_len bytes from *offset on; the next one begins behind them */
	DNS_FRAME_BAD,   /* shorter than a header: what follows is no DNS, and where the next message begins cannot be known */
};
enum dns_frame dns_frame_take(const void *bytes, size_t len, size_t *offset, size_t *message_len);
void dns_frame_put(uint8_t out[2], size_t message_len);

#endif
