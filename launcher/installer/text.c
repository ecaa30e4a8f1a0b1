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

char *inst_strip(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1])) {
		*--end = '\0';
	}
	while (isspace((unsigned char)*text)) {
		text++;
	}
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
		size_t len;
		char *word;

		text += strspn(text, " \t\r\n\f\v");
		len = strcspn(text, " \t\r\n\f\v");
		if (!len) {
			return;
		}
		word = inst_dup_n(text, len);
		strings_put(s, word);
		free(word);
		text += len;
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
