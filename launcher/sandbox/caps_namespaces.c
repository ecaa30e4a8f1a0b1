#include "caps_namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caps_wait.h"
#include "launcher/base/fd.h"
#include "privilege.h"

enum step { STEP_NONE, STEP_USER, STEP_CLONE, STEP_INSIDE };

static void __attribute__((noreturn)) fail(struct namespaces_probe *p, enum step step, int error)
{
	p->step = step;
	p->error = error;
	_exit(1);
}

static void __attribute__((noreturn)) inside(struct namespaces_probe *p)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int r = p->whole ? 0 : privilege_network_likely();
	if (r == 0) {
		r = privilege_namespaces(p->whole);
	}
	if (r < 0) {
		fail(p, STEP_INSIDE, -r);
	}
	_exit(0);
}

static pid_t clone_inside(struct namespaces_probe *p)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		inside(p);
	}
	if (pid < 0) {
		p->step = STEP_CLONE;
		p->error = errno;
	}
	return pid;
}

static void __attribute__((noreturn)) user_child(struct namespaces_probe *p)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int r = privilege_user_namespace();
	if (r < 0) {
		fail(p, STEP_USER, -r);
	}
	pid_t pid = clone_inside(p);
	_exit(pid > 0 && namespaces_probe_end(pid) ? 0 : 1);
}

/* Asked where the limit is visible: in a new user namespace there is one that is none. */
static bool no_network_is_left(void)
{
	cleanup_fd int limit = open("/proc/sys/user/max_net_namespaces", O_RDONLY | O_CLOEXEC);
	char first;

	return limit >= 0 && read(limit, &first, 1) == 1 && first == '0';
}

pid_t namespaces_probe_start(struct namespaces_probe *p)
{
	pid_t pid;

	if (!p->whole && no_network_is_left()) {
		p->step = STEP_INSIDE;
		p->error = ENOSPC;
		return -1;
	}
	if (!p->user) {
		return clone_inside(p);
	}
	pid = fork();
	if (pid == 0) {
		user_child(p);
	}
	return pid;
}

bool namespaces_probe_end(pid_t child)
{
	return caps_reap(child, caps_deadline());
}

const char *namespaces_probe_why(const struct namespaces_probe *p)
{
	switch ((enum step)p->step) {
	case STEP_USER:
		return p->error == ENOSPC ? "no more user namespaces are allowed (user.max_user_namespaces)"
		                          : "user namespaces are refused (kernel.unprivileged_userns_clone, or a container's profile)";
	case STEP_CLONE:
		return p->error == ENOSPC ? "no more namespaces are allowed (user.max_pid_namespaces)" : "PID namespaces are refused";
	case STEP_INSIDE:
		if (p->error == ENOSPC) {
			return "no more namespaces are allowed (user.max_net_namespaces, max_ipc_namespaces, max_mnt_namespaces)";
		}
		return p->user ? "a user namespace has no rights here (kernel.apparmor_restrict_unprivileged_userns), or a container's /proc is partly covered"
		               : "network, IPC or mount namespaces, mounting /proc or raising the loopback are refused (a container's profile)";
	case STEP_NONE:
		break;
	}
	return "the probe did not end in time";
}
