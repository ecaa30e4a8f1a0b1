/* Protected places.  policy_file is asked for every open of every build: patterns hang in a tree of their literal components, so a path
 * that leads nowhere near a protected place is done after its first component.  Patterns below "~" hang in a tree of
 * their own, which every home leads to. */
#include <limits.h>
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
	bool folded;      /* in small letters, for path_fold's paths alone */
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

static bool add_leaf(struct policy *p, const struct rule *rule, const char *pattern, bool folded)
{
	struct path_table *t = p->paths;
	bool home = *pattern == '~';
	struct leaf leaf = {.rule = rule, .rank = literal_length(pattern), .folded = folded};
	struct node *n = follow(&p->arena, home ? &t->below_home : &t->root, home ? pattern + 1 : pattern, &leaf.rest);

	if (n && !strncmp(leaf.rest, "**/", 3) && !strchr(leaf.rest + 3, '/') && strcmp(leaf.rest + 3, "**"))
		leaf.last = leaf.rest + 3;
	if (!n || !array_grow(&n->leaves, n->leaf_count, &n->leaf_cap, sizeof(*n->leaves)))
		return false;
	n->leaves[n->leaf_count++] = leaf;
	return true;
}

/* Rules of projects are also asked of names without regard to case. */
static bool add_pattern(struct policy *p, const struct rule *rule, const char *pattern)
{
	if (!add_leaf(p, rule, pattern, false))
		return false;
	if (!rule_list_of_project(rule->list))
		return true;
	char *small = arena_alloc(&p->arena, strlen(pattern) + 1);
	if (!small)
		return false;
	path_fold(pattern, small);
	return !strcmp(small, pattern) || add_leaf(p, rule, small, true);
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

bool rule_excepts(const struct policy *p, const struct rule *r, const char *path)
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
	bool folded;
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
		if (l->rule->list != s->list || (l->folded && !s->folded))
			continue;
		if (b && (l->rank < b->rank || (l->rank == b->rank && l->rule->severity <= b->rule->severity)))
			continue;
		if (leaf_matches(s, l, rest) && !rule_excepts(s->p, l->rule, s->path))
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

static const struct rule *find(const struct policy *p, const char *path, enum rule_list list, bool folded)
{
	struct search s = {.p = p, .path = path, .list = list, .folded = folded};
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
		r = find(p, path, LIST_PERSISTENCE, false);
	if (!r)
		r = find(p, path, LIST_SECRET, false);
	if (r && out)
		*out = r->verdict;
	return r != NULL;
}

static bool project_rule(const struct policy *p, const char *path, enum file_access access, bool folded, struct verdict *out)
{
	const struct rule *r = access == FILE_WRITE ? find(p, path, LIST_PROJECT_GUARDED, folded) : NULL;

	if (!r)
		r = find(p, path, LIST_PROJECT_SECRET, folded);
	if (r && out)
		*out = r->verdict;
	return r != NULL;
}

bool policy_project(const struct policy *p, const char *path, enum file_access access, struct verdict *out)
{
	return project_rule(p, path, access, false, out);
}

bool policy_project_folded(const struct policy *p, const char *path, enum file_access access, struct verdict *out)
{
	char small[PATH_MAX];

	if (strlen(path) >= sizeof(small))
		return project_rule(p, "/.git", FILE_WRITE, false, out);
	path_fold(path, small);
	return project_rule(p, small, access, true, out);
}

int files_compile(struct policy *p, struct policy_error *err)
{
	p->paths = calloc(1, sizeof(*p->paths));
	if (!p->paths || !fill_tree(p))
		return policy_no_memory(err);
	return 0;
}

void files_finish(struct policy *p)
{
	if (!p->paths)
		return;
	node_finish(&p->paths->root);
	node_finish(&p->paths->below_home);
	free(p->paths);
}
