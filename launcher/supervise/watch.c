#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "begun.h"
#include "launcher/base/clock.h"
#include "session.h"

#define ROLLBACK_SECONDS 30 /* what pip gets to take back a half-done installation before it is killed */
#define GUEST_MILLISECONDS 5000 /* what a guest's session gets to end by itself */
#define FOLLOWING_TRIES 100 /* a millisecond each */
#define GROUP_MILLISECONDS 1000 /* within this the guardian's word of a signal is of the one that came to the group */

static void end_command(struct watch *w, int signal)
{
	if (w->sup->command > 0) {
		kill(w->sup->command, signal);
	}
}

/* The run is to end: pip at once while it has not begun to write, else by its own rollback. */
static void carry_out_abort(struct watch *w)
{
	struct supervisor *s = w->sup;

	if (w->asked || atomic_load(&s->abort_status) == 0) {
		return;
	}
	w->asked = true;
	if (s->installer != NULL && atomic_load(&s->abort_status) == 100 && begun()) {
		end_command(w, SIGINT);
		w->kill_after = clock_milliseconds() + ROLLBACK_SECONDS * 1000;
	} else {
		end_command(w, SIGKILL);
	}
	if (s->installer == NULL) {
		w->kill_after = clock_milliseconds() + GUEST_MILLISECONDS; /* the guest's session ends by itself: its init is dead */
	}
}

void supervisor_stopped(struct supervisor *s, int signal, pid_t group)
{
	struct told *told = s->run->told;

	if (signal != 0) {
		atomic_store(&told->group, group);
		atomic_store(&told->stopped, signal);
		kill(getppid(), SIGCHLD);
		return;
	}
	atomic_store(&told->stopped, 0);
	/* It may be about to stop, and would miss the first one. */
	for (int i = 0; i < FOLLOWING_TRIES && atomic_load(&told->following); i++) {
		kill(getppid(), SIGCONT);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

static void reap(struct watch *w)
{
	struct supervisor *s = w->sup;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0 || (pid < 0 && errno == EINTR)) {
		if (pid < 0) {
			continue;
		}
		if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
			if (pid == s->command) {
				supervisor_stopped(s, WIFSTOPPED(status) ? WSTOPSIG(status) : 0, 0);
			}
		} else if (pid == s->command) {
			s->command = 0;
			w->status = status;
			w->done = true;
		} else if (pid == s->zygote.pid && atomic_load(&s->abort_status) == 0) {
			supervisor_abort(s, 125, "a part of pipwarden was killed: the command was ended");
		}
	}
	if (pid < 0 && !w->done) { /* no child is left whose end could be awaited */
		supervisor_abort(s, 125, "the command's end was not seen: the run was ended");
		w->done = true;
	}
}

/* Only what the guardian passes on, and of that only what was sent to it alone, is for the command: what came to the group (from the terminal, by killpg)
 * came to us too, and has reached the command.  A second one would end pip in the middle of its own ending. */
static bool has_reached_command(struct watch *w, const struct signalfd_siginfo *si)
{
	pid_t group = atomic_load(&w->sup->run->told->group);

	/* But a stopped guest that is a shell has a group of its own, and fg in the shell outside continues ours only. */
	if (si->ssi_signo == SIGCONT && group > 0 && group != getpgrp()) {
		return false;
	}
	if (si->ssi_pid != (uint32_t)getppid()) {
		w->to_group[si->ssi_signo] = clock_milliseconds();
		return true;
	}
	return w->to_group[si->ssi_signo] != 0 && clock_milliseconds() - w->to_group[si->ssi_signo] < GROUP_MILLISECONDS;
}

static void take_signal(struct watch *w)
{
	struct signalfd_siginfo si;

	if (read(w->signals, &si, sizeof si) != sizeof si) {
		return;
	}
	switch (si.ssi_signo) {
	case SIGCHLD:
		reap(w);
		break;
	case SIGTERM: case SIGHUP: case SIGINT: case SIGQUIT: case SIGUSR1: case SIGUSR2: case SIGCONT: case SIGTSTP:
		if (has_reached_command(w, &si)) {
			break;
		}
		if (w->sup->installer != NULL) {
			end_command(w, (int)si.ssi_signo);
		} else {
			session_guest_signal(w->sup, (int)si.ssi_signo);
		}
		break;
	}
}

static int next_timeout(const struct watch *w)
{
	int64_t next = w->deadline != 0 && (w->kill_after == 0 || w->deadline < w->kill_after) ? w->deadline : w->kill_after;

	if (next == 0) {
		return -1;
	}
	int64_t left = next - clock_milliseconds();
	return left < 0 ? 0 : (int)(left > 60000 ? 60000 : left);
}

static void look_at_clock(struct watch *w)
{
	int64_t now = clock_milliseconds();

	if (w->deadline != 0 && now >= w->deadline) {
		w->deadline = 0;
		supervisor_abort(w->sup, 100, "the time limit was reached: the command was ended");
	}
	if (w->kill_after != 0 && now >= w->kill_after) {
		w->kill_after = 0;
		end_command(w, SIGKILL);
		w->done = w->done || w->sup->installer == NULL;
	}
}

void watch_run(struct watch *w)
{
	struct supervisor *s = w->sup;
	struct pollfd fds[2] = {{.fd = w->signals, .events = POLLIN}, {.fd = s->wake, .events = POLLIN}};

	while (!w->done) {
		if (poll(fds, 2, next_timeout(w)) > 0) {
			uint64_t count;
			if (fds[1].revents != 0 && read(s->wake, &count, sizeof count) < 0) {
				continue;
			}
			if (fds[0].revents != 0) {
				take_signal(w);
			}
		}
		look_at_clock(w);
		carry_out_abort(w);
		if (s->installer == NULL && atomic_load(&s->guest_done)) {
			w->status = atomic_load(&s->guest_status);
			w->done = true;
		}
	}
}
