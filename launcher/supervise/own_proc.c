#include "own_proc.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "inject.h"
#include "pathtext.h"

pid_t own_proc_pid(const char *real)
{
	if (strncmp(real, "/proc/", 6) != 0)
		return 0;
	const char *number = real + 6;
	size_t len = strcspn(number, "/");
	pid_t pid = pathtext_pid(number, len);
	/* /proc/PID/net and /proc/PID/task/TID/net */
	for (const char *p = strstr(number, "/net"); pid && p; p = strstr(p + 1, "/net"))
		if (p[4] == '/' || p[4] == '\0')
			return 0;
	return pid;
}

bool own_proc_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply)
{
	struct statfs fs;
	pid_t pid;
	if (sb->namespaces || r->missing || r->proc_foreign || (flags & (O_ACCMODE | O_TRUNC)) != O_RDONLY || (flags & O_TMPFILE) == O_TMPFILE)
		return false;
	/* Asked again after the object was pinned: if the number has another owner by now, the object has none and tells nothing. */
	if (!(pid = own_proc_pid(r->real)) || !target_is_member(sb, pid) || fstatfs(r->fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	*reply = inject_open(r->fd, flags);
	return true;
}
