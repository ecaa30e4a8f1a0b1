/* The environment of a sandbox. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pathtext.h"
#include "places.h"
#include "prompt.h"
#include "reals.h"
#include "rights.h"
#include "vcs.h"

static int add_known(struct strings *out, const char *path)
{
	char real[PATH_MAX];

	return reals_path(path, real) ? strings_add(out, real) : 0;
}

static int add_all_known(struct strings *out, const char *const *paths)
{
	int error = 0;

	for (size_t i = 0; error == 0 && paths != NULL && paths[i] != NULL; i++) {
		error = add_known(out, paths[i]);
	}
	return error;
}

/* Below which the role may execute, as the kernel names it: looked up once, for PATH has many entries and each look costs. */
static int executable_roots(const struct supervisor *s, enum role role, const struct own_rights *own, struct strings *out)
{
	char tools[PATH_MAX];
	bool environment = role != ROLE_VCS && own->helper == NULL; /* neither those of the home */
	int error = strings_add(out, "/usr");

	for (size_t i = 0; error == 0 && places_system[i].path != NULL; i++) {
		error = (places_system[i].grants & GRANT_EXECUTE) != 0 ? add_known(out, places_system[i].path) : 0;
	}
	for (size_t i = 0; error == 0 && environment && places_home_tools[i] != NULL; i++) {
		snprintf(tools, sizeof tools, "%s/%s", s->run->homes[0], places_home_tools[i]);
		error = add_known(out, tools);
	}
	if (error == 0 && environment && s->run->env != NULL) {
		error = add_all_known(out, (const char *const *)s->run->env->read_dirs.v);
	}
	if (error == 0 && own->read != NULL) {
		error = add_all_known(out, (const char *const *)own->read->v);
	}
	if (error == 0 && own->tree != NULL) {
		error = strings_add(out, own->tree);
	}
	return error < 0 ? error : add_all_known(out, policy_grants(s->run->policy, role, FILE_READ));
}

static bool below_any(const char *folder, const struct strings *roots)
{
	char real[PATH_MAX];

	if (folder[0] != '/' || !reals_path(folder, real)) {
		return false;
	}
	for (size_t i = 0; i < roots->n; i++) {
		if (pathtext_below(real, roots->v[i])) {
			return true;
		}
	}
	return false;
}

/* Where pip installs programs: /usr/local/bin is below /usr as well. */
static bool is_of_packages(const struct supervisor *s, const char *folder)
{
	char real[PATH_MAX], root[PATH_MAX];
	const struct strings *dirs = &s->run->env->write_dirs;

	for (size_t i = 0; reals_path(folder, real) && i < dirs->n; i++) {
		if (reals_path(dirs->v[i], root) && pathtext_below(real, root)) {
			return true;
		}
	}
	return false;
}

/* Else `which` finds a tool that exec then refuses. */
static int filter_path(const struct supervisor *s, enum role role, const struct own_rights *own, struct environment *e)
{
	const char *path = environment_get(e, "PATH");
	struct strings roots = {0};
	char *out, *copy, *save = NULL;
	int error;

	if (path == NULL) {
		return 0;
	}
	copy = strdup(path);
	out = calloc(1, strlen(path) + 1);
	if (copy == NULL || out == NULL || executable_roots(s, role, own, &roots) < 0) {
		strings_finish(&roots);
		free(copy);
		free(out);
		return -ENOMEM;
	}
	for (char *folder = strtok_r(copy, ":", &save); folder != NULL; folder = strtok_r(NULL, ":", &save)) {
		if (below_any(folder, &roots) && !(role == ROLE_VCS && is_of_packages(s, folder))) {
			if (out[0] != '\0') {
				strcat(out, ":");
			}
			strcat(out, folder);
		}
	}
	error = environment_set(e, "PATH", out);
	strings_finish(&roots);
	free(copy);
	free(out);
	return error;
}

/* What follows HOME by default but is better found where it really is: toolchains, user-installed packages. */
static int keep_place(const struct supervisor *s, struct environment *e, const char *name, const char *folder)
{
	char path[PATH_MAX];

	if (environment_get(e, name) != NULL) {
		return 0;
	}
	snprintf(path, sizeof path, "%s/%s", s->run->homes[0], folder);
	return access(path, F_OK) == 0 ? environment_set(e, name, path) : 0;
}

