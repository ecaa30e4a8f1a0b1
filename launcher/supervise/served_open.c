/* open in a served folder: the supervisor opens the object that it pinned and judged, and puts the descriptor into the caller. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "launcher/supervise/gitconfig.h"
#include "launcher/supervise/decoys.h"
#include "launcher/supervise/opening.h"
#include "launcher/supervise/served.h"

#define CONFIG_MAX (1024 * 1024)

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

struct reply served_open(struct sandbox *sb, const struct seccomp_notif *req, const char *call, uint64_t flags, uint64_t mode, const struct resolved *r,
                         const char *text)
{
	struct verdict why;
	struct reply reply;
	struct stat st;
	bool writes = is_write(flags) || r->missing;
	int object = r->missing ? -1 : r->fd;
	if (r->missing && text[strlen(text) - 1] == '/')
		return reply_error(EISDIR);
	if (!r->missing && fstat(r->fd, &st) < 0)
		return reply_error(errno);
	/* What fails by itself is nobody's attempt. */
	if (!r->missing && S_ISDIR(st.st_mode) && writes && (flags & O_TMPFILE) != O_TMPFILE)
		return reply_error((flags & O_CREAT) && (flags & O_EXCL) ? EEXIST : EISDIR);
	if (writes && !served_allows(sb, object, r->real, FILE_WRITE, &why))
		return served_refuse(sb, req, "file.write", call, r->real, text, why);
	if (is_read(flags) && !r->missing && !served_allows(sb, object, r->real, FILE_READ, &why)) {
		if (why.action != ACTION_DECOY || sb->audit || writes || !S_ISREG(st.st_mode))
			return served_refuse(sb, req, "file.open", call, r->real, text, why);
		struct refusal instead = {.type = "file.open", .verdict = why, .call = call, .real = r->real, .as_written = text, .decoy = true};
		grants_record(sb, req, &instead);
		return decoys_instead(supervisor_decoy_key(sb->sup), r->real, flags);
	}
	if (!r->missing && S_ISREG(st.st_mode) && !sb->audit && (flags & O_TMPFILE) != O_TMPFILE && is_repository_config(r->real) &&
	    serve_config(r->fd, flags, &reply))
		return reply;
	return opening(sb, req, flags, mode, r, text, OPENING_SUPERVISORS);
}
