/* A role's environment, and the values that the record must never show. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decoy.h"
#include "policy/internal.h"
#include "policy/shape.h"

#define REDACT_MIN 8

/* NULL-terminated; the strings are the list's own. */
struct text_list {
	char **v;
	size_t n, cap;
};

static bool push(struct text_list *l, char *text)
{
	if (!text)
		return false;
	if (!array_grow(&l->v, l->n + 1, &l->cap, sizeof(*l->v))) {
		free(text);
		return false;
	}
	l->v[l->n++] = text;
	l->v[l->n] = NULL;
	return true;
}

static bool list_init(struct text_list *l)
{
	*l = (struct text_list){0};
	if (!array_grow(&l->v, 0, &l->cap, sizeof(*l->v)))
		return false;
	l->v[0] = NULL;
	return true;
}

static void free_texts(char **v)
{
	for (char **t = v; t && *t; t++)
		free(*t);
	free(v);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each name once: an environment may hold a name twice. */
static void sort_unique(struct text_list *l)
{
	size_t kept = 0;

	if (!l->n)
		return;
	qsort(l->v, l->n, sizeof(*l->v), compare_texts);
	for (size_t i = 0; i < l->n; i++) {
		if (kept && !strcmp(l->v[kept - 1], l->v[i]))
			free(l->v[i]);
		else
			l->v[kept++] = l->v[i];
	}
	l->v[l->n = kept] = NULL;
}

static char *assignment(const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);
	char *text = malloc(n + v + 2);

	if (text) {
		memcpy(text, name, n);
		text[n] = '=';
		memcpy(text + n + 1, value, v + 1);
	}
	return text;
}

struct builder {
	const struct policy *p;
	enum role role;
	const uint8_t *key;
	struct text_list envp, replaced, removed;
};

static bool add_replaced(struct builder *b, const char *name, char *decoy)
{
	bool done = push(&b->envp, assignment(name, decoy)) && push(&b->replaced, strdup(name));

	free(decoy);
	return done;
}

static bool add_secret(struct builder *b, const char *name, const char *value)
{
	bool remove;
	char *decoy = decoy_value(b->key, name, value, &remove);

	if (remove)
		return push(&b->removed, strdup(name));
	return decoy && add_replaced(b, name, decoy);
}

static bool add_public(struct builder *b, const char *name, const char *value, bool whole)
{
	size_t start, colon, end;

	if (whole || !shape_userinfo(value, 0, &start, &colon, &end))
		return push(&b->envp, assignment(name, value));
	char *decoy = decoy_userinfo(b->key, name, value);
	return decoy && add_replaced(b, name, decoy);
}

static bool add(struct builder *b, const char *name, const char *value)
{
	struct env_answer a = env_decide(b->p, b->role, name, value, true);

	if (a.class == ENV_SECRET)
		return add_secret(b, name, value);
	if (a.class == ENV_POINTER)
		return push(&b->removed, strdup(name));
	return add_public(b, name, value, a.allowed || (a.installer && role_trusted(b->role)));
}

static bool build(struct builder *b, char *const envp[])
{
	if (!list_init(&b->envp) || !list_init(&b->replaced) || !list_init(&b->removed))
		return false;
	for (; *envp; envp++) {
		const char *equals = strchr(*envp, '=');
		if (!equals || equals == *envp)
			continue;
		char *name = strndup(*envp, (size_t)(equals - *envp));
		bool added = name && add(b, name, equals + 1);
		free(name);
		if (!added)
			return false;
	}
	return true;
}

int env_for_role(const struct policy *p, enum role role, char *const envp[], const uint8_t key[DECOY_KEY_LEN],
		 struct env_set *out)
{
	struct builder b = {.p = p, .role = role, .key = key};
	bool built = build(&b, envp);

	*out = (struct env_set){.envp = b.envp.v, .replaced = b.replaced.v, .removed = b.removed.v};
	if (!built) {
		env_set_finish(out);
		return -ENOMEM;
	}
	sort_unique(&b.replaced);
	sort_unique(&b.removed);
	return 0;
}

void env_set_finish(struct env_set *s)
{
	free_texts(s->envp);
	free_texts(s->replaced);
	free_texts(s->removed);
	*s = (struct env_set){0};
}

/* --- redaction --------------------------------------------------------------------------------- */

static bool push_secret(struct text_list *l, const char *value, size_t len)
{
	char *copy = strndup(value, len);

	if (copy && (len < REDACT_MIN || shape_is_plain(copy, true))) {
		free(copy);
		return true;
	}
	return push(l, copy);
}

static bool push_passwords(struct text_list *l, const char *value)
{
	size_t start, colon, end = 0;

	while (shape_userinfo(value, end, &start, &colon, &end)) {
		size_t from = colon < end ? colon + 1 : start;
		if (!push_secret(l, value + from, end - from))
			return false;
	}
	return true;
}

static int longest_first(const void *left, const void *right)
{
	const char *a = *(char *const *)left, *b = *(char *const *)right;
	size_t m = strlen(a), n = strlen(b);

	return m != n ? (m < n) - (m > n) : strcmp(a, b);
}

static bool push_variable(struct text_list *l, const struct policy *p, const char *variable)
{
	const char *equals = strchr(variable, '=');

	if (!equals)
		return true;
	char *name = strndup(variable, (size_t)(equals - variable));
	/* Options do not count: what is let through to a role is a secret in the record all the same. */
	bool secret = name && env_decide(p, ROLE_BUILD, name, equals + 1, false).class == ENV_SECRET;
	bool done = name && push_passwords(l, equals + 1) && (!secret || push_secret(l, equals + 1, strlen(equals + 1)));
	free(name);
	return done;
}

char **env_secrets(const struct policy *p, char *const envp[], char *const words[])
{
	struct text_list l;
	bool done = list_init(&l);

	if (!done)
		return NULL;
	for (; done && *envp; envp++)
		done = push_variable(&l, p, *envp);
	for (; done && words && *words; words++)
		done = push_passwords(&l, *words);
	if (!done) {
		free_texts(l.v);
		return NULL;
	}
	sort_unique(&l);
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), longest_first);
	return l.v;
}

void env_secrets_free(char **values)
{
	free_texts(values);
}
