/* What a client says to a proxy, and what that answers, both from anybody: only hosts that the client may have are asked for, what is let through is the same
 * however the client's bytes come, and nothing follows a request before its answer.
 *
 * Input: a byte for the kind of proxy, two for the length of what the client says, that, then what the proxy says. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/relay/relay_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *at;
	size_t len;
};

struct outcome {
	size_t passed, answered; /* of the client's, of the proxy's */
	bool free, refused, asked; /* asked: for a host that it may have */
	const char *why;
	char name[HOST_TEXT_MAX];
};

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static enum relay_may may(void *arg, const char *host, unsigned port)
{
	struct outcome *o = arg;
	enum relay_may answer = RELAY_MAY_NOT;

	assert(port && port < 65536 && *host);
	if (!strcmp(host, "a.example"))
		answer = RELAY_MAY;
	else if (!strcmp(host, "192.0.2.1"))
		answer = RELAY_MAY_UNSEEN;
	else if (!strcmp(host, "192.0.2.2"))
		answer = RELAY_MAY_ANY;
	o->asked |= answer != RELAY_MAY_NOT;
	return answer;
}

/* The held bytes in memory of their own, so that reading past them is seen. */
static enum relay_check_event ask(struct relay_check *c, const uint8_t *held, size_t count, size_t *used)
{
	uint8_t *copy = malloc(count ? count : 1);

	memcpy(copy, held, count);
	enum relay_check_event event = relay_check_client(c, copy, count, used);
	free(copy);
	assert(*used <= count && (event == RELAY_CHECK_PASS ? *used || c->unseen : !*used));
	return event;
}

/* The proxy's next byte, once the client has said all.  False: there is none. */
static bool answer(struct relay_check *c, struct bytes proxy, struct outcome *o)
{
	if (o->answered == proxy.len)
		return false;
	relay_check_server(c, proxy.at + o->answered++, 1);
	return true;
}

/* One event; false: the end. */
static bool step(struct relay_check *c, struct bytes client, struct bytes proxy, size_t *have, uint32_t *portions, struct outcome *o)
{
	size_t used, n, room;

	switch (ask(c, client.at + o->passed, *have - o->passed, &used)) {
	case RELAY_CHECK_REFUSED:
		o->refused = true;
		o->why = c->why;
		memcpy(o->name, c->name, sizeof o->name);
		assert(!c->asked_port || c->words);
		return false;
	case RELAY_CHECK_FREE:
		assert(o->asked);
		o->free = true;
		return false;
	case RELAY_CHECK_PASS:
		o->passed = used + c->unseen < client.len - o->passed ? o->passed + used + (size_t)c->unseen : client.len;
		*have = *have > o->passed ? *have : o->passed;
		return true;
	case RELAY_CHECK_MORE:
		break;
	}
	if (*have == client.len)
		return answer(c, proxy, o);
	n = *portions ? 1 + next(portions) % 64 : RELAY_HELD_MAX;
	room = RELAY_HELD_MAX - (*have - o->passed);
	assert(room);
	n = n < room ? n : room;
	*have += n < client.len - *have ? n : client.len - *have;
	return true;
}

/* portions: 0: all that fits. */
static struct outcome play(enum relay_proxy kind, struct bytes client, struct bytes proxy, uint32_t portions)
{
	struct relay_check *c = malloc(sizeof *c);
	struct outcome o = {0};
	size_t have = 0;

	memset(c, 0xa5, sizeof *c);
	relay_check_init_proxy(c, &(struct relay_asks){.proxy = kind, .may = may, .arg = &o});
	while (step(c, client, proxy, &have, &portions, &o))
		;
	free(c);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	enum relay_proxy kind = data[0] & 1 ? RELAY_SOCKS_PROXY : RELAY_HTTP_PROXY;
	struct bytes client = {data + 3, (size_t)data[1] << 8 | data[2]}, proxy;

	client.len = client.len < size - 3 ? client.len : size - 3;
	proxy = (struct bytes){client.at + client.len, size - 3 - client.len};
	struct outcome whole = play(kind, client, proxy, 0);
	for (uint32_t seed = 1; seed < 4; seed++) {
		struct outcome other = play(kind, client, proxy, seed * 7919);
		assert(whole.passed == other.passed && whole.answered == other.answered && whole.free == other.free && whole.why == other.why &&
		       !strcmp(whole.name, other.name));
	}
	return 0;
}
