#include "direct_url.h"

#include <string.h>

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Of a file: URL of this machine.  False: it is none, or too long. */
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

bool direct_url_editable(const cJSON *root, char folder[PATH_MAX])
{
	const cJSON *url = cJSON_GetObjectItemCaseSensitive(root, "url");
	const cJSON *info = cJSON_GetObjectItemCaseSensitive(root, "dir_info");

	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(info, "editable")) && cJSON_IsString(url) && path_of_url(url->valuestring, folder);
}
