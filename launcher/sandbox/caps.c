#include "caps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "caps_namespaces.h"
#include "caps_wait.h"
#include "compat.h"
#include "filter_table.h"
#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "preload/pw_event.h"
#include "privilege.h"

/* Shared by the prober, its throw-away children, and who asked. */
struct board {
	struct caps found;               /* by the prober */
	_Atomic uint32_t done;           /* futex: found is whole; the prober's own end is not waited for */
	_Atomic uint32_t listener_ready; /* futex */
	int listener;                    /* or -errno */
	bool wait_killable;
	struct namespaces_probe namespaces;
	cpu_set_t processors; /* that we may use */
};

/* ---- words in shared memory ---- */

/* The word that a child sets, or 0: it ended (a profile that does not know a call kills), or took too long.  It stays to be reaped. */
static uint32_t await_word(_Atomic uint32_t *word, pid_t child, int64_t deadline)
{
	struct timespec slice = {.tv_nsec = 20 * 1000 * 1000};
	siginfo_t info;

	while (!*word && clock_milliseconds() < deadline) {
		syscall(SYS_futex, word, FUTEX_WAIT, 0, &slice, NULL, 0);
		info.si_pid = 0;
		if (!*word && waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
			break;
		}
	}
	return *word;
}

static void set_word(_Atomic uint32_t *word, uint32_t value)
{
	*word = value;
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* ---- seccomp: a child whose getppid is notified, in a table of descriptors that it shares with us ---- */

static int trap_getppid(bool *wait_killable)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filter_arch, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
	*wait_killable = fd >= 0;
	if (fd < 0 && errno == EINVAL) {
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	}
	return fd < 0 ? -errno : (int)fd;
}

/* parent: the prober.  Whoever dies before the signal is asked for sends none, and nobody would ever answer the call below. */
static void __attribute__((noreturn)) trapped_child(struct board *b, pid_t parent)
{
	long fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(1);
	}
	b->listener = trap_getppid(&b->wait_killable);
	set_word(&b->listener_ready, 1);
	if (b->listener < 0) {
		_exit(1);
	}
	fd = syscall(SYS_getppid); /* answered with a descriptor instead of a process id */
	_exit(fd >= 0 && fcntl((int)fd, F_GETFD) == FD_CLOEXEC ? 0 : 1);
}

/* The child stands still in its call: what may be done to it? */
static void probe_reach(struct caps *c, pid_t child, int listener)
{
	static const char marker[] = "pipwarden";
	char seen[sizeof marker] = "";
	struct iovec local = {seen, sizeof seen}, remote = {(void *)marker, sizeof marker};
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	cleanup_fd int thread = (int)syscall(SYS_pidfd_open, child, PIDFD_THREAD);
	cleanup_fd int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, listener, 0);

	c->process_vm = process_vm_readv(child, &local, 1, &remote, 1, 0) == sizeof marker && !memcmp(seen, marker, sizeof marker);
	c->pidfd_thread = thread >= 0;
	c->pidfd_getfd = copy >= 0;
}

/* Answers the one notification with a descriptor: its number, which is in our table too, or -errno. */
static int serve_once(struct caps *c, pid_t child, int listener, int64_t deadline)
{
	union {
		struct seccomp_notif notif;
		char room[512]; /* the kernel's structure may be longer than ours */
	} req;
	struct pollfd p = {.fd = listener, .events = POLLIN};
	struct seccomp_notif_addfd answer = {.flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)listener, .newfd_flags = O_CLOEXEC};
	int64_t left = deadline - clock_milliseconds();
	int injected;

	/* By value: a pointer is EINVAL. */
	c->sync_wakeup = ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == 0;
	if (poll(&p, 1, left > 0 ? (int)left : 0) != 1 || !(p.revents & POLLIN)) {
		return -ETIMEDOUT;
	}
	memset(&req, 0, sizeof req);
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0) {
		return -errno;
	}
	probe_reach(c, child, listener);
	answer.id = req.notif.id;
	injected = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &answer);
	if (injected < 0) { /* before 5.14 */
		struct seccomp_notif_resp no = {.id = req.notif.id, .error = -ENOSYS};
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &no);
	}
	return injected;
}

static void probe_listener(struct caps *c, struct board *b)
{
	int64_t deadline = caps_deadline();
	pid_t self = getpid(), child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	cleanup_fd int injected = -1; /* closed after the child has looked at it and ended */

	if (child == 0) {
		trapped_child(b, self);
	}
	if (child < 0) {
		return;
	}
	if (await_word(&b->listener_ready, child, deadline) && b->listener >= 0) {
		injected = serve_once(c, child, b->listener, deadline);
		close_fd(&b->listener);
	} else {
		c->listener_busy = b->listener_ready && b->listener == -EBUSY;
	}
	c->listener = caps_reap(child, deadline) && injected >= 0;
	c->wait_killable = c->listener && b->wait_killable;
}

/* ---- the test switch ---- */

