/* getenv, secure_getenv.
 *
 * They may be called before this object is set up and in signal handlers: environ is walked here, and
 * a report needs neither memory nor a lock. */
#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "preload/shim.h"

static char *read_variable(const char *name, const void *caller)
{
	char *value = shim_getenv(name);
	const struct shim *shim;
	const char *object;
	int saved = errno;

	if (value && shim_listed(name)) {
		shim = shim_get();
		object = shim_object(shim, caller);
		if (shim_first(SHIM_READS, name, object, 0))
			shim_event(PW_EV_ENV_READ, name, &(struct shim_origin){ .object = object, .function = shim_symbol(shim, caller) });
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
