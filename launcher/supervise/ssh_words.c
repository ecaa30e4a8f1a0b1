#include "ssh_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COMMAND_MAX 8192

/* --- options --------------------------------------------------------------------------------------------- */

/* Those that carry nothing, and change nothing of whom is spoken to.  -G: prints the configuration, and git looks by it whether this is OpenSSH. */
static const char plain_letters[] = "46aCGnqTvx";
static const char with_value[] = "BbcDEeFIiJLlmOopQRSWw"; /* ssh's letters that take one */

/* What git, Mercurial, Subversion and Breezy give by -o. */
static bool is_plain_setting(const char *setting)
{
	static const char *const settings[] = {"SendEnv=GIT_PROTOCOL", "SendEnv GIT_PROTOCOL", "ForwardX11=no", "ForwardAgent=no", "ClearAllForwardings=yes",
	                                       "NoHostAuthenticationForLocalhost=yes", "BatchMode=yes", "ControlMaster=no"};

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		if (strcasecmp(setting, settings[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* A user or a host: the user's configuration may have a shell read it (ProxyCommand with %h and %r). */
static bool is_name(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+@:[]=~";

	return text[0] != '\0' && text[0] != '-' && strspn(text, letters) == strlen(text);
}

/* 0: it is none. */
static unsigned port_of(const char *text)
{
	size_t len = strlen(text);
	unsigned long port = len > 0 && len <= 5 && strspn(text, "0123456789") == len ? strtoul(text, NULL, 10) : 0;

	return port <= 65535 ? (unsigned)port : 0;
}

/* Of two, one ssh takes the first and another the last. */
static bool take_port(const char *text, struct ssh_target *to)
{
	unsigned before = to->port;

	to->port = port_of(text);
	return to->port != 0 && (before == 0 || before == to->port);
}

static bool is_value(char option, const char *value)
{
	switch (option) {
	case 'p':
		return true; /* take_port() has looked */
	case 'l':
		return is_name(value);
	case 'o':
		return is_plain_setting(value);
	default:
		return false;
	}
}

/* The option at argv[*at], with its value, of the user's command or one of the tools'.  *at goes behind it. */
static bool take_option(char *const *argv, size_t *at, const struct strings *users, struct ssh_target *to)
{
	const char *word = argv[*at];
	bool apart = word[1] != '\0' && word[2] == '\0' && strchr(with_value, word[1]) != NULL;
	const char *value = apart ? argv[*at + 1] : word[1] != '\0' ? word + 2 : "";

	*at += 1 + (apart && value != NULL);
	if (word[1] == 'p' && (value == NULL || !take_port(value, to))) {
		return false;
	}
	if (strings_has(users, word) && (!apart || (value != NULL && strings_has(users, value)))) {
		return true;
	}
	if (value != NULL && strchr("plo", word[1]) != NULL && word[1] != '\0') {
		return is_value(word[1], value);
	}
	return word[1] != '\0' && strspn(word + 1, plain_letters) == strlen(word + 1);
}

/* --- the command ------------------------------------------------------------------------------------------ */

/* Behind one word that a shell at the other end takes as one, whatever is in it: 'a'\''b', or letters that mean nothing to it.  NULL: it is none. */
static const char *skip_word(const char *text)
{
	static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%_+=:,./~-";
	size_t len = strspn(text, harmless);

	if (text[0] != '\'') {
		return len > 0 && text[0] != '-' ? text + len : NULL;
	}
	for (;;) {
		const char *end = strchr(text + 1, '\'');
		if (end == NULL) {
			return NULL;
		}
		if ((strncmp(end, "'\\''", 4) != 0 && strncmp(end, "'\\!'", 4) != 0)) {
			return end + 1;
		}
		text = end + 3;
	}
}

/* `before WORD after`, and nothing more. */
static bool has_form(const char *command, const char *before, const char *after)
{
	size_t len = strlen(before);
	const char *rest = strncmp(command, before, len) == 0 ? skip_word(command + len) : NULL;

	return rest != NULL && strcmp(rest, after) == 0 && command[len + (command[len] == '\'')] != '-'; /* an option of the command's */
}

static bool is_fetch(enum vcs_tool tool, const char *command, bool subsystem)
{
	switch (tool) {
	case VCS_GIT:
		return !subsystem && has_form(command, "git-upload-pack ", "");
	case VCS_HG:
		return !subsystem && has_form(command, "hg -R ", " serve --stdio");
	case VCS_SVN:
		return !subsystem && strcmp(command, "svnserve -t") == 0;
	case VCS_BZR:
		return subsystem ? strcmp(command, "sftp") == 0
		                 : strcmp(command, "bzr serve --inet --directory=/ --allow-writes") == 0 || strcmp(command, "brz serve --inet --directory=/ --allow-writes") == 0;
	case VCS_COUNT:
		break;
	}
	return false;
}

/* As ssh puts the words of it together.  False: it is longer than any honest one. */
static bool join(char *const *argv, char command[COMMAND_MAX])
{
	size_t used = 0;

	command[0] = '\0';
	for (; *argv != NULL; argv++) {
		int n = snprintf(command + used, COMMAND_MAX - used, "%s%s", used > 0 ? " " : "", *argv);
		if (n < 0 || (size_t)n >= COMMAND_MAX - used) {
			return false;
		}
		used += (size_t)n;
	}
	return true;
}

const char *ssh_words_refuse(enum vcs_tool tool, char *const *argv, const struct strings *users, struct ssh_target *to)
{
	char command[COMMAND_MAX];
	const char *user;
	bool subsystem = false, asks = false;
	size_t at = 1;

	memset(to, 0, sizeof *to);
	while (argv[0] != NULL && argv[at] != NULL && argv[at][0] == '-' && strcmp(argv[at], "--") != 0) {
		if (tool == VCS_BZR && strcmp(argv[at], "-s") == 0) {
			subsystem = true;
			at++;
			continue;
		}
		asks = asks || strcmp(argv[at], "-G") == 0;
		if (!take_option(argv, &at, users, to)) {
			return "ssh is given an option that neither the tool has for it nor the user's own command";
		}
	}
	if (argv[0] != NULL && argv[at] != NULL && strcmp(argv[at], "--") == 0) {
		at++;
	}
	if (argv[0] == NULL || argv[at] == NULL || !is_name(argv[at])) {
		return "ssh is given no plain host";
	}
	user = strrchr(argv[at], '@');
	to->host = user != NULL ? user + 1 : argv[at];
	/* git and Mercurial give it as one word; of several, some could be options to another getopt. */
	if (!join(argv + at + 1, command) || ((tool == VCS_GIT || tool == VCS_HG) && argv[at + 1] != NULL && argv[at + 2] != NULL)) {
		return "ssh is given a command in a form that the tool does not use";
	}
	return (asks && command[0] == '\0') || is_fetch(tool, command, subsystem) ? NULL : "ssh is asked for another command than one that fetches a repository";
}
