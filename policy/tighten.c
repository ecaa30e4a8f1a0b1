/* A policy from where anybody may have put it (PIPWARDEN_POLICY: a directory's own hooks set environments): it may only make things stricter.
 * What it may hold: more secret variables, new secret and persistence rules and new entries of the deny list (critical, abort), `abort` for
 * actions. */
#include <string.h>

#include "policy/internal.h"
#include "policy/jsontext.h"

struct checker {
	const struct policy *p;
	struct json_text text;
	const char *origin;
	struct policy_error *err;
};

static int refuse(struct checker *c, const cJSON *item, const char *what)
{
	struct place at = {.origin = c->origin};

	json_text_where(&c->text, item, true, &at.line, &at.column);
	return policy_fail(c->err, &at, "%s: a policy from the environment may only tighten", what);
}

/* Every member is one of names (NULL-terminated). */
static int only(struct checker *c, const cJSON *object, const char *const names[], const char *where)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object) {
		size_t i = 0;
		while (names[i] && strcmp(names[i], item->string))
			i++;
		if (!names[i])
			return refuse(c, item, where);
	}
	return 0;
}

static bool is_text(const cJSON *object, const char *key, const char *text)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsString(item) && !strcmp(item->valuestring, text);
}

/* Rules with ids that are not there yet (one that is would be replaced, or removed), as strict as can be: the most specific rule wins, so a
 * milder one for a single file would open it. */
static int new_rules(struct checker *c, const cJSON *rules, const char *where)
{
	const cJSON *rule;

	cJSON_ArrayForEach(rule, rules) {
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(rule, "id");
		if (cJSON_GetObjectItemCaseSensitive(rule, "remove") || (cJSON_IsString(id) && policy_find_rule(c->p, id->valuestring)))
			return refuse(c, rule, where);
		if (!is_text(rule, "severity", "critical") || !is_text(rule, "action", "abort"))
			return refuse(c, rule, "severity \"critical\" and action \"abort\" are needed");
	}
	return 0;
}

static int check(struct checker *c)
{
	static const char *const root[] = {"version", "environment", "files", "network", "actions", NULL};
	static const char *const environment[] = {"secret", NULL}, *const files[] = {"secret", "persistence", NULL}, *const network[] = {"deny", NULL};
	const cJSON *all = c->text.root, *part = cJSON_GetObjectItemCaseSensitive(all, "files"), *item;

	if (only(c, all, root, "the policy") || only(c, cJSON_GetObjectItemCaseSensitive(all, "environment"), environment, "environment") ||
	    only(c, part, files, "files") || only(c, cJSON_GetObjectItemCaseSensitive(all, "network"), network, "network") ||
	    new_rules(c, cJSON_GetObjectItemCaseSensitive(part, "secret"), "files.secret") ||
	    new_rules(c, cJSON_GetObjectItemCaseSensitive(part, "persistence"), "files.persistence") ||
	    new_rules(c, cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(all, "network"), "deny"), "network.deny"))
		return -1;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(all, "actions"))
		if (!cJSON_IsString(item) || strcmp(item->valuestring, "abort"))
			return refuse(c, item, "actions");
	return 0;
}

int policy_check_tightens(const struct policy *p, const char *origin, const char *text, size_t len, struct policy_error *err)
{
	struct checker c = {.p = p, .origin = origin, .err = err};
	int result = json_text_parse(&c.text, origin, text, len, err) ? -1 : check(&c);

	json_text_finish(&c.text);
	return result;
}
