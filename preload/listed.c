/* Which variables are worth an event, and what has been told of them. */
#include <stdatomic.h>
#include <string.h>

#include "preload/shim.h"

#define REPORTS 256
static _Atomic uint64_t reports[SHIM_TABLES][REPORTS];

/* Binary search over NUL-terminated, sorted strings that lie one after the other: step back from the
 * middle to the beginning of a string.  NULL when name is not there. */
static const char *find_name(const char *names, size_t len, const char *name)
{
	size_t low = 0, high = len;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		int order;

		while (at > low && names[at - 1])
			at--;
		order = strcmp(name, names + at);
		if (!order)
			return names + at;
		if (order < 0)
			high = at;
		else
			low = at + strlen(names + at) + 1;
	}
	return NULL;
}

int shim_listed(const char *name)
{
	const struct shim *shim = shim_started();

	return shim && shim->names && find_name(shim->names, shim->names_len, name);
}

static uint64_t mix(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return (h ^ 1) * UINT64_C(0x100000001b3);
}

uint64_t shim_hash(const char *text, unsigned number)
{
	return mix(UINT64_C(0xcbf29ce484222325) ^ number, text) | 1;
}

int shim_first(enum shim_table table, const char *name, const char *where, unsigned line)
{
	uint64_t key = mix(shim_hash(name, line), where) | 1;

	for (size_t i = 0; i < REPORTS; i++) {
		uint64_t seen = atomic_load_explicit(&reports[table][i], memory_order_relaxed);

		if (!seen && atomic_compare_exchange_strong(&reports[table][i], &seen, key))
			return 1;
		if (seen == key)
			return 0;
	}
	return 0;
}
