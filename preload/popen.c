/* popen and pclose.  libc's own start the shell past the interposed symbols. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "preload/shell.h"

#define STREAMS 64

/* Which child belongs to which stream.  A slot is claimed by compare-and-swap; pid is written before
 * the stream is published. */
static struct stream {
	_Atomic(FILE *) file;
	_Atomic pid_t pid;
} streams[STREAMS];

static char claimed;
#define CLAIMED ((FILE *)(void *)&claimed)

static struct stream *claim(FILE *from)
{
	for (size_t i = 0; i < STREAMS; i++) {
		FILE *expected = from;

		if (atomic_compare_exchange_strong(&streams[i].file, &expected, CLAIMED))
			return &streams[i];
	}
	return NULL;
}

static void release(struct stream *s)
{
	atomic_store(&s->file, NULL);
}

/* POSIX: streams of earlier calls are closed in the new child. */
static int close_earlier(posix_spawn_file_actions_t *actions, int except)
{
	for (size_t i = 0; i < STREAMS; i++) {
		FILE *file = atomic_load(&streams[i].file);
		int fd = file && file != CLAIMED ? fileno_unlocked(file) : -1;
		int err = fd >= 0 && fd != except ? posix_spawn_file_actions_addclose(actions, fd) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int start(const char *command, int child_end, int target, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return err;
	/* The descriptor that the child gets must not be among those closed afterwards: an earlier
	 * stream may have the number that the pipe is moved to. */
	err = close_earlier(&actions, child_end);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, child_end, target);
	if (!err)
		err = spawn_shell(pid, command, &actions, NULL);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

struct mode {
	bool read, write, cloexec;
};

static bool parse_mode(const char *text, struct mode *m)
{
	memset(m, 0, sizeof(*m));
	for (; *text; text++) {
		if (*text == 'r')
			m->read = true;
		else if (*text == 'w')
			m->write = true;
		else if (*text == 'e')
			m->cloexec = true;
		else
			return false;
	}
	return m->read != m->write;
}

static FILE *open_stream(const char *command, const struct mode *m, struct stream *slot)
{
	int ends[2], err;
	FILE *file;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	file = fdopen(ends[m->read ? 0 : 1], m->read ? "r" : "w");
	if (!file) {
		err = errno;
		close(ends[m->read ? 0 : 1]);
	} else {
		err = start(command, ends[m->read ? 1 : 0], m->read ? 1 : 0, &pid);
		if (err)
			fclose(file);
	}
	close(ends[m->read ? 1 : 0]);
	if (err) {
		errno = err;
		return NULL;
	}
	if (!m->cloexec)
		fcntl(ends[m->read ? 0 : 1], F_SETFD, 0);
	atomic_store(&slot->pid, pid);
	return file;
}

EXPORT FILE *popen(const char *command, const char *type)
{
	const struct shim *shim = shim_get();
	struct stream *slot, *stale;
	struct mode m;
	FILE *file;
	int saved = errno;

	if (shim->role != PW_ROLE_INSTALLER) {
		if (shim->real.popen)
			return shim->real.popen(command, type);
		errno = ENOSYS;
		return NULL;
	}
	if (!parse_mode(type, &m)) {
		errno = EINVAL;
		return NULL;
	}
	slot = claim(NULL);
	if (!slot) {
		errno = ENOMEM; /* as where libc cannot keep one more */
		return NULL;
	}
	file = open_stream(command, &m, slot);
	if (!file) {
		release(slot);
		return NULL;
	}
	/* A stream that was closed with fclose has left its slot behind; its memory is in use again. */
	stale = claim(file);
	if (stale)
		release(stale);
	atomic_store(&slot->file, file);
	errno = saved;
	return file;
}

EXPORT int pclose(FILE *file)
{
	const struct shim *shim = shim_get();
	struct stream *slot = claim(file);
	int status;
	pid_t pid;

	if (!slot) {
		if (shim->real.pclose)
			return shim->real.pclose(file);
		errno = ECHILD;
		return -1;
	}
	pid = atomic_load(&slot->pid);
	release(slot);
	fclose(file);
	return spawn_wait(pid, &status) < 0 ? -1 : status;
}
