/* The rules of a layer, and the actions that go with them. */
#include <string.h>

#include "policy/match.h"
#include "policy/reader.h"

static int read_severity_and_action(struct reader *r, const cJSON *item, struct rule *rule)
{
	const cJSON *severity = reader_member(item, "severity"), *action = reader_member(item, "action");

	if (!severity)
		return reader_fail(r, item, false, "%s: \"severity\" is missing", rule->id);
	if (reader_want_string(r, severity, "severity"))
		return -1;
	if (!severity_parse(severity->valuestring, &rule->severity))
		return reader_fail(r, severity, false, "severity: info, low, medium, high or critical");
	if (!action)
		return 0;
	if (reader_want_string(r, action, "action"))
		return -1;
	rule->has_action = true;
	if (!action_parse(action->valuestring, &rule->own_action))
		return reader_fail(r, action, false, "action: allow, deny, decoy or abort");
	return 0;
}

static bool same_family(enum rule_list a, enum rule_list b)
{
	return (a == LIST_CODE) == (b == LIST_CODE) && rule_list_of_files(a) == rule_list_of_files(b) &&
	       rule_list_of_project(a) == rule_list_of_project(b);
}

static int store_rule(struct reader *r, const cJSON *item, const struct rule *rule)
{
	struct policy *p = r->p;
	struct rule *old = policy_find_rule(p, rule->id);

	if (old && !same_family(old->list, rule->list))
		return reader_fail(r, item, false, "the id \"%s\" belongs to a rule of %s", rule->id, rule_list_name(old->list));
	if (old && old->at.origin == r->origin)
		return reader_fail(r, item, false, "the id \"%s\" is there twice", rule->id);
	if (old) {
		*old = *rule;
		return 0;
	}
	if (!array_grow(&p->rules, p->rule_count, &p->rule_cap, sizeof(*p->rules)))
		return policy_no_memory(r->err);
	p->rules[p->rule_count++] = *rule;
	return 0;
}

static int remove_rule(struct reader *r, const cJSON *item, const char *id, enum rule_list list)
{
	static const char *const keys[] = {"id", "remove", NULL};
	struct policy *p = r->p;
	struct rule *old = policy_find_rule(p, id);

	if (!cJSON_IsTrue(reader_member(item, "remove")))
		return reader_fail(r, reader_member(item, "remove"), false, "remove: true is the only value");
	if (reader_want_keys(r, item, "a rule that is removed", keys))
		return -1;
	if (!old || !same_family(old->list, list))
		return reader_fail(r, item, false, "no rule \"%s\" to remove", id);
	if (!strings_push(&p->arena, &p->removed, old->id))
		return policy_no_memory(r->err);
	*old = p->rules[--p->rule_count];
	return 0;
}

static const char *block_error(const char *text)
{
	struct net_block block;

	return block_parse(text, &block) ? NULL : "ADDRESS or ADDRESS/BITS was expected";
}

static int read_id(struct reader *r, const cJSON *item, const char **id)
{
	const cJSON *m = reader_member(item, "id");

	if (!m)
		return reader_fail(r, item, false, "a rule without \"id\"");
	if (reader_text(r, item, "id", id))
		return -1;
	if (!rule_id_valid(*id))
		return reader_fail(r, m, false, "id: lower-case letters, digits, '.', '-' and '_', at most 64");
	return 0;
}

static int read_rule(struct reader *r, const cJSON *item, enum rule_list list)
{
	static const char *const file_keys[] = {"id", "kind", "text", "severity", "action", "paths", "except", "remove", NULL};
	static const char *const host_keys[] = {"id", "kind", "text", "severity", "action", "hosts", "addresses", "remove", NULL};
	bool files = rule_list_of_files(list);
	const char *(*wrong)(const char *) = rule_list_of_project(list) ? project_pattern_error : path_pattern_error;
	struct rule rule = {.kind = "", .text = "", .list = list};

	if (reader_want_keys(r, item, rule_list_name(list), files ? file_keys : host_keys) || read_id(r, item, &rule.id))
		return -1;
	if (reader_member(item, "remove"))
		return remove_rule(r, item, rule.id, list);
	if (reader_text(r, item, "kind", &rule.kind) || reader_text(r, item, "text", &rule.text) ||
	    read_severity_and_action(r, item, &rule))
		return -1;
	if (files ? reader_list(r, item, "paths", wrong, &rule.patterns) ||
		    reader_list(r, item, "except", wrong, &rule.except)
		  : reader_list(r, item, "hosts", host_pattern_error, &rule.patterns) ||
		    reader_list(r, item, "addresses", block_error, &rule.addresses))
		return -1;
	if (!rule.patterns.n && !rule.addresses.n)
		return reader_fail(r, item, false, "%s: a rule that names no %s can never match", rule.id, files ? "path" : "host");
	for (size_t i = 0; i < rule.patterns.n; i++)
		for (size_t k = 0; k < rule.except.n; k++)
			if (!strcmp(rule.patterns.v[i], rule.except.v[k]))
				return reader_fail(r, item, false, "%s: \"%s\" is excepted from itself: it can never match", rule.id,
					    rule.except.v[k]);
	rule.at = reader_place(r, item, false);
	return store_rule(r, item, &rule);
}

int reader_rules(struct reader *r, const cJSON *section, const char *key, enum rule_list list)
{
	const cJSON *array = reader_member(section, key), *item;

	if (!array)
		return 0;
	if (reader_want_array(r, array, key))
		return -1;
	cJSON_ArrayForEach(item, array)
		if (read_rule(r, item, list))
			return -1;
	return 0;
}

int reader_code_rules(struct reader *r, const cJSON *section, bool builtin)
{
	static const char *const keys[] = {"severity", "action", "text", NULL};

	if (!section)
		return 0;
	if (reader_want_members(r, section, "rules"))
		return -1;
	for (const cJSON *item = section->child; item; item = item->next) {
		const struct rule *old = policy_find_rule(r->p, item->string);
		struct rule rule = {.kind = "", .text = old ? old->text : "", .list = LIST_CODE};
		if (!builtin && (!old || old->list != LIST_CODE))
			return reader_fail(r, item, true, "rules: nothing raises \"%s\"", item->string);
		if (reader_want_keys(r, item, "rules", keys) || !(rule.id = reader_keep(r, item->string)) ||
		    read_severity_and_action(r, item, &rule) || reader_text(r, item, "text", &rule.text))
			return -1;
		rule.at = reader_place(r, item, true);
		if (!rule_id_valid(rule.id))
			return reader_fail(r, item, true, "rules: not an id");
		if (store_rule(r, item, &rule))
			return -1;
	}
	return 0;
}

int reader_actions(struct reader *r, const cJSON *section)
{
	struct policy *p = r->p;

	if (!section)
		return 0;
	if (reader_want_members(r, section, "actions"))
		return -1;
	for (const cJSON *item = section->child; item; item = item->next) {
		struct action_entry entry = {.pattern = reader_keep(r, item->string), .at = reader_place(r, item, true)};
		size_t i = 0;
		if (!entry.pattern)
			return policy_no_memory(r->err);
		if (reader_want_string(r, item, "actions"))
			return -1;
		if (!action_parse(item->valuestring, &entry.action))
			return reader_fail(r, item, false, "actions: allow, deny, decoy or abort");
		while (i < p->action_count && strcmp(p->actions[i].pattern, entry.pattern))
			i++;
		if (i == p->action_count && !array_grow(&p->actions, p->action_count++, &p->action_cap, sizeof(entry))) {
			p->action_count--;
			return policy_no_memory(r->err);
		}
		p->actions[i] = entry;
	}
	return 0;
}
