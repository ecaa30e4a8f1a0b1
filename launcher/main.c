/* pipwarden: reads the command line and hands over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "launcher/installer/installer.h"
#include "launcher/sandbox/caps.h"
#include "launcher/version.h"
#include "reports.h"

extern const char policy_schema_text[]; /* docs/schema/policy.schema.json */

static int doctor(const struct options *o)
{
	struct caps caps;

	caps_probe(&caps);
	bool enough = caps_print(&caps, stdout, o->json);
	if (o->audit && !o->json) {
		puts("--audit: nothing of this is enforced; what it would refuse is recorded");
	}
	return enough ? 0 : 125;
}

static int policy_show_command(const struct options *o)
{
	struct policy *p = launch_policy(o, ROLE_INSTALLER);

	if (p == NULL) {
		return 125;
	}
	char *text = policy_show(p);
	if (text == NULL) {
		return launch_error(125, "no memory");
	}
	puts(text);
	free(text);
	policy_free(p);
	return fflush(stdout) == 0 ? 0 : 125;
}

/* Each file by itself on top of the built-in policy; without files the layers that are in force. */
static int policy_check_command(struct options *o, char **files)
{
	int status = 0;

	if (files[0] == NULL) {
		struct policy *p = launch_policy(o, ROLE_INSTALLER);
		status = p == NULL ? 125 : 0;
		policy_free(p);
	}
	for (; *files != NULL; files++) {
		struct options one = *o;
		one.policies = (struct words){.v = {*files}, .n = 1};
		struct policy *p = launch_policy(&one, ROLE_INSTALLER);
		if (p == NULL) {
			status = 125;
		} else {
			printf("%s: right\n", *files);
		}
		policy_free(p);
	}
	return status;
}

static int policy_command(struct options *o)
{
	const char *verb = o->args[0] != NULL ? o->args[0] : "";

	if (strcmp(verb, "show") == 0 && o->args[1] == NULL) {
		return policy_show_command(o);
	}
	if (strcmp(verb, "check") == 0) {
		return policy_check_command(o, o->args + 1);
	}
	if (strcmp(verb, "schema") == 0 && o->args[1] == NULL) {
		fputs(policy_schema_text, stdout);
		return fflush(stdout) == 0 ? 0 : 125;
	}
	if (strcmp(verb, "learn") == 0) {
		return launch_error(125, "'policy %s' comes with a later release", verb);
	}
	return launch_error(125, "policy: say 'policy show', 'policy check [FILE...]' or 'policy schema'");
}

/* text: PIPWARDEN_OPTIONS, which is cut up, or NULL. */
static int run(int argc, char **argv, char *text)
{
	struct options o;
	const char *message = "", *log = getenv("PIPWARDEN_LOG");

	if (options_parse(&o, argc, argv, installer_is_word, &message) < 0 || (text != NULL && options_from_environment(&o, text, &message) < 0)) {
		return launch_error(125, "%s", message);
	}
	if (log != NULL && log[0] != '\0' && o.logs.n < OPTION_LIST_MAX) {
		o.logs.v[o.logs.n++] = log;
		o.logs.v[o.logs.n] = NULL;
	}
	switch (o.command) {
	case COMMAND_HELP:
		fputs(options_usage_text, stdout);
		return fflush(stdout) == 0 ? 0 : 125;
	case COMMAND_VERSION:
		puts("pipwarden " PIPWARDEN_VERSION);
		return fflush(stdout) == 0 ? 0 : 125;
	case COMMAND_DOCTOR:
		return doctor(&o);
	case COMMAND_POLICY:
		return policy_command(&o);
	case COMMAND_REPORT:
		return reports_report(&o);
	case COMMAND_EXPLAIN:
		return reports_explain(&o);
	case COMMAND_PIP:
	case COMMAND_RUN:
		break;
	}
	return launch(&o, argv, environ);
}

int main(int argc, char **argv)
{
	const char *given = getenv("PIPWARDEN_OPTIONS");
	char *text = given != NULL ? strdup(given) : NULL;

	if (given != NULL && text == NULL) {
		return launch_error(125, "no memory");
	}
	int status = run(argc, argv, text);
	free(text);
	return status;
}
