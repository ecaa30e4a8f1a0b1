/* pip's options, and optparse's rules for them: abbreviations, clusters of letters, `--`.  The table is the union of pip 22.3 to 26.3. */
#include <string.h>

#include "launcher/installer/parts.h"

enum {
	ALL = ~CMD_FILE,
	PACKAGES = CMD_INSTALL | CMD_DOWNLOAD | CMD_WHEEL | CMD_LOCK,
	FINDING = PACKAGES | CMD_LIST | CMD_INDEX,
	SOURCES = CMD_INSTALL | CMD_WHEEL | CMD_LOCK,
	FILES = CMD_FILE,
};

#define FLAG(name, letter, id, commands) { name, letter, false, false, id, commands }
#define VALUE(name, letter, id, commands) { name, letter, true, false, id, commands }
#define MANY(name, letter, id, commands) { name, letter, true, true, id, commands }

static const struct option_def table[] = {
	MANY("abi", 0, OPT_OTHER, CMD_INSTALL | CMD_DOWNLOAD | CMD_INDEX | CMD_REST),
	VALUE("algorithm", 'a', OPT_OTHER, CMD_REST),
	FLAG("all", 0, OPT_OTHER, CMD_FREEZE),
	VALUE("all-releases", 0, OPT_OTHER, FINDING | FILES),
	FLAG("break-system-packages", 0, OPT_OTHER, CMD_INSTALL | CMD_UNINSTALL),
	MANY("build-constraint", 0, OPT_CONSTRAINT, PACKAGES),
	MANY("build-option", 0, OPT_OTHER, CMD_WHEEL),
	VALUE("cache-dir", 0, OPT_CACHE_DIR, ALL),
	VALUE("cert", 0, OPT_OTHER, ALL),
	FLAG("check-build-dependencies", 0, OPT_OTHER, PACKAGES),
	VALUE("client-cert", 0, OPT_OTHER, ALL),
	FLAG("compile", 0, OPT_OTHER, CMD_INSTALL),
	VALUE("config-settings", 'C', OPT_OTHER, SOURCES | FILES),
	MANY("constraint", 'c', OPT_CONSTRAINT, PACKAGES | FILES),
	FLAG("debug", 0, OPT_OTHER, ALL),
	VALUE("default-timeout", 0, OPT_OTHER, ALL),
	VALUE("dest", 'd', OPT_DEST, CMD_DOWNLOAD),
	VALUE("destination-dir", 'd', OPT_DEST, CMD_DOWNLOAD),
	VALUE("destination-directory", 'd', OPT_DEST, CMD_DOWNLOAD),
	FLAG("disable-pip-version-check", 0, OPT_NO_VERSION_CHECK, ALL),
	FLAG("dry-run", 0, OPT_OTHER, CMD_INSTALL),
	MANY("editable", 'e', OPT_EDITABLE, SOURCES | CMD_DOWNLOAD | FILES),
	FLAG("editable", 'e', OPT_OTHER, CMD_LIST),
	VALUE("editor", 0, OPT_OTHER, CMD_CONFIG),
	MANY("exclude", 0, OPT_OTHER, CMD_FREEZE | CMD_LIST),
	FLAG("exclude-editable", 0, OPT_OTHER, CMD_FREEZE | CMD_LIST),
	MANY("exists-action", 0, OPT_OTHER, ALL),
	MANY("extra-index-url", 0, OPT_EXTRA_INDEX_URL, FINDING | FILES),
	FLAG("files", 'f', OPT_OTHER, CMD_SHOW),
	MANY("find-links", 'f', OPT_FIND_LINKS, FINDING | FILES),
	FLAG("force-reinstall", 0, OPT_OTHER, CMD_INSTALL),
	VALUE("format", 0, OPT_OTHER, CMD_CACHE | CMD_LIST),
	FLAG("global", 0, OPT_GLOBAL, CMD_CONFIG),
	MANY("global-option", 0, OPT_OTHER, PACKAGES | FILES),
	VALUE("group", 0, OPT_OTHER, PACKAGES),
	VALUE("hash", 0, OPT_OTHER, FILES),
	FLAG("help", 'h', OPT_OTHER, ALL),
	FLAG("ignore-installed", 'I', OPT_OTHER, CMD_INSTALL),
	FLAG("ignore-requires-python", 0, OPT_OTHER, PACKAGES | CMD_INDEX),
	VALUE("implementation", 0, OPT_OTHER, CMD_INSTALL | CMD_DOWNLOAD | CMD_INDEX | CMD_REST),
	FLAG("include-editable", 0, OPT_OTHER, CMD_LIST),
	VALUE("index", 'i', OPT_INDEX_URL, CMD_SEARCH),
	VALUE("index-url", 'i', OPT_INDEX_URL, FINDING | FILES),
	MANY("install-option", 0, OPT_OTHER, CMD_INSTALL | FILES),
	FLAG("isolated", 0, OPT_OTHER, ALL),
	FLAG("json", 0, OPT_OTHER, CMD_INDEX),
	VALUE("keyring-provider", 0, OPT_KEYRING, ALL),
	FLAG("local", 'l', OPT_OTHER, CMD_FREEZE | CMD_LIST | CMD_REST),
	VALUE("local-log", 0, OPT_LOG, ALL),
	VALUE("log", 0, OPT_LOG, ALL),
	VALUE("log-file", 0, OPT_LOG, ALL),
	MANY("no-binary", 0, OPT_NO_BINARY, FINDING | FILES),
	FLAG("no-build-isolation", 0, OPT_OTHER, PACKAGES),
	FLAG("no-cache-dir", 0, OPT_NO_CACHE_DIR, ALL),
	FLAG("no-clean", 0, OPT_OTHER, PACKAGES),
	FLAG("no-color", 0, OPT_OTHER, ALL),
	FLAG("no-compile", 0, OPT_OTHER, CMD_INSTALL),
	FLAG("no-dependencies", 0, OPT_OTHER, PACKAGES),
	FLAG("no-deps", 0, OPT_OTHER, PACKAGES),
	FLAG("no-index", 0, OPT_NO_INDEX, FINDING | FILES),
	FLAG("no-input", 0, OPT_OTHER, ALL),
	FLAG("no-proxy-env", 0, OPT_NO_PROXY_ENV, ALL),
	FLAG("no-python-version-warning", 0, OPT_OTHER, ALL),
	FLAG("no-require-hashes", 0, OPT_OTHER, PACKAGES),
	FLAG("no-use-pep517", 0, OPT_NO_PEP517, PACKAGES),
	FLAG("no-user", 0, OPT_NO_USER, CMD_INSTALL),
	FLAG("no-verify", 0, OPT_OTHER, CMD_WHEEL),
	FLAG("no-warn-conflicts", 0, OPT_OTHER, CMD_INSTALL),
	FLAG("no-warn-script-location", 0, OPT_OTHER, CMD_INSTALL),
	FLAG("not-required", 0, OPT_OTHER, CMD_LIST),
	MANY("only-binary", 0, OPT_OTHER, FINDING | FILES),
	FLAG("only-dependencies", 0, OPT_OTHER, PACKAGES),
	FLAG("only-deps", 0, OPT_OTHER, PACKAGES),
	VALUE("only-final", 0, OPT_OTHER, FINDING | FILES),
	FLAG("outdated", 'o', OPT_OUTDATED, CMD_LIST),
	VALUE("output", 'o', OPT_OUTPUT, CMD_LOCK),
	MANY("path", 0, OPT_OTHER, CMD_FREEZE | CMD_LIST | CMD_REST),
	MANY("platform", 0, OPT_OTHER, CMD_INSTALL | CMD_DOWNLOAD | CMD_INDEX | CMD_REST),
	FLAG("pre", 0, OPT_OTHER, FINDING | FILES),
	FLAG("prefer-binary", 0, OPT_OTHER, FINDING | FILES),
	VALUE("prefix", 0, OPT_PREFIX, CMD_INSTALL),
	VALUE("progress-bar", 0, OPT_OTHER, PACKAGES),
	VALUE("proxy", 0, OPT_PROXY, ALL),
	VALUE("pypi-url", 'i', OPT_INDEX_URL, FINDING | FILES),
	VALUE("python", 0, OPT_PYTHON, ALL),
	VALUE("python-version", 0, OPT_OTHER, CMD_INSTALL | CMD_DOWNLOAD | CMD_INDEX | CMD_REST),
	FLAG("quiet", 'q', OPT_OTHER, ALL),
	VALUE("refresh-package", 0, OPT_OTHER, FINDING),
	VALUE("report", 0, OPT_REPORT, CMD_INSTALL),
	FLAG("require-hashes", 0, OPT_OTHER, PACKAGES | FILES),
	FLAG("require-venv", 0, OPT_OTHER, ALL),
	FLAG("require-virtualenv", 0, OPT_OTHER, ALL),
	MANY("requirement", 'r', OPT_REQUIREMENT, PACKAGES | CMD_UNINSTALL | FILES),
	MANY("requirement", 'r', OPT_OTHER, CMD_FREEZE), /* read for its order only */
	MANY("requirements-from-script", 0, OPT_SCRIPT_REQUIREMENTS, PACKAGES),
	VALUE("resume-retries", 0, OPT_OTHER, ALL),
	VALUE("retries", 0, OPT_OTHER, ALL),
	VALUE("root", 0, OPT_ROOT, CMD_INSTALL),
	VALUE("root-user-action", 0, OPT_OTHER, CMD_INSTALL | CMD_UNINSTALL),
	FLAG("site", 0, OPT_SITE, CMD_CONFIG),
	VALUE("source", 0, OPT_SRC, PACKAGES),
	VALUE("source-dir", 0, OPT_SRC, PACKAGES),
	VALUE("source-directory", 0, OPT_SRC, PACKAGES),
	VALUE("src", 0, OPT_SRC, PACKAGES),
	VALUE("target", 't', OPT_TARGET, CMD_INSTALL),
	VALUE("timeout", 0, OPT_OTHER, ALL),
	MANY("trusted-host", 0, OPT_OTHER, ALL | FILES),
	FLAG("upgrade", 'U', OPT_OTHER, CMD_INSTALL),
	VALUE("upgrade-strategy", 0, OPT_OTHER, CMD_INSTALL),
	VALUE("uploaded-prior-to", 0, OPT_OTHER, FINDING),
	FLAG("uptodate", 'u', OPT_OUTDATED, CMD_LIST),
	MANY("use-deprecated", 0, OPT_OTHER, ALL),
	MANY("use-feature", 0, OPT_USE_FEATURE, ALL | FILES),
	FLAG("use-pep517", 0, OPT_OTHER, PACKAGES),
	FLAG("user", 0, OPT_USER, CMD_CONFIG | CMD_FREEZE | CMD_INSTALL | CMD_LIST | CMD_REST),
	FLAG("verbose", 'v', OPT_OTHER, ALL),
	FLAG("version", 'V', OPT_OTHER, CMD_MAIN),
	VALUE("wheel-dir", 'w', OPT_WHEEL_DIR, CMD_WHEEL),
	FLAG("yes", 'y', OPT_OTHER, CMD_UNINSTALL),
};
#define TABLE_END (table + sizeof(table) / sizeof(*table))

