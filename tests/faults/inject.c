/* Makes one system call fail, in one of pipwarden's own processes, at one place where it is called.
 *
 * Preloaded into `pipwarden` (and linked into a dynamic `enter`) by tests/lib/faults.py; no part of the product.  A place is: the kind of process, the
 * function of libc, the phase of the workload, and the innermost return addresses.  Places are counted in a file that every process maps:
 *
 *   PW_FAULT_TABLE  that file
 *   PW_FAULT        HASH:ERRNO:FIRST:COUNT     calls number FIRST to FIRST+COUNT-1 of that place fail (ERRNO 0: the process crashes there);
 *                                              without it every place is only counted
 *
 * The phase is what the workload says of itself, by a path that it opens: the supervisor reads it, and so do we. */
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <dlfcn.h>
#include <sched.h>

#define DEPTH 3      /* return addresses that tell one place from another */
#define SLOTS 16384u /* a power of two */
#define PHASE_MARK "pw-fault-phase-"

enum kind { KIND_LAUNCHER, KIND_PROBER, KIND_SUPERVISOR, KIND_ZYGOTE, KIND_INIT, KIND_BIRTH, KIND_ENTER };

struct site {
	_Atomic uint64_t hash; /* 0: free */
	_Atomic uint32_t hits;
	uint32_t kind, phase;
	char call[36];
	uint64_t address[DEPTH]; /* from the program's base */
};

struct table {
	_Atomic uint32_t phase, failed, full;
	uint32_t slots;
	struct site site[SLOTS];
};

static struct table *table;
static enum kind kind;
static uint64_t wanted;
static int wanted_error;
static uint32_t first, count;
static uintptr_t base, end;
static __thread int busy;

static int find_base(struct dl_phdr_info *info, size_t size, void *argument)
{
	(void)size;
	(void)argument;
	base = info->dlpi_addr; /* the program comes first */
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t last = base + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
		if (info->dlpi_phdr[i].p_type == PT_LOAD && last > end) {
			end = last;
		}
	}
	return 1;
}

static void __attribute__((constructor)) begin(void)
{
	const char *file = getenv("PW_FAULT_TABLE"), *fault = getenv("PW_FAULT"), *preload = getenv("LD_PRELOAD");
	void *warm[4];

	if (preload != NULL && strstr(preload, "pw-fault-inject") != NULL && strchr(preload, ':') == NULL) {
		unsetenv("LD_PRELOAD"); /* ours alone: what pipwarden starts shall not have it */
	}
	int fd = file != NULL ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0) : -1;
	if (fd < 0) {
		return;
	}
	backtrace(warm, 4); /* its first call loads a library */
	dl_iterate_phdr(find_base, NULL);
	char self[200] = ""; /* argv[0] of `enter` is that of what it stands for */
	long len = syscall(SYS_readlink, "/proc/self/exe", self, sizeof self - 1);
	kind = len > 6 && strcmp(self + len - 6, "/enter") == 0 ? KIND_ENTER : KIND_LAUNCHER;
	if (fault != NULL) {
		char *at;
		wanted = strtoull(fault, &at, 16);
		wanted_error = (int)strtol(at + 1, &at, 10);
		first = (uint32_t)strtoul(at + 1, &at, 10);
		count = (uint32_t)strtoul(at + 1, &at, 10);
	}
	void *mapped = (void *)syscall(SYS_mmap, NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (mapped != MAP_FAILED) {
		table = mapped;
	}
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v;
	h *= 0x100000001b3u;
	return h ^ (h >> 29);
}

static struct site *find(uint64_t hash, const char *call, uint32_t phase, const uint64_t *address)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct site *s = &table->site[(hash + i) & (SLOTS - 1)];
		uint64_t none = 0;
		if (atomic_load(&s->hash) == hash) {
			return s;
		}
		if (atomic_load(&s->hash) == 0 && atomic_compare_exchange_strong(&s->hash, &none, hash)) {
			s->kind = kind;
			s->phase = phase;
			strncpy(s->call, call, sizeof s->call - 1);
			memcpy(s->address, address, sizeof s->address);
			return s;
		}
		if (none == hash) {
			return s;
		}
	}
	atomic_store(&table->full, 1);
	return NULL;
}

