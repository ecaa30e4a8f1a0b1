#include "launcher/base/rundir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/base/made.h"
#include "launcher/base/rmtree.h"

#define REMOVE_ENTRIES_MAX 4000000ul /* of our own run */
#define SWEEP_ENTRIES_MAX 100000ul   /* of dead ones, in one sweep: a start must not take long */
#define SWEEP_FOLDERS_MAX 20000      /* names looked at in a base folder */
#define STATE_GRACE 3600
#define OVERFLOW_UID 65534

static int set_id(struct rundir *r)
{
	unsigned char random[5];
	struct tm tm = {0};
	time_t now = time(NULL);
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		return -EIO;
	}
	gmtime_r(&now, &tm);
	size_t at = strftime(r->id, sizeof(r->id), "%Y%m%dT%H%M%SZ-", &tm);
	for (size_t i = 0; i < sizeof(random) && at + 3 <= sizeof(r->id); i++, at += 2) {
		snprintf(r->id + at, 3, "%02x", random[i]);
	}
	return 0;
}

static int fail(struct rundir *r, const char *path, int error)
{
	snprintf(r->failed, sizeof(r->failed), "%s", path);
	return error;
}

/* mkdir -p; the folder itself 0700, those above (~/.local among them, which others use too) as anybody would make them. */
static int make_parents(const char *path)
{
	char copy[PATH_MAX];
	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
		return -ENAMETOOLONG;
	}
	for (char *at = copy + 1; at[0] != '\0'; at++) {
		if (*at == '/') {
			*at = '\0';
			if (mkdir(copy, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES) {
				return -errno;
			}
			*at = '/';
		}
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int create_state(struct rundir *r, const char *base)
{
	if (snprintf(r->state, sizeof(r->state), "%s/%s", base, r->id) >= (int)sizeof(r->state)) {
		r->state[0] = '\0';
		return fail(r, base, -ENAMETOOLONG);
	}
	int error = base[0] != '/' ? -EINVAL : make_parents(base);
	if (error == 0 && mkdir(r->state, 0700) < 0) {
		error = -errno;
	}
	if (error < 0) {
		fail(r, r->state, error);
		r->state[0] = '\0';
	}
	return error;
}

/* The lock appears under its name only when it is held: a sweep never finds it free. */
static int take_lock(struct rundir *r)
{
	r->lock = openat(r->dir, "lock.new", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r->lock < 0 || flock(r->lock, LOCK_EX | LOCK_NB) < 0 || renameat(r->dir, "lock.new", r->dir, "lock") < 0) {
		return -errno;
	}
	return 0;
}

static int create_tmp(struct rundir *r, const char *base)
{
	struct stat st;
	if (base[0] != '/' || snprintf(r->tmp, sizeof(r->tmp), "%s/pw-XXXXXX", base) >= (int)sizeof(r->tmp)) {
		return -EINVAL;
	}
	if (stat(base, &st) < 0) {
		return -errno;
	}
	/* In a user namespace root's /tmp shows as the overflow user's. */
	bool ours = st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == OVERFLOW_UID;
	if (!ours || ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (st.st_mode & S_ISVTX) == 0)) {
		return -EPERM;
	}
	if (mkdtemp(r->tmp) == NULL) {
		return -errno;
	}
	r->dir = open(r->tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->dir < 0) {
		int error = errno;
		rmdir(r->tmp);
		return -error;
	}
	int error = take_lock(r);
	if (error == 0 && mkdirat(r->dir, "t", 0700) < 0) {
		error = -errno;
	}
	return error;
}

int rundir_create(struct rundir *r, const char *state_base, const char *tmp_base)
{
	*r = (struct rundir){.dir = -1, .lock = -1};
	int error = set_id(r);
	if (error == 0) {
		error = create_tmp(r, tmp_base);
		if (error < 0) {
			fail(r, tmp_base, error);
		}
	}
	if (error == 0 && state_base != NULL) {
		error = create_state(r, state_base);
	}
	if (error < 0) {
		rundir_remove(r);
	}
	return error;
}

int rundir_make(struct rundir *r, const char *path, mode_t mode)
{
	char copy[PATH_MAX];
	if (path[0] != '/' || snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
		return -EINVAL;
	}
	for (char *at = copy + 1;; at++) {
		char was = *at;
		if (was != '/' && was != '\0') {
			continue;
		}
		*at = '\0';
		int error = made_note(r->dir, copy);
		if (error == 0 && mkdir(copy, mode) < 0 && errno != EEXIST) {
			error = -errno;
		}
		if (error < 0 && error != -EEXIST) {
			return error;
		}
		*at = was;
		if (was == '\0') {
			return 0;
		}
	}
}

int rundir_hold(struct rundir *r, const char *folder)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/" MADE_HOLD "%s", folder, r->id) >= (int)sizeof(path)) {
		return -ENAMETOOLONG;
	}
	if (access(folder, W_OK) < 0) {
		return -errno;
	}
	int error = made_note(r->dir, path);
	if (error < 0) {
		return error;
	}
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

