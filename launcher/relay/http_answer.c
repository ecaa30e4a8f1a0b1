#include "http_answer.h"

#include <string.h>

#define STATUS_AT (sizeof "HTTP/1.1 " - 1)
#define STATUS_LEN (STATUS_AT + 3)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* HTTP/1.x NNN: what follows is for people. */
static bool read_status(struct http_answer *a)
{
	const char *digits = a->line + STATUS_AT;

	if (a->have < STATUS_LEN || memcmp(a->line, "HTTP/1.", 7) || !is_digit(a->line[7]) || a->line[8] != ' ')
		return false;
	if (!is_digit(digits[0]) || !is_digit(digits[1]) || !is_digit(digits[2]))
		return false;
	a->status = (unsigned)(digits[0] - '0') * 100 + (unsigned)(digits[1] - '0') * 10 + (unsigned)(digits[2] - '0');
	return a->status >= 100 && (a->have == STATUS_LEN || a->line[STATUS_LEN] == ' ' || a->line[STATUS_LEN] == '\r');
}

/* A line has ended.  Clients take a bare LF for its end as well. */
static enum http_answer_verdict take_line(struct http_answer *a)
{
	bool empty = !a->have || (a->have == 1 && a->line[0] == '\r');

	if (!a->past_status) {
		a->past_status = read_status(a);
		a->have = 0;
		return a->past_status ? HTTP_ANSWER_MORE : HTTP_ANSWER_OTHER;
	}
	a->have = 0;
	if (!empty)
		return HTTP_ANSWER_MORE;
	a->past_status = false;
	if (a->status < 200)
		return HTTP_ANSWER_MORE; /* RFC 9110 section 15.2: another head follows */
	return a->status < 300 ? HTTP_ANSWER_TUNNEL : HTTP_ANSWER_OTHER;
}

enum http_answer_verdict http_answer_feed(struct http_answer *a, const void *bytes, size_t len, size_t *used)
{
	const char *at = bytes;

	*used = 0;
	while (a->verdict == HTTP_ANSWER_MORE && *used < len) {
		char c = at[(*used)++];

		if (++a->total > HTTP_ANSWER_MAX)
			a->verdict = HTTP_ANSWER_OTHER;
		else if (c == '\n')
			a->verdict = take_line(a);
		else if (a->have < sizeof a->line)
			a->line[a->have++] = c;
	}
	return a->verdict;
}
