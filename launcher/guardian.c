/* guardian ─ subreaper above all; in the caller's process group and session, like the supervisor and the command, so that the terminal's Ctrl-C and Ctrl-Z
 * reach the command directly.  Signals that were sent to the guardian alone (kill, a service manager) are passed on through the supervisor.
 *
 *   the command stops            so does the guardian, in the same way and not before: a shell that took the terminal while the command has yet to stop
 *                                would find it still reading there
 *   supervisor ends by itself    its exit status is the run's; where Ctrl-C ended the command, the guardian dies of it too
 *   supervisor is killed         the kernel has closed its listeners (every notified call fails) and sent pip and the zygote their parent-death
 *                                signal; what still lives is killed here: 125 */
#include "guardian.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/base/rundir.h"
#include "launcher/base/signals.h"
#include "launcher/base/tree.h"

#define KILL_MILLISECONDS 2000

/* Of the session that we are in; -1: it has none. */
static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static pid_t foreground(void)
{
	cleanup_fd int terminal = open_terminal();

	return terminal < 0 ? -1 : tcgetpgrp(terminal);
}

/* Gives the terminal to a process group.  All signals are blocked, so nothing stops us for doing it from the background. */
static void set_foreground(pid_t group)
{
	cleanup_fd int terminal = open_terminal();

	if (terminal >= 0) {
		tcsetpgrp(terminal, group);
	}
}

/* Takes the default action of a signal: that one also knows of orphaned process groups, which do not stop. */
static void act(int signal_number)
{
	sigset_t one;

	signal(signal_number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, signal_number);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &one, NULL); /* here it stops or ends */
	sigprocmask(SIG_BLOCK, &one, NULL);
}

/* Stops if the command has. */
static void follow(struct told *told)
{
	atomic_store(&told->following, true); /* before the look: whoever takes the word back after it sends SIGCONT */
	int signal_number = atomic_exchange(&told->stopped, 0);
	if (signal_number != 0) {
		act(signal_number);
		/* A shell with fg gives the terminal to our group; a guest that is a shell itself has one of its own. */
		pid_t group = atomic_load(&told->group);
		if (group > 0 && group != getpgrp() && foreground() == getpgrp()) {
			set_foreground(group);
		}
	}
	atomic_store(&told->following, false);
}

static void take(const siginfo_t *si, pid_t supervisor)
{
	bool sent = si->si_code == SI_USER || si->si_code == SI_QUEUE || si->si_code == SI_TKILL;

	if (sent && si->si_pid != supervisor) {
		kill(supervisor, si->si_signo);
	}
}

/* The supervisor's wait status. */
static int watch(pid_t supervisor, struct told *told)
{
	sigset_t all;
	int status = 0;

	sigfillset(&all);
	for (;;) {
		siginfo_t si;
		pid_t pid;

		while ((pid = waitpid(-1, &status, WNOHANG)) > 0 || (pid < 0 && errno == EINTR)) {
			if (pid == supervisor) {
				return status;
			}
		}
		if (pid < 0) { /* it is not there any more, however it went */
			return SIGKILL;
		}
		follow(told);
		if (sigwaitinfo(&all, &si) < 0) {
			continue;
		}
		if (si.si_signo != SIGCHLD && si.si_signo != SIGTTOU && si.si_signo != SIGTTIN && si.si_signo != SIGWINCH) {
			take(&si, supervisor);
		}
	}
}

int guardian_run(struct run *run)
{
	bool had_terminal = foreground() == getpgrp();
	struct told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t all, before;
	pid_t supervisor;
	int status;

	if (told == MAP_FAILED) {
		perror("pipwarden: memory");
		return 125;
	}
	run->told = told;
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &before) < 0) { /* nothing that ends would be noticed */
		perror("pipwarden: signals");
		return 125;
	}
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
	status = watch(supervisor, told);
	if (!tree_kill(getpid(), NULL, KILL_MILLISECONDS)) {
		fputs("pipwarden: processes of the run could not be ended\n", stderr);
	}
	if (had_terminal && foreground() != getpgrp()) {
		set_foreground(getpgrp()); /* a guest with job control leaves it to a process group that is gone */
	}
	rundir_remove(run->dir);
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "pipwarden: the supervisor was killed (signal %d): the command was ended\n", WTERMSIG(status));
		return 125;
	}
	if (atomic_load(&told->interrupted)) {
		act(SIGINT); /* a shell looks at how Ctrl-C ended its child before it ends a script's loop; 128+N is the same to whoever reads $? */
	}
	return WEXITSTATUS(status);
}
