/* The life of init:
 *
 *   namespaces ─ start message: places the command's descriptors ─ birth of the command ─ listener to the supervisor ─ "go"
 *   then waits for: the main process's end (tells its status) or stop (a shell must learn of it), a signal to pass on,
 *   the hang-up of the control socket (the supervisor or `enter` is gone).
 *
 * Where there is a PID namespace its exit ends everything at once; elsewhere it is the subreaper of the sandbox and kills until nothing is left.
 * No threads; every descriptor is close-on-exec but the command's. */
#include "init.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "birth.h"
#include "compat.h"
#include "own_net.h"
#include "privilege.h"
#include "ruleset.h"
#include "start.h"
#include "launcher/base/tree.h"

/* How long a sandbox without a PID namespace is killed at before init gives up and leaves the rest to the supervisor. */
#define KILL_MILLISECONDS 2000

struct init {
	int control; /* to the session */
	int fd[START_FDS];
	struct start start;
	bool namespaces;
	struct bounds_watch bounds;
	unsigned said; /* kinds of limits, as bits */
	int signal; /* came before there was a process to pass it on to; 0: none */
	pid_t main;
};

static void say(struct init *in, enum init_kind kind, int value, const char *text)
{
	struct init_message m = {.kind = kind, .value = value};

	strncpy(m.text, text, sizeof m.text - 1);
	fd_send(in->control, &m, sizeof m, NULL, 0);
}

static void __attribute__((noreturn)) give_up(struct init *in, const char *step, int error)
{
	say(in, INIT_FAILED, error, step);
	_exit(126);
}

/* Moves our own descriptors above every number that the command's shall have, then puts those in place. */
static int place_descriptors(struct init *in, const int *fds, size_t nfds)
{
	const struct start *s = &in->start;
	int control = in->control;
	int above = s->nfds > 0 ? s->fd_number[s->nfds - 1] + 1 : 3;
	int moved[FD_PASS_MAX];

	if (nfds != START_FDS + (size_t)s->nfds) {
		return -EINVAL;
	}
	in->control = fcntl(control, F_DUPFD_CLOEXEC, above > 3 ? above : 3);
	if (in->control < 0) {
		return -errno;
	}
	close(control);
	for (int i = 0; i < START_FDS; i++) {
		in->fd[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, above > 3 ? above : 3);
		if (in->fd[i] < 0) {
			return -errno;
		}
	}
	for (uint32_t i = 0; i < s->nfds; i++) {
		moved[i] = fcntl(fds[START_FDS + i], F_DUPFD_CLOEXEC, above > 3 ? above : 3);
		if (moved[i] < 0) {
			return -errno;
		}
	}
	for (size_t i = 0; i < nfds; i++) {
		close(fds[i]);
	}
	for (uint32_t i = 0; i < s->nfds; i++) {
		if (dup2(moved[i], s->fd_number[i]) < 0) {
			return -errno;
		}
		close(moved[i]);
	}
	return 0;
}

/* The command has its own table now: what stays open here would keep its pipes from ending. */
static void release_descriptors(struct init *in)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (uint32_t i = 0; i < in->start.nfds; i++) {
		int number = in->start.fd_number[i];
		if (number > 2) {
			close(number);
		}
	}
	for (int number = 0; number < 3 && null >= 0; number++) {
		dup2(null, number);
	}
}

/* The session's next message, which must be of that kind; else it is gone. */
static void await(struct init *in, enum init_kind kind, int *fds, size_t *nfds)
{
	const size_t room = nfds != NULL ? *nfds : 0;
	struct init_message m;

	for (;;) {
		if (nfds != NULL) {
			*nfds = room;
		}
		if (fd_receive(in->control, &m, sizeof m, fds, nfds) != sizeof m) {
			_exit(126);
		}
		if (m.kind == kind) {
			return;
		}
		if (m.kind != INIT_SIGNAL) {
			_exit(126);
		}
		in->signal = m.value;
	}
}

static void own_proc_and_shm(struct init *in)
{
	const int abi = (int)in->start.landlock_abi;
	int r = ruleset_extend(in->fd[START_FD_RULESET], abi, "/proc", GRANT_READ);

	if (r < 0 || ((r = ruleset_extend(in->fd[START_FD_RULESET], abi, "/dev/shm", GRANT_READ | GRANT_WRITE)) < 0 && r != -ENOENT)) {
		give_up(in, "landlock", -r);
	}
}

