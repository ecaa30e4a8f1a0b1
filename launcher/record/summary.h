/* What is said on standard error at the end of a run: made from the fold table, nothing is read back. */
#ifndef RECORD_SUMMARY_H
#define RECORD_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "launcher/record/fold.h"

struct summary_run {
	char **replaced;    /* names of variables, NULL-terminated */
	char *replaced_for; /* may be NULL */
	uint64_t dropped;   /* attempts beyond the journal's bound */
	bool aborted, audit;
};

/* Copies.  0 or -ENOMEM. */
int summary_run_init(struct summary_run *run, const char *const *replaced, const char *replaced_for);
void summary_run_finish(struct summary_run *run);

/* At most about 25 lines, the gravest first.  verbosity 0: from severity low; below 0: from high; above 0: info too.
 * The caller frees; NULL: nothing to say (or no memory). */
char *summary_text(const struct fold *f, const struct summary_run *run, const struct redact *r, const char *journal_path,
                   bool colour, int verbosity);

#endif
