/* pip.conf: whatever the bytes, keys come out normalised, values stripped, sections never DEFAULT. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, const char *section, const char *key, const char *value)
{
	size_t n = strlen(value);

	assert(strcmp(section, "DEFAULT") != 0);
	assert(!n || (!isspace((unsigned char)value[0]) && !isspace((unsigned char)value[n - 1])));
	for (; *key; key++) {
		assert(!isupper((unsigned char)*key) && *key != '_' && *key != '\n');
	}
	++*(size_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t entries = 0, again = 0;
	bool ok = pip_conf_parse((const char *)data, size, check, &entries);

	assert(ok == pip_conf_parse((const char *)data, size, check, &again));
	assert(entries == again);
	return 0;
}
