/* What the user's own configuration says of programs that know passwords: how ssh is called, which helpers git asks, where keys lie.
 *
 * It is the user's word, read before anything runs; nothing of a repository is looked at.  Only as much is understood as names files and options: includes, line
 * continuations and variables other than HOME are not. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

#define FILE_MAX (1u << 20)

static void put_word(struct strings *out, char *word, size_t len, const char *home)
{
	static const char *const homes[] = { "~/", "$HOME/", "${HOME}/" };
	const char *eq;

	word[len] = '\0';
	for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++) {
		if (inst_starts(word, homes[i])) {
			cleanup_text char *path = inst_path_join(home, word + strlen(homes[i]));

			strings_put(out, path);
			return;
		}
	}
	eq = strchr(word, '='); /* -o IdentityFile=~/x: ssh expands that one by itself; --file=~/x, a shell does not, and git does */
	if (eq && inst_starts(eq + 1, "$HOME/")) {
		cleanup_text char *path = inst_format("%.*s%s%s", (int)(eq + 1 - word), word, home, eq + 1 + strlen("$HOME"));

		strings_put(out, path);
		return;
	}
	strings_put(out, word);
}

void inst_shell_words(const char *text, const char *home, struct strings *out)
{
	cleanup_text char *word = inst_dup(text);
	size_t len = 0;
	char quote = 0;
	bool any = false;

	for (const char *c = text; *c; c++) {
		if (quote ? *c == quote : *c == '\'' || *c == '"') {
			quote = quote ? 0 : *c;
			any = true;
		} else if (*c == '\\' && quote != '\'' && c[1]) {
			word[len++] = *++c;
		} else if (!quote && isspace((unsigned char)*c)) {
			if (any || len) {
				put_word(out, word, len, home);
			}
			len = 0;
			any = false;
		} else {
			word[len++] = *c;
		}
	}
	if (any || len) {
		put_word(out, word, len, home);
	}
}

/* --- git's, Mercurial's and Subversion's files ----------------------------------------------------- */

enum words { OF_SSH, OF_GIT, OF_ASKPASS };
static const struct named {
	const char *section; /* one with a name of its own is meant as well (`[credential "https://x"]`) */
	const char *key;
	enum words words;
} settings[] = { { "core", "sshcommand", OF_SSH }, { "credential", "helper", OF_GIT }, { "core", "askpass", OF_ASKPASS }, { "ui", "ssh", OF_SSH }, { "tunnels", "ssh", OF_SSH } };

/* As git takes a value: quotes and backslashes go, a comment does. */
static void unquote(char *value)
{
	char *out = value;
	bool quoted = false;

	for (const char *c = value; *c && (quoted || (*c != '#' && *c != ';')); c++) {
		if (*c == '"') {
			quoted = !quoted;
		} else if (*c == '\\' && c[1]) {
			*out++ = *++c;
		} else {
			*out++ = *c;
		}
	}
	*out = '\0';
}

static void take_setting(struct helper_words *w, const char *section, const char *key, size_t len, char *value, const char *home)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		size_t name = strlen(settings[i].section);

		if (!strncasecmp(section, settings[i].section, name) && !isalnum((unsigned char)section[name]) && strlen(settings[i].key) == len &&
		    !strncasecmp(key, settings[i].key, len)) {
			unquote(value);
			inst_shell_words(value[0] == '!' ? value + 1 : value, home, settings[i].words == OF_SSH ? &w->ssh : settings[i].words == OF_GIT ? &w->git : &w->askpass);
		}
	}
}

static void read_settings(struct helper_words *w, const char *path, const char *home)
{
	size_t len;
	cleanup_text char *text = inst_file_text(path, FILE_MAX, &len);
	char *save = NULL;
	const char *section = "";

	for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line; line = strtok_r(NULL, "\r\n", &save)) {
		char *at = line + strspn(line, " \t");
		size_t key = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
		char *value = at + key + strspn(at + key, " \t");

		if (*at == '[') {
			section = at + 1 + strspn(at + 1, " \t");
		} else if (key && *value == '=') {
			take_setting(w, section, at, key, value + 1 + strspn(value + 1, " \t"), home);
		}
	}
}

