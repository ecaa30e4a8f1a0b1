#include "http_head.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define CHUNK_DIGITS 8 /* ours: with the check below no server's 32-bit number wraps, signed or not */

const char *http_fault_text(enum http_fault fault)
{
	static const char *const text[HTTP_FAULTS] = {
		[HTTP_FINE] = "nothing",
		[HTTP_BAD_LINE_END] = "a line end that is not CR LF",
		[HTTP_BAD_CONTROL] = "a control character",
		[HTTP_BAD_SIZE] = "an over-long head",
		[HTTP_BAD_LINES] = "too many header lines",
		[HTTP_BAD_EMPTY_LINES] = "empty lines before a request",
		[HTTP_BAD_REQUEST_LINE] = "no request line",
		[HTTP_BAD_METHOD] = "no method",
		[HTTP_BAD_TARGET] = "a target that is none",
		[HTTP_BAD_VERSION] = "a version that is neither HTTP/1.0 nor HTTP/1.1",
		[HTTP_BAD_HTTP2] = "HTTP/2",
		[HTTP_BAD_FIELD] = "a malformed header line",
		[HTTP_BAD_FOLDED] = "a folded header line",
		[HTTP_BAD_HOSTS] = "more than one Host, or none",
		[HTTP_BAD_HOST] = "a Host that is no host name",
		[HTTP_BAD_ADDRESS] = "an address for a Host",
		[HTTP_BAD_PORT] = "a Host's port",
		[HTTP_BAD_MISMATCH] = "a target for another host than Host",
		[HTTP_BAD_LENGTH] = "Content-Length",
		[HTTP_BAD_ENCODING] = "Transfer-Encoding",
		[HTTP_BAD_FRAMING] = "Content-Length beside Transfer-Encoding",
		[HTTP_BAD_BODY] = "a body of a request that has none",
		[HTTP_BAD_CONNECTION] = "Connection with the name of a header for all",
		[HTTP_BAD_EXPECT] = "Expect",
		[HTTP_BAD_CHUNK] = "a malformed chunk",
		[HTTP_BAD_TRAILER] = "a trailer that may not be one",
		[HTTP_BAD_TUNNEL] = "more after a request that may end HTTP",
		[HTTP_BAD_CALL] = "a mistake of the relay",
	};

	return (unsigned)fault < HTTP_FAULTS ? text[fault] : "?";
}

/* --- words ------------------------------------------------------------------------------------- */

struct text {
	const char *at;
	size_t len;
};

static bool is(struct text t, const char *word)
{
	return t.len == strlen(word) && !memcmp(t.at, word, t.len);
}

static bool is_nocase(struct text t, const char *word)
{
	return t.len == strlen(word) && !strncasecmp(t.at, word, t.len);
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		if (!is_letter_or_digit(t.at[i]) && (!t.at[i] || !strchr("!#$%&'*+-.^_`|~", t.at[i])))
			return false;
	}
	return t.len != 0;
}

/* The method and the target: nothing that anybody takes for white space (Python's split() knows 0x85 and 0xa0 as well). */
static bool is_visible(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		if (t.at[i] <= ' ' || t.at[i] > '~')
			return false;
	}
	return t.len != 0;
}

/* Only the form that all read alike: four decimal numbers, or that of IPv6 in its brackets. */
static bool read_address(struct text t, char host[HOST_TEXT_MAX])
{
	bool brackets = t.len > 1 && *t.at == '[' && t.at[t.len - 1] == ']';
	int family = brackets ? AF_INET6 : AF_INET;
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (brackets)
		t = (struct text){t.at + 1, t.len - 2};
	if (t.len >= sizeof text || memchr(t.at, 0, t.len))
		return false;
	memcpy(text, t.at, t.len);
	text[t.len] = '\0';
	return inet_pton(family, text, bytes) == 1 && inet_ntop(family, bytes, host, HOST_TEXT_MAX);
}

