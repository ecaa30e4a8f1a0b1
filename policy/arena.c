#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

#define CHUNK (32 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		size_t want = size > CHUNK ? size : CHUNK;
		c = calloc(1, sizeof(*c) + want);
		if (!c)
			return NULL;
		c->size = want;
		c->next = a->chunks;
		a->chunks = c;
	}
	void *p = c->bytes + c->used;
	c->used += size;
	return p;
}

char *arena_copy(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

char *arena_join(struct arena *a, const char *left, const char *right)
{
	size_t l = strlen(left), r = strlen(right);
	char *both = arena_alloc(a, l + r + 1);

	if (both) {
		memcpy(both, left, l);
		memcpy(both + l, right, r);
	}
	return both;
}

void arena_finish(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
}

bool strings_push(struct arena *a, struct strings *s, const char *text)
{
	if (s->n + 2 > s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8;
		const char **v = arena_alloc(a, cap * sizeof(*v));
		if (!v)
			return false;
		if (s->n)
			memcpy(v, s->v, s->n * sizeof(*v));
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = text;
	s->v[s->n] = NULL;
	return true;
}

void array_sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	const char *at = array;

	for (size_t i = 1; i < n; i++)
		if (compare(at + (i - 1) * size, at + i * size) > 0) {
			qsort(array, n, size, compare);
			return;
		}
}

bool array_grow(void *array, size_t count, size_t *cap, size_t size)
{
	void **p = array;

	if (count < *cap)
		return true;
	size_t want = *cap ? *cap * 2 : 2; /* most are a node's of a tree of paths, and stay that small */
	void *grown = reallocarray(*p, want, size);
	if (!grown)
		return false;
	*p = grown;
	*cap = want;
	return true;
}
