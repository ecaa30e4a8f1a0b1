#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_POLICY = 256, OPT_ALLOW_HOST, OPT_ALLOW_ENV, OPT_ALLOW_READ, OPT_ALLOW_WRITE, OPT_ALLOW_PTH, OPT_FAIL_ON, OPT_AUDIT, OPT_ON_VIOLATION,
	OPT_ALLOW_DEGRADED, OPT_LOG, OPT_LOG_FD, OPT_TIMEOUT, OPT_LIMIT, OPT_COLOR = OPT_LIMIT + LIMIT_COUNT, OPT_VERSION, OPT_HELP,
};

static const struct option long_options[] = {
	{"policy", required_argument, NULL, OPT_POLICY},
	{"allow-host", required_argument, NULL, OPT_ALLOW_HOST},
	{"allow-env", required_argument, NULL, OPT_ALLOW_ENV},
	{"allow-read", required_argument, NULL, OPT_ALLOW_READ},
	{"allow-write", required_argument, NULL, OPT_ALLOW_WRITE},
	{"allow-pth", required_argument, NULL, OPT_ALLOW_PTH},
	{"fail-on", required_argument, NULL, OPT_FAIL_ON},
	{"audit", no_argument, NULL, OPT_AUDIT},
	{"on-violation", required_argument, NULL, OPT_ON_VIOLATION},
	{"allow-degraded", no_argument, NULL, OPT_ALLOW_DEGRADED},
	{"log", required_argument, NULL, OPT_LOG},
	{"log-fd", required_argument, NULL, OPT_LOG_FD},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"limit-processes", required_argument, NULL, OPT_LIMIT + LIMIT_PROCESSES},
	{"limit-open-files", required_argument, NULL, OPT_LIMIT + LIMIT_OPEN_FILES},
	{"limit-file-size", required_argument, NULL, OPT_LIMIT + LIMIT_FILE_SIZE},
	{"limit-time", required_argument, NULL, OPT_LIMIT + LIMIT_TIME},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"color", required_argument, NULL, OPT_COLOR},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

