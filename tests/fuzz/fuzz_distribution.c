/* What an installed distribution tells of itself: RECORD, direct_url.json, the name of its folder. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/supervise/distribution_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *copy, *at, *path, folder[PATH_MAX];
	struct distribution d;
	size_t fields = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	info_name(text, &d);
	assert(strlen(d.name) < sizeof d.name && strlen(d.version) < sizeof d.version);
	assert(same_name(text, text));
	cJSON *json = cJSON_Parse(text);
	if (editable_folder(json, folder)) {
		assert(folder[0] == '/' && strlen(folder) < sizeof folder);
	}
	cJSON_Delete(json);
	copy = at = strdup(text);
	while ((path = record_path(&at)) != NULL) {
		assert(path >= copy && path + strlen(path) <= copy + size && at >= copy && at <= copy + size);
		assert(++fields <= size + 1);
	}
	free(copy);
	free(text);
	return 0;
}
