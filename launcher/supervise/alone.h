/* Can another task change what a blocked caller shows?  What a CONTINUEd call names is read again by the kernel: what was looked at is what happens only where
 * the caller's memory is its own.  (That nothing is won otherwise is Landlock's to see to; this is about the record.)
 *
 * Known, without asking /proc each time:
 *   threads      clone() that shares memory, descriptors or the working folder is notified (its flags are in a register, clone3 is ENOSYS), unless the parent
 *                sleeps until the child has its own (vfork, posix_spawn).  Before the first one of a sandbox nobody in it shares anything.  After that a process is
 *                alone that has one thread and is not a mere copy of its parent (which might be a vfork).
 *   shared pages the mapping that the text lies in: anonymous and private, or a file that the sandbox cannot write.
 *
 * Not known: memory that a process still shares with the child's child of its own vfork after the child was killed.
 *
 * Of a sandbox's listener thread alone. */
#ifndef SUPERVISE_ALONE_H
#define SUPERVISE_ALONE_H

#include "launcher/supervise/supervise.h"

enum { ALONE_SLOTS = 16 };

struct alone {
	bool threads;  /* somebody has made a thread */
	bool anybody;  /* somebody shares in another way: nobody is taken to be alone any more */
	struct alone_slot {
		pid_t tid;       /* 0: free */
		int64_t until;   /* milliseconds; numbers of processes come again */
		int maps;        /* /proc/TID/maps or pagemap */
	} slot[ALONE_SLOTS];
};

/* Does nobody share the caller's memory?  To be asked before its text is read: whoever shared it could change it after the look, and be gone by the time of the
 * question; and while the caller waits nobody new can come to share it.  False also when that cannot be told. */
bool alone_caller(struct sandbox *sb, const struct seccomp_notif *req);

/* Of a caller that is alone: does the text of `len` bytes (and its end) lie on pages that nobody else has?  False also when that cannot be told. */
bool alone_text(struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, size_t len);

/* The caller is about to have other memory. */
void alone_forget(struct sandbox *sb, const struct seccomp_notif *req);

void alone_finish(struct alone *a);

#endif
