#include "programs.h"

#include <errno.h>

#include "launcher/sandbox/filter.h"
#include "supervisor.h"

static int made[PROGRAM_COUNT] = {-ENOENT, -ENOENT};

int programs_make(const struct run *run)
{
	const struct caps *caps = run->caps;
	struct filter_options options = {
		.signals_scoped = caps->landlock_abi >= 6 && !run->audit, .unix_connect = caps->pidfd_getfd, .audit = run->audit,
	};
	/* By what the machine has, under --audit as well. */
	enum filter_kind sandbox = caps->namespaces ? FILTER_SANDBOX : FILTER_SANDBOX_PLAIN;
	int error = made[PROGRAM_SANDBOX] = filter_build(sandbox, &options);

	if (error >= 0 && run->installer != NULL) {
		error = made[PROGRAM_INSTALLER] = filter_build(FILTER_INSTALLER, &options);
	}
	return error < 0 ? error : 0;
}

int programs_get(enum program which)
{
	return made[which];
}
