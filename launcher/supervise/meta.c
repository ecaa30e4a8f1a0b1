/* chmod, chown, utime, xattr and their kin, of build and guest.  Landlock does not cover them, so nothing here is ever continued: the
 * object is pinned (O_PATH), judged by what the kernel calls it, and changed through our own descriptor.
 * The supervisor may have more capabilities than the caller, so what would need one that the caller lacks (security.* and trusted.*
 * attributes, immutable files) is refused by hand; set-id bits are never set on a file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#include "launcher/base/fd.h"
#include "launcher/sandbox/compat.h"
#include "launcher/supervise/grants.h"
#include "launcher/supervise/served.h"

enum kind { CHMOD, CHOWN, UTIME, UTIMES, UTIMENSAT, SETXATTR, SETXATTRAT, REMOVEXATTR, ATTRIBUTES };
enum where { BY_PATH, BY_PATH_NOFOLLOW, BY_AT, BY_FD };

/* value: index of the first argument that says what to do.  flags: index of the AT_ flags, 0: there are none. */
struct meta_call {
	int nr;
	const char *name;
	enum kind kind;
	enum where where;
	unsigned value, flags;
};

static const struct meta_call calls[] = {
#ifdef __NR_chmod
	{__NR_chmod, "chmod", CHMOD, BY_PATH, 1, 0},
	{__NR_chown, "chown", CHOWN, BY_PATH, 1, 0},
	{__NR_lchown, "lchown", CHOWN, BY_PATH_NOFOLLOW, 1, 0},
	{__NR_utime, "utime", UTIME, BY_PATH, 1, 0},
	{__NR_utimes, "utimes", UTIMES, BY_PATH, 1, 0},
	{__NR_futimesat, "futimesat", UTIMES, BY_AT, 2, 0},
#endif
	{__NR_fchmod, "fchmod", CHMOD, BY_FD, 1, 0},
	{__NR_fchmodat, "fchmodat", CHMOD, BY_AT, 2, 0},
	{PW_NR_fchmodat2, "fchmodat2", CHMOD, BY_AT, 2, 3},
	{__NR_fchown, "fchown", CHOWN, BY_FD, 1, 0},
	{__NR_fchownat, "fchownat", CHOWN, BY_AT, 2, 4},
	{__NR_utimensat, "utimensat", UTIMENSAT, BY_AT, 2, 3},
	{__NR_setxattr, "setxattr", SETXATTR, BY_PATH, 1, 0},
	{__NR_lsetxattr, "lsetxattr", SETXATTR, BY_PATH_NOFOLLOW, 1, 0},
	{__NR_fsetxattr, "fsetxattr", SETXATTR, BY_FD, 1, 0},
	{PW_NR_setxattrat, "setxattrat", SETXATTRAT, BY_AT, 3, 2},
	{__NR_removexattr, "removexattr", REMOVEXATTR, BY_PATH, 1, 0},
	{__NR_lremovexattr, "lremovexattr", REMOVEXATTR, BY_PATH_NOFOLLOW, 1, 0},
	{__NR_fremovexattr, "fremovexattr", REMOVEXATTR, BY_FD, 1, 0},
	{PW_NR_removexattrat, "removexattrat", REMOVEXATTR, BY_AT, 3, 2},
	{PW_NR_file_setattr, "file_setattr", ATTRIBUTES, BY_AT, 2, 4},
	{__NR_ioctl, "ioctl", ATTRIBUTES, BY_FD, 1, 0},
};

/* Requests of file systems that change nothing, or nothing but what the descriptor may write.  They are continued: the request is in a register, and whatever
 * descriptor and memory the kernel then finds, it asks, or writes by a descriptor that Landlock let be opened for it. */
static const uint32_t asking[] = {
	0x80086601, 0x80046601,             /* FS_IOC_GETFLAGS */
	0x80087601, 0x80047601, 0x80086603, /* FS_IOC_GETVERSION, ext4's */
	0x801c581f, 0xc020660b,             /* FS_IOC_FSGETXATTR, FIEMAP */
	0xc0046686, 0xc0286687,             /* verity: measure, read */
	0x400c6615, 0xc0096616, 0x40106614, 0x8010661b, 0xc080661a, /* encryption: policy, salt, nonce, key status */
	0x6612, 0x40046629, 0xc020662a,     /* ext4: extents, state */
	0x800c581e, 0x8100587e, 0x8070587c, 0x80705864, 0x80205871, 0xc0205826, 0xc0205838, /* XFS: direct I/O, geometry, counts, blocks */
	0x40305828, 0x4030582a, 0x40305829, 0x4030582b, 0x40305839, 0x40305825, /* space of a file that is open for writing */
	0x80047210, 0x80047213, 0x82187201, 0x82187202, /* FAT: attributes, volume, names */
};

