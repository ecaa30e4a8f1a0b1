#include "relay_check.h"

#include <string.h>

#define RECORD_HEADER 5
#define RECORD_MAX ((1 << 14) + 2048) /* encrypted, before TLS 1.3 (RFC 5246 section 6.2.3) */

enum { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_APPLICATION_DATA = 23 };

void relay_check_init(struct relay_check *c, const char *host, unsigned port)
{
	*c = (struct relay_check){.host = host, .port = port};
}

void relay_check_init_proxy(struct relay_check *c, const struct relay_asks *asks)
{
	*c = (struct relay_check){.asks = *asks};
}

static enum relay_check_event refuse(struct relay_check *c, const char *why, const char *name)
{
	c->why = why;
	memcpy(c->name, name, strlen(name) + 1);
	c->state = RELAY_AT_REFUSAL;
	return RELAY_CHECK_REFUSED;
}

/* Is a server's name, that was seen where one is looked for, the right one? */
static bool is_right(const struct relay_check *c, const char *name)
{
	if (c->host)
		return !strcmp(name, c->host);
	enum relay_may may = c->asks.may(c->asks.arg, name, c->port);
	return may == RELAY_MAY || may == RELAY_MAY_UNSEEN;
}

/* --- TLS --------------------------------------------------------------------------------------- */

static void begin_hello(struct relay_check *c)
{
	c->hello = (struct client_hello){0};
	c->seen = 0;
	c->state = RELAY_AT_HELLO;
}

static enum relay_check_event judge_hello(struct relay_check *c, const uint8_t *held, size_t len, size_t *used)
{
	size_t taken;
	enum hello_verdict verdict = client_hello_feed(&c->hello, held + c->seen, len - c->seen, &taken);

	c->seen += taken;
	if (verdict == HELLO_MORE)
		return RELAY_CHECK_MORE;
	if (verdict == HELLO_BAD)
		return refuse(c, hello_fault_text(c->hello.fault), "");
	if (verdict == HELLO_NONE)
		return refuse(c, "names no server", "");
	if (!is_right(c, c->hello.name))
		return refuse(c, "another server's name", c->hello.name);
	if (c->hello.encrypted)
		return refuse(c, "an encrypted hello may hide another name", c->hello.name);
	*used = c->seen;
	c->state = RELAY_AT_RECORD;
	return RELAY_CHECK_PASS;
}

/* Between two records of a client that has said a good hello. */
static enum relay_check_event judge_record(struct relay_check *c, const uint8_t *held, size_t len, size_t *used)
{
	size_t length;

	if (c->answer.verdict == HELLO_ANSWER_FINAL)
		return RELAY_CHECK_FREE;
	if (len && held[0] == RECORD_HANDSHAKE) {
		begin_hello(c);
		return judge_hello(c, held, len, used);
	}
	if (len && held[0] != RECORD_CHANGE_CIPHER_SPEC && held[0] != RECORD_ALERT && held[0] != RECORD_APPLICATION_DATA)
		return refuse(c, "no record of TLS", "");
	if (len < RECORD_HEADER)
		return RELAY_CHECK_MORE;
	length = (size_t)held[3] << 8 | held[4];
	if (held[1] != 3 || length > RECORD_MAX)
		return refuse(c, "no record of TLS", "");
	*used = RECORD_HEADER;
	c->unseen = length;
	return RELAY_CHECK_PASS;
}

/* --- HTTP -------------------------------------------------------------------------------------- */

static void begin_requests(struct relay_check *c)
{
	c->http = (struct http_stream){.addresses = c->asks.proxy != RELAY_NO_PROXY};
	c->state = RELAY_AT_REQUESTS;
}

/* What is looked for in the tunnel to a host that the client may have. */
static void expect(struct relay_check *c, enum relay_may may, const char *host, unsigned port)
{
	memcpy(c->asked, host, strlen(host) + 1);
	c->host = may == RELAY_MAY_ANY ? NULL : c->asked;
	c->port = port;
	c->free = may == RELAY_MAY_UNSEEN;
}