/* How much of it is the host: an IPv6 address has colons of its own. */
static size_t host_length(struct text t)
{
	const char *end = t.len && *t.at == '[' ? memchr(t.at, ']', t.len) : NULL;
	size_t from = end ? (size_t)(end - t.at) : 0;
	const char *colon = memchr(t.at + from, ':', t.len - from);

	return colon ? (size_t)(colon - t.at) : t.len;
}

/* host[:port] */
static enum http_fault read_authority(const struct http_head *h, struct text t, char host[HOST_TEXT_MAX], unsigned *port)
{
	size_t host_len = host_length(t);

	*port = 0;
	switch (host_read(t.at, host_len, host)) {
	case HOST_ADDRESS:
		if (!h->addresses || !read_address((struct text){t.at, host_len}, host))
			return HTTP_BAD_ADDRESS;
		break;
	case HOST_NEITHER:
		return t.len && *t.at == '[' ? HTTP_BAD_ADDRESS : HTTP_BAD_HOST;
	case HOST_NAME:
		break;
	}
	return host_len == t.len || port_read(t.at + host_len + 1, t.len - host_len - 1, port) ? HTTP_FINE : HTTP_BAD_PORT;
}

/* --- the request line -------------------------------------------------------------------------- */

/* Methods are case-sensitive (RFC 9110 section 9.1), but not to every server; all that are registered are of capitals. */
static enum http_fault read_method(struct http_request *r, struct text t)
{
	if (!t.len || t.len >= sizeof r->method)
		return HTTP_BAD_METHOD;
	for (size_t i = 0; i < t.len; i++) {
		if ((t.at[i] < 'A' || t.at[i] > 'Z') && t.at[i] != '-')
			return HTTP_BAD_METHOD;
	}
	memcpy(r->method, t.at, t.len);
	r->connect = r->tunnel = !strcmp(r->method, "CONNECT");
	return HTTP_FINE;
}

/* http://host[:port][/…][?…], as a proxy is asked.  https there would be a request to encrypt, and others are no business of HTTP's. */
static enum http_fault read_absolute(struct http_head *h, struct text t)
{
	static const char scheme[] = "http://";
	size_t n = sizeof scheme - 1;

	if (t.len < n || strncasecmp(t.at, scheme, n))
		return HTTP_BAD_TARGET;
	t = (struct text){t.at + n, t.len - n};
	for (n = 0; n < t.len && t.at[n] != '/' && t.at[n] != '?'; n++)
		;
	h->has_target = true;
	return read_authority(h, (struct text){t.at, n}, h->request.host, &h->request.port);
}

/* The four forms of RFC 9112 section 3.2. */
static enum http_fault read_target(struct http_head *h, struct text t)
{
	if (!is_visible(t) || memchr(t.at, '#', t.len))
		return HTTP_BAD_TARGET;
	if (h->request.connect) {
		enum http_fault fault = read_authority(h, t, h->request.host, &h->request.port);
		h->has_target = true;
		return fault == HTTP_FINE && !h->request.port ? HTTP_BAD_PORT : fault; /* RFC 9110 section 9.3.6: there is no default */
	}
	if (*t.at == '/')
		return HTTP_FINE;
	if (is(t, "*"))
		return strcmp(h->request.method, "OPTIONS") ? HTTP_BAD_TARGET : HTTP_FINE;
	return read_absolute(h, t);
}

static enum http_fault read_request_line(struct http_head *h, struct text line)
{
	const char *first = memchr(line.at, ' ', line.len), *last = memrchr(line.at, ' ', line.len);
	enum http_fault fault;

	if (is(line, "PRI * HTTP/2.0"))
		return HTTP_BAD_HTTP2; /* RFC 9113 section 3.4 */
	if (!first || first == last)
		return HTTP_BAD_REQUEST_LINE;
	struct text version = {last + 1, (size_t)(line.at + line.len - last - 1)};
	h->old = is(version, "HTTP/1.0");
	if (!h->old && !is(version, "HTTP/1.1"))
		return HTTP_BAD_VERSION;
	fault = read_method(&h->request, (struct text){line.at, (size_t)(first - line.at)});
	return fault == HTTP_FINE ? read_target(h, (struct text){first + 1, (size_t)(last - first - 1)}) : fault;
}

