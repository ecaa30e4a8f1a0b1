/* Starting programs.  Everything here may run in a vfork child: system calls and the stack only.
 * Functions return 0 or an errno value and leave errno alone. */
#ifndef PRELOAD_EXEC_H
#define PRELOAD_EXEC_H

#include <limits.h>

#include "preload/shim.h"

/* A path to run, stored where it can be handed to a helper as a variable. */
struct exec_target {
	size_t room; /* of the path, with its NUL; what does not fit is ENAMETOOLONG */
	char var[]; /* SHIM_EXEC_VAR, then the path */
};

/* Declares `struct exec_target *t` on the caller's stack.  It takes no more than it must: threads and signal handlers start
 * programs from stacks of 8 kB and less. */
#define EXEC_TARGET(t, bytes) \
	const size_t t##_room = (bytes); \
	struct exec_target *t = __builtin_alloca(sizeof(*t) + sizeof(SHIM_EXEC_VAR) + t##_room); \
	t->room = t##_room

/* Bytes for EXEC_TARGET, PATH_MAX at most: of a path as exec_target_kept() takes it; of whatever exec_search(), exec_target_in() and
 * exec_target_kept() make of a file; of what a descriptor may lead to. */
size_t exec_path_bytes(const char *path);
size_t exec_search_bytes(const char *file);
#define EXEC_LINK_BYTES ((size_t)PATH_MAX)

static inline char *exec_path(struct exec_target *t)
{
	return t->var + sizeof(SHIM_EXEC_VAR) - 1;
}

/* Takes a path as exec would use it.  In the installer as exec_target_kept(). */
int exec_target_path(struct exec_target *t, const char *path);
/* Takes a path so that it still leads there inside a helper: what would name something else (/proc/self/exe,
 * a descriptor that closes on exec) is replaced by the file's own path. */
int exec_target_kept(struct exec_target *t, const char *path);
/* The file behind a descriptor, or the path below a directory descriptor, as execveat takes them. */
int exec_target_at(struct exec_target *t, int dirfd, const char *path, int flags);
/* Puts `dir/file` of the PATH entry that begins at *entry, and moves *entry on (NULL at the end). */
int exec_target_in(struct exec_target *t, const char **entry, const char *file);

/* The checks of execve: 0, or the errno with which it would refuse.  In a sandbox what cannot be read is EACCES:
 * `become` could not run it. */
int exec_check(const char *path);

/* PATH as execvp uses it. */
const char *exec_search_path(void);
/* Whether execvp goes on with the next entry after this errno. */
int exec_search_goes_on(int err);
/* posix_spawnp's search: the first entry that passes exec_check. */
int exec_search(struct exec_target *t, const char *file);

/* Calls fn with room for n pointers: on the stack, and no more of it than that; beyond a few thousand in a private
 * mapping that goes when fn returns.  (fn does not return from a successful exec: in a vfork child
 * such a mapping then stays with the parent.  Four thousand variables are nobody's environment.) */
typedef int exec_vector_fn(char **vector, void *arg);
int exec_with_vector(size_t n, exec_vector_fn *fn, void *arg);

/* Pointers that exec_fill_env() needs. */
size_t exec_env_room(char *const *envp);
/* envp with `var` ("NAME=value") first, without other variables of that name, and without the entry
 * `drop` (NULL: none). */
void exec_fill_env(char **vector, char *const *envp, const char *var, const char *drop);
/* For a sandboxed program: the list of envp's LD_PRELOAD, which lacks this object ("" where there is none); NULL when envp is fine
 * as it is, or nothing can be done about it. */
const char *exec_preload_lacks(const struct shim *shim, char *const *envp);
/* The variable that it ought to have: of this object alone, or in buf, which has exec_preload_bytes().  This object comes last: what the
 * program preloads finds its next definitions in it, and is asked first, as without us. */
const char *exec_preload_var(const struct shim *shim, const char *theirs, char *buf);
size_t exec_preload_bytes(const struct shim *shim, const char *theirs);

#endif
