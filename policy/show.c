/* The result of all layers as JSON: for people, with the origin of each entry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/attack.h"
#include "policy/internal.h"

struct show {
	const struct policy *p;
	bool origins;
	bool failed;
};

/* Hands item over to parent; an item that could not be made fails the whole. */
static cJSON *put(struct show *s, cJSON *parent, const char *key, cJSON *item)
{
	bool done = item && (key ? cJSON_AddItemToObject(parent, key, item) : cJSON_AddItemToArray(parent, item));

	if (done)
		return item;
	s->failed = true;
	cJSON_Delete(item);
	return NULL;
}

static void put_text(struct show *s, cJSON *parent, const char *key, const char *text)
{
	put(s, parent, key, cJSON_CreateString(text));
}

static void place_text(const struct place *at, char *out, size_t size)
{
	if (at->line)
		snprintf(out, size, "%s:%u:%u", at->origin, at->line, at->column);
	else
		snprintf(out, size, "%s", at->origin ? at->origin : "");
}

bool policy_rule_origin(const struct policy *p, const char *id, char *out, size_t size)
{
	const struct rule *r = policy_find_rule(p, id);

	if (r)
		place_text(&r->at, out, size);
	return r;
}

static void put_origin(struct show *s, cJSON *parent, const struct place *at)
{
	char text[320];

	if (!s->origins)
		return;
	place_text(at, text, sizeof(text));
	put_text(s, parent, "origin", text);
}

static void put_strings(struct show *s, cJSON *parent, const char *key, const struct strings *list)
{
	cJSON *array = list->n ? put(s, parent, key, cJSON_CreateArray()) : NULL;

	for (size_t i = 0; array && i < list->n; i++)
		put_text(s, array, NULL, list->v[i]);
}

static void put_attack(struct show *s, cJSON *parent, const char *rule)
{
	const char *const *ids = attack_of_rule(rule);
	cJSON *array = *ids ? put(s, parent, "attack", cJSON_CreateArray()) : NULL;

	for (; array && *ids; ids++)
		put_text(s, array, NULL, *ids);
}

static void put_rules(struct show *s, cJSON *parent, const char *key, enum rule_list list)
{
	cJSON *array = put(s, parent, key, cJSON_CreateArray());

	for (size_t i = 0; array && i < s->p->rule_count; i++) {
		const struct rule *r = &s->p->rules[i];
		cJSON *o = r->list == list ? put(s, array, NULL, cJSON_CreateObject()) : NULL;
		if (!o)
			continue;
		put_text(s, o, "id", r->id);
		if (*r->kind)
			put_text(s, o, "kind", r->kind);
		if (*r->text)
			put_text(s, o, "text", r->text);
		put_text(s, o, "severity", severity_name(r->severity));
		put_text(s, o, "action", policy_action_name(r->verdict.action));
		put_strings(s, o, rule_list_of_files(list) ? "paths" : "hosts", &r->patterns);
		put_strings(s, o, "except", &r->except);
		put_strings(s, o, "addresses", &r->addresses);
		put_attack(s, o, r->id);
		put_origin(s, o, &r->at);
	}
}

static cJSON *put_named(struct show *s, cJSON *array, const char *key, const char *text, const struct place *at)
{
	cJSON *o = array ? put(s, array, NULL, cJSON_CreateObject()) : NULL;

	if (o) {
		put_text(s, o, key, text);
		put_origin(s, o, at);
	}
	return o;
}

static void put_environment(struct show *s, cJSON *root)
{
	static const struct place option = {.origin = "option"};
	const struct policy *p = s->p;
	cJSON *o = put(s, root, "environment", cJSON_CreateObject());

	for (int list = 0; o && list < ENV_LIST_COUNT; list++) {
		cJSON *array = put(s, o, env_list_name((enum env_list)list), cJSON_CreateArray());
		for (size_t i = 0; i < p->env_count; i++)
			if (p->env[i].list == (enum env_list)list)
				put_named(s, array, "name", p->env[i].pattern, &p->env[i].at);
	}
	cJSON *allowed = o && p->env_allowed_count ? put(s, o, "allowed", cJSON_CreateArray()) : NULL;
	for (size_t i = 0; allowed && i < p->env_allowed_count; i++) {
		cJSON *e = put_named(s, allowed, "name", p->env_allowed[i].pattern, &option);
		if (e)
			put_text(s, e, "role", role_name(p->env_allowed[i].role));
	}
	if (o) {
		put_strings(s, o, "words", &p->env_words);
		put_strings(s, o, "pairs", &p->env_pairs);
		put_strings(s, o, "endings", &p->env_endings);
	}
}

