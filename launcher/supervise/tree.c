/* rename, link, symlink, unlink, mkdir, mknod of build and guest; truncate.
 *
 * Landlock ABI 1 knows no REFER: a rename or link across folders is EXDEV, which the commonest build cannot stand.  There both are
 * served: from folders that were pinned and found inside the sandbox's own grants.  truncate() is served: below ABI 3 nothing covers it.
 * A served tree is served_tree.c's: asked first.
 * Everything else is Landlock's to refuse (that is why a CONTINUE is harmless here) and only recorded. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/entry.h"
#include "launcher/supervise/own_shm.h"
#include "launcher/supervise/served.h"

static bool own(const struct sandbox *sb, const struct seccomp_notif *req, const struct entry *e)
{
	return grants_own(sb, req, e->dir.fd, e->dir.real);
}

/* What keeps us from looking, or what the kernel would say as well. */
static struct reply failure(struct sandbox *sb, const struct seccomp_notif *req, const char *call, int error)
{
	return error == -EPERM ? grants_unreadable(sb, req, call, error) : reply_error(-error);
}

static struct reply serve_rename(struct sandbox *sb, const struct seccomp_notif *req, int old_dirfd, uint64_t old_path,
                                 int new_dirfd, uint64_t new_path, unsigned flags)
{
	cleanup_entry struct entry from, to;
	from.dir.fd = to.dir.fd = -1;
	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return reply_error(EINVAL); /* a whiteout is a device */
	char shm[2][256];
	if (!flags && own_shm_asked(sb, req, old_path, shm[0]) && own_shm_asked(sb, req, new_path, shm[1]))
		return own_shm_rename(sb, shm[0], shm[1]);
	int error = entry_pin(sb, req, old_dirfd, old_path, &from);
	if (!error)
		error = entry_pin(sb, req, new_dirfd, new_path, &to);
	if (error)
		return failure(sb, req, "rename", error);
	if (!own(sb, req, &from))
		return from.exists ? entry_refuse(sb, req, "rename", from.real, from.as_written) : reply_error(ENOENT);
	if (!own(sb, req, &to))
		return entry_refuse(sb, req, "rename", to.real, to.as_written);
	if (supervisor_caps(sb->sup)->landlock_abi >= 2)
		return reply_continue("tree.rename");
	return reply_result(syscall(SYS_renameat2, from.dir.fd, from.name, to.dir.fd, to.name, flags));
}

/* A link to what lies outside would be a way around every grant: refused, whatever it leads to; recorded as what it reaches for. */
static struct reply refuse_link(struct sandbox *sb, const struct seccomp_notif *req, const char *real, const char *as_written)
{
	struct refusal r = {.type = "file.open", .call = "link", .real = real, .as_written = as_written};
	if (!policy_file(supervisor_policy(sb->sup), real, FILE_READ, &r.verdict))
		return entry_refuse(sb, req, "link", real, as_written);
	if (r.verdict.action == ACTION_ALLOW)
		r.verdict.action = ACTION_DENY;
	grants_record(sb, req, &r);
	return reply_error(EACCES);
}