/* TMP and TEMP only where they were set: an honest program sees no variable more than it must. */
static int private_temp(const struct own_rights *own, struct environment *e)
{
	static const char *const temps[] = {"TMPDIR", "TMP", "TEMP"};
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof temps / sizeof *temps; i++) {
		error = i == 0 || environment_get(e, temps[i]) != NULL ? environment_set(e, temps[i], own->tmp) : 0;
	}
	return error;
}

static int private_home(const struct own_rights *own, struct environment *e)
{
	static const struct { const char *name, *below; } homes[] = {
		{"HOME", ""}, {"XDG_CONFIG_HOME", "/.config"}, {"XDG_CACHE_HOME", "/.cache"}, {"XDG_DATA_HOME", "/.local/share"},
		{"XDG_STATE_HOME", "/.local/state"}, {"CARGO_HOME", "/.cargo"},
	};
	char path[PATH_MAX];
	int error;

	for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
		snprintf(path, sizeof path, "%s%s", own->home, homes[i].below);
		if ((error = environment_set(e, homes[i].name, path)) < 0) {
			return error;
		}
	}
	environment_unset(e, "XDG_RUNTIME_DIR");
	return private_temp(own, e);
}

int rights_preload(const struct supervisor *s, struct environment *e)
{
	const char *given = environment_get(e, "LD_PRELOAD");
	char *both = NULL;
	int error;

	if (given == NULL || given[0] == '\0') {
		return environment_set(e, "LD_PRELOAD", s->shim_path);
	}
	if (strstr(given, s->shim_path) != NULL) {
		return 0;
	}
	if (asprintf(&both, "%s:%s", given, s->shim_path) < 0) {
		return -ENOMEM;
	}
	error = environment_set(e, "LD_PRELOAD", both);
	free(both);
	return error;
}

/* Has git ask at the terminal, by `enter`, where it would do so by itself: where nothing of the user's is to be asked instead. */
static int git_prompts(const struct supervisor *s, struct environment *e)
{
	const char *terminal = environment_get(e, "GIT_TERMINAL_PROMPT");
	bool others = environment_get(e, "GIT_ASKPASS") != NULL || environment_get(e, "SSH_ASKPASS") != NULL || s->run->installer->git_asks;

	if (others || (terminal != NULL && strcmp(terminal, "0") == 0) || !prompt_possible()) {
		return 0;
	}
	return environment_set(e, "GIT_ASKPASS", s->enter_path);
}

/* The same for ssh, whose own way to the terminal comes first. */
static int ssh_prompts(const struct supervisor *s, struct environment *e)
{
	int error;

	if (environment_get(e, "SSH_ASKPASS_REQUIRE") != NULL || !prompt_possible()) {
		return 0;
	}
	error = environment_set(e, "SSH_ASKPASS", s->enter_path);
	return error < 0 ? error : environment_set(e, "SSH_ASKPASS_REQUIRE", "force");
}

/* Its home is the user's: there its configuration is. */
static int tools_environment(const struct supervisor *s, const struct own_rights *own, struct environment *e)
{
	int error;

	if ((error = private_temp(own, e)) < 0 || (error = filter_path(s, ROLE_VCS, own, e)) < 0 || (error = vcs_overrides(own->requirement, e)) < 0 ||
	    (error = own->requirement->tool == VCS_GIT ? git_prompts(s, e) : 0) < 0) {
		return error;
	}
	return rights_preload(s, e);
}

int rights_environment(const struct supervisor *s, enum role role, const struct own_rights *own, struct environment *e)
{
	int error;

	if (s->run->audit) { /* the user's own; but pip's temp, which a build would inherit, is nobody's to write into */
		error = role == ROLE_BUILD ? private_temp(own, e) : 0;
		return error < 0 ? error : rights_preload(s, e);
	}
	if (own->helper != NULL) { /* its home is the user's: there its own places lie, and nothing else can be read */
		error = private_temp(own, e);
		error = error < 0 ? error : filter_path(s, role, own, e);
		error = error < 0 || own->requirement == NULL ? error : ssh_prompts(s, e);
		return error < 0 ? error : rights_preload(s, e);
	}
	if (role == ROLE_VCS) {
		return tools_environment(s, own, e);
	}
	if ((error = keep_place(s, e, "PYTHONUSERBASE", ".local")) < 0 || (error = keep_place(s, e, "RUSTUP_HOME", ".rustup")) < 0 ||
	    (error = private_home(own, e)) < 0 || (error = filter_path(s, role, own, e)) < 0) {
		return error;
	}
	return rights_preload(s, e);
}
