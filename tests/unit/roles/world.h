/* What the tests of roles take down alike. */
#ifndef TESTS_UNIT_ROLES_WORLD_H
#define TESTS_UNIT_ROLES_WORLD_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "launcher/supervise/supervisor.h"

static inline void world_remove(const char *root)
{
	char command[PATH_MAX + 20];

	snprintf(command, sizeof command, "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

static inline void world_free_owners(struct supervisor *s)
{
	for (size_t i = 0; i < s->owner_count; i++) {
		free(s->owners[i].directory);
		free(s->owners[i].package);
	}
	free(s->owners);
}

#endif
