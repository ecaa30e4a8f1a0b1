#include "launcher/record/score.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/record/chain.h"
#include "policy/attack.h"

/* What the gravest attempt counts. */
static const unsigned severity_points[] = {[SEV_INFO] = 0, [SEV_LOW] = 2, [SEV_MEDIUM] = 30, [SEV_HIGH] = 60, [SEV_CRITICAL] = 100};
#define LOW_MOST 20    /* low ones add up, and alone are never suspicious: reading variables by name is what honest builds do */
#define BREADTH 2      /* each further rule of severity medium and above */
#define BREADTH_MOST 8 /* high, breadth and one read by name stay below malicious */
#define NAMES_MANY 3
#define RULES_KEPT 32

/* What was read before an attempt of severity medium or above to get something out, counted once for a package.  The first row that holds counts. */
static const struct {
	bool file;
	unsigned names;
	bool all;
	unsigned points;
} chain_points[] = {
	{false, NAMES_MANY, false, 40}, /* several secrets, each by its name */
	{true, 1, false, 40},           /* a secret by its name, and a file of secrets */
	{false, 1, false, 30},
	{true, 0, false, 20},           /* git and pip look for their own, too */
	{false, 0, true, 10},           /* every build walks over its environment */
};

struct subject { /* one package in one role: chains do not cross roles */
	char *name, *version;
	enum role role;
	enum severity worst;
	unsigned low, rules, chain; /* rules: distinct ones of severity medium and above; chain: points */
	uint64_t seen[RULES_KEPT], names[NAMES_MANY];
	unsigned name_count;
	bool read_file, read_all, encoded, python;
	bool leads; /* the first of its package's roles */
	size_t findings;
	const char *attack[SCORE_ATTACK_MAX];
	size_t attack_count;
};

struct score {
	struct subject *v;
	size_t n, cap;
};

const char *score_verdict_name(enum score_verdict v)
{
	static const char *const names[] = {[SCORE_CLEAN] = "clean", [SCORE_SUSPICIOUS] = "suspicious", [SCORE_MALICIOUS] = "malicious"};

	return names[v];
}

bool score_verdict_parse(const char *text, enum score_verdict *out)
{
	for (enum score_verdict v = SCORE_CLEAN; v <= SCORE_MALICIOUS; v++) {
		if (strcmp(text, score_verdict_name(v)) == 0) {
			*out = v;
			return true;
		}
	}
	return false;
}

struct score *score_new(void)
{
	return calloc(1, sizeof(struct score));
}

void score_free(struct score *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].version);
	}
	if (s != NULL) {
		free(s->v);
	}
	free(s);
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct subject *find(struct score *s, const char *name, const char *version, enum role role)
{
	for (size_t i = 0; i < s->n; i++) {
		struct subject *p = &s->v[i];
		if (p->role == role && same(p->name, name) && same(p->version, version)) {
			return p;
		}
	}
	return NULL;
}

static bool known(const struct score *s, const char *name, const char *version)
{
	for (size_t i = 0; i < s->n; i++) {
		if (same(s->v[i].name, name) && same(s->v[i].version, version)) {
			return true;
		}
	}
	return false;
}

/* NULL: no memory. */
static struct subject *subject_of(struct score *s, const char *name, const char *version, enum role role)
{
	bool named = name != NULL && s->n < SCORE_PACKAGES_MAX;
	struct subject *p = find(s, name, version, role);
	p = p == NULL && !named ? find(s, NULL, NULL, role) : p;
	if (p != NULL) {
		return p;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap != 0 ? s->cap * 2 : 4;
		struct subject *v = reallocarray(s->v, cap, sizeof(*v));
		if (v == NULL) {
			return NULL;
		}
		s->v = v;
		s->cap = cap;
	}
	p = &s->v[s->n];
	*p = (struct subject){.role = role};
	if (named) {
		p->leads = !known(s, name, version);
		p->name = strdup(name);
		p->version = version != NULL ? strdup(version) : NULL;
		if (p->name == NULL || (version != NULL && p->version == NULL)) {
			free(p->name);
			return NULL;
		}
	}
	s->n++;
	return p;
}

/* FNV-1a: rule ids and names of secret variables, which are none of the package's choosing. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *text != '\0'; text++) {
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	}
	return h | 1; /* 0 is an empty place */
}

/* Adds to a set; false: it is there, or the set is full. */
static bool remember(uint64_t *set, size_t size, const char *text)
{
	uint64_t h = hash(text != NULL ? text : "");
	for (size_t i = 0; i < size; i++) {
		if (set[i] == h) {
			return false;
		}
		if (set[i] == 0) {
			set[i] = h;
			return true;
		}
	}
	return false;
}

static void add_attack(const char **set, size_t *n, const char *id)
{
	size_t at = 0;
	while (at < *n && strcmp(set[at], id) < 0) {
		at++;
	}
	if (*n == SCORE_ATTACK_MAX || (at < *n && strcmp(set[at], id) == 0)) {
		return;
	}
	memmove(&set[at + 1], &set[at], (*n - at) * sizeof(*set));
	set[at] = id;
	++*n;
}

