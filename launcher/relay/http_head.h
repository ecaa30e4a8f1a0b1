/* The head of one HTTP/1.x request, judged line by line: whom it is for, how long its body is (RFC 9110, 9112).
 *
 * Hostile bytes in, values out: no system call, no allocation.  A struct belongs to one request, so to one thread at a time; all zero is its beginning.
 *
 * Strict: of one stream of bytes a lenient server must not be able to read other requests, or another host, than this reader does.  So what RFC 9112 lets a
 * recipient repair is refused, and so is the little that it allows but that servers are known to differ in (a body of GET, a header named in Connection). */
#ifndef RELAY_HTTP_HEAD_H
#define RELAY_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/hostname.h"

#define HTTP_METHOD_MAX 24     /* the longest that is registered has 17 letters */
#define HTTP_FIELDS_MAX 128    /* ours */
#define HTTP_TRAILERS_MAX 16   /* ours */
#define HTTP_LENGTH_DIGITS 18  /* ours: below 2^63 whatever the digits */

enum http_fault {
	HTTP_FINE,
	HTTP_BAD_LINE_END,     /* a CR or an LF alone */
	HTTP_BAD_CONTROL,      /* a NUL or another control character */
	HTTP_BAD_SIZE,         /* a head, a chunk's line or trailers too long */
	HTTP_BAD_LINES,        /* too many lines */
	HTTP_BAD_EMPTY_LINES,  /* more than one before a request */
	HTTP_BAD_REQUEST_LINE, /* not METHOD SP TARGET SP VERSION */
	HTTP_BAD_METHOD,
	HTTP_BAD_TARGET,
	HTTP_BAD_VERSION,      /* not HTTP/1.0 or HTTP/1.1 */
	HTTP_BAD_HTTP2,        /* the preface of HTTP/2 */
	HTTP_BAD_FIELD,        /* no NAME ":", or other characters in it than a token's; Content_Length, which some servers take for Content-Length */
	HTTP_BAD_FOLDED,       /* a line that goes on the one before */
	HTTP_BAD_HOSTS,        /* no Host, or more than one */
	HTTP_BAD_HOST,         /* which is no host name */
	HTTP_BAD_ADDRESS,      /* but an address */
	HTTP_BAD_PORT,
	HTTP_BAD_MISMATCH,     /* the target's host and Host differ */
	HTTP_BAD_LENGTH,       /* Content-Length: twice, or not a plain number */
	HTTP_BAD_ENCODING,     /* Transfer-Encoding: twice, not "chunked", or in HTTP/1.0 */
	HTTP_BAD_FRAMING,      /* both of them */
	HTTP_BAD_BODY,         /* of a request that has none: GET, HEAD, TRACE, CONNECT */
	HTTP_BAD_CONNECTION,   /* Connection names a header that every recipient has to see */
	HTTP_BAD_EXPECT,       /* Expect: not "100-continue" */
	HTTP_BAD_CHUNK,        /* no chunk's size, or not the end of the one before */
	HTTP_BAD_TRAILER,      /* a field that may not stand there */
	HTTP_BAD_TUNNEL,       /* more after a request whose answer may end HTTP */
	HTTP_BAD_CALL,         /* the caller gave fewer bytes than it had given before */
	HTTP_FAULTS,
};

/* For a record: "more than one Host, or none". */
const char *http_fault_text(enum http_fault fault);

struct http_request {
	char method[HTTP_METHOD_MAX]; /* capital letters and '-' */
	char host[HOST_TEXT_MAX];     /* as host_normal makes it; where addresses are taken, one as inet_ntop does */
	unsigned port;                /* 0: none was written */
	bool connect;                 /* CONNECT host:port, as a proxy is asked */
	bool tunnel;                  /* CONNECT or Upgrade: what follows need not be HTTP */
};

struct http_head {
	struct http_request request;
	bool chunked;
	uint64_t length; /* of a body that is not chunked */

	bool addresses; /* the caller's, before the first line: a host may be an address, in its usual form */

	/* The reader's own. */
	unsigned lines;
	bool old;                  /* HTTP/1.0 */
	bool has_target, has_host; /* the target names a host; there was a Host */
	bool has_length;
};

/* The next line, without its CRLF and not empty: the caller has seen to it that it holds no control character but tabs. */
enum http_fault http_head_line(struct http_head *h, const char *line, size_t len);
/* The empty line has come: is it a request?  Only then the values count. */
enum http_fault http_head_end(const struct http_head *h);

/* A line of a chunked body, as http_head_line's.  *size: of the chunk, below 2^31; 0 is the last. */
enum http_fault http_chunk_line(const char *line, size_t len, uint64_t *size);
enum http_fault http_trailer_line(const char *line, size_t len);

#endif
