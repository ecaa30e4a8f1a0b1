/* What a sandbox can do to the supervisor: a flood of each kind.  Harmless by itself; each ends by itself, with a line that says what it did.
 *
 *   flood opens N FOLDER      N opens of files of its own, read and closed
 *   flood same N SECRET       N identical attempts, from four threads
 *   flood threads N SECRET    N threads, each 400 times: an honest open and an attempt
 *   flood bomb N SECRET       N processes at once, each with an attempt, then asleep
 *   flood descriptors SECRET  no descriptor is left, then opens that the supervisor has to serve, and attempts
 *   flood huge SECRET         arguments, environments, messages and paths as large as the kernel takes, and larger
 *   flood halfdead N SECRET   N processes that are killed while they are being answered
 *   flood fifo FOLDER         opens of FIFOs that never come back, then honest work */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/pw_event.h"

static const char *secret;
static atomic_long refused, allowed, honest, broken;

static void attempt(void)
{
	int fd = open(secret, O_RDONLY);

	if (fd >= 0) {
		atomic_fetch_add(&allowed, 1);
		close(fd);
	} else if (errno == EACCES || errno == ENOENT || errno == EPERM) {
		atomic_fetch_add(&refused, 1);
	} else {
		atomic_fetch_add(&broken, 1);
	}
}

static void honest_open(void)
{
	int fd = open("/etc/hostname", O_RDONLY);

	if (fd >= 0) {
		atomic_fetch_add(&honest, 1);
		close(fd);
	}
}

static int report(const char *what)
{
	printf("%s: honest %ld, refused %ld, allowed %ld, broken %ld\n", what, atomic_load(&honest), atomic_load(&refused), atomic_load(&allowed), atomic_load(&broken));
	return 0;
}

static int opens(long n, const char *folder)
{
	char path[1000];

	for (long i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/pw-flood-%ld", folder, i % 500);
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd >= 0) {
			atomic_fetch_add(&honest, 1);
			close(fd);
		}
	}
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof path, "%s/pw-flood-%d", folder, i);
		unlink(path);
	}
	return report("opens");
}

static void *many(void *argument)
{
	for (long i = 0; i < (long)(intptr_t)argument; i++) {
		attempt();
	}
	return NULL;
}

static void *both(void *argument)
{
	for (long i = 0; i < (long)(intptr_t)argument; i++) {
		honest_open();
		attempt();
	}
	return NULL;
}

static void in_threads(int n, void *(*f)(void *), long each)
{
	pthread_t thread[256];
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	for (int i = 0; i < n; i++) {
		if (pthread_create(&thread[i], &small, f, (void *)(intptr_t)each) != 0) {
			n = i;
		}
	}
	for (int i = 0; i < n; i++) {
		pthread_join(thread[i], NULL);
	}
}

/* Counters that children share. */
static struct counts { atomic_long refused, allowed, broken; } *shared;

static int bomb(long n)
{
	long born = 0;

	for (; born < n; born++) {
		pid_t pid = fork();
		if (pid < 0) {
			break;
		}
		if (pid == 0) {
			atomic_store(&refused, 0);
			attempt();
			atomic_fetch_add(&shared->refused, atomic_load(&refused));
			atomic_fetch_add(&shared->allowed, atomic_load(&allowed));
			atomic_fetch_add(&shared->broken, atomic_load(&broken));
			pause();
			_exit(0);
		}
	}
	for (int i = 0; i < 3000 && atomic_load(&shared->refused) + atomic_load(&shared->allowed) + atomic_load(&shared->broken) < born; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
	}
	printf("born %ld\n", born);
	atomic_store(&refused, atomic_load(&shared->refused));
	atomic_store(&allowed, atomic_load(&shared->allowed));
	atomic_store(&broken, atomic_load(&shared->broken));
	return report("bomb");
}

static int descriptors(void)
{
	struct rlimit few = {40, 40};
	int fd, held = 0;

	setrlimit(RLIMIT_NOFILE, &few);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
		held++;
	}
	printf("held %d, then errno %d\n", held, errno);
	for (int i = 0; i < 200; i++) {
		fd = open("/proc/self/status", O_RDONLY); /* without namespaces: served, so a descriptor would have to be put here */
		if (fd >= 0) {
			atomic_fetch_add(&broken, 1);
		}
		fd = open(secret, O_RDONLY);
		atomic_fetch_add(fd >= 0 ? &allowed : &refused, 1);
		struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/nonexistent"};
		if (connect(0, (struct sockaddr *)&un, sizeof un) == 0) {
			atomic_fetch_add(&allowed, 1);
		}
	}
	for (fd = 3; fd < 40; fd++) {
		close(fd);
	}
	honest_open();
	return report("descriptors");
}

