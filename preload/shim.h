/* What the parts of the shim share.
 *
 * Three rules hold for every interposer.  errno and the program's behaviour are those of the real
 * function.  Nothing is allocated and nothing is locked where a vfork child or a signal handler may
 * come by.  Nothing is ever printed.  The shim only explains: what it leaves out or gets wrong costs
 * an explanation or a start that the kernel refuses, never a protection. */
#ifndef PRELOAD_SHIM_H
#define PRELOAD_SHIM_H

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "preload/pw_event.h"

#define EXPORT __attribute__((visibility("default")))

#define SHIM_EXEC_VAR PW_EXEC_VARIABLE "="
#define SHIM_PRELOAD_VAR "LD_PRELOAD="

/* The next definition of what is interposed: libc's, or another preloaded library's.  NULL until the
 * start, and where libc has none. */
struct shim_real {
	int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
		char *const *, char *const *);
	int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
		char *const *, char *const *);
	int (*system)(const char *);
	FILE *(*popen)(const char *, const char *);
	int (*pclose)(FILE *);
	int (*getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	int (*getnameinfo)(const struct sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t, int);
	struct hostent *(*gethostbyname)(const char *);
	struct hostent *(*gethostbyname2)(const char *, int);
	struct hostent *(*gethostbyaddr)(const void *, socklen_t, int);
	int (*gethostbyname_r)(const char *, struct hostent *, char *, size_t, struct hostent **, int *);
	int (*gethostbyname2_r)(const char *, int, struct hostent *, char *, size_t, struct hostent **, int *);
	int (*gethostbyaddr_r)(const void *, socklen_t, int, struct hostent *, char *, size_t, struct hostent **, int *);
	int (*connect)(int, const struct sockaddr *, socklen_t);
	int (*open)(const char *, int, ...), (*open64)(const char *, int, ...);
	int (*openat)(int, const char *, int, ...), (*openat64)(int, const char *, int, ...);
	int (*mkdir)(const char *, mode_t);
	int (*rename)(const char *, const char *);
	int (*unlink)(const char *);
	int (*find_object)(void *, void *); /* _dl_find_object, glibc 2.35 and later */
};

/* Written once, by the start; only read afterwards. */
struct shim {
	int role; /* enum pw_role, or 0: inert */
	struct shim_real real;
	const char *names; /* sorted, NUL-terminated names of variables worth an event; NULL: none */
	size_t names_len;
	char helper[PATH_MAX]; /* absolute path of `enter` in the installer and a version control tool, else of `become`; or empty */
	char preload[sizeof(SHIM_PRELOAD_VAR) + PATH_MAX]; /* LD_PRELOAD=<this object>, or empty */
};

/* Starts the shim if its constructor has not come by yet (another library's may run first).  While
 * the start itself runs, everybody sees an inert shim.  Not for getenv, which may be called before
 * this object is relocated.  Keeps errno. */
const struct shim *shim_get(void);
/* As shim_get(), but NULL before the start. */
const struct shim *shim_started(void);

/* The event call: its result, or -errno.  Async-signal-safe; keeps errno. */
long shim_call(unsigned op, const void *pointer, size_t len);
/* Where in the process an event comes from; NULL and 0: not known. */
struct shim_origin {
	const char *object; /* shared object */
	const char *file, *function; /* Python code; without a file the function of object */
	unsigned line;
};
/* Sends an advisory event.  A text that is too long is cut.  Async-signal-safe; keeps errno. */
void shim_event(enum pw_record_type type, const char *text, const struct shim_origin *origin);
/* The same about some bytes; flags: PW_FLAG_. */
void shim_event_of(enum pw_record_type type, const char *text, const struct shim_origin *origin, const void *data, size_t len, unsigned flags);
/* Is this one of the variables whose reading is worth an event?  Never before the start. */
int shim_listed(const char *name);
/* True the first time only that the process asks with these words.  When the table is full, never:
 * what asks from so many places has been reported often enough.  Async-signal-safe. */
enum shim_table { SHIM_READS, SHIM_CODE, SHIM_TABLES };
int shim_first(enum shim_table table, const char *name, const char *where, unsigned line);
uint64_t shim_hash(const char *text, unsigned number); /* never 0 */
/* The object that holds addr, in memory of the loader's, or "". */
struct link_map;
const char *shim_object(const struct shim *shim, const void *addr);
/* The name of the function that holds addr, as its object exports it, or NULL. */
const char *shim_symbol(const struct shim *shim, const void *addr);

/* Whether an exec that failed so in a sandbox is made again by the helper.  In a version control tool what the kernel refuses is the end of it. */
static inline int shim_helps(const struct shim *shim, int err)
{
	return err == (shim->role == PW_ROLE_VCS ? PW_EXEC_ENTERS : EACCES);
}

/* The value of a variable, read from environ without the interposed getenv. */
char *shim_getenv(const char *name);

/* Appends src to buf (of size bytes, NUL-terminated); false when it did not fit (buf is cut). */
int shim_append(char *buf, size_t size, const char *src);

/* The same with a number, in decimal: stdio may not be used everywhere here. */
static inline int shim_append_number(char *buf, size_t size, unsigned n)
{
	char digits[12], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	return shim_append(buf, size, p);
}

#endif
