#include "client_hello.h"

#include <string.h>

#define RECORD_HANDSHAKE 22
#define RECORD_MAX (1 << 14)
#define MESSAGE_CLIENT_HELLO 1
#define MESSAGE_HEADER 4 /* a type and three bytes of length */
#define SESSION_MAX 32   /* RFC 8446 section 4.1.2, as in all versions */

enum { EXTENSION_SERVER_NAME = 0, EXTENSION_PRE_SHARED_KEY = 41 };

const char *hello_fault_text(enum hello_fault fault)
{
	static const char *const text[HELLO_FAULTS] = {
		[HELLO_FINE] = "nothing",
		[HELLO_BAD_TLS] = "no handshake record of TLS",
		[HELLO_BAD_RECORD_TYPE] = "another record before the hello's end",
		[HELLO_BAD_RECORD_VERSION] = "a record's version",
		[HELLO_BAD_RECORD_LENGTH] = "an empty or over-long record",
		[HELLO_BAD_RECORDS] = "too many records",
		[HELLO_BAD_MESSAGE] = "a handshake message that is no hello",
		[HELLO_BAD_SIZE] = "an over-long hello",
		[HELLO_BAD_BEHIND] = "more in the record that ends the hello",
		[HELLO_BAD_VERSION] = "the hello's version",
		[HELLO_BAD_LENGTHS] = "lengths that do not add up",
		[HELLO_BAD_FIELDS] = "an impossible session, cipher or compression list",
		[HELLO_BAD_EXTENSIONS] = "too many extensions",
		[HELLO_BAD_TWICE] = "one extension twice",
		[HELLO_BAD_KEY_ORDER] = "an extension behind the pre-shared key",
		[HELLO_BAD_NAMES] = "not exactly one server name",
		[HELLO_BAD_NAME] = "a server name that is no host name",
		[HELLO_BAD_ADDRESS] = "an address for a server name",
	};

	return (unsigned)fault < HELLO_FAULTS ? text[fault] : "?";
}

/* --- the message ------------------------------------------------------------------------------- */

/* What is still to be read of something that has an end. */
struct span {
	const uint8_t *at;
	size_t left;
};

static bool take(struct span *from, size_t n, struct span *out)
{
	if (n > from->left)
		return false;
	*out = (struct span){from->at, n};
	from->at += n;
	from->left -= n;
	return true;
}

/* A number of one or more bytes, the highest first. */
static bool take_number(struct span *from, unsigned bytes, size_t *out)
{
	struct span digits;

	if (!take(from, bytes, &digits))
		return false;
	*out = 0;
	for (size_t i = 0; i < digits.left; i++)
		*out = *out << 8 | digits.at[i];
	return true;
}

/* What RFC 8446 section 3.4 calls a vector: its length in so many bytes, then itself. */
static bool take_vector(struct span *from, unsigned bytes, struct span *out)
{
	size_t n;

	return take_number(from, bytes, &n) && take(from, n, out);
}

/* RFC 6066 section 3 leaves room for other kinds of names and for several entries.  Nobody sends them, and servers differ in which they take. */
static enum hello_fault read_server_name(struct client_hello *h, struct span data)
{
	struct span list, name;
	size_t kind;

	if (!take_vector(&data, 2, &list) || data.left || !take_number(&list, 1, &kind) || kind || !take_vector(&list, 2, &name) || list.left)
		return HELLO_BAD_NAMES;
	switch (host_read(name.at, name.left, h->name)) {
	case HOST_NAME:
		return HELLO_FINE;
	case HOST_ADDRESS:
		return HELLO_BAD_ADDRESS;
	case HOST_NEITHER:
		break;
	}
	return HELLO_BAD_NAME;
}

/* encrypted_client_hello (RFC 9849), the numbers that its drafts had, and that of encrypted_server_name before it. */
static bool hides_a_name(size_t type)
{
	return (type >= 0xfe08 && type <= 0xfe0d) || type == 0xffce;
}

static enum hello_fault read_extensions(struct client_hello *h, struct span list)
{
	uint16_t seen[HELLO_EXTENSIONS_MAX];
	size_t count = 0;

	while (list.left) {
		struct span data;
		size_t type;

		if (!take_number(&list, 2, &type) || !take_vector(&list, 2, &data))
			return HELLO_BAD_LENGTHS;
		if (count == HELLO_EXTENSIONS_MAX)
			return HELLO_BAD_EXTENSIONS;
		for (size_t i = 0; i < count; i++) {
			if (seen[i] == type)
				return HELLO_BAD_TWICE;
		}
		seen[count++] = (uint16_t)type;
		if (type == EXTENSION_PRE_SHARED_KEY && list.left)
			return HELLO_BAD_KEY_ORDER;
		if (hides_a_name(type))
			h->encrypted = true;
		enum hello_fault fault = type == EXTENSION_SERVER_NAME ? read_server_name(h, data) : HELLO_FINE;
		if (fault != HELLO_FINE)
			return fault;
	}
	return HELLO_FINE;
}

