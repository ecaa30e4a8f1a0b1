#include "gitconfig.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/shape.h"

#define ROUNDS_MAX 16
#define WORD_MIN 24
#define WORD_MAX 200

static const char removed[] = "removed";

static bool holds(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++) {
		if (strncasecmp(text + i, word, n) == 0) {
			return true;
		}
	}
	return false;
}

static bool holds_one(const char *text, size_t len, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (holds(text, len, *words)) {
			return true;
		}
	}
	return false;
}

/* Of a variable's name: its value is nobody's business. */
static bool is_secret_name(const char *name, size_t len)
{
	static const char *const words[] = {"extraheader", "password", "passwd", "passphrase", "smtppass", "token", "secret", "cookie", "apikey", "credential", "auth", NULL};

	return holds_one(name, len, words);
}

/* --- git's configuration ------------------------------------------------------------------------ */

struct text {
	char *v;
	size_t n;
	bool changed;
};

static void put(struct text *t, const char *from, size_t len)
{
	memcpy(t->v + t->n, from, len);
	t->n += len;
}

/* A logical line's end: behind the newline that no backslash precedes. */
static size_t line_length(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && line[i] != '\n') {
		i += line[i] == '\\' && i + 1 < len ? 2 : 1;
	}
	return i < len ? i + 1 : len;
}

/* Where the value begins: behind the first '=' that does not stand in a section's header. 0: there is none. */
static size_t value_start(const char *line, size_t len, size_t *name)
{
	size_t i = strspn(line, " \t");

	*name = i;
	if (i < len && line[i] == '[') {
		for (bool quoted = false; i < len && (quoted || line[i] != ']'); i++) {
			if (line[i] == '\\') {
				i++;
			} else if (line[i] == '"') {
				quoted = !quoted;
			}
		}
		*name = i;
	}
	for (; i < len && line[i] != '=' && line[i] != '\n'; i++) {
		;
	}
	return i < len && line[i] == '=' ? i + 1 : 0;
}

/* A command line in place of a helper's name can hold anything. */
static bool is_command(const char *value)
{
	value += strspn(value, " \t\"");
	return *value == '!';
}

static void without_userinfo(struct text *t, const char *line)
{
	size_t at = 0, start, colon, end;

	while (shape_userinfo(line, at, &start, &colon, &end)) {
		put(t, line + at, start - at);
		at = end + (line[end] == '@');
		t->changed = true;
	}
	put(t, line + at, strlen(line + at));
}

static bool copy_line(struct text *t, const char *from, size_t len)
{
	char *line = strndup(from, len);
	size_t name, value;

	if (line == NULL) {
		return false;
	}
	value = value_start(line, strlen(line), &name);
	char *end = line + strcspn(line, "\n");
	bool helper = value != 0 && holds(line + name, value - name, "helper") && is_command(line + value);
	/* Token shapes are looked for word by word. */
	bool shaped = false;
	char *words = strdup(value != 0 ? line + value : ""), *save = NULL;
	for (char *w = words != NULL ? strtok_r(words, " \t\r\n\"';\\", &save) : NULL; w != NULL && !shaped; w = strtok_r(NULL, " \t\r\n\"';\\", &save)) {
		size_t start, colon, stop;
		shaped = shape_is_secret(w) && !shape_userinfo(w, 0, &start, &colon, &stop);
	}
	free(words);
	shaped = shaped || (value != 0 && strstr(line + value, "\\\n") != NULL && strstr(line + value, "://") != NULL); /* a URL that may go on */
	if (value != 0 && (is_secret_name(line + name, value - name) || helper || shaped) && line + value < line + strlen(line)) {
		put(t, line, value);
		put(t, " ", 1);
		put(t, removed, sizeof removed - 1);
		put(t, "\n", strlen(end) > 0 ? 1 : 0);
		t->changed = true;
	} else {
		without_userinfo(t, line);
	}
	free(line);
	return true;
}

/* As gitconfig_without_logins, once over. */
static bool clean_once(const char *text, size_t len, char **out, size_t *out_len)
{
	/* A value never grows by more than the word that replaces it, and a line has one value. */
	size_t lines = 2;
	struct text t = {0};

	*out = NULL;
	*out_len = 0;
	for (size_t i = 0; i < len; i++) {
		lines += text[i] == '\n';
	}
	if (memchr(text, '\0', len) != NULL) {
		return true; /* no configuration of git's: nothing of it is served */
	}
	t.v = malloc(len + lines * (sizeof removed + 2) + 1);
	for (size_t at = 0; t.v != NULL && at < len;) {
		size_t n = line_length(text + at, len - at);
		if (!copy_line(&t, text + at, n)) {
			free(t.v);
			t.v = NULL;
		}
		at += n;
	}
	if (t.v == NULL) {
		return true;
	}
	if (!t.changed) {
		free(t.v);
		return false;
	}
	t.v[t.n] = '\0';
	*out = t.v;
	*out_len = t.n;
	return true;
}

bool gitconfig_without_logins(const char *text, size_t len, char **out, size_t *out_len)
{
	if (!clean_once(text, len, out, out_len)) {
		return false;
	}
	/* What stands around a login that is gone may read as another. */
	for (int round = 0; *out != NULL && round < ROUNDS_MAX; round++) {
		char *again;
		size_t again_len;
		if (!clean_once(*out, *out_len, &again, &again_len)) {
			return true;
		}
		bool same = again != NULL && again_len == *out_len && memcmp(again, *out, again_len) == 0;
		free(*out);
		*out = again;
		*out_len = again_len;
		if (same) {
			return true;
		}
	}
	free(*out); /* made to be cleaned for ever: nothing of it is served */
	*out = NULL;
	return true;
}

/* --- other files -------------------------------------------------------------------------------- */

/* Nothing but one long word: a WireGuard or Fernet key, a framework's master key. */
static bool is_one_word(const char *text, size_t len)
{
	size_t n = strnlen(text, len);

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r')) {
		n--;
	}
	return n >= WORD_MIN && n <= WORD_MAX && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-") == n;
}

bool gitconfig_has_key(const char *text, size_t len)
{
	static const char *const marks[] = {"PRIVATE KEY-----", "PuTTY-User-Key-File", "AGE-SECRET-KEY-", NULL};

	return holds_one(text, len, marks) || is_one_word(text, len);
}

bool gitconfig_has_login(const char *text, size_t len)
{
	static const char *const words[] = {"password", "passwd", "secret", "token", "_auth", "\"auth\"", "private_key", "privatekey", "access_key", "accesskey", "api_key",
	                                    "apikey", "client-key-data", "client_key", "$apr1$", "$2y$", "{SHA}", NULL};
	size_t start, colon, end;

	return holds_one(text, len, words) || (memchr(text, '\0', len) == NULL && shape_userinfo(text, 0, &start, &colon, &end));
}
