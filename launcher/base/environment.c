#include "environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int append(struct environment *e, char *owned)
{
	char **grown = owned != NULL ? realloc(e->v, (e->n + 2) * sizeof *grown) : NULL;

	if (grown == NULL) {
		free(owned);
		return -ENOMEM;
	}
	e->v = grown;
	e->v[e->n++] = owned;
	e->v[e->n] = NULL;
	return 0;
}

int environment_copy(struct environment *e, char *const envp[])
{
	*e = (struct environment){.v = calloc(1, sizeof *e->v)};
	if (e->v == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; envp != NULL && envp[i] != NULL; i++) {
		if (append(e, strdup(envp[i])) < 0) {
			environment_finish(e);
			return -ENOMEM;
		}
	}
	return 0;
}

static size_t find(const struct environment *e, const char *name)
{
	size_t len = strlen(name), i = 0;

	while (i < e->n && (strncmp(e->v[i], name, len) != 0 || e->v[i][len] != '=')) {
		i++;
	}
	return i;
}

int environment_set(struct environment *e, const char *name, const char *value)
{
	char *text = NULL;
	size_t i = find(e, name);

	if (asprintf(&text, "%s=%s", name, value) < 0) {
		return -ENOMEM;
	}
	if (i == e->n) {
		return append(e, text);
	}
	free(e->v[i]);
	e->v[i] = text;
	return 0;
}

void environment_unset(struct environment *e, const char *name)
{
	size_t i = find(e, name);

	if (i < e->n) {
		free(e->v[i]);
		memmove(&e->v[i], &e->v[i + 1], (e->n - i) * sizeof *e->v);
		e->n--;
	}
}

const char *envp_get(char *const envp[], const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; envp != NULL && envp[i] != NULL; i++) {
		if (strncmp(envp[i], name, len) == 0 && envp[i][len] == '=') {
			return envp[i] + len + 1;
		}
	}
	return NULL;
}

char *envp_take(char *envp[], const char *name)
{
	size_t len = strlen(name);
	char *value = NULL, **out = envp;

	for (char **e = envp; *e != NULL; e++) {
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=') {
			value = *e + len + 1;
		} else {
			*out++ = *e;
		}
	}
	*out = NULL;
	return value;
}

const char *environment_get(const struct environment *e, const char *name)
{
	return envp_get(e->v, name);
}

void environment_finish(struct environment *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i]);
	}
	free(e->v);
	*e = (struct environment){0};
}
