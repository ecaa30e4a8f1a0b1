#include "birth.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "compat.h"
#include "filter.h"
#include "privilege.h"
#include "ruleset.h"

enum step { STEP_LISTENER, STEP_UNSHARED, STEP_SIGNALS, STEP_LANDLOCK, STEP_CAPABILITIES, STEP_SECCOMP, STEP_EXEC, STEP_GO };
static const char *const step_names[] = {
	[STEP_LISTENER] = "listener", [STEP_UNSHARED] = "descriptors", [STEP_SIGNALS] = "signals", [STEP_LANDLOCK] = "landlock",
	[STEP_CAPABILITIES] = "capabilities", [STEP_SECCOMP] = "seccomp", [STEP_EXEC] = "exec", [STEP_GO] = "supervisor",
};

struct report {
	int32_t step;
	int32_t value; /* descriptor, or errno */
};

static void tell(int channel, enum step step, int value)
{
	struct report r = {.step = step, .value = value};

	if (fd_write_all(channel, &r, sizeof r) < 0) {
		_exit(126); /* the parent must not wait for a word that does not come, nor we for its answer */
	}
}

static void __attribute__((noreturn)) fail(int channel, enum step step, int error)
{
	tell(channel, step, error);
	_exit(step == STEP_EXEC && error == ENOENT ? 127 : 126);
}

/* Signal state as the requester had it: dispositions default or ignored, mask. */
static void restore_signals(const struct start *s)
{
	sigset_t mask;

	for (int n = 1; n < NSIG; n++) {
		bool ignored = n <= 64 && (s->ignored >> (n - 1) & 1) != 0;
		if (n != SIGKILL && n != SIGSTOP) {
			signal(n, ignored ? SIG_IGN : SIG_DFL);
		}
	}
	sigemptyset(&mask);
	for (int n = 1; n <= 64; n++) {
		if ((s->blocked >> (n - 1) & 1) != 0) {
			sigaddset(&mask, n);
		}
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* Landlock, capabilities, limits: all that restricts without a question. */
static void restrict_self(int channel, const struct start *s, int ruleset_fd)
{
	int r;

	bounds_set(&s->bounds, (s->flags & START_OWN_USERS) != 0);
	if ((r = ruleset_enforce(ruleset_fd)) < 0) {
		fail(channel, STEP_LANDLOCK, -r);
	}
	if ((r = privilege_drop((s->flags & START_DROP_ALL) != 0)) < 0) {
		fail(channel, STEP_CAPABILITIES, -r);
	}
}

static void __attribute__((noreturn)) child(int channel, const struct start *s, int ruleset_fd, int program_fd)
{
	char go;
	int listener;

	if ((s->flags & START_SESSION) != 0) {
		setsid();
	}
	umask(s->umask & 0777);
	restore_signals(s);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) { /* before Landlock and seccomp: an ordinary user may not restrict itself without */
		fail(channel, STEP_LANDLOCK, errno);
	}
	if ((s->flags & START_AUDIT) == 0) {
		restrict_self(channel, s, ruleset_fd);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of credentials, which clears it */
	listener = filter_load(program_fd, (s->flags & START_WAIT_KILLABLE) != 0);
	if (listener < 0) {
		fail(channel, STEP_SECCOMP, -listener);
	}
	tell(channel, STEP_LISTENER, listener);
	if (read(channel, &go, 1) != 1) { /* nobody serves the listener: the parent is gone */
		_exit(126);
	}
	if (syscall(SYS_close_range, listener, listener, CLOSE_RANGE_UNSHARE) < 0) {
		fail(channel, STEP_UNSHARED, errno);
	}
	tell(channel, STEP_UNSHARED, 0);
	execve(s->path, s->argv, s->envp);
	fail(channel, STEP_EXEC, errno);
}

int birth_fork(struct birth *b, const struct start *start, int ruleset_fd, int program_fd)
{
	int pair[2];

	b->pid = -1;
	b->channel = b->child_channel = b->pidfd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	/* A raw clone: fork with a shared descriptor table. */
	b->pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (b->pid < 0) {
		int error = errno;
		close(pair[0]);
		close(pair[1]);
		return -error;
	}
	if (b->pid == 0) {
		child(pair[1], start, ruleset_fd, program_fd);
	}
	/* The child's end stays open in the shared table until the child has a table of its own. */
	b->channel = pair[0];
	b->child_channel = pair[1];
	b->pidfd = (int)syscall(SYS_pidfd_open, b->pid, 0);
	return b->pidfd < 0 ? -errno : 0;
}

/* A report, or 0 when there is none any more.  The shared table keeps the child's end open even when the child is dead, so its pidfd is watched too. */
static ssize_t next_report(struct birth *b, struct report *r)
{
	struct pollfd fds[2] = {{.fd = b->channel, .events = POLLIN}, {.fd = b->pidfd, .events = POLLIN}};
	ssize_t n;

	while (poll(fds, 2, -1) < 0 && errno == EINTR) {
	}
	if ((fds[0].revents & (POLLIN | POLLHUP)) == 0) {
		return 0;
	}
	do {
		n = read(b->channel, r, sizeof *r);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* The next report, which must be of `step`. */
static int await(struct birth *b, enum step step, const char **name)
{
	struct report r;
	ssize_t n = next_report(b, &r);

	if (n != sizeof r || r.step < 0 || r.step > STEP_GO) {
		*name = "start";
		return n < 0 ? -errno : -ESRCH; /* the child died */
	}
	*name = step_names[r.step];
	if (r.step != (int32_t)step) {
		return r.value > 0 ? -r.value : -EPROTO;
	}
	return r.value;
}

int birth_listener(struct birth *b, const char **step)
{
	return await(b, STEP_LISTENER, step);
}

int birth_go(struct birth *b)
{
	return fd_write_all(b->channel, "g", 1);
}

int birth_unshared(struct birth *b, const char **step)
{
	int r = await(b, STEP_UNSHARED, step);
	close_fd(&b->child_channel);
	return r > 0 ? -r : r; /* the child's errno */
}

int birth_result(struct birth *b, const char **step)
{
	struct report r;
	ssize_t n = next_report(b, &r);

	close_fd(&b->channel);
	close_fd(&b->pidfd);
	if (n == 0) { /* closed by the exec */
		return 0;
	}
	*step = n == sizeof r && r.step >= 0 && r.step <= STEP_GO ? step_names[r.step] : "start";
	return n == sizeof r && r.value > 0 ? -r.value : -EPROTO;
}
