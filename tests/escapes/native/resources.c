/* Resources: section K of the catalogue.  Everything is bounded here, too: an original goes on until nothing is left. */
#include "../native.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void all_done(void)
{
	say("all of it: %s", target("canary"));
}

/* --- processes and threads ----------------------------------------------------------------------------------------------------------- */

static void *sleeps(void *unused)
{
	(void)unused;
	sleep(20);
	return NULL;
}

static int threads(int wanted)
{
	pthread_attr_t small;
	pthread_t t;
	int made = 0;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	while (made < wanted && pthread_create(&t, &small, sleeps, NULL) == 0)
		made++;
	return made;
}

ACT(processes)
{
	int wanted = (int)target_number("wanted"), made = 0, threaded;
	static pid_t pid[4096];

	while (made < wanted && (pid[made] = fork()) >= 0) {
		if (pid[made] == 0) {
			alarm(20);
			for (;;)
				pause();
		}
		made++;
		usleep(2000); /* an original has more processes than this; limits are looked at now and then */
	}
	say("processes: %d of %d %s", made, wanted, made < wanted ? strerror(errno) : "");
	threaded = threads(wanted);
	say("threads: %d", threaded);
	if (made == wanted && threaded == wanted)
		all_done();
	while (made > 0)
		kill(pid[--made], SIGKILL);
	fflush(stdout);
	_exit(0);
}

/* --- memory and files ------------------------------------------------------------------------------------------------------------------ */

/* How many of so many bytes could be written. */
static size_t fill(const char *path, size_t bytes)
{
	static char block[1 << 20];
	size_t done = 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	while (fd >= 0 && done < bytes) {
		ssize_t n = write(fd, block, sizeof block);
		if (n <= 0) {
			say("%s: %s after %zu", path, strerror(errno), done);
			break;
		}
		done += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	unlink(path);
	return done;
}

ACT(shared_memory)
{
	size_t bytes = (size_t)target_number("wanted"), memory = 64 << 20;
	char path[128];

	signal(SIGXFSZ, SIG_DFL); /* Python ignores it */
	char *touched = mmap(NULL, memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(touched, 1, memory);
	mlock(touched, 1 << 20);
	snprintf(path, sizeof path, "/dev/shm/pwfix-%d", getpid());
	if (fill(path, bytes) >= bytes)
		all_done();
	return 0;
}

/* A large file, many small ones, and folders so deep that cleaning up is slow; a link out of them that must not be followed. */
ACT(disk)
{
	size_t bytes = (size_t)target_number("wanted");
	char name[64];
	int made = 0, deep = 0;

	if (mkdir("pwfix-fill", 0755) || chdir("pwfix-fill"))
		return 1;
	signal(SIGXFSZ, SIG_DFL); /* Python ignores it */
	for (; made < 2000; made++) {
		snprintf(name, sizeof name, "empty-%d", made);
		int fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	(void)!symlink(target("victims"), "out");
	char top[4096];
	(void)!getcwd(top, sizeof top);
	while (deep < 300 && mkdir("d", 0755) == 0 && chdir("d") == 0)
		deep++;
	(void)!chdir(top);
	size_t filled = fill("filled", bytes);
	int sparse = open("sparse", O_WRONLY | O_CREAT, 0600);
	if (ftruncate(sparse, (off_t)bytes))
		say("sparse: %s", strerror(errno));
	say("disk: %d files, %d deep, %zu bytes", made, deep, filled);
	if (filled >= bytes)
		all_done();
	return 0;
}

/* --- time ---------------------------------------------------------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* All processors, for a while; and a process of its own that goes on after the command. */
ACT(miner)
{
	double end = now() + (double)target_number("seconds");
	volatile unsigned long x = 0;

	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			for (int fd = 0; fd < 3; fd++)
				close(fd);
			execl("/bin/sh", "sh", "-c", "sleep 30; : $0", target("marker"), NULL);
		}
		_exit(0);
	}
	wait(NULL);
	while (now() < end)
		x++;
	all_done();
	return 0;
}

/* Reads what nobody writes: standard input first, then a FIFO, then sleeps. */
ACT(hang)
{
	char byte, path[4200];

	say("input: %zd", read(0, &byte, 1));
	snprintf(path, sizeof path, "%s/pwfix-fifo-%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", getpid());
	alarm(30);
	if (mkfifo(path, 0600) == 0)
		say("fifo: %d", open(path, O_RDONLY));
	return 0;
}

/* A real attempt after so many others that nobody reads on. */
ACT(log_flood)
{
	char path[4200];
	long many = target_number("wanted");

	for (long i = 0; i < many; i++) {
		snprintf(path, sizeof path, "%s/.aws/noise-%ld", target("home"), i);
		syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	}
	for (int i = 0; i < 20000; i++)
		syscall(SYS_close, (int)syscall(SYS_openat, AT_FDCWD, target("secret"), O_WRONLY | O_APPEND));
	pair();
	return 0;
}

/* --- destruction ----------------------------------------------------------------------------------------------------------------------------- */

ACT(shuts_down)
{
	/* The magic numbers are wrong on purpose: a kernel that gets there says EINVAL. */
	long r = syscall(SYS_reboot, 0xdead, 0xbeef, 0, NULL);
	say("reboot: %ld %s", r, strerror(errno));
	return 0;
}
