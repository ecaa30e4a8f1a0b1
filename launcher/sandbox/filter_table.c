#include "filter_table.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "compat.h"
#include "preload/pw_event.h"
#include "syscalls.h"

#if defined(__x86_64__)
const uint32_t filter_arch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
const uint32_t filter_arch = AUDIT_ARCH_AARCH64;
#else
#error "the table of system calls has been reviewed for x86_64 and aarch64 only"
#endif

#define SYS(n) .nr = __NR_##n, .name = #n
#define NEW(n) .nr = PW_NR_##n, .name = #n /* younger than Debian 12's headers: compat.h */

#define PIP .roles = FILTER_FOR_INSTALLER
#define NETNS .roles = FILTER_FOR_SANDBOX
#define PLAIN .roles = FILTER_FOR_PLAIN
#define BOXES .roles = FILTER_FOR_SANDBOX | FILTER_FOR_PLAIN
#define EVERY .roles = FILTER_FOR_INSTALLER | FILTER_FOR_SANDBOX | FILTER_FOR_PLAIN
#define NEEDS(n) .need = FILTER_##n

#define WHEN(...) .when = {__VA_ARGS__}
#define BITS(a, m, v) {.arg = (a), .mask = (m), .value = (v)}
#define INT 0xffffffffULL
#define IS(a, v) BITS(a, INT, (uint32_t)(v)) /* an int or unsigned argument */
#define WITHOUT(a, bits) BITS(a, (uint64_t)(bits), 0)
#define WITH(a, bits) BITS(a, (uint64_t)(bits), (uint64_t)(bits))
#define TYPE(a, letter) BITS(a, 0xff00, (uint64_t)(letter) << 8) /* of an ioctl */
#define IS_NULL(a) BITS(a, ~0ULL, 0)

#define PASS .verdict = FILTER_ALLOW
#define FAIL(e) .verdict = FILTER_ERRNO, .error = (e)
#define ASK(h) .verdict = FILTER_NOTIFY, .handler = FILTER_##h
#define REFUSE(e, r) .verdict = FILTER_NOTIFY, .handler = FILTER_REFUSED, .error = (e), .rule = (r)
#define WHY(text) .why = (text)

#define NEW_NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET) /* CLONE_NEWTIME is part of clone's exit signal */
#define SHARES (CLONE_VM | CLONE_FILES | CLONE_FS)
#define SOCK(a, type) BITS(a, INT & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), type)
#define CREATES(flags, mode, bit) WITH(flags, O_CREAT), WITH(mode, bit)
#define NAMELESS(flags, mode, bit) WITH(flags, TMPFILE), WITH(mode, bit) /* and linkat gives it a name */
#ifndef S_ISUID
#define S_ISUID 04000
#define S_ISGID 02000
#endif

/* Numbers that headers hide behind large includes, or do not have yet. */
#define FASTOPEN 0x20000000      /* MSG_FASTOPEN */
#define TMPFILE 020000000        /* the bit of O_TMPFILE that is not O_DIRECTORY */
#define SO_BINDTODEVICE_ 25
#define SO_BINDTOIFINDEX_ 62
#define SO_PEERPIDFD_ 77         /* 6.5 */
#define TCP_FASTOPEN_CONNECT_ 30
#define F_SETOWN_EX_ 15
#define F_SETSIG_ 10
#define TIOCSTI_ 0x5412
#define TIOCLINUX_ 0x541c
#define TIOCCONS_ 0x541d
#define FIOSETOWN_ 0x8901
#define SIOCSPGRP_ 0x8902
#define FS_IOC_SETVERSION_ 0x40087602
#define FS_IOC_ENABLE_VERITY_ 0x40806685
#define BTRFS_SNAP_CREATE 0x50009401
#define BTRFS_SNAP_CREATE_V2 0x50009417
#define BTRFS_SUBVOL_CREATE 0x5000940e
#define BTRFS_SUBVOL_CREATE_V2 0x50009418
#define BTRFS_SNAP_DESTROY 0x5000940f
#define BTRFS_SNAP_DESTROY_V2 0x5000943f
#define BTRFS_SUBVOL_SETFLAGS 0x4008941a
#define BTRFS_SET_RECEIVED 0xc0c89425
#define ADDR_NO_RANDOMIZE_ 0x0040000
#define PER_LINUX32_ 8
#define IOPRIO_WHO_PROCESS_ 1
#define PRIO_PROCESS_ 0
#define NETLINK_ROUTE_ 0

