/* The programs in the kernel: loaded in a child, served by a small loop, as root and as an ordinary user. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "as_user.h"
#include "launcher/sandbox/compat.h"
#include "launcher/sandbox/filter_table.h"
#include "preload/pw_event.h"

#define JUNK 0x1234567800000000ULL
#define SERVED EXDEV /* what the loop answers for handlers that are not here */
#define FITS 1000000 /* any result that is not an error */
#define I386 -100    /* not a number: int 0x80 */

static char scratch[256];
static const char null_device[] = "/dev/null";
static const char nowhere[] = "/nonexistent/pipwarden";
#define A(x) ((uint64_t)(uintptr_t)(x))

static const struct call {
	int nr;
	uint64_t args[6];
	long want[FILTER_KINDS]; /* installer, sandbox, plain */
	int asked[FILTER_KINDS];
} calls[] = {
	{SYS_getpid, {0}, {FITS, FITS, FITS}, {0, 0, 0}},
	{SYS_prctl, {PW_MAGIC, PW_OP_HELLO}, {42, 42, 42}, {1, 1, 1}},
	{SYS_ptrace, {0}, {-EPERM, -EPERM, -EPERM}, {1, 1, 1}},
	{FILTER_NR_MAX + 1, {0}, {-ENOSYS, -ENOSYS, -ENOSYS}, {0, 0, 0}},
	{340, {0}, {-ENOSYS, -ENOSYS, -ENOSYS}, {0, 0, 0}},
	{SYS_clone3, {0}, {-ENOSYS, -ENOSYS, -ENOSYS}, {0, 0, 0}},
	{SYS_io_uring_setup, {4, A(scratch)}, {-ENOSYS, -ENOSYS, -ENOSYS}, {1, 1, 1}},
	{SYS_execve, {A(nowhere), 0, 0}, {-EACCES, -EACCES, -EACCES}, {1, 1, 1}},
	{SYS_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0}, {FITS, FITS, -SERVED}, {0, 0, 1}},
	{SYS_socket, {AF_INET, SOCK_DGRAM, 0}, {-SERVED, FITS, -SERVED}, {1, 0, 1}},
	{SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_TCP}, {-SERVED, -SERVED, -SERVED}, {1, 1, 1}},
	{SYS_socket, {JUNK | AF_UNIX, JUNK | SOCK_DGRAM, 0}, {-SERVED, -SERVED, -SERVED}, {1, 1, 1}},
	{SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, {FITS, FITS, FITS}, {0, 0, 0}},
	{SYS_socketpair, {AF_UNIX, SOCK_DGRAM, 0, A(scratch)}, {-SERVED, -SERVED, -SERVED}, {1, 1, 1}},
	{SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, A(scratch)}, {0, 0, 0}, {0, 0, 0}},
	{SYS_sendto, {0, A(scratch), 1, 0x20000000, A(scratch), 16}, {-EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP}, {1, 1, 1}},
	{SYS_sendmsg, {-1, A(scratch), 0}, {-EBADF, -SERVED, -EBADF}, {0, 1, 0}},
	{SYS_ioctl, {0, JUNK | 0x5412, A(scratch)}, {-EPERM, -EPERM, -EPERM}, {1, 1, 1}},
	{SYS_fcntl, {0, F_SETOWN, 1}, {-EPERM, -EPERM, -EPERM}, {1, 1, 1}},
	{SYS_clone, {SIGCHLD | CLONE_NEWUSER}, {-EPERM, -EPERM, -EPERM}, {1, 1, 1}},
	{SYS_unshare, {CLONE_NEWUSER}, {-EPERM, -EPERM, -EPERM}, {1, 1, 1}},
	{SYS_unshare, {CLONE_FS}, {0, 0, 0}, {0, 0, 0}},
	{SYS_prlimit64, {0, RLIMIT_NOFILE, 0, A(scratch)}, {0, 0, 0}, {0, 0, 0}},
	{SYS_prlimit64, {1, RLIMIT_CPU, A(scratch), 0}, {-SERVED, -SERVED, -SERVED}, {1, 1, 1}},
	{SYS_openat, {(uint64_t)AT_FDCWD, A(null_device), O_RDONLY | O_CLOEXEC}, {FITS, FITS, FITS}, {0, 1, 1}},
	{SYS_openat, {(uint64_t)AT_FDCWD, A(nowhere), O_WRONLY | O_CREAT, 04755}, {-EPERM, -EPERM, -EPERM}, {1, 1, 1}},
	{SYS_fchmod, {0, 0644}, {FITS, -SERVED, -SERVED}, {0, 1, 1}},
	{SYS_kill, {1, 0}, {FITS, FITS, FITS}, {0, 0, 0}},
#ifdef __x86_64__
	{0x40000000 | SYS_getpid, {0}, {-ENOSYS, -ENOSYS, -ENOSYS}, {1, 1, 1}},
	{I386, {0}, {-ENOSYS, -ENOSYS, -ENOSYS}, {1, 1, 1}},
