/* What execve sees in the first bytes of a file.  Pure: bytes in, a judgement out. */
#ifndef PRELOAD_EXEC_HEAD_H
#define PRELOAD_EXEC_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* The kernel looks at 256 bytes for `#!`; an ELF program's headers and the name of its loader lie in
 * the first KiB in practice. */
#define EXEC_HEAD_SIZE 1024

struct exec_interp {
	const char *path; /* inside the head, NUL-terminated; NULL: none, or not in the head */
	const char *argument; /* of a script: what follows the name, NUL-terminated, inside the head; NULL: nothing */
	bool script; /* by `#!`, so its own head counts too */
};

/* head: the first len bytes of the file, which may be changed.  Returns 0, or the errno with which
 * execve refuses the contents (ENOEXEC).  What might run on some kernel (a foreign ELF) is let pass. */
int exec_head(char head[EXEC_HEAD_SIZE], size_t len, struct exec_interp *interp);

#endif
