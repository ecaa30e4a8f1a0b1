/* `enter`'s request: whatever the bytes, parsing is bounded, and what was accepted means the same after another round. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/sandbox/start.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(char **v)
{
	size_t n = 0;

	while (v[n] != NULL) {
		n++;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct start a, b;

	if (start_parse((const char *)data, size, &a) != 0) {
		assert(a.memory == NULL);
		return 0;
	}
	assert(a.nfds <= FD_PASS_MAX && strlen(a.path) < size && strlen(a.cwd) < size);
	for (uint32_t i = 1; i < a.nfds; i++) {
		assert(a.fd_number[i] > a.fd_number[i - 1]);
	}
	int fd = start_encode(&a);
	assert(fd >= 0 && start_decode(fd, &b) == 0);
	close(fd);
	assert(strcmp(a.path, b.path) == 0 && strcmp(a.cwd, b.cwd) == 0 && count(a.argv) == count(b.argv) && count(a.envp) == count(b.envp));
	for (size_t i = 0; a.argv[i] != NULL; i++) {
		assert(strcmp(a.argv[i], b.argv[i]) == 0);
	}
	start_finish(&a);
	start_finish(&b);
	return 0;
}