/* Empties a run's folder: the noted directories first, the lock last, so that an interrupted removal is found again. */
static int remove_contents(int dir, unsigned long *budget)
{
	made_remove(dir);
	int error = rmtree_empty(dir, "lock", budget);
	if (error == 0 && unlinkat(dir, "lock", 0) < 0 && errno != ENOENT) {
		error = -errno;
	}
	return error;
}

int rundir_remove(struct rundir *r)
{
	unsigned long budget = REMOVE_ENTRIES_MAX;
	int error = 0;
	if (r->dir >= 0) {
		error = remove_contents(r->dir, &budget);
		if (error == 0 && rmdir(r->tmp) < 0) {
			error = -errno;
		}
	}
	if (r->state[0] != '\0') {
		rmdir(r->state); /* only when no journal was written there */
	}
	rundir_close(r);
	return error;
}

void rundir_close(struct rundir *r)
{
	close_fd(&r->dir);
	close_fd(&r->lock);
}

static bool older_than(const struct stat *st, time_t seconds)
{
	time_t now = time(NULL);
	return st->st_ctim.tv_sec <= now - seconds;
}

/* Is the run that the folder belongs to dead?  *lock holds its lock then (or is -1 when it has none), which keeps
 * other sweeps out. */
static bool run_is_dead(int dir, const struct stat *st, int *lock)
{
	struct stat lock_st, named;
	*lock = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (*lock < 0) {
		return errno == ENOENT && older_than(st, RUNDIR_GRACE);
	}
	return fstat(*lock, &lock_st) == 0 && S_ISREG(lock_st.st_mode) && flock(*lock, LOCK_EX | LOCK_NB) == 0 &&
	       fstatat(dir, "lock", &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == lock_st.st_ino;
}

static bool sweep_run(int base, const char *name, unsigned long *budget)
{
	struct stat st;
	cleanup_fd int lock = -1;
	cleanup_fd int dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || !run_is_dead(dir, &st, &lock)) {
		return false;
	}
	return remove_contents(dir, budget) == 0 && unlinkat(base, name, AT_REMOVEDIR) == 0;
}

static DIR *open_base(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		close_fd(&fd);
	}
	return dir;
}

/* A run that was killed before it wrote a journal.  rmdir takes nothing but empty folders. */
static void sweep_state(const char *base)
{
	DIR *dir = open_base(base);
	struct dirent *entry;
	for (int n = 0; dir != NULL && n < SWEEP_FOLDERS_MAX && (entry = readdir(dir)) != NULL; n++) {
		struct stat st;
		if (strlen(entry->d_name) == RUNDIR_ID_LEN && entry->d_name[8] == 'T' &&
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
		    st.st_uid == geteuid() && st.st_nlink <= 2 && older_than(&st, STATE_GRACE)) {
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

int rundir_sweep(const char *tmp_base, const char *state_base)
{
	unsigned long budget = SWEEP_ENTRIES_MAX;
	int swept = 0;
	DIR *dir = open_base(tmp_base);
	struct dirent *entry;
	for (int n = 0; dir != NULL && budget > 0 && n < SWEEP_FOLDERS_MAX && (entry = readdir(dir)) != NULL; n++) {
		if (strncmp(entry->d_name, "pw-", 3) == 0 && strlen(entry->d_name) == 9) {
			swept += sweep_run(dirfd(dir), entry->d_name, &budget);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	if (state_base != NULL && swept > 0) { /* a dead run may have left an empty one; there can be thousands of full ones */
		sweep_state(state_base);
	}
	return swept;
}

int rundir_sweep_beside(const struct rundir *r)
{
	char tmp[PATH_MAX], state[PATH_MAX];
	snprintf(tmp, sizeof(tmp), "%s", r->tmp);
	snprintf(state, sizeof(state), "%s", r->state);
	char *end_of_tmp = strrchr(tmp, '/'), *end_of_state = strrchr(state, '/');
	if (end_of_tmp == NULL) {
		return 0;
	}
	*end_of_tmp = '\0';
	if (end_of_state != NULL) {
		*end_of_state = '\0';
	}
	return rundir_sweep(tmp[0] != '\0' ? tmp : "/", end_of_state != NULL ? state : NULL);
}
