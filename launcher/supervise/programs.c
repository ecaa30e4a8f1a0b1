#include "programs.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "launcher/sandbox/filter.h"
#include "supervisor.h"

static int built[PROGRAM_COUNT] = {-ENOENT, -ENOENT, -ENOENT};
static pthread_t builder;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool building;

static void *build(void *argument)
{
	const struct run *run = argument;
	const struct caps *caps = run->caps;
	struct filter_options options = {
		.landlock_abi = caps->landlock_abi, .signals_scoped = caps->landlock_abi >= 6 && !run->audit, .unix_connect = caps->pidfd_getfd,
		.audit = run->audit,
	};
	/* By what the machine has, under --audit as well. */
	enum filter_kind sandbox = caps->namespaces ? FILTER_SANDBOX : FILTER_SANDBOX_PLAIN;

	/* What is needed first, first. */
	if (run->installer != NULL) {
		built[PROGRAM_INSTALLER] = filter_build(FILTER_INSTALLER, &options);
	}
	built[PROGRAM_SANDBOX] = filter_build(sandbox, &options);
	if (run->installer != NULL && run->installer->local_dirs.n > 0) {
		options.served = true;
		built[PROGRAM_SERVED] = filter_build(sandbox, &options);
	}
	return NULL;
}

int programs_start(const struct run *run)
{
	int error = pthread_create(&builder, NULL, build, (void *)run);

	building = error == 0;
	return -error;
}

int programs_get(enum program which)
{
	pthread_mutex_lock(&lock);
	if (building) {
		pthread_join(builder, NULL);
		building = false;
	}
	pthread_mutex_unlock(&lock);
	return built[which];
}
