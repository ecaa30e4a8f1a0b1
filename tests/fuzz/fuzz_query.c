/* A query of the event call, as the supervisor sees it after its copy: checked, then classified. */
#include <assert.h>
#include <string.h>

#include "launcher/names/names.h"
#include "launcher/supervise/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pw_query query = {0};
	struct pw_answer answer;
	char canonical[PW_HOST_MAX], again[PW_HOST_MAX];
	enum name_class class;

	memcpy(&query, data, size < sizeof query ? size : sizeof query);
	query.family %= 16;
	if (!query_is_valid(&query))
		return 0;
	memset(canonical, 0x5a, sizeof canonical);
	class = names_classify(query.host, canonical);
	assert(memchr(canonical, 0, sizeof canonical));
	if (class == NAME_BAD)
		return 0;
	assert(canonical[0]);
	for (const char *c = canonical; *c; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f && !(*c >= 'A' && *c <= 'Z'));
	/* The canonical form is one: what policy is asked about is what is resolved. */
	if (class != NAME_LITERAL)
		assert(strlen(canonical) <= 253 && canonical[strlen(canonical) - 1] != '.');
	if (class == NAME_LITERAL) {
		assert(names_classify(canonical, again) == class && !strcmp(canonical, again));
		names_local(canonical, AF_UNSPEC, &answer);
		assert(answer.error == 0 && answer.count == 1);
	}
	return 0;
}
