/* open in a served folder: the supervisor opens the object that it pinned and judged, and puts the descriptor into the caller. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "launcher/supervise/gitconfig.h"
#include "launcher/supervise/inject.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/decoys.h"
#include "launcher/supervise/served.h"
#include "launcher/supervise/worker.h"

#define CONFIG_MAX (1024 * 1024)
#define TICK_MILLISECONDS 100

/* Here an open may wait as its caller's would: on a thread of its own. */
#define PASSED (INJECT_FLAGS | O_NONBLOCK)

static bool is_write(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE;
}

static bool is_read(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_WRONLY;
}

static struct reply injected(int fd, uint64_t flags)
{
	return fd < 0 ? reply_error(errno) : reply_fd(fd, flags & O_CLOEXEC ? O_CLOEXEC : 0);
}

/* --- what may block ----------------------------------------------------------------------------- */

struct slow_open {
	struct later later;
	int pinned;
	uint64_t flags;
};

/* A FIFO whose other end nobody has opened, a file on which somebody holds a lease.  Given up when the caller has gone. */
static void open_slowly(void *argument)
{
	struct slow_open *o = argument;
	struct worker_tick tick;
	struct reply reply = reply_error(EAGAIN);
	char self[40];
	snprintf(self, sizeof self, "/proc/self/fd/%d", o->pinned);
	if (worker_tick_start(&tick, TICK_MILLISECONDS) == 0) {
		do {
			reply = injected(open(self, (int)(o->flags & PASSED) | O_NOCTTY | O_CLOEXEC), o->flags);
		} while (reply.kind == REPLY_ERROR && reply.value == EINTR && later_alive(&o->later));
		worker_tick_stop(&tick);
	}
	later_send(&o->later, reply);
	later_finish(&o->later);
	close_fd(&o->pinned);
	free(o);
}

static struct reply open_later(const struct sandbox *sb, const struct seccomp_notif *req, int pinned, uint64_t flags)
{
	struct slow_open *o = calloc(1, sizeof *o);
	if (!o)
		return reply_error(ENOMEM);
	o->flags = flags;
	o->pinned = fcntl(pinned, F_DUPFD_CLOEXEC, 3);
	int error = later_init(&o->later, sb, req);
	if (!error && o->pinned < 0)
		error = -EMFILE;
	if (!error)
		error = worker_start(open_slowly, o);
	if (!error)
		return reply_later();
	later_finish(&o->later);
	close_fd(&o->pinned);
	free(o);
	return reply_error(-error);
}

/* --- the repository's configuration ------------------------------------------------------------- */

/* ".../.git/config", ".../.git/modules/x/config", ".../config.worktree", ".../.hg/hgrc" */
static bool is_repository_config(const char *real)
{
	const char *name = strrchr(real, '/');
	if (!name)
		return false;
	if (strcasecmp(name, "/config") == 0 || strcasecmp(name, "/config.worktree") == 0)
		return strcasestr(real, "/.git/") != NULL || strcasestr(real, "/git~") != NULL;
	return strcasecmp(name, "/hgrc") == 0 && strcasestr(real, "/.hg/") != NULL;
}

/* A copy without logins where there are any: the values never reach the build, and git works.  False: the file itself will do. */
static bool serve_config(int pinned, uint64_t flags, struct reply *reply)
{
	char self[40], *text = NULL, *clean = NULL;
	size_t clean_len = 0;
	snprintf(self, sizeof self, "/proc/self/fd/%d", pinned);
	cleanup_fd int fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -errno : fd_slurp(fd, CONFIG_MAX, &text);
	if (len < 0) {
		*reply = reply_error((int)-len);
		return true;
	}
	bool logins = gitconfig_without_logins(text, (size_t)len, &clean, &clean_len);
	free(text);
	if (!logins)
		return false;
	cleanup_fd int copy = clean ? fd_sealed("config", clean, clean_len) : -1;
	free(clean);
	if (copy < 0) {
		*reply = reply_error(EACCES);
		return true;
	}
	snprintf(self, sizeof self, "/proc/self/fd/%d", copy);
	*reply = injected(open(self, O_RDONLY | O_CLOEXEC), flags);
	return true;
}

