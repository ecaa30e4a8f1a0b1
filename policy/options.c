/* Exceptions of the command line: [ROLE:]WHAT. */
#include <string.h>

#include "policy/internal.h"

static const struct place option_place = {.origin = "option"};

/* Steps over "ROLE:".  "build:443" is a host called build: what follows a role is never a port alone. */
static const char *split_role(const char *spec, enum role *role, bool host)
{
	const char *colon = strchr(spec, ':');
	enum role named;

	if (!colon || !role_parse(spec, (size_t)(colon - spec), &named))
		return spec;
	if (host && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1))
		return spec;
	*role = named;
	return colon + 1;
}

static int refuse(struct policy *p, const char *spec, const char *why, struct policy_error *err)
{
	if (p->frozen)
		why = "the policy is finished";
	return policy_fail(err, NULL, "%s: %s", spec, why);
}

int policy_allow_host(struct policy *p, enum role role, const char *spec, struct policy_error *err)
{
	const char *text = split_role(spec, &role, true);
	struct allowed_hosts *list = &p->hosts[role];
	struct allowed_host entry;

	if (p->frozen || !*text)
		return refuse(p, spec, "[ROLE:]HOST[:PORT] was expected", err);
	char *copy = arena_copy(&p->arena, text, strlen(text));
	if (!copy || !array_grow(&list->v, list->n, &list->cap, sizeof(*list->v)))
		return policy_no_memory(err);
	const char *wrong = allowed_host_parse(&p->arena, copy, &entry);
	if (wrong)
		return refuse(p, spec, wrong, err);
	entry.at = option_place;
	policy_mix(p, "host", role_name(role), strlen(role_name(role)));
	policy_mix(p, "name", copy, strlen(copy));
	list->v[list->n++] = entry;
	return 0;
}

int policy_allow_env(struct policy *p, enum role role, const char *spec, struct policy_error *err)
{
	const char *text = split_role(spec, &role, false);
	const char *wrong = strchr(text, ':') ? "there is no such role" : env_pattern_error(text);

	if (p->frozen || wrong)
		return refuse(p, spec, wrong ? wrong : "", err);
	char *copy = arena_copy(&p->arena, text, strlen(text));
	if (!copy || !array_grow(&p->env_allowed, p->env_allowed_count, &p->env_allowed_cap, sizeof(*p->env_allowed)))
		return policy_no_memory(err);
	policy_mix(p, "env", role_name(role), strlen(role_name(role)));
	policy_mix(p, "name", copy, strlen(copy));
	p->env_allowed[p->env_allowed_count++] = (struct env_allowed){copy, role};
	return 0;
}

int policy_allow_path(struct policy *p, enum role role, enum file_access access, const char *spec, const char *cwd,
		      struct policy_error *err)
{
	const char *text = split_role(spec, &role, false);

	if (p->frozen || !*text)
		return refuse(p, spec, "[ROLE:]PATH was expected", err);
	if (*text != '/' && (!cwd || *cwd != '/'))
		return refuse(p, spec, "not absolute, and there is no working directory", err);
	char *path = path_normal(&p->arena, text, cwd);
	if (!path || !array_grow(&p->grants, p->grant_count, &p->grant_cap, sizeof(*p->grants)))
		return policy_no_memory(err);
	policy_mix(p, access == FILE_READ ? "read" : "write", role_name(role), strlen(role_name(role)));
	policy_mix(p, "path", path, strlen(path));
	p->grants[p->grant_count++] = (struct grant){.role = role, .access = access, .path = path, .at = option_place};
	return 0;
}
