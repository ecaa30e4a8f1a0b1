#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/internal.h"

static const char *const severity_names[] = {"info", "low", "medium", "high", "critical"};
static const char *const role_names[ROLE_COUNT] = {"installer", "build", "guest", "vcs", "credential"};
static const char *const action_names[] = {"allow", "deny", "decoy", "abort"};

/* The index of the name, or -1. */
static int find_name(const char *const *names, size_t count, const char *text, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && !memcmp(text, names[i], len))
			return (int)i;
	return -1;
}

const char *severity_name(enum severity s)
{
	return severity_names[s];
}

bool severity_parse(const char *text, enum severity *out)
{
	int i = find_name(severity_names, SEV_CRITICAL + 1, text, strlen(text));

	if (i >= 0)
		*out = (enum severity)i;
	return i >= 0;
}

const char *role_name(enum role r)
{
	return role_names[r];
}

bool role_parse(const char *text, size_t len, enum role *out)
{
	int i = find_name(role_names, ROLE_COUNT, text, len);

	if (i >= 0)
		*out = (enum role)i;
	return i >= 0;
}

const char *policy_action_name(enum policy_action a)
{
	return action_names[a];
}

bool action_parse(const char *text, enum policy_action *out)
{
	int i = find_name(action_names, ACTION_ABORT + 1, text, strlen(text));

	if (i >= 0)
		*out = (enum policy_action)i;
	return i >= 0;
}

const char *rule_list_name(enum rule_list list)
{
	static const char *const names[] = {"rules", "files.secret", "files.persistence", "network.deny", "network.watch",
	                                    "files.project.secret", "files.project.guarded"};

	return names[list];
}

bool rule_list_of_project(enum rule_list list)
{
	return list == LIST_PROJECT_SECRET || list == LIST_PROJECT_GUARDED;
}

bool rule_list_of_files(enum rule_list list)
{
	return list == LIST_SECRET || list == LIST_PERSISTENCE || rule_list_of_project(list);
}

bool rule_id_valid(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len <= 64 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == len;
}

int policy_fail(struct policy_error *err, const struct place *at, const char *format, ...)
{
	va_list args;

	*err = (struct policy_error){0};
	if (at) {
		snprintf(err->file, sizeof(err->file), "%s", at->origin ? at->origin : "");
		err->line = at->line;
		err->column = at->column;
	}
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	return -1;
}

int policy_no_memory(struct policy_error *err)
{
	return policy_fail(err, NULL, "no memory");
}

struct rule *policy_find_rule(const struct policy *p, const char *id)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (!strcmp(p->rules[i].id, id))
			return &p->rules[i];
	return NULL;
}

struct policy *policy_empty(void)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p) {
		p->on_violation = -1;
		SHA256Init(&p->mixed);
	}
	return p;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	hosts_finish(p);
	files_finish(p);
	for (int i = 0; i < ROLE_COUNT; i++)
		free(p->hosts[i].v);
	free(p->rules);
	free(p->actions);
	free(p->env);
	free(p->env_allowed);
	free(p->grants);
	arena_finish(&p->arena);
	free(p);
}

int policy_add_text(struct policy *p, const char *origin, const char *text, size_t len, struct policy_error *err)
{
	if (p->frozen)
		return policy_fail(err, NULL, "the policy is finished");
	policy_mix(p, "layer", text, len);
	return policy_read_layer(p, origin, text, len, err);
}

/* fd is the file itself: nothing can be swapped between this look and the reading. */
static int check_file(int fd, const struct place *at, struct policy_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return policy_fail(err, at, "fstat: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return policy_fail(err, at, "not a regular file");
	if (st.st_uid != 0 && st.st_uid != getuid())
		return policy_fail(err, at, "belongs to user %u, neither to root nor to the user who runs this", st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return policy_fail(err, at, "may be written by its group or by others (mode %04o)", st.st_mode & 07777);
	if (st.st_size > POLICY_MAX_BYTES)
		return policy_fail(err, at, "longer than %d bytes", POLICY_MAX_BYTES);
	return 0;
}

static int read_file(int fd, char *buffer, size_t *len)
{
	*len = 0;
	while (*len <= POLICY_MAX_BYTES) {
		ssize_t n = read(fd, buffer + *len, POLICY_MAX_BYTES + 1 - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		*len += (size_t)n;
	}
	return 0;
}

static int add_file(struct policy *p, const char *path, bool tighten, struct policy_error *err)
{
	struct place at = {.origin = path};
	size_t len;
	int result = -1;
	/* O_NONBLOCK: a FIFO must not block here before it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return policy_fail(err, &at, "open: %s", strerror(errno));
	char *buffer = malloc(POLICY_MAX_BYTES + 1);
	if (!buffer)
		policy_no_memory(err);
	else if (!check_file(fd, &at, err)) {
		if (read_file(fd, buffer, &len))
			policy_fail(err, &at, "read: %s", strerror(errno));
		else if (!tighten || !policy_check_tightens(p, path, buffer, len, err))
			result = policy_add_text(p, path, buffer, len, err);
	}
	free(buffer);
	close(fd);
	return result;
}

int policy_add_file(struct policy *p, const char *path, struct policy_error *err)
{
	return add_file(p, path, false, err);
}

int policy_add_tightening(struct policy *p, const char *path, struct policy_error *err)
{
	return add_file(p, path, true, err);
}

void policy_mix(struct policy *p, const char *kind, const char *text, size_t len)
{
	char head[64];

	/* The length in front: no two sequences of parts read the same. */
	snprintf(head, sizeof(head), "%s %zu ", kind, len);
	SHA256Update(&p->mixed, (const uint8_t *)head, strlen(head));
	SHA256Update(&p->mixed, (const uint8_t *)text, len);
}

void policy_on_violation(struct policy *p, enum policy_action one)
{
	policy_mix(p, "on-violation", policy_action_name(one), strlen(policy_action_name(one)));
	p->on_violation = one;
}

static int compare_rules(const void *a, const void *b)
{
	return strcmp(((const struct rule *)a)->id, ((const struct rule *)b)->id);
}

void policy_sort_rules(struct policy *p)
{
	array_sort(p->rules, p->rule_count, sizeof(*p->rules), compare_rules);
}

int policy_finish(struct policy *p, const char *const homes[], struct policy_error *err)
{
	if (p->frozen)
		return policy_fail(err, NULL, "the policy is finished already");
	for (; homes && *homes; homes++) {
		const char *home = path_normal(&p->arena, *homes, NULL);
		if (!home && **homes == '/')
			return policy_no_memory(err);
		if (home && strchr(home, '*'))
			return policy_fail(err, NULL, "%s: a home directory with '*' in its name cannot be protected", home);
		/* "/" as a home (a daemon's) would make everything a protected place. */
		if (home && home[1] && !strings_push(&p->arena, &p->homes, home))
			return policy_no_memory(err);
	}
	policy_sort_rules(p);
	if (actions_compile(p, err) || hosts_compile(p, err) || stand_in_compile(p, err) || files_compile(p, err) || grants_compile(p, err))
		return -1;
	env_compile(p);
	SHA256End(&p->mixed, p->digest);
	p->frozen = true;
	return 0;
}

const char *policy_digest(const struct policy *p)
{
	return p->digest;
}
