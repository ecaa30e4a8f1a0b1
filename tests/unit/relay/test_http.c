#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define E "\r\n"
#define HOST "Host: a.example" E
#define GET "GET / HTTP/1.1" E
#define POST "POST / HTTP/1.1" E HOST
#define CHUNKED POST "Transfer-Encoding: chunked" E E
#define GOOD GET HOST E

struct sizes {
	size_t first, then;
};

static size_t next(void *context)
{
	struct sizes *s = context;
	size_t n = s->first;

	s->first = s->then;
	return n;
}

/* At once; cut in two at every byte; byte by byte; in odd portions.  All must come to the same. */
static struct play play_all_ways(const char *what, const void *bytes, size_t len)
{
	static const size_t portions[] = {1, 2, 3, 7, 100};
	struct sizes sizes = {len, 1};
	struct play whole = play(bytes, len, next, &sizes), other;

	for (size_t first = 1; first < len; first += len > 2048 ? 997 : 1) {
		sizes = (struct sizes){first, len};
		other = play(bytes, len, next, &sizes);
		if (!play_same(&whole, &other))
			fail_msg("%s: cut at %zu: %s (%s) instead of %s (%s)", what, first, other.log, http_fault_text(other.fault), whole.log, http_fault_text(whole.fault));
	}
	for (size_t i = 0; i < sizeof portions / sizeof *portions; i++) {
		sizes = (struct sizes){portions[i], portions[i]};
		other = play(bytes, len, next, &sizes);
		if (!play_same(&whole, &other))
			fail_msg("%s: by %zu: %s (%s) instead of %s (%s)", what, portions[i], other.log, http_fault_text(other.fault), whole.log, http_fault_text(whole.fault));
	}
	return whole;
}

/* --- honest ones ------------------------------------------------------------------------------- */

