/* open, metadata, truncate and exec: the path's memory, a link, a folder's descriptor, the working folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/race/race.h"

#define OWN_TEXT "the program's own file\n"
#define SYSTEMS "/bin/sh" /* nothing to look at any closer */
#define NOT_RAN 111
enum { RENAME_SWAP = 2 }; /* RENAME_EXCHANGE */

static void write_own(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	race_must(fd >= 0 && write(fd, OWN_TEXT, strlen(OWN_TEXT)) > 0, name);
	close(fd);
}

static void look(long fd)
{
	char text[128];

	if (!race_count(fd))
		return;
	ssize_t n = read((int)fd, text, sizeof text);
	if ((n != (ssize_t)strlen(OWN_TEXT) || memcmp(text, OWN_TEXT, strlen(OWN_TEXT)) != 0) && (n != sizeof text || memcmp(text, "\177ELF", 4) != 0))
		race_foreign(text, n > 0 ? (size_t)n : 0);
	close((int)fd);
}

static void path_init(void)
{
	write_own("own");
	swap_paths("own", race_get("secret"));
}

static void system_init(void)
{
	swap_paths(SYSTEMS, race_get("secret"));
}

/* The path lies on a page that another process has as well. */
static void page_init(void)
{
	swap_memory = mmap(NULL, SWAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	race_must(swap_memory != MAP_FAILED, "memory");
	system_init();
}

/* The path lies on a page of a file, which is the process's own as long as it writes nothing to it; the other writes to the file. */
static int page_file;
static char page_own[8] = SYSTEMS;

static void file_page_init(void)
{
	static char path[SWAP_SIZE];
	const char *secret = race_get("secret");

	page_file = open("page", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	race_must(page_file >= 0 && strlen(secret) + 8 < sizeof path, "page");
	snprintf(path, sizeof path, "////////%s", secret + 1);
	race_must(pwrite(page_file, path, sizeof path, 0) == sizeof path, "page");
	swap_memory = mmap(NULL, SWAP_SIZE, PROT_READ, MAP_PRIVATE, page_file, 0);
	race_must(swap_memory != MAP_FAILED, "memory");
}

static void flip_file_page(uint32_t r)
{
	if (pwrite(page_file, r & 1 ? page_own : "////////", sizeof page_own, 0) < 0)
		race_must(false, "page");
}

static void try_path(unsigned long i)
{
#ifdef SYS_open
	if (i & 1) {
		look(syscall(SYS_open, swap_memory, O_RDONLY | O_CLOEXEC, 0));
		return;
	}
#endif
	look(syscall(SYS_openat, AT_FDCWD, swap_memory, O_RDONLY | O_CLOEXEC, 0));
}

static void link_init(void)
{
	if (race_prepared())
		return;
	write_own("own");
	race_must(!symlink("own", "link") && !symlink(race_get("secret"), "other"), "symlink");
}

static void flip_link(uint32_t r)
{
	(void)r;
	syscall(SYS_renameat2, AT_FDCWD, "link", AT_FDCWD, "other", RENAME_SWAP);
}

static void try_link(unsigned long i)
{
	(void)i;
	look(syscall(SYS_openat, AT_FDCWD, "link", O_RDONLY | O_CLOEXEC, 0));
}

static const char *secret_name(void)
{
	return strrchr(race_get("secret"), '/') + 1;
}

static const char *secret_dir(void)
{
	static char dir[1024];

	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(race_get("secret"), '/') - race_get("secret")), race_get("secret"));
	return dir;
}

/* An O_PATH descriptor reads nothing, so anybody may have one of a folder that can be reached. */
static void dirfd_init(void)
{
	write_own(secret_name());
	swap_put(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), SLOT_A);
	swap_put(open(secret_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC), SLOT_B);
	race_must(dup3(SLOT_A, USED, O_CLOEXEC) == USED, "dup3");
}

static void try_dirfd(unsigned long i)
{
	(void)i;
	look(syscall(SYS_openat, USED, secret_name(), O_RDONLY | O_CLOEXEC, 0));
}

static void cwd_init(void)
{
	write_own(secret_name());
	race_must(!chdir(secret_dir()) && !chdir(race_own_dir), "chdir");
}

static void flip_cwd(uint32_t r)
{
	race_must(!chdir(r & 1 ? race_own_dir : secret_dir()), "chdir");
}

