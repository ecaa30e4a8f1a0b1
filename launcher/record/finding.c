#include "launcher/record/finding.h"

#include <stdlib.h>
#include <string.h>

#include "launcher/record/fold.h"
#include "launcher/record/say.h"

#define CHAINS_MAX 64 /* packages of a run whose chains are told */

static uint64_t hash_of(const uint64_t seed[2], const struct event *ev)
{
	bool read = chain_reads(chain_step(ev)) && strncmp(ev->type, "env.", 4) == 0; /* each place that reads is a finding */
	const char *const parts[] = {ev->verdict.rule, ev->package.name, ev->package.version, ev->package.stage, say_target(ev),
	                             read ? ev->origin.object : NULL, read ? ev->origin.file : NULL};
	uint64_t key[2] = {seed[0], seed[1] ^ (uint64_t)ev->role ^ (read ? (uint64_t)ev->origin.line << 8 : 0)};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		key[0] ^= fold_hash(key, parts[i] != NULL ? parts[i] : "", parts[i] != NULL ? strlen(parts[i]) + 1 : 0);
	}
	return key[0];
}

static struct finding finding_of(const struct attempt *a, const uint64_t seed[2])
{
	const struct event *ev = &a->ev;
	return (struct finding){
		.lead = a, .where = ev->origin.file != NULL ? a : NULL, .times = a->times, .severity = ev->verdict.severity,
		.refused = ev->action == EV_DENIED || ev->action == EV_ABORTED, .aborted = ev->action == EV_ABORTED, .decoy = ev->action == EV_DECOY,
		.observed = ev->action == EV_OBSERVED, .audited = ev->audited && ev->would != EV_DECOY, .detail = ev->detail, .hash = hash_of(seed, ev),
	};
}

static int by_hash(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : x->lead->seq < y->lead->seq ? -1 : 1;
}

/* A decoy that was seen before there was a way out for it: what it was to leave by says more. */
static bool is_ahead(const struct finding *f)
{
	return f->observed && f->lead->ev.decoy.in != NULL && strcmp(f->lead->ev.decoy.in, "http") == 0;
}

static int by_gravity(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	if (x->severity == y->severity && is_ahead(x) != is_ahead(y)) {
		return is_ahead(x) - is_ahead(y);
	}
	return x->severity != y->severity ? (x->severity > y->severity ? -1 : 1) : x->lead->seq < y->lead->seq ? -1 : 1;
}

static void merge(struct finding *into, const struct finding *from)
{
	into->times += from->times;
	into->severity = from->severity > into->severity ? from->severity : into->severity;
	into->refused |= from->refused;
	into->aborted |= from->aborted;
	into->decoy |= from->decoy;
	into->observed |= from->observed;
	into->audited |= from->audited;
	into->where = into->where != NULL ? into->where : from->where;
	into->detail = into->detail != NULL ? into->detail : from->detail;
}

static bool collect(struct finding_list *f, const struct attempt *all, size_t n, enum severity least, const uint64_t seed[2])
{
	size_t merged = 0;
	f->v = calloc(n + 1, sizeof(*f->v));
	for (size_t i = 0; f->v != NULL && i < n; i++) {
		if (all[i].ev.verdict.severity >= least || all[i].ev.action == EV_ABORTED) {
			f->v[f->n++] = finding_of(&all[i], seed);
		}
	}
	if (f->v == NULL || f->n == 0) {
		return f->v != NULL;
	}
	qsort(f->v, f->n, sizeof(*f->v), by_hash);
	for (size_t i = 1; i < f->n; i++) {
		if (f->v[i].hash == f->v[merged].hash) {
			merge(&f->v[merged], &f->v[i]);
		} else {
			f->v[++merged] = f->v[i];
		}
	}
	f->n = merged + 1;
	qsort(f->v, f->n, sizeof(*f->v), by_gravity);
	return true;
}

bool finding_violation(const struct finding *f)
{
	return f->severity >= SEV_MEDIUM || ((f->refused || f->audited) && f->severity >= SEV_LOW);
}

static bool ends(const struct finding *f)
{
	return finding_violation(f) && chain_ends(chain_step(&f->lead->ev));
}

