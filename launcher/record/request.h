/* The head of an HTTP request as Python's http.client is going to send it: what a record says of it.  Pure; the bytes are hostile, and nothing is decided
 * by them (whom a connection is for is launcher/relay's business, which is strict). */
#ifndef RECORD_REQUEST_H
#define RECORD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_URL_MAX 2048 /* of a longer one only the host is told: what a redactor does not see whole it does not know */
#define REQUEST_HEAD_MAX 16384

struct request_view {
	char method[24];
	char url[REQUEST_URL_MAX]; /* as it is: request_clean */
	char host[256]; /* without a port; "": it names none */
	uint64_t bytes; /* its Content-Length; 0: none */
};

/* bytes: at most REQUEST_HEAD_MAX of them are looked at, and what is missing behind is no fault.  False: no request begins here. */
bool request_decode(const char *bytes, size_t len, bool tls, struct request_view *out);

/* What is written down of a URL, once known secrets are taken out of it (a part of one nobody would know): no user and password; for query and fragment `?…`; and
 * `…` for each component of the path that may be a token: 24 or more characters of one in a row, with letters and digits. */
void request_clean(const char *url, char out[REQUEST_URL_MAX]);

#endif
