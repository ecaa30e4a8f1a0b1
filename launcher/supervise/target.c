#include "launcher/supervise/target.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "launcher/base/fd.h"
#include "launcher/sandbox/compat.h"

enum { PAGE = 4096 }; /* the smallest page: stopping more often than the kernel's pages end does no harm */
enum { TEXT_FIRST = 256 }; /* nearly every path is shorter; reading a page for it takes a quarter longer */
enum { CHAIN_MAX = 4096 };

bool target_alive(const struct sandbox *sb, const struct seccomp_notif *req)
{
	uint64_t id = req->id;
	return ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* --- memory ------------------------------------------------------------------------------------ */

static ssize_t read_by_file(pid_t tid, uint64_t address, void *buffer, size_t len)
{
	char path[48];
	snprintf(path, sizeof path, "/proc/%d/mem", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ssize_t n = pread(fd, buffer, len, (off_t)address);
	if (n < 0)
		return errno == EIO ? -EFAULT : -errno;
	return n == 0 ? -EFAULT : n; /* 0: the address space is gone */
}

/* One read, that may be short at the end of a mapping: what was got (> 0) or -errno. */
static ssize_t read_once(const struct sandbox *sb, pid_t tid, uint64_t address, void *buffer, size_t len)
{
	if (address > INT64_MAX || (uint64_t)INT64_MAX - address < len)
		return -EFAULT;
	if (!supervisor_caps(sb->sup)->process_vm)
		return read_by_file(tid, address, buffer, len);
	struct iovec local = {.iov_base = buffer, .iov_len = len};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = len};
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
	if (n < 0)
		return errno == ENOSYS ? read_by_file(tid, address, buffer, len) : -errno;
	return n == 0 ? -EFAULT : n;
}

ssize_t target_peek(const struct sandbox *sb, pid_t tid, uint64_t address, void *buffer, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = read_once(sb, tid, address + done, (char *)buffer + done, len - done);
		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t target_read_some(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, void *buffer, size_t len)
{
	return target_peek(sb, (pid_t)req->pid, address, buffer, len);
}

int target_read(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, void *buffer, size_t len)
{
	ssize_t n = target_read_some(sb, req, address, buffer, len);
	if (!target_alive(sb, req))
		return -ESRCH;
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EFAULT;
}

ssize_t target_string(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, char *buffer, size_t size,
                      bool quick)
{
	size_t done = 0;
	for (;;) {
		if (done == size) {
			buffer[size - 1] = '\0';
			return -ENAMETOOLONG;
		}
		size_t want = PAGE - (size_t)((address + done) % PAGE);
		if (done == 0 && want > TEXT_FIRST)
			want = TEXT_FIRST;
		if (want > size - done)
			want = size - done;
		ssize_t n = read_once(sb, (pid_t)req->pid, address + done, buffer + done, want);
		if (n < 0) {
			buffer[done] = '\0';
			return n;
		}
		const char *end = memchr(buffer + done, '\0', (size_t)n);
		if (end) {
			if (!quick && !target_alive(sb, req))
				return -ESRCH;
			return end - buffer;
		}
		done += (size_t)n;
	}
}

int target_sockaddr(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, uint64_t len,
                    struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	/* The kernel takes an int. */
	if ((int)len < 0 || (uint32_t)len > sizeof *out)
		return -EINVAL;
	return target_read(sb, req, address, out, (uint32_t)len);
}

/* --- descriptors ------------------------------------------------------------------------------- */

static int dir_name(pid_t tid, int dirfd, char *path, size_t size)
{
	if (dirfd == AT_FDCWD) {
		snprintf(path, size, "/proc/%d/cwd", (int)tid);
		return 0;
	}
	if (dirfd < 0)
		return -EBADF;
	snprintf(path, size, "/proc/%d/fd/%d", (int)tid, dirfd);
	return 0;
}

ssize_t target_dir_path(const struct sandbox *sb, const struct seccomp_notif *req, int dirfd, char *buffer, size_t size)
{
	char path[64];
	int error = dir_name((pid_t)req->pid, dirfd, path, sizeof path);
	if (error)
		return error;
	ssize_t n = readlink(path, buffer, size);
	if (n < 0)
		return errno == ENOENT ? -EBADF : -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buffer[n] = '\0';
	return target_alive(sb, req) ? n : -ESRCH;
}

int target_fd(const struct sandbox *sb, const struct seccomp_notif *req, int fd)
{
	const struct caps *caps = supervisor_caps(sb->sup);
	if (!caps->pidfd_getfd)
		return -ENOSYS;
	/* Without PIDFD_THREAD it is the leader's table that is looked into.  A thread that has un-shared its own gets a descriptor of the
	 * same sandbox at worst, and the caller acts on what it got, not on the number. */
	pid_t pid = caps->pidfd_thread ? (pid_t)req->pid : target_tgid((pid_t)req->pid);
	if (pid == 0)
		return -ESRCH;
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, caps->pidfd_thread ? PIDFD_THREAD : 0);
	if (pidfd < 0)
		return -errno;
	cleanup_fd int got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	int error = errno;
	if (!target_alive(sb, req))
		return -ESRCH;
	return got < 0 ? -error : steal_fd(&got);
}

/* --- who --------------------------------------------------------------------------------------- */

/* A file of /proc/TID as text: length, 0 when it cannot be read. */
static size_t read_proc(pid_t tid, const char *name, char *buffer, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, name);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buffer, size - 1);
	buffer[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* The last number of a line of /proc/TID/status ("\nTgid:"): the innermost namespace's in the NS lines. 0: no such line. */
static pid_t status_number(const char *status, const char *key)
{
	const char *line = strstr(status, key); /* a comm cannot hold a newline: it is shown escaped */
	if (!line)
		return 0;
	long last = 0;
	for (const char *p = line + strlen(key); *p && *p != '\n';) {
		char *end;
		long number = strtol(p, &end, 10);
		if (end == p)
			break;
		last = number;
		p = end;
		p += strspn(p, " \t");
	}
	return (pid_t)last;
}

bool target_stat(pid_t tid, struct target_stat *out)
{
	char text[1024];
	int terminal;
	size_t len = read_proc(tid, "stat", text, sizeof text);
	const char *rest = len ? strrchr(text, ')') : NULL; /* behind the name, which may hold anything */
	if (!rest || sscanf(rest, ") %*c %d %*d %d %d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld", &out->parent, &out->session, &terminal, &out->flags,
	                    &out->threads) != 5)
		return false;
	out->terminal = (unsigned)terminal;
	return true;
}

pid_t target_tgid(pid_t tid)
{
	char status[4096];
	return read_proc(tid, "status", status, sizeof status) ? status_number(status, "\nTgid:") : 0;
}

mode_t target_umask(pid_t tid)
{
	char status[4096];
	const char *line = read_proc(tid, "status", status, sizeof status) ? strstr(status, "\nUmask:") : NULL;
	return line ? (mode_t)strtoul(line + strlen("\nUmask:"), NULL, 8) & 0777 : 077;
}

bool target_numbers(pid_t tid, pid_t *inner_tgid, pid_t *inner_tid)
{
	char status[4096];
	if (!read_proc(tid, "status", status, sizeof status))
		return false;
	*inner_tgid = status_number(status, "\nNStgid:");
	*inner_tid = status_number(status, "\nNSpid:");
	return *inner_tgid > 0 && *inner_tid > 0;
}

bool target_is_member(const struct sandbox *sb, pid_t pid)
{
	if (pid <= 0)
		return false;
	if (sb->pid_ns) {
		char path[48];
		struct stat st;
		snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
		return stat(path, &st) == 0 && st.st_ino == sb->pid_ns;
	}
	for (int i = 0; i < CHAIN_MAX && pid > 1; i++) {
		char status[4096];
		if (!read_proc(pid, "status", status, sizeof status))
			return false;
		if (pid == sb->init || status_number(status, "\nTgid:") == sb->init)
			return true;
		pid = status_number(status, "\nPPid:");
	}
	return false;
}

static void link_text(pid_t tid, const char *name, char *buffer, size_t size)
{
	char path[48];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, name);
	ssize_t n = readlink(path, buffer, size - 1);
	buffer[n > 0 ? n : 0] = '\0';
}

void target_identify(pid_t tid, struct target_identity *out)
{
	char status[4096];
	memset(out, 0, sizeof *out);
	if (read_proc(tid, "status", status, sizeof status)) {
		out->pid = status_number(status, "\nTgid:");
		out->ppid = status_number(status, "\nPPid:");
	}
	link_text(tid, "exe", out->exe, sizeof out->exe);
	link_text(tid, "cwd", out->cwd, sizeof out->cwd);
	size_t len = read_proc(tid, "cmdline", out->argv_text, sizeof out->argv_text);
	size_t count = 0, told = 0, room = sizeof out->argv / sizeof out->argv[0] - 1;
	for (size_t at = 0; at < len && count < room; at += strlen(out->argv_text + at) + 1) {
		out->argv[count++] = out->argv_text + at;
		told += out->argv_text[at] != '\0';
	}
	if (told == 1 && count > 2 && out->argv_text[0] != '\0')
		out->argv[1] = NULL; /* wiped, as by our own before they start a command */
}