static void put_grants(struct show *s, cJSON *files, const char *key, enum file_access access)
{
	cJSON *o = put(s, files, key, cJSON_CreateObject());

	for (int role = 0; o && role < ROLE_COUNT; role++) {
		cJSON *array = put(s, o, role_name((enum role)role), cJSON_CreateArray());
		for (size_t i = 0; i < s->p->grant_count; i++) {
			const struct grant *g = &s->p->grants[i];
			if (g->role == (enum role)role && g->access == access)
				put_named(s, array, "path", g->path, &g->at);
		}
	}
}

static void put_host(struct show *s, cJSON *array, const struct allowed_host *h)
{
	cJSON *o = put_named(s, array, "host", h->text, &h->at);

	if (o && h->opaque)
		put(s, o, "opaque", cJSON_CreateTrue());
}

static void put_network(struct show *s, cJSON *root)
{
	cJSON *o = put(s, root, "network", cJSON_CreateObject());

	for (int role = 0; o && role < ROLE_COUNT; role++) {
		const struct allowed_hosts *list = &s->p->hosts[role];
		cJSON *array = put(s, o, role_name((enum role)role), cJSON_CreateArray());
		for (size_t i = 0; i < list->n; i++)
			put_host(s, array, &list->v[i]);
	}
	cJSON *networks = o ? put(s, o, "stand-in", cJSON_CreateArray()) : NULL;
	for (int six = 0; networks && six < 2; six++)
		put_named(s, networks, "network", s->p->stand_in[six].text, &s->p->stand_in[six].at);
	if (o) {
		put_rules(s, o, "deny", LIST_DENY);
		put_rules(s, o, "watch", LIST_WATCH);
	}
}

static void put_limits(struct show *s, cJSON *root)
{
	cJSON *o = put(s, root, "limits", cJSON_CreateObject());

	for (int role = ROLE_BUILD; o && role <= ROLE_GUEST; role++) {
		cJSON *of = put(s, o, role_name((enum role)role), cJSON_CreateObject());
		for (int l = 0; of && l < LIMIT_COUNT; l++) {
			const struct role_limits *limits = &s->p->limits[role];
			cJSON *e = s->origins ? put(s, of, limit_name((enum limit)l), cJSON_CreateObject()) : of;
			if (e)
				put(s, e, s->origins ? "value" : limit_name((enum limit)l), cJSON_CreateNumber((double)limits->v[l]));
			if (e)
				put_origin(s, e, &limits->at[l]);
		}
	}
}

static void put_actions(struct show *s, cJSON *root)
{
	cJSON *array = put(s, root, "actions", cJSON_CreateArray());

	for (size_t i = 0; array && i < s->p->action_count; i++) {
		cJSON *e = put_named(s, array, "rules", s->p->actions[i].pattern, &s->p->actions[i].at);
		if (e)
			put_text(s, e, "action", policy_action_name(s->p->actions[i].action));
	}
	if (s->p->on_violation >= 0)
		put_text(s, root, "on_violation", policy_action_name((enum policy_action)s->p->on_violation));
}

/* NULL: no memory. */
static cJSON *result(const struct policy *p, bool origins)
{
	struct show s = {.p = p, .origins = origins};
	cJSON *root = cJSON_CreateObject();

	if (!root)
		return NULL;
	put(&s, root, "version", cJSON_CreateNumber(POLICY_VERSION));
	if (origins)
		put_text(&s, root, "digest", p->digest);
	put_environment(&s, root);
	cJSON *files = put(&s, root, "files", cJSON_CreateObject());
	if (files) {
		put_rules(&s, files, "secret", LIST_SECRET);
		put_rules(&s, files, "persistence", LIST_PERSISTENCE);
		cJSON *project = put(&s, files, "project", cJSON_CreateObject());
		if (project) {
			put_rules(&s, project, "secret", LIST_PROJECT_SECRET);
			put_rules(&s, project, "guarded", LIST_PROJECT_GUARDED);
		}
		put_grants(&s, files, "read", FILE_READ);
		put_grants(&s, files, "write", FILE_WRITE);
	}
	put_network(&s, root);
	put_limits(&s, root);
	put_rules(&s, root, "rules", LIST_CODE);
	put_actions(&s, root);
	if (s.failed) {
		cJSON_Delete(root);
		return NULL;
	}
	return root;
}

char *policy_show(const struct policy *p)
{
	cJSON *root = result(p, true);
	char *text = root ? cJSON_Print(root) : NULL;

	cJSON_Delete(root);
	return text;
}