#endif
};
#define CALLS (sizeof calls / sizeof *calls)

struct board {
	_Atomic uint32_t ready, go;
	int listener;
	long result[CALLS];
	_Atomic uint32_t asked[CALLS], at;
};

static long perform(const struct call *c)
{
#ifdef __x86_64__
	if (c->nr == I386) {
		long r = 20; /* getpid */
		__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
		return (int)r;
	}
#endif
	long r = syscall(c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
	return r < 0 ? -errno : r;
}

static void __attribute__((noreturn)) load_and_call(struct board *b, int program)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* Descriptor 0 is what the table's calls change: a file of our own, not whatever the test was started with (fchmod of /dev/null as root lasts). */
	int own = memfd_create("zero", 0);
	if (own < 0 || dup2(own, 0) < 0) {
		_exit(1);
	}
	b->listener = filter_load(program, true);
	b->ready = 1;
	for (size_t i = 0; i < CALLS; i++) {
		b->at = (uint32_t)i;
		b->result[i] = perform(&calls[i]);
	}
	_exit(0);
}

static void answer(struct board *b)
{
	union {
		struct seccomp_notif notif;
		char room[512];
	} req = {0};
	struct seccomp_notif_resp resp = {0};
	const char *rule, *name;

	if (ioctl(b->listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0) {
		return;
	}
	b->asked[b->at]++;
	resp.id = req.notif.id;
	switch (filter_route(&req.notif.data)) {
	case FILTER_REFUSED:
		resp.error = -filter_refusal_of(&req.notif.data, &rule, &name);
		break;
	case FILTER_EVENT:
		resp.val = 42;
		break;
	case FILTER_EXEC:
		resp.error = -EACCES;
		break;
	case FILTER_OPEN:
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		break;
	default:
		resp.error = -SERVED;
	}
	ioctl(b->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static int serve(void *argument)
{
	enum filter_kind kind = *(enum filter_kind *)argument;
	struct filter_options opt = {.signals_scoped = true, .unix_connect = true};
	int program = filter_build(kind, &opt);
	struct board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, pidfd;
	pid_t child;

	CHECK(program >= 0 && b != MAP_FAILED);
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		load_and_call(b, program);
	}
	CHECK(child > 0);
	for (int i = 0; i < 5000 && !b->ready; i++) {
		usleep(1000);
	}
	CHECK(b->ready && b->listener >= 0);
	CHECK(fcntl(b->listener, F_GETFD) == FD_CLOEXEC);
	/* Not the listener's hang-up: older kernels (6.1) give it only when the last user has been reaped. */
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	CHECK(pidfd >= 0);
	for (;;) {
		struct pollfd p[] = {{.fd = b->listener, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
		CHECK(poll(p, 2, 5000) > 0);
		if (p[0].revents & POLLIN) {
			answer(b);
		} else if (p[1].revents & POLLIN) {
			break;
		}
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	for (size_t i = 0; i < CALLS; i++) {
		long want = calls[i].want[kind];
		long got = b->result[i];
		/* FITS: no refusal of ours; the kernel's own EPERM (a signal to a stranger, another's file) is not ours to judge. */
		if ((want == FITS ? got == -ENOSYS || got == -SERVED : got != want) || b->asked[i] != (uint32_t)calls[i].asked[kind]) {
			dprintf(2, "kind %d uid %d call %zu (nr %d): %ld, asked %u\n", kind, (int)getuid(), i, calls[i].nr, got, b->asked[i]);
			return 1;
		}
	}
	return 0;
}

static void every_kind(void **state)
{
	for (enum filter_kind kind = 0; kind < FILTER_KINDS; kind++) {
		assert_int_equal(in_children(serve, &kind), 0);
	}
}

static int second_listener(void *argument)
{
	struct filter_options opt = {.audit = false};
	int program = filter_build(FILTER_INSTALLER, &opt);
	int first, second;

	CHECK(program >= 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	first = filter_load(program, true);
	CHECK(first >= 0);
	second = filter_load(program, false);
	CHECK(second == -EBUSY);
	return 0;
}

static void only_one_listener(void **state)
{
	assert_int_equal(in_children(second_listener, NULL), 0);
}

static void nonsense_is_not_loaded(void **state)
{
	int empty = memfd_create("empty", MFD_CLOEXEC), odd = memfd_create("odd", MFD_CLOEXEC);

	assert_int_equal(write(odd, "seven..", 7), 7);
	assert_int_equal(filter_load(empty, true), -EINVAL);
	assert_int_equal(filter_load(odd, true), -EINVAL);
	assert_int_equal(filter_load(-1, true), -EBADF);
	close(empty);
	close(odd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(only_one_listener),
		cmocka_unit_test(nonsense_is_not_loaded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
