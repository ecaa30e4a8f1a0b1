/* The emitted programs, simulated, against the table read row by row; and the table against what it is meant to say. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf_sim.h"
#include "launcher/sandbox/compat.h"
#include "preload/pw_event.h"

#ifdef __x86_64__
#define OTHER_ARCH AUDIT_ARCH_AARCH64
#else
#define OTHER_ARCH AUDIT_ARCH_X86_64
#endif

static const struct filter_options options[] = {
	{.signals_scoped = false},
	{.unix_connect = true},
	{.signals_scoped = true},
	{.signals_scoped = true, .unix_connect = true},
	{.unix_connect = true, .audit = true},
};
enum { MODERN = 3, AUDIT = 4 };
#define OPTIONS (sizeof options / sizeof *options)

static struct bpf programs[FILTER_KINDS][OPTIONS];
static const struct filter_options modern = {.signals_scoped = true, .unix_connect = true};

static int build(void **state)
{
	for (int kind = 0; kind < FILTER_KINDS; kind++) {
		for (size_t o = 0; o < OPTIONS; o++) {
			int fd = filter_build((enum filter_kind)kind, &options[o]);
			assert_true(fd >= 0);
			const char *wrong = bpf_read(&programs[kind][o], fd);
			if (wrong) {
				fail_msg("kind %d options %zu: %s", kind, o, wrong);
			}
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
			assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
			close(fd);
		}
	}
	return 0;
}

static int release(void **state)
{
	for (int kind = 0; kind < FILTER_KINDS; kind++) {
		for (size_t o = 0; o < OPTIONS; o++) {
			bpf_free(&programs[kind][o]);
		}
	}
	return 0;
}

static void same(const struct seccomp_data *call)
{
	for (int kind = 0; kind < FILTER_KINDS; kind++) {
		for (size_t o = 0; o < OPTIONS; o++) {
			struct filter_decision d = filter_decide((enum filter_kind)kind, &options[o], call);
			uint32_t action = bpf_run(&programs[kind][o], call);
			if (!bpf_agrees(action, &d)) {
				fail_msg("kind %d options %zu arch %x nr %d (%s) args %llx %llx %llx %llx %llx: program %08x, table %d/%d", kind, o, call->arch,
				         call->nr, d.name ? d.name : "?", call->args[0], call->args[1], call->args[2], call->args[3], call->args[4], action,
				         d.verdict, d.error);
			}
		}
	}
}

static void table_is_well_formed(void **state)
{
	size_t count;
	const struct filter_row *rows = filter_table(&count);

	for (size_t i = 0; i < count; i++) {
		const struct filter_row *r = &rows[i];
		assert_in_range(r->nr, 0, FILTER_NR_MAX);
		assert_true(filter_known(r->nr));
		assert_non_null(r->name);
		assert_true(r->why && *r->why);
		assert_int_not_equal(r->roles, 0);
		assert_int_equal(r->verdict == FILTER_NOTIFY, r->handler != FILTER_NOBODY);
		assert_int_equal(r->handler == FILTER_REFUSED, r->rule != NULL);
		assert_int_equal(r->verdict == FILTER_ERRNO || r->handler == FILTER_REFUSED, r->error > 0);
		for (size_t w = 0; w < FILTER_WHEN_MAX; w++) {
			assert_int_equal(r->when[w].value & ~r->when[w].mask, 0);
			assert_in_range(r->when[w].arg, 0, 5);
			for (size_t v = 0; v < w && r->when[w].mask; v++) {
				assert_int_not_equal(r->when[w].arg, r->when[v].arg); /* libseccomp takes an argument once */
			}
		}
		/* A name is one number and the other way round. */
		for (size_t j = 0; j < i; j++) {
			assert_int_equal(rows[j].nr == r->nr, !strcmp(rows[j].name, r->name));
		}
	}
}