#define ROW(text) text, sizeof(text) - 1
static const struct {
	const char *what, *text;
	size_t len;
	const char *log;
} honest[] = {
	/* as they were sent by what builds use */
	{"curl", ROW("GET /x?y HTTP/1.1" E "Host: a.example:8080" E "User-Agent: curl/7.88.1" E "Accept: */*" E E), "GET a.example:8080"},
	{"curl -d", ROW("POST /x HTTP/1.1" E HOST "User-Agent: curl/7.88.1" E "Accept: */*" E "Content-Length: 3" E
		"Content-Type: application/x-www-form-urlencoded" E E "k=v"),
		"POST a.example:0, 0+3"},
	{"curl -T", ROW("PUT /x HTTP/1.1" E HOST "Accept: */*" E "Transfer-Encoding: chunked" E "Expect: 100-continue" E E "0" E E), "PUT a.example:0, 5+0"},
	{"curl -x", ROW("GET http://a.example/x HTTP/1.1" E HOST "User-Agent: curl/7.88.1" E "Accept: */*" E "Proxy-Connection: Keep-Alive" E E), "GET a.example:0"},
	{"curl -x for https", ROW("CONNECT a.example:443 HTTP/1.1" E "Host: a.example:443" E "User-Agent: curl/7.88.1" E "Proxy-Connection: Keep-Alive" E E),
		"CONNECT a.example:443 connect tunnel"},
	{"curl --http2", ROW("GET / HTTP/1.1" E HOST "Connection: Upgrade, HTTP2-Settings" E "Upgrade: h2c" E "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA" E E),
		"GET a.example:0 tunnel"},
	{"wget", ROW("GET /x HTTP/1.1" E HOST "User-Agent: Wget/1.21.3" E "Accept: */*" E "Accept-Encoding: identity" E "Connection: Keep-Alive" E E),
		"GET a.example:0"},
	{"wget by a proxy", ROW("GET http://a.example/x HTTP/1.1" E HOST "Connection: Keep-Alive" E "Proxy-Connection: Keep-Alive" E E), "GET a.example:0"},
	{"urllib", ROW("GET /x HTTP/1.1" E "Accept-Encoding: identity" E HOST "User-Agent: Python-urllib/3.11" E "Connection: close" E E), "GET a.example:0"},
	{"http.client's proxy", ROW("CONNECT a.example:443 HTTP/1.0" E E), "CONNECT a.example:443 connect tunnel"},
	{"http.client's chunks", ROW("POST /x HTTP/1.1" E HOST "Accept-Encoding: identity" E "Transfer-Encoding: chunked" E E "3" E "abc" E "4" E "defg" E "0" E E),
		"POST a.example:0, 3+3, 5+4, 7+0"},
	{"git", ROW("GET /r.git/info/refs?service=git-upload-pack HTTP/1.1" E HOST "User-Agent: git/2.39.5" E "Accept-Language: C, *;q=0.9" E
		"Pragma: no-cache" E "Git-Protocol: version=2" E E),
		"GET a.example:0"},
	{"node", ROW("POST /x HTTP/1.1" E "host: a.example" E "connection: keep-alive" E "content-type: text/plain;charset=UTF-8" E "content-length: 3" E E "abc"),
		"POST a.example:0, 0+3"},
	/* made */
	{"two in a row", ROW(GOOD "HEAD /y HTTP/1.1" E "Host: b.example" E E), "GET a.example:0, HEAD b.example:0"},
	{"three with bodies", ROW(POST "Content-Length: 2" E E "ab" CHUNKED "1" E "c" E "0" E E GOOD),
		"POST a.example:0, 0+2, POST a.example:0, 3+1, 7+0, GET a.example:0"},
	{"a body that looks like a request", ROW(POST "Content-Length: 38" E E "GET / HTTP/1.1" E "Host: evil.example" E E), "POST a.example:0, 0+38"},
	{"a chunk that looks like one", ROW(CHUNKED "26" E "GET / HTTP/1.1" E "Host: evil.example" E E E "0" E E), "POST a.example:0, 4+38, 7+0"},
	{"an incomplete body", ROW(POST "Content-Length: 100" E E "ab"), "POST a.example:0, 0+100"},
	{"an empty body", ROW(POST "Content-Length: 0" E E GOOD), "POST a.example:0, GET a.example:0"},
	{"GET with no body, and says so", ROW(GET HOST "Content-Length: 0" E E), "GET a.example:0"},
	{"an empty line after a body", ROW(POST "Content-Length: 2" E E "ab" E GOOD), "POST a.example:0, 0+2, GET a.example:0"},
	{"an empty line first", ROW(E GOOD), "GET a.example:0"},
	{"HTTP/1.0", ROW("GET / HTTP/1.0" E HOST E), "GET a.example:0"},
	{"HTTP/1.0 with a body", ROW("POST / HTTP/1.0" E HOST "Content-Length: 1" E E "x"), "POST a.example:0, 0+1"},
	{"capitals and a dot", ROW(GET "HOST: A.Example.:80" E E), "GET a.example:80"},
	{"no space behind the colon", ROW(GET "Host:a.example" E "Content-Length:0" E E), "GET a.example:0"},
	{"absolute, without a path", ROW("GET http://a.example HTTP/1.1" E HOST E), "GET a.example:0"},
	{"absolute, with a query alone", ROW("GET http://a.example?x HTTP/1.1" E HOST E), "GET a.example:0"},
	{"absolute, in capitals", ROW("GET HTTP://A.EXAMPLE/ HTTP/1.1" E HOST E), "GET a.example:0"},
	{"absolute, one with the default port", ROW("GET http://a.example:80/ HTTP/1.1" E HOST E), "GET a.example:80"},
	{"absolute, the other with it", ROW("GET http://a.example/ HTTP/1.1" E "Host: a.example:80" E E), "GET a.example:0"},
	{"absolute, with a port", ROW("GET http://a.example:8080/ HTTP/1.1" E "Host: a.example:8080" E E), "GET a.example:8080"},
	{"options of the server", ROW("OPTIONS * HTTP/1.1" E HOST E), "OPTIONS a.example:0"},
	{"CONNECT whose Host has no port", ROW("CONNECT a.example:8443 HTTP/1.1" E HOST E), "CONNECT a.example:8443 connect tunnel"},
	{"an upgrade to websocket", ROW(GET HOST "Upgrade: websocket" E "Connection: Upgrade" E E), "GET a.example:0 tunnel"},
	{"a method with a dash", ROW("M-SEARCH / HTTP/1.1" E HOST E), "M-SEARCH a.example:0"},
	{"a body of DELETE", ROW("DELETE /x HTTP/1.1" E HOST "Content-Length: 1" E E "x"), "DELETE a.example:0, 0+1"},
	{"odd characters in a target", ROW("GET /a|b{c}\\d^e`\"<>//x HTTP/1.1" E HOST E), "GET a.example:0"},
	{"an empty value, UTF-8 and tabs in others", ROW(GET HOST "X-Empty:" E "X-Name: b\xc3\xbc" "cher\t" E "X-!#$%&'*+.^`|~9: x" E E), "GET a.example:0"},
	{"a Host of another kind", ROW(GET HOST "X-Host: b.example" E "Hosts: c.example" E "X-Forwarded-Host: d.example" E E), "GET a.example:0"},
	{"extensions of chunks", ROW(CHUNKED "1;a=b;c=\"d e\"" E "x" E "0;z" E E), "POST a.example:0, 15+1, 9+0"},
	{"capitals and zeros in sizes", ROW(CHUNKED "0000000A" E "0123456789" E "00" E E), "POST a.example:0, 10+10, 8+0"},
	{"trailers", ROW(CHUNKED "0" E "X-Sum: 1" E "Y: 2" E E GOOD), "POST a.example:0, 21+0, GET a.example:0"},
	{"the largest chunk", ROW(CHUNKED "7fffffff" E "x"), "POST a.example:0, 10+2147483647"},
	{"the largest body", ROW(POST "Content-Length: 999999999999999999" E E "x"), "POST a.example:0, 0+999999999999999999"},
};

