#include "launcher/report/runs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/base/rundir.h"

#define SHOWN 200 /* bytes of a foreign word in a message */

static bool is_id(const char *name)
{
	return strlen(name) == RUNDIR_ID_LEN && strspn(name, "0123456789abcdefTZ-") == RUNDIR_ID_LEN && name[8] == 'T' && name[15] == 'Z';
}

/* Of a run that was ended before it had a journal nothing is told. */
static bool journal_time(int base, const char *id, struct timespec *out)
{
	char name[RUNDIR_ID_LEN + 16];
	struct stat st;
	snprintf(name, sizeof name, "%s/events.jsonl", id);
	if (fstatat(base, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)) {
		return false;
	}
	*out = st.st_mtim;
	return true;
}

struct choice {
	char id[RUNDIR_ID_LEN + 1];
	struct timespec time;
	size_t matches;
};

/* Ids begin with the second of the start; of one second the one that was written to last. */
static bool later(const struct choice *than, const char *id, const struct timespec *time)
{
	int order = strncmp(id, than->id, 16);
	return than->matches == 0 || order > 0 || (order == 0 && clock_before(&than->time, time));
}

/* The latest whose id begins so. */
static void choose(const char *state_base, const char *beginning, struct choice *out)
{
	DIR *dir = opendir(state_base);
	struct dirent *entry;
	*out = (struct choice){0};
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct timespec time;
		if (!is_id(entry->d_name) || strncmp(entry->d_name, beginning, strlen(beginning)) != 0 || !journal_time(dirfd(dir), entry->d_name, &time)) {
			continue;
		}
		if (later(out, entry->d_name, &time)) {
			strcpy(out->id, entry->d_name);
			out->time = time;
		}
		out->matches++;
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

static FILE *open_file(const char *path, char *why, size_t size)
{
	struct stat st;
	/* A FIFO must not block before it is refused. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(why, size, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, size, "is no regular file");
		return NULL;
	}
	FILE *in = fdopen(fd, "r");
	if (in == NULL) {
		snprintf(why, size, "no memory");
		return NULL;
	}
	steal_fd(&fd);
	return in;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

FILE *runs_open(const char *run, const char *state_base, char path[PATH_MAX], char *why, size_t size)
{
	struct choice choice;
	bool latest = run == NULL || strcmp(run, "latest") == 0;
	if (!latest && (strchr(run, '/') != NULL || access(run, F_OK) == 0)) {
		snprintf(path, PATH_MAX, "%.4000s%s", run, is_folder(run) ? "/events.jsonl" : "");
		return open_file(path, why, size);
	}
	snprintf(path, PATH_MAX, "%.4000s", state_base);
	choose(state_base, latest ? "" : run, &choice);
	if (choice.matches == 0 || (!latest && choice.matches > 1)) {
		if (latest) {
			snprintf(why, size, "holds the record of no run");
		} else {
			snprintf(why, size, "holds %s whose id is or begins with '%.*s', and there is no such file", choice.matches == 0 ? "no run" : "several runs", SHOWN, run);
		}
		return NULL;
	}
	snprintf(path, PATH_MAX, "%.4000s/%s/events.jsonl", state_base, choice.id);
	return open_file(path, why, size);
}