static void hide(struct caps *c)
{
#ifdef PW_TEST_SWITCHES
	const char *list = getenv("PIPWARDEN_TEST_HIDE");
	char copy[sizeof c->hidden], *save = NULL;

	if (!list || strlen(list) >= sizeof copy) {
		return;
	}
	strcpy(copy, list);
	strcpy(c->hidden, list);
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (!strcmp(word, "namespaces")) {
			c->namespaces = c->user_namespace = false;
			c->namespaces_why = "hidden by the test switch";
		} else if (!strcmp(word, "pidfd_getfd")) {
			c->pidfd_getfd = false;
		} else if (!strcmp(word, "sync_wakeup")) {
			c->sync_wakeup = false;
		} else if (!strcmp(word, "wait_killable")) {
			c->wait_killable = false;
		} else if (!strcmp(word, "process_vm")) {
			c->process_vm = false;
		} else if (!strcmp(word, "scopes") && c->landlock_abi > 5) {
			c->landlock_abi = 5; /* ABI 6 is the scopes and nothing else */
		} else if (!strncmp(word, "landlock=", 9) && atoi(word + 9) < c->landlock_abi) {
			c->landlock_abi = atoi(word + 9) < 0 ? 0 : atoi(word + 9);
		}
	}
#else
	(void)c;
#endif
}

static void probe_outer(struct caps *c)
{
	struct pw_nested nested = {.version = PW_VERSION};

	/* Raw: whatever interposes prctl is not asked. */
	c->nested = syscall(SYS_prctl, PW_MAGIC, PW_OP_NESTED, &nested, sizeof nested, 0) == (long)(PW_MAGIC & 0x7fffffff);
	c->nested_audit = c->nested && (nested.flags & PW_NESTED_AUDIT) != 0;
}

static bool can_open_pidfd(void)
{
	cleanup_fd int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return self >= 0;
}

/* A process of its own: what it tries takes longer than all that the launcher has to do meanwhile. */
static void __attribute__((noreturn)) prober(struct board *b)
{
	struct caps *c = &b->found;
	pid_t namespaces;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	c->no_pidfd = !can_open_pidfd();
	if (c->no_pidfd) { /* no child's end could be awaited below */
		set_word(&b->done, 1);
		_exit(0);
	}
	namespaces = namespaces_probe_start(&b->namespaces);
	probe_listener(c, b);
	/* Its end is awaited: while the kernel takes a network namespace apart, the next one is not made for 10 ms or more. */
	c->namespaces = namespaces > 0 && namespaces_probe_end(namespaces);
	c->user_namespace = c->namespaces && b->namespaces.user;
	c->namespaces_why = c->namespaces ? "" : namespaces_probe_why(&b->namespaces); /* a literal: the same address in the parent */
	set_word(&b->done, 1);
	_exit(0);
}

/* fork, and the child begins on another processor if there is one: left alone it stays behind its parent on this one for up to a millisecond. */
static pid_t fork_aside(cpu_set_t *all)
{
	cpu_set_t others;
	bool known = sched_getaffinity(0, sizeof *all, all) == 0;
	pid_t pid = fork();

	if (!known || pid < 0) {
		return pid;
	}
	if (pid == 0) {
		sched_setaffinity(0, sizeof *all, all);
		return 0;
	}
	others = *all;
	CPU_CLR((size_t)sched_getcpu(), &others);
	if (CPU_COUNT(&others) > 0) {
		sched_setaffinity(pid, sizeof others, &others);
	}
	return pid;
}

void caps_probe_start(struct caps_probe *p, struct caps *c, bool whole)
{
	*p = (struct caps_probe){.pid = -1};
	*c = (struct caps){.namespaces_why = "the probe could not be made, or did not end in time"};
	probe_outer(c);
	if (c->nested) {
		/* The outer one holds the listener, and would record every further probe as an attempt. */
		c->listener_busy = true;
		c->namespaces_why = "not tried: a pipwarden above is in charge";
		return;
	}
	p->board = mmap(NULL, sizeof *p->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->board == MAP_FAILED) {
		p->board = NULL;
		return;
	}
	p->board->found = *c;
	p->board->namespaces = (struct namespaces_probe){.user = !privilege_has(CAP_SYS_ADMIN), .whole = whole};
	p->pid = fork_aside(&p->board->processors);
	if (p->pid == 0) {
		prober(p->board);
	}
}

void caps_probe_finish(struct caps_probe *p, struct caps *c)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (p->board) {
		if (p->pid > 0 && await_word(&p->board->done, p->pid, caps_deadline() + CAPS_PATIENCE_MS)) {
			*c = p->board->found;
		}
		munmap(p->board, sizeof *p->board);
		p->board = NULL;
	}
	c->landlock_abi = abi < 0 ? 0 : (int)abi;
	hide(c);
}

void caps_probe_end(struct caps_probe *p)
{
	if (p->pid > 0) {
		caps_reap(p->pid, caps_deadline());
		p->pid = -1;
	}
}

void caps_probe(struct caps *c)
{
	struct caps_probe p;

	caps_probe_start(&p, c, true);
	caps_probe_finish(&p, c);
	caps_probe_end(&p);
}
