/* execve and execveat.
 *
 * In the installer nothing else can be executed than `enter`, the launched command by the launched process, and the pip that an `enter` was told to become.
 * In a build or guest every exec is recorded; Landlock's EXECUTE is the wall.  Of a version control tool what asks for passwords is sent to `enter`. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alone.h"
#include "credential.h"
#include "grants.h"
#include "image.h"
#include "rights.h"
#include "seen.h"
#include "served.h"
#include "supervisor.h"
#include "tail.h"
#include "target.h"

#define WORDS_MAX 512          /* arguments that are looked at */
#define WORDS_BYTES (64 * 1024)
#define WORDS 3
#define WORD_MAX 64

static bool is_enter(const struct supervisor *s, const char *path)
{
	struct stat a, b;

	return path[0] == '/' && stat(path, &a) == 0 && stat(s->enter_path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static struct reply decide_installer(struct sandbox *sb, const struct seccomp_notif *req, const char *path, bool at)
{
	struct event ev = {
		.type = "exec", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "exec.installer"),
		.target = {.path = path}, .detail = "only pipwarden's own helper is executed inside pip: nothing allows this",
	};

	/* CONTINUE, twice: a changed path is harmless because Landlock grants execution on these very files only (and on the loader and the interpreter,
	 * which run nothing without an argument that another notified exec would have to give); no package's code runs in this process to change it. */
	if (!at && is_enter(sb->sup, path)) {
		return reply_continue("exec.enter");
	}
	if (!at && supervisor_take_ticket(sb->sup, target_tgid((pid_t)req->pid), path)) {
		return reply_continue("exec.ticket");
	}
	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(EACCES);
}

/* Nothing new is started: the caller's program is `become`, and what it starts was asked for by its path; or the caller starts itself again. */
static bool is_known(const struct sandbox *sb, pid_t tid, int program)
{
	struct stat exe, become, next;
	char link[40];

	snprintf(link, sizeof link, "/proc/%d/exe", (int)tid);
	if (stat(link, &exe) < 0) {
		return false;
	}
	return (stat(sb->sup->become_path, &become) == 0 && exe.st_dev == become.st_dev && exe.st_ino == become.st_ino) ||
	       (fstat(program, &next) == 0 && exe.st_dev == next.st_dev && exe.st_ino == next.st_ino);
}

/* A memfd, O_TMPFILE, a file that was unlinked: nobody who looks for the program later finds it. */
static bool has_no_name(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0;
}

/* Will Landlock refuse it, and `become` not read it either? */
static bool out_of_reach(const struct sandbox *sb, const struct resolved *r)
{
	return r->fd >= 0 && !grants_write(sb, r->real) && !served_holds(sb, r->real) && !rights_may_read(sb, r->real) &&
	       !tail_everybodys(supervisor_homes(sb->sup), r->fd, r->real);
}

static void record(struct sandbox *sb, const struct seccomp_notif *req, const struct resolved *r, const char *path)
{
	const char *rule = "exec.recorded";
	char hint[PATH_MAX + 32] = "";
	struct event ev = {
		.type = "exec", .action = EV_ALLOWED, .source = SRC_KERNEL,
		.target = {.path = r->real[0] != '\0' ? r->real : path, .as_written = path},
	};

	if (r->fd >= 0 && has_no_name(r->fd)) {
		rule = is_known(sb, (pid_t)req->pid, r->fd) ? rule : "exec.memory";
	} else if (out_of_reach(sb, r)) {
		rule = "exec.refused";
		ev.action = EV_DENIED;
		snprintf(hint, sizeof hint, "--allow-read %s:%s", role_name(sb->role), r->real);
		ev.detail = hint;
	}
	ev.verdict = policy_rule(supervisor_policy(sb->sup), rule);
	supervisor_record(sb, (pid_t)req->pid, &ev);
}

/* `become` executes what the kernel would not, but only the shim goes there by itself. */
static bool needs_shim(struct sandbox *sb, const struct seccomp_notif *req, const struct resolved *r)
{
	return sb->served != NULL && sb->checked_in != NULL && r->fd >= 0 && !served_executes(sb, r->fd, r->real) &&
	       images_lack(sb->checked_in, image_of((pid_t)req->pid));
}

/* What a VCS tool has fetched is no program of its own, nor is what lies in memory.  Of files Landlock says so as well. */
static bool is_fetched(const struct sandbox *sb, const struct resolved *r)
{
	return sb->role == ROLE_VCS && r->fd >= 0 && (has_no_name(r->fd) || grants_write(sb, r->real));
}

/* The words that a program is started with, as many as tell what it is asked for.  False: they cannot be read. */
static bool first_words(struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, char text[WORDS][WORD_MAX], const char *words[WORDS + 1])
{
	uint64_t at[WORDS];
	ssize_t n = address != 0 ? target_read_some(sb, req, address, at, sizeof at) : 0;

	memset(words, 0, (WORDS + 1) * sizeof *words);
	for (size_t i = 0; i < WORDS && n >= (ssize_t)((i + 1) * sizeof *at) && at[i] != 0; i++) {
		ssize_t len = target_string(sb, req, at[i], text[i], WORD_MAX, true);
		if (len < 0 && len != -ENAMETOOLONG) {
			return false;
		}
		text[i][WORD_MAX - 1] = '\0'; /* none that is meant is so long */
		words[i] = text[i];
	}
	return true;
}

/* A program that knows passwords gets a sandbox of its own, by way of `enter`: here it would find neither its store nor its agent.  Whoever makes us see another
 * program gains nothing but to have it here. */
static bool enters(struct sandbox *sb, const struct seccomp_notif *req, const struct resolved *r, const char *path, bool at)
{
	char text[WORDS][WORD_MAX];
	const char *words[WORDS + 1];
	struct stat st;

	return sb->role == ROLE_VCS && !sb->audit && r->fd >= 0 && fstat(r->fd, &st) == 0 && first_words(sb, req, req->data.args[at ? 2 : 1], text, words) &&
	       credential_helper(sb->sup->run->installer, path, &st, words) != NULL;
}

static struct reply refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *path, const char *why)
{
	struct event ev = {
		.type = "exec", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(supervisor_policy(sb->sup), "exec.refused"),
		.target = {.path = path},
		.detail = why,
	};

