#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/installer.h"

int strings_add(struct strings *s, const char *text)
{
	char *copy = strdup(text);
	char **v = copy ? reallocarray(s->v, s->n + 2, sizeof(*v)) : NULL;

	if (!v) {
		free(copy);
		return -ENOMEM;
	}
	v[s->n++] = copy;
	v[s->n] = NULL;
	s->v = v;
	return 0;
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
