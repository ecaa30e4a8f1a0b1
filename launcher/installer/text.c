#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

static _Noreturn void no_memory(void)
{
	fputs("pipwarden: out of memory while looking for pip\n", stderr);
	exit(125);
}

char *inst_dup_n(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (!copy) {
		no_memory();
	}
	return copy;
}

char *inst_dup(const char *text)
{
	return inst_dup_n(text, strlen(text));
}

char *inst_format(const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		no_memory();
	}
	return text;
}

void inst_set(char **slot, char *owned)
{
	free(*slot);
	*slot = owned;
}

size_t inst_space(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (isspace(*c) || (*c >= 0x1c && *c <= 0x1f)) {
		return 1;
	}
	if (*c == 0xc2) {
		return c[1] == 0x85 || c[1] == 0xa0 ? 2 : 0;
	}
	if (*c == 0xe1) {
		return c[1] == 0x9a && c[2] == 0x80 ? 3 : 0; /* U+1680 */
	}
	if (*c == 0xe2 && c[1] == 0x80) { /* U+2000 to U+200A, the separators, U+202F */
		return (c[2] >= 0x80 && c[2] <= 0x8a) || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf ? 3 : 0;
	}
	if (*c == 0xe2 && c[1] == 0x81) {
		return c[2] == 0x9f ? 3 : 0; /* U+205F */
	}
	return *c == 0xe3 && c[1] == 0x80 && c[2] == 0x80 ? 3 : 0; /* U+3000 */
}

size_t inst_line_break(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (*c == '\r' && c[1] == '\n') {
		return 2;
	}
	if ((*c >= '\n' && *c <= '\r') || (*c >= 0x1c && *c <= 0x1e)) {
		return 1;
	}
	if (*c == 0xc2) {
		return c[1] == 0x85 ? 2 : 0;
	}
	return *c == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9) ? 3 : 0;
}

char *inst_strip(char *text)
{
	char *end;
	size_t n;

	while ((n = inst_space(text))) {
		text += n;
	}
	end = text;
	for (char *c = text; *c; c += n ? n : 1) {
		n = inst_space(c);
		if (!n) {
			end = c + 1;
		}
	}
	*end = '\0';
	return text;
}

bool inst_starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool inst_ends(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && !strcmp(text + n - m, suffix);
}

bool inst_truth(const char *value)
{
	static const char *const words[] = { "y", "yes", "t", "true", "on", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcasecmp(value, words[i])) {
			return true;
		}
	}
	return false;
}

void *inst_grow(void *array, size_t n, size_t size)
{
	void *bigger = reallocarray(array, n + 1, size);

	if (!bigger) {
		no_memory();
	}
	memset((char *)bigger + n * size, 0, size);
	return bigger;
}

void strings_put(struct strings *s, const char *text)
{
	if (strings_add(s, text)) {
		no_memory();
	}
}

void strings_split(struct strings *s, const char *text)
{
	while (*text) {
		const char *start;
		size_t n;

		while ((n = inst_space(text))) {
			text += n;
		}
		start = text;
		while (*text && !inst_space(text)) {
			text++;
		}
		if (text > start) {
			cleanup_text char *word = inst_dup_n(start, (size_t)(text - start));

			strings_put(s, word);
		}
	}
}

int inst_fail(struct installer_error *err, int status, const char *format, ...)
{
	va_list ap;

	err->status = status;
	va_start(ap, format);
	vsnprintf(err->message, sizeof(err->message), format, ap);
	va_end(ap);
	for (char *c = err->message; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) { /* names come from foreign files: one line, no terminal codes */
			*c = '?';
		}
	}
	return -1;
}
