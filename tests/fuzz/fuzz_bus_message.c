/* Any bytes as a message to a session's bus: read within its bounds, and what passes is a call to one of two names. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/supervise/bus_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char what[BUS_WHAT];
	size_t len = size >= BUS_HEAD ? bus_message_length(data) : 0;
	/* Exactly so long: a look beyond it is found by the sanitizer. */
	uint8_t *message = len && len <= size ? malloc(len) : NULL;

	if (!message)
		return 0;
	memcpy(message, data, len);
	if (bus_message_judge(message, len, what) == BUS_PASS) {
		must(message[1] == 1);
		must(!strncmp(what, "org.freedesktop.secrets ", 24) || !strncmp(what, "org.freedesktop.DBus ", 21));
	}
	must(memchr(what, '\0', sizeof what) != NULL);
	free(message);
	return 0;
}
