/* Looking at the thread that is blocked in a notified call: memory, directories, who it is.
 * Everything here is racy until target_alive() has said yes *after* the look; every function that returns something to act on has checked.
 * Any thread of the supervisor.  A look that fails is a denial for the caller, never a CONTINUE. */
#ifndef SUPERVISE_TARGET_H
#define SUPERVISE_TARGET_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "supervise.h"

/* SECCOMP_IOCTL_NOTIF_ID_VALID: the call is still waiting, so the thread id has not been reused. */
bool target_alive(const struct sandbox *sb, const struct seccomp_notif *req);

/* Exactly len bytes from the caller's address space: process_vm_readv, or /proc/TID/mem where that is refused.  0 or -EFAULT, -EPERM … (checked alive: -ESRCH). */
int target_read(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, void *buffer, size_t len);
/* At most len bytes, stopping at an unmapped page: count or -errno.  Not for decisions. */
ssize_t target_read_some(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, void *buffer, size_t len);
/* The same of a thread that need not be the caller of anything any more.  For explanations only. */
ssize_t target_peek(const struct sandbox *sb, pid_t tid, uint64_t address, void *buffer, size_t len);
/* A NUL-terminated string, page by page (the next page may not be mapped).  Length, or -ENAMETOOLONG, -EFAULT, -ESRCH …
 * quick: skips the alive check: only for text that is recorded or decides a CONTINUE that another layer backs. */
ssize_t target_string(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, char *buffer, size_t size, bool quick);

/* A socket address as connect() and sendto() give it; len over sizeof *out is -EINVAL. */
int target_sockaddr(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, uint64_t len, struct sockaddr_storage *out);

/* The path of the caller's directory (dirfd as passed, or AT_FDCWD) as text: length or -errno (checked alive). */
ssize_t target_dir_path(const struct sandbox *sb, const struct seccomp_notif *req, int dirfd, char *buffer, size_t size);

/* A duplicate of the caller's descriptor fd (pidfd_getfd), close-on-exec, or -errno (-EPERM where the machine refuses, -ENOSYS where hidden). */
int target_fd(const struct sandbox *sb, const struct seccomp_notif *req, int fd);

/* Where does `path`, relative to dirfd and as the caller would see it, lead?  Resolves in the supervisor with O_PATH component by component from the caller's root
 * and cwd; magic links of /proc (/proc/self, /proc/thread-self, /dev/fd, /dev/std*, /proc/PID/{root,cwd,exe,fd/N}) are resolved for the *caller*, never for us.
 * follow: the last component's link too.  create: the last component need not exist (then *fd is its parent directory).
 * real gets the resolved path; on failure what is known of it (what could be walked, the rest as text), or "".  0 with *fd (O_PATH, close-on-exec; the caller closes) or -errno.  Never opens a FIFO or device for reading; does not block. */
struct resolved {
	int fd;            /* O_PATH of the object, or of its parent when `missing` */
	bool missing;      /* the last component does not exist */
	char real[4096];   /* absolute path of the object (or where it would be) */
	char last[256];    /* last component when missing */
	bool proc_foreign; /* it lies under /proc/PID of a process outside the sandbox, or was reached by a link of its init */
};
int target_resolve(const struct sandbox *sb, const struct seccomp_notif *req, int dirfd, const char *path, bool follow, bool create, struct resolved *out);

/* What /proc/TID/stat says of a thread's process.  False: it is gone. */
struct target_stat {
	pid_t parent, session;
	unsigned terminal; /* number of its controlling terminal's device as /proc shows it; 0: none */
	unsigned flags;    /* the kernel's PF_ */
	long threads;
};
bool target_stat(pid_t tid, struct target_stat *out);

/* Is the thread or process `pid` (supervisor's numbers) of this sandbox? By its PID namespace's inode, or the parent chain up to init. */
bool target_is_member(const struct sandbox *sb, pid_t pid);
/* The caller's own numbers as its /proc shows them: those of the innermost PID namespace. */
bool target_numbers(pid_t tid, pid_t *inner_tgid, pid_t *inner_tid);
/* The umask that the thread makes files with; 077 when that cannot be seen. */
mode_t target_umask(pid_t tid);
/* Thread group of a thread id, from /proc/TID/status; 0 when gone. */
pid_t target_tgid(pid_t tid);

/* Who: for events. Fills static-size buffers; strings live in *buf. */
struct target_identity {
	pid_t pid, ppid;
	char exe[512], cwd[512];
	char argv_text[1024];
	const char *argv[32];
};
void target_identify(pid_t tid, struct target_identity *out);
#endif
