/* The built-in policy, out of the tables that policy-compile made of builtin.json. */
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

/* Later layers replace and add: each policy has arrays of its own.  Strings and lists stay where they are. */
static bool copy_array(void *array, size_t *count, size_t *cap, const void *from, size_t n, size_t size)
{
	void **to = array;

	*to = reallocarray(NULL, n ? n : 1, size);
	if (!*to)
		return false;
	memcpy(*to, from, n * size);
	*count = *cap = n;
	return true;
}

static bool copy_words(struct policy *p, const struct builtin *b)
{
	for (size_t i = 0; i < b->word_count; i++) {
		struct allowed_hosts *list = &p->hosts[b->words[i].role];
		if (!array_grow(&list->v, list->n, &list->cap, sizeof(*list->v)))
			return false;
		list->v[list->n++] = b->words[i].host;
	}
	return true;
}

struct policy *policy_new(struct policy_error *err)
{
	const struct builtin *b = &policy_builtin;
	struct policy *p = policy_empty();

	if (!p || !copy_array(&p->rules, &p->rule_count, &p->rule_cap, b->rules, b->rule_count, sizeof(*p->rules)) ||
	    !copy_array(&p->actions, &p->action_count, &p->action_cap, b->actions, b->action_count, sizeof(*p->actions)) ||
	    !copy_array(&p->env, &p->env_count, &p->env_cap, b->env, b->env_count, sizeof(*p->env)) || !copy_words(p, b)) {
		policy_free(p);
		policy_no_memory(err);
		return NULL;
	}
	memcpy(p->limits, b->limits, sizeof(p->limits));
	memcpy(p->stand_in, b->stand_in, sizeof(p->stand_in));
	p->env_words = b->env_words;
	p->env_pairs = b->env_pairs;
	p->env_endings = b->env_endings;
	policy_mix(p, "built-in", b->sha256, strlen(b->sha256));
	return p;
}
