#include "launcher/supervise/holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/below.h"
#include "launcher/base/fd.h"

#define PROCESSES_MAX 1024
#define DESCRIPTORS_MAX 1024 /* of each */

/* What has the number by now is looked at: the socket itself, or nothing. */
static int take(pid_t pid, int number, ino_t inode)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	cleanup_fd int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == inode ? steal_fd(&fd) : -1;
}

static int take_from(int proc, pid_t pid, ino_t inode)
{
	char path[64], name[64], link[64];
	struct dirent *entry;
	int folder, found = -1;

	snprintf(name, sizeof name, "socket:[%lu]", (unsigned long)inode);
	snprintf(path, sizeof path, "%d/fd", (int)pid);
	folder = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = folder >= 0 ? fdopendir(folder) : NULL;
	for (int n = 0; found < 0 && n < DESCRIPTORS_MAX && fds && (entry = readdir(fds)); n++) {
		ssize_t len = readlinkat(dirfd(fds), entry->d_name, link, sizeof link - 1);

		if (len > 0 && (size_t)len == strlen(name) && !memcmp(link, name, (size_t)len))
			found = take(pid, atoi(entry->d_name), inode);
	}
	if (fds)
		closedir(fds);
	return found;
}

int holder_socket(pid_t init, ino_t inode)
{
	cleanup_fd int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t list[PROCESSES_MAX];
	size_t count = proc < 0 ? 0 : below(proc, init, list, PROCESSES_MAX);
	int found = -1;

	for (size_t i = 0; found < 0 && i < count; i++)
		found = take_from(proc, list[i], inode);
	return found;
}
