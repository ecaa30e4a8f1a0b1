/* A recorded attempt, as what judges and tells the record takes it: from the journal's own table, or read back from its lines. */
#ifndef RECORD_ATTEMPT_H
#define RECORD_ATTEMPT_H

#include <stddef.h>
#include <stdint.h>

#include "launcher/record/event.h"

struct attempt {
	struct event ev; /* strings are borrowed */
	uint64_t seq;    /* of the line that tells of it first; they rise */
	uint64_t times;  /* attempts that it stands for */
	int64_t when;    /* milliseconds since 1970; 0: unknown */
};

#endif
