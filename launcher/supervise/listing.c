#include "launcher/supervise/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/domain.h"
#include "launcher/supervise/grants.h"
#include "launcher/supervise/inject.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/target.h"

static bool only_lists(uint64_t flags)
{
	return (flags & (O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | O_TMPFILE)) == O_DIRECTORY; /* whose bit O_TMPFILE has, too */
}

/* The whole of it, as text.  False: it cannot be had, or the caller is gone. */
static bool name_of(const struct sandbox *sb, const struct seccomp_notif *req, int dirfd, const char *text, char path[PATH_MAX])
{
	size_t len = strlen(text);
	ssize_t base = 0;
	if (text[0] != '/') {
		base = target_dir_path(sb, req, dirfd, path, PATH_MAX);
		if (base < 0)
			return false;
		path[base++] = '/';
	} else if (!target_alive(sb, req)) {
		return false;
	}
	if ((size_t)base + len >= PATH_MAX)
		return false;
	memcpy(path + base, text, len + 1);
	return true;
}

/* The private home is filled when somebody first looks there (decoys.h): not by name. */
static bool is_own(const struct sandbox *sb, const char *path)
{
	return grants_own_name(sb, path) && !(sb->decoys && pathtext_below(path, sb->home));
}

bool listing_open(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t flags, int dirfd, const char *text, struct reply *reply)
{
	char path[PATH_MAX];
	/* Without links and ".." there is no way out of where the name begins, which the sandbox cannot move: whatever it does to names there leads to what is its own. */
	struct open_how how = {.flags = (flags & (INJECT_FLAGS | O_NONBLOCK | O_NOFOLLOW)) | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	if (!only_lists(flags) || strstr(text, "..") || !name_of(sb, req, dirfd, text, path) || !is_own(sb, path))
		return false;
	cleanup_fd int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	if (fd < 0 ? errno != ENOTDIR : !domain_usual((pid_t)req->pid))
		return false; /* a link, no rights, or moved meanwhile */
	*reply = fd < 0 ? reply_error(ENOTDIR) : reply_fd(steal_fd(&fd), flags & O_CLOEXEC ? O_CLOEXEC : 0);
	return true;
}