/* --- header lines ------------------------------------------------------------------------------ */

struct field {
	struct text name, value; /* value: all behind the colon but for one space, which is what everybody writes */
};

static enum http_fault split_field(struct text line, struct field *f)
{
	const char *colon = memchr(line.at, ':', line.len);

	if (*line.at == ' ' || *line.at == '\t')
		return HTTP_BAD_FOLDED;
	if (!colon)
		return HTTP_BAD_FIELD;
	f->name = (struct text){line.at, (size_t)(colon - line.at)};
	f->value = (struct text){colon + 1, line.len - f->name.len - 1};
	if (f->value.len && *f->value.at == ' ')
		f->value = (struct text){f->value.at + 1, f->value.len - 1};
	return is_token(f->name) ? HTTP_FINE : HTTP_BAD_FIELD;
}

static unsigned port_of(unsigned written)
{
	return written ? written : 80;
}

/* RFC 9112 section 3.2: the target's host counts and Host is ignored, by those who know.  CONNECT's Host is often without the port. */
static enum http_fault read_host(struct http_head *h, struct text value)
{
	char host[HOST_TEXT_MAX];
	unsigned port;
	enum http_fault fault = h->has_host ? HTTP_BAD_HOSTS : read_authority(h, value, host, &port);

	if (fault != HTTP_FINE)
		return fault;
	h->has_host = true;
	if (!h->has_target) {
		memcpy(h->request.host, host, sizeof host);
		h->request.port = port;
		return HTTP_FINE;
	}
	if (strcmp(host, h->request.host))
		return HTTP_BAD_MISMATCH;
	if (h->request.connect)
		return !port || port == h->request.port ? HTTP_FINE : HTTP_BAD_MISMATCH;
	return port_of(port) == port_of(h->request.port) ? HTTP_FINE : HTTP_BAD_MISMATCH;
}

/* No list, no sign, and no zero in front, which is octal to some. */
static enum http_fault read_length(struct http_head *h, struct text value)
{
	if (h->has_length || !value.len || value.len > HTTP_LENGTH_DIGITS || (value.len > 1 && *value.at == '0'))
		return HTTP_BAD_LENGTH;
	h->has_length = true;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return HTTP_BAD_LENGTH;
		h->length = h->length * 10 + (uint64_t)(value.at[i] - '0');
	}
	return HTTP_FINE;
}

/* RFC 9112 section 6.1 compares without case and takes lists; some servers do neither, and then see no body. */
static enum http_fault read_encoding(struct http_head *h, struct text value)
{
	if (h->chunked || h->old || !is(value, "chunked"))
		return HTTP_BAD_ENCODING;
	h->chunked = true;
	return HTTP_FINE;
}

static enum http_fault read_upgrade(struct http_head *h, struct text value)
{
	h->request.tunnel = true;
	return HTTP_FINE;
}

/* RFC 9110 section 10.1.1 knows no other; who answers 417 may go on with the body or with what he takes for the next request. */
static enum http_fault read_expect(struct http_head *h, struct text value)
{
	return is_nocase(value, "100-continue") ? HTTP_FINE : HTTP_BAD_EXPECT;
}

static enum http_fault read_connection(struct http_head *h, struct text value);

/* In trailers each of them is refused (RFC 9110 section 6.5.1), and in Connection those that are no hop's own. */
static const struct {
	const char *name;
	bool end_to_end;
	enum http_fault (*read)(struct http_head *h, struct text value);
} fields[] = {
	{"host", true, read_host},
	{"content-length", true, read_length},
	{"transfer-encoding", true, read_encoding},
	{"connection", false, read_connection},
	{"proxy-connection", false, read_connection}, /* RFC 9112 appendix C.2.2: some take it for the other */
	{"upgrade", false, read_upgrade},
	{"expect", false, read_expect},
};
#define FIELDS (sizeof fields / sizeof *fields)

