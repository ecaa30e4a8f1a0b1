/* The names that rename, link, unlink, mkdir and their kin work on: decoded from the call, and pinned.  Used by tree.c and served_tree.c. */
#ifndef SUPERVISE_ENTRY_H
#define SUPERVISE_ENTRY_H

#include <limits.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/grants.h"

enum tree_kind { TREE_RENAME, TREE_LINK, TREE_SYMLINK, TREE_UNLINK, TREE_RMDIR, TREE_MKDIR, TREE_MKNOD, TREE_TRUNCATE };

/* A call with its arguments in one order.  A call on one name has it in `to`. */
struct tree_call {
	enum tree_kind kind;
	const char *name;
	int from_dirfd, to_dirfd;
	uint64_t from, to;  /* addresses of the paths; of a symlink `from` is what it shall say */
	uint64_t value;     /* flags of rename and link, mode of mkdir and mknod, length of truncate */
	uint64_t device;    /* of mknod */
};
/* False: no such call. */
bool tree_call_decode(const struct seccomp_notif *req, struct tree_call *out);

/* A name in a pinned folder.  The last component is never followed. */
struct entry {
	struct resolved dir;
	char as_written[PATH_MAX];
	const char *name;   /* points into as_written; with its trailing slashes, which mean something */
	char real[PATH_MAX]; /* for records and rules */
	bool exists;
};

/* 0 or -errno.  Whatever it returns, close_entry() has something to do. */
int entry_pin(const struct sandbox *sb, const struct seccomp_notif *req, int dirfd, uint64_t address, struct entry *e);

static inline void close_entry(struct entry *e)
{
	close_fd(&e->dir.fd);
}
#define cleanup_entry __attribute__((cleanup(close_entry)))

/* To change this entry breaks a rule: recorded.  EACCES, as Landlock would say. */
struct reply entry_refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *call, const char *real, const char *as_written);

/* Cuts or fills the pinned regular file to a length, by the supervisor's own rights: the caller has judged. */
struct reply entry_truncate(int pinned, int64_t length);

#endif
