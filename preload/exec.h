/* Starting programs.  Everything here may run in a vfork child: system calls and the stack only.
 * Functions return 0 or an errno value and leave errno alone. */
#ifndef PRELOAD_EXEC_H
#define PRELOAD_EXEC_H

#include <limits.h>

#include "preload/shim.h"

/* A path to run, stored where it can be handed to a helper as a variable. */
struct exec_target {
	char var[sizeof(SHIM_EXEC_VAR) - 1 + PATH_MAX]; /* SHIM_EXEC_VAR, then the path */
};

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

/* Calls fn with room for n pointers: on the stack up to a few thousand, beyond it in a private
 * mapping that goes when fn returns.  (fn does not return from a successful exec: in a vfork child
 * such a mapping then stays with the parent.  Four thousand variables are nobody's environment.) */
typedef int exec_vector_fn(char **vector, void *arg);
int exec_with_vector(size_t n, exec_vector_fn *fn, void *arg);

/* Pointers that exec_fill_env() needs. */
size_t exec_env_room(char *const *envp);
/* envp with `var` ("NAME=value") first, without other variables of that name, and without the entry
 * `drop` (NULL: none). */
void exec_fill_env(char **vector, char *const *envp, const char *var, const char *drop);
/* For a sandboxed program: the LD_PRELOAD variable that envp ought to have, in buf (of size bytes) or
 * static memory; NULL when envp is fine as it is. */
const char *exec_preload_var(const struct shim *shim, char *const *envp, char *buf, size_t size);

#endif
