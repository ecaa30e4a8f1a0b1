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

struct order {
	int32_t namespaces;
};

static void wipe(char **strings)
{
	for (char **s = strings; s != NULL && *s != NULL; s++) {
		explicit_bzero(*s, strlen(*s));
	}
}

static pid_t fork_init(int sock, const struct order *o, const int fds[2])
{
	/* The other namespaces are made by init itself: they take longer than all the rest, and nobody has to wait for them here. */
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | (o->namespaces ? CLONE_NEWPID : 0), 0, 0, 0, 0);

	if (pid == 0) {
		close(sock);
		init_main(fds[0], fds[1], o->namespaces);
	}
	return pid < 0 ? -errno : pid;
}

static void __attribute__((noreturn)) serve(int sock)
{
	for (;;) {
		int fds[2];
		size_t nfds = 2;
		struct order o;
		ssize_t n = fd_receive(sock, &o, sizeof o, fds, &nfds);
		if (n == 0) {
			_exit(0); /* the supervisor is gone: the inits follow by their parent-death signal */
		}
		int32_t answer = n < 0 ? (int32_t)n : n != sizeof o || nfds != 2 ? -EINVAL : fork_init(sock, &o, fds);
		for (size_t i = 0; n >= 0 && i < nfds; i++) {
			close(fds[i]);
		}
		if (fd_write_all(sock, &answer, sizeof answer) < 0) {
			_exit(1);
		}
	}
}

static void __attribute__((noreturn)) zygote_main(int sock, bool user_namespace, char **argv, char **envp)
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
	syscall(SYS_close_range, 4, ~0U, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC); /* a foreign terminal can be read by whoever holds a descriptor */
	ready = own != 3 || null < 0 || chdir("/") < 0 ? -errno : 0; /* /dev/null that the user may not open has been seen */
	for (int number = 0; number < 3; number++) {
		dup2(null, number);
	}
	if (ready == 0 && user_namespace) {
		ready = privilege_user_namespace();
	}
	if (fd_write_all(3, &ready, sizeof ready) < 0 || ready < 0) {
		_exit(1);
	}
	serve(3);
}

int zygote_start(struct zygote *z, bool user_namespace, char **argv, char **envp)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	z->pid = fork();
	if (z->pid < 0) {
		int error = errno;
		close(pair[0]);
		close(pair[1]);
		return -error;
	}
	if (z->pid == 0) {
		zygote_main(pair[1], user_namespace, argv, envp);
	}
	close(pair[1]);
	z->sock = pair[0];
	pthread_mutex_init(&z->lock, NULL);
	return 0;
}

int zygote_ready(struct zygote *z)
{
	int32_t ready;

	return fd_read_all(z->sock, &ready, sizeof ready) < 0 ? -ECHILD : ready;
}

pid_t zygote_fork(struct zygote *z, bool namespaces, int control, int cwd)
{
	struct order o = {.namespaces = namespaces};
	const int fds[] = {control, cwd};
	int32_t answer;
	int r;

	pthread_mutex_lock(&z->lock);
	r = fd_send(z->sock, &o, sizeof o, fds, 2);
	if (r == 0) {
		r = fd_read_all(z->sock, &answer, sizeof answer);
	}
	pthread_mutex_unlock(&z->lock);
	return r < 0 ? r : answer;
}
