/* What may be granted: no place that is, holds or lies in a protected one. */
#include <stdio.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/match.h"

/* Places of the system that no grant may touch, besides those that rules name: written out because they are no rule's label.
 * below: nor may a grant lie below one. */
static const struct {
	const char *path;
	bool write_only, below;
} system_places[] = {
	{"/root", false, false},      {"/home", false, false},     {"/proc", false, true},    {"/run", false, false},
	{"/dev", false, false},       {"/etc", true, true},        {"/boot", true, true},     {"/sys", true, true},
	{"/bin", true, true},         {"/sbin", true, true},       {"/lib", true, true},      {"/lib32", true, true},
	{"/lib64", true, true},       {"/libx32", true, true},     {"/usr/bin", true, true},  {"/usr/sbin", true, true},
	{"/usr/lib", true, true},     {"/usr/lib32", true, true},  {"/usr/lib64", true, true}, {"/usr/libexec", true, true},
	{"/usr/include", true, true}, {"/var", true, false},
};

/* Is path the place itself or above it? */
static bool at_or_above(const char *path, const char *place)
{
	size_t len = strlen(path);

	if (len == 1)
		return true;
	return !strncmp(path, place, len) && (!place[len] || place[len] == '/');
}

/* Does a grant of path touch what the pattern stands for: because it is or lies below such a place, or because one lies below it?
 * A place that may be anywhere (a `.env` somewhere in /srv) counts only where path itself is one: else a grant of any folder
 * of /srv would be refused. */
static bool touches(const char *pattern, const char *path)
{
	const char *whole_pattern = pattern, *whole_path = path;

	for (;;) {
		const char *part, *name;
		size_t part_len = path_next(&pattern, &part);
		if (part_len == 2 && !memcmp(part, "**", 2))
			return !*pattern || path_match(whole_pattern, whole_path);
		size_t name_len = path_next(&path, &name);
		if (!part_len || !name_len)
			return true;
		if (!glob_match(part, part_len, name, name_len))
			return false;
	}
}

/* What is left of path in the next home that it lies in, after *home of them; NULL: in no more. */
static const char *in_home(const struct policy *p, const char *path, size_t *home)
{
	while (*home < p->homes.n) {
		const char *one = p->homes.v[(*home)++];
		size_t len = strlen(one);
		if (!strncmp(path, one, len) && path[len] == '/')
			return path + len;
	}
	return NULL;
}

/* in_homes: does path lie in a home at all? */
static bool pattern_touches(const struct policy *p, const char *pattern, const char *path, bool in_homes)
{
	size_t home = 0;

	/* Told by the first character, most of them. */
	if (*pattern == '/' && pattern[1] != '*' && path[1] != pattern[1])
		return false;
	if (*pattern != '~')
		return touches(pattern, path);
	for (const char *rest; in_homes && (rest = in_home(p, path, &home));)
		if (touches(pattern + 1, rest))
			return true;
	return false;
}

/* access FILE_WRITE: the places that may be read count as well. */
static bool system_conflict(const struct policy *p, const char *path, enum file_access access, const char **what)
{
	for (size_t i = 0; i < p->homes.n; i++)
		if (at_or_above(path, p->homes.v[i])) {
			*what = p->homes.v[i];
			return true;
		}
	for (size_t i = 0; i < sizeof(system_places) / sizeof(*system_places); i++) {
		const char *place = system_places[i].path;
		if (system_places[i].write_only && access != FILE_WRITE)
			continue;
		if (at_or_above(path, place) || (system_places[i].below && at_or_above(place, path))) {
			*what = place;
			return true;
		}
	}
	return false;
}

static bool rule_conflict(const struct policy *p, const char *path, enum file_access access, const char **what)
{
	size_t home = 0;
	bool in_homes = in_home(p, path, &home);

	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		bool counts = r->list == LIST_SECRET || (r->list == LIST_PERSISTENCE && access == FILE_WRITE);
		if (!counts || r->severity < SEV_MEDIUM || rule_excepts(p, r, path))
			continue;
		for (size_t k = 0; k < r->patterns.n; k++)
			if (pattern_touches(p, r->patterns.v[k], path, in_homes)) {
				*what = r->patterns.v[k];
				return true;
			}
	}
	return false;
}

static bool conflict(const struct policy *p, bool rules, const char *path, enum file_access access, const char **what)
{
	const char *unused;

	if (!what)
		what = &unused;
	if (*path != '/' || !strcmp(path, "/")) {
		*what = *path == '/' ? "/" : "not an absolute path";
		return true;
	}
	return system_conflict(p, path, access, what) || (rules && rule_conflict(p, path, access, what));
}

bool policy_grant_conflict(const struct policy *p, const char *path, enum file_access access, const char **what)
{
	return conflict(p, true, path, access, what);
}

bool policy_role_grant_conflict(const struct policy *p, enum role role, const char *path, enum file_access access, const char **what)
{
	return conflict(p, role != ROLE_CREDENTIAL || access != FILE_READ, path, access, what);
}

bool policy_project_holds(const struct policy *p, const char *path)
{
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		if (!rule_list_of_project(r->list))
			continue;
		for (size_t k = 0; k < r->patterns.n; k++)
			if (strncmp(r->patterns.v[k], "**/", 3) && touches(r->patterns.v[k], path))
				return true;
	}
	return false;
}

void policy_secret_places(const struct policy *p, void (*each)(void *context, const char *path), void *context)
{
	char path[4096];

	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		if ((r->list != LIST_SECRET && r->list != LIST_PERSISTENCE) || r->severity < SEV_MEDIUM)
			continue;
		for (size_t k = 0; k < r->patterns.n; k++) {
			const char *pattern = r->patterns.v[k], *star = strchr(pattern, '*');
			size_t len = star ? (size_t)(star - pattern) : strlen(pattern);
			while (star && len && pattern[len - 1] != '/')
				len--;
			if (strncmp(pattern, "~/", 2) || len <= 2)
				continue;
			for (size_t h = 0; h < p->homes.n; h++)
				if (strlen(p->homes.v[h]) + len < sizeof(path)) {
					int n = snprintf(path, sizeof(path), "%s%.*s", p->homes.v[h], (int)len - 1, pattern + 1);
					each(context, n > 0 ? path : "");
				}
		}
	}
}

bool policy_tree_conflict(const struct policy *p, const char *path, const char **what)
{
	*what = "/";
	if (*path != '/' || !path[1])
		return true;
	return system_conflict(p, path, FILE_WRITE, what) || rule_conflict(p, path, FILE_WRITE, what);
}

int grants_compile(struct policy *p, struct policy_error *err)
{
	for (size_t i = 0; i < p->grant_count; i++) {
		struct grant *g = &p->grants[i];
		const char *what, *path = g->path;
		if (*path == '~') {
			if (!p->homes.n)
				return policy_fail(err, &g->at, "%s: no home directory is known", path);
			path = arena_join(&p->arena, p->homes.v[0], path + 1);
		}
		path = path ? path_normal(&p->arena, path, NULL) : NULL;
		if (!path)
			return policy_no_memory(err);
		if (policy_role_grant_conflict(p, g->role, path, g->access, &what))
			return policy_fail(err, &g->at, "%s: a grant may not be, hold or lie in a protected place: %s", path, what);
		if (!strings_push(&p->arena, &p->granted[g->role][g->access], path))
			return policy_no_memory(err);
	}
	return 0;
}

const char *const *policy_grants(const struct policy *p, enum role role, enum file_access access)
{
	static const char *const none[] = {NULL};

	return p->granted[role][access].v ? (const char *const *)p->granted[role][access].v : none;
}
