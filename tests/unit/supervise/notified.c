#include "notified.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/sandbox/compat.h"
#include "launcher/supervise/decoys.h"
#include "launcher/supervise/domain.h"
#include "launcher/supervise/seen.h"
#include "launcher/supervise/trusted.h"

struct supervisor {
	struct world *world;
};
static struct supervisor the_supervisor;

/* --- what the supervisor would provide -------------------------------------------------------- */

const struct policy *supervisor_policy(const struct supervisor *s) { return NULL; }
const struct caps *supervisor_caps(const struct supervisor *s) { return &s->world->caps; }
const char *const *supervisor_environment(const struct supervisor *s);
const char *const *supervisor_environment(const struct supervisor *s) { return s->world->environments; }
const char *const *supervisor_homes(const struct supervisor *s);
const char *const *supervisor_homes(const struct supervisor *s)
{
	static const char *homes[2];
	homes[0] = s->world->home;
	return homes;
}
const char *supervisor_temp(const struct supervisor *s);
const char *supervisor_temp(const struct supervisor *s) { return s->world->temp; }
const char *supervisor_shim(const struct supervisor *s);
const char *supervisor_shim(const struct supervisor *s) { (void)s; return "/opt/pipwarden/libpipwarden.so"; }
const uint8_t *supervisor_decoy_key(const struct supervisor *s) { return (const uint8_t *)"a key of thirty-two bytes of test"; }
void decoys_plant(struct decoys *d, const char *home, const uint8_t key[DECOY_KEY_LEN]) { }
bool decoys_have(struct decoys *d, int fd) { return false; }
void seen_file_read(struct sandbox *sb, const char *real) { }
struct reply decoys_instead(const uint8_t key[DECOY_KEY_LEN], const char *real, uint64_t flags) { return reply_error(ENOSYS); }
const char *role_name(enum role r) { return "build"; }
bool policy_grant_conflict(const struct policy *p, const char *path, enum file_access access, const char **what) { return strcmp(path, "/") == 0; }
bool policy_role_grant_conflict(const struct policy *p, enum role role, const char *path, enum file_access access, const char **what) { return policy_grant_conflict(p, path, access, what); }
bool rights_may_read(const struct sandbox *sb, const char *real);
bool rights_may_read(const struct sandbox *sb, const char *real) { return strcmp(real, world_path(sb->sup->world, "outside/unnamed")) != 0; }
struct resolved;
bool vcs_is_own_store(const struct sandbox *sb, const char *real);
bool vcs_is_own_store(const struct sandbox *sb, const char *real) { return false; }
bool vcs_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply);
bool vcs_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply) { return false; }
/* Nothing confines here: the domain's thread is the test's own. */
int domain_run(struct domain *d, domain_func *f, void *argument)
{
	f(argument);
	return 0;
}
int domain_enter(const struct domain_rights *rights) { return 0; }
bool domain_usual(pid_t tid) { return true; }
void domain_wear(pid_t tid) {}
bool supervisor_is_own(const struct supervisor *s, pid_t pid);
bool supervisor_is_own(const struct supervisor *s, pid_t pid) { return pid == getpid(); }

bool policy_file(const struct policy *p, const char *path, enum file_access access, struct verdict *out)
{
	bool secret = strstr(path, "/secret") || strcmp(path, "/etc/shadow") == 0;
	bool persistence = access == FILE_WRITE && strstr(path, "/persist");
	if (!secret && !persistence)
		return false;
	*out = (struct verdict){.rule = persistence ? "file.persistence.test" : "file.test", .kind = "", .severity = SEV_CRITICAL, .action = ACTION_ABORT};
	return true;
}

/* In a served folder: `.env` is never read, a PEM file where it holds a key; `.git` and `ci.yml` in the folder itself are never changed. */
bool policy_project(const struct policy *p, const char *path, enum file_access access, struct verdict *out)
{
	const char *name = strrchr(path, '/') + 1, *rule = NULL;
	size_t len = strlen(name);
	if (strcmp(name, ".env") == 0)
		rule = "file.project.env";
	else if (len > 4 && strcmp(name + len - 4, ".pem") == 0)
		rule = "file.project.key";
	else if (access == FILE_WRITE && (strstr(path, "/.git/") || strcmp(name, ".git") == 0 || strcmp(path, "/ci.yml") == 0 || strcmp(path, "/anchored/ci") == 0))
		rule = "file.persistence.test";
	if (rule)
		*out = (struct verdict){.rule = rule, .kind = "", .severity = SEV_HIGH, .action = ACTION_DENY};
	return rule != NULL;
}

