/* Any bytes as an answer: what passes is bounded, of known families and printable.  The same bytes as a
 * host: what counts as a literal is one of a known family. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "preload/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(const uint8_t *data, size_t size)
{
	char *host = malloc(size + 1);
	struct pw_address address;

	memcpy(host, data, size);
	host[size] = '\0';
	if (answer_is_literal(host, &address))
		assert(address.family == AF_INET || address.family == AF_INET6);
	free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pw_answer answer;
	char text[ANSWER_TEXT];

	memset(&answer, 0, sizeof(answer));
	memcpy(&answer, data, size < sizeof(answer) ? size : sizeof(answer));
	if (answer_check(&answer, size)) {
		check_host(data, size);
		return 0;
	}
	assert(answer.count > 0 && answer.count <= PW_ANSWER_MAX);
	assert(size >= offsetof(struct pw_answer, address) + answer.count * sizeof(answer.address[0]));
	for (uint32_t i = 0; i < answer.count; i++) {
		assert(answer.address[i].family == AF_INET || answer.address[i].family == AF_INET6);
		answer_text(&answer.address[i], text);
		assert(text[0] && strlen(text) < sizeof(text));
	}
	return 0;
}
