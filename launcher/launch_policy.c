/* The policy of this user, of its layers and options. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "homes.h"
#include "launch.h"

static void policy_message(const struct policy_error *err)
{
	if (err->line > 0) {
		launch_error(125, "%s:%u:%u: %s", err->file, err->line, err->column, err->message);
	} else {
		launch_error(125, "%s%s%s", err->file, err->file[0] != '\0' ? ": " : "", err->message);
	}
}

static int add_if_there(struct policy *p, const char *path, struct policy_error *err)
{
	return access(path, F_OK) < 0 ? 0 : policy_add_file(p, path, err);
}

static int add_layers(struct policy *p, const struct options *o, struct policy_error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	char path[PATH_MAX];

	if (add_if_there(p, "/etc/pipwarden/policy.json", err) < 0) {
		return -1;
	}
	if (config != NULL && config[0] == '/') {
		snprintf(path, sizeof path, "%.4000s/pipwarden/policy.json", config);
	} else {
		snprintf(path, sizeof path, "%.4000s/.config/pipwarden/policy.json", homes_find()[0]);
	}
	if (add_if_there(p, path, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < o->policies.n; i++) {
		if (policy_add_file(p, o->policies.v[i], err) < 0) {
			return -1;
		}
	}
	/* Last: it may add to what is there, and replace nothing. */
	const char *environment = getenv("PIPWARDEN_POLICY");
	return environment != NULL && environment[0] != '\0' ? policy_add_tightening(p, environment, err) : 0;
}

static int add_options(struct policy *p, const struct options *o, enum role role, struct policy_error *err)
{
	char cwd[PATH_MAX];

	if (getcwd(cwd, sizeof cwd) == NULL) {
		strcpy(cwd, "/");
	}
	for (size_t i = 0; i < o->allow_host.n; i++) {
		if (policy_allow_host(p, role, o->allow_host.v[i], err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < o->allow_env.n; i++) {
		if (policy_allow_env(p, role, o->allow_env.v[i], err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < o->allow_read.n; i++) {
		if (policy_allow_path(p, role, FILE_READ, o->allow_read.v[i], cwd, err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < o->allow_write.n; i++) {
		if (policy_allow_path(p, role, FILE_WRITE, o->allow_write.v[i], cwd, err) < 0) {
			return -1;
		}
	}
	for (int l = 0; l < LIMIT_COUNT; l++) {
		if (o->limits[l].given) {
			policy_set_limit(p, (enum limit)l, o->limits[l].value);
		}
	}
	if (o->on_violation != ACTION_ALLOW) {
		policy_on_violation(p, o->on_violation);
	}
	return 0;
}

/* The policy judges grants by their words; a link to a protected place is that place. */
static int check_grants(const struct policy *p, struct policy_error *err)
{
	for (int i = 0; i < 2 * ROLE_COUNT; i++) {
		enum file_access access = i % 2 == 0 ? FILE_READ : FILE_WRITE;
		const char *const *grants = policy_grants(p, (enum role)(i / 2), access);
		for (; grants != NULL && *grants != NULL; grants++) {
			const char *what = NULL;
			char *real = realpath(*grants, NULL);
			bool conflict = real != NULL && policy_role_grant_conflict(p, (enum role)(i / 2), real, access, &what);
			free(real);
			if (conflict) {
				snprintf(err->message, sizeof err->message, "%.100s leads to a protected place (%.80s)", *grants, what != NULL ? what : "?");
				return -1;
			}
		}
	}
	return 0;
}

struct policy *launch_policy(const struct options *o, enum role role)
{
	const char *const *homes = homes_find();
	struct policy_error err = {0};
	struct policy *p;

	p = policy_new(&err);
	if (p == NULL || add_layers(p, o, &err) < 0 || add_options(p, o, role, &err) < 0 || policy_finish(p, homes, &err) < 0 || check_grants(p, &err) < 0) {
		policy_message(&err);
		policy_free(p);
		return NULL;
	}
	return p;
}
