/* The other half of filter_table.h's table: why what is allowed is allowed.
 *
 * Together the two name every system call of the architecture, through Linux 7.2: a call that neither names is ENOSYS, and so is a number
 * that a later kernel brings.  A call of which filter_table.c decides only some roles or arguments stands here too, with the reason for the rest;
 * the unit test insists on that, and on every call that the headers know.  docs/syscalls.md is made of both.
 *
 * Values in, values out; any thread. */
#ifndef SANDBOX_SYSCALLS_H
#define SANDBOX_SYSCALLS_H

#include <stddef.h>

enum syscall_class {
	SYSCALL_HARMLESS, /* whatever its arguments, nothing is reached that the sandbox does not have */
	SYSCALL_LANDLOCK, /* the ruleset decides */
	SYSCALL_GONE,     /* does nothing: ENOSYS, as the kernel says itself */
};

#define SYSCALL_GROUP_MAX 40
struct syscall_name {
	int nr;
	const char *name;
};
struct syscall_group {
	enum syscall_class class;
	const char *why;
	struct syscall_name calls[SYSCALL_GROUP_MAX]; /* to the first without a name */
};

const struct syscall_group *syscalls_table(size_t *count);
/* The group of a call, or NULL: filter_table.c decides it alone, or nobody knows it. */
const struct syscall_group *syscalls_group(int nr);

#endif
