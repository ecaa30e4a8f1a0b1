/* A connection's HTTP/1.x from client to server, request after request: each one's host is known before a byte of it is passed on.
 *
 * Hostile bytes in, values out: no system call, no allocation.  A struct belongs to one connection, so to one thread at a time; all zero is its beginning.
 * What is refused and why: http_head.h.
 *
 * The caller holds what it was sent in one buffer of HTTP_HELD_MAX bytes or more and gives it from its first byte that was not yet used, more of it each time:
 *
 *	HTTP_NEED_MORE  all of it is held on; receive more, behind it.  Never with HTTP_HELD_MAX bytes or more
 *	HTTP_REQUEST    the first `used` bytes are a head, to be passed on if the caller likes `request`
 *	HTTP_BODY       the first `used` bytes may be passed on, and behind them `pass` bytes unseen: they are not given here
 *	HTTP_BAD        fault; nothing of what is held is to be passed on, now or later
 *
 * Behind a request whose `tunnel` is set nothing is read: it is the caller's to refuse it, or to be a proxy and make the tunnel. */
#ifndef RELAY_HTTP_STREAM_H
#define RELAY_HTTP_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "http_head.h"

#define HTTP_HEAD_MAX (16 * 1024)  /* ours, twice what servers take at most (8 kB in nginx and Apache); with one empty line before it */
#define HTTP_CHUNK_LINE_MAX 256    /* ours: the end of the chunk before, and a size with its extensions */
#define HTTP_HELD_MAX HTTP_HEAD_MAX /* of the last chunk with the trailers as well */

enum http_event { HTTP_NEED_MORE, HTTP_REQUEST, HTTP_BODY, HTTP_BAD };

struct http_stream {
	struct http_request request; /* HTTP_REQUEST */
	uint64_t pass;               /* HTTP_BODY */
	enum http_fault fault;       /* HTTP_BAD */
	bool addresses;              /* the caller's, at the beginning: as struct http_head has it */

	/* The machine's own. */
	enum { HTTP_AT_HEAD, HTTP_AT_BODY, HTTP_AT_CHUNK, HTTP_AT_CHUNK_END, HTTP_AT_TRAILER, HTTP_AT_TUNNEL, HTTP_AT_FAULT } state;
	size_t seen, line;           /* of what is held: how much was looked at, where the line begins */
	bool empty_line, cr;         /* one came before this head; the last byte was a CR */
	unsigned trailers;
	struct http_head head;
};

/* One event at most.  Each byte is looked at a fixed number of times, however it comes.  len may be 0: after HTTP_REQUEST that asks for the body. */
enum http_event http_feed(struct http_stream *s, const void *bytes, size_t len, size_t *used);

#endif
