#include "launcher/supervise/domain.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/thread.h"
#include "launcher/sandbox/privilege.h"
#include "launcher/sandbox/ruleset.h"

#define STACK (128 * 1024)

void domain_init(struct domain *d, int ruleset, bool no_capabilities)
{
	*d = (struct domain){.rights = {.ruleset = ruleset, .none = no_capabilities}};
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
}

int domain_enter(const struct domain_rights *rights)
{
	int error;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	error = ruleset_enforce(rights->ruleset);
	return error < 0 ? error : privilege_drop(rights->none);
}

bool domain_usual(pid_t tid)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = tid};
	struct __user_cap_data_struct now[2];

	return geteuid() != 0 || (syscall(SYS_capget, &header, now) == 0 && privilege_kept(now[0].effective));
}

void domain_wear(pid_t tid)
{
	struct __user_cap_header_struct theirs = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = tid}, ours = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct wanted[2] = {{0}}, now[2] = {{0}};

	if (syscall(SYS_capget, &ours, now) < 0 || !(now[0].permitted | now[1].permitted))
		return; /* an ordinary user's: there is nothing to take */
	if (syscall(SYS_capget, &theirs, wanted) < 0)
		wanted[0].effective = wanted[1].effective = 0;
	for (int i = 0; i < 2; i++)
		wanted[i] = (struct __user_cap_data_struct){.effective = wanted[i].effective & now[i].permitted, .permitted = now[i].permitted};
	if (wanted[0].effective != now[0].effective || wanted[1].effective != now[1].effective)
		syscall(SYS_capset, &ours, wanted);
}

static void *serve(void *argument)
{
	struct domain *d = argument;

	prctl(PR_SET_NAME, "domain");
	pthread_mutex_lock(&d->lock);
	d->error = domain_enter(&d->rights);
	while (!d->stop) {
		if (d->run && !d->error)
			d->run(d->argument);
		d->run = NULL;
		pthread_cond_signal(&d->changed);
		pthread_cond_wait(&d->changed, &d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* When it is first needed: most sandboxes never do. */
static int start(struct domain *d)
{
	int r;

	if (d->rights.ruleset < 0)
		return -EACCES;
	r = thread_start(&d->thread, STACK, 0, serve, d);
	d->started = r == 0;
	return r;
}

int domain_run(struct domain *d, domain_func *f, void *argument)
{
	int error = 0;

	if (d == NULL)
		return -EACCES;
	pthread_mutex_lock(&d->lock);
	d->run = f;
	d->argument = argument;
	if (!d->started)
		error = start(d);
	else
		pthread_cond_signal(&d->changed);
	while (!error && d->run)
		pthread_cond_wait(&d->changed, &d->lock);
	d->run = NULL;
	error = error ? error : d->error;
	pthread_mutex_unlock(&d->lock);
	return error;
}

void domain_finish(struct domain *d)
{
	if (d->started) {
		pthread_mutex_lock(&d->lock);
		d->stop = true;
		pthread_cond_signal(&d->changed);
		pthread_mutex_unlock(&d->lock);
		pthread_join(d->thread, NULL);
	}
	d->started = false;
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->changed);
}