unsigned pip_command_bit(const char *command)
{
	static const struct {
		const char *name;
		unsigned bit;
	} commands[] = {
		{ "install", CMD_INSTALL }, { "download", CMD_DOWNLOAD }, { "wheel", CMD_WHEEL },         { "lock", CMD_LOCK },
		{ "list", CMD_LIST },       { "freeze", CMD_FREEZE },     { "uninstall", CMD_UNINSTALL }, { "index", CMD_INDEX },
		{ "config", CMD_CONFIG },   { "cache", CMD_CACHE },       { "show", CMD_SHOW },           { "search", CMD_SEARCH },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(command, commands[i].name)) {
			return commands[i].bit;
		}
	}
	return CMD_REST;
}

const struct option_def *pip_option_by_name(const char *name, unsigned commands)
{
	for (const struct option_def *d = table; d < TABLE_END; d++) {
		if ((d->commands & commands) && !strcmp(d->name, name)) {
			return d;
		}
	}
	return NULL;
}

static const struct option_def *by_letter(char letter, unsigned commands)
{
	for (const struct option_def *d = table; d < TABLE_END; d++) {
		if ((d->commands & commands) && d->letter == letter) {
			return d;
		}
	}
	return NULL;
}

/* Exact, or the only one that begins so.  *several: more than one does. */
static const struct option_def *by_abbreviation(const char *name, unsigned commands, bool *several)
{
	const struct option_def *found = pip_option_by_name(name, commands);

	*several = false;
	if (found) {
		return found;
	}
	for (const struct option_def *d = table; d < TABLE_END; d++) {
		if ((d->commands & commands) && inst_starts(d->name, name)) {
			*several = found != NULL;
			if (*several) {
				return NULL;
			}
			found = d;
		}
	}
	return found;
}

