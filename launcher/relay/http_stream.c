#include "http_stream.h"

#include <string.h>

static enum http_event bad(struct http_stream *s, enum http_fault fault)
{
	s->fault = fault;
	s->state = HTTP_AT_FAULT;
	return HTTP_BAD;
}

/* All that was looked at may go, and what comes next is in the state. */
static enum http_event done(struct http_stream *s, enum http_event event, size_t *used)
{
	*used = s->seen;
	s->seen = s->line = 0;
	return event;
}

static enum http_event end_head(struct http_stream *s, size_t *used)
{
	enum http_fault fault = http_head_end(&s->head);

	if (fault != HTTP_FINE)
		return bad(s, fault);
	s->request = s->head.request;
	if (s->request.tunnel)
		s->state = HTTP_AT_TUNNEL;
	else if (s->head.chunked)
		s->state = HTTP_AT_CHUNK;
	else
		s->state = s->head.length ? HTTP_AT_BODY : HTTP_AT_HEAD;
	s->pass = s->head.length;
	s->head = (struct http_head){0};
	s->empty_line = false;
	return done(s, HTTP_REQUEST, used);
}

static enum http_event head_line(struct http_stream *s, const char *line, size_t len, size_t *used)
{
	enum http_fault fault = HTTP_FINE;

	s->head.addresses = s->addresses;
	if (len)
		fault = http_head_line(&s->head, line, len);
	else if (s->head.lines)
		return end_head(s, used);
	else if (s->empty_line)
		fault = HTTP_BAD_EMPTY_LINES; /* RFC 9112 section 2.2: a server should ignore one at least; how many it does is its own affair */
	else
		s->empty_line = true;
	return fault == HTTP_FINE ? HTTP_NEED_MORE : bad(s, fault);
}

static enum http_event chunk_line(struct http_stream *s, const char *line, size_t len, size_t *used)
{
	enum http_fault fault = http_chunk_line(line, len, &s->pass);

	if (fault != HTTP_FINE)
		return bad(s, fault);
	if (s->pass) {
		s->state = HTTP_AT_CHUNK_END;
		return done(s, HTTP_BODY, used);
	}
	s->state = HTTP_AT_TRAILER;
	s->trailers = 0;
	return HTTP_NEED_MORE;
}

static enum http_event trailer_line(struct http_stream *s, const char *line, size_t len, size_t *used)
{
	enum http_fault fault = HTTP_BAD_LINES;

	if (!len) {
		s->state = HTTP_AT_HEAD;
		return done(s, HTTP_BODY, used);
	}
	if (s->trailers++ < HTTP_TRAILERS_MAX)
		fault = http_trailer_line(line, len);
	return fault == HTTP_FINE ? HTTP_NEED_MORE : bad(s, fault);
}

static enum http_event take_line(struct http_stream *s, const char *line, size_t len, size_t *used)
{
	switch (s->state) {
	case HTTP_AT_HEAD:
		return head_line(s, line, len, used);
	case HTTP_AT_CHUNK:
		return chunk_line(s, line, len, used);
	case HTTP_AT_CHUNK_END:
		s->state = HTTP_AT_CHUNK; /* len is 0: look() */
		return HTTP_NEED_MORE;
	case HTTP_AT_TRAILER:
		return trailer_line(s, line, len, used);
	case HTTP_AT_BODY:
	case HTTP_AT_TUNNEL:
	case HTTP_AT_FAULT:
		break;
	}
	return bad(s, HTTP_BAD_CALL);
}

/* The next byte, s->seen of them before it: may it stand there? */
static enum http_fault look(struct http_stream *s, unsigned char c)
{
	bool after_cr = s->cr;

	s->cr = c == '\r';
	if (after_cr != (c == '\n'))
		return HTTP_BAD_LINE_END;
	if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
		return HTTP_BAD_CONTROL;
	if (s->state == HTTP_AT_CHUNK_END && c != '\r' && c != '\n')
		return HTTP_BAD_CHUNK;
	return HTTP_FINE;
}

static size_t limit(const struct http_stream *s)
{
	return s->state == HTTP_AT_CHUNK || s->state == HTTP_AT_CHUNK_END ? HTTP_CHUNK_LINE_MAX : HTTP_HEAD_MAX;
}

static enum http_event take_byte(struct http_stream *s, const char *held, size_t *used)
{
	char c = held[s->seen];
	enum http_fault fault = look(s, (unsigned char)c);
	enum http_event event = HTTP_NEED_MORE;

	if (fault != HTTP_FINE)
		return bad(s, fault);
	s->seen++;
	if (c == '\n') {
		size_t line = s->line;
		s->line = s->seen;
		event = take_line(s, held + line, s->seen - line - 2, used);
	}
	if (event == HTTP_NEED_MORE && s->seen >= limit(s))
		return bad(s, HTTP_BAD_SIZE);
	return event;
}

enum http_event http_feed(struct http_stream *s, const void *bytes, size_t len, size_t *used)
{
	enum http_event event = HTTP_NEED_MORE;

	*used = 0;
	if (s->state == HTTP_AT_FAULT)
		return HTTP_BAD;
	if (s->state == HTTP_AT_TUNNEL)
		return len ? bad(s, HTTP_BAD_TUNNEL) : HTTP_NEED_MORE;
	if (s->state == HTTP_AT_BODY) {
		s->state = HTTP_AT_HEAD;
		return HTTP_BODY;
	}
	if (len < s->seen)
		return bad(s, HTTP_BAD_CALL); /* what was looked at is gone: nothing can be said of the rest */
	while (s->seen < len && event == HTTP_NEED_MORE)
		event = take_byte(s, bytes, used);
	return event;
}
