/* Where a path leads for the thread that is blocked in a call.  Two ways:
 *   fast  one openat2 that meets no link at all: most paths;
 *   walk  component by component, every link followed here by hand: what /proc says of "self" must be said of the caller, and an absolute
 *         link starts at the caller's root (its mounts of /proc and /dev/shm may be its own).
 * What was found is named by the kernel (readlink of our descriptor), not by the text that was followed: it is right under any race.
 * An object of another mount namespace is named as that namespace sees it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "launcher/base/fd.h"
#include "launcher/sandbox/compat.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/target.h"

enum { LINKS_MAX = 40, PROC_ROOT_INODE = 1 };

struct walk {
	const struct sandbox *sb;
	pid_t tid;
	int base;          /* where a relative path starts */
	int root;          /* opened when needed */
	int cur;           /* the directory that has been reached */
	bool foreign;      /* has been below /proc/PID of a stranger, or through a link of init */
	unsigned links;
	const char *at;    /* what is left to walk, in rest */
	char rest[2 * PATH_MAX];
};

static void close_walk(struct walk *w)
{
	close_fd(&w->base);
	close_fd(&w->root);
	close_fd(&w->cur);
}

/* The kernel's name of what fd is: length or -errno. */
static ssize_t name_of(int fd, char *out, size_t size)
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, out, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	out[n] = '\0';
	return n;
}

static int open_root(struct walk *w)
{
	if (w->root >= 0)
		return 0;
	char path[40] = "/"; /* without a mount namespace its root is ours: chroot and pivot_root are refused */
	if (w->sb->namespaces)
		snprintf(path, sizeof path, "/proc/%d/root", (int)w->tid);
	w->root = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);
	return w->root < 0 ? -errno : 0;
}

static int open_base(struct walk *w, int dirfd)
{
	char path[48];
	if (dirfd == AT_FDCWD)
		snprintf(path, sizeof path, "/proc/%d/cwd", (int)w->tid);
	else if (dirfd < 0)
		return -EBADF;
	else
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)w->tid, dirfd);
	w->base = open(path, O_PATH | O_CLOEXEC);
	if (w->base >= 0)
		return 0;
	return errno == ENOENT ? -EBADF : -errno;
}

/* --- /proc ------------------------------------------------------------------------------------- */

