/* What a sandbox may write, what a helper is for, and what a refusal says: shared by files.c, meta.c, tree.c and connect_unix.c. */
#ifndef SUPERVISE_GRANTS_H
#define SUPERVISE_GRANTS_H

#include "launcher/supervise/supervise.h"
#include "launcher/supervise/target.h"

/* By name: at or below its home, temp or a writable grant. For what another layer backs. */
bool grants_write(const struct sandbox *sb, const char *real);

/* By name: is it one of the places that a program that knows passwords exists for, or below one?  What rules call a secret it reads there, and a socket there it
 * connects to. */
bool grants_place(const struct sandbox *sb, const char *real);

/* By name: may the sandbox do everything there?  Not where a name can lead elsewhere in the sandbox than here. */
bool grants_own_name(const struct sandbox *sb, const char *real);
/* For acting on the object: fd (O_PATH), which the kernel names `real`, is a directory, file, link, pipe or socket of the sandbox's own.
 * Device files never are, and of /dev/shm only what lies on the sandbox's own. */
bool grants_own(const struct sandbox *sb, const struct seccomp_notif *req, int fd, const char *real);

/* In the Python environment that only the installer may change? */
bool grants_environment(const struct sandbox *sb, const char *real);

/* Which rule does a write to this place, that is not granted, break?  Protected places first, then file.write.pycache, .environment, .build,
 * .outside.  True when policy_file names it. */
bool grants_write_verdict(const struct sandbox *sb, const char *real, struct verdict *out);

/* A refusal (or with ACTION_ALLOW an observation) to be recorded. */
struct refusal {
	const char *type;       /* "file.open" "file.write" "file.meta" */
	struct verdict verdict;
	const char *call;       /* the system call's name */
	const char *real, *as_written; /* may be NULL */
	bool missing;           /* nothing is there: nothing was at stake, so it never ends the run */
	bool unreadable;        /* the arguments of the call */
	bool decoy;             /* a decoy is, or was, given instead */
};
/* With the option that would allow it.  Nothing is recorded of a caller that has gone. */
void grants_record(struct sandbox *sb, const struct seccomp_notif *req, const struct refusal *r);

/* pip was, or would be, refused to write `path`: which rule that breaks, and in hint what would allow it.  False: it needs no word, the user could not write
 * there either. */
bool grants_explain_installer(const struct sandbox *sb, const char *path, struct verdict *verdict, char *hint, size_t size);

/* A path, a descriptor or a thread that we could not look at: recorded; what the caller is answered instead of `error`. */
struct reply grants_unreadable(struct sandbox *sb, const struct seccomp_notif *req, const char *call, int error);

#endif
