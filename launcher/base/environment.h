/* A list of "NAME=value" under construction.  One owner; frees its own copies. */
#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

#include <stddef.h>

struct environment {
	char **v; /* NULL-terminated; each string owned */
	size_t n;
};

/* Copies envp (may be NULL). 0 or -ENOMEM. */
int environment_copy(struct environment *e, char *const envp[]);
int environment_set(struct environment *e, const char *name, const char *value);
void environment_unset(struct environment *e, const char *name);
const char *environment_get(const struct environment *e, const char *name); /* NULL: not set */
void environment_finish(struct environment *e);

/* The value of name in envp, or NULL. */
const char *envp_get(char *const envp[], const char *name);
/* Takes every entry of that name out of envp, in place.  The last one's value, in the caller's memory, or NULL. */
char *envp_take(char *envp[], const char *name);

#endif
