/* One layer of policy, from text into the model, section by section. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/match.h"
#include "policy/reader.h"

static int store_env(struct reader *r, const cJSON *e, enum env_list list)
{
	struct policy *p = r->p;
	struct env_pattern entry = {.pattern = reader_keep(r, e->valuestring), .list = list, .at = reader_place(r, e, false)};
	size_t i = 0;

	if (!entry.pattern)
		return policy_no_memory(r->err);
	while (i < p->env_count && strcasecmp(p->env[i].pattern, entry.pattern))
		i++;
	if (i < p->env_count && p->env[i].at.origin == r->origin)
		return reader_fail(r, e, false, "environment: \"%s\" is there twice", entry.pattern);
	if (i == p->env_count) {
		if (i >= READER_MAX_STRINGS)
			return reader_fail(r, e, false, "environment: too many names");
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
	const cJSON *array = reader_member(section, key), *e;

	if (!array)
		return 0;
	if (reader_want_array(r, array, key))
		return -1;
	cJSON_ArrayForEach(e, array) {
		if (reader_want_string(r, e, key))
			return -1;
		const char *why = env_pattern_error(e->valuestring);
		if (why)
			return reader_fail(r, e, false, "%s: \"%s\": %s", key, e->valuestring, why);
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
	if (reader_want_keys(r, section, "environment", keys))
		return -1;
	const cJSON *treatment = reader_member(section, "treatment");
	if (treatment && (!cJSON_IsString(treatment) || strcmp(treatment->valuestring, "decoy")))
		return reader_fail(r, treatment, false, "treatment: \"decoy\" is the only one");
	for (int list = 0; list < ENV_LIST_COUNT; list++)
		if (read_env_list(r, section, (enum env_list)list))
			return -1;
	if (reader_list(r, section, "words", word_error, &p->env_words) ||
	    reader_list(r, section, "pairs", pair_error, &p->env_pairs) ||
	    reader_list(r, section, "endings", word_error, &p->env_endings))
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

	if (reader_list(r, section, role_name(role), grant_error, &paths))
		return -1;
	for (size_t i = 0; i < p->grant_count; i++) {
		const struct grant *g = &p->grants[i];
		if (g->role != role || g->access != access || !g->at.line)
			p->grants[kept++] = *g;
	}
	p->grant_count = kept;
	cJSON_ArrayForEach(e, reader_member(section, role_name(role))) {
		const char *path = reader_keep(r, e->valuestring);
		if (!path || !array_grow(&p->grants, p->grant_count, &p->grant_cap, sizeof(*p->grants)))
			return policy_no_memory(r->err);
		p->grants[p->grant_count++] = (struct grant){role, access, path, reader_place(r, e, false)};
	}
	return 0;
}

static const char *const role_keys[] = {"installer", "build", "guest", "vcs", "credential", NULL};

static int read_grants(struct reader *r, const cJSON *files, const char *key, enum file_access access)
{
	const cJSON *section = reader_member(files, key);

	if (!section)
		return 0;
	if (reader_want_keys(r, section, key, role_keys))
		return -1;
	for (int role = 0; role < ROLE_COUNT; role++)
		if (reader_member(section, role_keys[role]) && read_grants_of(r, section, (enum role)role, access))
			return -1;
	return 0;
}

static int read_project(struct reader *r, const cJSON *section)
{
	static const char *const keys[] = {"secret", "guarded", NULL};

	if (!section)
		return 0;
	if (reader_want_keys(r, section, "files.project", keys) || reader_rules(r, section, "secret", LIST_PROJECT_SECRET))
		return -1;
	return reader_rules(r, section, "guarded", LIST_PROJECT_GUARDED);
}

static int read_files(struct reader *r, const cJSON *section)
{
	static const char *const keys[] = {"secret", "persistence", "project", "read", "write", NULL};

	if (!section)
		return 0;
	if (reader_want_keys(r, section, "files", keys) || read_project(r, reader_member(section, "project")) ||
	    reader_rules(r, section, "secret", LIST_SECRET) || reader_rules(r, section, "persistence", LIST_PERSISTENCE) ||
	    read_grants(r, section, "read", FILE_READ))
		return -1;
	return read_grants(r, section, "write", FILE_WRITE);
}

/* {"host": H, "port": N, "opaque": true} as "H:N": a connection on which no server name can be seen is allowed to one port of one host.  NULL: failed. */
static const char *opaque_text(struct reader *r, const cJSON *item, enum role role)
{
	static const char *const keys[] = {"host", "port", "opaque", NULL};
	const cJSON *host = reader_member(item, "host"), *port = reader_member(item, "port");
	char text[HOST_TEXT_MAX + 16];

	if (reader_want_keys(r, item, role_name(role), keys))
		return NULL;
	if (!host || !cJSON_IsString(host) || strlen(host->valuestring) >= HOST_TEXT_MAX || strchr(host->valuestring, '*')) {
		reader_fail(r, host ? host : item, false, "%s: \"host\": the name of one host was expected", role_name(role));
		return NULL;
	}
	if (!port || !cJSON_IsNumber(port) || port->valuedouble != (unsigned)port->valuedouble || port->valuedouble < 1 || port->valuedouble > 65535) {
		reader_fail(r, port ? port : item, false, "%s: \"port\": a number from 1 to 65535 was expected", role_name(role));
		return NULL;
	}
	if (!cJSON_IsTrue(reader_member(item, "opaque"))) {
		reader_fail(r, item, false, "%s: \"opaque\": true is what an entry of this form is for", role_name(role));
		return NULL;
	}
	snprintf(text, sizeof(text), "%s:%u", host->valuestring, (unsigned)port->valuedouble);
	return reader_keep(r, text);
}

