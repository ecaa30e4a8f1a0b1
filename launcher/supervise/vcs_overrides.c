/* The environment of a VCS tool: its own configuration counts, what a repository or a package could have brought does not.  It is the second of two walls: a
 * checkout that was there before is looked at (vcs_distrust.c), and one that is made now has nothing in it that its tool did not put there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vcs.h"

/* Configuration by the environment beats every file; what the user has there stays. */
static const char *const git_settings[][2] = {
	{"core.hooksPath", "/dev/null"},        /* no hook, not from a template either */
	{"core.fsmonitor", "false"},            /* a program that is asked for what has changed */
	{"protocol.ext.allow", "never"},        /* ext::COMMAND */
	{"protocol.fd.allow", "never"},
	{"safe.bareRepository", "explicit"},    /* a folder of the repository's that looks like one itself */
};

static int set_setting(struct environment *e, unsigned long at, const char *key, const char *value)
{
	char name[40];
	int error;

	snprintf(name, sizeof name, "GIT_CONFIG_KEY_%lu", at);
	error = environment_set(e, name, key);
	snprintf(name, sizeof name, "GIT_CONFIG_VALUE_%lu", at);
	return error < 0 ? error : environment_set(e, name, value);
}

static int set_settings(struct environment *e)
{
	const char *given = environment_get(e, "GIT_CONFIG_COUNT");
	unsigned long count = given != NULL ? strtoul(given, NULL, 10) : 0;
	char text[24];
	int error = 0;

	if (count > 1000) {
		return -EINVAL;
	}
	for (size_t i = 0; error == 0 && i < sizeof git_settings / sizeof *git_settings; i++) {
		error = set_setting(e, count++, git_settings[i][0], git_settings[i][1]);
	}
	snprintf(text, sizeof text, "%lu", count);
	return error < 0 ? error : environment_set(e, "GIT_CONFIG_COUNT", text);
}

static bool lists(const char *colon_list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = colon_list; *at != '\0'; at += strcspn(at, ":"), at += *at == ':') {
		if (strcspn(at, ":") == len && strncmp(at, word, len) == 0) {
			return true;
		}
	}
	return false;
}

/* Unlike the settings this one reaches submodules.  Of a repository of this machine's git's own rule holds, which lets no submodule read other folders. */
static int allow_protocols(const struct vcs_requirement *requirement, struct environment *e)
{
	static const char *const protocols[] = {"https", "http", "ssh", "git"};
	const char *given = environment_get(e, "GIT_ALLOW_PROTOCOL");
	char text[32] = "";

	if (requirement->host == NULL) {
		return 0;
	}
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		if (given == NULL || lists(given, protocols[i])) {
			strcat(text, text[0] != '\0' ? ":" : "");
			strcat(text, protocols[i]);
		}
	}
	return environment_set(e, "GIT_ALLOW_PROTOCOL", text);
}

int vcs_overrides(const struct vcs_requirement *requirement, struct environment *e)
{
	/* Mercurial and Breezy are programs of Python: what pip has installed for the user is a package's code.  Agents and proxies are out of reach: behind a proxy
	 * nobody could say which host is meant. */
	static const char *const gone[] = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONINSPECT", "SSH_AUTH_SOCK", "http_proxy", "https_proxy",
	                                   "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"};
	int error;

	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		environment_unset(e, gone[i]);
	}
	if ((error = environment_set(e, "PYTHONNOUSERSITE", "1")) < 0) {
		return error;
	}
	if (requirement->tool == VCS_BZR && environment_get(e, "BRZ_LOG") == NULL) {
		return environment_set(e, "BRZ_LOG", "/dev/null"); /* else in the home, which it says that it cannot */
	}
	if (requirement->tool != VCS_GIT) {
		return 0;
	}
	error = set_settings(e);
	return error < 0 ? error : allow_protocols(requirement, e);
}
