#include "play.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct relay {
	struct http_stream stream;
	uint8_t held[HTTP_HELD_MAX];
	size_t count;
	uint64_t unseen; /* bytes of a body that are still to be passed on */
	bool over;
	struct play *play;
};

__attribute__((format(printf, 2, 3))) static void note(struct play *p, const char *format, ...)
{
	size_t n = strlen(p->log);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(p->log + n, sizeof p->log - n, format, arguments);
	va_end(arguments);
}

static void pass(struct relay *r, size_t n)
{
	assert(n <= r->count);
	memmove(r->held, r->held + n, r->count - n);
	r->count -= n;
	r->play->passed += n;
}

static void pass_unseen(struct relay *r)
{
	size_t n = r->unseen < r->count ? (size_t)r->unseen : r->count;

	r->unseen -= n;
	pass(r, n);
}

/* The held bytes in memory of their own: reading past them is seen. */
static enum http_event ask(struct relay *r, size_t *used)
{
	uint8_t *copy = malloc(r->count ? r->count : 1);

	memcpy(copy, r->held, r->count);
	enum http_event event = http_feed(&r->stream, copy, r->count, used);
	free(copy);
	assert(*used <= r->count);
	return event;
}

/* How many Hosts a server finds in a head that takes any line end, and any white space around a name. */
static unsigned hosts_in(const char *head, size_t len)
{
	unsigned count = 0;

	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *line = head + at, *stop = memchr(line, '\n', len - at);
		size_t name = 0;

		n = stop ? (size_t)(stop - line) : len - at;
		while (name < n && (line[name] == ' ' || line[name] == '\t'))
			name++;
		if (n - name < 5 || strncasecmp(line + name, "host", 4))
			continue;
		for (name += 4; name < n && (line[name] == ' ' || line[name] == '\t'); name++)
			;
		count += name < n && line[name] == ':';
	}
	return count;
}

static void check_request(const struct relay *r, size_t used)
{
	const struct http_request *q = &r->stream.request;
	const char *head = (const char *)r->held;
	char again[HOST_TEXT_MAX];
	unsigned hosts = hosts_in(head, used);

	assert(used >= 4 && !memcmp(head + used - 4, "\r\n\r\n", 4) && !memchr(head, 0, used));
	assert(memmem(head, used, "\r\n\r\n", 4) == head + used - 4 || !memcmp(head, "\r\n", 2));
	assert(hosts == 1 || (hosts == 0 && q->connect));
	assert(host_read(q->host, strlen(q->host), again) == HOST_NAME && !strcmp(q->host, again));
	assert(q->port <= 65535 && (!q->connect || (q->tunnel && q->port)));
}

/* False: more has to come. */
static bool step(struct relay *r)
{
	const struct http_request *q = &r->stream.request;
	const char *comma = r->play->log[0] ? ", " : "";
	size_t used;

	switch (ask(r, &used)) {
	case HTTP_NEED_MORE:
		assert(used == 0 && r->count < HTTP_HELD_MAX);
		return false;
	case HTTP_REQUEST:
		check_request(r, used);
		note(r->play, "%s%s %s:%u%s%s", comma, q->method, q->host, q->port, q->connect ? " connect" : "", q->tunnel ? " tunnel" : "");
		r->play->requests++;
		pass(r, used);
		r->over = q->tunnel;
		return !r->over;
	case HTTP_BODY:
		note(r->play, "%s%zu+%llu", comma, used, (unsigned long long)r->stream.pass);
		pass(r, used);
		r->unseen = r->stream.pass;
		assert(used || r->unseen);
		return true;
	case HTTP_BAD:
		assert(used == 0 && r->stream.fault != HTTP_FINE);
		r->play->fault = r->stream.fault;
		r->over = true;
		assert(ask(r, &used) == HTTP_BAD && used == 0); /* and stays so */
		return false;
	}
	abort();
}

struct play play(const uint8_t *bytes, size_t len, size_t (*next)(void *context), void *context)
{
	struct relay *r = calloc(1, sizeof *r);
	struct play p = {.held = 0};
	size_t at = 0;

	r->play = &p;
	while (at < len && !r->over) {
		size_t n = next(context);
		n = n < len - at ? n : len - at;
		n = n < sizeof r->held - r->count ? n : sizeof r->held - r->count;
		assert(n > 0 || sizeof r->held > r->count);
		memcpy(r->held + r->count, bytes + at, n);
		r->count += n;
		at += n;
		do {
			pass_unseen(r);
		} while (!r->unseen && !r->over && step(r));
	}
	p.held = r->count + len - at; /* what was not even received is held as well */
	free(r);
	assert(p.passed + p.held == len);
	return p;
}

bool play_same(const struct play *a, const struct play *b)
{
	return !strcmp(a->log, b->log) && a->fault == b->fault && a->passed == b->passed && a->held == b->held && a->requests == b->requests;
}
