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
	char file[PW_FILE_MAX + 1], function[PW_FUNCTION_MAX + 1];
	unsigned line; /* 0: not known; only with a file */
};

/* buf: the supervisor's own copy of what the caller passed.  False: not a record; *out is then undefined. */
bool record_decode(const void *buf, size_t len, struct record_view *out);

#endif
