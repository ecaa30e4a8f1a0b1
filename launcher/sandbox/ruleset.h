/* A Landlock ruleset under construction.  The supervisor makes it (so that paths are judged outside the sandbox) and hands the
 * descriptor on; the sandbox's child adds its own /proc and /dev/shm and restricts itself.  Not thread-safe; one owner. */
#ifndef SANDBOX_RULESET_H
#define SANDBOX_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum grant {
	GRANT_READ = 1,      /* READ_FILE, READ_DIR */
	GRANT_EXECUTE = 2,   /* EXECUTE (with READ_FILE) */
	GRANT_WRITE = 4,     /* everything that makes, changes, moves or removes, incl. REFER, TRUNCATE; no device nodes, no IOCTL_DEV;
	                        in a sandbox also connecting to AF_UNIX sockets there (ABI 9) */
	GRANT_DEVICE = 8,    /* IOCTL_DEV */
	GRANT_WRITE_FILE = 16, /* WRITE_FILE and TRUNCATE of existing files only */
};

enum ruleset_kind {
	RULESET_SANDBOX,   /* handles everything */
	RULESET_INSTALLER, /* handles writes, execution, TCP; reads are not handled */
};

/* Objects with what is granted on each, to be granted again in the next ruleset of the same kind and ABI. */
struct kept_rules {
	struct kept_rule { int fd; uint64_t access; bool writable; } *v;
	size_t count;
};

struct ruleset {
	int fd;             /* -1 when finished */
	int abi;
	uint64_t handled_fs, handled_net;
	char **writable;    /* real paths that were granted GRANT_WRITE or WRITE_FILE; NULL-terminated; owned */
	size_t writable_count;
	struct kept_rules *keep; /* the caller's: what is added is kept too, all of it or nothing; NULL: it is not */
	const char *tree;   /* the caller's: a folder that no grant of reading may hold (supervise/rights.c); NULL: none */
};

/* 0 or -errno.  abi: caps.landlock_abi; one that is newer than this code is taken for the newest that it knows.  Scopes (signals, abstract sockets) are
 * handled where the ABI has them; all TCP ports too when tcp (not in a network namespace, where the sandbox's own servers and clients must work). */
int ruleset_init(struct ruleset *r, enum ruleset_kind kind, int abi, bool tcp);
/* Accepts what ruleset_init left behind when it failed, and a finished one. */
void ruleset_finish(struct ruleset *r);

/* Grants below `path` (opened O_PATH|O_CLOEXEC, links followed; the right is masked by the object's type).
 * 0; -ENOENT when it does not exist (callers that may, ignore it); another -errno. */
int ruleset_add(struct ruleset *r, const char *path, unsigned grants);
int ruleset_add_fd(struct ruleset *r, int path_fd, unsigned grants);
/* Without following a link in any component: for directories that something untrusted could have planted. */
int ruleset_add_nofollow(struct ruleset *r, const char *path, unsigned grants);
/* Grants what was kept.  0 or -errno. */
int ruleset_add_kept(struct ruleset *r, const struct kept_rules *kept);
void ruleset_forget(struct kept_rules *kept);
int ruleset_add_port(struct ruleset *r, bool bind, uint16_t port);

/* Adds to a RULESET_SANDBOX that was received as a descriptor: for what exists in the sandbox only (its own /proc).  0 or -errno. */
int ruleset_extend(int ruleset_fd, int abi, const char *path, unsigned grants);

/* In the child: prctl no_new_privs must be set. Async-signal-safe. 0 or -errno. */
int ruleset_enforce(int ruleset_fd);

#endif
