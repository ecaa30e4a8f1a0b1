#include "launcher/record/redact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int redact_init(struct redact *r, char *const *secrets)
{
	*r = (struct redact){0};
	size_t n = 0;
	while (secrets != NULL && secrets[n] != NULL) {
		n++;
	}
	if (n == 0) {
		return 0;
	}
	r->secrets = calloc(n, sizeof(*r->secrets));
	r->lens = calloc(n, sizeof(*r->lens));
	if (r->secrets == NULL || r->lens == NULL) {
		redact_finish(r);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(secrets[i]);
		if (len < REDACT_MIN) {
			continue;
		}
		r->secrets[r->count] = secrets[i];
		r->lens[r->count++] = len;
		r->first[(unsigned char)secrets[i][0]] = true;
		r->first['%'] = true;
		r->reach = 3 * len > r->reach ? 3 * len : r->reach;
	}
	return 0;
}

void redact_finish(struct redact *r)
{
	free(r->secrets);
	free(r->lens);
	*r = (struct redact){0};
}

static int hex(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Every %XX of the text counts as its byte; what is not encoded counts as it is. */
static size_t match_encoded(const char *s, size_t n, const char *secret, size_t len)
{
	size_t at = 0;
	for (size_t i = 0; i < len; i++) {
		if (at >= n) {
			return 0;
		}
		char c = s[at];
		size_t step = 1;
		if (c == '%' && n - at >= 3 && hex(s[at + 1]) >= 0 && hex(s[at + 2]) >= 0) {
			c = (char)(hex(s[at + 1]) << 4 | hex(s[at + 2]));
			step = 3;
		}
		if (c != secret[i]) {
			return 0;
		}
		at += step;
	}
	return at;
}

size_t redact_match(const struct redact *r, const char *s, size_t n)
{
	if (r == NULL || !r->first[(unsigned char)s[0]]) {
		return 0;
	}
	size_t best = 0;
	for (size_t i = 0; i < r->count; i++) {
		size_t len = r->lens[i];
		size_t took = n >= len && memcmp(s, r->secrets[i], len) == 0 ? len : match_encoded(s, n, r->secrets[i], len);
		best = took > best ? took : best;
	}
	return best;
}
