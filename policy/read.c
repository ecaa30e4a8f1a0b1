/* One layer of policy, from text into the model.  Everything is checked where it stands, so that an error can name its place. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/jsontext.h"
#include "policy/match.h"

#define MAX_MEMBERS 1024

struct reader {
	struct policy *p;
	const char *origin;
	struct json_text text;
	struct policy_error *err;
};

static struct place place_of(const struct reader *r, const cJSON *item, bool key)
{
	struct place at = {.origin = r->origin};

	json_text_where(&r->text, item, key, &at.line, &at.column);
	return at;
}

__attribute__((format(printf, 4, 5)))
static int fail(struct reader *r, const cJSON *item, bool key, const char *format, ...)
{
	struct place at = place_of(r, item, key);
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return policy_fail(r->err, &at, "%s", message);
}

static const char *keep(struct reader *r, const char *text)
{
	return arena_copy(&r->p->arena, text, strlen(text));
}

/* --- shapes of values -------------------------------------------------------------------------- */

static int want_members(struct reader *r, const cJSON *item, const char *what)
{
	size_t n = 0;

	if (!cJSON_IsObject(item))
		return fail(r, item, false, "%s: an object was expected", what);
	for (const cJSON *a = item->child; a; a = a->next) {
		if (++n > MAX_MEMBERS)
			return fail(r, a, true, "%s: more than %d members", what, MAX_MEMBERS);
		for (const cJSON *b = item->child; b != a; b = b->next)
			if (!strcmp(a->string, b->string))
				return fail(r, a, true, "the key \"%s\" is there twice", a->string);
	}
	return 0;
}

/* keys is NULL-terminated. */
static int want_keys(struct reader *r, const cJSON *item, const char *what, const char *const *keys)
{
	if (want_members(r, item, what))
		return -1;
	for (const cJSON *m = item->child; m; m = m->next) {
		const char *const *k = keys;
		while (*k && strcmp(*k, m->string))
			k++;
		if (!*k)
			return fail(r, m, true, "%s: unknown key \"%s\"", what, m->string);
	}
	return 0;
}

static int want_array(struct reader *r, const cJSON *item, const char *what)
{
	if (!cJSON_IsArray(item))
		return fail(r, item, false, "%s: an array was expected", what);
	return 0;
}

