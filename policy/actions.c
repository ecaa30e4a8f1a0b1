/* Which action belongs to a rule: the most specific pattern of `actions`, on a tie the stricter; without one the rule's own
 * action, and without that either: deny. */
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/match.h"

/* allow, decoy, deny, abort */
static int strictness(enum policy_action action)
{
	static const int order[] = {[ACTION_ALLOW] = 0, [ACTION_DECOY] = 1, [ACTION_DENY] = 2, [ACTION_ABORT] = 3};

	return order[action];
}

static size_t rank_of(const char *pattern)
{
	size_t literal = 0;

	for (const char *c = pattern; *c; c++)
		literal += *c != '*';
	/* an id written out beats every pattern that is as long */
	return literal * 2 + !strchr(pattern, '*');
}

/* What --on-violation makes of it.  A rule of severity info is no violation: honest builds cause those, and an abort there
 * would end every run.  A decoy stays one under `deny`: the thing itself is not handed out. */
static enum policy_action violated(const struct policy *p, const struct rule *r, enum policy_action action)
{
	if (p->on_violation < 0 || action == ACTION_ALLOW || r->severity == SEV_INFO)
		return action;
	if (p->on_violation == ACTION_DENY && action == ACTION_DECOY)
		return action;
	return (enum policy_action)p->on_violation;
}

/* Every action is asked of every rule, and hardly one fits: the first character tells most of them. */
static bool names(const char *pattern, const char *id)
{
	return (*pattern == '*' || *pattern == *id) && glob_match(pattern, strlen(pattern), id, strlen(id));
}

static enum policy_action action_of(const struct policy *p, const struct rule *r)
{
	enum policy_action action = r->has_action ? r->own_action : ACTION_DENY;
	size_t best = 0;

	for (size_t i = 0; i < p->action_count; i++) {
		const struct action_entry *e = &p->actions[i];
		if (!names(e->pattern, r->id))
			continue;
		size_t rank = rank_of(e->pattern) + 1;
		if (rank > best || (rank == best && strictness(e->action) > strictness(action))) {
			best = rank;
			action = e->action;
		}
	}
	return violated(p, r, action);
}

static bool matches_some_rule(const struct policy *p, const char *pattern)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (names(pattern, p->rules[i].id))
			return true;
	/* The built-in policy names the action of a rule that a later layer took away. */
	for (size_t i = 0; i < p->removed.n; i++)
		if (names(pattern, p->removed.v[i]))
			return true;
	return false;
}

int actions_compile(struct policy *p, struct policy_error *err)
{
	for (size_t i = 0; i < p->action_count; i++)
		if (!matches_some_rule(p, p->actions[i].pattern))
			return policy_fail(err, &p->actions[i].at, "actions: no rule has an id like \"%s\"", p->actions[i].pattern);
	for (size_t i = 0; i < p->rule_count; i++) {
		struct rule *r = &p->rules[i];
		r->verdict = (struct verdict){
			.rule = r->id,
			.kind = *r->text ? r->text : r->kind,
			.severity = r->severity,
			.action = action_of(p, r),
		};
	}
	return 0;
}

static int compare_id(const void *key, const void *rule)
{
	return strcmp(key, ((const struct rule *)rule)->id);
}

struct verdict policy_rule(const struct policy *p, const char *id)
{
	const struct rule *r = bsearch(id, p->rules, p->rule_count, sizeof(*p->rules), compare_id);

	if (r)
		return r->verdict;
	return (struct verdict){.rule = id, .kind = "", .severity = SEV_MEDIUM, .action = ACTION_DENY};
}
