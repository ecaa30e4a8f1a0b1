/* The table behind filter.h: which system calls are not simply allowed, where each one goes, and why.
 *
 * Rows are read from the top: the first row of a role that matches a call decides it, a call that no row matches is allowed if syscalls.h says why.  Of
 * one system call and role either every row refuses or notifies (the rest of the call's arguments is allowed), or the last row
 * matches everything, and is a notification; filter_build insists on it, because the two become different libseccomp programs.
 * Rows of one call that can match at once say the same: libseccomp knows no order (the unit test's simulation finds those that do not).
 * Conditions are masked equalities and nothing else: those libseccomp has never got wrong, they say how wide an argument is (the kernel reads an
 * int from the low half of a register, whatever the upper half holds), and a reader can check them against the kernel's own test.
 *
 * Values in, values out; any thread. */
#ifndef SANDBOX_FILTER_TABLE_H
#define SANDBOX_FILTER_TABLE_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"

enum filter_verdict { FILTER_ALLOW, FILTER_ERRNO, FILTER_NOTIFY };

/* The handler in launcher/supervise/ that answers a notified call: handle_NAME of supervise.h. */
enum filter_handler {
	FILTER_NOBODY,  /* not notified */
	FILTER_EXEC,    /* exec.c */
	FILTER_OPEN,    /* files.c */
	FILTER_META,    /* meta.c */
	FILTER_TREE,    /* tree.c */
	FILTER_SOCKET,  /* sockets.c */
	FILTER_CONNECT, /* connect.c */
	FILTER_BIND,    /* sockets.c */
	FILTER_SEND,    /* sockets.c */
	FILTER_SIGNAL,  /* signals.c */
	FILTER_EVENT,   /* events.c */
	FILTER_CLONE,   /* alone.c */
	FILTER_REFUSED, /* refused.c: never let go on; the row's errno */
};

enum filter_roles {
	FILTER_FOR_INSTALLER = 1 << FILTER_INSTALLER,
	FILTER_FOR_SANDBOX = 1 << FILTER_SANDBOX,
	FILTER_FOR_PLAIN = 1 << FILTER_SANDBOX_PLAIN,
};

/* When a row exists at all. */
enum filter_need {
	FILTER_ALWAYS,
	FILTER_UNSCOPED,    /* signals are not scoped by Landlock */
	FILTER_AUDIT,       /* --audit */
	FILTER_UNIX,        /* the supervisor can connect AF_UNIX sockets */
};

/* (args[arg] & mask) == value; mask 0: no condition. */
struct filter_when {
	uint64_t mask, value;
	uint8_t arg;
};
#define FILTER_WHEN_MAX 3

struct filter_row {
	int nr;
	const char *name;
	uint8_t roles; /* enum filter_roles */
	uint8_t need;  /* enum filter_need */
	uint8_t verdict;
	uint8_t handler;
	int error;        /* of FILTER_ERRNO and of FILTER_REFUSED, positive */
	const char *rule; /* of FILTER_REFUSED: the policy's id */
	const char *why;
	struct filter_when when[FILTER_WHEN_MAX];
};

const struct filter_row *filter_table(size_t *count);
bool filter_row_exists(const struct filter_row *row, enum filter_kind kind, const struct filter_options *opt);
bool filter_row_matches(const struct filter_row *row, const uint64_t args[6]);
bool filter_row_conditional(const struct filter_row *row);

/* The architecture whose numbers the table has, as seccomp_data.arch. */
#define FILTER_ARCH_NR_FOREIGN 0x40000000u /* x32 on x86_64 */
extern const uint32_t filter_arch;
/* Is the number in this table or in that of syscalls.h, and not gone from the kernel?  What is not is ENOSYS: the filter is a list of what is allowed. */
bool filter_known(int nr);

/* What becomes of a call: the program that filter_build makes does exactly this (the unit test holds it to it). */
struct filter_decision {
	enum filter_verdict verdict;
	int error;
	enum filter_handler handler;
	const char *rule, *name;
};
struct filter_decision filter_decide(enum filter_kind kind, const struct filter_options *opt, const struct seccomp_data *call);

/* Who answers a notified call?  For the listener's thread, which must not look at the number before the architecture: call 42 of i386
 * is not call 42 of x86_64.  Independent of role and options: what no row names is FILTER_REFUSED. */
enum filter_handler filter_route(const struct seccomp_data *call);

/* For supervise/refused.c: the errno (positive) that a refused call gets, the policy rule it breaks, and its name for the record.
 * A number that no row refuses is EPERM by "syscall.other"; filter_refusal_of knows foreign architectures too ("syscall.foreign-abi"). */
int filter_refusal(int nr, const uint64_t args[6], const char **rule, const char **name);
int filter_refusal_of(const struct seccomp_data *call, const char **rule, const char **name);

#endif
