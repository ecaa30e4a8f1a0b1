#include "zygote.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "init.h"
#include "launcher/base/fd.h"
#include "privilege.h"
#include "start.h"

struct order {
	int32_t namespaces;
};
#define ORDER_FDS 2 /* control, cwd */

static void wipe(char **strings)
{
	for (char **s = strings; s != NULL && *s != NULL; s++) {
		explicit_bzero(*s, strlen(*s));
	}
}

/* Forks an init, and says so on the session's socket, which init has as well. */
static void fork_init(int sock, const struct nameservers *servers, const struct order *o, const int fds[ORDER_FDS])
{
	struct init_message m = {.kind = INIT_BORN};
	/* The other namespaces are made by init itself: they take longer than all the rest, and nobody has to wait for them here. */
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | (o->namespaces ? CLONE_NEWPID : 0), 0, 0, 0, 0);

	if (pid == 0) {
		close(sock);
		init_main(fds[0], fds[1], o->namespaces ? servers : NULL);
	}
	m.value = pid;
	if (pid < 0) {
		m = (struct init_message){.kind = INIT_FAILED, .value = errno, .text = "fork"};
	}
	if (fd_send(fds[0], &m, sizeof m, NULL, 0) < 0) {
		shutdown(fds[0], SHUT_RDWR); /* whoever waits for the word hears that none comes, and init that nobody does */
	}
}

static void __attribute__((noreturn)) serve(int sock, const struct nameservers *servers)
{
	for (;;) {
		int fds[ORDER_FDS];
		size_t nfds = ORDER_FDS;
		struct order o;
		ssize_t n = fd_receive(sock, &o, sizeof o, fds, &nfds);
		if (n == 0) {
			_exit(0); /* the supervisor is gone: the inits follow by their parent-death signal */
		}
		if (n == sizeof o && nfds == ORDER_FDS) {
			fork_init(sock, servers, &o, fds);
		} /* else the session sees its socket's end closed */
		for (size_t i = 0; n >= 0 && i < nfds; i++) {
			close(fds[i]);
		}
	}
}

static void __attribute__((noreturn)) zygote_main(int sock, bool user_namespace, const struct nameservers *servers, char **argv, char **envp)
{
	sigset_t none;
	int32_t ready;
	int own, null;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pipwarden-zygote");
	for (int n = 1; n < NSIG; n++) {
		if (n != SIGKILL && n != SIGSTOP) {
			signal(n, n == SIGCHLD || n == SIGINT || n == SIGQUIT || n == SIGTSTP || n == SIGTTOU || n == SIGTTIN || n == SIGHUP ? SIG_IGN : SIG_DFL);
		}
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	wipe(envp);
	wipe(argv + 1);
	own = sock == 3 ? 3 : dup3(sock, 3, O_CLOEXEC); /* close-on-exec, like everything: no command may hold it */
	int closed = syscall(SYS_close_range, 4, ~0U, 0) < 0 ? -errno : 0;
	null = open("/dev/null", O_RDWR | O_CLOEXEC); /* a foreign terminal can be read by whoever holds a descriptor */
	ready = own != 3 || null < 0 || chdir("/") < 0 ? -errno : closed; /* /dev/null that the user may not open has been seen */
	for (int number = 0; number < 3; number++) {
		dup2(null, number);
	}
	if (ready == 0 && user_namespace) {
		ready = privilege_user_namespace();
	}
	if (fd_write_all(3, &ready, sizeof ready) < 0 || ready < 0) {
		_exit(1);
	}
	serve(3, servers);
}

int zygote_start(struct zygote *z, bool user_namespace, const struct nameservers *servers, char **argv, char **envp)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	pid_t pid = fork();
	if (pid < 0) {
		int error = errno;
		close(pair[0]);
		close(pair[1]);
		return -error;
	}
	if (pid == 0) {
		zygote_main(pair[1], user_namespace, servers, argv, envp);
	}
	close(pair[1]);
	z->pid = pid;
	z->sock = pair[0];
	return 0;
}

int zygote_ready(struct zygote *z)
{
	int32_t ready;

	return fd_read_all(z->sock, &ready, sizeof ready) < 0 ? -ECHILD : ready;
}

int zygote_order(const struct zygote *z, bool namespaces, int control, int cwd)
{
	const struct order o = {.namespaces = namespaces};
	const int fds[ORDER_FDS] = {control, cwd};

	return fd_send(z->sock, &o, sizeof o, fds, ORDER_FDS);
}

void zygote_kill(struct zygote *z)
{
	pid_t pid = z->pid;

	/* 0 would be our own process group, -1 everything that we may signal. */
	if (pid > 0 && kill(pid, SIGKILL) < 0) {
		shutdown(z->sock, SHUT_RDWR); /* it ends when it is left */
	}
}
