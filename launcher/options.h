/* The command line.  Values only: nothing is opened or changed here. */
#ifndef LAUNCHER_OPTIONS_H
#define LAUNCHER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

enum command { COMMAND_PIP, COMMAND_RUN, COMMAND_DOCTOR, COMMAND_POLICY, COMMAND_REPORT, COMMAND_EXPLAIN, COMMAND_HELP, COMMAND_VERSION };

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_SARIF };

#define OPTION_LIST_MAX 64

/* A list of words of the command line; borrowed. */
struct words {
	const char *v[OPTION_LIST_MAX + 1]; /* NULL-terminated */
	size_t n;
};

struct options {
	enum command command;
	char **args; /* what follows: the pip words, the guest's argv, doctor's and policy's arguments */
	struct words policies, logs, allow_host, allow_env, allow_read, allow_write, allow_pth;
	int log_fd; /* -1: none */
	enum severity fail_on;
	enum policy_action on_violation; /* ACTION_ALLOW: each rule's own */
	bool fail_on_given;
	bool audit;     /* enforce nothing, record everything */
	bool allow_degraded, quiet, json;
	int verbosity;
	enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
	unsigned timeout;
	const char *run, *output; /* report, explain: an id, a path, NULL: the latest; a file, NULL: standard output */
	enum report_format format;
	uint64_t event;           /* explain: a line's number; 0: all */
	struct { bool given; uint64_t value; } limits[LIMIT_COUNT]; /* --limit-NAME */
	bool tightened; /* something was asked for that an outer pipwarden may not have in force */
};

/* 0, or -1 with *message (static buffer) saying what is wrong.  is_pip: does a word start pip? */
int options_parse(struct options *o, int argc, char **argv, bool (*is_pip)(const char *word), const char **message);

/* PIPWARDEN_OPTIONS: the same options separated by white space, those that tighten only.  text is cut up. */
int options_from_environment(struct options *o, char *text, const char **message);

/* Where the command begins in a command line of pipwarden's, of whatever version: at most the number of words. */
size_t options_command_at(const char *const *argv);

extern const char options_usage_text[]; /* usage.txt */

#endif
