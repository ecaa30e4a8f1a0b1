/* enter: what every program that pip starts becomes first, and what knows passwords of those that a version control tool starts.  Still pip's (its) child: pip waits for it, signals it, reads its status; the program itself is
 * born in a sandbox of its own (zygote.c, init.c).
 *
 *     the shim execs enter with argv untouched and PIPWARDEN_EXEC=path in the environment
 *     event call ENTER ─▶ a socket;  request (path, argv, environment, directory, descriptors, umask, signals) ─▶
 *     ◀─ RUN:     copy terminal output, pass signals on, wait for STATUS, end in the same way
 *     ◀─ WRITE:   before STATUS: put a file into the environment, as `setup.py develop` would have (supervise/develop.h)
 *     ◀─ SUBPIP:  execute what the supervisor says: a pip that pip starts for build isolation
 *     ◀─ REFUSED: 126, after a line on standard error
 *     ◀─ STATUS:  at once, where there is nothing to start: without that variable its argument is a question to the user
 *
 * Without a supervisor (the event call fails) nothing is executed: 126.  It decides nothing, so it may run in anybody's hands; statically linked, which
 * saves a third of its start, and no shim can be loaded into it.  Single-threaded. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "launcher/base/environment.h"
#include "launcher/base/signals.h"
#include "preload/pw_event.h"
#include "escapes.h"
#include "start.h"

#define WRITE_MAX (2u << 20) /* bytes of a file that is written for the supervisor */

static void __attribute__((noreturn, format(printf, 1, 2))) refuse(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("pipwarden: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(126);
}

static bool passes(int fd)
{
	struct stat st;

	if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 || fstat(fd, &st) < 0) {
		return false;
	}
	/* The supervisor looks again; this only keeps the request small. */
	return fd <= 2 || S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode);
}

/* Our open descriptors that go along, ascending: 0 to 2 (opened as /dev/null where closed), pipes and plain files. */
static uint32_t collect_descriptors(int32_t *numbers)
{
	int open_fds[FD_LIST_MAX];
	size_t count;
	uint32_t n = 0;

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			int null = open("/dev/null", O_RDWR);
			if (null != fd) {
				dup2(null, fd);
				close(null);
			}
		}
	}
	count = fd_numbers(open_fds, FD_LIST_MAX);
	for (size_t i = 0; i < count && n < FD_PASS_MAX; i++) {
		if (passes(open_fds[i])) {
			numbers[n++] = open_fds[i];
		}
	}
	return n;
}

static void send_request(int sock, char **argv, char *path)
{
	static char cwd[4096];
	struct start s = {.path = path, .argv = argv, .envp = environ, .cwd = cwd};
	int fds[FD_PASS_MAX + 2];
	sigset_t mask;

	if (getcwd(cwd, sizeof cwd) == NULL) {
		cwd[0] = '\0';
	}
	s.nfds = collect_descriptors(s.fd_number);
	s.umask = umask(022);
	umask(s.umask);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	s.blocked = signals_of(&mask);
	s.ignored = signals_ignored();
	fds[0] = start_encode(&s);
	fds[1] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fds[0] < 0 || fds[1] < 0) {
		refuse("%s: cannot describe the program to the supervisor: %s", path, strerror(fds[0] < 0 ? -fds[0] : errno));
	}
	for (uint32_t i = 0; i < s.nfds; i++) {
		fds[2 + i] = s.fd_number[i];
	}
	int r = fd_send(sock, "s", 1, fds, 2 + s.nfds);
	if (r < 0) {
		refuse("%s: the supervisor does not answer: %s", path, strerror(-r));
	}
	close(fds[0]);
	close(fds[1]);
}

