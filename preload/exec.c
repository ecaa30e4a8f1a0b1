/* The exec family.
 *
 * In the installer everything goes through `enter`; in a sandbox the shim is put back into an
 * environment that lost it, and what the kernel refuses to execute where it lies goes through `become`,
 * what asks a version control tool's user for passwords through `enter`;
 * without a supervisor it is the plain system call. */
#include "preload/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All exports have libc's prototypes; older headers lack this one. */
#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 34)
int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);
#endif

struct start {
	const char *path;
	char *const *argv;
	char *const *envp;
	const char *var, *drop; /* to be put into envp, to be left out */
	const struct shim *sandboxed; /* NULL: what the kernel says is the end of it */
	bool at; /* as execveat: */
	int dirfd, flags;
};

static int kernel_exec(const struct start *s, char *const *envp)
{
	int saved = errno, err;

	if (s->at)
		syscall(SYS_execveat, s->dirfd, s->path, s->argv, envp, s->flags);
	else
		syscall(SYS_execve, s->path, s->argv, envp);
	err = errno;
	errno = saved;
	return err;
}

static int exec_helped(const struct start *s, char *const *envp);

static int exec_or_help(const struct start *s, char *const *envp)
{
	int err = kernel_exec(s, envp);

	return s->sandboxed && shim_helps(s->sandboxed, err) ? exec_helped(s, envp) : err;
}

static int exec_start(char **vector, void *arg)
{
	const struct start *s = arg;

	exec_fill_env(vector, s->envp, s->var, s->drop);
	return exec_or_help(s, vector);
}

/* The checks have passed: the helper takes over, in this very process.  var is SHIM_EXEC_VAR and the
 * path to run.  `enter` has no use for the shim (what it starts gets a preload of its own); `become` hands
 * it on. */
static int exec_helper(const struct shim *shim, const char *var, char *const *argv, char *const *envp)
{
	struct start s = { .path = shim->helper, .argv = argv, .envp = envp, .var = var,
		.drop = shim->role == PW_ROLE_INSTALLER || shim->role == PW_ROLE_VCS ? shim->preload : NULL };

	if (!shim->helper[0])
		return EACCES;
	return exec_with_vector(exec_env_room(envp), exec_start, &s);
}

/* EACCES is also what Landlock says of a program that may be read and is not among its rules: `become`.  In a version control tool's sandbox a program that
 * knows passwords is started by `enter`. */
static __attribute__((noinline)) int exec_helped(const struct start *s, char *const *envp)
{
	EXEC_TARGET(t, s->at ? EXEC_LINK_BYTES : exec_path_bytes(s->path));
	int err = s->at ? exec_target_at(t, s->dirfd, s->path, s->flags) : exec_target_kept(t, s->path);

	if (!err)
		err = exec_check(exec_path(t));
	return err ? err : exec_helper(s->sandboxed, t->var, s->argv, envp);
}

static __attribute__((noinline)) int exec_sandboxed(const struct shim *shim, struct start *s)
{
	const char *theirs = exec_preload_lacks(shim, s->envp);

	s->sandboxed = shim;
	if (!theirs)
		return exec_or_help(s, s->envp);
	s->var = exec_preload_var(shim, theirs, __builtin_alloca(exec_preload_bytes(shim, theirs)));
	return exec_with_vector(exec_env_room(s->envp), exec_start, s);
}

static int exec_plain(const struct shim *shim, const char *path, char *const *argv, char *const *envp)
{
	struct start s = { .path = path, .argv = argv, .envp = envp };

	return path && shim->role ? exec_sandboxed(shim, &s) : kernel_exec(&s, envp);
}

/* var as for exec_helper(). */
static int attempt(const char *var, char *const *argv, char *const *envp)
{
	const struct shim *shim = shim_get();
	const char *path = var + sizeof(SHIM_EXEC_VAR) - 1;
	int err;

	if (shim->role != PW_ROLE_INSTALLER)
		return exec_plain(shim, path, argv, envp);
	err = exec_check(path);
	return err ? err : exec_helper(shim, var, argv, envp);
}

static __attribute__((noinline)) int exec_kept(const char *path, char *const *argv, char *const *envp)
{
	EXEC_TARGET(t, exec_path_bytes(path));
	int err = exec_target_path(t, path);

	return err ? err : attempt(t->var, argv, envp);
}

static int exec_program(const char *path, char *const *argv, char *const *envp)
{
	const struct shim *shim = shim_get();

	if (!path || shim->role != PW_ROLE_INSTALLER)
		return exec_plain(shim, path, argv, envp);
	return exec_kept(path, argv, envp);
}