/* Shall this call fail? Then errno is what it fails with. */
static int fails(const char *call)
{
	void *frames[12];
	uint64_t address[DEPTH] = {0}, hash = 0xcbf29ce484222325u;
	int n, used = 0, saved = errno, yes = 0;

	if (table == NULL || busy) {
		return 0;
	}
	busy = 1;
	n = backtrace(frames, 12);
	/* frames[0] is this function, then the wrapper: it is called by the program, or by a library. */
	bool library = n > 2 && ((uintptr_t)frames[2] < base || (uintptr_t)frames[2] >= end);
	char name[36];
	snprintf(name, sizeof name, "%s%s", call, library ? "@library" : "");
	call = name;
	for (int i = 1; i < n && used < DEPTH; i++) {
		uintptr_t a = (uintptr_t)frames[i];
		if (a >= base && a < end) {
			address[used++] = a - base;
		}
	}
	if (used > 0) { /* called by the program, if perhaps through a library */
		uint32_t phase = atomic_load(&table->phase);
		for (const char *c = call; *c != '\0'; c++) {
			hash = mix(hash, (unsigned char)*c);
		}
		hash = mix(mix(hash, kind), phase);
		for (int i = 0; i < used; i++) {
			hash = mix(hash, address[i]);
		}
		struct site *s = find(hash, call, phase, address);
		uint32_t hit = s != NULL ? atomic_fetch_add(&s->hits, 1) + 1 : 0;
		yes = hash == wanted && hit >= first && hit - first < count;
		if (yes) {
			atomic_fetch_add(&table->failed, 1);
		}
		if (yes && wanted_error == 0) {
			*(volatile int *)0 = 0; /* a crash of this process */
		}
	}
	busy = 0;
	errno = yes ? wanted_error : saved;
	return yes;
}

static void was_forked(void)
{
	kind = kind == KIND_INIT ? KIND_BIRTH : kind == KIND_SUPERVISOR ? KIND_BIRTH : kind == KIND_LAUNCHER ? KIND_PROBER : kind;
}

#define REAL(name) static __typeof__(&name) real; if (real == NULL) { real = (__typeof__(real))dlsym(RTLD_NEXT, #name); }

