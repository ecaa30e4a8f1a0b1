#include "relay_check.h"

#include <string.h>

#define RECORD_HEADER 5
#define RECORD_MAX ((1 << 14) + 2048) /* encrypted, before TLS 1.3 (RFC 5246 section 6.2.3) */

enum { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_APPLICATION_DATA = 23 };

void relay_check_init(struct relay_check *c, const char *host, unsigned port)
{
	*c = (struct relay_check){.host = host, .port = port};
}

static enum relay_check_event refuse(struct relay_check *c, const char *why, const char *name)
{
	c->why = why;
	memcpy(c->name, name, strlen(name) + 1);
	c->state = RELAY_AT_REFUSAL;
	return RELAY_CHECK_REFUSED;
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
	if (strcmp(c->hello.name, c->host))
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
	c->http = (struct http_stream){0};
	c->state = RELAY_AT_REQUESTS;
}

static enum relay_check_event judge_request(struct relay_check *c)
{
	const struct http_request *r = &c->http.request;

	if (strcmp(r->host, c->host))
		return refuse(c, "another server's name", r->host);
	if (r->port && r->port != c->port)
		return refuse(c, "another port", r->host);
	if (r->tunnel)
		return refuse(c, r->connect ? "asks for a tunnel" : "asks for another protocol", r->host);
	return RELAY_CHECK_PASS;
}

static enum relay_check_event judge_requests(struct relay_check *c, const uint8_t *held, size_t len, size_t *used)
{
	switch (http_feed(&c->http, held, len, used)) {
	case HTTP_NEED_MORE:
		return RELAY_CHECK_MORE;
	case HTTP_REQUEST:
		return judge_request(c);
	case HTTP_BODY:
		c->unseen = c->http.pass;
		return RELAY_CHECK_PASS;
	case HTTP_BAD:
		break;
	}
	return refuse(c, http_fault_text(c->http.fault), "");
}

/* ----------------------------------------------------------------------------------------------- */

static enum relay_check_event begin(struct relay_check *c, const uint8_t *held, size_t len)
{
	if (!len)
		return RELAY_CHECK_MORE;
	if (held[0] == RECORD_HANDSHAKE)
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
	return event;
}

void relay_check_server(struct relay_check *c, const void *bytes, size_t len)
{
	if (c->state == RELAY_AT_HELLO || c->state == RELAY_AT_RECORD)
		hello_answer_feed(&c->answer, bytes, len);
}
