#include "launcher/report/report.h"

#include <sys/random.h>

/* A journal says itself what it came to; but it may be of an older pipwarden, or lack its end. */
static void judge(struct report *r)
{
	static const unsigned least[] = {[SCORE_CLEAN] = 0, [SCORE_SUSPICIOUS] = SCORE_SUSPICIOUS_FROM, [SCORE_MALICIOUS] = SCORE_MALICIOUS_FROM};
	score_run(r->score, &r->run);
	if (r->record.ended && r->record.verdict > r->run.verdict) {
		r->run.verdict = r->record.verdict;
		r->run.points = least[r->record.verdict];
	}
}

bool report_make(struct report *r, enum severity least)
{
	uint64_t seed[2];
	bool whole = getrandom(seed, sizeof(seed), 0) == sizeof(seed) && finding_list_make(&r->findings, r->record.attempts, r->record.n, least, seed);
	r->score = score_new();
	whole = whole && r->score != NULL;
	for (size_t i = 0; i < r->record.n && whole; i++) {
		whole = score_add(r->score, &r->record.attempts[i].ev) == 0;
	}
	if (whole) {
		judge(r);
	}
	return whole;
}

void report_finish(struct report *r)
{
	finding_list_finish(&r->findings);
	score_free(r->score);
	reader_finish(&r->record);
}
