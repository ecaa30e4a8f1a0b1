/* A host name as a program may write it: a sign is one of four, needles add nothing but their own, and a secret is found wherever it stands and
 * however it is encoded. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tunnel.h"

#define SECRET "ghp_Q3sPzY0pQuKw5YwVtNpG"
#define ROOM 100 /* for what stands before or behind it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const encodings[] = {
	"ghp-q3spzy0pqukw5ywvtnpg", "6768705f513373507a593070.51754b7735597756744e7047", "m5uhax2rgnzva6szgbyfc5klo42vs52wo.rhhary",
	"Z2hwX1Ezc1B6WTBwUXVLdzVZd1Z0TnBH", "z2hwx1ezc1b6wtbwuxvldzvzd1z0tnbh",
};

static void check_found(const char *name, size_t len, const struct needles *needles)
{
	char text[2 * ROOM + 128];
	int some = (int)(len < ROOM ? len : ROOM);

	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++) {
		snprintf(text, sizeof(text), "%.*s.%s.%.*s", some, name, encodings[i], some, name);
		assert(tunnel_judge(text, needles, NULL) == TUNNEL_SECRET);
	}
}

static struct needles *made_of(const char *one, const char *other)
{
	struct needles *n = needles_new(NEEDLE_NAME);

	assert(n && needles_add(n, one, NULL, 0) && (!other || needles_add(n, other, NULL, 1)));
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct needles *needles;
	struct needle_hits hits = {.n = 0};
	char *name = malloc(size + 1);

	if (!needles)
		needles = made_of(SECRET, "https://user:Rzx8mNwQ2vLkT@host.example/");
	memcpy(name, data, size);
	name[size] = '\0';
	enum tunnel_sign plain = tunnel_judge(name, NULL, NULL), sign = tunnel_judge(name, needles, NULL);
	assert(plain <= TUNNEL_DATA && (sign == TUNNEL_SECRET || sign == plain));
	assert(*tunnel_text(sign) || sign == TUNNEL_NONE);
	struct needles *own = made_of(name, NULL); /* a needle of any bytes */
	needles_search(own, SECRET, strlen(SECRET), &hits);
	needles_free(own);
	check_found(name, size, needles);
	free(name);
	return 0;
}
