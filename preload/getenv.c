/* getenv, secure_getenv.
 *
 * They may be called before this object is set up and in signal handlers: environ is walked here, and
 * a report needs neither memory nor a lock. */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "preload/shim.h"

/* What has been reported, by name and object.  When it is full, nothing more is: an object that asks
 * for so many names has been reported often enough. */
#define REPORTS 128
static _Atomic uint64_t reports[REPORTS];

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

static uint64_t mix(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return (h ^ 1) * UINT64_C(0x100000001b3);
}

/* True for the first time only. */
static int first_time(const char *name, const char *object)
{
	uint64_t key = mix(mix(UINT64_C(0xcbf29ce484222325), name), object) | 1;

	for (size_t i = 0; i < REPORTS; i++) {
		uint64_t seen = atomic_load_explicit(&reports[i], memory_order_relaxed);

		if (!seen && atomic_compare_exchange_strong(&reports[i], &seen, key))
			return 1;
		if (seen == key)
			return 0;
	}
	return 0;
}

static char *read_variable(const char *name, const void *caller)
{
	const struct shim *shim;
	char *value = shim_getenv(name);
	const char *object;
	int saved = errno;

	if (!value)
		return NULL;
	shim = shim_started();
	if (shim && shim->names && find_name(shim->names, shim->names_len, name)) {
		object = shim_object(shim, caller);
		if (first_time(name, object))
			shim_event(PW_EV_ENV_READ, name, object);
		errno = saved;
	}
	return value;
}

EXPORT char *getenv(const char *name)
{
	return read_variable(name, __builtin_return_address(0));
}

EXPORT char *secure_getenv(const char *name)
{
	return getauxval(AT_SECURE) ? NULL : read_variable(name, __builtin_return_address(0));
}
