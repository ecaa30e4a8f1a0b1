/* become: what a program becomes that may be read in a sandbox, and that the kernel does not let be executed where it lies.
 *
 * Landlock asks for a right to execute that a served file cannot have (supervise/served.h): a rule is made for what is there when the sandbox begins.
 * So execve is EACCES; the shim then executes this in its place, in the same process, with argv untouched and PIPWARDEN_EXEC=path in the environment.
 * It does by hand what execve does:
 *     a script    its interpreter is executed, with the path
 *     a program   a copy of it in memory is executed; where the program asks for libraries beside itself ($ORIGIN), which a copy has not, the loader
 *                 that it names is executed with the path
 *
 * It has no right that its caller has not, and decides nothing: whoever may read a file can copy it and run the copy.  What may be read is the supervisor's
 * to say, open by open.  Statically linked: no shim can be loaded into it.  Single-threaded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/base/environment.h"
#include "launcher/base/fd.h"
#include "preload/exec_head.h"
#include "preload/pw_event.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* Linux 6.3; older ones say EINVAL */
#endif

#define SCRIPTS_MAX 5 /* how many `#!` the kernel follows */

struct program {
	const char *path;
	char **argv;
	size_t argc;
};

static void __attribute__((noreturn)) fail(const char *path, int error)
{
	fprintf(stderr, "pipwarden: %s: %s\n", path, strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

/* argv with `more` in place of its first word; NULLs of `more` are left out. */
static struct program with_words(const struct program *p, const char *path, const char *const *more, size_t count)
{
	struct program out = {.path = path, .argv = calloc(count + p->argc + 1, sizeof *out.argv)};

	if (out.argv == NULL) {
		fail(p->path, ENOMEM);
	}
	for (size_t i = 0; i < count; i++) {
		if (more[i] != NULL) {
			out.argv[out.argc++] = (char *)more[i];
		}
	}
	for (size_t i = 1; i < p->argc; i++) {
		out.argv[out.argc++] = p->argv[i];
	}
	return out;
}

static bool contains(int fd, size_t size, const char *const *words)
{
	void *file = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	bool found = false;

	if (file == MAP_FAILED) {
		return false;
	}
	for (; *words != NULL && !found; words++) {
		found = memmem(file, size, *words, strlen(*words)) != NULL;
	}
	munmap(file, size);
	return found;
}

static size_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
}

/* --- programs ------------------------------------------------------------------------------------ */

static int copy(const char *path, int fd, size_t size)
{
	char name[200]; /* 249 at most */
	const char *slash = strrchr(path, '/');
	off_t at = 0;

	snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : path);
	cleanup_fd int memory = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
	if (memory < 0 && errno == EINVAL) {
		memory = memfd_create(name, MFD_CLOEXEC);
	}
	while (memory >= 0 && (size_t)at < size) {
		if (sendfile(memory, fd, &at, size - (size_t)at) <= 0) {
			return -1;
		}
	}
	return steal_fd(&memory);
}

/* The first word of argv is the program's to choose: loaders older than glibc 2.33 do not pass it on. */
static bool passes_name(const char *loader)
{
	cleanup_fd int fd = open(loader, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && contains(fd, size_of(fd), (const char *const[]){"--argv0", NULL});
}

static void __attribute__((noreturn)) run_by_loader(const struct program *p, const char *loader)
{
	char beside[4096];
	bool named = p->argc > 0 && passes_name(loader);
	/* Without a slash the loader would search for a library of that name. */
	snprintf(beside, sizeof beside, "%s%s", strchr(p->path, '/') != NULL ? "" : "./", p->path);
	const char *const words[] = {loader, named ? "--argv0" : NULL, named ? p->argv[0] : NULL, beside};
	struct program by = with_words(p, loader, words, 4);

	execve(loader, by.argv, environ);
	fail(p->path, errno);
}

static void __attribute__((noreturn)) run_program(const struct program *p, int fd, const char *loader)
{
	size_t size = size_of(fd);
	bool beside = loader != NULL && contains(fd, size, (const char *const[]){"$ORIGIN", "${ORIGIN}", NULL});
	int memory = beside ? -1 : copy(p->path, fd, size);

	if (memory >= 0) {
		syscall(SYS_execveat, memory, "", p->argv, environ, AT_EMPTY_PATH);
	} else if (loader != NULL) { /* or a machine that lets no memory be executed */
		run_by_loader(p, loader);
	}
	fail(p->path, errno);
}

/* --- scripts ------------------------------------------------------------------------------------- */

static void __attribute__((noreturn)) run(struct program p, int scripts)
{
	static char heads[SCRIPTS_MAX + 1][EXEC_HEAD_SIZE];
	struct exec_interp interp;
	int fd = open(p.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len = fd < 0 ? -1 : pread(fd, heads[scripts], sizeof *heads, 0);
	int error = len < 0 ? errno : exec_head(heads[scripts], (size_t)len, &interp);

	if (error == 0 && interp.script && scripts == SCRIPTS_MAX) {
		error = ELOOP;
	}
	if (error != 0) {
		fail(p.path, error);
	}
	if (!interp.script) {
		run_program(&p, fd, interp.path);
	}
	close(fd);
	struct program by = with_words(&p, interp.path, (const char *const[]){interp.path, interp.argument, p.path}, 3);
	execve(by.path, by.argv, environ);
	if (errno != EACCES) {
		fail(p.path, errno);
	}
	run(by, scripts + 1); /* the interpreter lies in a served place itself */
}

int main(int argc, char **argv)
{
	char *path = envp_take(environ, PW_EXEC_VARIABLE);

	if (path == NULL) {
		fputs("pipwarden: become is started by programs of a sandbox only\n", stderr);
		return 126;
	}
	run((struct program){.path = path, .argv = argv, .argc = argc > 0 ? (size_t)argc : 0}, 0);
}