static void enter_tunnel(struct relay_check *c)
{
	c->asks.proxy = RELAY_NO_PROXY;
	c->state = RELAY_AT_START;
}

static enum relay_check_event refuse_host(struct relay_check *c, const char *host, unsigned port)
{
	c->asked_port = port;
	return refuse(c, "the proxy was asked for a host that is not allowed", host);
}

static enum relay_check_event judge_proxied(struct relay_check *c, bool first)
{
	const struct http_request *r = &c->http.request;
	unsigned port = r->port ? r->port : 80;
	enum relay_may may = c->asks.may(c->asks.arg, r->host, port);

	if (may == RELAY_MAY_NOT)
		return refuse_host(c, r->host, port);
	if (r->tunnel && !r->connect)
		return refuse(c, "asks for another protocol", r->host);
	if (!r->connect)
		return RELAY_CHECK_PASS;
	if (!first)
		return refuse(c, "asks for a tunnel after something else", r->host);
	expect(c, may, r->host, port);
	c->connected = (struct http_answer){0};
	c->state = RELAY_AT_ANSWER;
	return RELAY_CHECK_PASS;
}

static enum relay_check_event judge_request(struct relay_check *c)
{
	const struct http_request *r = &c->http.request;

	if (!is_right(c, r->host))
		return refuse(c, "another server's name", r->host);
	if (r->port && r->port != c->port)
		return refuse(c, "another port", r->host);
	if (r->tunnel)
		return refuse(c, r->connect ? "asks for a tunnel" : "asks for another protocol", r->host);
	return RELAY_CHECK_PASS;
}

static enum relay_check_event judge_requests(struct relay_check *c, const uint8_t *held, size_t len, size_t *used)
{
	bool first = !c->requests;

	switch (http_feed(&c->http, held, len, used)) {
	case HTTP_NEED_MORE:
		return RELAY_CHECK_MORE;
	case HTTP_REQUEST:
		c->requests = true;
		return c->asks.proxy == RELAY_NO_PROXY ? judge_request(c) : judge_proxied(c, first);
	case HTTP_BODY:
		c->unseen = c->http.pass;
		return RELAY_CHECK_PASS;
	case HTTP_BAD:
		break;
	}
	return refuse(c, http_fault_text(c->http.fault), "");
}

/* Behind CONNECT, before its answer. */
static enum relay_check_event judge_early(struct relay_check *c, size_t len)
{
	if (c->connected.verdict == HTTP_ANSWER_OTHER && len)
		return refuse(c, "more after the proxy's refusal", "");
	return RELAY_CHECK_MORE;
}

/* --- SOCKS ------------------------------------------------------------------------------------- */

static enum relay_check_event judge_asked(struct relay_check *c)
{
	enum relay_may may = c->asks.may(c->asks.arg, c->socks.host, c->socks.port);

	if (may == RELAY_MAY_NOT)
		return refuse_host(c, c->socks.host, c->socks.port);
	expect(c, may, c->socks.host, c->socks.port);
	return RELAY_CHECK_PASS;
}

static enum relay_check_event judge_socks(struct relay_check *c, const uint8_t *held, size_t len, size_t *used)
{
	switch (socks_client(&c->socks, held, len, used)) {
	case SOCKS_MORE:
		return RELAY_CHECK_MORE;
	case SOCKS_PASS:
		return RELAY_CHECK_PASS;
	case SOCKS_ASKS:
		return judge_asked(c);
	case SOCKS_BAD:
		break;
	}
	return refuse(c, c->socks.why, "");
}

static void begin_socks(struct relay_check *c)
{
	c->socks = (struct socks_talk){0};
	c->state = RELAY_AT_SOCKS;
}

/* ----------------------------------------------------------------------------------------------- */