/* WRAP(what a failure returns, type, name, parameters, arguments) */
#define WRAP(failure, type, name, parameters, arguments) \
	type name parameters; \
	type name parameters \
	{ \
		REAL(name) \
		return fails(#name) ? (failure) : real arguments; \
	}

/* With a mode that is there or not. */
#define WRAP_OPEN(name, parameters, arguments) \
	int name parameters; \
	int name parameters \
	{ \
		REAL(name) \
		va_list ap; \
		va_start(ap, flags); \
		mode_t mode = (mode_t)va_arg(ap, int); \
		va_end(ap); \
		return fails(#name) ? -1 : real arguments; \
	}

int __open64_2(const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
char *__realpath_chk(const char *path, char *out, size_t size);
ssize_t __read_chk(int fd, void *buffer, size_t len, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t len, off_t at, size_t room);
ssize_t __readlink_chk(const char *path, char *buffer, size_t len, size_t room);
ssize_t __readlinkat_chk(int dir, const char *path, char *buffer, size_t len, size_t room);
char *__getcwd_chk(char *buffer, size_t len, size_t room);
int __ttyname_r_chk(int fd, char *buffer, size_t len, size_t room);
int __gethostname_chk(char *buffer, size_t len, size_t room);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room);

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
WRAP_OPEN(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
WRAP(-1, int, __open64_2, (const char *path, int flags), (path, flags))
WRAP(-1, int, __openat64_2, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(-1, ssize_t, read, (int fd, void *buffer, size_t len), (fd, buffer, len))
WRAP(-1, ssize_t, __read_chk, (int fd, void *buffer, size_t len, size_t room), (fd, buffer, len, room))
WRAP(-1, ssize_t, write, (int fd, const void *buffer, size_t len), (fd, buffer, len))
WRAP(-1, ssize_t, pread64, (int fd, void *buffer, size_t len, off_t at), (fd, buffer, len, at))
WRAP(-1, ssize_t, __pread64_chk, (int fd, void *buffer, size_t len, off_t at, size_t room), (fd, buffer, len, at, room))
WRAP(-1, ssize_t, pwrite64, (int fd, const void *buffer, size_t len, off_t at), (fd, buffer, len, at))
WRAP(-1, ssize_t, readlink, (const char *path, char *buffer, size_t len), (path, buffer, len))
WRAP(-1, ssize_t, __readlink_chk, (const char *path, char *buffer, size_t len, size_t room), (path, buffer, len, room))
WRAP(-1, ssize_t, readlinkat, (int dir, const char *path, char *buffer, size_t len), (dir, path, buffer, len))
WRAP(-1, ssize_t, __readlinkat_chk, (int dir, const char *path, char *buffer, size_t len, size_t room), (dir, path, buffer, len, room))
WRAP(-1, int, access, (const char *path, int mode), (path, mode))
WRAP(-1, int, faccessat, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
WRAP(-1, int, chdir, (const char *path), (path))
WRAP(-1, int, fchdir, (int fd), (fd))
WRAP(-1, int, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(-1, int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(-1, int, fchownat, (int dir, const char *path, uid_t uid, gid_t gid, int flags), (dir, path, uid, gid, flags))
WRAP(-1, int, utimensat, (int dir, const char *path, const struct timespec times[2], int flags), (dir, path, times, flags))
WRAP(-1, ssize_t, getxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
WRAP(-1, int, setxattr, (const char *path, const char *name, const void *value, size_t size, int flags), (path, name, value, size, flags))
WRAP(-1, int, removexattr, (const char *path, const char *name), (path, name))
WRAP(-1, int, stat, (const char *restrict path, struct stat *restrict out), (path, out))
WRAP(-1, int, lstat, (const char *restrict path, struct stat *restrict out), (path, out))
WRAP(-1, int, fstat, (int fd, struct stat *out), (fd, out))
WRAP(-1, int, fstatat, (int dir, const char *restrict path, struct stat *restrict out, int flags), (dir, path, out, flags))
WRAP(-1, int, stat64, (const char *restrict path, struct stat64 *restrict out), (path, out))
WRAP(-1, int, lstat64, (const char *restrict path, struct stat64 *restrict out), (path, out))
WRAP(-1, int, fstat64, (int fd, struct stat64 *out), (fd, out))
WRAP(-1, int, fstatat64, (int dir, const char *restrict path, struct stat64 *restrict out, int flags), (dir, path, out, flags))
WRAP(-1, int, statfs64, (const char *path, struct statfs64 *out), (path, out))
WRAP(-1, int, fstatfs64, (int fd, struct statfs64 *out), (fd, out))
WRAP(-1, int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(-1, int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(-1, int, mknodat, (int dir, const char *path, mode_t mode, dev_t device), (dir, path, mode, device))
WRAP(-1, int, rmdir, (const char *path), (path))
WRAP(-1, int, unlink, (const char *path), (path))
WRAP(-1, int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(-1, int, linkat, (int from, const char *path, int to, const char *new, int flags), (from, path, to, new, flags))
WRAP(-1, int, symlinkat, (const char *text, int dir, const char *path), (text, dir, path))
WRAP(-1, int, renameat, (int from, const char *path, int to, const char *new), (from, path, to, new))
WRAP(-1, int, renameat2, (int from, const char *path, int to, const char *new, unsigned flags), (from, path, to, new, flags))
WRAP(-1, int, ftruncate64, (int fd, off_t len), (fd, len))
WRAP(-1, int, fdatasync, (int fd), (fd))
WRAP(-1, off_t, lseek64, (int fd, off_t at, int how), (fd, at, how))
WRAP(-1, int, flock, (int fd, int what), (fd, what))
WRAP(-1, int, dup2, (int fd, int number), (fd, number))
WRAP(-1, int, dup3, (int fd, int number, int flags), (fd, number, flags))
WRAP(-1, int, pipe2, (int fds[2], int flags), (fds, flags))
WRAP(-1, int, eventfd, (unsigned value, int flags), (value, flags))
WRAP(-1, int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(-1, int, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(-1, int, inotify_init1, (int flags), (flags))
WRAP(-1, int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))
WRAP(-1, int, poll, (struct pollfd *fds, nfds_t n, int timeout), (fds, n, timeout))
WRAP(-1, int, __poll_chk, (struct pollfd *fds, nfds_t n, int timeout, size_t room), (fds, n, timeout, room))
WRAP(-1, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(-1, int, socketpair, (int domain, int type, int protocol, int pair[2]), (domain, type, protocol, pair))
WRAP(-1, int, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len))
WRAP(-1, int, shutdown, (int fd, int how), (fd, how))
WRAP(-1, int, getpeername, (int fd, struct sockaddr *restrict address, socklen_t *restrict len), (fd, address, len))
WRAP(-1, int, getsockopt, (int fd, int level, int name, void *restrict value, socklen_t *restrict len), (fd, level, name, value, len))
WRAP(-1, int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len), (fd, level, name, value, len))
WRAP(-1, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(-1, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(-1, int, kill, (pid_t pid, int number), (pid, number))
WRAP(-1, int, raise, (int number), (number))
WRAP(-1, pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WRAP(-1, int, waitid, (idtype_t type, id_t id, siginfo_t *out, int options), (type, id, out, options))
WRAP(-1, pid_t, setsid, (void), ())
WRAP(-1, pid_t, getpgid, (pid_t pid), (pid))
WRAP(-1, pid_t, tcgetpgrp, (int fd), (fd))
WRAP(-1, int, tcsetpgrp, (int fd, pid_t group), (fd, group))
WRAP(-1, int, setrlimit64, (__rlimit_resource_t what, const struct rlimit64 *limit), (what, limit))
WRAP(-1, int, unshare, (int flags), (flags))
WRAP(-1, int, mount, (const char *from, const char *to, const char *type, unsigned long flags, const void *data), (from, to, type, flags, data))
WRAP(-1, int, sigaction, (int number, const struct sigaction *restrict new, struct sigaction *restrict old), (number, new, old))
WRAP(-1, int, sigprocmask, (int how, const sigset_t *restrict set, sigset_t *restrict old), (how, set, old))
WRAP(-1, int, sigtimedwait, (const sigset_t *restrict set, siginfo_t *restrict info, const struct timespec *restrict timeout), (set, info, timeout))
WRAP(-1, int, sigwaitinfo, (const sigset_t *restrict set, siginfo_t *restrict info), (set, info))
WRAP(-1, int, timer_create, (clockid_t clock, struct sigevent *restrict event, timer_t *restrict out), (clock, event, out))
WRAP(-1, int, timer_settime, (timer_t timer, int flags, const struct itimerspec *restrict new, struct itimerspec *restrict old), (timer, flags, new, old))
WRAP(-1, int, timer_delete, (timer_t timer), (timer))
WRAP(-1, int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
WRAP(-1, int, munmap, (void *at, size_t len), (at, len))
WRAP(-1, ssize_t, getrandom, (void *buffer, size_t len, unsigned flags), (buffer, len, flags))
WRAP(-1, int, gethostname, (char *buffer, size_t len), (buffer, len))
WRAP(-1, int, __gethostname_chk, (char *buffer, size_t len, size_t room), (buffer, len, room))
WRAP(-1, int, execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp))
WRAP(NULL, char *, getcwd, (char *buffer, size_t len), (buffer, len))
WRAP(NULL, char *, __getcwd_chk, (char *buffer, size_t len, size_t room), (buffer, len, room))
WRAP(NULL, char *, realpath, (const char *restrict path, char *restrict out), (path, out))
WRAP(NULL, char *, __realpath_chk, (const char *path, char *out, size_t room), (path, out, room))
WRAP(NULL, DIR *, opendir, (const char *path), (path))
WRAP(NULL, DIR *, fdopendir, (int fd), (fd))
WRAP(NULL, struct dirent64 *, readdir64, (DIR *dir), (dir))
WRAP(NULL, FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
WRAP(NULL, FILE *, fopen64, (const char *restrict path, const char *restrict mode), (path, mode))
WRAP(NULL, FILE *, open_memstream, (char **text, size_t *len), (text, len))
WRAP(NULL, struct passwd *, fgetpwent, (FILE *file), (file))
WRAP(NULL, struct passwd *, getpwuid, (uid_t uid), (uid))
WRAP(errno, int, ttyname_r, (int fd, char *buffer, size_t len), (fd, buffer, len))
WRAP(errno, int, __ttyname_r_chk, (int fd, char *buffer, size_t len, size_t room), (fd, buffer, len, room))
WRAP(errno, int, pthread_create, (pthread_t *restrict out, const pthread_attr_t *restrict attributes, void *(*f)(void *), void *restrict argument),
     (out, attributes, f, argument))
WRAP(errno, int, pthread_kill, (pthread_t thread, int number), (thread, number))
WRAP(errno, int, pthread_attr_init, (pthread_attr_t *attributes), (attributes))
WRAP(EAI_MEMORY, int, getaddrinfo, (const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
     struct addrinfo **restrict out), (name, service, hints, out))
WRAP(SIG_ERR, __sighandler_t, signal, (int number, __sighandler_t handler), (number, handler))

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset);
WRAP(MAP_FAILED, void *, mmap, (void *at, size_t len, int protection, int flags, int fd, off_t offset), (at, len, protection, flags, fd, offset))
WRAP(MAP_FAILED, void *, mmap64, (void *at, size_t len, int protection, int flags, int fd, off_t offset), (at, len, protection, flags, fd, offset))

/* --- with more to them --------------------------------------------------------------------------- */

/* A close that fails has closed. */
int close(int fd)
{
	REAL(close)
	int failed = fails("close"), error = errno, r = real(fd);

	if (failed) {
		errno = error;
	}
	return failed ? -1 : r;
}

int fclose(FILE *file)
{
	REAL(fclose)
	int failed = fails("fclose"), error = errno, r = real(file);

	if (failed) {
		errno = error;
	}
	return failed ? EOF : r;
}

int fcntl64(int fd, int command, ...)
{
	static int (*real)(int, int, ...);
	va_list ap;

	if (real == NULL) {
		real = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl64");
	}
	va_start(ap, command);
	void *argument = va_arg(ap, void *);
	va_end(ap);
	return fails("fcntl64") ? -1 : real(fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
	va_list ap;

	va_start(ap, command);
	void *argument = va_arg(ap, void *);
	va_end(ap);
	return fcntl64(fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	char name[36];
	va_list ap;

	if (real == NULL) {
		real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	}
	va_start(ap, request);
	void *argument = va_arg(ap, void *);
	va_end(ap);
	snprintf(name, sizeof name, "ioctl:%lx", request);
	return fails(name) ? -1 : real(fd, request, argument);
}

/* What the workload opens tells its phase. */
ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long n, const struct iovec *remote, unsigned long m, unsigned long flags)
{
	REAL(process_vm_readv)
	ssize_t got = real(pid, local, n, remote, m, flags);
	int error = errno;

	if (table != NULL && got > 0 && n == 1) {
		char *mark = memmem(local->iov_base, (size_t)got, PHASE_MARK, sizeof PHASE_MARK - 1);
		if (mark != NULL && mark + sizeof PHASE_MARK - 1 < (char *)local->iov_base + got) {
			atomic_store(&table->phase, (uint32_t)(mark[sizeof PHASE_MARK - 1] - '0'));
		}
	}
	errno = error;
	return fails("process_vm_readv") ? -1 : got;
}

int prctl(int option, ...)
{
	static int (*real)(int, ...);
	char name[36];
	va_list ap;

	if (real == NULL) {
		real = (int (*)(int, ...))dlsym(RTLD_NEXT, "prctl");
	}
	va_start(ap, option);
	unsigned long a = va_arg(ap, unsigned long), b = va_arg(ap, unsigned long), c = va_arg(ap, unsigned long), d = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_NAME && strncmp((const char *)a, "pipwarden-", 10) == 0) {
		const char *role = (const char *)a + 10;
		kind = strcmp(role, "super") == 0 ? KIND_SUPERVISOR : strcmp(role, "zygote") == 0 ? KIND_ZYGOTE : strcmp(role, "init") == 0 ? KIND_INIT : kind;
	}
	snprintf(name, sizeof name, "prctl:%d", option);
	return fails(name) ? -1 : real(option, a, b, c, d);
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	char name[36];
	va_list ap;
	long a[6];

	if (real == NULL) {
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	}
	va_start(ap, number);
	for (int i = 0; i < 6; i++) {
		a[i] = va_arg(ap, long);
	}
	va_end(ap);
	snprintf(name, sizeof name, "syscall:%ld", number);
	if (fails(name)) {
		return -1;
	}
	long r = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number == SYS_clone && r == 0) {
		was_forked();
	}
	return r;
}

pid_t fork(void)
{
	REAL(fork)
	if (fails("fork")) {
		return -1;
	}
	pid_t pid = real();
	if (pid == 0) {
		was_forked();
	}
	return pid;
}

/* --- memory: not through dlsym, which allocates --------------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	return fails("malloc") ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails("calloc") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails("realloc") ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, all);
}

/* libc's own go around malloc's symbol. */
char *strndup(const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	char *copy = malloc(len + 1);

	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, SIZE_MAX - 1);
}

int __vasprintf_chk(char **out, int flag, const char *format, va_list ap);
int __vasprintf_chk(char **out, int flag, const char *format, va_list ap)
{
	(void)flag;
	REAL(vasprintf)
	return fails("vasprintf") ? -1 : real(out, format, ap);
}

int __asprintf_chk(char **out, int flag, const char *format, ...);
int __asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int r = __vasprintf_chk(out, flag, format, ap);
	va_end(ap);
	return r;
}