static void read_below(struct helper_words *w, const char *folder, const char *name, const char *home)
{
	cleanup_text char *path = inst_path_join(folder, name);

	read_settings(w, path, home);
}

static void read_files(struct helper_words *w, char *const envp[], const char *home)
{
	static const char *const of_home[] = { ".gitconfig", ".hgrc", ".config/hg/hgrc", ".subversion/config" };
	const char *global = inst_env(envp, "GIT_CONFIG_GLOBAL"), *config = inst_env(envp, "XDG_CONFIG_HOME");
	cleanup_text char *usual = inst_path_join(home, ".config");

	read_settings(w, "/etc/gitconfig", home);
	read_below(w, config && *config == '/' ? config : usual, "git/config", home);
	for (size_t i = 0; i < sizeof(of_home) / sizeof(*of_home); i++) {
		read_below(w, home, of_home[i], home);
	}
	if (global && *global == '/') {
		read_settings(w, global, home);
	}
}

/* --- ssh's -------------------------------------------------------------------------------------------- */

/* A path as ssh's configuration has it; other %-tokens depend on the connection. */
static void put_file(struct helper_words *w, const char *word, const char *account)
{
	cleanup_text char *path = inst_starts(word, "%d/") ? inst_path_join(account, word + strlen("%d/")) : inst_path_expand_user(word, account);

	if (*path == '/' && !strchr(path, '%')) {
		strings_put(&w->ssh_files, path);
	}
}

static void take_keyword(struct helper_words *w, const char *line, const char *account)
{
	static const char *const keywords[] = { "IdentityFile", "CertificateFile", "UserKnownHostsFile", "IdentityAgent", "Include" };
	cleanup_strings struct strings words = { 0 };
	size_t len = strcspn(line, " \t=");

	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		if (strlen(keywords[i]) == len && !strncasecmp(line, keywords[i], len)) {
			inst_shell_words(line + len + strspn(line + len, " \t="), account, &words);
		}
	}
	for (size_t i = 0; i < words.n; i++) {
		put_file(w, words.v[i], account);
	}
}

static void read_ssh(struct helper_words *w, const char *account)
{
	cleanup_text char *folder = inst_path_join(account, ".ssh");
	cleanup_text char *path = inst_path_join(folder, "config");
	size_t len;
	cleanup_text char *text = inst_file_text(path, FILE_MAX, &len);
	char *save = NULL;

	strings_put(&w->ssh_files, folder);
	for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line; line = strtok_r(NULL, "\r\n", &save)) {
		take_keyword(w, line + strspn(line, " \t"), account);
	}
}

/* `-i FILE`, `-F FILE`, `-o UserKnownHostsFile=FILE`: what follows an equals sign may be one, too. */
static void take_options(struct helper_words *w, const char *account)
{
	for (size_t i = 0; i < w->ssh.n; i++) {
		const char *word = w->ssh.v[i], *eq = strchr(word, '=');

		put_file(w, eq && *word != '/' ? eq + 1 : word, account);
	}
}

void inst_helper_words(struct helper_words *w, char *const envp[], const char *home, const char *account)
{
	static const char *const variables[] = { "GIT_SSH_COMMAND", "GIT_SSH", "SVN_SSH", "BZR_SSH", "BRZ_SSH" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *value = inst_env(envp, variables[i]);

		if (value) {
			inst_shell_words(value, home, &w->ssh);
		}
	}
	read_files(w, envp, home);
	read_ssh(w, account);
	take_options(w, account);
}

void inst_helper_words_finish(struct helper_words *w)
{
	strings_finish(&w->ssh);
	strings_finish(&w->git);
	strings_finish(&w->askpass);
	strings_finish(&w->ssh_files);
}
