/* pip's requirements files, read as pip._internal.req.req_file reads them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

/* Cuts a comment off: a # at the line's start or after white space. */
static void cut_comment(char *line)
{
	bool after_space = true;

	for (char *c = line; *c;) {
		size_t n = inst_space(c);

		if (*c == '#' && after_space) {
			*c = '\0';
			return;
		}
		after_space = n > 0;
		c += n ? n : 1;
	}
}

static bool is_comment(const char *line)
{
	for (size_t n; (n = inst_space(line));) {
		line += n;
	}
	return *line == '#';
}

static char *replace_all(const char *text, const char *what, const char *with)
{
	char *out = inst_dup("");

	for (const char *at; (at = strstr(text, what)); text = at + strlen(what)) {
		inst_set(&out, inst_format("%s%.*s%s", out, (int)(at - text), text, with));
	}
	inst_set(&out, inst_format("%s%s", out, text));
	return out;
}

/* Each ${NAME} that the line has, of capitals, digits and underscores, where the variable is set and not empty: wherever it is, and so also in what was
 * put in for one before it.  NULL: it grows beyond all measure. */
static char *expand_variables(const char *line, char *const envp[])
{
	char *out = inst_dup(line);

	for (const char *at = line; (at = strstr(at, "${")); at += 2) {
		size_t len = strspn(at + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		cleanup_text char *name = inst_dup_n(at + 2, len);
		const char *value = len && at[2 + len] == '}' ? inst_env(envp, name) : NULL;
		cleanup_text char *what = inst_format("${%s}", name);

		if (value && *value) {
			inst_set(&out, replace_all(out, what, value));
		}
		if (strlen(out) > 16 << 20) {
			inst_set(&out, NULL);
			return NULL;
		}
	}
	return out;
}

/* As shlex.split(posix) without comments.  false: a quote does not end. */
static bool split_words(const char *text, struct strings *words)
{
	cleanup_text char *word = inst_dup(text);
	char *end = word;
	bool in_word = false;

	for (const char *c = text; *c; c++) {
		if (*c == '\'' || *c == '"') {
			char quote = *c;

			in_word = true;
			for (c++; *c && *c != quote; c++) {
				if (quote == '"' && *c == '\\' && (c[1] == '"' || c[1] == '\\')) {
					c++;
				}
				*end++ = *c;
			}
			if (!*c) {
				return false;
			}
		} else if (*c == '\\') {
			if (!c[1]) {
				return false;
			}
			*end++ = *++c;
			in_word = true;
		} else if (!strchr(" \t\r\n", *c)) {
			*end++ = *c;
			in_word = true;
		} else if (in_word) {
			*end = '\0';
			strings_put(words, word);
			end = word;
			in_word = false;
		}
	}
	if (in_word) {
		*end = '\0';
		strings_put(words, word);
	}
	return true;
}

/* Where the options of a line begin: at the first of its space-separated words with a dash in front. */
static char *options_start(char *line)
{
	for (char *word = line;;) {
		size_t len = strcspn(word, " ");

		if (*word == '-') {
			return word;
		}
		if (!word[len]) {
			return word + len;
		}
		word += len + 1;
	}
}

static size_t line_length(const char *text)
{
	size_t n = 0;

	while (text[n] && !inst_line_break(text + n)) {
		n++;
	}
	return n;
}

static void ignore_positional(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static const char *read_logical_line(char *line, unsigned number, char *const envp[], const struct option_sink *sink, requirement_fn *each,
                                     void *ctx)
{
	cleanup_text char *text = NULL;
	cleanup_strings struct strings words = { 0 };
	struct option_sink options = { sink->ctx, sink->option, ignore_positional };
	const char *ambiguous = NULL;
	char *split;

	cut_comment(line);
	line = inst_strip(line);
	if (!*line) {
		return NULL;
	}
	text = expand_variables(line, envp);
	if (!text) {
		return "a line's variables are too long";
	}
	split = options_start(text);
	if (!split_words(split, &words)) {
		return "an option's quotation does not end";
	}
	if (pip_options_parse(words.v, words.n, CMD_FILE, &options, &ambiguous) < 0) {
		return "an option is abbreviated too far";
	}
	*split = '\0';
	each(ctx, number, inst_strip(text));
	return NULL;
}

const char *pip_requirements_parse(const char *text, size_t len, char *const envp[], const struct option_sink *sink, requirement_fn *each, void *ctx)
{
	cleanup_text char *copy = NULL;
	cleanup_text char *joined = NULL;
	unsigned number = 0, first = 0;
	size_t have = 0;
	bool going_on = false;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	if (memchr(text, '\0', len) || (len >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))) {
		return "it is not UTF-8 text";
	}
	copy = inst_dup_n(text, len);
	joined = inst_grow(NULL, len + 2, 1);
	for (char *line = copy; *line;) {
		size_t n = line_length(line), end = inst_line_break(line + n);
		bool comment;
		const char *wrong;

		line[n] = '\0';
		number++;
		if (!going_on) {
			first = number;
			have = 0;
		}
		comment = is_comment(line);
		going_on = n && line[n - 1] == '\\' && !comment;
		if (going_on) {
			/* strip("\\") takes backslashes off both ends */
			char *start = line + strspn(line, "\\");
			size_t m = strlen(start);

			while (m && start[m - 1] == '\\') {
				m--;
			}
			memcpy(joined + have, start, m);
			have += m;
		} else {
			if (comment && have) {
				joined[have++] = ' '; /* so that it is seen as one; its own # was not counted for a line that goes on */
			}
			memcpy(joined + have, line, n);
			have += n;
			joined[have] = '\0';
			wrong = read_logical_line(joined, first, envp, sink, each, ctx);
			if (wrong) {
				return wrong;
			}
		}
		line += n + end;
	}
	if (going_on) {
		joined[have] = '\0';
		return read_logical_line(joined, first, envp, sink, each, ctx);
	}
	return NULL;
}

static bool has_scheme(const char *text, const char *const schemes[])
{
	for (; *schemes; schemes++) {
		size_t n = strlen(*schemes);

		if (!strncasecmp(text, *schemes, n) && text[n] == ':') {
			return true;
		}
	}
	return false;
}

static bool is_vcs(const char *text)
{
	static const char *const tools[] = { "git+", "hg+", "svn+", "bzr+" };
	static const char *const plain[] = { "git", "hg", "svn", "bzr", "ssh", "sftp", NULL };

	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++) {
		if (!strncasecmp(text, tools[i], strlen(tools[i]))) {
			return true;
		}
	}
	return has_scheme(text, plain);
}

