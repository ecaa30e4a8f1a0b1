/* A host name as a program may write it: a sign is one of four, needles add nothing but their own, and a secret is found wherever it stands and
 * however it is encoded. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/needle.h"
#include "policy/tunnel.h"

#define SECRET "ghp_Q3sPzY0pQuKw5YwVtNpG"
#define ROOM 100 /* for what stands before or behind it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const encodings[] = {
	"ghp-q3spzy0pqukw5ywvtnpg", "6768705f513373507a593070.51754b7735597756744e7047", "m5uhax2rgnzva6szgbyfc5klo42vs52wo.rhhary",
	"Z2hwX1Ezc1B6WTBwUXVLdzVZd1Z0TnBH", "z2hwx1ezc1b6wtbwuxvldzvzd1z0tnbh",
};

static void check_found(const char *name, size_t len, char *const needles[])
{
	char text[2 * ROOM + 128];
	int some = (int)(len < ROOM ? len : ROOM);

	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++) {
		snprintf(text, sizeof(text), "%.*s.%s.%.*s", some, name, encodings[i], some, name);
		assert(tunnel_judge(text, needles) == TUNNEL_SECRET);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *needles[] = {(char *)SECRET, (char *)"https://user:Rzx8mNwQ2vLkT@host.example/", NULL}, *own[] = {NULL, NULL};
	char *name = malloc(size + 1);

	memcpy(name, data, size);
	name[size] = '\0';
	enum tunnel_sign plain = tunnel_judge(name, NULL), sign = tunnel_judge(name, needles);
	assert(plain <= TUNNEL_DATA && (sign == TUNNEL_SECRET || sign == plain));
	assert(*tunnel_text(sign) || sign == TUNNEL_NONE);
	needle_in(name, size, needles);
	own[0] = name; /* a needle of any bytes */
	needle_in(SECRET, strlen(SECRET), own);
	check_found(name, size, needles);
	free(name);
	return 0;
}
