#include "launcher/supervise/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "launcher/supervise/pathtext.h"

static struct tree_call one(enum tree_kind kind, const char *name, int dirfd, uint64_t path, uint64_t value)
{
	return (struct tree_call){.kind = kind, .name = name, .to_dirfd = dirfd, .to = path, .value = value};
}

static struct tree_call two(enum tree_kind kind, const char *name, int from_dirfd, uint64_t from, int to_dirfd, uint64_t to, uint64_t value)
{
	return (struct tree_call){.kind = kind, .name = name, .from_dirfd = from_dirfd, .from = from, .to_dirfd = to_dirfd, .to = to, .value = value};
}

#ifdef __NR_rename /* the older calls: x86_64 only */
static bool decode_older(const struct seccomp_notif *req, struct tree_call *out)
{
	const __u64 *a = req->data.args;
	switch (req->data.nr) {
	case __NR_rename:
		*out = two(TREE_RENAME, "rename", AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
		return true;
	case __NR_link:
		*out = two(TREE_LINK, "link", AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
		return true;
	case __NR_symlink:
		*out = two(TREE_SYMLINK, "symlink", AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
		return true;
	case __NR_unlink:
		*out = one(TREE_UNLINK, "unlink", AT_FDCWD, a[0], 0);
		return true;
	case __NR_rmdir:
		*out = one(TREE_RMDIR, "rmdir", AT_FDCWD, a[0], 0);
		return true;
	case __NR_mkdir:
		*out = one(TREE_MKDIR, "mkdir", AT_FDCWD, a[0], a[1]);
		return true;
	case __NR_mknod:
		*out = one(TREE_MKNOD, "mknod", AT_FDCWD, a[0], a[1]);
		out->device = a[2];
		return true;
	default:
		return false;
	}
}
#endif

bool tree_call_decode(const struct seccomp_notif *req, struct tree_call *out)
{
	const __u64 *a = req->data.args;
	switch (req->data.nr) {
#ifdef __NR_renameat
	case __NR_renameat:
		*out = two(TREE_RENAME, "rename", (int)a[0], a[1], (int)a[2], a[3], 0);
		return true;
#endif
	case __NR_renameat2:
		*out = two(TREE_RENAME, "rename", (int)a[0], a[1], (int)a[2], a[3], (uint32_t)a[4]);
		return true;
	case __NR_linkat:
		*out = two(TREE_LINK, "link", (int)a[0], a[1], (int)a[2], a[3], (uint32_t)a[4]);
		return true;
	case __NR_symlinkat:
		*out = two(TREE_SYMLINK, "symlinkat", AT_FDCWD, a[0], (int)a[1], a[2], 0);
		return true;
	case __NR_unlinkat:
		*out = one((uint32_t)a[2] & AT_REMOVEDIR ? TREE_RMDIR : TREE_UNLINK, "unlinkat", (int)a[0], a[1], (uint32_t)a[2]);
		return true;
	case __NR_mkdirat:
		*out = one(TREE_MKDIR, "mkdirat", (int)a[0], a[1], a[2]);
		return true;
	case __NR_mknodat:
		*out = one(TREE_MKNOD, "mknodat", (int)a[0], a[1], a[2]);
		out->device = a[3];
		return true;
	case __NR_truncate:
		*out = one(TREE_TRUNCATE, "truncate", AT_FDCWD, a[0], a[1]);
		return true;
	default:
#ifdef __NR_rename
		return decode_older(req, out);
#else
		return false;
#endif
	}
}

int entry_pin(const struct sandbox *sb, const struct seccomp_notif *req, int dirfd, uint64_t address, struct entry *e)
{
	char dir[PATH_MAX];
	struct stat st;
	e->dir.fd = -1;
	e->dir.real[0] = e->real[0] = '\0';
	ssize_t len = target_string(sb, req, address, e->as_written, sizeof e->as_written, true); /* target_resolve checks */
	if (len < 0)
		return (int)len;
	int error = pathtext_split(e->as_written, dir, sizeof dir, &e->name);
	if (!error)
		error = target_resolve(sb, req, dirfd, dir, true, false, &e->dir);
	if (error)
		return error;
	if (pathtext_join(e->dir.real, e->name, e->real, sizeof e->real) < 0)
		return -ENAMETOOLONG;
	e->exists = fstatat(e->dir.fd, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return 0;
}

struct reply entry_refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *call, const char *real, const char *as_written)
{
	struct refusal r = {.type = "file.write", .call = call, .real = real, .as_written = as_written};
	grants_write_verdict(sb, real, &r.verdict);
	if (r.verdict.action == ACTION_ALLOW)
		r.verdict.action = ACTION_DENY; /* the grants are the wall */
	grants_record(sb, req, &r);
	return reply_error(EACCES);
}

struct reply entry_truncate(int pinned, int64_t length)
{
	char self[40];
	if (length < 0)
		return reply_error(EINVAL);
	/* A lease that the sandbox holds on it must not hold us up: O_NONBLOCK says EWOULDBLOCK. */
	snprintf(self, sizeof self, "/proc/self/fd/%d", pinned);
	cleanup_fd int fd = open(self, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return reply_error(errno);
	return ftruncate(fd, (off_t)length) < 0 ? reply_error(errno) : reply_value(0);
}