static void every_number(void **state)
{
	static const int edges[] = {-1, -2, -1000, 1000, 0x3fffffff, 0x40000000, 0x40000001, 0x4000003b, 0x40000208, 0x40000fff, 0x7fffffff, INT32_MIN};
	static const uint32_t archs[] = {0, AUDIT_ARCH_I386, AUDIT_ARCH_ARM, OTHER_ARCH, 0xffffffff};
	static const uint64_t fill[] = {0, 1, 0xffffffffffffffff, 0xffffffff00000000, 0x00000000ffffffff, PW_MAGIC, 0xdeadbeef00000000 | PW_MAGIC};

	for (size_t f = 0; f < sizeof fill / sizeof *fill; f++) {
		struct seccomp_data call = {.arch = filter_arch};
		for (int a = 0; a < 6; a++) {
			call.args[a] = fill[f];
		}
		for (call.nr = 0; call.nr <= 600; call.nr++) {
			same(&call);
		}
		for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
			call.nr = edges[e];
			same(&call);
		}
	}
	for (size_t a = 0; a < sizeof archs / sizeof *archs; a++) {
		struct seccomp_data call = {.arch = archs[a]};
		for (call.nr = -1; call.nr <= 600; call.nr++) {
			for (int kind = 0; kind < FILTER_KINDS; kind++) {
				assert_int_equal(bpf_run(&programs[kind][0], &call), SECCOMP_RET_USER_NOTIF);
			}
			same(&call);
			assert_int_equal(filter_route(&call), FILTER_REFUSED);
		}
	}
	/* Said once more without the table. */
	for (int kind = 0; kind < FILTER_KINDS; kind++) {
		struct seccomp_data call = {.arch = filter_arch};
		for (call.nr = FILTER_NR_MAX + 1; call.nr < 3000; call.nr++) {
			assert_int_equal(bpf_run(&programs[kind][3], &call), SECCOMP_RET_ERRNO | ENOSYS);
		}
		for (call.nr = SYS_rseq + 20; call.nr < SYS_pidfd_send_signal; call.nr++) { /* the hole between the old and the common numbers */
			assert_int_equal(bpf_run(&programs[kind][3], &call), SECCOMP_RET_ERRNO | ENOSYS);
		}
		for (int n = 0; n < 600; n++) {
			call.nr = 0x40000000 + n;
			assert_int_equal(bpf_run(&programs[kind][3], &call), SECCOMP_RET_USER_NOTIF);
		}
		call.nr = SYS_read;
		assert_int_equal(bpf_run(&programs[kind][3], &call), SECCOMP_RET_ALLOW);
	}
}

#define VALUES_MAX 256
struct values {
	uint64_t v[VALUES_MAX];
	size_t count;
};

static void value_add(struct values *s, uint64_t v)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->v[i] == v) {
			return;
		}
	}
	assert_in_range(s->count, 0, VALUES_MAX - 1);
	s->v[s->count++] = v;
}

/* What matters of one argument of one call: each condition's value, its neighbours, each with every kind of noise where the condition does not look. */
static void values_of(struct values *s, const struct filter_row *rows, size_t count, int nr, int arg)
{
	value_add(s, 0);
	for (size_t i = 0; i < count; i++) {
		for (size_t w = 0; rows[i].nr == nr && w < FILTER_WHEN_MAX; w++) {
			const struct filter_when *c = &rows[i].when[w];
			if (!c->mask || c->arg != arg) {
				continue;
			}
			uint64_t low = c->mask & -c->mask;
			value_add(s, c->value);
			value_add(s, c->value | (0xdeadbeefULL << 32));
			value_add(s, c->value | ~c->mask);
			value_add(s, c->value ^ low);
			value_add(s, (c->value ^ low) | ~c->mask);
			value_add(s, c->value | 1ULL << 32);
			value_add(s, c->value ^ (c->mask & 0x80000000));
		}
	}
	if (s->count > 1) {
		value_add(s, ~0ULL);
		value_add(s, 1ULL << 63);
	}
}

static void every_condition(void **state)
{
	size_t count;
	const struct filter_row *rows = filter_table(&count);
	size_t tried = 0;

	for (size_t i = 0; i < count; i++) {
		struct values v[6] = {0};
		size_t at[6] = {0};
		bool again = false;
		for (size_t j = 0; j < i; j++) {
			again = again || rows[j].nr == rows[i].nr;
		}
		if (again) {
			continue;
		}
		for (int a = 0; a < 6; a++) {
			values_of(&v[a], rows, count, rows[i].nr, a);
		}
		for (int a = 0; a < 6;) {
			struct seccomp_data call = {.nr = rows[i].nr, .arch = filter_arch};
			for (int k = 0; k < 6; k++) {
				call.args[k] = v[k].v[at[k]];
			}
			same(&call);
			tried++;
			for (a = 0; a < 6 && ++at[a] == v[a].count; a++) {
				at[a] = 0;
			}
		}
	}
	assert_true(tried > 10000);
}

/* ---- what the table is meant to say ---- */

enum { P = 1 << FILTER_INSTALLER, S = 1 << FILTER_SANDBOX, L = 1 << FILTER_SANDBOX_PLAIN, A = P | S | L };
#define ALLOW FILTER_ALLOW, 0, 0
#define ERR(e) FILTER_ERRNO, e, 0
#define ASK(h) FILTER_NOTIFY, 0, FILTER_##h
#define NO(e) FILTER_NOTIFY, e, FILTER_REFUSED
#define JUNK 0x1234567800000000ULL