void path_fold(const char *path, char *out)
{
	do {
		*out++ = *path >= 'A' && *path <= 'Z' ? (char)(*path + 32) : *path;
	} while (*path++);
}

bool policy_project_folded(const struct policy *p, const char *path, enum file_access access, struct verdict *out)
{
	char small[PATH_MAX];
	path_fold(path, small);
	return policy_project(p, small, access, out);
}

bool policy_project_holds(const struct policy *p, const char *path) { return strcmp(path, "/anchored") == 0; }
const char *const *policy_grants(const struct policy *p, enum role role, enum file_access access) { return NULL; }

void policy_secret_places(const struct policy *p, void (*each)(void *context, const char *path), void *context)
{
	each(context, world_path(the_supervisor.world, "outside"));
}

struct verdict policy_rule(const struct policy *p, const char *id)
{
	return (struct verdict){.rule = id, .kind = "", .severity = SEV_MEDIUM, .action = ACTION_DENY};
}

static void keep(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

void supervisor_record(struct sandbox *sb, pid_t pid, struct event *ev)
{
	struct world *w = sb->sup->world;
	if (w->events < EVENTS_MAX) {
		struct kept_event *k = &w->event[w->events];
		keep(k->type, sizeof k->type, ev->type);
		keep(k->rule, sizeof k->rule, ev->verdict.rule);
		keep(k->path, sizeof k->path, ev->target.path);
		keep(k->as_written, sizeof k->as_written, ev->target.as_written);
		keep(k->name, sizeof k->name, ev->target.name);
		keep(k->detail, sizeof k->detail, ev->detail);
		k->action = ev->action;
		k->wanted = ev->verdict.action;
	}
	w->events++;
}

/* --- the world --------------------------------------------------------------------------------- */

const char *world_path(const struct world *w, const char *format, ...)
{
	static char ring[8][PATH_MAX];
	static unsigned next;
	char *out = ring[next++ % 8];
	int n = snprintf(out, PATH_MAX, "%s/", w->top);
	va_list ap;
	va_start(ap, format);
	vsnprintf(out + n, PATH_MAX - (size_t)n, format, ap);
	va_end(ap);
	return out;
}

void world_file(const struct world *w, const char *path, const char *text, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void make_dir(char *out, size_t size, const struct world *w, const char *name)
{
	snprintf(out, size, "%s/%s", w->top, name);
	assert_int_equal(mkdir(out, 0755), 0);
}

void world_init(struct world *w)
{
	memset(w, 0, sizeof *w);
	snprintf(w->top, sizeof w->top, "/var/tmp/pw-unit-XXXXXX");
	assert_non_null(mkdtemp(w->top));
	assert_int_equal(chmod(w->top, 0755), 0);
	make_dir(w->own, sizeof w->own, w, "own");
	make_dir(w->home, sizeof w->home, w, "home");
	make_dir(w->outside, sizeof w->outside, w, "outside");
	make_dir(w->temp, sizeof w->temp, w, "temp");
	make_dir(w->environment, sizeof w->environment, w, "environment");
	make_dir(w->trusted, sizeof w->trusted, w, "trusted");
	world_file(w, world_path(w, "outside/secret"), "secret", 0644);
	world_file(w, world_path(w, "outside/plain"), "plain", 0644);
	world_file(w, world_path(w, "own/file"), "file", 0644);
	world_file(w, world_path(w, "trusted/header.h"), "h", 0644);
	assert_int_equal(mkdir(world_path(w, "own/dir"), 0755), 0);
	w->writable[0] = w->own;
	w->readable[0] = w->trusted;
	w->environments[0] = w->environment;
	w->caps = (struct caps){.landlock_abi = 7, .process_vm = true, .pidfd_getfd = true};
	w->result = mmap(NULL, RESULTS_MAX * sizeof(long) + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(w->result != MAP_FAILED);
	w->sb = (struct sandbox){.sup = &the_supervisor, .id = 1, .role = ROLE_BUILD, .listener = -1, .home = w->home,
	                         .writable = w->writable, .readable = w->readable};
	w->sb.alone = &w->alone;
	the_supervisor.world = w;
}

void world_finish(struct world *w)
{
	char command[200];
	snprintf(command, sizeof command, "rm -rf '%s'", w->top);
	assert_int_equal(system(command), 0);
	alone_finish(&w->alone);
	munmap(w->result, RESULTS_MAX * sizeof(long) + 4096);
}

const struct kept_event *world_event(const struct world *w, const char *path)
{
	for (unsigned i = 0; i < w->events && i < EVENTS_MAX; i++)
		if (strcmp(w->event[i].path, path) == 0)
			return &w->event[i];
	return NULL;
}

long try(long nr, long a, long b, long c, long d, long e)
{
	long got = syscall(nr, a, b, c, d, e, 0);
	return got < 0 ? -errno : got;
}

/* --- the child --------------------------------------------------------------------------------- */

static const struct { int nr; handler_func *handler; } notified[] = {
	{__NR_openat, handle_open}, {__NR_openat2, handle_open}, {__NR_getppid, NULL},
	{__NR_fchmod, handle_meta}, {__NR_fchmodat, handle_meta}, {PW_NR_fchmodat2, handle_meta}, {__NR_fchown, handle_meta},
	{__NR_fchownat, handle_meta}, {__NR_utimensat, handle_meta}, {__NR_setxattr, handle_meta}, {__NR_lsetxattr, handle_meta},
	{__NR_fsetxattr, handle_meta}, {__NR_removexattr, handle_meta}, {__NR_lremovexattr, handle_meta}, {__NR_fremovexattr, handle_meta},
	{PW_NR_setxattrat, handle_meta}, {PW_NR_removexattrat, handle_meta}, {PW_NR_file_setattr, handle_meta}, {__NR_ioctl, handle_meta},
	{__NR_renameat2, handle_tree}, {__NR_linkat, handle_tree}, {__NR_symlinkat, handle_tree}, {__NR_unlinkat, handle_tree},
	{__NR_mkdirat, handle_tree}, {__NR_mknodat, handle_tree}, {__NR_truncate, handle_tree},
	{__NR_kill, handle_signal}, {__NR_setpriority, handle_signal}, {__NR_ioprio_set, handle_signal},
#ifdef __NR_open
	{__NR_open, handle_open}, {__NR_creat, handle_open}, {__NR_chmod, handle_meta}, {__NR_chown, handle_meta}, {__NR_lchown, handle_meta},
	{__NR_utime, handle_meta}, {__NR_utimes, handle_meta}, {__NR_futimesat, handle_meta},
	{__NR_rename, handle_tree}, {__NR_link, handle_tree}, {__NR_mkdir, handle_tree},
#endif
};
enum { NOTIFIED = sizeof notified / sizeof notified[0] };

static int load_filter(bool wait_killable)
{
	struct sock_filter program[NOTIFIED * 2 + 2];
	size_t n = 0;
	program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < NOTIFIED; i++) {
		program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)notified[i].nr, 0, 1);
		program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = {.len = (unsigned short)n, .filter = program};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	                    SECCOMP_FILTER_FLAG_NEW_LISTENER | (wait_killable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0), &prog);
}