static void give_birth(struct init *in)
{
	const char *step = "start";
	struct birth b;
	int listener, r;

	r = birth_fork(&b, &in->start, in->fd[START_FD_RULESET], in->fd[START_FD_PROGRAM]);
	if (r < 0) {
		give_up(in, "fork", -r);
	}
	in->main = b.pid;
	listener = birth_listener(&b, &step);
	if (listener < 0) {
		give_up(in, step, -listener);
	}
	struct init_message m = {.kind = INIT_LISTENER};
	r = fd_send(in->control, &m, sizeof m, &listener, 1);
	if (r < 0) {
		give_up(in, "listener", -r);
	}
	await(in, INIT_GO, NULL, NULL);
	if ((r = birth_go(&b)) < 0) {
		give_up(in, "start", -r);
	}
	r = birth_unshared(&b, &step);
	close(listener);
	release_descriptors(in);
	if (r < 0 || (r = birth_result(&b, &step)) < 0) {
		give_up(in, step, -r);
	}
	say(in, INIT_RUNNING, 0, "");
}

/* A signal for the main process: for its group where it has one of its own. */
static void pass_on(struct init *in, int signal)
{
	bool session = (in->start.flags & START_SESSION) != 0;

	if (signal == SIGTSTP && session) {
		signal = SIGSTOP; /* an orphaned group ignores the other; `enter` stops in the same way */
	}
	if (!session || kill(-in->main, signal) < 0) {
		kill(in->main, signal);
	}
}

/* The supervisor writes down what would outlive the command before it is ended.  Nobody there: then there is nobody to write. */
static void tell_left(struct init *in)
{
	struct init_message m = {.kind = INIT_LEFT};

	if (tree_childless(DYING_MILLISECONDS)) {
		return;
	}
	say(in, INIT_LEFT, 0, "");
	while (m.kind != INIT_GO && fd_receive(in->control, &m, sizeof m, NULL, NULL) == sizeof m) {
	}
}

static void __attribute__((noreturn)) end(struct init *in, int status, bool known)
{
	if (known) {
		tell_left(in);
	}
	if (!in->namespaces) {
		tree_kill(getpid(), NULL, KILL_MILLISECONDS);
	}
	if (known) {
		say(in, INIT_STATUS, status, "");
	}
	_exit(0); /* of a PID namespace: the kernel kills the rest */
}

static void say_limit(struct init *in, enum limit kind, uint64_t processes)
{
	char text[32];

	if ((in->said & 1u << kind) == 0) {
		in->said |= 1u << kind;
		snprintf(text, sizeof text, "%llu", (unsigned long long)processes);
		say(in, INIT_LIMIT, kind, text);
	}
}

static void look_at_limits(struct init *in)
{
	uint64_t processes;
	unsigned reached = bounds_look(&in->bounds, &processes);

	for (int kind = 0; kind < LIMIT_COUNT; kind++) {
		if ((reached & 1u << kind) != 0) {
			say_limit(in, (enum limit)kind, processes);
		}
	}
	if ((reached & (1u << LIMIT_PROCESSES | 1u << LIMIT_TIME)) != 0 && (in->start.flags & START_AUDIT) == 0) {
		end(in, 0, false); /* the others the kernel refuses */
	}
}

/* Reaps; does not return when the main process has ended. */
static void reap(struct init *in)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0 || (pid < 0 && errno == EINTR)) {
		if (pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ && in->start.bounds.of[LIMIT_FILE_SIZE] != 0) {
			say_limit(in, LIMIT_FILE_SIZE, 0);
		}
		if (pid != in->main) {
			continue;
		}
		if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
			say(in, INIT_STOPPED, WIFSTOPPED(status) ? WSTOPSIG(status) : 0, "");
		} else {
			end(in, status, true);
		}
	}
	if (pid < 0) { /* the main process is ours until it is reaped here: its end would never be seen */
		end(in, 0, false);
	}
}

/* Answered by one message, whatever becomes of it: the other side counts. */
static void open_door(struct init *in, const struct init_message *asked)
{
	struct init_message m = {.kind = INIT_DOOR};
	struct sockaddr_storage at = {0};

	memcpy(&at, asked->text, sizeof asked->text);
	cleanup_fd int door = in->namespaces ? own_net_door(&at) : -EAFNOSUPPORT;
	m.value = door < 0 ? -door : 0;
	fd_send(in->control, &m, sizeof m, &door, door >= 0);
}