static const struct expectation {
	int roles, nr;
	uint64_t args[6];
	enum filter_verdict verdict;
	int error;
	enum filter_handler handler;
} expectations[] = {
	{A, SYS_execve, {0}, ASK(EXEC)},
	{A, SYS_execveat, {0}, ASK(EXEC)},
	{A, SYS_prctl, {PW_MAGIC, 1}, ASK(EVENT)},
	{A, SYS_prctl, {JUNK | PW_MAGIC, 1}, ASK(EVENT)},
	{A, SYS_prctl, {22, 2}, ALLOW},
	{A, SYS_seccomp, {1}, ALLOW},
	{A, SYS_landlock_restrict_self, {1}, ALLOW},
	{A, SYS_ptrace, {0}, NO(EPERM)},
	{A, SYS_process_vm_readv, {0}, NO(EPERM)},
	{A, SYS_process_vm_writev, {0}, NO(EPERM)},
	{A, SYS_pidfd_getfd, {0}, NO(EPERM)},
	{A, SYS_kcmp, {0}, NO(EPERM)},
	{A, SYS_io_uring_setup, {0}, NO(ENOSYS)},
	{A, SYS_io_uring_enter, {0}, NO(ENOSYS)},
	{A, SYS_io_uring_register, {0}, NO(ENOSYS)},
	{A, SYS_clone3, {0}, ERR(ENOSYS)},
	{A, SYS_memfd_secret, {0}, NO(ENOSYS)},
	{A, PW_NR_listns, {0}, ERR(ENOSYS)},
	{A, PW_NR_lsm_set_self_attr, {0}, ERR(ENOSYS)},
	{A, SYS_bpf, {0}, NO(EPERM)},
	{A, SYS_perf_event_open, {0}, NO(EPERM)},
	{A, SYS_userfaultfd, {0}, NO(EPERM)},
	{A, SYS_keyctl, {0}, NO(EPERM)},
	{A, SYS_mount, {0}, NO(EPERM)},
	{A, PW_NR_open_tree_attr, {0}, NO(EPERM)},
	{A, SYS_mount_setattr, {0}, NO(EPERM)},
	{A, SYS_chroot, {0}, NO(EPERM)},
	{A, SYS_setns, {0}, NO(EPERM)},
	{A, SYS_open_by_handle_at, {0}, NO(EPERM)},
	{A, SYS_kexec_file_load, {0}, NO(EPERM)},
	{A, SYS_unshare, {CLONE_FILES}, ALLOW},
	{A, SYS_unshare, {CLONE_FILES | CLONE_NEWNET}, NO(EPERM)},
	{A, SYS_unshare, {CLONE_NEWUSER}, NO(EPERM)},
	{A, SYS_unshare, {CLONE_NEWTIME}, NO(EPERM)},
	{A, SYS_unshare, {1ULL << 40}, NO(EPERM)},
	{A, SYS_clone, {17}, ALLOW},
	{P, SYS_clone, {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS}, ALLOW},
	{S | L, SYS_clone, {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS}, ASK(CLONE)},
	{S | L, SYS_clone, {JUNK | CLONE_VM | 17}, ASK(CLONE)},
	{S | L, SYS_clone, {CLONE_FILES | 17}, ASK(CLONE)},
	{S | L, SYS_clone, {CLONE_FS | 17}, ASK(CLONE)},
	{S | L, SYS_clone, {CLONE_VM | CLONE_VFORK | CLONE_FILES | 17}, ASK(CLONE)},
	{S | L, SYS_clone, {CLONE_VM | CLONE_VFORK | CLONE_SIGHAND | CLONE_THREAD}, ASK(CLONE)},
	{A, SYS_clone, {JUNK | 17}, ALLOW},
	{A, SYS_clone, {JUNK | CLONE_VM | CLONE_VFORK | 17}, ALLOW},
	{A, SYS_clone, {17 | CLONE_NEWUSER}, NO(EPERM)},
	{A, SYS_clone, {17 | CLONE_NEWNS}, NO(EPERM)},
	{A, SYS_clone, {17 | CLONE_NEWCGROUP}, NO(EPERM)},
	{A, SYS_clone, {17 | CLONE_NEWUTS}, NO(EPERM)},
	{A, SYS_clone, {17 | CLONE_NEWIPC}, NO(EPERM)},
	{A, SYS_clone, {JUNK | 17 | CLONE_NEWPID}, NO(EPERM)},
	{A, SYS_clone, {17 | CLONE_NEWNET}, NO(EPERM)},
	{A, SYS_personality, {0xffffffff}, ALLOW},
	{A, SYS_personality, {0}, ALLOW},
	{A, SYS_personality, {8}, ALLOW},
	{A, SYS_personality, {0x0040000}, ALLOW},
	{A, SYS_personality, {0x0400000}, NO(EPERM)}, /* READ_IMPLIES_EXEC */
	{A, SYS_personality, {JUNK | 0x0100000}, NO(EPERM)},

	{P | S, SYS_socket, {AF_INET, SOCK_STREAM, 0}, ALLOW},
	{P | S, SYS_socket, {JUNK | AF_INET6, JUNK | SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, JUNK | IPPROTO_TCP}, ALLOW},
	{L, SYS_socket, {AF_INET, SOCK_STREAM, 0}, ASK(SOCKET)},
	{L, SYS_socket, {AF_INET6, SOCK_DGRAM, 0}, ASK(SOCKET)},
	{S, SYS_socket, {AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP}, ALLOW},
	{P, SYS_socket, {AF_INET, SOCK_DGRAM, 0}, ASK(SOCKET)},
	{A, SYS_socket, {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}, ASK(SOCKET)},
	{A, SYS_socket, {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6}, ASK(SOCKET)},
	{A, SYS_socket, {AF_INET, SOCK_DGRAM, 136}, ASK(SOCKET)},      /* UDP-Lite */
	{A, SYS_socket, {AF_INET, SOCK_STREAM, 262}, ASK(SOCKET)},     /* MPTCP */
	{A, SYS_socket, {AF_INET, SOCK_STREAM, JUNK | 262}, ASK(SOCKET)},
	{A, SYS_socket, {AF_INET, SOCK_STREAM, 132}, ASK(SOCKET)},     /* SCTP */
	{A, SYS_socket, {AF_INET, SOCK_SEQPACKET, 132}, ASK(SOCKET)},
	{A, SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_TCP}, ASK(SOCKET)},
	{A, SYS_socket, {AF_INET, 10, 768}, ASK(SOCKET)},              /* SOCK_PACKET */
	{A, SYS_socket, {17, SOCK_RAW, 0}, ASK(SOCKET)},               /* AF_PACKET */
	{A, SYS_socket, {JUNK | 17, SOCK_DGRAM, 0}, ASK(SOCKET)},
	{A, SYS_socket, {40, SOCK_STREAM, 0}, ASK(SOCKET)},            /* AF_VSOCK */
	{A, SYS_socket, {38, SOCK_SEQPACKET, 0}, ASK(SOCKET)},         /* AF_ALG */
	{A, SYS_socket, {43, SOCK_STREAM, 0}, ASK(SOCKET)},            /* AF_SMC */
	{A, SYS_socket, {0x10002, SOCK_STREAM, 0}, ASK(SOCKET)},
	{A, SYS_socket, {AF_INET, SOCK_STREAM | 0x10, 0}, ASK(SOCKET)},
	{A, SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, ALLOW},
	{S | L, SYS_socket, {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0}, ALLOW},
	{P, SYS_socket, {AF_UNIX, SOCK_SEQPACKET, 0}, ASK(SOCKET)},
	{A, SYS_socket, {AF_UNIX, SOCK_DGRAM, 0}, ASK(SOCKET)},
	{A, SYS_socket, {AF_UNIX, SOCK_RAW, 0}, ASK(SOCKET)},          /* the kernel makes it a datagram socket */
	{A, SYS_socket, {AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0}, ALLOW},
	{A, SYS_socket, {AF_NETLINK, SOCK_DGRAM, 0}, ALLOW},
	{A, SYS_socket, {AF_NETLINK, SOCK_RAW, 9}, ASK(SOCKET)},       /* audit */
	{A, SYS_socket, {AF_NETLINK, SOCK_RAW, 15}, ASK(SOCKET)},      /* uevents */
	{A, SYS_socketpair, {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0}, ALLOW},
	{A, SYS_socketpair, {AF_UNIX, SOCK_SEQPACKET, 0}, ALLOW},
	{A, SYS_socketpair, {AF_UNIX, SOCK_DGRAM, 0}, ASK(SOCKET)},
	{A, SYS_socketpair, {AF_UNIX, SOCK_RAW, 0}, ASK(SOCKET)},
	{A, SYS_socketpair, {JUNK | AF_UNIX, JUNK | SOCK_DGRAM | SOCK_NONBLOCK, 0}, ASK(SOCKET)},
	{A, SYS_connect, {3}, ASK(CONNECT)},
	{A, SYS_sendto, {3, 1, 1, 0, 0, 0}, ALLOW},
	{A, SYS_sendto, {3, 1, 1, MSG_NOSIGNAL, 0, 0}, ALLOW},
	{S, SYS_sendto, {3, 1, 1, 0, 0x7fff00001000, 16}, ASK(SEND)},
	{S, SYS_sendto, {3, 1, 1, 0, 0x100000000, 16}, ASK(SEND)},
	{S, SYS_sendto, {3, 1, 1, 0, 0x1, 16}, ASK(SEND)},
	{P | L, SYS_sendto, {3, 1, 1, 0, 0x7fff00001000, 16}, ALLOW},
	{A, SYS_sendto, {3, 1, 1, 0x20000000, 0x7fff00001000, 16}, NO(EOPNOTSUPP)},
	{A, SYS_sendto, {3, 1, 1, JUNK | 0x20004000, 0, 0}, NO(EOPNOTSUPP)},
	{S, SYS_sendmsg, {3, 1, 0}, ASK(SEND)},
	{P | L, SYS_sendmsg, {3, 1, 0}, ALLOW},
	{A, SYS_sendmsg, {3, 1, 0x20000000}, NO(EOPNOTSUPP)},
	{S, SYS_sendmmsg, {3, 1, 1, 0}, ASK(SEND)},
	{A, SYS_sendmmsg, {3, 1, 1, 0x20000000}, NO(EOPNOTSUPP)},
	{A, SYS_setsockopt, {3, SOL_SOCKET, 25}, NO(EPERM)},
	{A, SYS_setsockopt, {3, JUNK | SOL_SOCKET, JUNK | 62}, NO(EPERM)},
	{A, SYS_setsockopt, {3, IPPROTO_TCP, 30}, NO(ENOPROTOOPT)},
	{A, SYS_setsockopt, {3, IPPROTO_TCP, 25}, ALLOW},
	{A, SYS_setsockopt, {3, SOL_SOCKET, 30}, ALLOW},
	{A, SYS_getsockopt, {3, SOL_SOCKET, 77}, ERR(ENOPROTOOPT)},
	{A, SYS_getsockopt, {3, SOL_SOCKET, 17}, ALLOW},
	{S | L, SYS_bind, {3}, ASK(BIND)},
	{P, SYS_bind, {3}, ALLOW},
	{L, SYS_listen, {3}, ASK(BIND)},
	{P | S, SYS_listen, {3}, ALLOW},

	{P, SYS_openat, {0, 0, O_RDONLY}, ALLOW},
	{S | L, SYS_openat, {0, 0, O_RDONLY}, ASK(OPEN)},
	{S | L, SYS_openat, {0, 0, O_RDONLY, 04755}, ASK(OPEN)}, /* no O_CREAT: the mode is not looked at */
	{A, SYS_openat, {0, 0, O_WRONLY | O_CREAT, 04755}, NO(EPERM)},
	{A, SYS_openat, {0, 0, JUNK | O_WRONLY | O_CREAT, JUNK | 02755}, NO(EPERM)},
	{S | L, SYS_openat, {0, 0, O_RDONLY | O_TRUNC}, ASK(OPEN)},
	{A, SYS_openat, {0, 0, O_RDWR | O_TMPFILE, 04700}, NO(EPERM)},
	{A, SYS_openat, {0, 0, O_RDWR | O_TMPFILE, JUNK | 02700}, NO(EPERM)},
	{S | L, SYS_openat, {0, 0, O_RDONLY | O_DIRECTORY, 06700}, ASK(OPEN)},
	{P, SYS_openat, {0, 0, O_RDONLY | O_DIRECTORY, 06700}, ALLOW},
	{S | L, SYS_openat2, {0}, ASK(OPEN)},
	{P, SYS_openat2, {0}, ALLOW},
	{A, SYS_mknodat, {0, 0, 0104755}, NO(EPERM)},
	{P, SYS_mknodat, {0, 0, 0100644}, ALLOW},
	{S | L, SYS_mknodat, {0, 0, 0100644}, ASK(TREE)},
	{P, SYS_mkdirat, {0, 0, 02755}, ALLOW},
	{S | L, SYS_mkdirat, {0, 0, 02755}, ASK(TREE)},
	{P, SYS_fchmod, {3, 0755}, ALLOW},
	{P, SYS_fchmod, {3, 04755}, ERR(EPERM)},
	{P, SYS_fchmodat, {0, 0, 02755}, ERR(EPERM)},
	{P, PW_NR_fchmodat2, {0, 0, JUNK | 06755}, ERR(EPERM)},
	{S | L, SYS_fchmod, {3, 0755}, ASK(META)},
	{S | L, SYS_fchmod, {3, 04755}, ASK(META)},
	{S | L, PW_NR_fchmodat2, {0}, ASK(META)},
	{S | L, SYS_fchownat, {0}, ASK(META)},
	{S | L, SYS_utimensat, {0}, ASK(META)},
	{S | L, SYS_fsetxattr, {0}, ASK(META)},
	{S | L, PW_NR_setxattrat, {0}, ASK(META)},
	{S | L, PW_NR_removexattrat, {0}, ASK(META)},
	{S | L, PW_NR_file_setattr, {0}, ASK(META)},
	{P, SYS_fchownat, {0}, ALLOW},
	{S | L, SYS_ioctl, {3, 0x40086602}, ASK(META)},
	{S | L, SYS_ioctl, {3, JUNK | 0x401c5820}, ASK(META)},
	{S | L, SYS_ioctl, {3, 0x40086604}, ASK(META)}, /* EXT4_IOC_SETVERSION */
	{S | L, SYS_ioctl, {3, 0x40047211}, ASK(META)}, /* FAT_IOCTL_SET_ATTRIBUTES */
	{S | L, SYS_ioctl, {3, 0x800c6613}, ASK(META)}, /* FS_IOC_SET_ENCRYPTION_POLICY */
	{S | L, SYS_ioctl, {3, JUNK | 0x40806685}, ASK(META)},
	{S | L, SYS_ioctl, {3, 0x40087602}, ASK(META)},
	{P, SYS_ioctl, {3, 0x40087602}, ERR(EPERM)},
	{A, SYS_ioctl, {3, 0xc0c89425}, NO(EPERM)},
	{A, SYS_ioctl, {3, 0x40049409}, ALLOW}, /* FICLONE */
	{P, SYS_ioctl, {3, 0x40086602}, ALLOW},
	{A, SYS_ioctl, {0, 0x5412}, NO(EPERM)},
	{A, SYS_ioctl, {0, JUNK | 0x5412}, NO(EPERM)},
	{A, SYS_ioctl, {0, 0xffffffff00005412}, NO(EPERM)},
	{A, SYS_ioctl, {0, JUNK | 0x541c}, NO(EPERM)},
	{A, SYS_ioctl, {0, 0x8901}, NO(EPERM)},
	{A, SYS_ioctl, {0, 0x8902}, NO(EPERM)},
	{A, SYS_ioctl, {0, 0x5413}, ALLOW}, /* TIOCGWINSZ */
	{A, SYS_ioctl, {0, 0x540e}, ALLOW}, /* TIOCSCTTY */
	{A, SYS_fcntl, {3, 8}, NO(EPERM)},
	{A, SYS_fcntl, {3, JUNK | 15}, NO(EPERM)},
	{A, SYS_fcntl, {3, 10}, NO(EPERM)},
	{A, SYS_fcntl, {3, F_DUPFD_CLOEXEC}, ALLOW},
	{A, SYS_fcntl, {3, F_GETOWN}, ALLOW},
	{A, SYS_prlimit64, {0, 7, 1, 0}, ALLOW},
	{A, SYS_prlimit64, {77, 7, 0, 1}, ALLOW},
	{A, SYS_prlimit64, {77, 0, 1, 0}, ASK(SIGNAL)},
	{A, SYS_prlimit64, {77, 0, 0x100000000, 0}, ASK(SIGNAL)},
	{A, SYS_sched_setaffinity, {0, 8, 1}, ALLOW},
	{A, SYS_sched_setaffinity, {1, 8, 1}, ASK(SIGNAL)},
	{A, SYS_sched_setattr, {77}, ASK(SIGNAL)},
	{A, SYS_fanotify_init, {0}, ERR(EPERM)},
	{A, SYS_inotify_add_watch, {0}, ALLOW},
	{L, SYS_shmget, {0}, ERR(ENOSYS)},
	{P | S, SYS_shmget, {0}, ALLOW},
	{L, SYS_shmat, {0}, ERR(ENOSYS)},
	{P | S, SYS_shmat, {0}, ALLOW},
	{L, SYS_shmctl, {0}, ERR(ENOSYS)},
	{P | S, SYS_shmctl, {0}, ALLOW},
	{L, SYS_msgget, {0}, ERR(ENOSYS)},
	{P | S, SYS_msgget, {0}, ALLOW},
	{L, SYS_msgsnd, {0}, ERR(ENOSYS)},
	{P | S, SYS_msgsnd, {0}, ALLOW},
	{L, SYS_msgrcv, {0}, ERR(ENOSYS)},
	{P | S, SYS_msgrcv, {0}, ALLOW},
	{L, SYS_msgctl, {0}, ERR(ENOSYS)},
	{P | S, SYS_msgctl, {0}, ALLOW},
	{L, SYS_semget, {0}, ERR(ENOSYS)},
	{P | S, SYS_semget, {0}, ALLOW},
	{L, SYS_semop, {0}, ERR(ENOSYS)},
	{P | S, SYS_semop, {0}, ALLOW},
	{L, SYS_semtimedop, {0}, ERR(ENOSYS)},
	{P | S, SYS_semtimedop, {0}, ALLOW},
	{L, SYS_semctl, {0}, ERR(ENOSYS)},
	{P | S, SYS_semctl, {0}, ALLOW},
	{L, SYS_mq_open, {0}, ERR(ENOSYS)},
	{P | S, SYS_mq_open, {0}, ALLOW},
	{L, SYS_mq_unlink, {0}, ERR(ENOSYS)},
	{P | S, SYS_mq_unlink, {0}, ALLOW},
	{A, SYS_shmdt, {0}, ALLOW},
	{A, SYS_setpriority, {0, 0, 5}, ALLOW},
	{A, SYS_setpriority, {0, 77, 5}, ASK(SIGNAL)},
	{A, SYS_setpriority, {1, 0, 5}, ASK(SIGNAL)},
	{A, SYS_setpriority, {2, 0, 5}, ASK(SIGNAL)},
	{A, SYS_getpriority, {2, 0}, ALLOW},
	{A, SYS_ioprio_set, {1, 0, 0}, ALLOW},
	{A, SYS_ioprio_set, {2, 0, 0}, ASK(SIGNAL)},
	{A, SYS_ioprio_set, {3, 0, 0}, ASK(SIGNAL)},
	{A, SYS_ioprio_get, {3, 0}, ALLOW},
	{A, SYS_kill, {1, 9}, ALLOW},
	{P, SYS_renameat2, {0}, ALLOW},
	{S | L, SYS_renameat2, {0}, ASK(TREE)},
	{P, SYS_truncate, {0}, ALLOW},
	{S | L, SYS_truncate, {0}, ASK(TREE)},
	{A, PW_NR_statmount, {0}, ALLOW},
	{A, SYS_faccessat2, {0}, ALLOW},
	{A, SYS_clock_settime, {0}, ERR(EPERM)},
