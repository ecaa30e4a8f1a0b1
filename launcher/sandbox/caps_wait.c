#include "caps_wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"

int64_t caps_deadline(void)
{
	return clock_milliseconds() + CAPS_PATIENCE_MS;
}

bool caps_reap(pid_t pid, int64_t deadline)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int64_t left = deadline - clock_milliseconds();
	int status;

	if (pidfd < 0 || poll(&p, 1, left > 0 ? (int)left : 0) != 1) {
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return false;
		}
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