static bool is_archive(const char *path)
{
	static const char *const ends[] = { ".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz",
		                            ".tar.lzma" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t n = strlen(path), m = strlen(ends[i]);

		if (n >= m && !strcasecmp(path + n - m, ends[i])) {
			return true;
		}
	}
	return false;
}

/* "file:///a%20b" → "/a b"; without fragment and query. */
static char *file_url_path(const char *url, const char *base)
{
	cleanup_text char *path = NULL;
	const char *at = strchr(url, ':') + 1;
	char *out;

	if (at[0] == '/' && at[1] == '/') {
		at += 2;
		at += strcspn(at, "/"); /* an empty host, or localhost */
	}
	path = inst_dup_n(at, strcspn(at, "#?"));
	out = path;
	for (const char *c = path; *c; c++) {
		char hex[3] = { c[0] == '%' ? c[1] : 0, c[0] == '%' && c[1] ? c[2] : 0, 0 };

		if (isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]) && strcmp(hex, "00")) {
			*out++ = (char)strtoul(hex, NULL, 16);
			c += 2;
		} else {
			*out++ = *c;
		}
	}
	*out = '\0';
	return inst_path_absolute(base, path);
}

static enum requirement_kind kind_of_url(const char *text, size_t len, const char *base, char **where)
{
	static const char *const file[] = { "file", NULL };
	cleanup_text char *url = inst_dup_n(text, len);

	if (is_vcs(url)) {
		*where = inst_dup(url);
		return REQ_VCS;
	}
	if (has_scheme(url, file)) {
		*where = file_url_path(url, base);
		return inst_path_is_dir(*where) ? REQ_DIRECTORY : REQ_FILE;
	}
	*where = inst_dup(url);
	return REQ_URL;
}

static enum requirement_kind kind_of_path(const char *text, const char *base, char **where)
{
	cleanup_text char *bare = inst_dup(text);
	char *extras = strrchr(bare, '[');
	const char *semicolon = strchr(text, ';');

	if (semicolon) {
		bare[semicolon - text] = '\0';
	}
	if (extras && inst_ends(inst_strip(bare), "]")) {
		*extras = '\0';
	}
	*where = inst_path_absolute(base, inst_strip(bare));
	if (strchr(bare, '/') || bare[0] == '.') {
		return inst_path_is_dir(*where) || !is_archive(*where) ? REQ_DIRECTORY : REQ_FILE;
	}
	if (is_archive(*where) && inst_path_is_file(*where)) {
		return REQ_FILE;
	}
	inst_set(where, NULL);
	return REQ_NAME;
}

enum requirement_kind pip_requirement_kind(const char *text, const char *base, char **where)
{
	static const char *const urls[] = { "http", "https", "ftp", "file", NULL };
	const char *at = text;

	*where = NULL;
	at += strspn(at, " \t");
	if (has_scheme(at, urls) || is_vcs(at)) {
		const char *marker = strstr(at, "; ");

		return kind_of_url(at, marker ? (size_t)(marker - at) : strlen(at), base, where);
	}
	/* PEP 508: `name[extra] @ URL` */
	at += strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
	at += strspn(at, " \t");
	if (*at == '[') {
		at += strcspn(at, "]");
		at += *at == ']';
		at += strspn(at, " \t");
	}
	if (*at == '@' && at != text) {
		at += 1 + strspn(at + 1, " \t");
		return kind_of_url(at, strcspn(at, " \t;"), base, where);
	}
	return kind_of_path(text, base, where);
}

bool pip_requirement_is_pip(const char *text)
{
	text += strspn(text, " \t");
	return !strncasecmp(text, "pip", 3) && !isalnum((unsigned char)text[3]) && !(text[3] && strchr("._-", text[3]));
}
