/* Protected places.  policy_file is asked for every open of every build: patterns hang in a tree of their literal components, so a path
 * that leads nowhere near a protected place is done after its first component.  Patterns below "~" hang in a tree of
 * their own, which every home leads to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/match.h"

struct leaf {
	const struct rule *rule;
	const char *rest; /* what is left of the pattern after the literal components */
	const char *last; /* that is "**" and this one component: the path's last one decides; else NULL */
	size_t rank;      /* literal characters of the whole pattern */
};

struct node {
	const char *name;
	size_t len;
	struct node **children; /* sorted */
	size_t child_count, child_cap;
	struct leaf *leaves;
	size_t leaf_count, leaf_cap;
	bool home;
};

struct path_table {
	struct node root, below_home;
};

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

static int component_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* Where the child is, or would have to stand. */
static size_t child_index(const struct node *n, const char *name, size_t len, bool *found)
{
	size_t low = 0, high = n->child_count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = component_compare(n->children[middle]->name, n->children[middle]->len, name, len);
		if (!order) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct node *child_make(struct arena *a, struct node *n, const char *name, size_t len)
{
	bool found;
	size_t at = child_index(n, name, len, &found);

	if (found)
		return n->children[at];
	struct node *child = arena_alloc(a, sizeof(*child));
	if (!child || !array_grow(&n->children, n->child_count, &n->child_cap, sizeof(*n->children)))
		return NULL;
	child->name = name;
	child->len = len;
	memmove(n->children + at + 1, n->children + at, (n->child_count - at) * sizeof(*n->children));
	n->children[at] = child;
	n->child_count++;
	return child;
}

static void node_finish(struct node *n)
{
	for (size_t i = 0; i < n->child_count; i++)
		node_finish(n->children[i]);
	free(n->children);
	free(n->leaves);
}

static size_t literal_length(const char *pattern)
{
	size_t n = 0;

	for (; *pattern; pattern++)
		n += *pattern != '*';
	return n;
}

/* Follows and makes the literal components of pattern; *rest: the first with a '*' and all after it. */
static struct node *follow(struct arena *a, struct node *n, const char *pattern, const char **rest)
{
	for (;;) {
		const char *after = pattern, *part;
		size_t len = path_next(&after, &part);
		if (!len || memchr(part, '*', len)) {
			*rest = part;
			return n;
		}
		n = child_make(a, n, part, len);
		if (!n)
			return NULL;
		pattern = after;
	}
}

static bool add_pattern(struct policy *p, const struct rule *rule, const char *pattern)
{
	struct path_table *t = p->paths;
	bool home = *pattern == '~';
	struct leaf leaf = {.rule = rule, .rank = literal_length(pattern)};
	struct node *n = follow(&p->arena, home ? &t->below_home : &t->root, home ? pattern + 1 : pattern, &leaf.rest);

	if (n && !strncmp(leaf.rest, "**/", 3) && !strchr(leaf.rest + 3, '/') && strcmp(leaf.rest + 3, "**"))
		leaf.last = leaf.rest + 3;
	if (!n || !array_grow(&n->leaves, n->leaf_count, &n->leaf_cap, sizeof(*n->leaves)))
		return false;
	n->leaves[n->leaf_count++] = leaf;
	return true;
}

static bool fill_tree(struct policy *p)
{
	const char *rest;

	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		if (!rule_list_of_files(r->list))
			continue;
		for (size_t k = 0; k < r->patterns.n; k++)
			if (!add_pattern(p, r, r->patterns.v[k]))
				return false;
	}
	for (size_t i = 0; i < p->homes.n; i++) {
		/* A '*' in a home directory's name would be a pattern; no system makes one. */
		struct node *n = follow(&p->arena, &p->paths->root, p->homes.v[i], &rest);
		if (!n)
			return false;
		n->home = !*rest;
	}
	return true;
}

