/* A repository's configuration, from whoever made the repository: what comes out is no longer than it may be, and holds no login any more. */
#include <stdlib.h>
#include <string.h>

#include "launcher/supervise/gitconfig.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text = malloc(size + 1), *clean = NULL, *again = NULL;
	size_t len = 0, again_len = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	if (gitconfig_without_logins(text, size, &clean, &len) && clean) {
		char *copy = malloc(len + 1);
		memcpy(copy, clean, len);
		copy[len] = '\0';
		/* Twice is as good as once, but for the words that say that something was removed. */
		if (gitconfig_without_logins(copy, len, &again, &again_len) && again && (again_len != len || memcmp(again, copy, len))) {
			abort();
		}
		free(copy);
		free(again);
	}
	gitconfig_has_login(text, size);
	gitconfig_has_key(text, size);
	free(clean);
	free(text);
	return 0;
}