static void __attribute__((noreturn)) watch(struct init *in, int signals)
{
	struct pollfd fds[2] = {{.fd = signals, .events = POLLIN}, {.fd = in->control, .events = POLLIN}};

	for (;;) {
		reap(in); /* before the first wait: it may have ended already */
		if (poll(fds, 2, bounds_sleep(&in->bounds)) < 0 && errno != EINTR) {
			end(in, 0, false);
		}
		look_at_limits(in);
		if (fds[0].revents != 0) {
			struct signalfd_siginfo si;
			if (read(signals, &si, sizeof si) != sizeof si || si.ssi_signo == SIGTERM) {
				end(in, 0, false);
			}
		}
		if (fds[1].revents != 0) {
			struct init_message m;
			if (fd_receive(in->control, &m, sizeof m, NULL, NULL) != sizeof m) {
				end(in, 0, false);
			}
			if (m.kind == INIT_SIGNAL) {
				pass_on(in, m.value);
			} else if (m.kind == INIT_DOOR) {
				open_door(in, &m);
			}
		}
	}
}

/* Nobody answers there yet, and nobody asks: the command is not born before the session has them. */
static void make_net(struct init *in, const struct nameservers *servers)
{
	struct init_message m = {.kind = INIT_NET};
	int sockets[OWN_NET_SOCKETS];
	size_t n = own_net_make(servers, sockets);

	if (fd_send(in->control, &m, sizeof m, sockets, n) < 0) {
		_exit(126);
	}
	while (n > 0) {
		close(sockets[--n]);
	}
}

/* What takes its time and needs nothing that the supervisor is still making. */
static void make_world(struct init *in, int cwd, const struct nameservers *servers)
{
	int r;

	/* Killed as PID 1 it takes everything along; elsewhere it has to live on to end its sandbox. */
	prctl(PR_SET_PDEATHSIG, in->namespaces ? SIGKILL : SIGTERM);
	if (fchdir(cwd) < 0) { /* before the mount namespace, which moves it along */
		give_up(in, "directory", errno);
	}
	close(cwd);
	if (!in->namespaces) {
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	} else if ((r = privilege_namespaces(true)) < 0) {
		give_up(in, "namespaces", -r);
	} else {
		make_net(in, servers);
	}
}

/* Pseudo-terminals of its own: where they cannot be had, there are none, for those of outside are other people's. */
static void own_terminals(struct init *in)
{
	const int abi = (int)in->start.landlock_abi;
	const unsigned device = GRANT_READ | GRANT_WRITE_FILE | GRANT_DEVICE;
	int r;

	if (!privilege_terminals()) {
		return;
	}
	/* /dev/ptmx may be a node or a link to the one below; either leads to the devpts that is mounted beside it. */
	if ((r = ruleset_extend(in->fd[START_FD_RULESET], abi, "/dev/pts", device)) < 0 ||
	    ((r = ruleset_extend(in->fd[START_FD_RULESET], abi, "/dev/ptmx", device)) < 0 && r != -ENOENT)) {
		give_up(in, "landlock", -r);
	}
}

static void take_start(struct init *in)
{
	int fds[START_FDS + FD_PASS_MAX], r;
	size_t nfds = START_FDS + FD_PASS_MAX;

	await(in, INIT_START, fds, &nfds);
	if (nfds < START_FDS || (r = start_decode(fds[START_FD_SPEC], &in->start)) < 0) {
		_exit(126);
	}
	if ((r = place_descriptors(in, fds, nfds)) < 0) {
		give_up(in, "descriptors", -r);
	}
	if (in->namespaces) {
		own_proc_and_shm(in);
		own_terminals(in);
	}
}

void init_main(int control, int cwd, const struct nameservers *servers)
{
	struct init in = {.control = control, .namespaces = servers != NULL, .main = -1};
	sigset_t all;
	int signals;

	prctl(PR_SET_NAME, "pipwarden-init");
	sigfillset(&all);
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || sigprocmask(SIG_SETMASK, &all, NULL) < 0) { /* the end of the command would go unseen */
		_exit(126);
	}
	/* Whatever should be here by mistake goes no further; the command's own descriptors are put in place below. */
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
		give_up(&in, "descriptors", errno);
	}
	make_world(&in, cwd, servers);
	take_start(&in);
	signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (signals < 0) {
		give_up(&in, "signals", errno);
	}
	if ((in.start.flags & START_AUDIT) == 0) {
		bounds_offer_to_kernel();
	}
	give_birth(&in);
	bounds_watch_start(&in.bounds, &in.start.bounds, servers != NULL ? 0 : getpid());
	if (in.signal != 0) {
		pass_on(&in, in.signal);
	}
	watch(&in, signals);
}