static void add_rule(struct subject *p, const struct event *ev)
{
	enum severity severity = ev->verdict.severity;
	p->findings++;
	p->worst = severity > p->worst ? severity : p->worst;
	if (severity == SEV_LOW) {
		p->low += severity_points[SEV_LOW];
	} else if (remember(p->seen, RULES_KEPT, ev->verdict.rule)) {
		p->rules++;
	}
	for (const char *const *id = attack_of_rule(ev->verdict.rule); *id != NULL; id++) {
		add_attack(p->attack, &p->attack_count, *id);
	}
}

static void note_read(struct subject *p, const struct event *ev, enum chain_step step)
{
	if (step == CHAIN_READ_NAME && remember(p->names, NAMES_MANY, ev->target.name)) {
		p->name_count++;
	}
	p->read_file |= step == CHAIN_READ_FILE;
	p->read_all |= step == CHAIN_READ_ALL;
	p->encoded |= step == CHAIN_ENCODE;
}

static void note_end(struct subject *p)
{
	for (size_t i = 0; i < sizeof(chain_points) / sizeof(chain_points[0]); i++) {
		bool holds = (!chain_points[i].file || p->read_file) && p->name_count >= chain_points[i].names && (!chain_points[i].all || p->read_all);
		if (holds) {
			p->chain = chain_points[i].points > p->chain ? chain_points[i].points : p->chain;
			break;
		}
	}
}

static int add_to(struct subject *p, const struct event *ev)
{
	enum chain_step step = chain_step(ev);
	const char *file = ev->origin.file;
	if (p == NULL) {
		return -ENOMEM;
	}
	if (ev->verdict.severity >= SEV_LOW) {
		add_rule(p, ev);
	}
	note_read(p, ev, step);
	if (chain_ends(step) && ev->verdict.severity >= SEV_MEDIUM) {
		note_end(p);
	}
	size_t len = file != NULL ? strlen(file) : 0;
	p->python |= len > 3 && strcmp(file + len - 3, ".py") == 0;
	return 0;
}

/* What a build requirement does counts for who requires it, too: it brings it. */
int score_add(struct score *s, const struct event *ev)
{
	int error = add_to(subject_of(s, ev->package.name, ev->package.version, ev->role), ev);
	char word[EVENT_ABOVE_MAX];
	for (const char *at = ev->package.above; error == 0 && event_above_next(&at, word);) {
		char *version = strchr(word, ' ');
		if (version != NULL) {
			*version++ = '\0';
		}
		error = add_to(subject_of(s, word, version, ev->role), ev);
	}
	return error;
}

static unsigned points_of(const struct subject *p)
{
	unsigned low = p->low < LOW_MOST ? p->low : LOW_MOST;
	if (p->worst < SEV_MEDIUM) {
		return low;
	}
	unsigned more = (p->rules - 1) * BREADTH, all = severity_points[p->worst] + (more < BREADTH_MOST ? more : BREADTH_MOST) + p->chain;
	return all < SCORE_MALICIOUS_FROM ? all : SCORE_MALICIOUS_FROM;
}

static void merge(struct score_result *out, const struct subject *p)
{
	unsigned points = points_of(p);
	size_t n = 0;
	while (out->attack[n] != NULL) {
		n++;
	}
	for (size_t i = 0; i < p->attack_count; i++) {
		add_attack(out->attack, &n, p->attack[i]);
	}
	if (points >= SCORE_SUSPICIOUS_FROM) {
		if (p->name != NULL || p->role == ROLE_BUILD) {
			add_attack(out->attack, &n, "T1195.001");
		}
		if (p->python) {
			add_attack(out->attack, &n, "T1059.006");
		}
		if (p->chain > 0) {
			add_attack(out->attack, &n, p->name_count > 0 || p->read_all ? "T1552" : "T1552.001");
			if (p->read_file) {
				add_attack(out->attack, &n, "T1552.001");
			}
			if (p->encoded) {
				add_attack(out->attack, &n, "T1132.001");
			}
		}
	}
	out->findings += p->findings;
	out->points = points > out->points ? points : out->points;
	out->verdict = out->points >= SCORE_MALICIOUS_FROM ? SCORE_MALICIOUS : out->points >= SCORE_SUSPICIOUS_FROM ? SCORE_SUSPICIOUS : SCORE_CLEAN;
}

size_t score_packages(const struct score *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		n += s->v[i].leads;
	}
	return n;
}

void score_package(const struct score *s, size_t which, struct score_result *out)
{
	size_t i = 0;
	*out = (struct score_result){0};
	for (size_t n = 0; i < s->n && (!s->v[i].leads || n++ != which); i++) {
	}
	for (size_t k = i; k < s->n; k++) {
		if (same(s->v[k].name, s->v[i].name) && same(s->v[k].version, s->v[i].version)) {
			merge(out, &s->v[k]);
		}
	}
	if (i < s->n) {
		out->name = s->v[i].name;
		out->version = s->v[i].version;
	}
}

void score_run(const struct score *s, struct score_result *out)
{
	*out = (struct score_result){0};
	for (size_t i = 0; i < s->n; i++) {
		merge(out, &s->v[i]);
	}
}
