#include "syscalls.h"

#include <asm/unistd.h>
#include <string.h>

#include "compat.h"

#define SYS(n) {__NR_##n, #n}
#define NEW(n) {PW_NR_##n, #n} /* younger than Debian 12's headers: compat.h */
#define HARMLESS SYSCALL_HARMLESS
#define LANDLOCK SYSCALL_LANDLOCK
#define GONE SYSCALL_GONE

/* "It" is the calling process. */
static const struct syscall_group table[] = {
	{HARMLESS, "what it has open", {
		SYS(read), SYS(write), SYS(readv), SYS(writev), SYS(pread64), SYS(pwrite64), SYS(preadv), SYS(pwritev),
		SYS(preadv2), SYS(pwritev2), SYS(lseek), SYS(sendfile), SYS(splice), SYS(tee), SYS(vmsplice),
		SYS(copy_file_range), SYS(readahead), SYS(fadvise64), SYS(sync_file_range), SYS(fsync), SYS(fdatasync),
		SYS(ftruncate), SYS(fallocate), SYS(flock), SYS(getdents64), SYS(fstat), SYS(fstatfs), SYS(close),
		SYS(close_range), SYS(dup), SYS(dup3), SYS(ppoll), SYS(pselect6)}},
	{HARMLESS, "asynchronous reads and writes of what it has open", {
		SYS(io_setup), SYS(io_destroy), SYS(io_submit), SYS(io_cancel), SYS(io_getevents), SYS(io_pgetevents)}},
	{HARMLESS, "which pages of a file that it has open are in memory", {
		NEW(cachestat)}},
	{HARMLESS, "pipes and counters of its own", {
		SYS(pipe2), SYS(eventfd2), SYS(epoll_create1), SYS(epoll_ctl), SYS(epoll_pwait), SYS(epoll_pwait2),
		SYS(signalfd4), SYS(timerfd_create), SYS(timerfd_settime), SYS(timerfd_gettime)}},
	{HARMLESS, "its own memory", {
		SYS(mmap), SYS(munmap), SYS(mremap), SYS(mprotect), SYS(brk), SYS(msync), SYS(madvise), SYS(mincore),
		SYS(mlock), SYS(mlock2), SYS(mlockall), SYS(munlock), SYS(munlockall), NEW(mseal), SYS(remap_file_pages),
		SYS(pkey_alloc), SYS(pkey_free), SYS(pkey_mprotect), NEW(map_shadow_stack), SYS(membarrier), SYS(mbind),
		SYS(set_mempolicy), SYS(get_mempolicy), SYS(set_mempolicy_home_node)}},
	{HARMLESS, "the kernel's ptrace check stands before it, and fails for everything outside of a Landlock domain", {
		SYS(process_madvise), SYS(move_pages), SYS(migrate_pages), SYS(get_robust_list)}},
	{HARMLESS, "hastens the end of a process that is being killed already", {
		SYS(process_mrelease)}},
	{HARMLESS, "memory with a descriptor; programs in it are executed by execveat", {
		SYS(memfd_create)}},
	{HARMLESS, "ends, and waits for, itself and its children", {
		SYS(exit), SYS(exit_group), SYS(wait4), SYS(waitid)}},
	{HARMLESS, "a handle; what could be done with it is refused or scoped", {
		SYS(pidfd_open)}},
	{HARMLESS, "its own threads", {
		SYS(futex), SYS(futex_waitv), NEW(futex_wake), NEW(futex_wait), NEW(futex_requeue), SYS(set_robust_list),
		SYS(set_tid_address), SYS(rseq), NEW(rseq_slice_yield), SYS(restart_syscall), SYS(sched_yield), SYS(gettid),
		SYS(getcpu)}},
	{HARMLESS, "its own signals", {
		SYS(rt_sigaction), SYS(rt_sigprocmask), SYS(rt_sigpending), SYS(rt_sigsuspend), SYS(rt_sigtimedwait),
		SYS(rt_sigreturn), SYS(sigaltstack), SYS(setitimer), SYS(getitimer), SYS(timer_create), SYS(timer_settime),
		SYS(timer_gettime), SYS(timer_getoverrun), SYS(timer_delete)}},
	{HARMLESS, "time; setting it needs a capability that nobody has", {
		SYS(gettimeofday), SYS(clock_gettime), SYS(clock_getres), SYS(nanosleep), SYS(clock_nanosleep),
		SYS(adjtimex), SYS(clock_adjtime), SYS(times)}},
	{HARMLESS, "random bytes", {
		SYS(getrandom)}},
	{HARMLESS, "tells of itself and of the machine", {
		SYS(uname), SYS(sysinfo), SYS(getrusage), SYS(getrlimit), SYS(getpid), SYS(getppid), SYS(getuid),
		SYS(geteuid), SYS(getgid), SYS(getegid), SYS(getgroups), SYS(getresuid), SYS(getresgid), SYS(getcwd),
		SYS(umask), SYS(capget), NEW(lsm_get_self_attr), NEW(lsm_list_modules)}},
	{HARMLESS, "its own limits, never above the hard ones", {
		SYS(setrlimit)}},
	{HARMLESS, "tells how another process is scheduled, and that it is there; changes nothing", {
		SYS(sched_getaffinity), SYS(sched_getattr), SYS(sched_getparam), SYS(sched_getscheduler),
		SYS(sched_rr_get_interval), SYS(sched_get_priority_max), SYS(sched_get_priority_min), SYS(getpriority),
		SYS(ioprio_get), SYS(getpgid), SYS(getsid)}},
	{HARMLESS, "gives rights away; no_new_privs, and no capability that could take others", {
		SYS(setuid), SYS(setgid), SYS(setreuid), SYS(setregid), SYS(setresuid), SYS(setresgid), SYS(setfsuid),
		SYS(setfsgid), SYS(setgroups), SYS(capset)}},
	{HARMLESS, "restricts itself further", {
		SYS(seccomp), SYS(landlock_create_ruleset), SYS(landlock_add_rule), SYS(landlock_restrict_self)}},
	{HARMLESS, "groups of its own session", {
		SYS(setpgid), SYS(setsid)}},
	{HARMLESS, "slows the disk, changes nothing", {
		SYS(sync), SYS(syncfs)}},
	{HARMLESS, "paths in the calls that follow mean another folder, and are judged then", {
		SYS(chdir), SYS(fchdir)}},
	{HARMLESS, "tells that a name exists, and its mode, size and times: Landlock does not cover it", {
		SYS(faccessat), SYS(faccessat2), SYS(newfstatat), SYS(statx), SYS(statfs), SYS(readlinkat), NEW(file_getattr)}},
	{HARMLESS, "reads attributes of what is named: Landlock does not cover it", {
		SYS(getxattr), SYS(lgetxattr), SYS(fgetxattr), NEW(getxattrat), SYS(listxattr), SYS(llistxattr),
		SYS(flistxattr), NEW(listxattrat)}},
	{HARMLESS, "the mounts of its own namespace, as /proc/self/mountinfo", {
		NEW(statmount), NEW(listmount)}},
	{HARMLESS, "names of files that change in a folder whose name is known: Landlock does not cover it", {
		SYS(inotify_init1), SYS(inotify_add_watch), SYS(inotify_rm_watch)}},
	{HARMLESS, "needs what fanotify_init would have given", {
		SYS(fanotify_mark)}},
	{HARMLESS, "sockets that it has: socket and connect are decided", {
		SYS(accept), SYS(accept4), SYS(getsockname), SYS(getpeername), SYS(shutdown), SYS(recvfrom), SYS(recvmsg),
		SYS(recvmmsg)}},
	{HARMLESS, "IPC namespace; without one nothing can be opened that these would use", {
		SYS(shmdt), SYS(mq_timedsend), SYS(mq_timedreceive), SYS(mq_notify), SYS(mq_getsetattr)}},
	{GONE, "gone from the kernel, or never of this architecture", {
		SYS(nfsservctl), SYS(lookup_dcookie)}},

	/* ---- of these filter_table.c refuses or asks about some roles or arguments; what is left is allowed because of: ---- */
	{HARMLESS, "pip's own: from where it connects, and who may come, decides nothing", {
		SYS(bind)}},
	{HARMLESS, "in its own network namespace, or pip's own", {
		SYS(listen)}},
	{HARMLESS, "devices are Landlock's from ABI 5 on, file systems' requests are decided; others act on what it has open", {
		SYS(ioctl)}},
	{HARMLESS, "what it has open", {
		SYS(fcntl), SYS(setsockopt), SYS(getsockopt)}},
	{HARMLESS, "changes or asks about itself; what lets others in (PR_SET_PTRACER, PR_SCHED_CORE) still meets the ptrace check", {
		SYS(prctl)}},
	{LANDLOCK, "the installer's writes; it may read what the user may", {
		SYS(openat), SYS(openat2)}},
	{LANDLOCK, "the installer", {
		SYS(truncate), SYS(renameat), SYS(renameat2), SYS(linkat), SYS(symlinkat), SYS(unlinkat), SYS(mkdirat), SYS(mknodat)}},
	{HARMLESS, "the installer: no code of a package runs in it", {
		SYS(fchmod), SYS(fchmodat), NEW(fchmodat2), SYS(fchown), SYS(fchownat), SYS(utimensat), SYS(setxattr), SYS(lsetxattr),
		SYS(fsetxattr), NEW(setxattrat), SYS(removexattr), SYS(lremovexattr), SYS(fremovexattr), NEW(removexattrat), NEW(file_setattr)}},
	{LANDLOCK, "signals are scoped from ABI 6 on; before, the PID namespace bounds what is not asked about; pip's own children", {
		SYS(kill), SYS(tkill), SYS(tgkill), SYS(rt_sigqueueinfo), SYS(rt_tgsigqueueinfo), SYS(pidfd_send_signal)}},
	{HARMLESS, "the sandbox's own IPC namespace; the installer's are the user's", {
		SYS(shmget), SYS(shmat), SYS(shmctl), SYS(msgget), SYS(msgsnd), SYS(msgrcv), SYS(msgctl), SYS(semget), SYS(semop),
		SYS(semtimedop), SYS(semctl), SYS(mq_open), SYS(mq_unlink)}},
#ifdef __x86_64__ /* the older calls */
	{HARMLESS, "what it has open", {
		SYS(getdents), SYS(dup2), SYS(poll), SYS(select)}},
	{HARMLESS, "pipes and counters of its own", {
		SYS(pipe), SYS(eventfd), SYS(epoll_create), SYS(epoll_wait), SYS(signalfd)}},
	{HARMLESS, "ends, and waits for, itself and its children", {
		SYS(fork), SYS(vfork), SYS(pause)}},
	{HARMLESS, "its own signals", {
		SYS(alarm)}},
	{HARMLESS, "its own registers", {
		SYS(arch_prctl)}},
	{HARMLESS, "the kernel's own trampolines call them", {
		NEW(uretprobe), NEW(uprobe)}},
	{HARMLESS, "time; setting it needs a capability that nobody has", {
		SYS(time)}},
	{HARMLESS, "tells of itself and of the machine", {
		SYS(getpgrp), SYS(ustat), SYS(sysfs)}},
	{HARMLESS, "tells that a name exists, and its mode, size and times: Landlock does not cover it", {
		SYS(access), SYS(stat), SYS(lstat), SYS(readlink)}},
	{HARMLESS, "names of files that change in a folder whose name is known: Landlock does not cover it", {
		SYS(inotify_init)}},
	{GONE, "gone from the kernel, or never of this architecture", {
		SYS(create_module), SYS(get_kernel_syms), SYS(query_module), SYS(getpmsg), SYS(putpmsg), SYS(afs_syscall),
		SYS(tuxcall), SYS(security), SYS(set_thread_area), SYS(get_thread_area), SYS(epoll_ctl_old),
		SYS(epoll_wait_old), SYS(vserver), SYS(uselib), SYS(_sysctl)}},
	{LANDLOCK, "the installer's writes; it may read what the user may", {
		SYS(open), SYS(creat)}},
	{LANDLOCK, "the installer", {
		SYS(rename), SYS(link), SYS(symlink), SYS(unlink), SYS(rmdir), SYS(mkdir), SYS(mknod)}},
	{HARMLESS, "the installer: no code of a package runs in it", {
		SYS(chmod), SYS(chown), SYS(lchown), SYS(utime), SYS(utimes), SYS(futimesat)}},
#endif
};

const struct syscall_group *syscalls_table(size_t *count)
{
	*count = sizeof table / sizeof *table;
	return table;
}

const struct syscall_group *syscalls_group(int nr)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		for (const struct syscall_name *s = table[i].calls; s->name != NULL; s++) {
			if (s->nr == nr) {
				return &table[i];
			}
		}
	}
	return NULL;
}
