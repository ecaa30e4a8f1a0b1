/* Why was it refused, and what would allow it? */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include "launcher/report/report.h"

#define EXPLAIN_SHOWN 40 /* of all */

/* r->policy is there.  seq: of one event; 0: of all that was refused, the gravest first.  0, or -1: no memory, the stream failed. */
int explain_text(const struct report *r, uint64_t seq, FILE *out, bool colour);

#endif
