/* A program's output: any bytes, in two pieces and as a whole, are the same. */
#include <stdint.h>
#include <stdlib.h>

#include "launcher/sandbox/escapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct escapes whole = {0}, pieces = {0};
	size_t cut = size > 0 ? data[0] % size : 0;
	unsigned all = escapes_look(&whole, data, size), first = escapes_look(&pieces, data, cut);
	unsigned rest = escapes_look(&pieces, data + cut, size - cut);

	if ((first & rest) != 0 || (first | rest) != all || whole.len > ESCAPE_KEPT || all >> ESCAPE_KINDS != 0) {
		abort();
	}
	return 0;
}
