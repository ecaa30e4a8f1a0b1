/* Archives of pip: whatever the bytes, members stay within what their headers say, and a get-pip.py's payload within its text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct zip *z)
{
	struct zip_member m;
	size_t at = 0;

	for (int i = 0; i < 100 && inst_zip_next(z, &at, &m); i++) {
		char *text = inst_zip_read(z, &m);

		assert(at <= z->len && strlen(m.name) < sizeof m.name);
		assert(text == NULL || text[m.size] == '\0');
		free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zip payload, z = {malloc(size + 1), size, 0, 0, 0};

	memcpy(z.data, data, size);
	if (inst_zip_open(&z)) {
		read_all(&z);
	}
	if (inst_get_pip_payload((const char *)z.data, size, &payload)) {
		assert(payload.len <= size);
		read_all(&payload);
	}
	free(payload.data);
	free(z.data);
	return 0;
}
