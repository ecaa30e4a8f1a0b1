#include "own_shm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"
#include "target.h"

const char *own_shm_name(const char *path)
{
	static const char folder[] = "/dev/shm/";
	if (strncmp(path, folder, sizeof folder - 1) != 0)
		return NULL;
	const char *name = path + sizeof folder - 1;
	size_t len = strlen(name);
	if (len == 0 || len > NAME_MAX || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return NULL;
	return name;
}

bool own_shm_asked(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, char name[256])
{
	char text[sizeof "/dev/shm/" + NAME_MAX + 1];
	if (sb->namespaces || sb->role == ROLE_INSTALLER || target_string(sb, req, address, text, sizeof text, false) < 0)
		return false;
	const char *found = own_shm_name(text);
	if (!found)
		return false;
	memcpy(name, found, strlen(found) + 1);
	return true;
}

/* Beside the private home (…/0h: …/0s), so that its name is the package's and no grant covers it; removed with the run's folder.  Descriptor or -errno. */
static int folder_of(const struct sandbox *sb)
{
	char path[PATH_MAX];
	int len = sb->home ? snprintf(path, sizeof path, "%s", sb->home) : 0;
	if (len <= 0 || (size_t)len >= sizeof path)
		return -ENOENT;
	path[len - 1] = 's';
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct reply own_shm_open(const struct sandbox *sb, const char *name, uint64_t flags, unsigned mode)
{
	cleanup_fd int folder = folder_of(sb);
	if (folder < 0)
		return reply_error(-folder);
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return reply_error(ENOTDIR);
	/* O_NONBLOCK: a lease does not hold the supervisor up; for a plain file it says nothing else. */
	int kept = (int)(flags & (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_DIRECTORY));
	int fd = openat(folder, name, kept | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode & 0777);
	return fd < 0 ? reply_error(errno) : reply_fd(fd, (flags & O_CLOEXEC) ? O_CLOEXEC : 0);
}

struct reply own_shm_unlink(const struct sandbox *sb, const char *name)
{
	cleanup_fd int folder = folder_of(sb);
	return folder < 0 ? reply_error(-folder) : reply_result(unlinkat(folder, name, 0));
}

struct reply own_shm_link(const struct sandbox *sb, const char *from, const char *to)
{
	cleanup_fd int folder = folder_of(sb);
	return folder < 0 ? reply_error(-folder) : reply_result(linkat(folder, from, folder, to, 0));
}

struct reply own_shm_rename(const struct sandbox *sb, const char *from, const char *to)
{
	cleanup_fd int folder = folder_of(sb);
	return folder < 0 ? reply_error(-folder) : reply_result(renameat(folder, from, folder, to));
}
