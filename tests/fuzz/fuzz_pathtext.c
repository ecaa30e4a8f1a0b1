/* Any text as a path: what is joined is plain, stays put when joined again, and a path that is said to stay below a root does. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/supervise/pathtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2048], rooted[2080], joined[4096], again[4096], dir[4096];
	const char *last;
	size_t dir_len;
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';

	ssize_t len = pathtext_join("/base/dir", text, joined, sizeof joined);
	must(len > 0 && (size_t)len == strlen(joined));
	must(pathtext_plain(joined));
	must(pathtext_join("/", joined, again, sizeof again) == len && strcmp(joined, again) == 0);
	must(pathtext_join("/base/dir", text, again, 16) == len || len >= 16 || strstr(text, ".."));
	if (pathtext_plain(text))
		must(strcmp(text, joined) == 0);

	memcpy(rooted, "/usr/", 5);
	memcpy(rooted + 5, text, strlen(text) + 1);
	must(pathtext_join("/", rooted, again, sizeof again) > 0);
	if (pathtext_stays(rooted, 4))
		must(pathtext_below(again, "/usr"));

	if (pathtext_split(text, dir, sizeof dir, &last) == 0) {
		must(last[0] != '\0' && last[0] != '/');
		must(strcspn(last, "/") + strspn(last + strcspn(last, "/"), "/") == strlen(last));
		must(dir[0] != '\0');
	}
	if (pathtext_bytecode(joined, &dir_len))
		must(dir_len > 0 && dir_len <= strlen(joined));
	pathtext_pid(text, strcspn(text, "/"));
	const char *source = pathtext_source(text, (char *)"/usr/lib", (char *[]){(char *)"/usr", joined, NULL});
	must(source >= text && source <= text + size);
	return 0;
}
