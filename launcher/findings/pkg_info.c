#include "pkg_info.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 200

static void set_word(char **slot, const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char)text[len - 1])) {
		len--;
	}
	if (len > 0 && len < WORD_MAX) {
		free(*slot);
		*slot = strndup(text, len);
	}
}

void pkg_info_read(char *text, char **name, char **version)
{
	for (char *line = text, *next; line != NULL && line[strspn(line, "\r")] != '\n' && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL) {
			*next++ = '\0';
		}
		if (strncasecmp(line, "Name: ", 6) == 0) {
			set_word(name, line + 6);
		} else if (strncasecmp(line, "Version: ", 9) == 0) {
			set_word(version, line + 9);
		}
	}
}

bool pkg_info_same_name(const char *a, const char *b)
{
	static const char between[] = "-_.";

	while (*a != '\0' && *b != '\0') {
		bool gap = strchr(between, *a) != NULL;
		if (gap != (strchr(between, *b) != NULL) || (!gap && tolower((unsigned char)*a) != tolower((unsigned char)*b))) {
			return false;
		}
		a += gap ? strspn(a, between) : 1;
		b += gap ? strspn(b, between) : 1;
	}
	return *a == *b;
}
