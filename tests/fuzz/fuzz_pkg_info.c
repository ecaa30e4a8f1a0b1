/* PKG-INFO (METADATA): words are short, trimmed, and stand in the headers. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/findings/pkg_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *word, const char *text)
{
	if (word == NULL) {
		return;
	}
	assert(*word != '\0' && strlen(word) < 200 && strchr(word, '\n') == NULL);
	assert(!isspace((unsigned char)word[strlen(word) - 1]));
	/* Not of what follows the headers. */
	const char *end = strstr(text, "\n\n"), *first = strstr(text, word);
	assert(first != NULL && (end == NULL || first < end));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *copy, *name = NULL, *version = NULL;

	memcpy(text, data, size);
	text[size] = '\0';
	copy = strdup(text);
	pkg_info_read(text, &name, &version);
	check(name, copy);
	check(version, copy);
	free(name);
	free(version);
	free(copy);
	free(text);
	return 0;
}
