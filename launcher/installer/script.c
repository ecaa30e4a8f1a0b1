#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

/* Cuts one word off *at, shell-quoted or plain.  false: there is none, or its quote does not end. */
static bool take_word(const char **at, const char *end, char **word)
{
	const char *p = *at, *start;
	char quote = 0;

	while (p < end && (*p == ' ' || *p == '\t')) {
		p++;
	}
	if (p < end && (*p == '"' || *p == '\'')) {
		quote = *p++;
	}
	start = p;
	while (p < end && (quote ? *p != quote : !isspace((unsigned char)*p))) {
		p++;
	}
	if (p == start || (quote && p == end)) {
		return false;
	}
	*word = inst_dup_n(start, (size_t)(p - start));
	*at = p + (quote ? 1 : 0);
	return true;
}

static const char *line_end(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));

	return newline ? newline : end;
}

/* distlib and pip write this where the interpreter's path is too long for, or has a space that breaks, a plain #! line. */
static bool parse_exec_line(const char *p, const char *end, struct shebang *out)
{
	static const char start[] = "'''exec'";
	const char *stop = line_end(p, end);

	if ((size_t)(stop - p) < sizeof(start) - 1 || memcmp(p, start, sizeof(start) - 1)) {
		return false;
	}
	p += sizeof(start) - 1;
	if (!take_word(&p, stop, &out->interpreter)) {
		return false;
	}
	for (;;) {
		char *word = NULL;

		if (!take_word(&p, stop, &word)) {
			return true;
		}
		if (word[0] == '-') {
			strings_put(&out->flags, word);
		}
		free(word);
	}
}

static void parse_env_words(const char *p, const char *stop, struct shebang *out)
{
	char *word = NULL;

	while (take_word(&p, stop, &word)) {
		if (out->interpreter) {
			strings_put(&out->flags, word);
		} else if (!strcmp(word, "-S") || strchr(word, '=')) {
			/* env's own option, or a variable that it sets */
		} else {
			out->interpreter = word;
			word = NULL;
		}
		inst_set(&word, NULL);
	}
	out->by_path = true;
}

bool inst_shebang_parse(const char *text, size_t len, struct shebang *out)
{
	const char *end = text + len, *p = text + 2, *stop;
	char *rest;

	*out = (struct shebang){ 0 };
	if (len < 3 || text[0] != '#' || text[1] != '!') {
		return false;
	}
	stop = line_end(text, end);
	if (!take_word(&p, stop, &out->interpreter)) {
		return false;
	}
	if (!strcmp(inst_path_base(out->interpreter), "env")) {
		inst_set(&out->interpreter, NULL);
		parse_env_words(p, stop, out);
	} else if (!strcmp(inst_path_base(out->interpreter), "sh")) {
		inst_set(&out->interpreter, NULL);
		return stop < end && parse_exec_line(stop + 1, end, out);
	} else {
		/* The kernel passes what follows as one argument. */
		rest = inst_dup_n(p, (size_t)(stop - p));
		if (*inst_strip(rest)) {
			strings_put(&out->flags, inst_strip(rest));
		}
		free(rest);
	}
	return out->interpreter != NULL;
}

void inst_shebang_finish(struct shebang *s)
{
	free(s->interpreter);
	strings_finish(&s->flags);
	*s = (struct shebang){ 0 };
}

bool inst_script_is_pip(const char *text, size_t len)
{
	static const char *const marks[] = { "from pip._internal", "from pip import main", "import pip._internal" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (memmem(text, len, marks[i], strlen(marks[i]))) {
			return true;
		}
	}
	/* setuptools' older form: load_entry_point('pip==22.3', 'console_scripts', 'pip3') */
	return memmem(text, len, "console_scripts", 15) && (memmem(text, len, "'pip==", 6) || memmem(text, len, "\"pip==", 6));
}

bool inst_names_archive(const char *word)
{
	const char *base = inst_path_base(word);
	cleanup_text char *dir = inst_path_dir(word);

	if (!strcmp(base, "pip") && inst_ends(dir, ".whl")) {
		return inst_starts(inst_path_base(dir), "pip-");
	}
	return !strcmp(base, "get-pip.py") || (inst_starts(base, "pip") && inst_ends(base, ".pyz"));
}

int inst_interpreter_words(char *const argv[], struct strings *flags, const char **archive, const char **why)
{
	static const char plain[] = "bBdEIOPqsuv"; /* without an argument; those that stop the start of a module are not among them */

	for (int i = 1; argv[i]; i++) {
		const char *word = argv[i];

		if (inst_names_archive(word)) {
			*archive = word;
			return i + 1;
		}
		if (word[0] != '-' || !word[1] || word[1] == '-') {
			*why = "of an interpreter only `-m pip`, `-m ensurepip`, pip.pyz, get-pip.py and a wheel of pip are guarded";
			return -1;
		}
		for (const char *c = word + 1; *c; c++) {
			if (*c == 'm') {
				const char *module = c[1] ? c + 1 : argv[i + 1];

				if (module && !strcmp(module, "ensurepip")) {
					*archive = module;
				} else if (!module || strcmp(module, "pip")) {
					*why = "of an interpreter only `-m pip`, `-m ensurepip`, pip.pyz, get-pip.py and a wheel of pip are guarded";
					return -1;
				}
				if (c > word + 1) {
					char *before = inst_dup_n(word, (size_t)(c - word));

					strings_put(flags, before);
					free(before);
				}
				return i + (c[1] ? 1 : 2);
			}
			if (*c == 'W' || *c == 'X') {
				char *joined;

				if (!c[1] && !argv[i + 1]) {
					*why = "the interpreter's option lacks its argument";
					return -1;
				}
				/* One word in either form, so that a list of flags stays a list of flags. */
				joined = c[1] ? inst_dup(word) : inst_format("%s%s", word, argv[++i]);
				strings_put(flags, joined);
				free(joined);
				break;
			}
			if (!strchr(plain, *c)) {
				*why = *c == 'S' ? "under -S Python finds no pip" : "of an interpreter only `-m pip`, `-m ensurepip`, pip.pyz, get-pip.py and a wheel of pip are guarded";
				return -1;
			}
			if (!c[1]) {
				strings_put(flags, word);
			}
		}
	}
	*why = "of an interpreter only `-m pip`, `-m ensurepip`, pip.pyz, get-pip.py and a wheel of pip are guarded";
	return -1;
}