static bool only_asks(const struct seccomp_notif *req)
{
	for (size_t i = 0; req->data.nr == __NR_ioctl && i < sizeof asking / sizeof *asking; i++)
		if (asking[i] == (uint32_t)req->data.args[1])
			return true;
	return false;
}

static const struct meta_call *find_call(int nr)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

/* --- which object ------------------------------------------------------------------------------ */

struct object {
	struct resolved at;       /* the pinned object */
	char as_written[PATH_MAX]; /* "" when it was named by a descriptor */
	bool by_fd;
	unsigned open_flags;      /* of the caller's descriptor */
};

static void close_object(struct object *o)
{
	close_fd(&o->at.fd);
}

/* Flags of the caller's descriptor, as /proc shows them. */
static int descriptor_flags(pid_t tid, int fd, unsigned *flags)
{
	char path[64], text[256];
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)tid, fd);
	cleanup_fd int info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return errno == ENOENT ? -EBADF : -errno;
	ssize_t n = read(info, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	const char *line = strstr(text, "flags:");
	if (!line)
		return -EACCES;
	*flags = (unsigned)strtoul(line + strlen("flags:"), NULL, 8);
	return 0;
}

/* The object of a descriptor.  O_PATH through /proc opens nothing and needs no pidfd_getfd. */
static int pin_fd(const struct sandbox *sb, const struct seccomp_notif *req, int fd, struct object *o)
{
	char path[64];
	o->by_fd = true;
	if (fd == AT_FDCWD)
		snprintf(path, sizeof path, "/proc/%u/cwd", req->pid);
	else if (fd < 0)
		return -EBADF;
	else
		snprintf(path, sizeof path, "/proc/%u/fd/%d", req->pid, fd);
	o->at.fd = open(path, O_PATH | O_CLOEXEC);
	int error = o->at.fd >= 0 ? 0 : errno == ENOENT ? -EBADF : -errno;
	if (!error && fd != AT_FDCWD)
		error = descriptor_flags((pid_t)req->pid, fd, &o->open_flags);
	if (!target_alive(sb, req))
		return -ESRCH;
	if (error)
		return error;
	snprintf(path, sizeof path, "/proc/self/fd/%d", o->at.fd);
	ssize_t n = readlink(path, o->at.real, sizeof o->at.real);
	if (n < 0 || (size_t)n >= sizeof o->at.real)
		return n < 0 ? -errno : -ENAMETOOLONG;
	o->at.real[n] = '\0';
	return 0;
}

static int pin(const struct sandbox *sb, const struct seccomp_notif *req, const struct meta_call *call, struct object *o)
{
	const __u64 *a = req->data.args;
	o->at.fd = -1;
	o->at.real[0] = o->as_written[0] = '\0';
	o->by_fd = false;
	o->open_flags = 0;
	if (call->where == BY_FD) {
		int error = pin_fd(sb, req, (int)a[0], o);
		return !error && (o->open_flags & O_PATH) ? -EBADF : error;
	}
	int dirfd = call->where == BY_AT ? (int)a[0] : AT_FDCWD;
	uint64_t address = call->where == BY_AT ? a[1] : a[0];
	unsigned flags = call->flags ? (unsigned)a[call->flags] : 0;
	bool follow = call->where != BY_PATH_NOFOLLOW && !(flags & AT_SYMLINK_NOFOLLOW);
	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (address == 0 && (call->kind == UTIMENSAT || call->kind == UTIMES) && dirfd != AT_FDCWD) {
		if (flags) /* futimens() in the kernel's words */
			return -EINVAL;
		int error = pin_fd(sb, req, dirfd, o);
		return !error && (o->open_flags & O_PATH) ? -EBADF : error;
	}
	if (address == 0 && (flags & AT_EMPTY_PATH))
		return pin_fd(sb, req, dirfd, o);
	ssize_t len = target_string(sb, req, address, o->as_written, sizeof o->as_written, true); /* target_resolve checks */
	if (len < 0)
		return (int)len;
	if (len == 0)
		return flags & AT_EMPTY_PATH ? pin_fd(sb, req, dirfd, o) : -ENOENT;
	return target_resolve(sb, req, dirfd, o->as_written, follow, false, &o->at);
}

/* May the caller change it?  An unlinked file is judged by where it was, or by the caller's right to write it; pipes, sockets and the
 * like have no place. */