static void exec_huge(size_t count, size_t size)
{
	char **argv = calloc(count + 1, sizeof *argv), *text = malloc(size + 1);

	memset(text, 'a', size);
	text[size] = '\0';
	for (size_t i = 0; i < count; i++) {
		argv[i] = text;
	}
	pid_t pid = fork();
	if (pid == 0) {
		execve("/bin/true", argv, argv);
		_exit(errno == E2BIG ? 7 : 8);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	printf("exec of %zu x %zu bytes: %d\n", count, size, WEXITSTATUS(status));
	free(argv);
	free(text);
}

static int huge(void)
{
	const size_t big = 64u << 20;
	char *memory = mmap(NULL, big, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rlimit stack;

	/* A quarter of the stack's limit is what arguments may take. */
	if (getrlimit(RLIMIT_STACK, &stack) == 0) {
		stack.rlim_cur = stack.rlim_max;
		setrlimit(RLIMIT_STACK, &stack);
	}
	memset(memory, 'x', big);
	exec_huge(1000, 1000);
	exec_huge(100, 100 * 1000);
	exec_huge(100 * 1000, 10);
	exec_huge(10, 1 << 20);
	for (size_t len = 1; len <= big; len *= 4) { /* paths: terminated at their end, or not at all */
		memory[len - 1] = '\0';
		syscall(SYS_open, memory, O_RDONLY);
		memory[len - 1] = 'x';
		syscall(SYS_prctl, PW_MAGIC, 1, memory, len, 0);
		for (int op = 0; op < 16; op++) {
			syscall(SYS_prctl, PW_MAGIC, op, memory, len, 0);
			syscall(SYS_prctl, PW_MAGIC, op, memory, (unsigned long)INT64_MAX, 0);
		}
	}
	syscall(SYS_open, memory + big - 10, O_RDONLY);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	for (unsigned long len = 0; len < 0x100000000ul; len = len * 3 + 1) {
		syscall(SYS_connect, fd, memory, len);
		struct iovec iov[1024];
		for (int i = 0; i < 1024; i++) {
			iov[i] = (struct iovec){.iov_base = memory, .iov_len = big};
		}
		struct msghdr m = {.msg_name = memory, .msg_namelen = (socklen_t)len, .msg_iov = iov, .msg_iovlen = 1024, .msg_control = memory, .msg_controllen = len};
		syscall(SYS_sendmsg, fd, &m, MSG_NOSIGNAL);
		syscall(SYS_sendto, fd, memory, 1, MSG_NOSIGNAL, memory, len);
	}
	attempt();
	honest_open();
	return report("huge");
}

static int halfdead(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();
		if (pid < 0) {
			break;
		}
		if (pid == 0) {
			for (;;) {
				attempt();
			}
		}
		struct timespec some = {.tv_nsec = (i * 37) % 200 * 1000}; /* up to 0.2 ms: before, in and after an answer */
		nanosleep(&some, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (i % 100 == 0) {
			honest_open();
			attempt();
		}
	}
	return report("halfdead");
}

static char fifo_path[1000];

static void *hold_fifo(void *argument)
{
	int fd = open(fifo_path, (intptr_t)argument % 2 == 0 ? O_RDONLY : O_RDONLY | O_CLOEXEC); /* nobody will ever write */

	(void)fd;
	atomic_fetch_add(&broken, 1);
	return NULL;
}

static int fifo(const char *folder)
{
	pthread_t thread;

	snprintf(fifo_path, sizeof fifo_path, "%s/pw-flood-fifo", folder);
	if (mkfifo(fifo_path, 0600) < 0) {
		printf("no FIFO: %d\n", errno);
		return 1;
	}
	for (intptr_t i = 0; i < 40; i++) {
		pthread_create(&thread, NULL, hold_fifo, (void *)i);
	}
	nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
	for (int i = 0; i < 2000; i++) {
		honest_open();
	}
	report("fifo");
	fflush(stdout);
	unlink(fifo_path);
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0;

	secret = argv[argc - 1];
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	alarm(300);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(what, "opens") == 0) {
		return opens(n, secret);
	} else if (strcmp(what, "same") == 0) {
		in_threads(4, many, n / 4);
		return report(what);
	} else if (strcmp(what, "threads") == 0) {
		in_threads((int)n, both, 400);
		return report(what);
	} else if (strcmp(what, "bomb") == 0) {
		return bomb(n);
	} else if (strcmp(what, "descriptors") == 0) {
		return descriptors();
	} else if (strcmp(what, "huge") == 0) {
		return huge();
	} else if (strcmp(what, "halfdead") == 0) {
		return halfdead(n);
	} else if (strcmp(what, "fifo") == 0) {
		return fifo(secret);
	}
	return 2;
}