static bool on_proc(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Is the procfs of fd the one whose numbers are the supervisor's?  A sandbox's own procfs shows nobody else. */
static bool our_proc(int fd)
{
	struct stat here, ours;
	return fstat(fd, &here) == 0 && stat("/proc", &ours) == 0 && here.st_dev == ours.st_dev;
}

static bool foreign_pid(const struct walk *w, int fd, pid_t pid)
{
	return pid != 0 && our_proc(fd) && !target_is_member(w->sb, pid);
}

/* For the quick way, which saw no directory on its way: by the name. */
static bool foreign_name(const struct walk *w, int fd, const char *real)
{
	if (strncmp(real, "/proc/", 6) != 0)
		return false;
	return foreign_pid(w, fd, pathtext_pid(real + 6, strcspn(real + 6, "/")));
}

/* What the links /proc/self and /proc/thread-self say to the caller. */
static int self_text(const struct walk *w, const char *name, char *out, size_t size)
{
	pid_t tgid = target_tgid(w->tid), tid = w->tid;
	if (!our_proc(w->cur) && !target_numbers(w->tid, &tgid, &tid))
		return -ESRCH;
	if (tgid <= 0)
		return -ESRCH;
	if (strcmp(name, "self") == 0)
		snprintf(out, size, "%d", (int)tgid);
	else
		snprintf(out, size, "%d/task/%d", (int)tgid, (int)tid);
	return 0;
}

/* A magic link's text is an absolute path or "kind:[…]"; procfs's ordinary links are relative and have no colon. */
static bool is_magic(const char *text)
{
	return text[0] == '/' || strchr(text, ':');
}

/* --- the walk ---------------------------------------------------------------------------------- */

/* text is to be walked before what is left. */
static int push_link(struct walk *w, const char *text)
{
	char joined[sizeof w->rest];
	int n = snprintf(joined, sizeof joined, "%s%s%s", text, w->at[0] == '/' || w->at[0] == '\0' ? "" : "/", w->at);
	if (n < 0 || (size_t)n >= sizeof joined)
		return -ENAMETOOLONG;
	memcpy(w->rest, joined, (size_t)n + 1);
	w->at = w->rest;
	if (text[0] != '/')
		return 0;
	int error = open_root(w);
	if (error)
		return error;
	int root = fcntl(w->root, F_DUPFD_CLOEXEC, 0);
	if (root < 0)
		return -errno;
	close_fd(&w->cur);
	w->cur = root;
	return 0;
}

/* Is cur the folder, or below it, of the sandbox's init? What its links lead to is pipwarden's, though init is of the sandbox. */
static bool below_init(const struct walk *w)
{
	char name[PATH_MAX];
	if (name_of(w->cur, name, sizeof name) < 0 || strncmp(name, "/proc/", 6) != 0)
		return false;
	pid_t pid = pathtext_pid(name + 6, strcspn(name + 6, "/")), init = w->sb->init, caller = 0, tid;
	if (our_proc(w->cur))
		caller = target_tgid(w->tid);
	else if (target_numbers(w->tid, &caller, &tid))
		init = 1;
	return pid != 0 && pid == init && caller != init;
}

/* fd is the link `name` in cur.  0: pushed, walk on.  1: a magic link, *object is what it leads to. */
static int follow_link(struct walk *w, int fd, const char *name, int *object)
{
	char text[PATH_MAX];
	struct stat dir;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	bool proc = on_proc(fd);
	if (proc && (strcmp(name, "self") == 0 || strcmp(name, "thread-self") == 0) && fstat(w->cur, &dir) == 0 &&
	    dir.st_ino == PROC_ROOT_INODE) {
		int error = self_text(w, name, text, sizeof text);
		return error ? error : push_link(w, text);
	}
	ssize_t n = readlinkat(fd, "", text, sizeof text);
	if (n < 0)
		return -errno;
	if (n == 0 || n == sizeof text)
		return n ? -ENAMETOOLONG : -ENOENT;
	text[n] = '\0';
	if (!proc || !is_magic(text))
		return push_link(w, text);
	w->foreign = w->foreign || below_init(w);
	*object = openat(w->cur, name, O_PATH | O_CLOEXEC);
	return *object < 0 ? -errno : 1;
}

static int missing(struct walk *w, const char *name, struct resolved *out)
{
	ssize_t n = name_of(w->cur, out->real, sizeof out->real);
	if (n < 0)
		return (int)n;
	size_t used = n == 1 ? 0 : (size_t)n, len = strlen(name);
	if (used + 1 + len >= sizeof out->real)
		return -ENAMETOOLONG;
	out->real[used] = '/';
	memcpy(out->real + used + 1, name, len + 1);
	memcpy(out->last, name, len + 1);
	out->missing = true;
	out->fd = steal_fd(&w->cur);
	return 0;
}

/* Ends with cur as the object: named, handed over. */
static int arrive(struct walk *w, struct resolved *out)
{
	ssize_t n = name_of(w->cur, out->real, sizeof out->real);
	if (n < 0)
		return (int)n;
	out->fd = steal_fd(&w->cur);
	return 0;
}

/* One component.  0: walk on; 1: *out is filled. */
static int step(struct walk *w, bool follow, bool create, struct resolved *out)
{
	char name[NAME_MAX + 1];
	w->at += strspn(w->at, "/");
	size_t len = strcspn(w->at, "/");
	if (len == 0) {
		int error = arrive(w, out);
		return error ? error : 1;
	}
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, w->at, len);
	name[len] = '\0';
	const char *rest = w->at + len;
	bool last = rest[strspn(rest, "/")] == '\0';
	cleanup_fd int fd = openat(w->cur, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT || !create || !last)
			return -errno;
		int error = missing(w, name, out);
		return error ? error : 1;
	}
	struct stat st, dir;
	if (fstat(fd, &st) < 0)
		return -errno;
	pid_t pid = pathtext_pid(name, len);
	if (pid && on_proc(w->cur) && fstat(w->cur, &dir) == 0 && dir.st_ino == PROC_ROOT_INODE && foreign_pid(w, w->cur, pid))
		w->foreign = true;
	if (*rest && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
		return -ENOTDIR;
	w->at = rest;
	if (S_ISLNK(st.st_mode) && (follow || !last || *rest == '/')) {
		int object = -1, kind = follow_link(w, fd, name, &object);
		if (kind <= 0)
			return kind;
		close_fd(&fd);
		fd = object;
		if (fstat(fd, &st) < 0)
			return -errno;
	}
	if (*rest && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	close_fd(&w->cur);
	w->cur = steal_fd(&fd);
	return 0;
}

static int walk(struct walk *w, const char *path, bool follow, bool create, struct resolved *out)
{
	size_t len = strlen(path);
	memcpy(w->rest, path, len + 1);
	w->at = w->rest;
	w->cur = fcntl(path[0] == '/' ? w->root : w->base, F_DUPFD_CLOEXEC, 0);
	if (w->cur < 0)
		return -errno;
	int state;
	do {
		state = step(w, follow, create, out);
	} while (state == 0);
	out->proc_foreign = w->foreign;
	if (state == 1)
		return 0;
	/* For a record of what was attempted: the rest as text behind what had been reached. */
	char reached[PATH_MAX];
	if (name_of(w->cur, reached, sizeof reached) < 0 || reached[0] != '/' ||
	    pathtext_join(reached, w->at + strspn(w->at, "/"), out->real, sizeof out->real) < 0)
		out->real[0] = '\0';
	return state;
}

/* --- the quick way ----------------------------------------------------------------------------- */

static int open_without_links(struct walk *w, const char *path, bool follow)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = RESOLVE_NO_SYMLINKS | (path[0] == '/' ? RESOLVE_IN_ROOT : 0),
	};
	int fd = (int)syscall(SYS_openat2, path[0] == '/' ? w->root : w->base, path, &how, sizeof how);
	return fd < 0 ? -errno : fd;
}

