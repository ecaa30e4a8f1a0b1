#include "socks.h"

#include <arpa/inet.h>
#include <string.h>

enum { VERSION = 5, LOGIN_VERSION = 1, METHOD_NONE = 0, METHOD_LOGIN = 2, COMMAND_CONNECT = 1, ADDRESS_V4 = 1, ADDRESS_NAME = 3, ADDRESS_V6 = 4 };

static enum socks_event bad(struct socks_talk *t, const char *why)
{
	t->why = why;
	t->state = SOCKS_AT_FAULT;
	return SOCKS_BAD;
}

/* --- the client's -------------------------------------------------------------------------------- */

static enum socks_event take_greeting(struct socks_talk *t, const uint8_t *held, size_t len, size_t *used)
{
	if (held[0] != VERSION)
		return bad(t, "no SOCKS5");
	if (len < 2 || len < 2u + held[1])
		return SOCKS_MORE;
	for (size_t i = 0; i < held[1]; i++) {
		t->offers_none |= held[2 + i] == METHOD_NONE;
		t->offers_login |= held[2 + i] == METHOD_LOGIN;
		if (held[2 + i] != METHOD_NONE && held[2 + i] != METHOD_LOGIN)
			return bad(t, "a way to log in that hides what follows"); /* GSSAPI encrypts the request */
	}
	*used = 2u + held[1];
	t->state = SOCKS_AT_METHOD;
	return SOCKS_PASS;
}

/* 1, a name, a password: each with its length before it. */
static enum socks_event take_login(struct socks_talk *t, const uint8_t *held, size_t len, size_t *used)
{
	if (held[0] != LOGIN_VERSION)
		return bad(t, "no login of SOCKS5");
	if (len < 2 || len < 3u + held[1] || len < 3u + held[1] + held[2 + held[1]])
		return SOCKS_MORE;
	*used = 3u + held[1] + held[2 + held[1]];
	t->state = SOCKS_AT_LOGGED;
	return SOCKS_PASS;
}

/* How long the address behind byte 3 is, with a name's own length; 0: of no known kind.  len: 5 at least. */
static size_t address_length(const uint8_t *message)
{
	switch (message[3]) {
	case ADDRESS_V4:
		return 4;
	case ADDRESS_V6:
		return 16;
	case ADDRESS_NAME:
		return 1u + message[4];
	default:
		return 0;
	}
}

/* A name that is an address: by RFC 1928 it is no name, and proxies take it in whatever form their resolver knows. */
static bool read_name(struct socks_talk *t, const uint8_t *name, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (host_read(name, len, t->host) == HOST_NAME)
		return true;
	if (len >= sizeof text || memchr(name, 0, len))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	for (int family = AF_INET;; family = AF_INET6) {
		if (inet_pton(family, text, bytes) == 1)
			return inet_ntop(family, bytes, t->host, sizeof t->host) != NULL;
		if (family == AF_INET6)
			return false;
	}
}

static bool read_address(struct socks_talk *t, const uint8_t *message)
{
	if (message[3] == ADDRESS_NAME)
		return read_name(t, message + 5, message[4]);
	return inet_ntop(message[3] == ADDRESS_V4 ? AF_INET : AF_INET6, message + 4, t->host, sizeof t->host) != NULL;
}

static enum socks_event take_request(struct socks_talk *t, const uint8_t *held, size_t len, size_t *used)
{
	size_t length;

	if (held[0] != VERSION)
		return bad(t, "no request of SOCKS5");
	if (len > 1 && held[1] != COMMAND_CONNECT)
		return bad(t, "asks for something else than a connection");
	if (len > 2 && held[2])
		return bad(t, "no request of SOCKS5");
	if (len < 5)
		return SOCKS_MORE;
	length = address_length(held);
	if (!length)
		return bad(t, "no request of SOCKS5");
	if (len < 4 + length + 2)
		return SOCKS_MORE;
	if (!read_address(t, held))
		return bad(t, "a host that is none");
	t->port = (unsigned)held[4 + length] << 8 | held[5 + length];
	if (!t->port)
		return bad(t, "no port");
	*used = 4 + length + 2;
	t->state = SOCKS_AT_ANSWER;
	return SOCKS_ASKS;
}

enum socks_event socks_client(struct socks_talk *t, const uint8_t *held, size_t len, size_t *used)
{
	*used = 0;
	if (t->state == SOCKS_AT_FAULT)
		return SOCKS_BAD;
	if (!len)
		return SOCKS_MORE;
	switch (t->state) {
	case SOCKS_AT_GREETING:
		return take_greeting(t, held, len, used);
	case SOCKS_AT_LOGIN:
		return take_login(t, held, len, used);
	case SOCKS_AT_REQUEST:
		return take_request(t, held, len, used);
	case SOCKS_AT_END:
		return bad(t, "more after the proxy's refusal");
	case SOCKS_AT_METHOD:
	case SOCKS_AT_LOGGED:
	case SOCKS_AT_ANSWER:
	case SOCKS_AT_FAULT:
		break;
	}
	return SOCKS_MORE;
}

/* --- the proxy's --------------------------------------------------------------------------------- */

static size_t answer_length(const struct socks_talk *t)
{
	if (t->state != SOCKS_AT_ANSWER)
		return 2;
	return t->have < 5 ? 5 : 4 + address_length(t->answer) + 2;
}

/* A whole answer has come. */
static void judge_answer(struct socks_talk *t)
{
	const uint8_t *a = t->answer;

	if (t->state == SOCKS_AT_METHOD) {
		t->state = SOCKS_AT_END;
		if (a[0] == VERSION && a[1] == METHOD_NONE && t->offers_none)
			t->state = SOCKS_AT_REQUEST;
		else if (a[0] == VERSION && a[1] == METHOD_LOGIN && t->offers_login)
			t->state = SOCKS_AT_LOGIN;
	} else if (t->state == SOCKS_AT_LOGGED) {
		t->state = a[1] ? SOCKS_AT_END : SOCKS_AT_REQUEST;
	} else {
		t->made = a[0] == VERSION && !a[1];
		t->state = SOCKS_AT_END;
	}
	t->have = 0;
}

static bool is_proxys_turn(const struct socks_talk *t)
{
	return t->state == SOCKS_AT_METHOD || t->state == SOCKS_AT_LOGGED || t->state == SOCKS_AT_ANSWER;
}

size_t socks_proxy(struct socks_talk *t, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t done = 0;

	while (done < len && is_proxys_turn(t)) {
		t->answer[t->have++] = at[done++];
		if (t->state == SOCKS_AT_ANSWER && t->have == 5 && !address_length(t->answer))
			t->state = SOCKS_AT_END;
		else if (t->have == answer_length(t))
			judge_answer(t);
	}
	return t->made || t->state == SOCKS_AT_FAULT ? done : len;
}
