/* A record of the shim (preload/pw_event.h), checked.  Pure. */
#ifndef RECORD_DECODE_H
#define RECORD_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/pw_event.h"

struct record_view {
	enum pw_record_type type;
	char text[PW_TEXT_MAX + 1]; /* NUL-terminated, never empty, without a NUL inside; any other byte may be in it */
	char object[256 + 1];
};

/* buf: the supervisor's own copy of what the caller passed.  False: not a record; *out is then undefined. */
bool record_decode(const void *buf, size_t len, struct record_view *out);

#endif
