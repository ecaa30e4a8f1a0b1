/* direct_url.json: the folder is absolute and whole. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/findings/direct_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), folder[PATH_MAX];

	memcpy(text, data, size);
	text[size] = '\0';
	cJSON *json = cJSON_Parse(text);
	if (direct_url_editable(json, folder)) {
		assert(folder[0] == '/' && strlen(folder) > 1 && strlen(folder) < sizeof folder - 1);
	}
	cJSON_Delete(json);
	/* A URL by itself: few inputs get as far as one. */
	json = cJSON_Parse("{\"dir_info\":{\"editable\":true}}");
	cJSON_AddStringToObject(json, "url", text);
	direct_url_editable(json, folder);
	cJSON_Delete(json);
	free(text);
	return 0;
}