static const struct filter_row table[] = {
	/* ---- starting programs, and the event call ---- */
	{SYS(execve), EVERY, ASK(EXEC), WHY("installer: only enter, the command, a sub-pip; others: recorded")},
	{SYS(execveat), EVERY, ASK(EXEC), WHY("as execve; also fexecve and memfd programs")},
	{SYS(prctl), EVERY, WHEN(IS(0, PW_MAGIC)), ASK(EVENT), WHY("preload/pw_event.h")},

	/* ---- sockets: what may be made, by registers ---- */
	{SYS(socket), PIP, WHEN(IS(0, AF_INET), SOCK(1, SOCK_STREAM), IS(2, 0)), PASS, WHY("TCP: connect decides")},
	{SYS(socket), PIP, WHEN(IS(0, AF_INET), SOCK(1, SOCK_STREAM), IS(2, IPPROTO_TCP)), PASS, WHY("TCP")},
	{SYS(socket), PIP, WHEN(IS(0, AF_INET6), SOCK(1, SOCK_STREAM), IS(2, 0)), PASS, WHY("TCP")},
	{SYS(socket), PIP, WHEN(IS(0, AF_INET6), SOCK(1, SOCK_STREAM), IS(2, IPPROTO_TCP)), PASS, WHY("TCP")},
	{SYS(socket), PIP, WHEN(IS(0, AF_UNIX), SOCK(1, SOCK_STREAM)), PASS, WHY("name services: connect decides")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET), SOCK(1, SOCK_STREAM), IS(2, 0)), PASS, WHY("the network namespace is the wall")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET), SOCK(1, SOCK_STREAM), IS(2, IPPROTO_TCP)), PASS, WHY("the same")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET), SOCK(1, SOCK_DGRAM), IS(2, 0)), PASS, WHY("the same")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET), SOCK(1, SOCK_DGRAM), IS(2, IPPROTO_UDP)), PASS, WHY("the same")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET6), SOCK(1, SOCK_STREAM), IS(2, 0)), PASS, WHY("the same")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET6), SOCK(1, SOCK_STREAM), IS(2, IPPROTO_TCP)), PASS, WHY("the same")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET6), SOCK(1, SOCK_DGRAM), IS(2, 0)), PASS, WHY("the same")},
	{SYS(socket), NETNS, WHEN(IS(0, AF_INET6), SOCK(1, SOCK_DGRAM), IS(2, IPPROTO_UDP)), PASS, WHY("the same")},
	{SYS(socket), NETNS, NEEDS(UNIX), WHEN(IS(0, AF_UNIX), SOCK(1, SOCK_STREAM)), PASS, WHY("the supervisor connects it")},
	{SYS(socket), NETNS, NEEDS(UNIX), WHEN(IS(0, AF_UNIX), SOCK(1, SOCK_SEQPACKET)), PASS, WHY("the supervisor connects it")},
	{SYS(socket), PLAIN, WHEN(IS(0, AF_UNIX), SOCK(1, SOCK_STREAM)), PASS, WHY("the supervisor connects it")},
	{SYS(socket), PLAIN, WHEN(IS(0, AF_UNIX), SOCK(1, SOCK_SEQPACKET)), PASS, WHY("the supervisor connects it")},
	{SYS(socket), EVERY, WHEN(IS(0, AF_NETLINK), SOCK(1, SOCK_RAW), IS(2, NETLINK_ROUTE_)), PASS, WHY("libc lists interfaces")},
	{SYS(socket), EVERY, WHEN(IS(0, AF_NETLINK), SOCK(1, SOCK_DGRAM), IS(2, NETLINK_ROUTE_)), PASS, WHY("libc lists interfaces")},
	{SYS(socket), EVERY, ASK(SOCKET), WHY("raw, packet, vsock, SCTP, AF_ALG, ICMP, MPTCP, AF_UNIX datagrams; plain: inet")},
	{SYS(socketpair), EVERY, WHEN(IS(0, AF_UNIX), SOCK(1, SOCK_STREAM)), PASS, WHY("a name given to a stream fails")},
	{SYS(socketpair), EVERY, WHEN(IS(0, AF_UNIX), SOCK(1, SOCK_SEQPACKET)), PASS, WHY("seqpacket ignores a name")},
	{SYS(socketpair), EVERY, ASK(SOCKET), WHY("a datagram pair sends to any socket of the user by name")},
	{SYS(connect), EVERY, ASK(CONNECT), WHY("installer: decided by address; others: done by the supervisor")},
	{SYS(bind), NETNS, ASK(BIND), WHY("what listens for more than the loopback is recorded")},
	{SYS(bind), PLAIN, ASK(BIND), WHY("TCP: done by the supervisor, on the machine's loopback")},
	{SYS(listen), PLAIN, ASK(BIND), WHY("who listens can be connected to from the same sandbox")},
	{SYS(sendto), NETNS, WHEN(WITHOUT(3, FASTOPEN), IS_NULL(4)), PASS, WHY("send")},
	{SYS(sendto), PIP | FILTER_FOR_PLAIN, WHEN(WITHOUT(3, FASTOPEN)), PASS, WHY("no datagram sockets exist")},
	{SYS(sendto), EVERY, WHEN(WITH(3, FASTOPEN)), REFUSE(EOPNOTSUPP, "net.fastopen"), WHY("connects past connect and Landlock")},
	{SYS(sendto), NETNS, ASK(SEND), WHY("an address: recorded")},
	{SYS(sendto), PIP | FILTER_FOR_PLAIN, REFUSE(EOPNOTSUPP, "net.fastopen"), WHY("closes the row above")},
	{SYS(sendmsg), PIP | FILTER_FOR_PLAIN, WHEN(WITHOUT(2, FASTOPEN)), PASS, WHY("no datagram sockets exist")},
	{SYS(sendmsg), EVERY, WHEN(WITH(2, FASTOPEN)), REFUSE(EOPNOTSUPP, "net.fastopen"), WHY("connects past connect and Landlock")},
	{SYS(sendmsg), NETNS, ASK(SEND), WHY("an address in memory: recorded")},
	{SYS(sendmsg), PIP | FILTER_FOR_PLAIN, REFUSE(EOPNOTSUPP, "net.fastopen"), WHY("closes the row above")},
	{SYS(sendmmsg), PIP | FILTER_FOR_PLAIN, WHEN(WITHOUT(3, FASTOPEN)), PASS, WHY("no datagram sockets exist")},
	{SYS(sendmmsg), EVERY, WHEN(WITH(3, FASTOPEN)), REFUSE(EOPNOTSUPP, "net.fastopen"), WHY("connects past connect and Landlock")},
	{SYS(sendmmsg), NETNS, ASK(SEND), WHY("addresses in memory: recorded")},
	{SYS(sendmmsg), PIP | FILTER_FOR_PLAIN, REFUSE(EOPNOTSUPP, "net.fastopen"), WHY("closes the row above")},
	{SYS(setsockopt), EVERY, WHEN(IS(1, SOL_SOCKET), IS(2, SO_BINDTODEVICE_)), REFUSE(EPERM, "net.outside"), WHY("chooses the way out")},
	{SYS(setsockopt), EVERY, WHEN(IS(1, SOL_SOCKET), IS(2, SO_BINDTOIFINDEX_)), REFUSE(EPERM, "net.outside"), WHY("chooses the way out")},
	{SYS(setsockopt), EVERY, WHEN(IS(1, IPPROTO_TCP), IS(2, TCP_FASTOPEN_CONNECT_)), REFUSE(ENOPROTOOPT, "net.fastopen"), WHY("connects at the first write")},
	{SYS(getsockopt), EVERY, WHEN(IS(1, SOL_SOCKET), IS(2, SO_PEERPIDFD_)), FAIL(ENOPROTOOPT), WHY("a handle on the peer; libraries probe it")},

	/* ---- files: build and guest.  Below ABI 3 files.c refuses O_TRUNC without write access, from these registers (access mode 3 included) ---- */
	{SYS(openat), EVERY, WHEN(CREATES(2, 3, S_ISUID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(openat), EVERY, WHEN(CREATES(2, 3, S_ISGID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(openat), EVERY, WHEN(NAMELESS(2, 3, S_ISUID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(openat), EVERY, WHEN(NAMELESS(2, 3, S_ISGID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(openat), BOXES, ASK(OPEN), WHY("recorded, served")},
	{SYS(openat), PIP, NEEDS(AUDIT), WHEN(WITH(2, O_WRONLY)), ASK(OPEN), WHY("no Landlock refuses it, and the shim has nothing to tell")},
	{SYS(openat), PIP, NEEDS(AUDIT), WHEN(WITH(2, O_RDWR)), ASK(OPEN), WHY("no Landlock refuses it, and the shim has nothing to tell")},
	{SYS(openat), PIP, NEEDS(AUDIT), WHEN(WITH(2, O_CREAT)), ASK(OPEN), WHY("no Landlock refuses it, and the shim has nothing to tell")},
	{SYS(openat2), BOXES, ASK(OPEN), WHY("flags and mode lie in memory: recorded, then always ENOSYS")},
	{SYS(mknodat), EVERY, WHEN(WITH(2, S_ISUID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(mknodat), EVERY, WHEN(WITH(2, S_ISGID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(truncate), BOXES, ASK(TREE), WHY("a refusal is recorded; below ABI 3 and in a project's folder served")},
	{SYS(renameat), BOXES, ASK(TREE), WHY("a refusal is recorded; on ABI 1 served, EXDEV otherwise")},
	{SYS(renameat2), BOXES, ASK(TREE), WHY("a refusal is recorded; on ABI 1 served, EXDEV otherwise")},
	{SYS(linkat), BOXES, ASK(TREE), WHY("a refusal is recorded; on ABI 1 served, EXDEV otherwise")},
	{SYS(mknodat), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(symlinkat), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(unlinkat), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(mkdirat), BOXES, ASK(TREE), WHY("a refusal is recorded")},
#ifdef __NR_open /* the older calls: x86_64 only */
	{SYS(open), EVERY, WHEN(CREATES(1, 2, S_ISUID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(open), EVERY, WHEN(CREATES(1, 2, S_ISGID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(open), EVERY, WHEN(NAMELESS(1, 2, S_ISUID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(open), EVERY, WHEN(NAMELESS(1, 2, S_ISGID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(open), BOXES, ASK(OPEN), WHY("recorded, served")},
	{SYS(open), PIP, NEEDS(AUDIT), WHEN(WITH(1, O_WRONLY)), ASK(OPEN), WHY("as openat")},
	{SYS(open), PIP, NEEDS(AUDIT), WHEN(WITH(1, O_RDWR)), ASK(OPEN), WHY("as openat")},
	{SYS(open), PIP, NEEDS(AUDIT), WHEN(WITH(1, O_CREAT)), ASK(OPEN), WHY("as openat")},
	{SYS(creat), EVERY, WHEN(WITH(1, S_ISUID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(creat), EVERY, WHEN(WITH(1, S_ISGID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(creat), BOXES, ASK(OPEN), WHY("recorded, served")},
	{SYS(mknod), EVERY, WHEN(WITH(1, S_ISUID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(mknod), EVERY, WHEN(WITH(1, S_ISGID)), REFUSE(EPERM, "syscall.set-id"), WHY("set-id bits")},
	{SYS(rename), BOXES, ASK(TREE), WHY("as renameat")},
	{SYS(link), BOXES, ASK(TREE), WHY("as linkat")},
	{SYS(mknod), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(symlink), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(unlink), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(rmdir), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(mkdir), BOXES, ASK(TREE), WHY("a refusal is recorded")},
	{SYS(chmod), PIP, WHEN(WITH(1, S_ISUID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{SYS(chmod), PIP, WHEN(WITH(1, S_ISGID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{SYS(chmod), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(chown), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(lchown), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(utime), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(utimes), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(futimesat), BOXES, ASK(META), WHY("not covered by Landlock")},
#endif
	{SYS(fchmod), PIP, WHEN(WITH(1, S_ISUID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{SYS(fchmod), PIP, WHEN(WITH(1, S_ISGID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{SYS(fchmodat), PIP, WHEN(WITH(2, S_ISUID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{SYS(fchmodat), PIP, WHEN(WITH(2, S_ISGID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{NEW(fchmodat2), PIP, WHEN(WITH(2, S_ISUID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{NEW(fchmodat2), PIP, WHEN(WITH(2, S_ISGID)), FAIL(EPERM), WHY("set-id bits: pip sets none")},
	{SYS(fchmod), BOXES, ASK(META), WHY("not covered by Landlock; a read-only descriptor is enough")},
	{SYS(fchmodat), BOXES, ASK(META), WHY("not covered by Landlock")},
	{NEW(fchmodat2), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(fchown), BOXES, ASK(META), WHY("not covered by Landlock; a read-only descriptor is enough")},
	{SYS(fchownat), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(utimensat), BOXES, ASK(META), WHY("not covered by Landlock; also futimens")},
	{SYS(setxattr), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(lsetxattr), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(fsetxattr), BOXES, ASK(META), WHY("not covered by Landlock")},
	{NEW(setxattrat), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(removexattr), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(lremovexattr), BOXES, ASK(META), WHY("not covered by Landlock")},
	{SYS(fremovexattr), BOXES, ASK(META), WHY("not covered by Landlock")},
	{NEW(removexattrat), BOXES, ASK(META), WHY("not covered by Landlock")},
	{NEW(file_setattr), BOXES, ASK(META), WHY("not covered by Landlock")},
	/* meta.c knows what asks and what changes; what neither it nor this file knows does not pass. */
	{SYS(ioctl), BOXES, WHEN(TYPE(1, 'f')), ASK(META), WHY("a file system's requests (flags, versions, encryption, verity): many change a file by a read-only descriptor")},
	{SYS(ioctl), BOXES, WHEN(TYPE(1, 'X')), ASK(META), WHY("the same: project, quota and XFS")},
	{SYS(ioctl), BOXES, WHEN(TYPE(1, 'v')), ASK(META), WHY("the same: generations")},
	{SYS(ioctl), BOXES, WHEN(TYPE(1, 'r')), ASK(META), WHY("the same: FAT")},
	{SYS(ioctl), PIP, WHEN(IS(1, FS_IOC_SETVERSION_)), FAIL(EPERM), WHY("changes an inode by a read-only descriptor")},
	{SYS(ioctl), PIP, WHEN(IS(1, FS_IOC_ENABLE_VERITY_)), FAIL(EPERM), WHY("makes a file immutable by a read-only descriptor")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SNAP_CREATE)), REFUSE(EPERM, "syscall.mount"), WHY("a copy of a subvolume has none of its rules")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SNAP_CREATE_V2)), REFUSE(EPERM, "syscall.mount"), WHY("a copy of a subvolume has none of its rules")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SUBVOL_CREATE)), REFUSE(EPERM, "syscall.mount"), WHY("mkdir that Landlock does not see")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SUBVOL_CREATE_V2)), REFUSE(EPERM, "syscall.mount"), WHY("mkdir that Landlock does not see")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SNAP_DESTROY)), REFUSE(EPERM, "syscall.mount"), WHY("rmdir that Landlock does not see")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SNAP_DESTROY_V2)), REFUSE(EPERM, "syscall.mount"), WHY("rmdir that Landlock does not see")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SUBVOL_SETFLAGS)), REFUSE(EPERM, "syscall.mount"), WHY("attributes that Landlock does not see")},
	{SYS(ioctl), EVERY, WHEN(IS(1, BTRFS_SET_RECEIVED)), REFUSE(EPERM, "syscall.mount"), WHY("attributes that Landlock does not see")},

	/* ---- signals by the back door, terminals ---- */
	{SYS(ioctl), EVERY, WHEN(IS(1, TIOCSTI_)), REFUSE(EPERM, "syscall.terminal"), WHY("types into the terminal")},
	{SYS(ioctl), EVERY, WHEN(IS(1, TIOCLINUX_)), REFUSE(EPERM, "syscall.terminal"), WHY("pastes into the console")},
	{SYS(ioctl), EVERY, WHEN(IS(1, TIOCCONS_)), REFUSE(EPERM, "syscall.terminal"), WHY("takes over the console's output")},
	{SYS(ioctl), EVERY, WHEN(IS(1, FIOSETOWN_)), REFUSE(EPERM, "process.signal"), WHY("the kernel signals for the caller")},
	{SYS(ioctl), EVERY, WHEN(IS(1, SIOCSPGRP_)), REFUSE(EPERM, "process.signal"), WHY("the kernel signals for the caller")},
	{SYS(fcntl), EVERY, WHEN(IS(1, F_SETOWN)), REFUSE(EPERM, "process.signal"), WHY("the kernel signals for the caller")},
	{SYS(fcntl), EVERY, WHEN(IS(1, F_SETOWN_EX_)), REFUSE(EPERM, "process.signal"), WHY("the kernel signals for the caller")},
	{SYS(fcntl), EVERY, WHEN(IS(1, F_SETSIG_)), REFUSE(EPERM, "process.signal"), WHY("any signal instead of SIGIO")},
	{SYS(kill), NETNS, NEEDS(UNSCOPED), WHEN(IS(0, 0)), ASK(SIGNAL), WHY("its group may be the supervisor's and the user's shell's: no PID namespace bounds that")},
	{SYS(kill), PLAIN, NEEDS(UNSCOPED), ASK(SIGNAL), WHY("neither Landlock nor a PID namespace bounds it")},
	{SYS(tkill), PLAIN, NEEDS(UNSCOPED), ASK(SIGNAL), WHY("neither Landlock nor a PID namespace bounds it")},
	{SYS(tgkill), PLAIN, NEEDS(UNSCOPED), ASK(SIGNAL), WHY("neither Landlock nor a PID namespace bounds it")},
	{SYS(rt_sigqueueinfo), PLAIN, NEEDS(UNSCOPED), ASK(SIGNAL), WHY("neither Landlock nor a PID namespace bounds it")},
	{SYS(rt_tgsigqueueinfo), PLAIN, NEEDS(UNSCOPED), ASK(SIGNAL), WHY("neither Landlock nor a PID namespace bounds it")},
	{SYS(pidfd_send_signal), PLAIN, NEEDS(UNSCOPED), ASK(SIGNAL), WHY("neither Landlock nor a PID namespace bounds it")},

	/* ---- limits and priorities of others: a build ended the supervisor with RLIMIT_CPU=0 ---- */
	{SYS(prlimit64), EVERY, WHEN(IS(0, 0)), PASS, WHY("its own")},
	{SYS(prlimit64), EVERY, WHEN(IS_NULL(2)), PASS, WHY("reads")},
	{SYS(prlimit64), EVERY, ASK(SIGNAL), WHY("of a process of the sandbox only")},
	{SYS(sched_setaffinity), EVERY, WHEN(IS(0, 0)), PASS, WHY("its own")},
	{SYS(sched_setaffinity), EVERY, ASK(SIGNAL), WHY("of a process of the sandbox only")},
	{SYS(sched_setscheduler), EVERY, WHEN(IS(0, 0)), PASS, WHY("its own")},
	{SYS(sched_setscheduler), EVERY, ASK(SIGNAL), WHY("of a process of the sandbox only")},
	{SYS(sched_setparam), EVERY, WHEN(IS(0, 0)), PASS, WHY("its own")},
	{SYS(sched_setparam), EVERY, ASK(SIGNAL), WHY("of a process of the sandbox only")},
	{SYS(sched_setattr), EVERY, WHEN(IS(0, 0)), PASS, WHY("its own")},
	{SYS(sched_setattr), EVERY, ASK(SIGNAL), WHY("of a process of the sandbox only")},
	{SYS(setpriority), EVERY, WHEN(IS(0, PRIO_PROCESS_), IS(1, 0)), PASS, WHY("its own")},
	{SYS(setpriority), EVERY, ASK(SIGNAL), WHY("of a process of the sandbox only; groups and users reach further: never")},
	{SYS(ioprio_set), EVERY, WHEN(IS(0, IOPRIO_WHO_PROCESS_), IS(1, 0)), PASS, WHY("its own")},
	{SYS(ioprio_set), EVERY, ASK(SIGNAL), WHY("of a process of the sandbox only; groups and users reach further: never")},

	/* ---- other processes ---- */
	{SYS(ptrace), EVERY, REFUSE(EPERM, "syscall.ptrace"), WHY("reads and steers other processes; rewrites a call after its check")},
	{SYS(process_vm_readv), EVERY, REFUSE(EPERM, "syscall.process-memory"), WHY("memory of other processes")},
	{SYS(process_vm_writev), EVERY, REFUSE(EPERM, "syscall.process-memory"), WHY("memory of other processes")},
	{SYS(pidfd_getfd), EVERY, REFUSE(EPERM, "syscall.process-memory"), WHY("descriptors of other processes")},
	{SYS(kcmp), EVERY, REFUSE(EPERM, "syscall.process-memory"), WHY("compares what other processes hold")},

	/* ---- queues, semaphores and memory that are named by number: where there is no IPC namespace they are the user's ---- */
	{SYS(shmget), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(shmat), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(shmctl), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(msgget), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(msgsnd), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(msgrcv), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(msgctl), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(semget), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(semop), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(semtimedop), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(semctl), PLAIN, FAIL(ENOSYS), WHY("no IPC namespace")},
	{SYS(mq_open), PLAIN, FAIL(ENOSYS), WHY("message queues of the user; POSIX semaphores and shared memory are files")},
	{SYS(mq_unlink), PLAIN, FAIL(ENOSYS), WHY("message queues of the user; POSIX semaphores and shared memory are files")},

	/* ---- ways around every check by number or argument ---- */
	{SYS(io_uring_setup), EVERY, REFUSE(ENOSYS, "syscall.io_uring"), WHY("does what this filter refuses; libraries fall back")},
	{SYS(io_uring_enter), EVERY, REFUSE(ENOSYS, "syscall.io_uring"), WHY("does what this filter refuses")},
	{SYS(io_uring_register), EVERY, REFUSE(ENOSYS, "syscall.io_uring"), WHY("does what this filter refuses")},
	{SYS(clone3), EVERY, FAIL(ENOSYS), WHY("flags lie in memory; libc falls back to clone")},
	{SYS(bpf), EVERY, REFUSE(EPERM, "syscall.bpf"), WHY("kernel programs")},
	{SYS(perf_event_open), EVERY, REFUSE(EPERM, "syscall.perf"), WHY("watches other processes")},
	{SYS(fanotify_init), EVERY, FAIL(EPERM), WHY("watches what Landlock hides; as before 5.13 without the capability")},
	{SYS(userfaultfd), EVERY, REFUSE(EPERM, "syscall.other"), WHY("stops the kernel in the middle of a copy: widens races")},
	{SYS(add_key), EVERY, REFUSE(EPERM, "syscall.keyring"), WHY("the user's keyrings hold credentials")},
	{SYS(request_key), EVERY, REFUSE(EPERM, "syscall.keyring"), WHY("the user's keyrings hold credentials; starts a helper as root")},
	{SYS(keyctl), EVERY, REFUSE(EPERM, "syscall.keyring"), WHY("the user's keyrings hold credentials")},
	{SYS(name_to_handle_at), EVERY, REFUSE(EPERM, "syscall.handle"), WHY("half of open_by_handle_at")},
	{SYS(memfd_secret), EVERY, REFUSE(ENOSYS, "syscall.other"), WHY("the supervisor could not read what a call names there")},
	{SYS(open_by_handle_at), EVERY, REFUSE(EPERM, "syscall.handle"), WHY("opens without a path")},
	{SYS(personality), EVERY, WHEN(IS(0, 0xffffffffu)), PASS, WHY("asks")},
	{SYS(personality), EVERY, WHEN(BITS(0, INT & ~(uint64_t)(ADDR_NO_RANDOMIZE_ | PER_LINUX32_), 0)), PASS, WHY("setarch, debuggers")},
	{SYS(personality), EVERY, REFUSE(EPERM, "syscall.other"), WHY("READ_IMPLIES_EXEC, MMAP_PAGE_ZERO and the like")},

	/* ---- namespaces and mounts ---- */
	{SYS(clone), PIP, WHEN(WITHOUT(0, NEW_NAMESPACES)), PASS, WHY("processes and threads")},
	{SYS(clone), BOXES, WHEN(WITHOUT(0, NEW_NAMESPACES | SHARES)), PASS, WHY("fork")},
	{SYS(clone), BOXES, WHEN(BITS(0, NEW_NAMESPACES | SHARES | CLONE_VFORK | CLONE_THREAD, CLONE_VM | CLONE_VFORK)), PASS, WHY("vfork, posix_spawn: the parent sleeps")},
	{SYS(clone), BOXES, WHEN(WITHOUT(0, NEW_NAMESPACES)), ASK(CLONE), WHY("who shares memory can change what is looked at: noted")},
	{SYS(clone), EVERY, REFUSE(EPERM, "syscall.namespace"), WHY("a user namespace gives capabilities, hence kernel surface")},
	{SYS(unshare), EVERY, WHEN(WITHOUT(0, ~(uint64_t)(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM))), PASS, WHY("tables of its own")},
	{SYS(unshare), EVERY, REFUSE(EPERM, "syscall.namespace"), WHY("as clone")},
	{SYS(setns), EVERY, REFUSE(EPERM, "syscall.namespace"), WHY("enters what others made")},
	{SYS(mount), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("moves paths away from their rules")},
	{SYS(umount2), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("moves paths away from their rules")},
	{SYS(pivot_root), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("another root")},
	{SYS(chroot), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("another root: paths mean something else")},
	{SYS(open_tree), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},
	{NEW(open_tree_attr), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},
	{SYS(move_mount), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},
	{SYS(fsopen), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},
	{SYS(fsconfig), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},
	{SYS(fsmount), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},
	{SYS(fspick), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},
	{SYS(mount_setattr), EVERY, REFUSE(EPERM, "syscall.mount"), WHY("the newer mount calls")},

	/* ---- the machine ---- */
	{SYS(init_module), EVERY, REFUSE(EPERM, "syscall.module"), WHY("kernel code")},
	{SYS(finit_module), EVERY, REFUSE(EPERM, "syscall.module"), WHY("kernel code")},
	{SYS(delete_module), EVERY, REFUSE(EPERM, "syscall.module"), WHY("kernel code")},
	{SYS(kexec_load), EVERY, REFUSE(EPERM, "syscall.module"), WHY("another kernel")},
	{SYS(kexec_file_load), EVERY, REFUSE(EPERM, "syscall.module"), WHY("another kernel")},
	{SYS(reboot), EVERY, REFUSE(EPERM, "syscall.other"), WHY("the machine")},
	{SYS(swapon), EVERY, REFUSE(EPERM, "syscall.other"), WHY("the machine")},
	{SYS(swapoff), EVERY, REFUSE(EPERM, "syscall.other"), WHY("the machine")},
	{SYS(acct), EVERY, REFUSE(EPERM, "syscall.other"), WHY("the machine")},
	{SYS(syslog), EVERY, REFUSE(EPERM, "syscall.other"), WHY("kernel messages hold addresses")},
	{SYS(quotactl), EVERY, REFUSE(EPERM, "syscall.other"), WHY("the machine")},
	{SYS(quotactl_fd), EVERY, REFUSE(EPERM, "syscall.other"), WHY("the machine")},
	{SYS(vhangup), EVERY, REFUSE(EPERM, "syscall.terminal"), WHY("the user's terminal")},
	{SYS(settimeofday), EVERY, FAIL(EPERM), WHY("the clock; as without the capability")},
	{SYS(clock_settime), EVERY, FAIL(EPERM), WHY("the clock; as without the capability")},
	{NEW(lsm_set_self_attr), EVERY, FAIL(ENOSYS), WHY("changes the profile of another security module; as before 6.8")},
	{NEW(listns), EVERY, FAIL(ENOSYS), WHY("namespaces of others; as before 6.19")},
	{SYS(sethostname), EVERY, FAIL(EPERM), WHY("as without the capability")},
	{SYS(setdomainname), EVERY, FAIL(EPERM), WHY("as without the capability")},
#ifdef __NR_iopl
	{SYS(modify_ldt), EVERY, FAIL(ENOSYS), WHY("segments for 16-bit code; as in a kernel without")},
	{SYS(iopl), EVERY, REFUSE(EPERM, "syscall.other"), WHY("ports of the machine")},
	{SYS(ioperm), EVERY, REFUSE(EPERM, "syscall.other"), WHY("ports of the machine")},
#endif
};

const struct filter_row *filter_table(size_t *count)
{
	*count = sizeof table / sizeof *table;
	return table;
}

/* Under --audit what is refused unasked is not refused; clone3 still is, and libc falls back to clone, whose flags can be seen.  Sandboxes have no namespaces
 * there, so signals are asked about as where none can be had. */
static bool exists_in_audit(const struct filter_row *row, enum filter_kind kind)
{
	unsigned roles = row->roles;

	if (row->handler == FILTER_SIGNAL && (roles & FILTER_FOR_PLAIN)) {
		roles |= FILTER_FOR_SANDBOX;
	}
	return (roles & 1u << kind) && (row->verdict != FILTER_ERRNO || row->nr == __NR_clone3);
}

bool filter_row_exists(const struct filter_row *row, enum filter_kind kind, const struct filter_options *opt)
{
	if (opt->audit ? !exists_in_audit(row, kind) : !(row->roles & 1u << kind)) {
		return false;
	}
	switch ((enum filter_need)row->need) {
	case FILTER_ALWAYS:
		return true;
	case FILTER_UNSCOPED:
		return !opt->signals_scoped;
	case FILTER_AUDIT:
		return opt->audit;
	case FILTER_UNIX:
		return opt->unix_connect;
	}
	return true;
}

bool filter_row_conditional(const struct filter_row *row)
{
	return row->when[0].mask != 0;
}

bool filter_row_matches(const struct filter_row *row, const uint64_t args[6])
{
	for (size_t i = 0; i < FILTER_WHEN_MAX && row->when[i].mask; i++) {
		if ((args[row->when[i].arg] & row->when[i].mask) != row->when[i].value) {
			return false;
		}
	}
	return true;
}

static bool foreign(uint32_t arch, int nr)
{
	return arch != filter_arch || (nr >= 0 && (uint32_t)nr >= FILTER_ARCH_NR_FOREIGN);
}

bool filter_known(int nr)
{
	const struct syscall_group *group = syscalls_group(nr);

	for (size_t i = 0; group == NULL && i < sizeof table / sizeof *table; i++) {
		if (table[i].nr == nr) {
			return true;
		}
	}
	return group != NULL && group->class != SYSCALL_GONE;
}

struct filter_decision filter_decide(enum filter_kind kind, const struct filter_options *opt, const struct seccomp_data *call)
{
	if (foreign(call->arch, call->nr)) {
		return (struct filter_decision){FILTER_NOTIFY, ENOSYS, FILTER_REFUSED, "syscall.foreign-abi", "foreign"};
	}
	if (!filter_known(call->nr)) {
		return (struct filter_decision){.verdict = FILTER_ERRNO, .error = ENOSYS, .name = "unknown"};
	}
	uint64_t args[6];
	for (size_t i = 0; i < 6; i++) {
		args[i] = call->args[i];
	}
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct filter_row *row = &table[i];
		if (row->nr == call->nr && filter_row_exists(row, kind, opt) && filter_row_matches(row, args)) {
			return (struct filter_decision){row->verdict, row->error, row->handler, row->rule, row->name};
		}
	}
	return (struct filter_decision){.verdict = FILTER_ALLOW};
}

/* Where the rows of a call begin, from 1: every notification asks. */
static uint16_t first_row[FILTER_NR_MAX + 1];
static pthread_once_t indexed = PTHREAD_ONCE_INIT;

static void make_index(void)
{
	for (size_t i = sizeof table / sizeof *table; i > 0; i--) {
		first_row[table[i - 1].nr] = (uint16_t)i;
	}
}

/* The first row, of whatever role, that notifies this call. */
static const struct filter_row *notified(int nr, const uint64_t args[6], bool refused_only)
{
	pthread_once(&indexed, make_index);
	if (nr < 0 || nr > FILTER_NR_MAX || first_row[nr] == 0) {
		return NULL;
	}
	for (size_t i = first_row[nr] - 1u; i < sizeof table / sizeof *table; i++) {
		const struct filter_row *row = &table[i];
		if (row->nr == nr && row->verdict == FILTER_NOTIFY && (!refused_only || row->handler == FILTER_REFUSED) &&
		    filter_row_matches(row, args)) {
			return row;
		}
	}
	return NULL;
}

enum filter_handler filter_route(const struct seccomp_data *call)
{
	uint64_t args[6];
	if (foreign(call->arch, call->nr)) {
		return FILTER_REFUSED;
	}
	for (size_t i = 0; i < 6; i++) {
		args[i] = call->args[i];
	}
	const struct filter_row *row = notified(call->nr, args, false);
	return row ? row->handler : FILTER_REFUSED;
}

int filter_refusal(int nr, const uint64_t args[6], const char **rule, const char **name)
{
	const struct filter_row *row = notified(nr, args, true);
	bool x32 = nr >= 0 && (uint32_t)nr >= FILTER_ARCH_NR_FOREIGN;
	*rule = row ? row->rule : x32 ? "syscall.foreign-abi" : "syscall.other";
	*name = row ? row->name : "unknown";
	return row ? row->error : x32 ? ENOSYS : EPERM;
}

int filter_refusal_of(const struct seccomp_data *call, const char **rule, const char **name)
{
	uint64_t args[6];
	if (foreign(call->arch, call->nr)) {
		*rule = "syscall.foreign-abi";
		*name = "foreign";
		return ENOSYS;
	}
	for (size_t i = 0; i < 6; i++) {
		args[i] = call->args[i];
	}
	return filter_refusal(call->nr, args, rule, name);
}