static bool excepted(const struct policy *p, const struct rule *r, const char *path)
{
	for (size_t i = 0; i < r->except.n; i++) {
		const char *pattern = r->except.v[i];
		if (*pattern != '~') {
			if (path_match(pattern, path))
				return true;
			continue;
		}
		for (size_t h = 0; h < p->homes.n; h++) {
			size_t len = strlen(p->homes.v[h]);
			if (!strncmp(path, p->homes.v[h], len) && (path[len] == '/' || !path[len]) &&
			    path_match(pattern + 1, path + len))
				return true;
		}
	}
	return false;
}

struct search {
	const struct policy *p;
	const char *path; /* whole */
	const char *last; /* its last component */
	size_t last_len;
	enum rule_list list;
	const struct leaf *best;
};

static bool leaf_matches(const struct search *s, const struct leaf *l, const char *rest)
{
	if (l->last)
		return *rest && glob_match(l->last, strlen(l->last), s->last, s->last_len);
	return path_match(l->rest, rest);
}

static void look_at_leaves(struct search *s, const struct node *n, const char *rest)
{
	for (size_t i = 0; i < n->leaf_count; i++) {
		const struct leaf *l = &n->leaves[i], *b = s->best;
		if (l->rule->list != s->list)
			continue;
		if (b && (l->rank < b->rank || (l->rank == b->rank && l->rule->severity <= b->rule->severity)))
			continue;
		if (leaf_matches(s, l, rest) && !excepted(s->p, l->rule, s->path))
			s->best = l;
	}
}

static void walk(struct search *s, const struct node *n, const char *rest)
{
	for (;;) {
		const char *name;
		bool found;
		look_at_leaves(s, n, rest);
		if (n->home)
			walk(s, &s->p->paths->below_home, rest); /* the tree below has no homes: once */
		size_t len = path_next(&rest, &name);
		if (!len)
			return;
		size_t at = child_index(n, name, len, &found);
		if (!found)
			return;
		n = n->children[at];
	}
}

static const struct rule *find(const struct policy *p, const char *path, enum rule_list list)
{
	struct search s = {.p = p, .path = path, .list = list};
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	s.last = memrchr(path, '/', len);
	s.last = s.last ? s.last + 1 : path;
	s.last_len = len - (size_t)(s.last - path);
	walk(&s, &p->paths->root, path);
	return s.best ? s.best->rule : NULL;
}

bool policy_file(const struct policy *p, const char *path, enum file_access access, struct verdict *out)
{
	const struct rule *r = NULL;

	if (*path != '/')
		return false;
	if (access == FILE_WRITE)
		r = find(p, path, LIST_PERSISTENCE);
	if (!r)
		r = find(p, path, LIST_SECRET);
	if (r && out)
		*out = r->verdict;
	return r != NULL;
}

bool policy_project(const struct policy *p, const char *path, enum file_access access, struct verdict *out)
{
	const struct rule *r = access == FILE_WRITE ? find(p, path, LIST_PROJECT_GUARDED) : NULL;

	if (!r)
		r = find(p, path, LIST_PROJECT_SECRET);
	if (r && out)
		*out = r->verdict;
	return r != NULL;
}

const char *path_pattern_error(const char *pattern)
{
	const char *rest = pattern, *part;

	if (*pattern == '~' && pattern[1] && pattern[1] != '/')
		return "\"~\" stands for every home; homes of single users are written as paths";
	if (*pattern != '/' && *pattern != '~' && strncmp(pattern, "**/", 3))
		return "a path starts with '/', \"~/\" or \"**/\"";
	if (*rest == '~')
		rest++;
	if (strstr(pattern, "//"))
		return "an empty component: such a path is never seen";
	size_t total = strlen(pattern);
	if (total > 1 && pattern[total - 1] == '/')
		return "a path does not end in '/': write \"/**\" for a folder and all below it";
	bool literal = *pattern == '~';
	for (size_t len; (len = path_next(&rest, &part)) != 0;) {
		if ((len == 1 && *part == '.') || (len == 2 && !memcmp(part, "..", 2)))
			return "\".\" and \"..\" are never seen in a path";
		if (len > 2 && memmem(part, len, "**", 2))
			return "\"**\" stands for whole components";
		for (size_t i = 0; i < len; i++)
			literal = literal || part[i] != '*';
	}
	return literal ? NULL : "the pattern stands for every path";
}