	supervisor_record(sb, (pid_t)req->pid, &ev);
	return reply_error(EACCES);
}

/* What the program is to be told, as far as the bounds go; its environment is that of everybody here.  How many bytes. */
static size_t read_words(const struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, char words[WORDS_BYTES])
{
	uint64_t pointers[WORDS_MAX];
	ssize_t got = target_read_some(sb, req, address, pointers, sizeof pointers);
	size_t count = got > 0 ? (size_t)got / sizeof *pointers : 0, used = 0;

	for (size_t i = 0; i < count && pointers[i] != 0 && used + 1 < WORDS_BYTES; i++) {
		ssize_t len = target_string(sb, req, pointers[i], words + used, WORDS_BYTES - used, true);
		used = len >= 0 ? used + (size_t)len + 1 : len == -ENAMETOOLONG ? WORDS_BYTES : used;
	}
	return used;
}

/* A look that can be wrong, for the memory may change: nothing is let through or refused for it. */
static void look_at_words(struct sandbox *sb, const struct seccomp_notif *req, uint64_t address, const char *path)
{
	char *words = seen_possible(sb) ? malloc(WORDS_BYTES) : NULL;

	if (words != NULL) {
		size_t len = read_words(sb, req, address, words);
		decoy_seen_data(sb, (pid_t)req->pid, &(struct seen_place){.in = SEEN_ARGV, .path = path}, words, len);
	}
	free(words);
}

struct reply handle_exec(struct sandbox *sb, const struct seccomp_notif *req)
{
	bool at = req->data.nr == SYS_execveat;
	unsigned flags = at ? (unsigned)req->data.args[4] : 0;
	int dirfd = at ? (int)req->data.args[0] : AT_FDCWD;
	struct resolved r;
	char path[PATH_MAX];
	ssize_t len = target_string(sb, req, req->data.args[at ? 1 : 0], path, sizeof path, sb->role != ROLE_INSTALLER);

	alone_forget(sb, req);
	if (len < 0) {
		return reply_error((int)-len);
	}
	if (sb->role == ROLE_INSTALLER) {
		return decide_installer(sb, req, path, at);
	}
	if (path[0] == '\0' && (flags & AT_EMPTY_PATH) != 0) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", dirfd); /* a descriptor: memfd or file; named as such */
	}
	/* As the caller sees it, whose /proc and /dev/shm are its own. */
	int error = target_resolve(sb, req, dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, false, &r);
	struct reply reply = reply_continue("exec.landlock");
	if (error == -ENOENT || error == -ENOTDIR || error == -ESRCH) {
		/* A PATH search makes one failing exec a folder: they are nobody's business. */
	} else if (is_fetched(sb, &r)) {
		reply = refuse(sb, req, path, "a version control tool starts nothing that came with a repository: no option allows it");
	} else if (enters(sb, req, &r, path, at)) {
		reply = images_lack(sb->checked_in, image_of((pid_t)req->pid)) ? refuse(sb, req, path, "it is asked for passwords, and started so by dynamically linked programs only")
		                                                               : reply_error(PW_EXEC_ENTERS);
	} else if (needs_shim(sb, req, &r)) {
		reply = refuse(sb, req, path, "a program that was made in the project's folder can be started by dynamically linked programs only"); /* nothing is let through by this: Landlock has no rule for it either */
	} else if (strcmp(path, sb->sup->become_path) != 0 && !(sb->requirement != NULL && is_enter(sb->sup, path))) {
		/* what `become` is started for was recorded when the kernel was asked for it; what `enter` is, is where it runs */
		record(sb, req, &r, path);
		look_at_words(sb, req, req->data.args[at ? 2 : 1], r.real[0] != '\0' ? r.real : path);
	}
	close_fd(&r.fd);
	/* Landlock's EXECUTE judges the file that the kernel really opens, whatever the memory says by then. */
	return reply;
}
