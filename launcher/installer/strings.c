#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/installer.h"

static int add_owned(struct strings *s, char *text)
{
	char **v = text ? reallocarray(s->v, s->n + 2, sizeof(*v)) : NULL;

	if (!v) {
		free(text);
		return -ENOMEM;
	}
	v[s->n++] = text;
	v[s->n] = NULL;
	s->v = v;
	return 0;
}

int strings_add(struct strings *s, const char *text)
{
	return add_owned(s, strdup(text));
}

int strings_add_real(struct strings *s, const char *path)
{
	char real[PATH_MAX];

	return realpath(path, real) ? strings_add(s, real) : 0;
}

int strings_addf(struct strings *s, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : add_owned(s, text);
}

bool strings_has(const struct strings *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->v[i], text)) {
			return true;
		}
	}
	return false;
}

void strings_remove(struct strings *s, const char *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i], text)) {
			s->v[kept++] = s->v[i];
		} else {
			free(s->v[i]);
		}
	}
	s->n = kept;
	if (s->v) {
		s->v[kept] = NULL;
	}
}

void strings_finish(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i]);
	}
	free(s->v);
	*s = (struct strings){ 0 };
}
