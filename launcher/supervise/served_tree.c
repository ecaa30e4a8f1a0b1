/* rename, link, symlink, unlink, mkdir, mknod and truncate in a served folder, done by the supervisor from pinned folders.
 *
 * Rules go by names, so a folder is moved only where its content keeps its rules: within the served folder after a look at what it holds, across
 * its border never (EXDEV, as between two file systems: programs copy then, and each file is judged).  Hard links do not cross it either. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "launcher/supervise/opening.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/served.h"
#include "launcher/supervise/supervisor.h"

enum { MOVE_DEPTH = 16, MOVE_ENTRIES = 4000 };

/* --- where a name lies -------------------------------------------------------------------------- */

enum side { SERVED, OWN, ELSEWHERE };

/* The folder itself is a name of its parent's. */
static enum side side_of(const struct sandbox *sb, const struct seccomp_notif *req, const struct entry *e)
{
	if (served_holds(sb, e->dir.real))
		return SERVED;
	return grants_own(sb, req, e->dir.fd, e->dir.real) ? OWN : ELSEWHERE;
}

static bool is_folder(const struct entry *e)
{
	struct stat st;
	return fstatat(e->dir.fd, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool may_change(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c, const struct entry *e, struct reply *reply)
{
	struct verdict why;
	if (served_allows_entry(sb, e, &why))
		return true;
	*reply = served_refuse(sb, req, "file.write", c->name, e->real, e->as_written, why);
	return false;
}

/* --- rename ------------------------------------------------------------------------------------- */

/* Would everything in this folder be as free under its new name?  -EXDEV: too much to look at, it is to be copied. */
static int look_through(const struct sandbox *sb, int parent, const char *name, const char *was, const char *becomes, int depth, int *budget, struct verdict *why)
{
	struct dirent *d;
	struct stat st;
	char path[PATH_MAX], old[PATH_MAX];
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int error = 0;
	if (!dir) {
		close_fd(&fd);
		return -EXDEV;
	}
	while (!error && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		int n = snprintf(path, sizeof path, "%s/%s", becomes, d->d_name), m = snprintf(old, sizeof old, "%s/%s", was, d->d_name);
		cleanup_fd int object = openat(dirfd(dir), d->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (n < 0 || (size_t)n >= sizeof path || m < 0 || (size_t)m >= sizeof old || object < 0 || depth == 0 || --*budget < 0)
			error = -EXDEV;
		else if (!served_allows(sb, object, old, FILE_WRITE, why) || !served_allows(sb, object, path, FILE_WRITE, why))
			error = -EACCES;
		else if (d->d_type == DT_DIR || (d->d_type == DT_UNKNOWN && fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)))
			error = look_through(sb, dirfd(dir), d->d_name, old, path, depth - 1, budget, why);
	}
	closedir(dir);
	return error;
}

/* A folder's content goes with it, and rules name some of it by its place. */
static int may_move_folder(const struct sandbox *sb, const struct entry *from, const struct entry *to, struct verdict *why)
{
	int budget = MOVE_ENTRIES;
	const char *old = from->real + strlen(sb->served->root);
	if (policy_project_holds(supervisor_policy(sb->sup), old)) {
		*why = policy_rule(supervisor_policy(sb->sup), "file.link.protected");
		return -EACCES;
	}
	return look_through(sb, from->dir.fd, from->name, from->real, to->real, MOVE_DEPTH, &budget, why);
}

/* From the sandbox's own folders, where it can swap names while we look: what came is looked at where it cannot. */
static struct reply take_in(const struct sandbox *sb, const struct entry *from, const struct entry *to, unsigned flags)
{
	char lost[64];
	struct timespec now;
	if (is_folder(from))
		return reply_error(EXDEV);
	if (syscall(SYS_renameat2, from->dir.fd, from->name, to->dir.fd, to->name, flags) < 0)
		return reply_error(errno);
	if (!is_folder(to))
		return reply_value(0);
	if (syscall(SYS_renameat2, to->dir.fd, to->name, from->dir.fd, from->name, RENAME_NOREPLACE) < 0) {
		/* Its place was taken: to where the sandbox does not come, and the run's end removes it. */
		cleanup_fd int temp = open(supervisor_temp(sb->sup), O_PATH | O_DIRECTORY | O_CLOEXEC);
		clock_gettime(CLOCK_MONOTONIC, &now);
		snprintf(lost, sizeof lost, "lost-%ld-%ld", (long)now.tv_sec, now.tv_nsec);
		syscall(SYS_renameat2, to->dir.fd, to->name, temp, lost, RENAME_NOREPLACE);
	}
	return reply_error(EXDEV);
}

static struct reply rename_served(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c, const struct entry *from,
                                  const struct entry *to)
{
	enum side left = side_of(sb, req, from), right = side_of(sb, req, to);
	unsigned flags = (unsigned)c->value;
	bool folders = is_folder(from) || ((flags & RENAME_EXCHANGE) && is_folder(to));
	struct verdict why;
	struct reply reply;
	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return reply_error(EINVAL);
	if (!from->exists)
		return reply_error(ENOENT);
	if (left == ELSEWHERE || right == ELSEWHERE)
		return entry_refuse(sb, req, c->name, left == ELSEWHERE ? from->real : to->real, left == ELSEWHERE ? from->as_written : to->as_written);
	if ((left == SERVED && !may_change(sb, req, c, from, &reply)) || (right == SERVED && !may_change(sb, req, c, to, &reply)))
		return reply;
	if (left != right && ((flags & RENAME_EXCHANGE) || folders))
		return reply_error(EXDEV);
	if (left == OWN)
		return take_in(sb, from, to, flags);
	if (folders) {
		int error = may_move_folder(sb, from, to, &why);
		if (!error && (flags & RENAME_EXCHANGE))
			error = is_folder(from) && is_folder(to) ? may_move_folder(sb, to, from, &why) : -EXDEV;
		if (error == -EACCES)
			return served_refuse(sb, req, "file.write", c->name, from->real, from->as_written, why);
		if (error)
			return reply_error(-error);
	}
	return reply_result(syscall(SYS_renameat2, from->dir.fd, from->name, to->dir.fd, to->name, flags));
}

/* --- link --------------------------------------------------------------------------------------- */

/* The source as an object: a link on it is a second name under which it may be read and changed. */
static struct reply link_served(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c, const struct entry *from,
                                const struct entry *to)
{
	struct resolved object = {.fd = -1};
	struct verdict why;
	struct reply reply;
	char self[40];
	bool follow = c->value & AT_SYMLINK_FOLLOW;
	if (c->value & ~(uint64_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return reply_error(EINVAL);
	if (c->value & AT_EMPTY_PATH)
		return reply_error(ENOENT); /* as without CAP_DAC_READ_SEARCH, which no sandbox has */
	int error = target_resolve(sb, req, c->from_dirfd, from->as_written, follow, false, &object);
	cleanup_fd int pinned = object.fd;
	if (error)
		return reply_error(-error);
	if (!served_holds(sb, object.real)) {
		if (grants_own(sb, req, pinned, object.real))
			return reply_error(EXDEV);
		struct refusal r = {.type = "file.open", .call = c->name, .real = object.real, .as_written = from->as_written};
		if (!policy_file(supervisor_policy(sb->sup), object.real, FILE_READ, &r.verdict))
			return entry_refuse(sb, req, c->name, object.real, from->as_written);
		return served_refuse(sb, req, r.type, c->name, object.real, from->as_written, r.verdict);
	}
	if (side_of(sb, req, to) == OWN)
		return reply_error(EXDEV);
	if (side_of(sb, req, to) == ELSEWHERE)
		return to->exists ? reply_error(EEXIST) : entry_refuse(sb, req, c->name, to->real, to->as_written);
	if (!served_allows(sb, pinned, object.real, FILE_READ, &why) || !served_allows(sb, pinned, object.real, FILE_WRITE, &why))
		return served_refuse(sb, req, "file.write", c->name, object.real, from->as_written, why);
	if (!may_change(sb, req, c, to, &reply))
		return reply;
	snprintf(self, sizeof self, "/proc/self/fd/%d", pinned); /* leads to the pinned object, a link itself too */
	return reply_result(linkat(AT_FDCWD, self, to->dir.fd, to->name, AT_SYMLINK_FOLLOW));
}

/* --- one name ----------------------------------------------------------------------------------- */

static struct reply symlink_served(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c, const struct entry *to)
{
	char text[PATH_MAX];
	ssize_t len = target_string(sb, req, c->from, text, sizeof text, false);
	if (len <= 0)
		return reply_error(len == 0 ? ENOENT : (int)-len);
	return reply_result(symlinkat(text, to->dir.fd, to->name));
}

static struct reply make_node(const struct seccomp_notif *req, const struct tree_call *c, const struct entry *to)
{
	mode_t type = (mode_t)c->value & S_IFMT, bits = (mode_t)c->value & 01777 & ~opening_umask(req, to->dir.fd);
	if (type == S_IFDIR)
		return reply_error(EPERM);
	if (type == S_IFCHR || type == S_IFBLK)
		return reply_error(EPERM); /* as without CAP_MKNOD, which no sandbox has */
	if (type != 0 && type != S_IFREG && type != S_IFIFO && type != S_IFSOCK)
		return reply_error(EINVAL);
	return reply_result(mknodat(to->dir.fd, to->name, type | bits, 0));
}

static struct reply one_served(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c, const struct entry *e)
{
	struct reply reply;
	bool creates = c->kind != TREE_UNLINK && c->kind != TREE_RMDIR;
	if (e->exists == creates)
		return reply_error(creates ? EEXIST : ENOENT);
	if (!may_change(sb, req, c, e, &reply))
		return reply;
	switch (c->kind) {
	case TREE_SYMLINK:
		return symlink_served(sb, req, c, e);
	case TREE_MKDIR:
		return reply_result(mkdirat(e->dir.fd, e->name, (mode_t)c->value & 01777 & ~opening_umask(req, e->dir.fd)));
	case TREE_MKNOD:
		return make_node(req, c, e);
	case TREE_UNLINK:
		return c->value & ~(uint64_t)AT_REMOVEDIR ? reply_error(EINVAL) : reply_result(unlinkat(e->dir.fd, e->name, 0));
	case TREE_RMDIR:
		return reply_result(unlinkat(e->dir.fd, e->name, AT_REMOVEDIR));
	default:
		return reply_error(ENOSYS);
	}
}

static bool truncate_served(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c, struct reply *reply)
{
	char text[PATH_MAX];
	struct resolved r = {.fd = -1};
	struct verdict why;
	struct stat st;
	ssize_t len = target_string(sb, req, c->to, text, sizeof text, true); /* target_resolve checks */
	if (len < 0 || target_resolve(sb, req, c->to_dirfd, text, true, false, &r))
		return false;
	cleanup_fd int pinned = r.fd;
	if (!served_holds(sb, r.real))
		return false;
	if (fstat(pinned, &st) < 0)
		*reply = reply_error(errno);
	else if (!S_ISREG(st.st_mode))
		*reply = reply_error(S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
	else if (!served_allows(sb, pinned, r.real, FILE_WRITE, &why))
		*reply = served_refuse(sb, req, "file.write", c->name, r.real, text, why);
	else
		*reply = entry_truncate(pinned, (int64_t)c->value);
	return true;
}

bool served_change(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c, struct reply *reply)
{
	cleanup_entry struct entry from, to;
	from.dir.fd = to.dir.fd = -1;
	if (c->kind == TREE_TRUNCATE)
		return truncate_served(sb, req, c, reply);
	bool pair = c->kind == TREE_RENAME || c->kind == TREE_LINK;
	/* What cannot be pinned is answered where everything else is. */
	if (entry_pin(sb, req, c->to_dirfd, c->to, &to) || (pair && entry_pin(sb, req, c->from_dirfd, c->from, &from)))
		return false;
	bool here = served_holds(sb, to.dir.real), there = pair && served_holds(sb, from.dir.real);
	if (c->kind == TREE_LINK && (c->value & AT_SYMLINK_FOLLOW) && !here && !there) {
		struct resolved object = {.fd = -1};
		if (target_resolve(sb, req, c->from_dirfd, from.as_written, true, false, &object) == 0)
			there = served_holds(sb, object.real); /* a descriptor's link in /proc */
		close_fd(&object.fd);
	}
	if (!here && !there)
		return false;
	if (c->kind == TREE_RENAME)
		*reply = rename_served(sb, req, c, &from, &to);
	else if (c->kind == TREE_LINK)
		*reply = link_served(sb, req, c, &from, &to);
	else
		*reply = one_served(sb, req, c, &to);
	return true;
}