/* The gravest of a package's attempts to get something out is told with what it read before.  led: of the packages that have theirs. */
static bool begins_chain(const struct finding *f, const struct event *led[CHAINS_MAX], size_t *n)
{
	if (!ends(f)) {
		return false;
	}
	for (size_t i = 0; i < *n; i++) {
		if (chain_same_package(led[i], &f->lead->ev)) {
			return false;
		}
	}
	if (*n == CHAINS_MAX) {
		return false;
	}
	led[(*n)++] = &f->lead->ev;
	return true;
}

/* In the order in which they are kept where there are too many: what says most first.  -1: no step of this chain. */
static int rank_of_step(const struct attempt *a, const struct attempt *end)
{
	enum chain_step step = chain_step(&a->ev);
	if (a == end) {
		return 0;
	}
	if (step == CHAIN_NONE || !chain_same_package(&a->ev, &end->ev)) {
		return -1;
	}
	if (chain_ends(step)) {
		bool carried = a->ev.decoy.in != NULL && a->ev.target.host == NULL && a->seq < end->seq;
		return carried || chain_same_host(&a->ev, &end->ev) ? 2 : -1;
	}
	return a->seq > end->seq ? -1 : step == CHAIN_READ_ALL ? 3 : 1;
}

static int by_seq(const void *a, const void *b)
{
	const struct attempt *x = *(const struct attempt *const *)a, *y = *(const struct attempt *const *)b;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* A chain is more than its end. */
static bool link_steps(struct finding *f, const struct attempt *all, size_t n)
{
	const struct attempt **steps = calloc(FINDING_STEPS_MAX, sizeof(*steps));
	bool reads = false;
	if (steps == NULL) {
		return false;
	}
	for (int rank = 0; rank <= 3; rank++) {
		for (size_t i = 0; i < n; i++) {
			if (rank_of_step(&all[i], f->lead) != rank) {
				continue;
			}
			reads |= chain_reads(chain_step(&all[i].ev));
			f->all_steps++;
			if (f->step_count < FINDING_STEPS_MAX) {
				steps[f->step_count++] = &all[i];
			}
		}
	}
	if (!reads) {
		free(steps);
		f->step_count = f->all_steps = 0;
		return true;
	}
	qsort(steps, f->step_count, sizeof(*steps), by_seq);
	f->steps = steps;
	return true;
}

bool finding_list_make(struct finding_list *f, const struct attempt *all, size_t n, enum severity least, const uint64_t seed[2])
{
	*f = (struct finding_list){0};
	const struct event *led[CHAINS_MAX];
	size_t chains = 0;
	bool whole = collect(f, all, n, least, seed);
	for (size_t i = 0; i < f->n && whole; i++) {
		if (!begins_chain(&f->v[i], led, &chains)) {
			continue;
		}
		whole = link_steps(&f->v[i], all, n);
		for (size_t k = i + 1; f->v[i].step_count > 0 && k < f->n; k++) {
			f->v[k].told = f->v[k].told || rank_of_step(f->v[k].lead, f->v[i].lead) > 0;
		}
	}
	if (!whole) {
		finding_list_finish(f);
	}
	return whole;
}

void finding_list_finish(struct finding_list *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].steps);
	}
	free(f->v);
	*f = (struct finding_list){0};
}

int64_t finding_milliseconds(const struct finding *f)
{
	if (f->step_count == 0 || f->steps[0]->when == 0 || f->lead->when < f->steps[0]->when) {
		return -1;
	}
	return f->lead->when - f->steps[0]->when;
}

const struct attempt *finding_place(const struct finding *f)
{
	const struct attempt *place = f->where;
	for (size_t i = 0; i < f->step_count && f->where == NULL; i++) {
		if (f->steps[i]->ev.origin.file != NULL && f->steps[i]->seq <= f->lead->seq) {
			place = f->steps[i];
		}
	}
	return place;
}

const char *finding_outcome(const struct finding *f)
{
	if (f->refused) {
		return "refused";
	}
	return f->audited ? "not blocked, would be refused" : f->decoy ? "a decoy was given" : f->observed ? "recorded" : "allowed";
}