static void honest_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof honest / sizeof *honest; i++) {
		struct play p = play_all_ways(honest[i].what, honest[i].text, honest[i].len);

		if (p.fault != HTTP_FINE || strcmp(p.log, honest[i].log))
			fail_msg("%s: %s (%s) instead of %s", honest[i].what, p.log, http_fault_text(p.fault), honest[i].log);
		assert_int_equal(p.held, 0);
	}
}

/* No byte of a head passes before its last has come, and of a chunked body none before its size is known. */
static void beginnings_are_held(void **state)
{
	static const char text[] = E "POST /x HTTP/1.1" E HOST "X: y" E "Transfer-Encoding: chunked" E E;
	struct sizes sizes;

	(void)state;
	for (size_t len = 0; len < sizeof text - 1; len++) {
		sizes = (struct sizes){len ? len : 1, 1};
		struct play p = play((const uint8_t *)text, len, next, &sizes);
		assert_int_equal(p.passed, 0);
		assert_int_equal(p.held, len);
		assert_int_equal(p.fault, HTTP_FINE);
	}
	sizes = (struct sizes){1000, 1};
	struct play p = play((const uint8_t *)CHUNKED "ff", sizeof CHUNKED + 1, next, &sizes);
	assert_int_equal(p.held, 2);
}

/* --- hostile ones ------------------------------------------------------------------------------ */

