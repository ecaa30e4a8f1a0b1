#include "launcher/supervise/sweep.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_known(const struct sweep *s, const struct sockaddr_text *to)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->seen[i].port == to->port && !strcmp(s->seen[i].address, to->address))
			return true;
	}
	return false;
}

static void become_network(struct sockaddr_text *to)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET, to->address, bytes) == 1) {
		bytes[3] = 0;
		inet_ntop(AF_INET, bytes, text, sizeof text);
		snprintf(to->address, sizeof to->address, "%s/24", text);
	} else if (inet_pton(AF_INET6, to->address, bytes) == 1) {
		memset(bytes + 6, 0, 10);
		inet_ntop(AF_INET6, bytes, text, sizeof text);
		snprintf(to->address, sizeof to->address, "%s/48", text);
	}
	to->port = 0;
}

bool sweep_folds(struct sweep *s, struct sockaddr_text *to)
{
	if (!s || strlen(to->address) >= sizeof s->seen[0].address || is_known(s, to))
		return false;
	if (s->count < SWEEP_AFTER) {
		s->seen[s->count].port = to->port;
		memcpy(s->seen[s->count++].address, to->address, strlen(to->address) + 1);
		return false;
	}
	become_network(to);
	return true;
}
