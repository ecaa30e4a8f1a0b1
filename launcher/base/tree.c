#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "fd.h"

struct process {
	pid_t pid, parent;
	bool dead; /* a zombie */
	bool below;
};

/* Parent and state from /proc/PID/stat; the command name may hold anything, so read from the last parenthesis. */
static bool read_stat(pid_t pid, struct process *out)
{
	char path[32], text[512], state;
	int parent;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	ssize_t n = read(fd, text, sizeof text - 1);
	if (n <= 0) {
		return false;
	}
	text[n] = '\0';
	char *end = strrchr(text, ')');
	if (end == NULL || sscanf(end + 1, " %c %d", &state, &parent) != 2) {
		return false;
	}
	*out = (struct process){.pid = pid, .parent = parent, .dead = state == 'Z' || state == 'X'};
	return true;
}

static size_t list_processes(struct process **out)
{
	DIR *proc = opendir("/proc");
	struct process *all = NULL;
	size_t n = 0, room = 0;
	struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		if (*end != '\0' || pid <= 0) {
			continue;
		}
		if (n == room) {
			room = room ? room * 2 : 256;
			struct process *grown = realloc(all, room * sizeof *all);
			if (grown == NULL) {
				break;
			}
			all = grown;
		}
		if (read_stat((pid_t)pid, &all[n])) {
			n++;
		}
	}
	if (proc != NULL) {
		closedir(proc);
	}
	*out = all;
	return n;
}

static bool is_one_of(pid_t pid, const pid_t *list)
{
	while (list != NULL && *list > 0 && *list != pid) {
		list++;
	}
	return list != NULL && *list > 0;
}

/* Marks what lies below root, but not keep and what lies below them. */
static void mark_below(struct process *all, size_t n, pid_t root, const pid_t *keep)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < n; i++) {
			if (all[i].below || is_one_of(all[i].pid, keep)) {
				continue;
			}
			bool below = all[i].parent == root;
			for (size_t k = 0; k < n && !below; k++) {
				below = all[k].below && all[k].pid == all[i].parent;
			}
			if (below) {
				all[i].below = true;
				changed = true;
			}
		}
	}
}

/* A subreaper's descendants become its children when their parents die: without a child there is no descendant. */
static bool is_childless(void)
{
	pid_t pid;

	do {
		pid = waitpid(-1, NULL, WNOHANG);
	} while (pid > 0);
	return pid < 0 && errno == ECHILD;
}

/* Until a child ends, or so long: callers have every signal blocked. */
static void await_child(int milliseconds)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigtimedwait(&child, NULL, &(struct timespec){.tv_nsec = milliseconds * 1000000L});
}

bool tree_childless(int milliseconds)
{
	int64_t end = clock_milliseconds() + milliseconds;

	while (!is_childless()) {
		if (clock_milliseconds() >= end) {
			return false;
		}
		await_child(2);
	}
	return true;
}

bool tree_kill(pid_t root, const pid_t *keep, int milliseconds)
{
	int64_t end = clock_milliseconds() + milliseconds;

	/* What is dying already is given a moment: a look at all of /proc costs more. */
	if (root == getpid() && keep == NULL && tree_childless(DYING_MILLISECONDS)) {
		return true;
	}
	for (int clean = 0;;) {
		if (root == getpid() && keep == NULL && is_childless()) {
			return true;
		}
		struct process *all;
		size_t n = list_processes(&all), alive = 0;

		mark_below(all, n, root, keep);
		for (size_t i = 0; i < n; i++) {
			if (all[i].below && !all[i].dead) {
				kill(all[i].pid, SIGKILL);
				alive++;
			}
		}
		free(all);
		clean = alive == 0 ? clean + 1 : 0;
		if (clean == 2) { /* twice: what was forked while we looked has been seen */
			return true;
		}
		if (clock_milliseconds() > end) {
			return false;
		}
		if (alive > 0) {
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
	}
}
