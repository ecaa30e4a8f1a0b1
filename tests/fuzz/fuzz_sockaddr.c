/* sockaddr_describe: any bytes, any length. */
#include <assert.h>
#include <string.h>
#include <sys/un.h>

#include "launcher/names/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_storage sa;
	struct sockaddr_text to, again;
	socklen_t len = (socklen_t)(size > 2 * sizeof sa ? 2 * sizeof sa : size);
	bool known;

	memset(&sa, 0xa5, sizeof sa); /* what lies behind len must not show */
	memcpy(&sa, data, size < sizeof sa ? size : sizeof sa);
	memset(&to, 0x5a, sizeof to);
	known = sockaddr_describe(&sa, len, &to);
	assert(memchr(to.address, 0, sizeof to.address));
	if (!known)
		return 0;
	assert(len <= sizeof sa && to.family == sa.ss_family);
	assert(to.address[0]);
	assert(to.port <= 65535);
	if (to.family == AF_UNIX) {
		assert(!to.loopback && !to.mapped && to.port == 0 && len <= sizeof(struct sockaddr_un));
		assert(to.abstract_name == (to.address[0] == '@' && ((const char *)&sa)[sizeof sa.ss_family] == 0));
	} else {
		assert(to.family == AF_INET || to.family == AF_INET6);
		assert(strspn(to.address, "0123456789abcdef:.") == strlen(to.address));
		assert(!to.mapped || (to.family == AF_INET6 && !strchr(to.address, ':')));
	}
	memset((char *)&sa + (len < sizeof sa ? len : sizeof sa), 0, sizeof sa - (len < sizeof sa ? len : sizeof sa));
	assert(sockaddr_describe(&sa, len, &again) && !memcmp(&to, &again, sizeof to));
	return 0;
}
