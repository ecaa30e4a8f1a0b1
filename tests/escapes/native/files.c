/* Secrets by raw system calls. */
#include "../native.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* SE-09: a static program prints its environment. */
ACT(environ_static)
{
	static char text[65536];
	size_t used = 0;
	for (char **p = environ; *p && used + strlen(*p) + 1 < sizeof text; p++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", *p);
	loot(text, used);
	return 0;
}
