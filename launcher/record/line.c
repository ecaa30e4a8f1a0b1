#include "launcher/record/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void line_finish(struct line *l)
{
	free(l->data);
	*l = (struct line){0};
}

void line_reset(struct line *l)
{
	l->len = 0;
	l->failed = false;
}

static bool reserve(struct line *l, size_t more)
{
	if (l->failed) {
		return false;
	}
	if (more <= l->cap - l->len) {
		return true;
	}
	size_t cap = l->cap != 0 ? l->cap : 4096;
	while (cap - l->len < more && cap < LINE_BYTES_MAX) {
		cap *= 2;
	}
	char *data = cap - l->len < more ? NULL : realloc(l->data, cap);
	if (data == NULL) {
		l->failed = true;
		return false;
	}
	l->data = data;
	l->cap = cap;
	return true;
}

void line_bytes(struct line *l, const char *s, size_t n)
{
	if (n != 0 && reserve(l, n)) {
		memcpy(l->data + l->len, s, n);
		l->len += n;
	}
}

void line_text(struct line *l, const char *s)
{
	line_bytes(l, s, strlen(s));
}

void line_number(struct line *l, int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, n);
	line_bytes(l, text, (size_t)len);
}

char *line_steal(struct line *l)
{
	line_bytes(l, "", 1);
	char *data = l->failed ? NULL : l->data;
	if (data != NULL) {
		*l = (struct line){0};
	} else {
		line_finish(l);
	}
	return data;
}