/* --- opening ------------------------------------------------------------------------------------ */

/* Its open waits for the other end, unless it says otherwise. */
static struct reply open_fifo(const struct sandbox *sb, const struct seccomp_notif *req, int pinned, uint64_t flags)
{
	char self[40];
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return reply_error(EEXIST);
	if (flags & O_DIRECTORY)
		return reply_error(ENOTDIR);
	if (!(flags & O_NONBLOCK) && (flags & O_ACCMODE) != O_RDWR)
		return open_later(sb, req, pinned, flags);
	snprintf(self, sizeof self, "/proc/self/fd/%d", pinned);
	return injected(open(self, (int)(flags & PASSED) | O_NOCTTY | O_CLOEXEC), flags);
}

static struct reply open_existing(struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, const struct resolved *r, const struct stat *st)
{
	struct reply reply;
	if (S_ISREG(st->st_mode) && !sb->audit && is_repository_config(r->real) && serve_config(r->fd, flags, &reply))
		return reply;
	if (S_ISSOCK(st->st_mode))
		return reply_error(ENXIO);
	if (S_ISFIFO(st->st_mode))
		return open_fifo(sb, req, r->fd, flags);
	reply = inject_open(r->fd, flags);
	/* A lease: not waited for on this thread. */
	return reply.kind == REPLY_ERROR && reply.value == EWOULDBLOCK && !(flags & O_NONBLOCK) ? open_later(sb, req, r->fd, flags) : reply;
}

/* r->fd is the folder.  O_EXCL always: what has come meanwhile was not judged; the caller tries again as if it had been there first. */
static struct reply create(const struct seccomp_notif *req, uint64_t flags, uint64_t mode, const struct resolved *r)
{
	mode_t bits = (mode_t)mode & 01777 & ~served_umask(req, r->fd);
	int fd = openat(r->fd, r->last, (int)(flags & PASSED & ~(uint64_t)O_TRUNC) | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, bits);
	return injected(fd, flags);
}

static struct reply create_nameless(const struct seccomp_notif *req, uint64_t flags, uint64_t mode, const struct resolved *r)
{
	char self[40];
	snprintf(self, sizeof self, "/proc/self/fd/%d", r->fd);
	int fd = open(self, (int)(flags & PASSED) | O_TMPFILE | (int)(flags & O_EXCL) | O_CLOEXEC, (mode_t)mode & 01777 & ~served_umask(req, r->fd));
	return injected(fd, flags);
}

struct reply served_open(struct sandbox *sb, const struct seccomp_notif *req, const char *call, uint64_t flags, uint64_t mode, const struct resolved *r,
                         const char *text)
{
	struct verdict why;
	struct stat st;
	bool writes = is_write(flags) || r->missing;
	int object = r->missing ? -1 : r->fd;
	if (r->missing && text[strlen(text) - 1] == '/')
		return reply_error(EISDIR);
	if (!r->missing && fstat(r->fd, &st) < 0)
		return reply_error(errno);
	/* What fails by itself is nobody's attempt. */
	if (!r->missing && S_ISDIR(st.st_mode) && writes && (flags & O_TMPFILE) != O_TMPFILE)
		return reply_error(EISDIR);
	if (writes && !served_allows(sb, object, r->real, FILE_WRITE, &why))
		return served_refuse(sb, req, "file.write", call, r->real, text, why);
	if (is_read(flags) && !r->missing && !served_allows(sb, object, r->real, FILE_READ, &why)) {
		if (why.action != ACTION_DECOY || sb->audit || writes || !S_ISREG(st.st_mode))
			return served_refuse(sb, req, "file.open", call, r->real, text, why);
		struct refusal instead = {.type = "file.open", .verdict = why, .call = call, .real = r->real, .as_written = text, .decoy = true};
		grants_record(sb, req, &instead);
		return decoys_instead(supervisor_decoy_key(sb->sup), r->real, flags);
	}
	if (r->missing)
		return create(req, flags, mode, r);
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return S_ISDIR(st.st_mode) ? create_nameless(req, flags, mode, r) : reply_error(ENOTDIR);
	return open_existing(sb, req, flags, r, &st);
}
