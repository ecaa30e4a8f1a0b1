/* The posix_spawn family, system.
 *
 * The checks and the PATH search happen in the parent, before the spawn.  A file action that changes
 * the directory comes after them: a relative path is judged from here, not from there. */
#include "preload/shell.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/exec.h"

typedef int spawn_fn(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
	char *const *, char *const *);

struct spawn {
	spawn_fn *real;
	pid_t *pid;
	const char *path;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attr;
	char *const *argv;
	char *const *envp;
	const char *var, *drop; /* to be put into envp, to be left out */
	bool search;
	bool sandboxed; /* what the kernel says is not the end of it */
};

static int spawn_helper(struct spawn *s);

static int spawn_or_help(struct spawn *s)
{
	int err = s->real(s->pid, s->path, s->actions, s->attr, s->argv, s->envp);

	return s->sandboxed && shim_helps(shim_get(), err) ? spawn_helper(s) : err;
}

static int spawn_start(char **vector, void *arg)
{
	struct spawn *s = arg;

	exec_fill_env(vector, s->envp, s->var, s->drop);
	s->envp = vector;
	return spawn_or_help(s);
}

/* As exec_helper(), with the checks. */
static __attribute__((noinline)) int spawn_helper(struct spawn *s)
{
	const struct shim *shim = shim_get();
	EXEC_TARGET(t, exec_search_bytes(s->path));
	int err = s->search ? exec_search(t, s->path) : exec_target_kept(t, s->path);

	if (!err && !s->search)
		err = exec_check(exec_path(t));
	if (err)
		return err;
	if (!shim->helper[0])
		return EACCES;
	s->real = shim->real.posix_spawn;
	s->path = shim->helper;
	s->var = t->var;
	s->drop = s->sandboxed && shim->role != PW_ROLE_VCS ? NULL : shim->preload;
	s->sandboxed = false;
	return exec_with_vector(exec_env_room(s->envp), spawn_start, s);
}

static int spawn(struct spawn *s, bool search)
{
	const struct shim *shim = shim_get();
	const char *theirs;

	s->search = search;
	s->real = search ? shim->real.posix_spawnp : shim->real.posix_spawn;
	if (!s->real)
		return ENOSYS;
	if (shim->role == PW_ROLE_INSTALLER)
		return spawn_helper(s);
	s->sandboxed = shim->role != 0;
	/* libc's search would pass by what the kernel refuses, and start a later namesake. */
	EXEC_TARGET(t, s->sandboxed && search ? exec_search_bytes(s->path) : 1);
	if (s->sandboxed && search && !exec_search(t, s->path)) {
		s->real = shim->real.posix_spawn;
		s->path = exec_path(t);
		s->search = false;
	}
	theirs = shim->role ? exec_preload_lacks(shim, s->envp) : NULL;
	if (!theirs)
		return spawn_or_help(s);
	s->var = exec_preload_var(shim, theirs, __builtin_alloca(exec_preload_bytes(shim, theirs)));
	return exec_with_vector(exec_env_room(s->envp), spawn_start, s);
}

EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *restrict attr, char *const argv[restrict], char *const envp[restrict])
{
	struct spawn s = { .pid = pid, .path = path, .actions = actions, .attr = attr, .argv = argv, .envp = envp };

	return spawn(&s, false);
}

EXPORT int posix_spawnp(pid_t *restrict pid, const char *restrict file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *restrict attr, char *const argv[restrict], char *const envp[restrict])
{
	struct spawn s = { .pid = pid, .path = file, .actions = actions, .attr = attr, .argv = argv, .envp = envp };

	return spawn(&s, true);
}

int spawn_shell(pid_t *pid, const char *command, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attr)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	struct spawn s = { .pid = pid, .path = "/bin/sh", .actions = actions, .attr = attr, .argv = argv,
		.envp = environ };

	return spawn(&s, false);
}

int spawn_wait(pid_t pid, int *status)
{
	pid_t got;

	do
		got = waitpid(pid, status, 0);
	while (got < 0 && errno == EINTR);
	return got == pid ? 0 : -1;
}

/* Keyboard signals are ignored while at least one system() waits, in whatever thread: the first takes
 * the dispositions away, the last gives them back.  Only system() takes this lock, and it may be called
 * neither in a vfork child nor in a signal handler. */
static struct {
	atomic_flag lock;
	int users;
	struct sigaction intr, quit;
} keyboard = { .lock = ATOMIC_FLAG_INIT };

static void lock_keyboard(void)
{
	while (atomic_flag_test_and_set_explicit(&keyboard.lock, memory_order_acquire))
		sched_yield();
}

static void unlock_keyboard(void)
{
	atomic_flag_clear_explicit(&keyboard.lock, memory_order_release);
}

/* Fills in the signals that the child is to have at their defaults. */
static void ignore_keyboard(sigset_t *reset)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigemptyset(reset);
	lock_keyboard();
	if (keyboard.users++ == 0) {
		sigaction(SIGINT, &ignore, &keyboard.intr);
		sigaction(SIGQUIT, &ignore, &keyboard.quit);
	}
	if (keyboard.intr.sa_handler != SIG_IGN)
		sigaddset(reset, SIGINT);
	if (keyboard.quit.sa_handler != SIG_IGN)
		sigaddset(reset, SIGQUIT);
	unlock_keyboard();
}

static void restore_keyboard(void)
{
	lock_keyboard();
	if (--keyboard.users == 0) {
		sigaction(SIGINT, &keyboard.intr, NULL);
		sigaction(SIGQUIT, &keyboard.quit, NULL);
	}
	unlock_keyboard();
}

/* Returns what system() returns; on failure errno is set, otherwise it may have changed. */
static int run_shell(const char *command)
{
	sigset_t reset, chld, before;
	posix_spawnattr_t attr;
	int status = -1, err;
	pid_t pid;

	ignore_keyboard(&reset);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	err = posix_spawnattr_init(&attr);
	if (!err) {
		posix_spawnattr_setsigmask(&attr, &before);
		posix_spawnattr_setsigdefault(&attr, &reset);
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
		err = spawn_shell(&pid, command, NULL, &attr);
		posix_spawnattr_destroy(&attr);
	}
	if (err) {
		status = W_EXITCODE(127, 0); /* as if the shell had said that it could not run */
	} else if (spawn_wait(pid, &status) < 0) {
		err = errno;
		status = -1;
	}
	restore_keyboard();
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return status;
}

EXPORT int system(const char *command)
{
	const struct shim *shim = shim_get();
	int saved = errno, cancel, status;

	if (shim->role != PW_ROLE_INSTALLER) {
		if (shim->real.system)
			return shim->real.system(command);
		errno = ENOSYS;
		return -1;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	status = run_shell(command ? command : "exit 0");
	pthread_setcancelstate(cancel, NULL);
	if (!errno)
		errno = saved;
	return command ? status : status == 0;
}