static bool take_long(char *const words[], size_t n, size_t *i, unsigned commands, const struct option_sink *sink)
{
	const char *word = words[*i] + 2, *equals = strchr(word, '=');
	cleanup_text char *name = inst_dup_n(word, equals ? (size_t)(equals - word) : strlen(word));
	const struct option_def *def;
	bool several;

	def = by_abbreviation(name, commands, &several);
	if (!def) {
		return !several;
	}
	if (!def->value) {
		sink->option(sink->ctx, def, NULL);
	} else if (equals) {
		sink->option(sink->ctx, def, equals + 1);
	} else if (*i + 1 < n) {
		sink->option(sink->ctx, def, words[++*i]);
	}
	return true;
}

static void take_letters(char *const words[], size_t n, size_t *i, unsigned commands, const struct option_sink *sink)
{
	for (const char *c = words[*i] + 1; *c; c++) {
		const struct option_def *def = by_letter(*c, commands);

		if (!def) {
			continue;
		}
		if (!def->value) {
			sink->option(sink->ctx, def, NULL);
			continue;
		}
		if (c[1]) {
			sink->option(sink->ctx, def, c + 1);
		} else if (*i + 1 < n) {
			sink->option(sink->ctx, def, words[++*i]);
		}
		return;
	}
}

int pip_options_parse(char *const words[], size_t n, unsigned commands, const struct option_sink *sink, const char **ambiguous)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const char *word = words[i];

		if (!strcmp(word, "--")) {
			i++;
			break;
		}
		if (word[0] == '-' && word[1] == '-') {
			if (!take_long(words, n, &i, commands, sink)) {
				*ambiguous = word;
				return -1;
			}
		} else if (word[0] == '-' && word[1]) {
			take_letters(words, n, &i, commands, sink);
		} else if (sink->positional) {
			sink->positional(sink->ctx, word);
		} else {
			return (int)i;
		}
	}
	for (; i < n && sink->positional; i++) {
		sink->positional(sink->ctx, words[i]);
	}
	return (int)i;
}
