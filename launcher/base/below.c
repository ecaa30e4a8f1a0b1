#include "launcher/base/below.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "launcher/base/fd.h"

/* The children of each thread of a process, onto the end of the list. */
static size_t add_children(int proc, pid_t pid, pid_t *list, size_t n, size_t max)
{
	char path[64], text[8192];
	int folder;
	struct dirent *entry;

	snprintf(path, sizeof path, "%d/task", (int)pid);
	folder = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = folder >= 0 ? fdopendir(folder) : NULL;
	while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof path, "%.20s/children", entry->d_name);
		cleanup_fd int fd = openat(dirfd(tasks), path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
		text[len > 0 ? len : 0] = '\0';
		for (char *at = text, *end; n < max; at = end) {
			long child = strtol(at, &end, 10);
			if (end == at) {
				break;
			}
			list[n++] = (pid_t)child;
		}
	}
	if (tasks != NULL) {
		closedir(tasks);
	}
	return n;
}

size_t below(int proc, pid_t top, pid_t *list, size_t max)
{
	size_t n = add_children(proc, top, list, 0, max);

	for (size_t i = 0; i < n; i++) {
		n = add_children(proc, list[i], list, n, max);
	}
	return n;
}
