/* A project's own folder, in which its build works.  Landlock grants nothing there that opens a file: every open, and everything that makes, moves
 * or removes a name, is done by the supervisor on objects that it has pinned, so there is nothing to race.
 *
 * The notifications of a sandbox are answered by one thread, one after the other: within the tree only the user and other runs can change names between
 * a look and an act, and what is injected or changed is always the object that was judged.
 * What lies below the folder but is not the project's (a virtual environment, the run's temp folder, the journal) is `apart`: as if it lay outside. */
#ifndef SUPERVISE_SERVED_H
#define SUPERVISE_SERVED_H

#include <sys/stat.h>

#include "launcher/sandbox/ruleset.h"
#include "launcher/supervise/entry.h"

struct served {
	const char *root; /* real path of the folder */
	char **apart;     /* real paths below it, NULL-terminated */
	bool folds;       /* its file system takes `.GIT` for `.git` */
	struct served_closed *closed;
	size_t closed_count;
	struct served_links *links; /* of the sandbox's listener thread alone */
	struct served_inode *programs; /* served_programs.c: those that have a rule of Landlock's */
	size_t program_count;
};

struct served_inode {
	dev_t dev;
	ino_t ino;
};

/* A place of the project that is to be treated as a rule's, whatever it is called. */
struct served_closed {
	char *real;
	struct verdict why;
	bool secret; /* nor read */
};

/* Secrets of the user's that have more than one name, as they were when the sandbox first asked. */
struct served_links {
	bool known, failed;
	struct served_inode *v;
	size_t n;
	int budget;
};

/* By name: is it the folder, or below it and not apart?  And not in a folder that the sandbox may write anyway. */
bool served_holds(const struct sandbox *sb, const char *real);
/* Does moving or removing this name of the folder take with it what is apart? */
bool served_holds_apart(const struct sandbox *sb, const char *real);

/* May the build read or change what the kernel calls `real` (served_holds)?  fd: O_PATH of it, or -1 where nothing is there yet.
 * False: *why names the rule. */
bool served_allows(const struct sandbox *sb, int fd, const char *real, enum file_access access, struct verdict *why);
/* The same for a name in a pinned folder that is to be made, replaced, moved or removed. */
bool served_allows_entry(const struct sandbox *sb, const struct entry *e, struct verdict *why);

/* An object by which the caller wants to change something (mode, times): is it in the folder, and may it be changed? */
bool served_own(const struct sandbox *sb, int fd, const char *real);

/* An open that led to *r, in the folder.  flags, mode: the caller's. */
struct reply served_open(struct sandbox *sb, const struct seccomp_notif *req, const char *call, uint64_t flags, uint64_t mode, const struct resolved *r,
                         const char *text);

/* A call on names.  False: none of them is in the folder; the others decide. */
bool served_change(struct sandbox *sb, const struct seccomp_notif *req, const struct tree_call *call, struct reply *reply);

/* Records a refusal.  EACCES. */
struct reply served_refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *type, const char *call, const char *real,
                           const char *as_written, struct verdict why);

/* served_links.c: has the file another name, in a place of secrets?  Whoever planted the link meant it to be read here. */
bool served_is_linked_secret(const struct sandbox *sb, const char *real, const struct stat *st);

/* served_closed.c: finds such places.  0 or -ENOMEM. */
int served_close_places(struct served *v, const struct supervisor *s);

/* served_programs.c: a rule for each program that lies in the folder, so that the kernel executes it there: it finds its parts, and whoever starts it needs no shim.
 * The right to read comes with it, of what the build may read in any case; nothing guarded gets one.  What is made later goes through `become`.  0 or -errno.
 * Before the listener is served. */
int served_programs(struct served *v, const struct sandbox *sb, struct ruleset *r);
/* Does the kernel execute the object that the kernel calls `real` there?  Of what lies outside the folder: yes, as far as this is concerned. */
bool served_executes(const struct sandbox *sb, int fd, const char *real);

/* served_root.c: 0 or -ENOMEM.  root outlives *v. */
int served_init(struct served *v, const struct supervisor *s, const char *root);
void served_finish(struct served *v);

#endif