static bool is_version(size_t version)
{
	return version >= 0x0301 && version <= 0x0303;
}

static enum hello_fault read_message(struct client_hello *h)
{
	struct span body = {h->message + MESSAGE_HEADER, h->have - MESSAGE_HEADER};
	struct span random, session, ciphers, compression, extensions;
	size_t version;

	if (!take_number(&body, 2, &version))
		return HELLO_BAD_LENGTHS;
	if (!is_version(version))
		return HELLO_BAD_VERSION;
	if (!take(&body, 32, &random) || !take_vector(&body, 1, &session) || !take_vector(&body, 2, &ciphers) || !take_vector(&body, 1, &compression))
		return HELLO_BAD_LENGTHS;
	/* Compression 0 is none, which every client has to offer. */
	if (session.left > SESSION_MAX || ciphers.left < 2 || ciphers.left % 2 || !memchr(compression.at, 0, compression.left))
		return HELLO_BAD_FIELDS;
	if (!body.left)
		return HELLO_FINE; /* before TLS 1.3 there may be no extensions at all (RFC 5246 section 7.4.1.2) */
	if (!take_vector(&body, 2, &extensions) || body.left)
		return HELLO_BAD_LENGTHS;
	return read_extensions(h, extensions);
}

/* --- the records ------------------------------------------------------------------------------- */

/* Judged byte by byte, so that a fault is found at the same place however the bytes come. */
static enum hello_fault take_header(struct client_hello *h, uint8_t byte)
{
	h->header[h->header_have++] = byte;
	switch (h->header_have) {
	case 1:
		if (byte != RECORD_HANDSHAKE)
			return h->records ? HELLO_BAD_RECORD_TYPE : HELLO_BAD_TLS;
		return h->records++ == HELLO_RECORDS_MAX ? HELLO_BAD_RECORDS : HELLO_FINE;
	case 2:
		return byte == 3 ? HELLO_FINE : h->records == 1 ? HELLO_BAD_TLS : HELLO_BAD_RECORD_VERSION;
	case 3:
		if (h->records == 1)
			h->version = byte;
		return byte == h->version && is_version(0x0300u | byte) ? HELLO_FINE : HELLO_BAD_RECORD_VERSION;
	case 4:
		return HELLO_FINE;
	default:
		h->header_have = 0;
		h->record_left = (size_t)h->header[3] << 8 | byte;
		return h->record_left && h->record_left <= RECORD_MAX ? HELLO_FINE : HELLO_BAD_RECORD_LENGTH;
	}
}

/* The message's whole size as its header tells it; the header alone while that is incomplete. */
static size_t message_size(const struct client_hello *h)
{
	if (h->have < MESSAGE_HEADER)
		return MESSAGE_HEADER;
	return MESSAGE_HEADER + ((size_t)h->message[1] << 16 | (size_t)h->message[2] << 8 | h->message[3]);
}

/* Takes up to n bytes of the record's payload, one at a time where each decides. */
static size_t take_payload(struct client_hello *h, const uint8_t *bytes, size_t n)
{
	size_t missing = message_size(h) - h->have;

	if (n > h->record_left)
		n = h->record_left;
	if (n > missing)
		n = missing;
	if (h->have < MESSAGE_HEADER)
		n = 1;
	memcpy(h->message + h->have, bytes, n);
	h->have += n;
	h->record_left -= n;
	return n;
}

static enum hello_verdict judge(struct client_hello *h)
{
	if (h->message[0] != MESSAGE_CLIENT_HELLO)
		h->fault = HELLO_BAD_MESSAGE;
	else if (message_size(h) > sizeof h->message)
		h->fault = HELLO_BAD_SIZE;
	else if (h->have < MESSAGE_HEADER || h->have < message_size(h))
		return HELLO_MORE;
	else
		h->fault = h->record_left ? HELLO_BAD_BEHIND : read_message(h);
	if (h->fault != HELLO_FINE)
		return HELLO_BAD;
	return h->name[0] ? HELLO_NAME : HELLO_NONE;
}

enum hello_verdict client_hello_feed(struct client_hello *h, const void *bytes, size_t len, size_t *used)
{
	const uint8_t *at = bytes;
	size_t done = 0;

	while (done < len && h->verdict == HELLO_MORE) {
		if (h->record_left) {
			done += take_payload(h, at + done, len - done);
			h->verdict = judge(h);
		} else {
			h->fault = take_header(h, at[done++]);
			h->verdict = h->fault == HELLO_FINE ? HELLO_MORE : HELLO_BAD;
		}
	}
	if (h->verdict == HELLO_BAD) {
		h->name[0] = '\0'; /* what was read before the fault is nobody's name */
		h->encrypted = false;
	}
	h->length += done;
	*used = done;
	return h->verdict;
}
