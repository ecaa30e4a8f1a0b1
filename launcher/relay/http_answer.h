/* An HTTP proxy's answer to CONNECT: is there a tunnel from now on?
 *
 * Bytes in, values out: no system call, no allocation.  A struct belongs to one request, so to one thread at a time; all zero is its beginning.
 * The proxy is not the enemy here: it is the one that the user has configured.  Still nothing is a tunnel that it has not called one. */
#ifndef RELAY_HTTP_ANSWER_H
#define RELAY_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ANSWER_MAX (64 * 1024) /* ours: a head that is longer is none */

enum http_answer_verdict {
	HTTP_ANSWER_MORE,
	HTTP_ANSWER_TUNNEL, /* 2xx, and the end of its head */
	HTTP_ANSWER_OTHER,  /* another status, or no HTTP: the rest is not read */
};

struct http_answer {
	unsigned status; /* of the last head, as far as it was read */

	/* The reader's own. */
	enum http_answer_verdict verdict;
	char line[sizeof "HTTP/1.1 200"];
	size_t have, total; /* of the line; of all heads */
	bool past_status;   /* the status line is over */
};

/* The next len bytes from the proxy, in any portions; *used: those that are not the tunnel's.  Once it is not HTTP_ANSWER_MORE it stays what it is, with *used 0. */
enum http_answer_verdict http_answer_feed(struct http_answer *a, const void *bytes, size_t len, size_t *used);

#endif