/* Ends as the program ended. */
static void __attribute__((noreturn)) end_like(int status)
{
	if (WIFSIGNALED(status)) {
		sigset_t one;
		signal(WTERMSIG(status), SIG_DFL);
		sigemptyset(&one);
		sigaddset(&one, WTERMSIG(status));
		sigprocmask(SIG_UNBLOCK, &one, NULL);
		prctl(PR_SET_DUMPABLE, 0); /* no core of ours */
		raise(WTERMSIG(status));
		_exit(128 + WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

/* An output of the program: what came, once, unchanged. False: at its end, or where nobody reads it any more. */
static bool copy_once(int sock, struct escapes *look, int from, int to)
{
	static char buffer[65536];
	ssize_t n = read(from, buffer, sizeof buffer);

	if (n < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	unsigned found = escapes_look(look, buffer, (size_t)n);
	for (int kind = 0; kind < ESCAPE_KINDS; kind++) {
		if ((found & 1u << kind) != 0) {
			struct enter_message m = {.kind = ENTER_ESCAPE, .value = kind};
			fd_send(sock, &m, sizeof m, NULL, 0);
		}
	}
	return n > 0 && fd_write_all(to, buffer, (size_t)n) == 0;
}

static void pass_signal(int sock, int signals)
{
	struct signalfd_siginfo si;
	struct enter_message m = {.kind = ENTER_SIGNAL};

	if (read(signals, &si, sizeof si) != sizeof si) {
		return;
	}
	m.value = (int32_t)si.ssi_signo;
	fd_send(sock, &m, sizeof m, NULL, 0);
	if (si.ssi_signo == SIGTSTP) {
		kill(getpid(), SIGSTOP);
	}
}

/* *before: the mask that the program is to have. */
static int watch_signals(sigset_t *before)
{
	static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
		sigaddset(&set, passed[i]);
	}
	sigprocmask(SIG_BLOCK, &set, before);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A whole file, in one step, with this process's rights, which are pip's. */
static int write_file(int folder, int content, const char *name, mode_t mode)
{
	char temporary[64], *text = NULL;
	ssize_t len = fd_slurp(content, WRITE_MAX, &text);
	int fd, error;

	snprintf(temporary, sizeof temporary, ".pipwarden-%d", (int)getpid());
	fd = len < 0 ? -1 : openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0) {
		error = len < 0 ? (int)len : -errno;
		free(text);
		return error;
	}
	error = fd_write_all(fd, text, (size_t)len);
	if (error == 0 && renameat(folder, temporary, folder, name) < 0) {
		error = -errno;
	}
	if (error < 0) {
		unlinkat(folder, temporary, 0);
	}
	close(fd);
	free(text);
	return error;
}

static void write_one(int sock, struct enter_message *m, int *fds, size_t nfds)
{
	struct enter_message written = {.kind = ENTER_WRITTEN, .value = EPROTO};

	m->text[sizeof m->text - 1] = '\0';
	if (nfds == 2) {
		written.value = -write_file(fds[0], fds[1], m->text, (mode_t)m->value);
	}
	for (size_t i = 0; i < nfds; i++) {
		close(fds[i]);
	}
	if (fd_send(sock, &written, sizeof written, NULL, 0) < 0) {
		_exit(126); /* who waits for the word sees the end */
	}
}

/* All descriptors but these (-1: none), in any order. */
static void close_others(const int *kept, size_t count)
{
	for (unsigned from = 0;;) {
		unsigned next = ~0U;
		for (size_t i = 0; i < count; i++) {
			if (kept[i] >= 0 && (unsigned)kept[i] >= from && (unsigned)kept[i] < next) {
				next = (unsigned)kept[i];
			}
		}
		if (next > from) {
			syscall(SYS_close_range, from, next == ~0U ? next : next - 1, 0);
		}
		if (next == ~0U) {
			return;
		}
		from = next + 1;
	}
}

static void __attribute__((noreturn)) wait_for(int sock, int signals, const int *pipes, const int32_t *copy_to)
{
	struct pollfd fds[4] = {{.fd = sock, .events = POLLIN}, {.fd = signals, .events = POLLIN},
	                        {.fd = pipes[0], .events = POLLIN}, {.fd = pipes[1], .events = POLLIN}};
	struct enter_message m;
	struct escapes looks[2] = {{.state = 0}};

	signal(SIGPIPE, SIG_IGN); /* the program is to get it */
	/* The program's own descriptors are not ours to hold: its peers must see it close them. */
	close_others((const int[]){sock, signals, pipes[0], pipes[1], copy_to[0], copy_to[1], 2}, 7);
	for (;;) {
		if (poll(fds, 4, -1) < 0) {
			continue; /* EINTR */
		}
		for (int i = 2; i < 4; i++) {
			if (fds[i].revents != 0 && !copy_once(sock, &looks[i - 2], fds[i].fd, copy_to[i - 2])) {
				close_fd(&fds[i].fd);
				if (copy_to[i - 2] != 2) { /* the reader's end of file; 2 is for last words of ours */
					close(copy_to[i - 2]);
				}
			}
		}
		if (fds[1].revents != 0) {
			pass_signal(sock, signals);
		}
		/* Its last words before its end. */
		if (fds[0].revents != 0 && (fds[2].revents & POLLIN) == 0 && (fds[3].revents & POLLIN) == 0) {
			int given[2];
			size_t count = 2;
			if (fd_receive(sock, &m, sizeof m, given, &count) != sizeof m) {
				_exit(126); /* the supervisor is gone; init saw it too */
			}
			if (m.kind == ENTER_WRITE) {
				write_one(sock, &m, given, count);
			}
			if (m.kind == ENTER_STATUS) {
				end_like(m.value);
			}
			if (m.kind == ENTER_REFUSED) {
				m.text[sizeof m.text - 1] = '\0';
				refuse("%s", m.text);
			}
		}
	}
}

static void __attribute__((noreturn)) become(int spec)
{
	struct start s;
	int r = start_decode(spec, &s);

	if (r < 0) {
		refuse("the supervisor's answer cannot be read: %s", strerror(-r));
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* pip's own child: it ends with pip */
	execve(s.path, s.argv, s.envp);
	refuse("%s: %s", s.path, strerror(errno));
}

int main(int argc, char **argv)
{
	char *path = envp_take(environ, PW_EXEC_VARIABLE);
	struct enter_message m;
	int fds[2] = {-1, -1}, signals;
	size_t nfds = 2;
	sigset_t before;
	int sock;

	(void)argc;
	if (path == NULL) {
		path = (char *)""; /* started as what git and ssh ask for passwords with (GIT_ASKPASS): the supervisor asks, at the terminal */
	}
	sock = prctl((int)PW_MAGIC, PW_OP_ENTER, 0, 0, 0);
	if (sock < 0) {
		refuse("%s: no supervisor: nothing is started unguarded", *path != '\0' ? path : "enter");
	}
	if (sock < 3) { /* standard descriptors were closed: keep their numbers free */
		int moved = fcntl(sock, F_DUPFD_CLOEXEC, 3);
		close(sock);
		sock = moved;
	}
	send_request(sock, argv, path);
	signals = watch_signals(&before);
	if (fd_receive(sock, &m, sizeof m, fds, &nfds) != sizeof m) {
		refuse("%s: the supervisor ended", path);
	}
	switch (m.kind) {
	case ENTER_SUBPIP:
		if (nfds == 1) {
			sigprocmask(SIG_SETMASK, &before, NULL);
			become(fds[0]);
		}
		break;
	case ENTER_STATUS: /* there was nothing to start */
		end_like(m.value);
	case ENTER_RUN:
		wait_for(sock, signals, fds, m.copy_to);
	case ENTER_REFUSED:
		m.text[sizeof m.text - 1] = '\0';
		refuse("%s", m.text);
	}
	refuse("%s: the supervisor's answer makes no sense", path);
}
