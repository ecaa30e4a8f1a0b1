/* guardian ─ subreaper above all; in the caller's process group and session, like the supervisor and the command, so that the terminal's Ctrl-C and Ctrl-Z
 * reach the command directly.  Signals that were sent to the guardian alone (kill, a service manager) are passed on through the supervisor.
 *
 *   supervisor ends by itself    its exit status is the run's
 *   supervisor is killed         the kernel has closed its listeners (every notified call fails) and sent pip and the zygote their parent-death
 *                                signal; what still lives is killed here: 125 */
#include "guardian.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/base/rundir.h"
#include "launcher/base/signals.h"
#include "launcher/base/tree.h"

#define KILL_MILLISECONDS 2000

/* Stops as the terminal asked; the default action also knows of orphaned process groups, which do not stop. */
static void stop_self(void)
{
	sigset_t one;

	signal(SIGTSTP, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &one, NULL); /* here it stops, and here it goes on */
	sigprocmask(SIG_BLOCK, &one, NULL);
}

static void take(const siginfo_t *si, pid_t supervisor)
{
	bool sent = si->si_code == SI_USER || si->si_code == SI_QUEUE || si->si_code == SI_TKILL;

	if (sent && si->si_pid != supervisor) {
		kill(supervisor, si->si_signo);
	}
	if (si->si_signo == SIGTSTP) {
		stop_self();
	}
}

/* The supervisor's wait status. */
static int watch(pid_t supervisor)
{
	sigset_t all;
	int status = 0;

	sigfillset(&all);
	for (;;) {
		siginfo_t si;
		pid_t pid;

		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid == supervisor) {
				return status;
			}
		}
		if (sigwaitinfo(&all, &si) < 0) {
			continue;
		}
		if (si.si_signo != SIGCHLD && si.si_signo != SIGTTOU && si.si_signo != SIGTTIN && si.si_signo != SIGWINCH) {
			take(&si, supervisor);
		}
	}
}

/* A guest with job control leaves the terminal to a process group that is gone. */
static void take_terminal_back(pid_t foreground)
{
	sigset_t one;

	if (foreground != getpgrp() || tcgetpgrp(STDIN_FILENO) == foreground) {
		return;
	}
	sigemptyset(&one);
	sigaddset(&one, SIGTTOU);
	sigprocmask(SIG_BLOCK, &one, NULL);
	tcsetpgrp(STDIN_FILENO, foreground);
}

int guardian_run(struct run *run)
{
	pid_t foreground = tcgetpgrp(STDIN_FILENO), supervisor;
	sigset_t all, before;
	int status;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	run->blocked = signals_of(&before);
	run->ignored = signals_ignored();
	signal(SIGCHLD, SIG_DFL); /* a parent that ignores it would take our children's status away */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	supervisor = fork();
	if (supervisor < 0) {
		perror("pipwarden: fork");
		return 125;
	}
	if (supervisor == 0) {
		_exit(supervisor_main(run));
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* it holds the user's environment */
	status = watch(supervisor);
	if (!tree_kill(getpid(), NULL, KILL_MILLISECONDS)) {
		fputs("pipwarden: processes of the run could not be ended\n", stderr);
	}
	take_terminal_back(foreground);
	rundir_remove(run->dir);
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "pipwarden: the supervisor was killed (signal %d): the command was ended\n", WTERMSIG(status));
		return 125;
	}
	return WEXITSTATUS(status);
}
