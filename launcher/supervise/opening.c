#include "launcher/supervise/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "launcher/supervise/domain.h"
#include "launcher/supervise/inject.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/own_proc.h"
#include "launcher/supervise/worker.h"

#define TICK_MILLISECONDS 100

/* Where an open may wait as its caller's would, on a thread of its own. */
#define PASSED (INJECT_FLAGS | O_NONBLOCK)

enum { TTY_MAJOR = 4, TTYAUX_MAJOR = 5, PTS_MAJOR = 136, PTS_MAJORS = 8 };

static struct reply injected(int fd, uint64_t flags)
{
	return fd < 0 ? reply_error(errno) : reply_fd(fd, flags & O_CLOEXEC ? O_CLOEXEC : 0);
}

/* --- by whose rights ---------------------------------------------------------------------------- */

/* One open.  folder: `pinned` is where `name` is to be made, or with O_TMPFILE nothing that has a name. */
struct act {
	int pinned;
	const char *name;
	uint64_t flags;
	mode_t mode;
	bool creates;
	pid_t wears; /* 0: the supervisor's own rights */
	struct reply reply;
};

static struct reply do_create(const struct act *a)
{
	char self[40];
	int flags = (int)(a->flags & PASSED) | O_NOCTTY | O_CLOEXEC;
	/* O_EXCL always: what has come meanwhile was not judged; the caller tries again as if it had been there first. */
	if (a->name)
		return injected(openat(a->pinned, a->name, (flags & ~O_TRUNC) | O_CREAT | O_EXCL | O_NOFOLLOW, a->mode), a->flags);
	snprintf(self, sizeof self, "/proc/self/fd/%d", a->pinned);
	return injected(open(self, flags | O_TMPFILE | (int)(a->flags & O_EXCL), a->mode), a->flags);
}

static void do_act(void *argument)
{
	struct act *a = argument;
	if (a->wears)
		domain_wear(a->wears);
	if (a->creates)
		a->reply = do_create(a);
	else
		a->reply = a->wears ? inject_any(a->pinned, a->flags) : inject_open(a->pinned, a->flags);
}

static struct reply act(struct sandbox *sb, const struct seccomp_notif *req, struct act a, enum opening_rights rights)
{
	int error = 0;
	a.wears = rights == OPENING_CALLERS ? (pid_t)req->pid : 0;
	if (a.wears)
		error = domain_run(sb->domain, do_act, &a);
	else
		do_act(&a);
	return error ? reply_error(EACCES) : a.reply;
}

mode_t opening_umask(const struct seccomp_notif *req, int folder)
{
	char self[40];
	snprintf(self, sizeof self, "/proc/self/fd/%d", folder);
	if (getxattr(self, "system.posix_acl_default", NULL, 0) > 0)
		return 0;
	return target_umask((pid_t)req->pid);
}

/* --- what may block ----------------------------------------------------------------------------- */

struct slow_open {
	struct later later;
	int pinned;
	uint64_t flags;
	struct domain_rights rights; /* the ruleset is ours */
	bool restricted;
};

/* A FIFO whose other end nobody has opened, a file on which somebody holds a lease.  Given up when the caller has gone. */
static void open_slowly(void *argument)
{
	struct slow_open *o = argument;
	struct worker_tick tick;
	struct reply reply = reply_error(EAGAIN);
	char self[40];
	bool entered = !o->restricted || domain_enter(&o->rights) == 0;
	if (entered && o->restricted)
		domain_wear((pid_t)o->later.req.pid);
	snprintf(self, sizeof self, "/proc/self/fd/%d", o->pinned);
	if (entered && worker_tick_start(&tick, TICK_MILLISECONDS) == 0) {
		do {
			reply = injected(open(self, (int)(o->flags & PASSED) | O_NOCTTY | O_CLOEXEC), o->flags);
		} while (reply.kind == REPLY_ERROR && reply.value == EINTR && later_alive(&o->later));
		worker_tick_stop(&tick);
	}
	later_send(&o->later, reply);
	later_finish(&o->later);
	close_fd(&o->pinned);
	close_fd(&o->rights.ruleset);
	free(o);
}

/* A descriptor of its own of the sandbox's rules, which may be gone before the worker looks.  0 or -errno. */
static int take_rights(const struct sandbox *sb, struct slow_open *o)
{
	if (!sb->domain)
		return -EACCES;
	o->rights = sb->domain->rights;
	o->rights.ruleset = fcntl(sb->domain->rights.ruleset, F_DUPFD_CLOEXEC, 3);
	o->restricted = true;
	return o->rights.ruleset < 0 ? -EMFILE : 0;
}

static struct reply open_later(const struct sandbox *sb, const struct seccomp_notif *req, int pinned, uint64_t flags, enum opening_rights rights)
{
	struct slow_open *o = calloc(1, sizeof *o);
	if (!o)
		return reply_error(ENOMEM);
	o->flags = flags;
	o->rights.ruleset = -1;
	o->pinned = fcntl(pinned, F_DUPFD_CLOEXEC, 3);
	int error = later_init(&o->later, sb, req);
	if (!error && o->pinned < 0)
		error = -EMFILE;
	if (!error && rights == OPENING_CALLERS)
		error = take_rights(sb, o);
	if (!error)
		error = worker_start(sb->id, open_slowly, o);
	if (!error)
		return reply_later();
	later_finish(&o->later);
	close_fd(&o->pinned);
	close_fd(&o->rights.ruleset);
	free(o);
	return reply_error(-error);
}

/* --- by what it is ------------------------------------------------------------------------------ */