static void try_cwd(unsigned long i)
{
	(void)i;
	look(syscall(SYS_openat, AT_FDCWD, secret_name(), O_RDONLY | O_CLOEXEC, 0));
}

/* --- what is served on a pinned object --------------------------------------------------------------------------------------- */

static void victim_init(void)
{
	write_own("own");
	swap_paths("own", race_get("victim"));
}

static void try_mode(unsigned long i)
{
	race_count(i & 1 ? syscall(SYS_fchmodat, AT_FDCWD, swap_memory, 0666) : syscall(SYS_chmod, swap_memory, 0666));
}

/* The victim may be read, so everybody can have a descriptor of it. */
static void mode_descriptor_init(void)
{
	write_own("own");
	swap_put(open("own", O_RDONLY | O_CLOEXEC), SLOT_A);
	swap_put(open(race_get("victim"), O_RDONLY | O_CLOEXEC), SLOT_B);
	race_must(dup3(SLOT_A, USED, O_CLOEXEC) == USED, "dup3");
}

static void try_mode_descriptor(unsigned long i)
{
	(void)i;
	race_count(syscall(SYS_fchmod, USED, 0666));
}

/* By truncate(), and by an open that only asks to read. */
static void try_truncate(unsigned long i)
{
	long fd;

	if (i & 1) {
		race_count(syscall(SYS_truncate, swap_memory, 1));
		return;
	}
	fd = syscall(SYS_openat, AT_FDCWD, swap_memory, O_RDONLY | O_TRUNC | O_CLOEXEC, 0);
	if (race_count(fd))
		close((int)fd);
}

/* --- exec -------------------------------------------------------------------------------------------------------------------- */

#define MANY 64 /* tries of one process */

static void exec_init(void)
{
	const char *bin = race_get_or("bin", "/bin");

	race_must(!chdir(bin), bin);
	swap_paths("true", race_get("program"));
}

/* Most names are of nothing, so that a process can go on trying; now and then one runs. */
static void many_init(void)
{
	exec_init();
	swap_add("missing");
}

/* 0 or an exit status; -1: it was not started.  *more: tries but one. */
static int child_exec(int most, unsigned long *more)
{
	char *argv[] = {"true", "ran", (char *)race_get("marker"), NULL}, *envp[] = {NULL};
	volatile int error = 0, tried = 0;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		do { /* the child's memory is ours */
			if (tried++)
				race_count((errno = error, -1));
			syscall(SYS_execve, swap_memory, argv, envp);
			error = errno;
		} while (tried < most);
		_exit(NOT_RAN);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	*more = (unsigned long)tried - 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_RAN) {
		errno = error;
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void try_execs(int most)
{
	unsigned long more = 0;
	int status = child_exec(most, &more);

	race_also(more);
	if (race_count(status) && status)
		race_foreign("program", 7);
}

static void try_exec(unsigned long i)
{
	(void)i;
	try_execs(1);
}

static void try_many(unsigned long i)
{
	(void)i;
	try_execs(MANY);
}

/* "true" seldom: it ends the process. */
static void flip_many(uint32_t r)
{
	static const unsigned missing = 2, outside = 1, runs = 0;

	swap_flip_word(r & 1 ? outside : (r >> 1) % MANY ? missing : runs);
}

const struct race races_of_files[] = {
	{"path", path_init, swap_flip_word, try_path, .yields = false},
	{"system-path", system_init, swap_flip_word, try_path, .yields = false},
	{"page", page_init, swap_flip_word, try_path, .process = true},
	{"file-page", file_page_init, flip_file_page, try_path, .process = true},
	{"link", link_init, flip_link, try_link, .yields = false},
	{"link-process", link_init, flip_link, try_link, .process = true},
	{"dirfd", dirfd_init, swap_flip_slot, try_dirfd, .yields = false},
	{"cwd", cwd_init, flip_cwd, try_cwd, .yields = false},
	{"mode", victim_init, swap_flip_word, try_mode, .yields = false},
	{"mode-descriptor", mode_descriptor_init, swap_flip_slot, try_mode_descriptor, .yields = false},
	{"truncate", victim_init, swap_flip_word, try_truncate, .yields = false},
	{"exec", exec_init, swap_flip_word, try_exec, .yields = false},
	{"exec-many", many_init, flip_many, try_many, .yields = false},
	{0},
};
