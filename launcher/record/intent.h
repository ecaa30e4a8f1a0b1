/* What a process said that it was about to do (struct pw_intents of preload/pw_event.h): which of it an event of the kernel's is about.  Pure; the bytes
 * are hostile: they are the supervisor's own copy of what lay in a sandbox's memory, half written or made up. */
#ifndef RECORD_INTENT_H
#define RECORD_INTENT_H

#include <stdbool.h>
#include <stddef.h>

#include "launcher/record/event.h"
#include "preload/pw_event.h"

struct intent_view { /* texts are NUL-terminated; any byte may be in them */
	char object[PW_INTENT_OBJECT], file[PW_INTENT_FILE], function[PW_FUNCTION_MAX];
	unsigned line;     /* 0: not known; only with a file */
	uint64_t data;     /* where the caller says that the head of an HTTP request is; 0: nowhere */
	uint32_t data_len;
	bool tls;
};

/* Are these the intents that lie at this address?  Nothing else is looked at. */
bool intent_ring(const struct pw_intents *ring, uint64_t address);

/* The newest that speaks of what ev has as type and target.  False: none does, or it does not know who it was. */
bool intent_find(const struct pw_intents *ring, const struct event *ev, struct intent_view *out);

#endif