struct script {
	const char *path;
	char *const *argv;
	char *const *envp;
	size_t argc;
};

static int exec_script(char **vector, void *arg)
{
	const struct script *s = arg;

	vector[0] = (char *)"/bin/sh";
	vector[1] = (char *)s->path;
	for (size_t i = 1; i < s->argc; i++)
		vector[i + 1] = s->argv[i];
	vector[s->argc > 1 ? s->argc + 1 : 2] = NULL;
	return attempt(SHIM_EXEC_VAR "/bin/sh", vector, s->envp);
}

/* execvp runs what has no format of its own with the shell. */
static int attempt_or_script(struct exec_target *t, char *const *argv, char *const *envp)
{
	struct script s = { .path = exec_path(t), .argv = argv, .envp = envp };
	int err = attempt(t->var, argv, envp);

	if (err != ENOEXEC)
		return err;
	while (argv && argv[s.argc])
		s.argc++;
	return exec_with_vector(s.argc + 3, exec_script, &s);
}

static int exec_searched(const char *file, char *const *argv, char *const *envp)
{
	const char *entry = exec_search_path();
	bool denied = false;
	int err;

	if (!file)
		return EFAULT;
	if (!file[0])
		return ENOENT;
	EXEC_TARGET(t, exec_search_bytes(file));
	if (strchr(file, '/')) {
		err = exec_target_path(t, file);
		return err ? err : attempt_or_script(t, argv, envp);
	}
	do {
		err = exec_target_in(t, &entry, file);
		if (!err)
			err = attempt_or_script(t, argv, envp);
		if (!exec_search_goes_on(err))
			return err;
		denied |= err == EACCES;
	} while (entry);
	return denied ? EACCES : err;
}

static int failed(int err)
{
	errno = err;
	return -1;
}

/* Collects a variadic call's arguments.  With env, the pointer after the final NULL is the environment. */
struct variadic {
	const char *path, *arg0;
	va_list args;
	bool search, env;
};

static int exec_variadic(char **vector, void *arg)
{
	struct variadic *v = arg;
	char *const *envp = environ;
	size_t n = 0;

	vector[n] = (char *)v->arg0;
	while (vector[n])
		vector[++n] = va_arg(v->args, char *);
	if (v->env)
		envp = va_arg(v->args, char *const *);
	return v->search ? exec_searched(v->path, vector, envp) : exec_program(v->path, vector, envp);
}

/* Twice over the list: once to count, then into a vector of that size. */
static __attribute__((noinline)) int exec_list(struct variadic *v)
{
	va_list counted;
	size_t n = 1;
	int err;

	va_copy(counted, v->args);
	for (const char *p = v->arg0; p; n++)
		p = va_arg(counted, const char *);
	va_end(counted);
	err = exec_with_vector(n, exec_variadic, v);
	va_end(v->args);
	return failed(err);
}

EXPORT int execl(const char *path, const char *arg, ...)
{
	struct variadic v = { .path = path, .arg0 = arg };

	va_start(v.args, arg);
	return exec_list(&v);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	struct variadic v = { .path = path, .arg0 = arg, .env = true };

	va_start(v.args, arg);
	return exec_list(&v);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	struct variadic v = { .path = file, .arg0 = arg, .search = true };

	va_start(v.args, arg);
	return exec_list(&v);
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return failed(exec_program(path, argv, envp));
}

EXPORT int execv(const char *path, char *const argv[])
{
	return failed(exec_program(path, argv, environ));
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return failed(exec_searched(file, argv, environ));
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	return failed(exec_searched(file, argv, envp));
}

static int exec_at(int dirfd, const char *path, char *const *argv, char *const *envp, int flags)
{
	const struct shim *shim = shim_get();
	struct start s = { .path = path, .argv = argv, .envp = envp, .at = true, .dirfd = dirfd, .flags = flags };
	int err;

	if (!path || !shim->role)
		return kernel_exec(&s, envp);
	if (shim->role != PW_ROLE_INSTALLER)
		return exec_sandboxed(shim, &s);
	EXEC_TARGET(t, EXEC_LINK_BYTES);
	err = exec_target_at(t, dirfd, path, flags);
	return err ? err : attempt(t->var, argv, envp);
}

EXPORT int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return failed(exec_at(dirfd, path, argv, envp, flags));
}

static int exec_fd(int fd, char *const *argv, char *const *envp)
{
	if (fd < 0 || !argv || !envp)
		return EINVAL;
	return exec_at(fd, "", argv, envp, AT_EMPTY_PATH);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	return failed(exec_fd(fd, argv, envp));
}