#ifdef SYS_open
	{S | L, SYS_open, {0, O_RDONLY}, ASK(OPEN)},
	{P, SYS_open, {0, O_RDONLY}, ALLOW},
	{A, SYS_open, {0, O_CREAT, 04000}, NO(EPERM)},
	{A, SYS_creat, {0, 02755}, NO(EPERM)},
	{S | L, SYS_creat, {0, 0755}, ASK(OPEN)},
	{A, SYS_mknod, {0, 0106755}, NO(EPERM)},
	{S | L, SYS_chmod, {0, 0755}, ASK(META)},
	{P, SYS_chmod, {0, 04755}, ERR(EPERM)},
	{S | L, SYS_lchown, {0}, ASK(META)},
	{S | L, SYS_utime, {0}, ASK(META)},
	{A, SYS_iopl, {3}, NO(EPERM)},
#endif
};

static struct seccomp_data call_of(const struct expectation *e)
{
	struct seccomp_data call = {.nr = e->nr, .arch = filter_arch};
	for (int a = 0; a < 6; a++) {
		call.args[a] = e->args[a];
	}
	return call;
}

static void means_what_it_should(void **state)
{
	for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
		const struct expectation *e = &expectations[i];
		struct seccomp_data call = call_of(e);
		for (int kind = 0; kind < FILTER_KINDS; kind++) {
			if (!(e->roles & 1 << kind)) {
				continue;
			}
			struct filter_decision d = filter_decide((enum filter_kind)kind, &modern, &call);
			struct filter_decision want = {.verdict = e->verdict, .error = e->error};
			if (d.verdict != e->verdict || d.error != e->error || d.handler != e->handler ||
			    !bpf_agrees(bpf_run(&programs[kind][MODERN], &call), &want)) {
				fail_msg("expectation %zu (nr %d, kind %d): %d/%d/%d", i, e->nr, kind, d.verdict, d.error, d.handler);
			}
			if (e->verdict == FILTER_NOTIFY) {
				assert_int_equal(filter_route(&call), e->handler);
			}
			if (e->handler == FILTER_REFUSED) {
				const char *rule, *name;
				assert_int_equal(filter_refusal(e->nr, e->args, &rule, &name), e->error);
				assert_true(rule && name && *rule && *name);
			}
		}
	}
}