static int wrong(const char **message, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(const char **message, const char *format, ...)
{
	static char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	*message = text;
	return -1;
}

static int add(struct words *list, const char *word, const char **message)
{
	if (list->n == OPTION_LIST_MAX) {
		return wrong(message, "an option is given more than %d times", OPTION_LIST_MAX);
	}
	list->v[list->n++] = word;
	list->v[list->n] = NULL;
	return 0;
}

static bool number(const char *text, long min, long max, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max;
}

static int set_violation(struct options *o, const char *word, const char **message)
{
	if (strcmp(word, "deny") == 0) {
		o->on_violation = ACTION_DENY;
	} else if (strcmp(word, "abort") == 0) {
		o->on_violation = ACTION_ABORT;
	} else if (strcmp(word, "policy") == 0) {
		o->on_violation = ACTION_ALLOW;
	} else {
		return wrong(message, "--on-violation takes deny, abort or policy, not '%.40s'", word);
	}
	o->tightened = true;
	return 0;
}

static int set_colour(struct options *o, const char *word, const char **message)
{
	static const char *const names[] = {[COLOUR_AUTO] = "auto", [COLOUR_ALWAYS] = "always", [COLOUR_NEVER] = "never"};

	for (int i = COLOUR_AUTO; i <= COLOUR_NEVER; i++) {
		if (strcmp(word, names[i]) == 0) {
			o->colour = i;
			return 0;
		}
	}
	return wrong(message, "--color takes auto, always or never, not '%.40s'", word);
}

/* 0: no limit.  A build needs a handful of each, and below that nothing starts. */
static int set_limit(struct options *o, enum limit l, const char *value, const char **message)
{
	static const long least[] = {[LIMIT_PROCESSES] = 16, [LIMIT_OPEN_FILES] = 64, [LIMIT_FILE_SIZE] = 4096, [LIMIT_TIME] = 1};
	long n;

	if (!number(value, 0, LONG_MAX, &n) || (n != 0 && n < least[l])) {
		return wrong(message, "--limit-%s takes a number from %ld on, or 0 for no limit, not '%.40s'", limit_name(l), least[l], value);
	}
	o->limits[l].given = true;
	o->limits[l].value = (uint64_t)n;
	return 0;
}

static int take(struct options *o, int option, const char *value, const char **message)
{
	long n;

	if (option >= OPT_LIMIT && option < OPT_COLOR) {
		o->tightened = true;
		return set_limit(o, (enum limit)(option - OPT_LIMIT), value, message);
	}
	switch (option) {
	case OPT_POLICY:
		o->tightened = true;
		return add(&o->policies, value, message);
	case OPT_ALLOW_HOST:
		return add(&o->allow_host, value, message);
	case OPT_ALLOW_ENV:
		return add(&o->allow_env, value, message);
	case OPT_ALLOW_READ:
		return add(&o->allow_read, value, message);
	case OPT_ALLOW_WRITE:
		return add(&o->allow_write, value, message);
	case OPT_ALLOW_PTH:
		return add(&o->allow_pth, value, message);
	case OPT_LOG:
		return add(&o->logs, value, message);
	case OPT_FAIL_ON:
		o->tightened = o->fail_on_given = true;
		return severity_parse(value, &o->fail_on) ? 0 : wrong(message, "--fail-on takes info, low, medium, high or critical, not '%.40s'", value);
	case OPT_AUDIT:
		o->audit = true;
		return 0;
	case OPT_ON_VIOLATION:
		return set_violation(o, value, message);
	case OPT_ALLOW_DEGRADED:
		o->allow_degraded = true;
		return 0;
	case OPT_LOG_FD:
		if (!number(value, 0, 65535, &n)) {
			return wrong(message, "--log-fd takes a descriptor's number, not '%.40s'", value);
		}
		o->log_fd = (int)n;
		return 0;
	case OPT_TIMEOUT:
		if (!number(value, 1, 31536000, &n)) {
			return wrong(message, "--timeout takes seconds, from 1 on, not '%.40s'", value);
		}
		o->timeout = (unsigned)n;
		return 0;
	case OPT_COLOR:
		return set_colour(o, value, message);
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbosity++;
		return 0;
	}
	return wrong(message, "unknown option");
}

static int set_format(struct options *o, const char *word, const char **message)
{
	static const char *const names[] = {[REPORT_TEXT] = "text", [REPORT_JSON] = "json", [REPORT_SARIF] = "sarif"};

	for (int i = REPORT_TEXT; i <= REPORT_SARIF; i++) {
		if (strcmp(word, names[i]) == 0) {
			o->format = (enum report_format)i;
			return 0;
		}
	}
	return wrong(message, "report: --format takes text, json or sarif, not '%.40s'", word);
}

static int take_report(struct options *o, int option, const char **message)
{
	if (option == 'f') {
		return set_format(o, optarg, message);
	}
	o->output = optarg;
	return 0;
}

/* [RUN] and, of explain, [SEQ]: a number alone is one. */
static int take_run(struct options *o, char **words, const char **message)
{
	const char *command = o->command == COMMAND_REPORT ? "report" : "explain", *last = NULL;
	size_t n = 0;
	long event = 0;

	while (words[n] != NULL) {
		last = words[n++];
	}
	if (n > 0 && o->command == COMMAND_EXPLAIN && strlen(last) < 10 && number(last, 1, LONG_MAX, &event)) {
		o->event = (uint64_t)event;
		n--;
	}
	if (n > 1) {
		return wrong(message, "%s takes one run%s, and '%.60s' is one more word", command, o->command == COMMAND_EXPLAIN ? " and the number of an event" : "", last);
	}
	o->run = n == 1 ? words[0] : NULL;
	return 0;
}

/* report [RUN] [--format F] [-o FILE], explain [RUN] [SEQ]: options and words in any order. */
static int parse_report(struct options *o, const char **message)
{
	static const struct option report_options[] = {{"format", required_argument, NULL, 'f'}, {"output", required_argument, NULL, 'o'}, {0}};
	static const struct option no_options[] = {{0}};
	bool report = o->command == COMMAND_REPORT;
	int count = 0, option;

	while (o->args[count] != NULL) {
		count++;
	}
	optind = 0; /* anew */
	while ((option = getopt_long(count, o->args, report ? ":o:" : ":", report ? report_options : no_options, NULL)) != -1) {
		if (option == '?' || option == ':') {
			const char *word = o->args[optind - 1];
			return option == ':' ? wrong(message, "%s: the option '%.60s' needs a value", o->args[0], word) : wrong(message, "%s: unknown option '%.60s'", o->args[0], word);
		}
		if (take_report(o, option, message) < 0) {
			return -1;
		}
	}
	o->args += optind;
	return take_run(o, o->args, message);
}

static int choose_command(struct options *o, bool (*is_pip)(const char *word), const char **message)
{
	static const char *const later[] = {"detonate", "init"};
	const char *word = o->args[0];

	if (word == NULL) {
		return wrong(message, "no command: say 'pip ARGS...' or 'run COMMAND', or see --help");
	}
	if (strcmp(word, "run") == 0) {
		o->command = COMMAND_RUN;
		o->args += o->args[1] != NULL && strcmp(o->args[1], "--") == 0 ? 2 : 1;
		return o->args[0] != NULL ? 0 : wrong(message, "run: no command given");
	}
	if (strcmp(word, "doctor") == 0) {
		o->command = COMMAND_DOCTOR;
		o->args++;
		if (o->args[0] != NULL && strcmp(o->args[0], "--json") == 0) {
			o->json = true;
			o->args++;
		}
		return o->args[0] == NULL ? 0 : wrong(message, "doctor takes --json and nothing else, not '%.40s'", o->args[0]);
	}
	if (strcmp(word, "policy") == 0) {
		o->command = COMMAND_POLICY;
		o->args++;
		return 0;
	}
	if (strcmp(word, "report") == 0 || strcmp(word, "explain") == 0) {
		o->command = word[0] == 'r' ? COMMAND_REPORT : COMMAND_EXPLAIN;
		return parse_report(o, message);
	}
	for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
		if (strcmp(word, later[i]) == 0) {
			return wrong(message, "'%s' comes with a later release", word);
		}
	}
	if (is_pip(word)) {
		o->command = COMMAND_PIP;
		return 0;
	}
	return wrong(message, "'%.60s' is no command of pipwarden and starts no pip; for other programs say 'pipwarden run %.60s'", word, word);
}