/* What a proxy would say of a host that it does not give; inside a tunnel nothing could be said. */
static void find_words(struct relay_check *c)
{
	static const char forbidden[] = "HTTP/1.1 403 Forbidden by pipwarden\r\nContent-Type: text/plain\r\nContent-Length: 58\r\nConnection: close\r\n\r\n"
					"pipwarden: its journal says which host and what allows it\n";
	static const char not_allowed[] = {5, 2, 0, 1, 0, 0, 0, 0, 0, 0}; /* RFC 1928 section 6: by ruleset */

	if (c->asks.proxy == RELAY_HTTP_PROXY) {
		c->words = forbidden;
		c->words_len = sizeof forbidden - 1;
	} else if (c->asks.proxy == RELAY_SOCKS_PROXY && c->asked_port) {
		c->words = not_allowed;
		c->words_len = sizeof not_allowed;
	}
}

static enum relay_check_event begin(struct relay_check *c, const uint8_t *held, size_t len)
{
	if (c->free)
		return RELAY_CHECK_FREE;
	if (!len)
		return RELAY_CHECK_MORE;
	if (c->asks.proxy == RELAY_HTTP_PROXY)
		begin_requests(c);
	else if (c->asks.proxy == RELAY_SOCKS_PROXY)
		begin_socks(c);
	else if (held[0] == RECORD_HANDSHAKE)
		begin_hello(c);
	else if (held[0] >= 'A' && held[0] <= 'Z')
		begin_requests(c);
	else
		return refuse(c, "neither TLS nor HTTP", "");
	return RELAY_CHECK_PASS;
}

static enum relay_check_event judge(struct relay_check *c, const uint8_t *held, size_t len, size_t *used)
{
	switch (c->state) {
	case RELAY_AT_START:
		break;
	case RELAY_AT_HELLO:
		return judge_hello(c, held, len, used);
	case RELAY_AT_RECORD:
		return judge_record(c, held, len, used);
	case RELAY_AT_REQUESTS:
		return judge_requests(c, held, len, used);
	case RELAY_AT_SOCKS:
		return judge_socks(c, held, len, used);
	case RELAY_AT_ANSWER:
		return judge_early(c, len);
	case RELAY_AT_REFUSAL:
		return RELAY_CHECK_REFUSED;
	}
	enum relay_check_event event = begin(c, held, len);
	return event == RELAY_CHECK_PASS ? judge(c, held, len, used) : event;
}

enum relay_check_event relay_check_client(struct relay_check *c, const uint8_t *held, size_t len, size_t *used)
{
	enum relay_check_event event;

	*used = 0;
	c->unseen = 0;
	event = judge(c, held, len, used);
	if (event == RELAY_CHECK_MORE && len >= RELAY_HELD_MAX)
		return refuse(c, "too long", ""); /* the readers' limits lie below: nobody gets here, and nobody waits for ever */
	if (event != RELAY_CHECK_PASS)
		*used = 0;
	if (event == RELAY_CHECK_REFUSED)
		find_words(c);
	return event;
}

bool relay_check_wants_server(const struct relay_check *c)
{
	return c->state == RELAY_AT_HELLO || c->state == RELAY_AT_RECORD || c->state == RELAY_AT_ANSWER || c->state == RELAY_AT_SOCKS;
}

/* What a proxy says behind its answer is the host's, who has seen no hello yet: nothing follows from it. */
void relay_check_server(struct relay_check *c, const void *bytes, size_t len)
{
	size_t used;

	if (c->state == RELAY_AT_HELLO || c->state == RELAY_AT_RECORD)
		hello_answer_feed(&c->answer, bytes, len);
	else if (c->state == RELAY_AT_ANSWER && http_answer_feed(&c->connected, bytes, len, &used) == HTTP_ANSWER_TUNNEL)
		enter_tunnel(c);
	else if (c->state == RELAY_AT_SOCKS && (socks_proxy(&c->socks, bytes, len), c->socks.made))
		enter_tunnel(c);
}
