#include "hello_answer.h"

#include <string.h>

#define RECORD_MAX ((1 << 14) + 256) /* RFC 8446 section 5.2 */

enum { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };
enum { MESSAGE_SERVER_HELLO = 2, MESSAGE_HEADER = 4, RANDOM_AT = 6 };

/* The random bytes of a ServerHello that is a HelloRetryRequest: SHA-256 of that word (RFC 8446 section 4.1.3). */
static const uint8_t retry[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static enum hello_answer_verdict take_header(struct hello_answer *a, uint8_t byte)
{
	a->header[a->header_have++] = byte;
	if (a->header_have < sizeof a->header)
		return HELLO_ANSWER_MORE;
	a->header_have = 0;
	a->record_left = (size_t)a->header[3] << 8 | a->header[4];
	if (a->header[0] < RECORD_CHANGE_CIPHER_SPEC || a->header[0] > RECORD_HANDSHAKE || a->header[1] != 3 || !a->record_left || a->record_left > RECORD_MAX)
		return HELLO_ANSWER_OTHER;
	return HELLO_ANSWER_MORE;
}

static enum hello_answer_verdict judge(struct hello_answer *a)
{
	size_t size = MESSAGE_HEADER + ((size_t)a->message[1] << 16 | (size_t)a->message[2] << 8 | a->message[3]);

	if (memcmp(a->message + RANDOM_AT, retry, sizeof retry))
		return HELLO_ANSWER_FINAL;
	if (size < HELLO_ANSWER_HEAD)
		return HELLO_ANSWER_OTHER;
	a->skip = size - HELLO_ANSWER_HEAD;
	a->have = 0;
	return HELLO_ANSWER_MORE;
}

static enum hello_answer_verdict take_payload(struct hello_answer *a, uint8_t byte)
{
	a->record_left--;
	/* An alert before the hello is a warning, "unrecognized name"; a ChangeCipherSpec goes with a HelloRetryRequest. */
	if (a->header[0] != RECORD_HANDSHAKE)
		return HELLO_ANSWER_MORE;
	if (a->skip) {
		a->skip--;
		return HELLO_ANSWER_MORE;
	}
	a->message[a->have++] = byte;
	if (a->message[0] != MESSAGE_SERVER_HELLO)
		return HELLO_ANSWER_OTHER;
	return a->have == HELLO_ANSWER_HEAD ? judge(a) : HELLO_ANSWER_MORE;
}

enum hello_answer_verdict hello_answer_feed(struct hello_answer *a, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len && a->verdict == HELLO_ANSWER_MORE; i++)
		a->verdict = a->record_left ? take_payload(a, at[i]) : take_header(a, at[i]);
	return a->verdict;
}