static struct reply serve_link(struct sandbox *sb, const struct seccomp_notif *req, int old_dirfd, uint64_t old_path, int new_dirfd,
                               uint64_t new_path, unsigned flags)
{
	cleanup_entry struct entry from, to;
	struct resolved object = {.fd = -1};
	from.dir.fd = to.dir.fd = -1;
	if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return reply_error(EINVAL);
	if (flags & AT_EMPTY_PATH)
		return reply_error(ENOENT); /* as without CAP_DAC_READ_SEARCH, which no sandbox has */
	char shm[2][256];
	if (own_shm_asked(sb, req, old_path, shm[0]) && own_shm_asked(sb, req, new_path, shm[1]))
		return own_shm_link(sb, shm[0], shm[1]);
	int error = entry_pin(sb, req, old_dirfd, old_path, &from);
	if (!error)
		error = entry_pin(sb, req, new_dirfd, new_path, &to);
	if (!error && (flags & AT_SYMLINK_FOLLOW))
		error = target_resolve(sb, req, old_dirfd, from.as_written, true, false, &object);
	cleanup_fd int pinned = object.fd;
	if (error)
		return failure(sb, req, "link", error);
	if (pinned >= 0 ? !grants_own(sb, req, pinned, object.real) : !own(sb, req, &from))
		return pinned >= 0 || from.exists ? refuse_link(sb, req, pinned >= 0 ? object.real : from.real, from.as_written) : reply_error(ENOENT);
	if (!own(sb, req, &to))
		return to.exists ? reply_error(EEXIST) : entry_refuse(sb, req, "link", to.real, to.as_written);
	if (supervisor_caps(sb->sup)->landlock_abi >= 2)
		return reply_continue("tree.link");
	if (pinned < 0)
		return reply_result(linkat(from.dir.fd, from.name, to.dir.fd, to.name, 0));
	char self[40];
	snprintf(self, sizeof self, "/proc/self/fd/%d", pinned);
	return reply_result(linkat(AT_FDCWD, self, to.dir.fd, to.name, AT_SYMLINK_FOLLOW));
}

static struct reply serve_truncate(struct sandbox *sb, const struct seccomp_notif *req)
{
	char text[PATH_MAX];
	struct resolved r;
	struct stat st;
	ssize_t len = target_string(sb, req, req->data.args[0], text, sizeof text, true);
	int error = len < 0 ? (int)len : target_resolve(sb, req, AT_FDCWD, text, true, false, &r);
	if (error)
		return failure(sb, req, "truncate", error);
	cleanup_fd int pinned = r.fd;
	if (fstat(pinned, &st) < 0)
		return reply_error(errno);
	if (!S_ISREG(st.st_mode))
		return reply_error(S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
	if (!grants_own(sb, req, pinned, r.real))
		return entry_refuse(sb, req, "truncate", r.real, text);
	if (supervisor_caps(sb->sup)->landlock_abi >= 3)
		return reply_continue("tree.truncate");
	return entry_truncate(pinned, (int64_t)req->data.args[1]);
}

/* symlink, mkdir, mknod (creates) and unlink, rmdir (removes): Landlock decides, with every ABI; only a refusal is recorded. */
static struct reply watch(struct sandbox *sb, const struct seccomp_notif *req, const char *call, bool creates, int dirfd, uint64_t path)
{
	cleanup_entry struct entry e;
	e.dir.fd = -1;
	int error = entry_pin(sb, req, dirfd, path, &e);
	if (error)
		return failure(sb, req, call, error);
	if (own(sb, req, &e) || e.exists == creates)
		return reply_continue("tree.watch"); /* Landlock; and EEXIST or ENOENT is the kernel's to say */
	return entry_refuse(sb, req, call, e.real, e.as_written);
}

static struct reply remove_name(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *c)
{
	char shm[256];
	if (c->kind == TREE_UNLINK && own_shm_asked(sb, req, c->to, shm))
		return own_shm_unlink(sb, shm);
	return watch(sb, req, c->name, false, c->to_dirfd, c->to);
}

struct reply handle_tree(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct tree_call c;
	struct reply served;
	if (!tree_call_decode(req, &c))
		return reply_error(ENOSYS);
	if (sb->served && served_change(sb, req, &c, &served))
		return served;
	switch (c.kind) {
	case TREE_RENAME:
		return serve_rename(sb, req, c.from_dirfd, c.from, c.to_dirfd, c.to, (unsigned)c.value);
	case TREE_LINK:
		return serve_link(sb, req, c.from_dirfd, c.from, c.to_dirfd, c.to, (unsigned)c.value);
	case TREE_TRUNCATE:
		return serve_truncate(sb, req);
	case TREE_SYMLINK:
	case TREE_MKDIR:
	case TREE_MKNOD:
		return watch(sb, req, c.name, true, c.to_dirfd, c.to);
	case TREE_UNLINK:
	case TREE_RMDIR:
		return remove_name(sb, req, &c);
	}
	return reply_error(ENOSYS);
}
