/* What would have let an attempt go through: an option, a line of a policy file, or nothing, and why.  Pure: asks the policy. */
#ifndef REPORT_ALLOW_H
#define REPORT_ALLOW_H

#include "launcher/record/attempt.h"

struct allow {
	const char *option;  /* "--allow-host"; NULL: no option does */
	char value[4608];    /* what follows it, as it stands on the command line, unquoted */
	char policy[9216];   /* a policy file that does, JSON; "" : none */
	const char *why;     /* why there is no option; or what the option does besides; may be NULL */
};

/* policy may be NULL: only what needs none is said. */
void allow_find(const struct policy *policy, const struct event *ev, struct allow *out);

#endif