/* Shared words behind the results. */
struct handshake {
	_Atomic int listener; /* + 1 */
	_Atomic int go;
	_Atomic int refused;
	_Atomic pid_t init;
	_Atomic bool racing, swapped, both, stop;
};

static struct handshake *shake(const struct world *w)
{
	return (struct handshake *)(void *)(w->result + RESULTS_MAX);
}

static void child(struct world *w, void (*body)(struct world *w))
{
	struct handshake *h = shake(w);
	alarm(60);
	h->listener = load_filter(w->caps.wait_killable) + 1;
	for (int i = 0; i < 10000 && !h->go; i++)
		usleep(1000);
	if (unshare(CLONE_FILES) < 0 || !h->go)
		_exit(3);
	body(w);
	_exit(0);
}

static void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0) {}
		close(fd);
	}
}

/* Namespaces of its own, and a child in them that sees fresh /proc and /dev/shm.  The table of descriptors stays shared. */
static void namespaced(struct world *w, void (*body)(struct world *w))
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | (uid ? CLONE_NEWUSER : 0)) < 0) {
		shake(w)->refused = 1;
		_exit(0);
	}
	if (uid) {
		snprintf(map, sizeof map, "%u %u 1", uid, uid);
		write_map("/proc/self/uid_map", map);
		write_map("/proc/self/setgroups", "deny");
		snprintf(map, sizeof map, "%u %u 1", gid, gid);
		write_map("/proc/self/gid_map", map);
	}
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0 ||
		    mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL) < 0) {
			shake(w)->refused = 1;
			_exit(0);
		}
		child(w, body);
	}
	shake(w)->init = pid;
	int status;
	if (waitpid(pid, &status, 0) < 0)
		_exit(4);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 5);
}