static bool is_own(const struct sandbox *sb, const struct seccomp_notif *req, const struct object *o, const struct stat *st)
{
	if (grants_own(sb, req, o->at.fd, o->at.real) || served_own(sb, o->at.fd, o->at.real))
		return true;
	if (!o->by_fd)
		return false;
	if (o->at.real[0] != '/')
		return true;
	unsigned mode = o->open_flags & O_ACCMODE;
	return S_ISREG(st->st_mode) && st->st_nlink == 0 && (mode == O_WRONLY || mode == O_RDWR);
}

static struct reply refuse(struct sandbox *sb, const struct seccomp_notif *req, const struct meta_call *call, const struct object *o,
                           const char *rule)
{
	struct refusal r = {.type = "file.meta", .call = call->name, .real = o->at.real, .as_written = o->as_written[0] ? o->as_written : NULL};
	const struct policy *policy = supervisor_policy(sb->sup);
	if (strcmp(rule, "file.meta.outside") == 0 && grants_environment(sb, o->at.real))
		rule = "file.meta.environment";
	if (strcmp(rule, "file.meta.outside") != 0 || !policy_file(policy, o->at.real, FILE_WRITE, &r.verdict))
		r.verdict = policy_rule(policy, rule);
	if (r.verdict.action == ACTION_ALLOW)
		r.verdict.action = ACTION_DENY; /* the grants are the wall here: nothing stands behind them */
	grants_record(sb, req, &r);
	return reply_error(EPERM);
}

/* --- what to do to it -------------------------------------------------------------------------- */

static struct reply change_mode(struct sandbox *sb, const struct seccomp_notif *req, const struct meta_call *call,
                                const struct object *o, const struct stat *st, const char *self)
{
	mode_t mode = (mode_t)req->data.args[call->value] & 07777;
	if (S_ISLNK(st->st_mode))
		return reply_error(EOPNOTSUPP);
	if (!S_ISDIR(st->st_mode) && (mode & (S_ISUID | S_ISGID)))
		return refuse(sb, req, call, o, "file.meta.setid");
	return reply_result(chmod(self, mode));
}

static struct reply change_owner(const struct seccomp_notif *req, const struct meta_call *call, const struct object *o)
{
	/* The numbers are those of outside, also for a caller in a user namespace: so that a supplementary group works. */
	return reply_result(fchownat(o->at.fd, "", (uid_t)req->data.args[call->value], (gid_t)req->data.args[call->value + 1], AT_EMPTY_PATH));
}

static struct reply change_times(const struct sandbox *sb, const struct seccomp_notif *req, const struct meta_call *call,
                                 const struct object *o)
{
	struct timespec times[2] = {{0}};
	uint64_t address = req->data.args[call->value];
	int error = 0;
	if (address == 0)
		return reply_result(utimensat(o->at.fd, "", NULL, AT_EMPTY_PATH));
	if (call->kind == UTIMENSAT) {
		error = target_read(sb, req, address, times, sizeof times);
	} else if (call->kind == UTIME) {
		struct utimbuf seconds = {0};
		error = target_read(sb, req, address, &seconds, sizeof seconds);
		times[0].tv_sec = seconds.actime;
		times[1].tv_sec = seconds.modtime;
	} else {
		struct timeval micro[2] = {{0}};
		error = target_read(sb, req, address, micro, sizeof micro);
		for (int i = 0; i < 2 && !error; i++) {
			if (micro[i].tv_usec < 0 || micro[i].tv_usec >= 1000000)
				return reply_error(EINVAL);
			times[i].tv_sec = micro[i].tv_sec;
			times[i].tv_nsec = micro[i].tv_usec * 1000;
		}
	}
	return error ? reply_error(-error) : reply_result(utimensat(o->at.fd, "", times, AT_EMPTY_PATH));
}

/* The attribute's name, if it is one that needs no capability. */
static int attribute_name(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, char *name, size_t size)
{
	ssize_t len = target_string(sb, req, address, name, size, false);
	if (len <= 0)
		return len == 0 || len == -ENAMETOOLONG ? -ERANGE : (int)len;
	if (strncmp(name, "user.", 5) == 0 || strncmp(name, "system.", 7) == 0)
		return 0;
	return strncmp(name, "security.", 9) == 0 || strncmp(name, "trusted.", 8) == 0 ? -EPERM : -EOPNOTSUPP;
}