/* Its open waits for the other end, unless it says otherwise. */
static struct reply open_fifo(struct sandbox *sb, const struct seccomp_notif *req, int pinned, uint64_t flags, enum opening_rights rights)
{
	char self[40];
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return reply_error(EEXIST);
	if (flags & O_DIRECTORY)
		return reply_error(ENOTDIR);
	if (!(flags & O_NONBLOCK) && (flags & O_ACCMODE) != O_RDWR)
		return open_later(sb, req, pinned, flags, rights);
	if (rights == OPENING_CALLERS)
		return act(sb, req, (struct act){.pinned = pinned, .flags = flags}, rights);
	snprintf(self, sizeof self, "/proc/self/fd/%d", pinned);
	return injected(open(self, (int)(flags & PASSED) | O_NOCTTY | O_CLOEXEC), flags);
}

/* /dev/tty is the terminal of who opens it. */
static struct reply open_own_terminal(struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, const struct resolved *r)
{
	struct target_stat st;
	char path[64];
	if (!target_stat((pid_t)req->pid, &st))
		return reply_error(ESRCH);
	if (!st.terminal)
		return reply_error(ENXIO);
	if (st.session == getsid(0))
		return act(sb, req, (struct act){.pinned = r->fd, .flags = flags}, OPENING_CALLERS);
	unsigned number = major(st.terminal) - PTS_MAJOR < PTS_MAJORS ? (major(st.terminal) - PTS_MAJOR) * 256 + minor(st.terminal) : ~0u;
	snprintf(path, sizeof path, "/proc/%u/root/dev/pts/%u", req->pid, number);
	cleanup_fd int terminal = open(path, O_PATH | O_CLOEXEC);
	return terminal < 0 ? reply_error(ENXIO) : act(sb, req, (struct act){.pinned = terminal, .flags = flags}, OPENING_CALLERS);
}

/* A terminal becomes that of who opens it, if it leads a session that has none: that only the caller can do.  Whoever does so has one thread. */
static bool takes_terminal(const struct seccomp_notif *req, uint64_t flags, const struct stat *st)
{
	struct target_stat who;
	unsigned kind = major(st->st_rdev);
	if ((flags & O_NOCTTY) || (kind != TTY_MAJOR && kind != TTYAUX_MAJOR && kind - PTS_MAJOR >= PTS_MAJORS))
		return false;
	return target_stat((pid_t)req->pid, &who) && who.threads == 1 && who.session == (pid_t)req->pid && !who.terminal;
}

static struct reply open_device(struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, const struct resolved *r, const struct stat *st)
{
	if (st->st_rdev == makedev(TTYAUX_MAJOR, 0))
		return open_own_terminal(sb, req, flags, r);
	/* CONTINUE: Landlock refuses what is not granted. */
	if (takes_terminal(req, flags, st))
		return reply_continue("open.terminal");
	return act(sb, req, (struct act){.pinned = r->fd, .flags = flags}, OPENING_CALLERS);
}

/* What the kernel lets a task see of its own domain's processes it does not let the domain's thread: of the caller's own procfs, but for init, they are all of
 * that domain.  Landlock grants reading there, and no more. */
static bool is_own_process(const struct sandbox *sb, const struct resolved *r, uint64_t flags, const struct stat *st)
{
	struct stat ours;
	if (!sb->namespaces || r->proc_foreign || own_proc_pid(r->real) <= 1 || (flags & (O_ACCMODE | O_TRUNC)) != O_RDONLY)
		return false;
	return stat("/proc", &ours) == 0 && ours.st_dev != st->st_dev;
}

static struct reply open_existing(struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, const struct resolved *r, const struct stat *st,
                                  enum opening_rights rights)
{
	struct act a = {.pinned = r->fd, .flags = flags};
	struct reply reply;
	if (S_ISSOCK(st->st_mode))
		return reply_error(ENXIO);
	if (S_ISFIFO(st->st_mode))
		return open_fifo(sb, req, r->fd, flags, rights);
	if ((S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) && rights == OPENING_CALLERS)
		return open_device(sb, req, flags, r, st);
	reply = act(sb, req, a, rights);
	if (reply.kind == REPLY_ERROR && reply.value == EACCES && rights == OPENING_CALLERS && is_own_process(sb, r, flags, st))
		return act(sb, req, a, OPENING_SUPERVISORS);
	/* A lease: not waited for on this thread. */
	return reply.kind == REPLY_ERROR && reply.value == EWOULDBLOCK && !(flags & O_NONBLOCK) ? open_later(sb, req, r->fd, flags, rights) : reply;
}

struct reply opening(struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, uint64_t mode, const struct resolved *r, const char *text,
                     enum opening_rights rights)
{
	struct act a = {.pinned = r->fd, .flags = flags, .creates = true};
	struct stat st;
	bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
	if ((r->missing || (flags & O_CREAT)) && text[strlen(text) - 1] == '/')
		return reply_error(EISDIR);
	if (fstat(r->fd, &st) < 0)
		return reply_error(errno);
	if (!r->missing && (flags & O_CREAT) && (flags & O_EXCL) && !nameless)
		return reply_error(EEXIST);
	if (!r->missing && !nameless)
		return S_ISDIR(st.st_mode) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC)) ? reply_error(EISDIR)
		                                                                                    : open_existing(sb, req, flags, r, &st, rights);
	if (nameless && (r->missing || !S_ISDIR(st.st_mode)))
		return reply_error(r->missing ? ENOENT : ENOTDIR);
	a.name = nameless ? NULL : r->last;
	a.mode = (mode_t)mode & 01777 & ~opening_umask(req, r->fd);
	return act(sb, req, a, rights);
}