/* Which of them, FIELDS: none.  Without regard to case, and to what programs that keep headers in variables make of a '-' (CGI: RFC 3875 section 4.1.18). */
static size_t find_field(struct text name)
{
	char plain[32];

	if (name.len >= sizeof plain)
		return FIELDS;
	for (size_t i = 0; i < name.len; i++)
		plain[i] = name.at[i] == '_' ? '-' : name.at[i];
	for (size_t i = 0; i < FIELDS; i++) {
		if (is_nocase((struct text){plain, name.len}, fields[i].name))
			return i;
	}
	return FIELDS;
}

/* RFC 9110 section 7.6.1: a proxy behind us would remove what is named here, and the server would read another request. */
static enum http_fault read_connection(struct http_head *h, struct text value)
{
	for (size_t at = 0; at < value.len;) {
		static const char between[] = ", \t";
		size_t n = 0;

		while (at < value.len && memchr(between, value.at[at], sizeof between))
			at++;
		while (at + n < value.len && !memchr(between, value.at[at + n], sizeof between))
			n++;
		size_t i = find_field((struct text){value.at + at, n});
		if (i < FIELDS && fields[i].end_to_end)
			return HTTP_BAD_CONNECTION;
		at += n;
	}
	return HTTP_FINE;
}

static enum http_fault read_field(struct http_head *h, struct text line)
{
	struct field f;
	enum http_fault fault = split_field(line, &f);
	size_t i = fault == HTTP_FINE ? find_field(f.name) : FIELDS;

	if (i == FIELDS)
		return fault;
	return is_nocase(f.name, fields[i].name) ? fields[i].read(h, f.value) : HTTP_BAD_FIELD;
}

enum http_fault http_head_line(struct http_head *h, const char *line, size_t len)
{
	struct text t = {line, len};

	if (h->lines == HTTP_FIELDS_MAX + 1)
		return HTTP_BAD_LINES;
	return h->lines++ ? read_field(h, t) : read_request_line(h, t);
}

/* RFC 9110 sections 9.3.1, 9.3.2, 9.3.6, 9.3.8: their content has no meaning, so some servers read a next request there. */
static bool has_no_body(const struct http_request *r)
{
	return r->connect || !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD") || !strcmp(r->method, "TRACE");
}

enum http_fault http_head_end(const struct http_head *h)
{
	/* http.client of Python before 3.12 asks a proxy in HTTP/1.0 and without Host: the target says it all. */
	if (!h->has_host && !(h->request.connect && h->old))
		return HTTP_BAD_HOSTS;
	if (h->chunked && h->has_length)
		return HTTP_BAD_FRAMING;
	if ((h->chunked || h->length) && has_no_body(&h->request))
		return HTTP_BAD_BODY;
	return HTTP_FINE;
}

/* --- lines of a chunked body ------------------------------------------------------------------- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 9112 section 7.1.1 allows white space before the semicolon; nobody writes it, and some servers read on past it. */
enum http_fault http_chunk_line(const char *line, size_t len, uint64_t *size)
{
	size_t n = 0;

	*size = 0;
	for (; n < len && n < CHUNK_DIGITS && hex_value(line[n]) >= 0; n++)
		*size = *size << 4 | (uint64_t)hex_value(line[n]);
	if (!n || *size > INT32_MAX || (n < len && line[n] != ';'))
		return HTTP_BAD_CHUNK;
	for (; n < len; n++) {
		if ((unsigned char)line[n] > '~')
			return HTTP_BAD_CHUNK;
	}
	return HTTP_FINE;
}

enum http_fault http_trailer_line(const char *line, size_t len)
{
	struct field f;
	enum http_fault fault = split_field((struct text){line, len}, &f);

	if (fault != HTTP_FINE)
		return fault;
	return find_field(f.name) == FIELDS ? HTTP_FINE : HTTP_BAD_TRAILER;
}