int options_parse(struct options *o, int argc, char **argv, bool (*is_pip)(const char *word), const char **message)
{
	int option;

	*o = (struct options){.log_fd = -1, .fail_on = SEV_HIGH, .on_violation = ACTION_ALLOW};
	opterr = 0;
	optind = 1;
	/* '+': options end at the command; what follows is the command's. */
	while ((option = getopt_long(argc, argv, "+:qv", long_options, NULL)) != -1) {
		if (option == OPT_HELP || option == OPT_VERSION) {
			o->command = option == OPT_HELP ? COMMAND_HELP : COMMAND_VERSION;
			return 0;
		}
		if (option == '?' || option == ':') {
			const char *word = argv[optind - 1];
			return option == ':' ? wrong(message, "the option '%.60s' needs a value", word) : wrong(message, "unknown option '%.60s'; see --help", word);
		}
		if (take(o, option, optarg, message) < 0) {
			return -1;
		}
	}
	if (o->audit && o->on_violation != ACTION_ALLOW) {
		return wrong(message, "--audit enforces nothing: it does not go with --on-violation %s", policy_action_name(o->on_violation));
	}
	o->args = argv + optind;
	return choose_command(o, is_pip, message);
}

/* An environment can be set by a directory's own hooks: it may make things stricter, or say more, nothing else. */
static bool tightens(int option)
{
	return option == OPT_ON_VIOLATION || option == OPT_FAIL_ON || option == OPT_TIMEOUT || option == OPT_LOG || option == 'v';
}

int options_from_environment(struct options *o, char *text, const char **message)
{
	static char name[] = "PIPWARDEN_OPTIONS"; /* in the place of argv[0] */
	char *words[OPTION_LIST_MAX + 2] = {name}, *save = NULL;
	struct options given = *o;
	int count = 1, option;

	for (char *word = strtok_r(text, " \t\n", &save); word != NULL; word = strtok_r(NULL, " \t\n", &save)) {
		if (count > OPTION_LIST_MAX) {
			return wrong(message, "PIPWARDEN_OPTIONS: too many words");
		}
		words[count++] = word;
	}
	optind = 0; /* anew */
	opterr = 0;
	while ((option = getopt_long(count, words, "+:qv", long_options, NULL)) != -1) {
		if (!tightens(option)) {
			return wrong(message, "PIPWARDEN_OPTIONS: '%.60s' is refused: the environment may only tighten (--on-violation, --fail-on, --timeout, --log, -v)",
			             words[optind - 1]);
		}
		if (take(&given, option, optarg, message) < 0) {
			return -1;
		}
	}
	if (optind < count) {
		return wrong(message, "PIPWARDEN_OPTIONS: '%.60s' is no option", words[optind]);
	}
	if (given.audit && given.on_violation != ACTION_ALLOW) {
		return wrong(message, "PIPWARDEN_OPTIONS: --on-violation does not go with --audit, which enforces nothing");
	}
	if (given.fail_on > o->fail_on || (o->on_violation == ACTION_ABORT && given.on_violation != ACTION_ABORT) ||
	    given.on_violation == ACTION_DENY || (o->timeout != 0 && given.timeout > o->timeout)) {
		return wrong(message, "PIPWARDEN_OPTIONS: the environment may only tighten");
	}
	*o = given;
	return 0;
}

/* getopt takes beginnings of names as well. */
static bool takes_value(const char *word)
{
	size_t len = strcspn(word, "=");

	for (const struct option *o = long_options; o->name != NULL && word[len] == '\0'; o++) {
		if (strncmp(o->name, word + 2, len - 2) == 0) {
			return o->has_arg == required_argument;
		}
	}
	return false;
}

size_t options_command_at(const char *const *argv)
{
	size_t at = argv[0] != NULL;

	while (argv[at] != NULL && argv[at][0] == '-' && argv[at][1] != '\0') {
		bool end = strcmp(argv[at], "--") == 0, value = strncmp(argv[at], "--", 2) == 0 && !end && takes_value(argv[at]);
		at += value && argv[at + 1] != NULL ? 2 : 1;
		if (end) {
			break;
		}
	}
	return at;
}
