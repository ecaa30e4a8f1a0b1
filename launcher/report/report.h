/* The record of a run, for people and for programs.  Each writer gets the same findings, and writes to a stream; what comes from the record is escaped. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdint.h>

#include "launcher/record/finding.h"
#include "launcher/report/reader.h"

#define REPORT_FINDINGS_MAX 1000 /* in json and sarif; the gravest */

struct report {
	struct record record;
	struct finding_list findings; /* of severity low and above; those that a chain tells of are marked */
	struct score *score;
	struct score_result run;  /* the graver of what run.end says and what the attempts come to */
	const char *path;         /* of the journal; borrowed */
	size_t command_at;        /* where in the record's command line pipwarden's own words end */
	const struct policy *policy; /* that is in force now, for what would allow something; borrowed; NULL: nothing is said of that */
};

/* Findings and scores of r->record.  False: no memory. */
bool report_make(struct report *r, enum severity least);
void report_finish(struct report *r); /* the record too */

/* Whose environment held decoys: the names of secret variables, of the run. */
static inline const char *const *report_secrets(const struct report *r) { return (const char *const *)r->record.replaced; }

/* 0, or -1: no memory, or the stream failed. */
int report_text(const struct report *r, FILE *out, bool colour);
int report_json(const struct report *r, FILE *out);
int report_sarif(const struct report *r, FILE *out);

#endif
