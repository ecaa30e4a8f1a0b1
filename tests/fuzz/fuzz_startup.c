/* A .pth: what runs code is never taken for folders, and nothing that is added makes hostile code less. */
#include <assert.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>

#include "launcher/findings/startup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char hostile[] = "\nimport os;exec('x')\n";
	char *text = malloc(size + sizeof hostile);
	const char *why = NULL;

	memcpy(text, data, size);
	const struct startup_of nobody = {.dist = ""}, any = {.editable = true};
	struct startup alone = startup_pth(text, size, &nobody);
	assert(alone.why != NULL && alone.level <= STARTUP_HOSTILE && strlen(alone.module) < sizeof alone.module);
	assert(startup_pth(text, size, &any).level <= STARTUP_HOSTILE);
	if (size >= 7 && (memcmp(text, "import ", 7) == 0 || memcmp(text, "import\t", 7) == 0)) {
		assert(alone.level >= STARTUP_KNOWN);
	}
	memcpy(text + size, hostile, sizeof hostile - 1);
	assert(startup_pth(text, size + sizeof hostile - 1, &nobody).level == STARTUP_HOSTILE);
	assert(startup_hostile(text, size + sizeof hostile - 1, &why) && why != NULL);
	free(text);
	return 0;
}
