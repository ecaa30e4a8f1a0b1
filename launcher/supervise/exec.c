/* execve and execveat.
 *
 * In the installer nothing else can be executed than `enter`, the launched command by the launched process, and the pip that an `enter` was told to become.
 * In a build or guest every exec is recorded; Landlock's EXECUTE is the wall. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alone.h"
#include "image.h"
#include "served.h"
#include "supervisor.h"
#include "target.h"

static bool is_enter(const struct supervisor *s, const char *path)
{
	struct stat a, b;

	return path[0] == '/' && stat(path, &a) == 0 && stat(s->enter_path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static struct reply decide_installer(struct sandbox *sb, const struct seccomp_notif *req, const char *path, bool at)
{
	struct event ev = {
		.type = "exec", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "exec.installer"),
		.target = {.path = path}, .detail = "only pipwarden's own helper is executed inside pip: nothing allows this",
	};

	/* CONTINUE, twice: a changed path is harmless because Landlock grants execution on these very files only (and on the loader and the interpreter,
	 * which run nothing without an argument that another notified exec would have to give); no package's code runs in this process to change it. */
	if (!at && is_enter(sb->sup, path)) {
		return reply_continue("exec.enter");
	}
	if (!at && supervisor_take_ticket(sb->sup, target_tgid((pid_t)req->pid), path)) {
		return reply_continue("exec.ticket");
	}
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(EACCES);
}

/* A PATH search makes one failing exec a folder: they are nobody's business and cost one look. */
static bool exists(const struct sandbox *sb, const struct seccomp_notif *req, const char *path)
{
	char directory[PATH_MAX], whole[2 * PATH_MAX];

	if (path[0] == '/') {
		return access(path, F_OK) == 0;
	}
	ssize_t len = target_dir_path(sb, req, AT_FDCWD, directory, sizeof directory);
	if (len <= 0) {
		return true;
	}
	snprintf(whole, sizeof whole, "%s/%s", directory, path);
	return access(whole, F_OK) == 0;
}

static void record(struct sandbox *sb, const struct seccomp_notif *req, const char *path)
{
	struct event ev = {
		.type = "exec", .action = EV_ALLOWED, .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "exec.recorded"),
		.target = {.path = path},
	};

	supervisor_record(sb, (pid_t)req->pid, &ev);
}

/* `become` executes what the kernel would not, but only the shim goes there by itself. */
static bool needs_shim(struct sandbox *sb, const struct seccomp_notif *req, const char *path, bool at)
{
	struct resolved r = {.fd = -1};
	int dirfd = at ? (int)req->data.args[0] : AT_FDCWD;
	bool follow = !at || (req->data.args[4] & AT_SYMLINK_NOFOLLOW) == 0;

	if (sb->served == NULL || sb->checked_in == NULL || target_resolve(sb, req, dirfd, path, follow, false, &r) < 0) {
		return false;
	}
	bool executes = served_executes(sb, r.fd, r.real);
	close_fd(&r.fd);
	return !executes && images_lack(sb->checked_in, image_of((pid_t)req->pid));
}

static struct reply refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *path)
{
	struct event ev = {
		.type = "exec", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "exec.refused"),
		.target = {.path = path},
		.detail = "a program that was made in the project's folder can be started by dynamically linked programs only",
	};

	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(EACCES);
}

struct reply handle_exec(struct sandbox *sb, const struct seccomp_notif *req)
{
	bool at = req->data.nr == SYS_execveat;
	char path[PATH_MAX];
	ssize_t len = target_string(sb, req, req->data.args[at ? 1 : 0], path, sizeof path, sb->role != ROLE_INSTALLER);

	alone_forget(sb, req);
	if (sb->role == ROLE_INSTALLER) {
		return len < 0 ? reply_error((int)-len) : decide_installer(sb, req, path, at);
	}
	if (len < 0) {
		return reply_error((int)-len);
	}
	if (at && path[0] == '\0') {
		snprintf(path, sizeof path, "/proc/self/fd/%d", (int)req->data.args[0]); /* a descriptor: memfd or file; named as such */
		record(sb, req, path);
	} else if (needs_shim(sb, req, path, at)) {
		return refuse(sb, req, path); /* nothing is let through by this: Landlock has no rule for it either */
	} else if (strcmp(path, sb->sup->become_path) != 0 && exists(sb, req, path)) {
		record(sb, req, path); /* what `become` is started for was recorded when the kernel was asked for it */
	}
	/* Landlock's EXECUTE judges the file that the kernel really opens, whatever the memory says by then. */
	return reply_continue("exec.landlock");
}