/* An entry of a role's list as the text of an option.  NULL: failed. */
static const char *host_text(struct reader *r, const cJSON *item, enum role role)
{
	if (cJSON_IsObject(item) && role != ROLE_CREDENTIAL)
		return opaque_text(r, item, role);
	return reader_want_string(r, item, role_name(role)) ? NULL : reader_keep(r, item->valuestring);
}

static int read_hosts_of(struct reader *r, const cJSON *array, enum role role)
{
	struct allowed_hosts *list = &r->p->hosts[role];
	size_t kept = 0;
	const cJSON *e;

	if (reader_want_array(r, array, role_name(role)))
		return -1;
	for (size_t i = 0; i < list->n; i++) /* options stay, the earlier layer's list goes */
		if (!list->v[i].at.line)
			list->v[kept++] = list->v[i];
	list->n = kept;
	cJSON_ArrayForEach(e, array) {
		const char *copy = host_text(r, e, role);
		if (!copy)
			return -1;
		if (!array_grow(&list->v, list->n, &list->cap, sizeof(*list->v)))
			return policy_no_memory(r->err);
		const char *wrong = allowed_host_parse(&r->p->arena, copy, &list->v[list->n]);
		if (wrong)
			return reader_fail(r, e, false, "%s: \"%s\": %s", role_name(role), copy, wrong);
		list->v[list->n].opaque = cJSON_IsObject(e);
		list->v[list->n++].at = reader_place(r, e, false);
	}
	return 0;
}

static int read_network(struct reader *r, const cJSON *section)
{
	static const char *const keys[] = {"installer", "build", "guest", "vcs", "credential", "stand-in", "deny", "watch", NULL};

	if (!section)
		return 0;
	if (reader_want_keys(r, section, "network", keys))
		return -1;
	for (int role = 0; role < ROLE_COUNT; role++) {
		const cJSON *list = reader_member(section, role_keys[role]);
		if (list && read_hosts_of(r, list, (enum role)role))
			return -1;
	}
	if (reader_stand_in(r, section) || reader_rules(r, section, "deny", LIST_DENY))
		return -1;
	return reader_rules(r, section, "watch", LIST_WATCH);
}

static int read_version(struct reader *r, const cJSON *root)
{
	const cJSON *version = reader_member(root, "version");

	if (!version)
		return reader_fail(r, root, false, "\"version\" is missing");
	if (!cJSON_IsNumber(version))
		return reader_fail(r, version, false, "version: a number was expected");
	/* valuedouble: valueint holds the position */
	if (version->valuedouble != POLICY_VERSION)
		return reader_fail(r, version, false, "version: this pipwarden reads version %d", POLICY_VERSION);
	return 0;
}

static int read_root(struct reader *r, bool builtin)
{
	static const char *const keys[] = {"$schema", "version", "environment", "files", "network", "limits", "rules", "actions", NULL};
	const cJSON *root = r->text.root;
	const char *schema = NULL;

	if (reader_want_keys(r, root, "the policy", keys) || read_version(r, root) || reader_text(r, root, "$schema", &schema))
		return -1;
	if (read_environment(r, reader_member(root, "environment")) || read_files(r, reader_member(root, "files")) ||
	    read_network(r, reader_member(root, "network")) || reader_code_rules(r, reader_member(root, "rules"), builtin))
		return -1;
	if (reader_limits(r, reader_member(root, "limits")))
		return -1;
	return reader_actions(r, reader_member(root, "actions"));
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
