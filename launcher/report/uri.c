#include "launcher/report/uri.h"

#include <stdio.h>
#include <string.h>

bool uri_of_path(const char *path, char *out, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	size_t len = 0;
	const char *start = path[0] == '/' ? "file://" : "";
	for (const char *part = path; *part != '\0';) {
		size_t n = strcspn(part, "/");
		if (n == 2 && part[0] == '.' && part[1] == '.') {
			return false;
		}
		part += n + (part[n] == '/');
	}
	len = (size_t)snprintf(out, size, "%s", start);
	for (const unsigned char *c = (const unsigned char *)path; *c != '\0'; c++) {
		if (len + 4 > size) {
			return false;
		}
		len += (size_t)snprintf(out + len, size - len, strchr(plain, *c) != NULL ? "%c" : "%%%02X", *c);
	}
	return len > 0;
}
