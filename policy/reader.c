#include "policy/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct place reader_place(const struct reader *r, const cJSON *item, bool key)
{
	struct place at = {.origin = r->origin};

	json_text_where(&r->text, item, key, &at.line, &at.column);
	return at;
}

int reader_fail(struct reader *r, const cJSON *item, bool key, const char *format, ...)
{
	struct place at = reader_place(r, item, key);
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return policy_fail(r->err, &at, "%s", message);
}

const char *reader_keep(struct reader *r, const char *text)
{
	return arena_copy(&r->p->arena, text, strlen(text));
}

int reader_want_members(struct reader *r, const cJSON *item, const char *what)
{
	size_t n = 0;

	if (!cJSON_IsObject(item))
		return reader_fail(r, item, false, "%s: an object was expected", what);
	for (const cJSON *a = item->child; a; a = a->next) {
		if (++n > READER_MAX_MEMBERS)
			return reader_fail(r, a, true, "%s: more than %d members", what, READER_MAX_MEMBERS);
		for (const cJSON *b = item->child; b != a; b = b->next)
			if (!strcmp(a->string, b->string))
				return reader_fail(r, a, true, "the key \"%s\" is there twice", a->string);
	}
	return 0;
}

int reader_want_keys(struct reader *r, const cJSON *item, const char *what, const char *const *keys)
{
	if (reader_want_members(r, item, what))
		return -1;
	for (const cJSON *m = item->child; m; m = m->next) {
		const char *const *k = keys;
		while (*k && strcmp(*k, m->string))
			k++;
		if (!*k)
			return reader_fail(r, m, true, "%s: unknown key \"%s\"", what, m->string);
	}
	return 0;
}

int reader_want_array(struct reader *r, const cJSON *item, const char *what)
{
	if (!cJSON_IsArray(item))
		return reader_fail(r, item, false, "%s: an array was expected", what);
	return 0;
}

int reader_want_string(struct reader *r, const cJSON *item, const char *what)
{
	if (!cJSON_IsString(item))
		return reader_fail(r, item, false, "%s: a string was expected", what);
	if (!*item->valuestring || strlen(item->valuestring) > 1024)
		return reader_fail(r, item, false, "%s: an empty or over-long string", what);
	for (const char *c = item->valuestring; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return reader_fail(r, item, false, "%s: a control character", what);
	return 0;
}

const cJSON *reader_member(const cJSON *item, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(item, key);
}

int reader_text(struct reader *r, const cJSON *item, const char *key, const char **out)
{
	const cJSON *m = reader_member(item, key);

	if (!m)
		return 0;
	if (reader_want_string(r, m, key))
		return -1;
	*out = reader_keep(r, m->valuestring);
	return *out ? 0 : policy_no_memory(r->err);
}

int reader_list(struct reader *r, const cJSON *item, const char *key, const char *(*wrong)(const char *), struct strings *out)
{
	const cJSON *list = reader_member(item, key), *e;

	if (!list)
		return 0;
	if (reader_want_array(r, list, key))
		return -1;
	cJSON_ArrayForEach(e, list) {
		const char *why;
		if (reader_want_string(r, e, key))
			return -1;
		if (wrong && (why = wrong(e->valuestring)))
			return reader_fail(r, e, false, "%s: \"%s\": %s", key, e->valuestring, why);
		for (size_t i = 0; i < out->n; i++)
			if (!strcmp(out->v[i], e->valuestring))
				return reader_fail(r, e, false, "%s: \"%s\" is there twice", key, e->valuestring);
		if (out->n >= READER_MAX_STRINGS)
			return reader_fail(r, e, false, "%s: too long a list", key);
		const char *copy = reader_keep(r, e->valuestring);
		if (!copy || !strings_push(&r->p->arena, out, copy))
			return policy_no_memory(r->err);
	}
	return 0;
}
