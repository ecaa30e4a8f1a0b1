/* Any first bytes of a file: an interpreter that is found lies inside them and ends inside them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "preload/exec_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char head[EXEC_HEAD_SIZE];
	struct exec_interp interp;
	size_t len = size < sizeof(head) ? size : sizeof(head);

	memset(head, 0xa5, sizeof(head));
	memcpy(head, data, len);
	if (exec_head(head, len, &interp)) {
		assert(!interp.path || interp.script == (data[0] == '#'));
		return 0;
	}
	assert(len >= 2); /* nothing shorter is a program */
	if (!interp.path)
		return 0;
	assert(interp.path >= head && interp.path < head + sizeof(head));
	assert(!interp.argument || (interp.script && interp.argument > interp.path && memchr(interp.argument, '\0', (size_t)(head + sizeof(head) - interp.argument))));
	assert(memchr(interp.path, '\0', (size_t)(head + sizeof(head) - interp.path)));
	return 0;
}