static uint32_t run(enum filter_kind kind, size_t o, int nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct seccomp_data call = {.nr = nr, .arch = filter_arch, .args = {a0, a1, a2}};
	return bpf_run(&programs[kind][o], &call);
}

/* The options: 0 and 1 do not scope signals, 0 and 2 have no pidfd_getfd, 3 has everything. */
static void options_matter(void **state)
{
	static const int tree[] = {SYS_truncate, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_unlinkat, SYS_mkdirat};
	static const int signals[] = {SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal};

	for (int kind = FILTER_SANDBOX; kind <= FILTER_SANDBOX_PLAIN; kind++) {
		for (size_t o = 0; o <= MODERN; o++) {
			for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
				assert_int_equal(run(kind, o, tree[i], 0, 0, 0), SECCOMP_RET_USER_NOTIF);
				assert_int_equal(run(FILTER_INSTALLER, o, tree[i], 0, 0, 0), SECCOMP_RET_ALLOW);
			}
			for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
				assert_int_equal(run(kind, o, signals[i], 1, 9, 9),
				                 o < 2 && kind == FILTER_SANDBOX_PLAIN ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
			}
			/* The caller's own group, whatever is in the half of the register that nobody reads. */
			assert_int_equal(run(kind, o, SYS_kill, 0, 9, 0), o < 2 ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
			assert_int_equal(run(kind, o, SYS_kill, JUNK, 9, 0), o < 2 ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
			assert_int_equal(run(kind, o, SYS_kill, (uint64_t)-1, 9, 0),
			                 o < 2 && kind == FILTER_SANDBOX_PLAIN ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
		}
	}
	/* Without pidfd_getfd a sandbox has no AF_UNIX sockets that could be swapped in for another. */
	assert_int_equal(run(FILTER_SANDBOX, 2, SYS_socket, AF_UNIX, SOCK_STREAM, 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(run(FILTER_SANDBOX, 3, SYS_socket, AF_UNIX, SOCK_STREAM, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(run(FILTER_SANDBOX_PLAIN, 2, SYS_socket, AF_UNIX, SOCK_STREAM, 0), SECCOMP_RET_ALLOW);
}

/* --audit: what is asked about otherwise still is, what is refused unasked is not, but for what would hide calls; signals are asked about. */
static void audit_refuses_nothing_unasked(void **state)
{
	for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
		const struct expectation *e = &expectations[i];
		struct seccomp_data call = call_of(e);
		for (int kind = 0; kind < FILTER_KINDS; kind++) {
			uint32_t action = bpf_run(&programs[kind][AUDIT], &call);
			bool hides = e->nr == SYS_clone3;
			if (!hides && (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
				fail_msg("expectation %zu (nr %d, kind %d) is refused", i, e->nr, kind);
			}
			if ((e->roles & 1 << kind) && e->verdict == FILTER_NOTIFY && action != SECCOMP_RET_USER_NOTIF) {
				fail_msg("expectation %zu (nr %d, kind %d) is not asked about", i, e->nr, kind);
			}
		}
	}
	for (int kind = FILTER_SANDBOX; kind <= FILTER_SANDBOX_PLAIN; kind++) {
		assert_int_equal(run(kind, AUDIT, SYS_kill, 1, 9, 0), SECCOMP_RET_USER_NOTIF);
		assert_int_equal(run(kind, AUDIT, SYS_tgkill, 1, 1, 9), SECCOMP_RET_USER_NOTIF);
		assert_int_equal(run(kind, AUDIT, SYS_clone3, 0, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	}
	assert_int_equal(run(FILTER_SANDBOX, AUDIT, SYS_socket, AF_INET, SOCK_STREAM, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(run(FILTER_INSTALLER, AUDIT, SYS_clock_settime, 0, 0, 0), SECCOMP_RET_ALLOW);
}

static void refusals_of_the_unexpected(void **state)
{
	const char *rule, *name;
	uint64_t args[6] = {0};
	struct seccomp_data i386 = {.nr = SYS_connect, .arch = AUDIT_ARCH_I386};

	assert_int_equal(filter_refusal(SYS_read, args, &rule, &name), EPERM);
	assert_string_equal(rule, "syscall.other");
	assert_int_equal(filter_refusal(0x40000001, args, &rule, &name), ENOSYS);
	assert_string_equal(rule, "syscall.foreign-abi");
	assert_int_equal(filter_refusal(-5, args, &rule, &name), EPERM);
	assert_int_equal(filter_refusal_of(&i386, &rule, &name), ENOSYS);
	assert_string_equal(rule, "syscall.foreign-abi");
	assert_int_equal(filter_route(&i386), FILTER_REFUSED);
	i386.arch = filter_arch;
	assert_int_equal(filter_route(&i386), FILTER_CONNECT);
	assert_int_equal(filter_refusal(SYS_ptrace, args, &rule, &name), EPERM);
	assert_string_equal(rule, "syscall.ptrace");
	assert_string_equal(name, "ptrace");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_well_formed),
		cmocka_unit_test(every_number),
		cmocka_unit_test(every_condition),
		cmocka_unit_test(means_what_it_should),
		cmocka_unit_test(options_matter),
		cmocka_unit_test(audit_refuses_nothing_unasked),
		cmocka_unit_test(refusals_of_the_unexpected),
	};
	return cmocka_run_group_tests(tests, build, release);
}
