#include "own_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"
#include "inject.h"
#include "target.h"

int own_fd_number(const char *path)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"};
	static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};

	for (int i = 0; i < 3; i++) {
		if (strcmp(path, names[i]) == 0) {
			return i;
		}
	}
	for (int i = 0; i < 3; i++) {
		size_t len = strlen(folders[i]);
		const char *digits = path + len;
		if (strncmp(path, folders[i], len) == 0 && *digits != '\0' && strlen(digits) < 6 && strspn(digits, "0123456789") == strlen(digits)) {
			return atoi(digits);
		}
	}
	return -1;
}

static bool allows(int mode, int wanted)
{
	mode &= O_ACCMODE;
	wanted &= O_ACCMODE;
	return wanted != O_ACCMODE && (mode == O_RDWR || mode == wanted);
}

bool own_fd_open(const struct sandbox *sb, const struct seccomp_notif *req, int number, int flags, struct reply *reply)
{
	/* A duplicate: object and mode are of one descriptor, whatever another thread puts under the number meanwhile. */
	cleanup_fd int copy = target_fd(sb, req, number);
	int mode = copy >= 0 ? fcntl(copy, F_GETFL) : -1;
	struct stat st;

	if (mode < 0 || (mode & O_PATH) != 0 || (flags & (O_PATH | O_DIRECTORY)) != 0 || fstat(copy, &st) < 0 || !S_ISREG(st.st_mode) || !allows(mode, flags)) {
		return false;
	}
	int keep = flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_TRUNC | O_CLOEXEC);
	if ((mode & O_APPEND) != 0) {
		keep = (keep | O_APPEND) & ~O_TRUNC; /* who may only add may not take away */
	}
	if ((flags & O_ACCMODE) == O_RDONLY) {
		keep &= ~O_TRUNC;
	}
	*reply = inject_open(copy, (uint64_t)keep);
	return true;
}