void reply_send(struct sandbox *sb, uint64_t id, struct reply r)
{
	struct seccomp_notif_resp resp = {.id = id};
	if (r.kind == REPLY_FD) {
		struct seccomp_notif_addfd put = {.id = id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)r.value, .newfd_flags = r.fd_flags};
		ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &put);
		close((int)r.value);
		return;
	}
	if (r.kind == REPLY_CONTINUE)
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (r.kind == REPLY_ERROR)
		resp.error = -(int)r.value;
	else
		resp.val = r.value;
	ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static void answer(struct world *w)
{
	struct seccomp_notif req;
	struct reply r = reply_error(ENOSYS);
	memset(&req, 0, sizeof req);
	if (ioctl(w->sb.listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return;
	w->notified++;
	for (size_t i = 0; i < NOTIFIED; i++)
		if (notified[i].nr == req.data.nr && notified[i].handler)
			r = notified[i].handler(&w->sb, &req);
	if (req.data.nr == __NR_getppid && w->hook) {
		w->hook(w, &req);
		r = reply_value(0);
	}
	if (r.kind != REPLY_LATER)
		reply_send(&w->sb, req.id, r);
}

static int count_fds(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void trusted_setup_once(void)
{
	static bool done;
	if (!done)
		trusted_setup();
	done = true;
}

bool world_run(struct world *w, void (*body)(struct world *w))
{
	struct handshake *h = shake(w);
	h->listener = h->go = h->refused = h->init = 0;
	w->events = w->notified = 0;
	trusted_setup_once();
	int before = count_fds(), status = -1;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (w->namespaces)
			namespaced(w, body);
		child(w, body);
	}
	assert_true(pid > 0);
	for (int i = 0; i < 10000 && !h->listener && !h->refused; i++)
		usleep(1000);
	if (h->refused) {
		waitpid(pid, &status, 0);
		return false;
	}
	assert_true(h->listener > 0);
	w->sb.listener = h->listener - 1;
	w->sb.init = pid;
	w->sb.namespaces = w->namespaces;
	w->sb.pid_ns = 0;
	if (w->namespaces) {
		struct stat st;
		char path[64];
		for (int i = 0; i < 1000 && !h->init; i++)
			usleep(1000);
		snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)h->init);
		assert_int_equal(stat(path, &st), 0);
		w->sb.pid_ns = st.st_ino;
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* as the supervisor is, once its children have been forked */
	ioctl(w->sb.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	h->go = 1;
	bool done = false;
	while (!done) {
		struct pollfd p = {.fd = w->sb.listener, .events = POLLIN};
		int n = poll(&p, 1, 200);
		if (n > 0 && (p.revents & POLLIN))
			answer(w);
		else if (n == 0 || (p.revents & POLLHUP))
			done = waitpid(pid, &status, n == 0 ? WNOHANG : 0) == pid;
	}
	close(w->sb.listener);
	alone_finish(&w->alone);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	assert_int_equal(status, 0);
	assert_int_equal(count_fds(), before); /* no handler has left a descriptor open */
	return true;
}

/* --- races ------------------------------------------------------------------------------------- */

enum { SWAPS = 20000, SWAP_SECONDS = 40 };

bool world_swapping(struct world *w, bool both)
{
	shake(w)->racing = true;
	shake(w)->both = both;
	return !shake(w)->swapped;
}

/* A thread of the test itself: notified, it would be in step with the calls that it races. */
static void *swap(void *argument)
{
	struct world *w = argument;
	struct handshake *h = shake(w);
	char a[200], b[200];
	snprintf(a, sizeof a, "%s/a", w->own);
	snprintf(b, sizeof b, "%s/b", w->own);
	/* On a busy machine that many swaps can pass within one call of the body's: the race is one when both sides were met. */
	time_t end = time(NULL) + SWAP_SECONDS;
	for (int i = 0; (i < SWAPS || !h->racing || !h->both) && !h->stop && time(NULL) < end; i++)
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */);
	h->swapped = true;
	return NULL;
}

bool world_run_swapping(struct world *w, void (*body)(struct world *w))
{
	pthread_t racer;
	assert_int_equal(mkdir(world_path(w, "own/a"), 0755), 0);
	world_file(w, world_path(w, "own/a/plain"), "x", 0644);
	assert_int_equal(symlink(w->outside, world_path(w, "own/b")), 0);
	memset(shake(w), 0, sizeof(struct handshake));
	assert_int_equal(pthread_create(&racer, NULL, swap, w), 0);
	bool run = world_run(w, body);
	shake(w)->stop = true;
	pthread_join(racer, NULL);
	return run;
}

void world_skip(void)
{
	if (getenv("PIPWARDEN_MUST_WORK"))
		fail_msg("namespaces cannot be made here");
	print_message("skipped: namespaces cannot be made here\n");
	skip();
}

int run_as_both(int (*group)(void))
{
	int failed = group();
	if (geteuid() != 0)
		return failed;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
			_exit(99);
		int n = group();
		fflush(NULL);
		_exit(n);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return failed + 1;
	return failed + WEXITSTATUS(status);
}
