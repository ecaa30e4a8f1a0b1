#include "tail.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "inject.h"
#include "launcher/base/fd.h"
#include "pathtext.h"
#include "supervisor.h"

#define SYSTEM_UID_MAX 999 /* login.defs: accounts of services, not of people */

static const char *const roots[] = {"/etc", "/opt", "/usr", "/var/lib", NULL};

bool tail_root(const char *path)
{
	for (const char *const *r = roots; *r; r++)
		if (pathtext_below(path, *r))
			return true;
	return false;
}

bool tail_public(const struct stat *st, uid_t user)
{
	mode_t wanted = S_ISDIR(st->st_mode) ? S_IROTH | S_IXOTH : S_IROTH;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return false;
	if ((st->st_mode & wanted) != wanted)
		return false;
	return st->st_uid == 0 || (st->st_uid <= SYSTEM_UID_MAX && st->st_uid != user);
}

static bool below_home(const char *const *homes, const char *real)
{
	for (const char *const *h = homes; h && *h; h++)
		if (pathtext_below(real, *h))
			return true;
	return false;
}

/* Secrets are mounted into a container from memory (Kubernetes volumes, Docker's secrets), with modes that let everybody read them; what a system is installed on is
 * where its root is. */
static bool mounted_from_memory(int fd, const struct stat *st)
{
	struct stat root;
	struct statfs fs;
	if (stat("/", &root) == 0 && root.st_dev == st->st_dev)
		return false;
	return fstatfs(fd, &fs) < 0 || fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

/* Does the path still lead to the object, through folders that everybody may pass and no link?  Nobody but root or their owners can change them. */
static bool reachable(const char *real, const struct stat *object)
{
	cleanup_fd int at = open("/", O_PATH | O_CLOEXEC | O_DIRECTORY);
	struct stat st;
	for (const char *p = real + 1; at >= 0 && *p; p += strspn(p, "/")) {
		char name[NAME_MAX + 1];
		size_t len = strcspn(p, "/");
		if (len > NAME_MAX || fstat(at, &st) < 0 || !S_ISDIR(st.st_mode) || !(st.st_mode & S_IXOTH))
			return false;
		memcpy(name, p, len);
		name[len] = '\0';
		int next = openat(at, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
		close_fd(&at);
		at = next;
		p += len;
	}
	return at >= 0 && fstat(at, &st) == 0 && st.st_dev == object->st_dev && st.st_ino == object->st_ino;
}

bool tail_everybodys(const char *const *homes, int fd, const char *real)
{
	struct stat st;
	return tail_root(real) && fstat(fd, &st) == 0 && tail_public(&st, geteuid()) && !below_home(homes, real) && !mounted_from_memory(fd, &st) &&
	       reachable(real, &st);
}

bool tail_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply)
{
	if ((flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != O_RDONLY || (flags & O_TMPFILE) == O_TMPFILE)
		return false;
	if (r->missing || r->proc_foreign || !tail_everybodys(supervisor_homes(sb->sup), r->fd, r->real))
		return false;
	*reply = inject_open(r->fd, flags);
	return true;
}