const char *project_pattern_error(const char *pattern)
{
	return *pattern == '~' ? "a project's paths are relative to its folder: \"/name\" or \"**/name\"" : path_pattern_error(pattern);
}

char *path_normal(struct arena *a, const char *path, const char *cwd)
{
	const char *rest, *part;

	if (*path != '/' && (!cwd || *cwd != '/'))
		return NULL;
	size_t size = strlen(path) + (*path == '/' ? 0 : strlen(cwd)) + 3;
	char *whole = arena_alloc(a, size), *out = arena_alloc(a, size);
	if (!whole || !out)
		return NULL;
	if (*path != '/') {
		strcpy(whole, cwd);
		strcat(whole, "/");
	}
	strcat(whole, path);
	rest = whole;
	size_t n = 0;
	for (size_t len; (len = path_next(&rest, &part)) != 0;) {
		if (len == 1 && *part == '.')
			continue;
		if (len == 2 && !memcmp(part, "..", 2)) {
			while (n && out[--n] != '/')
				;
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, part, len);
		n += len;
	}
	if (!n)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

/* --- grants ------------------------------------------------------------------------------------ */

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

static bool pattern_touches(const struct policy *p, const char *pattern, const char *path)
{
	if (*pattern != '~')
		return touches(pattern, path);
	for (size_t h = 0; h < p->homes.n; h++) {
		size_t len = strlen(p->homes.v[h]);
		if (!strncmp(path, p->homes.v[h], len) && path[len] == '/' && touches(pattern + 1, path + len))
			return true;
	}
	return false;
}

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
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		bool counts = r->list == LIST_SECRET || (r->list == LIST_PERSISTENCE && access == FILE_WRITE);
		if (!counts || r->severity < SEV_MEDIUM || excepted(p, r, path))
			continue;
		for (size_t k = 0; k < r->patterns.n; k++)
			if (pattern_touches(p, r->patterns.v[k], path)) {
				*what = r->patterns.v[k];
				return true;
			}
	}
	return false;
}

bool policy_grant_conflict(const struct policy *p, const char *path, enum file_access access, const char **what)
{
	const char *unused;

	if (!what)
		what = &unused;
	if (*path != '/' || !strcmp(path, "/")) {
		*what = *path == '/' ? "/" : "not an absolute path";
		return true;
	}
	return system_conflict(p, path, access, what) || rule_conflict(p, path, access, what);
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
	for (size_t i = 0; i < p->homes.n; i++)
		if (at_or_above(path, p->homes.v[i])) {
			*what = p->homes.v[i];
			return true;
		}
	for (size_t i = 0; i < sizeof(system_places) / sizeof(*system_places); i++)
		if (at_or_above(path, system_places[i].path) || (system_places[i].below && at_or_above(system_places[i].path, path))) {
			*what = system_places[i].path;
			return true;
		}
	return rule_conflict(p, path, FILE_WRITE, what);
}

static int compile_grants(struct policy *p, struct policy_error *err)
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
		if (policy_grant_conflict(p, path, g->access, &what))
			return policy_fail(err, &g->at, "%s: a grant may not be, hold or lie in a protected place: %s", path, what);
		if (!strings_push(&p->arena, &p->granted[g->role][g->access], path))
			return policy_no_memory(err);
	}
	return 0;
}

int files_compile(struct policy *p, struct policy_error *err)
{
	p->paths = calloc(1, sizeof(*p->paths));
	if (!p->paths || !fill_tree(p))
		return policy_no_memory(err);
	return compile_grants(p, err);
}

void files_finish(struct policy *p)
{
	if (!p->paths)
		return;
	node_finish(&p->paths->root);
	node_finish(&p->paths->below_home);
	free(p->paths);
}

const char *const *policy_grants(const struct policy *p, enum role role, enum file_access access)
{
	static const char *const none[] = {NULL};

	return p->granted[role][access].v ? (const char *const *)p->granted[role][access].v : none;
}
