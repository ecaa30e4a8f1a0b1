/* A repository's configuration, from whoever made the repository: nothing in it hides a key that comes after it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/supervise/vcs_config.h"

static char *with(const char *text, const char *more)
{
	char *both = NULL;

	return asprintf(&both, "%s\n%s", text, more) < 0 ? NULL : both;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text = malloc(size + 1), *key;

	memcpy(text, data, size);
	text[size] = '\0';
	char *filter = with(text, "[filter \"x\"]\n\tsmudge = x\n"), *hooks = with(text, "[hooks]\nupdate = x\n");
	for (int module = 0; module < 2; module++) {
		vcs_config_harmless(text, module, &key);
		free(key);
		if (vcs_config_harmless(filter, module, &key)) {
			abort();
		}
		free(key);
	}
	vcs_hgrc_harmless(text, &key);
	free(key);
	if (vcs_hgrc_harmless(hooks, &key)) {
		abort();
	}
	free(key);
	free(filter);
	free(hooks);
	free(text);
	return 0;
}