static int want_string(struct reader *r, const cJSON *item, const char *what)
{
	if (!cJSON_IsString(item))
		return fail(r, item, false, "%s: a string was expected", what);
	if (!*item->valuestring || strlen(item->valuestring) > 1024)
		return fail(r, item, false, "%s: an empty or over-long string", what);
	for (const char *c = item->valuestring; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return fail(r, item, false, "%s: a control character", what);
	return 0;
}

static const cJSON *member(const cJSON *item, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(item, key);
}

/* An optional string member; *out untouched without it. */
static int text_member(struct reader *r, const cJSON *item, const char *key, const char **out)
{
	const cJSON *m = member(item, key);

	if (!m)
		return 0;
	if (want_string(r, m, key))
		return -1;
	*out = keep(r, m->valuestring);
	return *out ? 0 : policy_no_memory(r->err);
}

/* A list of strings, each checked by `wrong`, none twice. */
static int list_member(struct reader *r, const cJSON *item, const char *key, const char *(*wrong)(const char *),
		       struct strings *out)
{
	const cJSON *list = member(item, key), *e;

	if (!list)
		return 0;
	if (want_array(r, list, key))
		return -1;
	cJSON_ArrayForEach(e, list) {
		const char *why;
		if (want_string(r, e, key))
			return -1;
		if (wrong && (why = wrong(e->valuestring)))
			return fail(r, e, false, "%s: \"%s\": %s", key, e->valuestring, why);
		for (size_t i = 0; i < out->n; i++)
			if (!strcmp(out->v[i], e->valuestring))
				return fail(r, e, false, "%s: \"%s\" is there twice", key, e->valuestring);
		if (out->n >= 4 * MAX_MEMBERS)
			return fail(r, e, false, "%s: too long a list", key);
		const char *copy = keep(r, e->valuestring);
		if (!copy || !strings_push(&r->p->arena, out, copy))
			return policy_no_memory(r->err);
	}
	return 0;
}

/* --- rules ------------------------------------------------------------------------------------- */

static int read_severity_and_action(struct reader *r, const cJSON *item, struct rule *rule)
{
	const cJSON *severity = member(item, "severity"), *action = member(item, "action");

	if (!severity)
		return fail(r, item, false, "%s: \"severity\" is missing", rule->id);
	if (want_string(r, severity, "severity"))
		return -1;
	if (!severity_parse(severity->valuestring, &rule->severity))
		return fail(r, severity, false, "severity: info, low, medium, high or critical");
	if (!action)
		return 0;
	if (want_string(r, action, "action"))
		return -1;
	rule->has_action = true;
	if (!action_parse(action->valuestring, &rule->own_action))
		return fail(r, action, false, "action: allow, deny, decoy or abort");
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
		return fail(r, item, false, "the id \"%s\" belongs to a rule of %s", rule->id, rule_list_name(old->list));
	if (old && old->at.origin == r->origin)
		return fail(r, item, false, "the id \"%s\" is there twice", rule->id);
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

	if (!cJSON_IsTrue(member(item, "remove")))
		return fail(r, member(item, "remove"), false, "remove: true is the only value");
	if (want_keys(r, item, "a rule that is removed", keys))
		return -1;
	if (!old || !same_family(old->list, list))
		return fail(r, item, false, "no rule \"%s\" to remove", id);
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
	const cJSON *m = member(item, "id");

	if (!m)
		return fail(r, item, false, "a rule without \"id\"");
	if (text_member(r, item, "id", id))
		return -1;
	if (!rule_id_valid(*id))
		return fail(r, m, false, "id: lower-case letters, digits, '.', '-' and '_', at most 64");
	return 0;
}

static int read_rule(struct reader *r, const cJSON *item, enum rule_list list)
{
	static const char *const file_keys[] = {"id", "kind", "text", "severity", "action", "paths", "except", "remove", NULL};
	static const char *const host_keys[] = {"id", "kind", "text", "severity", "action", "hosts", "addresses", "remove", NULL};
	bool files = rule_list_of_files(list);
	const char *(*wrong)(const char *) = rule_list_of_project(list) ? project_pattern_error : path_pattern_error;
	struct rule rule = {.kind = "", .text = "", .list = list};

	if (want_keys(r, item, rule_list_name(list), files ? file_keys : host_keys) || read_id(r, item, &rule.id))
		return -1;
	if (member(item, "remove"))
		return remove_rule(r, item, rule.id, list);
	if (text_member(r, item, "kind", &rule.kind) || text_member(r, item, "text", &rule.text) ||
	    read_severity_and_action(r, item, &rule))
		return -1;
	if (files ? list_member(r, item, "paths", wrong, &rule.patterns) ||
		    list_member(r, item, "except", wrong, &rule.except)
		  : list_member(r, item, "hosts", host_pattern_error, &rule.patterns) ||
		    list_member(r, item, "addresses", block_error, &rule.addresses))
		return -1;
	if (!rule.patterns.n && !rule.addresses.n)
		return fail(r, item, false, "%s: a rule that names no %s can never match", rule.id, files ? "path" : "host");
	for (size_t i = 0; i < rule.patterns.n; i++)
		for (size_t k = 0; k < rule.except.n; k++)
			if (!strcmp(rule.patterns.v[i], rule.except.v[k]))
				return fail(r, item, false, "%s: \"%s\" is excepted from itself: it can never match", rule.id,
					    rule.except.v[k]);
	rule.at = place_of(r, item, false);
	return store_rule(r, item, &rule);
}

static int read_rules(struct reader *r, const cJSON *section, const char *key, enum rule_list list)
{
	const cJSON *array = member(section, key), *item;

	if (!array)
		return 0;
	if (want_array(r, array, key))
		return -1;
	cJSON_ArrayForEach(item, array)
		if (read_rule(r, item, list))
			return -1;
	return 0;
}

/* `rules`: what code raises itself.  Code knows its ids, so a layer cannot invent one. */
static int read_code_rules(struct reader *r, const cJSON *section, bool builtin)
{
	static const char *const keys[] = {"severity", "action", "text", NULL};

	if (!section)
		return 0;
	if (want_members(r, section, "rules"))
		return -1;
	for (const cJSON *item = section->child; item; item = item->next) {
		const struct rule *old = policy_find_rule(r->p, item->string);
		struct rule rule = {.kind = "", .text = old ? old->text : "", .list = LIST_CODE};
		if (!builtin && (!old || old->list != LIST_CODE))
			return fail(r, item, true, "rules: nothing raises \"%s\"", item->string);
		if (want_keys(r, item, "rules", keys) || !(rule.id = keep(r, item->string)) ||
		    read_severity_and_action(r, item, &rule) || text_member(r, item, "text", &rule.text))
			return -1;
		rule.at = place_of(r, item, true);
		if (!rule_id_valid(rule.id))
			return fail(r, item, true, "rules: not an id");
		if (store_rule(r, item, &rule))
			return -1;
	}
	return 0;
}

static int read_actions(struct reader *r, const cJSON *section)
{
	struct policy *p = r->p;

	if (!section)
		return 0;
	if (want_members(r, section, "actions"))
		return -1;
	for (const cJSON *item = section->child; item; item = item->next) {
		struct action_entry entry = {.pattern = keep(r, item->string), .at = place_of(r, item, true)};
		size_t i = 0;
		if (!entry.pattern)
			return policy_no_memory(r->err);
		if (want_string(r, item, "actions"))
			return -1;
		if (!action_parse(item->valuestring, &entry.action))
			return fail(r, item, false, "actions: allow, deny, decoy or abort");
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

/* --- the sections ------------------------------------------------------------------------------ */

static int store_env(struct reader *r, const cJSON *e, enum env_list list)
{
	struct policy *p = r->p;
	struct env_pattern entry = {.pattern = keep(r, e->valuestring), .list = list, .at = place_of(r, e, false)};
	size_t i = 0;

	if (!entry.pattern)
		return policy_no_memory(r->err);
	while (i < p->env_count && strcasecmp(p->env[i].pattern, entry.pattern))
		i++;
	if (i < p->env_count && p->env[i].at.origin == r->origin)
		return fail(r, e, false, "environment: \"%s\" is there twice", entry.pattern);
	if (i == p->env_count) {
		if (i >= 4 * MAX_MEMBERS)
			return fail(r, e, false, "environment: too many names");
		if (!array_grow(&p->env, i, &p->env_cap, sizeof(entry)))
			return policy_no_memory(r->err);
		p->env_count++;
	}
	p->env[i] = entry;
	return 0;
}

static int read_env_list(struct reader *r, const cJSON *section, enum env_list list)
{
	const char *key = env_list_name(list);
	const cJSON *array = member(section, key), *e;

	if (!array)
		return 0;
	if (want_array(r, array, key))
		return -1;
	cJSON_ArrayForEach(e, array) {
		if (want_string(r, e, key))
			return -1;
		const char *why = env_pattern_error(e->valuestring);
		if (why)
			return fail(r, e, false, "%s: \"%s\": %s", key, e->valuestring, why);
		if (store_env(r, e, list))
			return -1;
	}
	return 0;
}

static const char *word_error(const char *word)
{
	size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return word[n] || n < 2 ? "one word of capital letters was expected" : NULL;
}

static const char *pair_error(const char *pair)
{
	size_t n = strspn(pair, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return !n || pair[n] != ' ' ? "two words of capital letters were expected" : word_error(pair + n + 1);
}

static int read_environment(struct reader *r, const cJSON *section)
{
	static const char *const keys[] = {"public", "installer", "pointer", "secret", "words", "pairs", "endings", "treatment", NULL};
	struct policy *p = r->p;

	if (!section)
		return 0;
	if (want_keys(r, section, "environment", keys))
		return -1;
	const cJSON *treatment = member(section, "treatment");
	if (treatment && (!cJSON_IsString(treatment) || strcmp(treatment->valuestring, "decoy")))
		return fail(r, treatment, false, "treatment: \"decoy\" is the only one");
	for (int list = 0; list < ENV_LIST_COUNT; list++)
		if (read_env_list(r, section, (enum env_list)list))
			return -1;
	if (list_member(r, section, "words", word_error, &p->env_words) ||
	    list_member(r, section, "pairs", pair_error, &p->env_pairs) ||
	    list_member(r, section, "endings", word_error, &p->env_endings))
		return -1;
	return 0;
}

static const char *grant_error(const char *path)
{
	if (strchr(path, '*'))
		return "a grant is a place, not a pattern";
	return *path == '*' ? "a path was expected" : path_pattern_error(path);
}

/* A layer that names a role's list replaces it: what it leaves out is not granted. */
static int read_grants_of(struct reader *r, const cJSON *section, enum role role, enum file_access access)
{
	struct policy *p = r->p;
	struct strings paths = {0};
	size_t kept = 0;
	const cJSON *e;

	if (list_member(r, section, role_name(role), grant_error, &paths))
		return -1;
	for (size_t i = 0; i < p->grant_count; i++) {
		const struct grant *g = &p->grants[i];
		if (g->role != role || g->access != access || !g->at.line)
			p->grants[kept++] = *g;
	}
	p->grant_count = kept;
	cJSON_ArrayForEach(e, member(section, role_name(role))) {
		const char *path = keep(r, e->valuestring);
		if (!path || !array_grow(&p->grants, p->grant_count, &p->grant_cap, sizeof(*p->grants)))
			return policy_no_memory(r->err);
		p->grants[p->grant_count++] = (struct grant){role, access, path, place_of(r, e, false)};
	}
	return 0;
}

static const char *const role_keys[] = {"installer", "build", "guest", "vcs", "credential", NULL};

static int read_grants(struct reader *r, const cJSON *files, const char *key, enum file_access access)
{
	const cJSON *section = member(files, key);

	if (!section)
		return 0;
	if (want_keys(r, section, key, role_keys))
		return -1;
	for (int role = 0; role < ROLE_COUNT; role++)
		if (member(section, role_keys[role]) && read_grants_of(r, section, (enum role)role, access))
			return -1;
	return 0;
}

static int read_project(struct reader *r, const cJSON *section)
{
	static const char *const keys[] = {"secret", "guarded", NULL};

	if (!section)
		return 0;
	if (want_keys(r, section, "files.project", keys) || read_rules(r, section, "secret", LIST_PROJECT_SECRET))
		return -1;
	return read_rules(r, section, "guarded", LIST_PROJECT_GUARDED);
}

static int read_files(struct reader *r, const cJSON *section)
{
	static const char *const keys[] = {"secret", "persistence", "project", "read", "write", NULL};

	if (!section)
		return 0;
	if (want_keys(r, section, "files", keys) || read_project(r, member(section, "project")) || read_rules(r, section, "secret", LIST_SECRET) ||
	    read_rules(r, section, "persistence", LIST_PERSISTENCE) || read_grants(r, section, "read", FILE_READ))
		return -1;
	return read_grants(r, section, "write", FILE_WRITE);
}

static int read_hosts_of(struct reader *r, const cJSON *array, enum role role)
{
	struct allowed_hosts *list = &r->p->hosts[role];
	size_t kept = 0;
	const cJSON *e;

	if (want_array(r, array, role_name(role)))
		return -1;
	for (size_t i = 0; i < list->n; i++) /* options stay, the earlier layer's list goes */
		if (!list->v[i].at.line)
			list->v[kept++] = list->v[i];
	list->n = kept;
	cJSON_ArrayForEach(e, array) {
		if (want_string(r, e, role_name(role)))
			return -1;
		const char *copy = keep(r, e->valuestring);
		if (!copy || !array_grow(&list->v, list->n, &list->cap, sizeof(*list->v)))
			return policy_no_memory(r->err);
		const char *wrong = allowed_host_parse(&r->p->arena, copy, &list->v[list->n]);
		if (wrong)
			return fail(r, e, false, "%s: \"%s\": %s", role_name(role), copy, wrong);
		list->v[list->n++].at = place_of(r, e, false);
	}
	return 0;
}

static int read_network(struct reader *r, const cJSON *section)
{
	static const char *const keys[] = {"installer", "build", "guest", "vcs", "credential", "deny", "watch", NULL};

	if (!section)
		return 0;
	if (want_keys(r, section, "network", keys))
		return -1;
	for (int role = 0; role < ROLE_COUNT; role++) {
		const cJSON *list = member(section, role_keys[role]);
		if (list && read_hosts_of(r, list, (enum role)role))
			return -1;
	}
	if (read_rules(r, section, "deny", LIST_DENY))
		return -1;
	return read_rules(r, section, "watch", LIST_WATCH);
}

static int read_version(struct reader *r, const cJSON *root)
{
	const cJSON *version = member(root, "version");

	if (!version)
		return fail(r, root, false, "\"version\" is missing");
	if (!cJSON_IsNumber(version))
		return fail(r, version, false, "version: a number was expected");
	/* valuedouble: valueint holds the position */
	if (version->valuedouble != POLICY_VERSION)
		return fail(r, version, false, "version: this pipwarden reads version %d", POLICY_VERSION);
	return 0;
}

static int read_root(struct reader *r, bool builtin)
{
	static const char *const keys[] = {"$schema", "version", "environment", "files", "network", "rules", "actions", NULL};
	const cJSON *root = r->text.root;
	const char *schema = NULL;

	if (want_keys(r, root, "the policy", keys) || read_version(r, root) || text_member(r, root, "$schema", &schema))
		return -1;
	if (read_environment(r, member(root, "environment")) || read_files(r, member(root, "files")) ||
	    read_network(r, member(root, "network")) || read_code_rules(r, member(root, "rules"), builtin))
		return -1;
	return read_actions(r, member(root, "actions"));
}

int policy_read_layer(struct policy *p, const char *origin, const char *text, size_t len, struct policy_error *err)
{
	struct reader r = {.p = p, .err = err};
	int result = -1;

	/* The copy's address tells this layer's entries from those of another with the same name. */
	r.origin = arena_copy(&p->arena, origin, strlen(origin));
	if (!r.origin)
		return policy_no_memory(err);
	if (!json_text_parse(&r.text, r.origin, text, len, err))
		result = read_root(&r, !p->rule_count);
	json_text_finish(&r.text);
	return result;
}