static const struct {
	const char *what, *text;
	size_t len;
	enum http_fault fault;
} hostile[] = {
	/* lines */
	{"LF alone", ROW("GET / HTTP/1.1\nHost: a.example\n\n"), HTTP_BAD_LINE_END},
	{"LF alone after a header", ROW(GET "Host: a.example\n" E), HTTP_BAD_LINE_END},
	{"CR alone", ROW(GET "Host: a.example\rX: y" E E), HTTP_BAD_LINE_END},
	{"CR CR LF", ROW(GET "Host: a.example\r" E E), HTTP_BAD_LINE_END},
	{"LF CR", ROW(GET "Host: a.example\n\r" E), HTTP_BAD_LINE_END},
	{"an end of CR LF LF", ROW(GET HOST "\n"), HTTP_BAD_LINE_END},
	{"LF first", ROW("\n" GOOD), HTTP_BAD_LINE_END},
	{"a NUL", ROW(GET "Host: a.example\0" E E), HTTP_BAD_CONTROL},
	{"a NUL in a name", ROW(GET "Ho\0st: a.example" E E), HTTP_BAD_CONTROL},
	{"a vertical tab", ROW(POST "Transfer-Encoding:\x0b" "chunked" E E), HTTP_BAD_CONTROL},
	{"a form feed", ROW("GET\x0c/ HTTP/1.1" E HOST E), HTTP_BAD_CONTROL},
	{"a delete", ROW(GET HOST "X: \x7f" E E), HTTP_BAD_CONTROL},
	{"TLS", ROW("\x16\x03\x01\x02\x00\x01"), HTTP_BAD_CONTROL},
	{"two empty lines first", ROW(E E GOOD), HTTP_BAD_EMPTY_LINES},
	{"two empty lines after a body", ROW(POST "Content-Length: 1" E E "x" E E GOOD), HTTP_BAD_EMPTY_LINES},
	/* request lines */
	{"SSH", ROW("SSH-2.0-x" E), HTTP_BAD_REQUEST_LINE},
	{"HTTP/0.9", ROW("GET /" E), HTTP_BAD_REQUEST_LINE},
	{"one word", ROW("GET" E HOST E), HTTP_BAD_REQUEST_LINE},
	{"a tab for a space", ROW("GET\t/ HTTP/1.1" E HOST E), HTTP_BAD_REQUEST_LINE},
	{"a header first", ROW("Host: a.example" E E), HTTP_BAD_REQUEST_LINE},
	{"HTTP/1.2", ROW("GET / HTTP/1.2" E HOST E), HTTP_BAD_VERSION},
	{"HTTP/2.0", ROW("GET / HTTP/2.0" E HOST E), HTTP_BAD_VERSION},
	{"HTTP/1.10", ROW("GET / HTTP/1.10" E HOST E), HTTP_BAD_VERSION},
	{"HTTP/01.1", ROW("GET / HTTP/01.1" E HOST E), HTTP_BAD_VERSION},
	{"small letters in the version", ROW("GET / http/1.1" E HOST E), HTTP_BAD_VERSION},
	{"a space at the end", ROW("GET / HTTP/1.1 " E HOST E), HTTP_BAD_VERSION},
	{"an answer", ROW("HTTP/1.1 200 OK" E HOST E), HTTP_BAD_VERSION},
	{"HTTP/2", ROW("PRI * HTTP/2.0" E E "SM" E E), HTTP_BAD_HTTP2},
	{"a space first", ROW(" GET / HTTP/1.1" E HOST E), HTTP_BAD_METHOD},
	{"small letters in the method", ROW("get / HTTP/1.1" E HOST E), HTTP_BAD_METHOD},
	{"connect in small letters", ROW("connect a.example:443 HTTP/1.1" E HOST E), HTTP_BAD_METHOD},
	{"a method of bytes", ROW("G\xc3\x89T / HTTP/1.1" E HOST E), HTTP_BAD_METHOD},
	{"an over-long method", ROW("AAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1" E HOST E), HTTP_BAD_METHOD},
	{"two spaces", ROW("GET  / HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"two spaces later", ROW("GET /  HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"a version in the target", ROW("GET / HTTP/1.1 HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"a tab in the target", ROW("GET /\tx HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"a no-break space in the target", ROW("GET /\xa0HTTP/1.0 HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"UTF-8 in the target", ROW("GET /b\xc3\xbc" "cher HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"a relative target", ROW("GET x HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"a fragment", ROW("GET /#x HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"a star for another method", ROW("GET * HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"a name for another method", ROW("GET a.example:80 HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"https in the clear", ROW("GET https://a.example/ HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"another scheme", ROW("GET ftp://a.example/ HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"one slash", ROW("GET http:/a.example/ HTTP/1.1" E HOST E), HTTP_BAD_TARGET},
	{"an absolute target of nothing", ROW("GET http:///x HTTP/1.1" E HOST E), HTTP_BAD_HOST},
	{"a login in the target", ROW("GET http://a.example@b.example/ HTTP/1.1" E HOST E), HTTP_BAD_HOST},
	{"a login with a password", ROW("GET http://u:p@a.example/ HTTP/1.1" E HOST E), HTTP_BAD_PORT},
	{"a backslash in the target's host", ROW("GET http://a.example\\.b.example/ HTTP/1.1" E HOST E), HTTP_BAD_HOST},
	{"the target's port of no digits", ROW("GET http://a.example:/ HTTP/1.1" E HOST E), HTTP_BAD_PORT},
	{"an address in the target", ROW("GET http://203.0.113.7/ HTTP/1.1" E HOST E), HTTP_BAD_ADDRESS},
	{"another host in the target", ROW("GET http://b.example/ HTTP/1.1" E HOST E), HTTP_BAD_MISMATCH},
	{"another port in the target", ROW("GET http://a.example:81/ HTTP/1.1" E HOST E), HTTP_BAD_MISMATCH},
	{"a port in Host only", ROW("GET http://a.example/ HTTP/1.1" E "Host: a.example:8080" E E), HTTP_BAD_MISMATCH},
	/* CONNECT */
	{"CONNECT without a port", ROW("CONNECT a.example HTTP/1.1" E HOST E), HTTP_BAD_PORT},
	{"CONNECT to port 0", ROW("CONNECT a.example:0 HTTP/1.1" E HOST E), HTTP_BAD_PORT},
	{"CONNECT to a path", ROW("CONNECT / HTTP/1.1" E HOST E), HTTP_BAD_HOST},
	{"CONNECT to a URL", ROW("CONNECT http://a.example:80 HTTP/1.1" E HOST E), HTTP_BAD_PORT},
	{"CONNECT to an address", ROW("CONNECT 127.0.0.1:22 HTTP/1.1" E "Host: 127.0.0.1:22" E E), HTTP_BAD_ADDRESS},
	{"CONNECT to an IPv6 address", ROW("CONNECT [::1]:22 HTTP/1.1" E HOST E), HTTP_BAD_ADDRESS},
	{"CONNECT with another Host", ROW("CONNECT a.example:443 HTTP/1.1" E "Host: b.example:443" E E), HTTP_BAD_MISMATCH},
	{"CONNECT with another port", ROW("CONNECT a.example:443 HTTP/1.1" E "Host: a.example:22" E E), HTTP_BAD_MISMATCH},
	{"CONNECT without Host", ROW("CONNECT a.example:443 HTTP/1.1" E E), HTTP_BAD_HOSTS},
	{"CONNECT with a body", ROW("CONNECT a.example:443 HTTP/1.1" E HOST "Content-Length: 1" E E "x"), HTTP_BAD_BODY},
	/* Host */
	{"no Host", ROW(GET E), HTTP_BAD_HOSTS},
	{"no Host in HTTP/1.0", ROW("GET / HTTP/1.0" E E), HTTP_BAD_HOSTS},
	{"absolute without Host", ROW("GET http://a.example/ HTTP/1.1" E E), HTTP_BAD_HOSTS},
	{"two Hosts", ROW(GET HOST "Host: b.example" E E), HTTP_BAD_HOSTS},
	{"the same Host twice", ROW(GET HOST "hOST: a.example" E E), HTTP_BAD_HOSTS},
	{"an empty Host", ROW(GET "Host:" E E), HTTP_BAD_HOST},
	{"a Host of a space", ROW(GET "Host: " E E), HTTP_BAD_HOST},
	{"two names in Host", ROW(GET "Host: a.example, b.example" E E), HTTP_BAD_HOST},
	{"a space behind Host", ROW(GET "Host: a.example " E E), HTTP_BAD_HOST},
	{"two spaces before Host", ROW(GET "Host:  a.example" E E), HTTP_BAD_HOST},
	{"a tab before Host", ROW(GET "Host:\ta.example" E E), HTTP_BAD_HOST},
	{"a login in Host", ROW(GET "Host: a.example@b.example" E E), HTTP_BAD_HOST},
	{"a path in Host", ROW(GET "Host: a.example/" E E), HTTP_BAD_HOST},
	{"a URL in Host", ROW(GET "Host: http://a.example" E E), HTTP_BAD_PORT},
	{"a star in Host", ROW(GET "Host: *.example" E E), HTTP_BAD_HOST},
	{"UTF-8 in Host", ROW(GET "Host: b\xc3\xbc" "cher.example" E E), HTTP_BAD_HOST},
	{"two dots in Host", ROW(GET "Host: a..example" E E), HTTP_BAD_HOST},
	{"a port alone", ROW(GET "Host: :80" E E), HTTP_BAD_HOST},
	{"an empty port", ROW(GET "Host: a.example:" E E), HTTP_BAD_PORT},
	{"port 0", ROW(GET "Host: a.example:0" E E), HTTP_BAD_PORT},
	{"port 65536", ROW(GET "Host: a.example:65536" E E), HTTP_BAD_PORT},
	{"a port of six digits", ROW(GET "Host: a.example:000080" E E), HTTP_BAD_PORT},
	{"a signed port", ROW(GET "Host: a.example:+80" E E), HTTP_BAD_PORT},
	{"two ports", ROW(GET "Host: a.example:80:80" E E), HTTP_BAD_PORT},
	{"a login behind the port", ROW(GET "Host: a.example:80@b.example" E E), HTTP_BAD_PORT},
	{"an address for a Host", ROW(GET "Host: 203.0.113.7" E E), HTTP_BAD_ADDRESS},
	{"an address in one number", ROW(GET "Host: 2130706433:80" E E), HTTP_BAD_ADDRESS},
	{"an address in hex", ROW(GET "Host: 0x7f.1" E E), HTTP_BAD_ADDRESS},
	{"an IPv6 address for a Host", ROW(GET "Host: [2001:db8::1]:80" E E), HTTP_BAD_ADDRESS},
	{"a bracket", ROW(GET "Host: [a.example" E E), HTTP_BAD_ADDRESS},
	/* header lines */
	{"a folded line", ROW(GET HOST "X: y" E " z" E E), HTTP_BAD_FOLDED},
	{"a folded Host", ROW(GET "Host:" E " a.example" E E), HTTP_BAD_HOST},
	{"a line folded with a tab", ROW(GET HOST "X: y" E "\tContent-Length: 1" E E), HTTP_BAD_FOLDED},
	{"a space first of all", ROW(GET " Host: a.example" E E), HTTP_BAD_FOLDED},
	{"a space before the colon", ROW(GET "Host : a.example" E E), HTTP_BAD_FIELD},
	{"a tab before the colon", ROW(POST "Content-Length\t: 1" E E "x"), HTTP_BAD_FIELD},
	{"no colon", ROW(GET HOST "Host" E E), HTTP_BAD_FIELD},
	{"no name", ROW(GET HOST ": a.example" E E), HTTP_BAD_FIELD},
	{"a space in a name", ROW(GET HOST "X Y: z" E E), HTTP_BAD_FIELD},
	{"UTF-8 in a name", ROW(GET "H\xc3\xb6st: a.example" E E), HTTP_BAD_FIELD},
	{"a Kelvin sign in a name", ROW(POST "Transfer-Encodin\xe2\x84\xaa: chunked" E E), HTTP_BAD_FIELD},
	{"quotes in a name", ROW(GET "\"Host\": a.example" E E), HTTP_BAD_FIELD},
	{"Content_Length", ROW(POST "Content_Length: 1" E E "x"), HTTP_BAD_FIELD},
	{"Transfer_Encoding", ROW(POST "Transfer_Encoding: chunked" E E "0" E E), HTTP_BAD_FIELD},
	/* framing */
	{"both lengths", ROW(POST "Content-Length: 5" E "Transfer-Encoding: chunked" E E "0" E E), HTTP_BAD_FRAMING},
	{"both the other way", ROW(POST "Transfer-Encoding: chunked" E "Content-Length: 0" E E "0" E E), HTTP_BAD_FRAMING},
	{"two lengths", ROW(POST "Content-Length: 1" E "Content-Length: 2" E E "xy"), HTTP_BAD_LENGTH},
	{"the same length twice", ROW(POST "Content-Length: 1" E "Content-Length: 1" E E "x"), HTTP_BAD_LENGTH},
	{"a list of lengths", ROW(POST "Content-Length: 1, 1" E E "x"), HTTP_BAD_LENGTH},
	{"a signed length", ROW(POST "Content-Length: +1" E E "x"), HTTP_BAD_LENGTH},
	{"a negative length", ROW(POST "Content-Length: -1" E E "x"), HTTP_BAD_LENGTH},
	{"a length in octal", ROW(POST "Content-Length: 010" E E "x"), HTTP_BAD_LENGTH},
	{"a length in hex", ROW(POST "Content-Length: 0x1" E E "x"), HTTP_BAD_LENGTH},
	{"a length with a fraction", ROW(POST "Content-Length: 1.0" E E "x"), HTTP_BAD_LENGTH},
	{"an empty length", ROW(POST "Content-Length:" E E), HTTP_BAD_LENGTH},
	{"a length and a space", ROW(POST "Content-Length: 1 " E E "x"), HTTP_BAD_LENGTH},
	{"a length and a tab", ROW(POST "Content-Length:\t1" E E "x"), HTTP_BAD_LENGTH},
	{"a length of 2^64 and one", ROW(POST "Content-Length: 18446744073709551617" E E "x"), HTTP_BAD_LENGTH},
	{"a length of full-width digits", ROW(POST "Content-Length: \xef\xbc\x91" E E "x"), HTTP_BAD_LENGTH},
	{"gzip", ROW(POST "Transfer-Encoding: gzip" E E), HTTP_BAD_ENCODING},
	{"gzip and chunked", ROW(POST "Transfer-Encoding: gzip, chunked" E E "0" E E), HTTP_BAD_ENCODING},
	{"chunked twice", ROW(POST "Transfer-Encoding: chunked, chunked" E E "0" E E), HTTP_BAD_ENCODING},
	{"chunked in two lines", ROW(POST "Transfer-Encoding: chunked" E "Transfer-Encoding: chunked" E E "0" E E), HTTP_BAD_ENCODING},
	{"identity behind chunked", ROW(POST "Transfer-Encoding: chunked" E "Transfer-Encoding: identity" E E "0" E E), HTTP_BAD_ENCODING},
	{"Chunked", ROW(POST "Transfer-Encoding: Chunked" E E "0" E E), HTTP_BAD_ENCODING},
	{"xchunked", ROW(POST "Transfer-Encoding: xchunked" E E "0" E E), HTTP_BAD_ENCODING},
	{"chunked in quotes", ROW(POST "Transfer-Encoding: \"chunked\"" E E "0" E E), HTTP_BAD_ENCODING},
	{"chunked and a comma", ROW(POST "Transfer-Encoding: chunked," E E "0" E E), HTTP_BAD_ENCODING},
	{"chunked and a space", ROW(POST "Transfer-Encoding: chunked " E E "0" E E), HTTP_BAD_ENCODING},
	{"a tab and chunked", ROW(POST "Transfer-Encoding:\tchunked" E E "0" E E), HTTP_BAD_ENCODING},
	{"an empty encoding", ROW(POST "Transfer-Encoding:" E E), HTTP_BAD_ENCODING},
	{"chunked in HTTP/1.0", ROW("POST / HTTP/1.0" E HOST "Transfer-Encoding: chunked" E E "0" E E), HTTP_BAD_ENCODING},
	{"a body of GET", ROW(GET HOST "Content-Length: 1" E E "x"), HTTP_BAD_BODY},
	{"chunks of GET", ROW(GET HOST "Transfer-Encoding: chunked" E E "0" E E), HTTP_BAD_BODY},
	{"a body of HEAD", ROW("HEAD / HTTP/1.1" E HOST "Content-Length: 1" E E "x"), HTTP_BAD_BODY},
	{"a body of TRACE", ROW("TRACE / HTTP/1.1" E HOST "Content-Length: 1" E E "x"), HTTP_BAD_BODY},
	{"Connection names the length", ROW(POST "Content-Length: 1" E "Connection: close, Content-Length" E E "x"), HTTP_BAD_CONNECTION},
	{"Connection names Host", ROW(GET HOST "Connection: host" E E), HTTP_BAD_CONNECTION},
	{"Connection names the encoding", ROW(POST "Connection: ,\t,transfer-encoding ,x" E "Transfer-Encoding: chunked" E E), HTTP_BAD_CONNECTION},
	{"Proxy-Connection does", ROW(GET HOST "Proxy-Connection: keep-alive,HOST" E E), HTTP_BAD_CONNECTION},
	{"another expectation", ROW(POST "Content-Length: 1" E "Expect: 200-ok" E E "x"), HTTP_BAD_EXPECT},
	{"two expectations", ROW(POST "Content-Length: 1" E "Expect: 100-continue, x" E E "x"), HTTP_BAD_EXPECT},
	/* chunks */
	{"no size", ROW(CHUNKED E), HTTP_BAD_CHUNK},
	{"an extension without a size", ROW(CHUNKED ";x" E), HTTP_BAD_CHUNK},
	{"a size that is none", ROW(CHUNKED "g" E), HTTP_BAD_CHUNK},
	{"a negative size", ROW(CHUNKED "-1" E), HTTP_BAD_CHUNK},
	{"a signed size", ROW(CHUNKED "+1" E "x" E), HTTP_BAD_CHUNK},
	{"0x", ROW(CHUNKED "0x1" E "x" E), HTTP_BAD_CHUNK},
	{"a space before a size", ROW(CHUNKED " 1" E "x" E), HTTP_BAD_CHUNK},
	{"a space behind a size", ROW(CHUNKED "1 " E "x" E), HTTP_BAD_CHUNK},
	{"a space before an extension", ROW(CHUNKED "1 ;x" E "x" E), HTTP_BAD_CHUNK},
	{"a size of 2^31", ROW(CHUNKED "80000000" E "x"), HTTP_BAD_CHUNK},
	{"a size of 2^32 and one", ROW(CHUNKED "100000001" E "x"), HTTP_BAD_CHUNK},
	{"a size of 2^64 and one", ROW(CHUNKED "10000000000000001" E "x"), HTTP_BAD_CHUNK},
	{"nine digits", ROW(CHUNKED "000000001" E "x" E), HTTP_BAD_CHUNK},
	{"LF behind a size", ROW(CHUNKED "1\nx" E), HTTP_BAD_LINE_END},
	{"CR in an extension", ROW(CHUNKED "1;\rx" E "x" E), HTTP_BAD_LINE_END},
	{"LF in an extension", ROW(CHUNKED "1;\n0" E E GOOD), HTTP_BAD_LINE_END},
	{"a NUL in an extension", ROW(CHUNKED "1;\0" E "x" E), HTTP_BAD_CONTROL},
	{"bytes in an extension", ROW(CHUNKED "1;\xff" E "x" E), HTTP_BAD_CHUNK},
	{"a chunk longer than its size", ROW(CHUNKED "1" E "xy" E "0" E E), HTTP_BAD_CHUNK},
	{"a chunk ended by LF", ROW(CHUNKED "1" E "x\n0" E E), HTTP_BAD_LINE_END},
	{"a chunk ended by CR", ROW(CHUNKED "1" E "x\r0" E E), HTTP_BAD_LINE_END},
	{"an empty line behind a chunk", ROW(CHUNKED "1" E "x" E E "0" E E), HTTP_BAD_CHUNK},
	{"Host in trailers", ROW(CHUNKED "0" E "Host: b.example" E E), HTTP_BAD_TRAILER},
	{"a length in trailers", ROW(CHUNKED "0" E "content-length: 5" E E), HTTP_BAD_TRAILER},
	{"an encoding in trailers", ROW(CHUNKED "0" E "Transfer_Encoding: chunked" E E), HTTP_BAD_TRAILER},
	{"a folded trailer", ROW(CHUNKED "0" E "X: y" E " z" E E), HTTP_BAD_FOLDED},
	{"a trailer without a colon", ROW(CHUNKED "0" E "GET / HTTP/1.1" E E), HTTP_BAD_FIELD},
	{"a request in trailers", ROW(CHUNKED "0" E "GET http://b.example/ HTTP/1.1" E E), HTTP_BAD_FIELD},
	{"LF at the end of trailers", ROW(CHUNKED "0" E "\n"), HTTP_BAD_LINE_END},
	/* what comes second */
	{"a bad request behind a good one", ROW(GOOD GET E), HTTP_BAD_HOSTS},
	{"rubbish behind a request", ROW(GOOD "x y z" E), HTTP_BAD_VERSION},
	{"a body nobody announced", ROW(POST E "GET /" E), HTTP_BAD_REQUEST_LINE},
};

static void hostile_streams(void **state)
{
	(void)state;
	assert_true(sizeof hostile / sizeof *hostile >= 50);
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		struct play p = play_all_ways(hostile[i].what, hostile[i].text, hostile[i].len);

		if (p.fault != hostile[i].fault)
			fail_msg("%s: %s (%s) instead of %s", hostile[i].what, p.log, http_fault_text(p.fault), http_fault_text(hostile[i].fault));
		if (hostile[i].fault == HTTP_BAD_CHUNK || hostile[i].fault == HTTP_BAD_TRAILER || !strncmp(hostile[i].text, CHUNKED, sizeof CHUNKED - 1))
			assert_true(p.passed >= sizeof CHUNKED - 1); /* the fault is found where it stands */
	}
}

/* --- sizes ------------------------------------------------------------------------------------- */

static char text[4 * HTTP_HEAD_MAX];

/* A head of exactly len bytes. */
static void make_head(size_t len)
{
	size_t n = (size_t)sprintf(text, GET HOST "X: ");

	memset(text + n, 'x', len - n - 4);
	strcpy(text + len - 4, E E);
}

static void long_heads(void **state)
{
	(void)state;
	make_head(HTTP_HEAD_MAX);
	struct play p = play_all_ways("the longest", text, HTTP_HEAD_MAX);
	assert_string_equal(p.log, "GET a.example:0");
	assert_int_equal(p.passed, HTTP_HEAD_MAX);
	make_head(HTTP_HEAD_MAX + 1);
	p = play_all_ways("a byte more", text, HTTP_HEAD_MAX + 1);
	assert_int_equal(p.fault, HTTP_BAD_SIZE);
	memset(text, 'A', sizeof text);
	assert_int_equal(play_all_ways("no line", text, sizeof text).fault, HTTP_BAD_SIZE);
	make_head(HTTP_HEAD_MAX); /* an empty line before it counts as well */
	memmove(text + 2, text, HTTP_HEAD_MAX);
	memcpy(text, E, 2);
	assert_int_equal(play_all_ways("a line before", text, HTTP_HEAD_MAX + 2).fault, HTTP_BAD_SIZE);
}

static size_t add_fields(size_t n, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		n += (size_t)sprintf(text + n, "X: y" E);
	return n + (size_t)sprintf(text + n, E);
}

static void many_fields(void **state)
{
	size_t n;

	(void)state;
	n = add_fields((size_t)sprintf(text, GET HOST), HTTP_FIELDS_MAX - 1);
	assert_string_equal(play_all_ways("as many as may be", text, n).log, "GET a.example:0");
	n = add_fields((size_t)sprintf(text, GET HOST), HTTP_FIELDS_MAX);
	assert_int_equal(play_all_ways("one more", text, n).fault, HTTP_BAD_LINES);
	n = add_fields((size_t)sprintf(text, CHUNKED "0" E), HTTP_TRAILERS_MAX);
	assert_int_equal(play_all_ways("trailers", text, n).fault, HTTP_FINE);
	n = add_fields((size_t)sprintf(text, CHUNKED "0" E), HTTP_TRAILERS_MAX + 1);
	assert_int_equal(play_all_ways("one more trailer", text, n).fault, HTTP_BAD_LINES);
}

static size_t chunk_with_extension(size_t line)
{
	size_t n = (size_t)sprintf(text, CHUNKED "1;");

	memset(text + n, 'x', line - 4);
	return n + line - 4 + (size_t)sprintf(text + n + line - 4, E "y" E "0" E E);
}

static void long_chunk_lines(void **state)
{
	struct play p;

	(void)state;
	p = play_all_ways("as long as may be", text, chunk_with_extension(HTTP_CHUNK_LINE_MAX));
	assert_string_equal(p.log, "POST a.example:0, 256+1, 7+0");
	p = play_all_ways("a byte more", text, chunk_with_extension(HTTP_CHUNK_LINE_MAX + 1));
	assert_int_equal(p.fault, HTTP_BAD_SIZE);
	p = play_all_ways("digits without end", text, (size_t)sprintf(text, CHUNKED "%0300d", 0));
	assert_int_equal(p.fault, HTTP_BAD_SIZE);
	p = play_all_ways("a trailer without end", text, (size_t)sprintf(text, CHUNKED "0" E "X: %017000d", 0));
	assert_int_equal(p.fault, HTTP_BAD_SIZE);
}

/* --- the caller -------------------------------------------------------------------------------- */

static void nothing_is_read_behind_a_tunnel(void **state)
{
	static const char connect[] = "CONNECT a.example:443 HTTP/1.1" E HOST E;
	struct http_stream s = {0};
	size_t used;

	(void)state;
	assert_int_equal(http_feed(&s, connect, sizeof connect - 1, &used), HTTP_REQUEST);
	assert_int_equal(used, sizeof connect - 1);
	assert_true(s.request.connect && s.request.tunnel);
	assert_int_equal(http_feed(&s, "", 0, &used), HTTP_NEED_MORE);
	assert_int_equal(http_feed(&s, GOOD, sizeof GOOD - 1, &used), HTTP_BAD);
	assert_int_equal(s.fault, HTTP_BAD_TUNNEL);
}

static void fewer_bytes_than_before_are_a_mistake(void **state)
{
	struct http_stream s = {0};
	size_t used;

	(void)state;
	assert_int_equal(http_feed(&s, "GET / ", 6, &used), HTTP_NEED_MORE);
	assert_int_equal(http_feed(&s, "GET /", 5, &used), HTTP_BAD);
	assert_int_equal(s.fault, HTTP_BAD_CALL);
}

static void each_byte_changed(void **state)
{
	static const char good[] = "POST http://a.example/ HTTP/1.1" E HOST "Transfer-Encoding: chunked" E E "1" E "x" E "0" E E;
	static const unsigned char changes[] = {0, '\t', '\n', '\r', ' ', ',', ':', ';', '0', 'A', 0x7f, 0x80, 0xff};
	char changed[sizeof good];

	(void)state;
	for (size_t i = 0; i < sizeof good - 1; i++) {
		for (size_t k = 0; k < sizeof changes; k++) {
			memcpy(changed, good, sizeof good);
			changed[i] = (char)changes[k];
			struct play p = play_all_ways("changed", changed, sizeof good - 1);
			/* Whatever it became: either nobody's, or a.example's (its letters are in it twice, and must agree). */
			assert_true(p.requests == 0 || !strncmp(strchr(p.log, ' '), " a.example:", 11));
		}
	}
}

static void faults_have_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HTTP_FAULTS; i++)
		assert_non_null(http_fault_text(i));
	assert_string_equal(http_fault_text(HTTP_FAULTS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_streams),
		cmocka_unit_test(beginnings_are_held),
		cmocka_unit_test(hostile_streams),
		cmocka_unit_test(long_heads),
		cmocka_unit_test(many_fields),
		cmocka_unit_test(long_chunk_lines),
		cmocka_unit_test(nothing_is_read_behind_a_tunnel),
		cmocka_unit_test(fewer_bytes_than_before_are_a_mistake),
		cmocka_unit_test(each_byte_changed),
		cmocka_unit_test(faults_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