static struct reply set_attribute(const struct sandbox *sb, const struct seccomp_notif *req, const struct meta_call *call,
                                  const struct object *o, const char *self)
{
	struct { uint64_t value; uint32_t size, flags; } at; /* struct xattr_args, 6.13 */
	char name[XATTR_NAME_MAX + 1];
	const __u64 *a = req->data.args + call->value;
	size_t size;
	int flags, error;
	uint64_t address;
	if (call->kind == SETXATTR) {
		address = a[1];
		size = a[2];
		flags = (int)a[3];
	} else {
		if (a[2] != sizeof at)
			return reply_error(a[2] < sizeof at ? EINVAL : E2BIG);
		error = target_read(sb, req, a[1], &at, sizeof at);
		if (error)
			return reply_error(-error);
		address = at.value;
		size = at.size;
		flags = (int)at.flags;
	}
	error = attribute_name(sb, req, a[0], name, sizeof name);
	if (error)
		return reply_error(-error);
	/* A project outlives the build: whatever is made there later, a key of the user's too, would have this mode. */
	if (strcmp(name, "system.posix_acl_default") == 0 && served_holds(sb, o->at.real))
		return reply_error(EOPNOTSUPP);
	if (size > XATTR_SIZE_MAX)
		return reply_error(E2BIG);
	char *value = malloc(size + 1);
	if (!value)
		return reply_error(ENOMEM);
	error = size ? target_read(sb, req, address, value, size) : 0;
	struct reply reply = error ? reply_error(-error) : reply_result(setxattr(self, name, value, size, flags));
	free(value);
	return reply;
}

static struct reply remove_attribute(const struct sandbox *sb, const struct seccomp_notif *req, const struct meta_call *call,
                                     const char *self)
{
	char name[XATTR_NAME_MAX + 1];
	int error = attribute_name(sb, req, req->data.args[call->value], name, sizeof name);
	return error ? reply_error(-error) : reply_result(removexattr(self, name));
}

/* FS_IOC_SETFLAGS on a file or folder of the sandbox's own; its younger brothers are answered as a file system would that has none. */
static struct reply set_flags(const struct sandbox *sb, const struct seccomp_notif *req, const struct stat *st, const char *self)
{
	const int privileged = FS_IMMUTABLE_FL | FS_APPEND_FL | FS_JOURNAL_DATA_FL;
	const uint32_t request = req->data.nr == __NR_ioctl ? (uint32_t)req->data.args[1] : FS_IOC_FSSETXATTR;
	int wanted = 0, now = 0;
	if (request != FS_IOC_SETFLAGS && request != FS_IOC_FSSETXATTR && request != FS_IOC32_SETFLAGS)
		return reply_error(ENOTTY);
	if (request != FS_IOC_SETFLAGS || !(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)))
		return reply_error(EOPNOTSUPP);
	int error = target_read(sb, req, req->data.args[2], &wanted, sizeof wanted);
	if (error)
		return reply_error(-error);
	cleanup_fd int fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &now) < 0)
		return reply_error(errno);
	if ((wanted ^ now) & privileged)
		return reply_error(EPERM);
	return reply_result(ioctl(fd, FS_IOC_SETFLAGS, &wanted));
}

struct reply handle_meta(struct sandbox *sb, const struct seccomp_notif *req)
{
	__attribute__((cleanup(close_object))) struct object o;
	char self[40];
	struct stat st;
	const struct meta_call *call = find_call(req->data.nr);
	o.at.fd = -1;
	if (!call)
		return reply_error(ENOSYS);
	if (only_asks(req))
		return reply_continue("meta.asks");
	int error = pin(sb, req, call, &o);
	if (error == -EPERM || (error == -EACCES && o.by_fd))
		return grants_unreadable(sb, req, call->name, error);
	if (error)
		return reply_error(-error);
	if (fstat(o.at.fd, &st) < 0)
		return reply_error(errno);
	if (!is_own(sb, req, &o, &st))
		return refuse(sb, req, call, &o, "file.meta.outside");
	snprintf(self, sizeof self, "/proc/self/fd/%d", o.at.fd); /* leads to the pinned object, a link itself too */
	switch (call->kind) {
	case CHMOD:
		return change_mode(sb, req, call, &o, &st, self);
	case CHOWN:
		return change_owner(req, call, &o);
	case UTIME:
	case UTIMES:
	case UTIMENSAT:
		return change_times(sb, req, call, &o);
	case SETXATTR:
	case SETXATTRAT:
		return set_attribute(sb, req, call, &o, self);
	case REMOVEXATTR:
		return remove_attribute(sb, req, call, self);
	case ATTRIBUTES:
		return set_flags(sb, req, &st, self);
	}
	return reply_error(ENOSYS);
}