/* ENOENT, with no link on the way: nothing is there.  Its parent may be. */
static int quick_missing(struct walk *w, const char *path, bool create, struct resolved *out)
{
	char dir[PATH_MAX];
	const char *last;
	int error = pathtext_split(path, dir, sizeof dir, &last);
	if (error)
		return error;
	size_t len = strlen(last);
	if (len > NAME_MAX || last[len - 1] == '/' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return -ELOOP; /* the walk knows */
	int parent = open_without_links(w, dir, true);
	if (parent >= 0) {
		close_fd(&w->cur);
		w->cur = parent;
		error = missing(w, last, out);
		out->proc_foreign = !error && foreign_name(w, out->fd, out->real);
		if (error || create)
			return error;
		close_fd(&out->fd);
		out->missing = false;
		return -ENOENT;
	}
	char reached[PATH_MAX] = "/";
	if ((path[0] != '/' && name_of(w->base, reached, sizeof reached) < 0) || reached[0] != '/' ||
	    pathtext_join(reached, path, out->real, sizeof out->real) < 0)
		out->real[0] = '\0';
	return -ENOENT;
}

/* As target_resolve; -ELOOP: only the walk can say. */
static int quick(struct walk *w, const char *path, bool follow, bool create, struct resolved *out)
{
	int fd = open_without_links(w, path, follow);
	if (fd == -ENOENT)
		return quick_missing(w, path, create, out);
	if (fd < 0)
		return -ELOOP;
	w->cur = fd;
	int error = arrive(w, out);
	if (!error)
		out->proc_foreign = foreign_name(w, out->fd, out->real);
	return error;
}

int target_resolve(const struct sandbox *sb, const struct seccomp_notif *req, int dirfd, const char *path, bool follow, bool create,
                   struct resolved *out)
{
	__attribute__((cleanup(close_walk))) struct walk w = {.sb = sb, .tid = (pid_t)req->pid, .base = -1, .root = -1, .cur = -1};
	out->fd = -1;
	out->missing = out->proc_foreign = false;
	out->real[0] = out->last[0] = '\0';
	if (path[0] == '\0')
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	int error = path[0] == '/' ? open_root(&w) : open_base(&w, dirfd);
	if (!error) {
		error = quick(&w, path, follow, create, out);
		if (error == -ELOOP) {
			close_fd(&w.cur);
			error = walk(&w, path, follow, create, out);
		}
	}
	if (!target_alive(sb, req)) {
		close_fd(&out->fd);
		return -ESRCH;
	}
	return error;
}
