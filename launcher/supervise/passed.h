/* The descriptors that the command of a sandbox gets, and the numbers that it finds them under: of a build what `enter` passed, of a guest our own.
 * By one thread at a time: who makes the session, then the session's own. */
#ifndef SUPERVISE_PASSED_H
#define SUPERVISE_PASSED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"

struct passed {
	int fds[FD_PASS_MAX];    /* owned, close-on-exec */
	uint32_t count;
	int32_t numbers[FD_PASS_MAX];
	struct copied {          /* an output that `enter` copies */
		dev_t device;
		ino_t inode;
		int pipe, end;   /* read end, for `enter`; the other, until it has its numbers */
		int to;          /* 1 or 2 */
	} copied[2];
	char terminal[128];      /* the guest's; "": none */
};

/* Of zeroed memory. */
void passed_init(struct passed *p);

/* Our own descriptors that a guest gets: 0 to 2, pipes and plain files. */
void passed_own(struct passed *p, bool audit);

/* Closes what may not go in, and puts /dev/null in its place on 0 to 2.  copies: `enter` is there to copy outputs.  0 or -errno. */
int passed_choose(struct passed *p, bool audit, bool copies);

/* Closes all but 0 to 2. */
void passed_standard(struct passed *p);

/* The pipe that came under that number, another handle on it that does not block, to be read or written (access: O_RDONLY, O_WRONLY).  The caller's.  -1: it is no pipe,
 * or one that who passed it cannot use so itself: a handle on a file (O_PATH), opened again, would be opened with our rights. */
int passed_pipe(const struct passed *p, int number, int access);

/* All of them.  May be called again. */
void passed_close(struct passed *p);

#endif
