#include "distribution_files.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A quoted field, its doubled quotes made one; what follows it. */
static char *unquote(char *field)
{
	char *to = field, *from = field + 1;

	while (*from != '\0' && (*from != '"' || from[1] == '"')) {
		from += *from == '"';
		*to++ = *from++;
	}
	from += *from == '"';
	char *rest = from;
	*to = '\0';
	return rest;
}

char *record_path(char **at)
{
	char *field = *at + strspn(*at, "\r\n"), *rest;
	bool quoted = *field == '"';

	if (*field == '\0') {
		*at = field;
		return NULL;
	}
	rest = quoted ? unquote(field) : field + strcspn(field, ",\r\n");
	char *next = rest + strcspn(rest, "\n");
	bool more = *next != '\0';
	if (!quoted) {
		*rest = '\0';
	}
	*at = next + more;
	return field;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Of a file: URL.  False: it is none, or too long. */
static bool path_of_url(const char *url, char folder[PATH_MAX])
{
	size_t n = 0;

	if (strncmp(url, "file:///", 8) != 0) {
		return false;
	}
	for (const char *p = url + 7; *p != '\0' && n < PATH_MAX - 1; p++) {
		bool escaped = *p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0;
		folder[n++] = escaped ? (char)(hex(p[1]) << 4 | hex(p[2])) : *p;
		p += escaped ? 2 : 0;
	}
	folder[n] = '\0';
	return n > 1 && n < PATH_MAX - 1 && strlen(folder) == n;
}

bool editable_folder(const cJSON *direct_url, char folder[PATH_MAX])
{
	const cJSON *url = cJSON_GetObjectItemCaseSensitive(direct_url, "url");
	const cJSON *info = cJSON_GetObjectItemCaseSensitive(direct_url, "dir_info");

	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(info, "editable")) && cJSON_IsString(url) && path_of_url(url->valuestring, folder);
}

static void put(char *out, size_t size, const char *text, size_t len)
{
	snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

void info_name(const char *info, struct distribution *out)
{
	const char *dot = strrchr(info, '.');
	size_t stem = dot != NULL ? (size_t)(dot - info) : strlen(info), name = strcspn(info, "-"), version = 0;

	if (name < stem) {
		version = strcspn(info + name + 1, "-");
		version = version < stem - name - 1 ? version : stem - name - 1;
	} else {
		name = stem;
	}
	put(out->name, sizeof out->name, info, name);
	put(out->version, sizeof out->version, info + name + (version > 0), version);
}

bool same_name(const char *a, const char *b)
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
