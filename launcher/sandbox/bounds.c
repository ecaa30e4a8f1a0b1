#include "bounds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/below.h"
#include "launcher/base/clock.h"
#include "launcher/base/fd.h"

#define LOOK_MILLISECONDS 100
#define BETWEEN_LOOKS 8192 /* more than can be started: init's look comes first and says what happened */
#define FILES_LOOK 10      /* every so many looks */
#define FILES_PROCESSES 64 /* at most so many are looked into, at most so many descriptors of each */
#define FILES_EACH 256
#define BELOW_MAX 16384    /* processes of a sandbox without a PID namespace that are counted */
#define MEMORY_SCORE "300"

static void lower(int resource, uint64_t to)
{
	struct rlimit now;

	if (to == 0 || getrlimit(resource, &now) < 0) {
		return;
	}
	if (now.rlim_max == RLIM_INFINITY || now.rlim_max > to) {
		now.rlim_max = to;
	}
	if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > now.rlim_max) {
		now.rlim_cur = now.rlim_max;
	}
	setrlimit(resource, &now);
}

void bounds_set(const struct bounds *l, bool own_users)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none); /* a core file of pip would hold the index credentials */
	lower(RLIMIT_NOFILE, l->of[LIMIT_OPEN_FILES]);
	lower(RLIMIT_FSIZE, l->of[LIMIT_FILE_SIZE]);
	lower(RLIMIT_NPROC, own_users && l->of[LIMIT_PROCESSES] != 0 ? l->of[LIMIT_PROCESSES] + BETWEEN_LOOKS : 0);
}

void bounds_offer_to_kernel(void)
{
	cleanup_fd int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char text[16] = "";

	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && atoi(text) < atoi(MEMORY_SCORE)) {
		fd_write_all(fd, MEMORY_SCORE, strlen(MEMORY_SCORE));
	}
}

void bounds_watch_start(struct bounds_watch *w, const struct bounds *l, pid_t init)
{
	*w = (struct bounds_watch){.bounds = *l, .init = init, .start = clock_milliseconds()};
	w->next = w->start + LOOK_MILLISECONDS;
}

int bounds_sleep(const struct bounds_watch *w)
{
	bool any = false;

	for (int i = 0; i < LIMIT_COUNT; i++) {
		any = any || w->bounds.of[i] != 0;
	}
	if (!any) {
		return -1;
	}
	int64_t left = w->next - clock_milliseconds();
	return left < 0 ? 0 : (int)left;
}

/* --- what a process has open --------------------------------------------------------------------- */

static bool holds_large(int folder, uint64_t limit)
{
	DIR *fds = fdopendir(folder);
	struct dirent *entry;
	struct stat st;
	bool found = false;

	if (fds == NULL) {
		close(folder);
		return false;
	}
	for (int n = 0; !found && n < FILES_EACH && (entry = readdir(fds)) != NULL; n++) {
		found = entry->d_name[0] != '.' && fstatat(dirfd(fds), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size >= limit;
	}
	closedir(fds);
	return found;
}

static unsigned look_into(const struct bounds_watch *w, int proc, const char *pid)
{
	const uint64_t *of = w->bounds.of;
	unsigned found = 0;
	char path[64];
	struct stat st;
	int folder;

	snprintf(path, sizeof path, "%.20s/fd", pid);
	folder = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		return 0;
	}
	if (of[LIMIT_OPEN_FILES] != 0 && fstat(folder, &st) == 0 && (uint64_t)st.st_size >= of[LIMIT_OPEN_FILES]) {
		found |= 1u << LIMIT_OPEN_FILES;
	}
	if (of[LIMIT_FILE_SIZE] == 0) {
		close(folder);
	} else if (holds_large(folder, of[LIMIT_FILE_SIZE])) {
		found |= 1u << LIMIT_FILE_SIZE;
	}
	return found;
}

/* --- how many there are -------------------------------------------------------------------------- */

struct count {
	const struct bounds_watch *w;
	int proc;
	bool files;       /* look into them, too */
	uint64_t tasks;
	unsigned looked, found;
};

/* With its threads: each is a folder, and folders are links. */
static void count_one(struct count *c, const char *pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "%.20s/task", pid);
	c->tasks += fstatat(c->proc, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 2 ? st.st_nlink - 2 : 1;
	if (c->files && c->looked++ < FILES_PROCESSES) {
		c->found |= look_into(c->w, c->proc, pid);
	}
}

static void count_all(struct count *c)
{
	DIR *proc = fdopendir(c->proc);
	struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && strcmp(entry->d_name, "1") != 0) { /* 1: init itself */
			count_one(c, entry->d_name);
		}
	}
	if (proc != NULL) {
		closedir(proc);
		c->proc = -1;
	}
}

static void count_below(struct count *c, pid_t init)
{
	pid_t *list = malloc(BELOW_MAX * sizeof *list);
	char pid[24];
	size_t n = list != NULL ? below(c->proc, init, list, BELOW_MAX) : 0;

	for (size_t i = 0; i < n; i++) {
		snprintf(pid, sizeof pid, "%d", (int)list[i]);
		count_one(c, pid);
	}
	free(list);
}

unsigned bounds_look(struct bounds_watch *w, uint64_t *processes)
{
	const uint64_t *of = w->bounds.of;
	struct count c = {.w = w};
	int64_t now = clock_milliseconds();

	*processes = 0;
	if (now < w->next) {
		return 0;
	}
	w->next = now + LOOK_MILLISECONDS;
	if (of[LIMIT_TIME] != 0 && now - w->start >= (int64_t)of[LIMIT_TIME] * 1000) {
		c.found |= 1u << LIMIT_TIME;
	}
	c.files = ++w->looks % FILES_LOOK == 0 && (of[LIMIT_OPEN_FILES] != 0 || of[LIMIT_FILE_SIZE] != 0);
	if (of[LIMIT_PROCESSES] == 0 && !c.files) {
		return c.found;
	}
	c.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.proc < 0) {
		return c.found;
	}
	if (w->init == 0) {
		count_all(&c);
	} else {
		count_below(&c, w->init);
	}
	close_fd(&c.proc);
	*processes = c.tasks;
	return c.found | (of[LIMIT_PROCESSES] != 0 && c.tasks > of[LIMIT_PROCESSES] ? 1u << LIMIT_PROCESSES : 0);
}
