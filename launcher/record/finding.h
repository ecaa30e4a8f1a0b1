/* What attempts come to for people: attempts of one rule, package and target are one finding, and the steps of a theft by one package are one, with
 * both ends.  For the summary of a run and for reports.  Pure but for memory. */
#ifndef RECORD_FINDING_H
#define RECORD_FINDING_H

#include "launcher/record/attempt.h"
#include "launcher/record/chain.h"

#define FINDING_STEPS_MAX 64

struct finding {
	const struct attempt *lead; /* the first of its attempts */
	const struct attempt *where; /* the first of them of which the place in the code is known; NULL: none */
	uint64_t times;
	enum severity severity;
	bool refused, aborted, decoy, observed;
	bool audited;       /* nothing stopped it, but without --audit something would have */
	const char *detail; /* why, and what would allow it; NULL */
	/* Of a chain: what was read before, what was done to it, and every attempt at the same host, in order; else none.
	 * all_steps: with those beyond the bound. */
	const struct attempt **steps;
	size_t step_count, all_steps;
	bool told;          /* a chain before it tells of this as a step */
	uint64_t hash;
};

struct finding_list {
	struct finding *v; /* the gravest first, then in order */
	size_t n;
};

/* Those of severity `least` and above, and what ended the run.  The attempts are borrowed.  seed: secret, names come from the adversary.
 * False: no memory. */
bool finding_list_make(struct finding_list *f, const struct attempt *all, size_t n, enum severity least, const uint64_t seed[2]);
void finding_list_finish(struct finding_list *f);

/* Refused, or it would have been, or too grave to be let go. */
bool finding_violation(const struct finding *f);
/* What became of it, for people: "refused". */
const char *finding_outcome(const struct finding *f);
/* Of which attempt is the place in the code the finding's: its own, else the last thing that was done before it.  NULL: none is known. */
const struct attempt *finding_place(const struct finding *f);
/* Milliseconds from the first step of a chain to its end; -1: not known. */
int64_t finding_milliseconds(const struct finding *f);

#endif
