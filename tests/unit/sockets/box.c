#include "box.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launcher/sandbox/compat.h"
#include "launcher/supervise/kept_code.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/lookup.h"
#include "launcher/supervise/proxied.h"
#include "launcher/supervise/seen.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/stub.h"
#include "launcher/supervise/supervisor.h"

/* --- what the supervisor would provide --------------------------------------------------------- */

static struct box *the_box;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

const struct policy *supervisor_policy(const struct supervisor *s) { return NULL; }
const struct caps *supervisor_caps(const struct supervisor *s) { return &the_box->caps; }
const char *supervisor_temp(const struct supervisor *s) { return the_box->temp; }
size_t supervisor_redact(const struct supervisor *s, char *dst, size_t cap, const char *text)
{
	const char *secret = strstr(text, BOX_SECRET);
	int before = secret ? (int)(secret - text) : (int)strlen(text);

	return (size_t)snprintf(dst, cap, "%.*s%s%s", before, text, secret ? "[redacted]" : "", secret ? secret + strlen(BOX_SECRET) : "");
}
struct names *supervisor_resolver(struct supervisor *s) { return the_box->names; }
bool supervisor_is_own(const struct supervisor *s, pid_t pid) { return pid == getpid() || pid == the_box->outsider; }
bool stub_listens_at(const struct sandbox *sb, const struct sockaddr_storage *sa) { return false; }
bool kept_code_add(struct sandbox *sb, const char *text, size_t len, char digest[KEPT_CODE_DIGEST])
{
	snprintf(digest, KEPT_CODE_DIGEST, "%.*s", (int)len, text);
	return false;
}

struct reply session_enter(struct sandbox *sb, const struct seccomp_notif *req) { return reply_value(4711); }
const char *policy_digest(const struct policy *p) { return "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"; }

int supervisor_names(struct sandbox *sb)
{
	return -ENOENT;
}

void lookup_allowed(struct shade *who, const char *host, int family, struct pw_answer *out) { names_resolve(the_box->names, host, family, out); }
bool lookup_reaches(const struct sandbox *sb, const char *host, const struct pw_address *address, unsigned port) { return false; }
bool connect_is_relayed(struct sandbox *sb, const struct sockaddr_storage *sa) { return false; }
bool connect_is_stand_in(struct sandbox *sb, const struct sockaddr_storage *sa) { return false; }
bool proxied_connect(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, const struct sockaddr_text *to, struct reply *reply)
{
	return false;
}
bool connect_relayed(struct sandbox *sb, const struct seccomp_notif *req, int *sock, const struct sockaddr_storage *sa, socklen_t len, const struct in_place *place,
                     struct reply *reply)
{
	return false;
}

const struct needles *seen_needles(struct sandbox *sb, enum needle_kind kind) { return NULL; }
void seen_file_read(struct sandbox *sb, const char *real) {}
bool decoy_seen_data(struct sandbox *sb, pid_t pid, const struct seen_place *where, const void *bytes, size_t len) { return false; }
bool decoy_seen_record(struct sandbox *sb, pid_t pid, const struct seen_place *where, const struct needle_hits *hits) { return false; }

const char *const *supervisor_decoys(const struct sandbox *sb)
{
	static const char *const names[] = {"OTHER", "TOKEN", NULL};

	return names;
}

bool supervisor_host_allowed(const struct sandbox *sb, const char *host, unsigned port)
{
	const struct box *b = the_box;

	return sb->role == ROLE_INSTALLER && b->allowed_host && !strcmp(host, b->allowed_host) && (!port || !b->allowed_port || port == b->allowed_port);
}

struct verdict policy_rule(const struct policy *p, const char *id)
{
	return (struct verdict){.rule = id, .kind = "", .severity = SEV_MEDIUM, .action = ACTION_DENY};
}

bool policy_file(const struct policy *p, const char *path, enum file_access access, struct verdict *out) { return false; }
const char *role_name(enum role r) { return "build"; }
const char *const *supervisor_environment(const struct supervisor *s) { static const char *const none[] = {NULL}; return none; }
bool policy_grant_conflict(const struct policy *p, const char *path, enum file_access access, const char **what) { return false; }
bool policy_role_grant_conflict(const struct policy *p, enum role role, const char *path, enum file_access access, const char **what) { return false; }

bool policy_host_denied(const struct policy *p, const char *host, struct verdict *out)
{
	*out = (struct verdict){.rule = "net.exfil.test", .kind = "", .severity = SEV_CRITICAL, .action = ACTION_ABORT};
	return strstr(host, "exfil.example") != NULL;
}

bool policy_host_watched(const struct policy *p, const char *host, struct verdict *out)
{
	*out = (struct verdict){.rule = "net.watch.test", .kind = "", .severity = SEV_MEDIUM, .action = ACTION_DENY};
	return !strcmp(host, "watched.example") || !strcmp(host, "8.8.8.8");
}

bool policy_address_denied(const struct policy *p, const char *address, struct verdict *out)
{
	*out = (struct verdict){.rule = "net.metadata.test", .kind = "", .severity = SEV_CRITICAL, .action = ACTION_DENY};
	return !strcmp(address, "169.254.169.254");
}

static void keep(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

void supervisor_record(struct sandbox *sb, pid_t pid, struct event *ev)
{
	struct box *b = the_box;

	pthread_mutex_lock(&kept_lock);
	if (b->events < KEPT_MAX) {
		struct kept *k = &b->kept[b->events];

		keep(k->type, sizeof k->type, ev->type);
		keep(k->rule, sizeof k->rule, ev->verdict.rule);
		keep(k->host, sizeof k->host, ev->target.host);
		keep(k->address, sizeof k->address, ev->target.address);
		keep(k->path, sizeof k->path, ev->target.path);
		keep(k->protocol, sizeof k->protocol, ev->target.protocol);
		keep(k->name, sizeof k->name, ev->target.name);
		keep(k->url, sizeof k->url, ev->target.url);
		k->port = ev->target.port;
		k->source = ev->source;
	}
	b->events++;
	pthread_mutex_unlock(&kept_lock);
}

void reply_send(struct sandbox *sb, uint64_t id, struct reply r)
{
	struct seccomp_notif_resp resp = {.id = id};
	struct seccomp_notif_addfd add = {.id = id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)r.value, .newfd_flags = r.fd_flags};

	switch (r.kind) {
	case REPLY_LATER: return;
	case REPLY_CONTINUE: resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE; break;
	case REPLY_VALUE: resp.val = r.value; break;
	case REPLY_ERROR: resp.error = (int)-r.value; break;
	case REPLY_FD:
		if (ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
			fprintf(stderr, "ADDFD: %s\n", strerror(errno));
		close((int)r.value);
		return;
	}
	ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* --- the box ----------------------------------------------------------------------------------- */

void box_init(struct box *b)
{
	struct sockaddr_storage sa;
	socklen_t len;

	memset(b, 0, sizeof *b);
	the_box = b;
	snprintf(b->top, sizeof b->top, "/var/tmp/pw-box-XXXXXX");
	assert_non_null(mkdtemp(b->top));
	snprintf(b->own, sizeof b->own, "%s/own", b->top);
	snprintf(b->outside, sizeof b->outside, "%s/outside", b->top);
	assert_int_equal(mkdir(b->own, 0755), 0);
	assert_int_equal(mkdir(b->outside, 0755), 0);
	snprintf(b->agent_path, sizeof b->agent_path, "%s/agent.sock", b->outside);
	len = box_unix(&sa, b->agent_path);
	b->agent = box_listen(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, &sa, len, 4096);
	len = box_inet(&sa, "127.0.0.1", 0);
	b->host_tcp = box_listen(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, &sa, len, 4096);
	assert_true(b->agent >= 0 && b->host_tcp >= 0);
	b->host_port = box_port(b->host_tcp);
	b->writable[0] = b->own;
	b->names = names_new();
	own_sockets_init(&b->own_sockets);
	b->caps = (struct caps){.landlock_abi = 7, .process_vm = true, .pidfd_getfd = true};
	b->result = mmap(NULL, RESULTS_MAX * sizeof(long) + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(b->result != MAP_FAILED);
	b->sb = (struct sandbox){.sup = (struct supervisor *)(void *)b, .sweep = &b->sweep, .id = 1, .role = ROLE_BUILD, .listener = -1, .namespaces = true, .writable = b->writable,
	                         .checked_in = &b->checked_in};
}

void box_finish(struct box *b)
{
	own_sockets_finish(&b->own_sockets);
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", b->top);
	assert_int_equal(system(command), 0);
	close(b->agent);
	close(b->host_tcp);
	names_free(b->names);
	images_finish(&b->checked_in);
	munmap(b->result, RESULTS_MAX * sizeof(long) + 4096);
}

int box_setup(void **state)
{
	static struct box one;

	box_init(&one);
	*state = &one;
	return 0;
}

int box_teardown(void **state)
{
	box_finish(*state);
	return 0;
}

unsigned box_contacts(struct box *b)
{
	unsigned count = 0;
	int fd;

	while ((fd = accept4(b->agent, NULL, NULL, SOCK_CLOEXEC)) >= 0 || (fd = accept4(b->host_tcp, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		close(fd);
		count++;
	}
	return count;
}

const struct kept *box_kept(const struct box *b, const char *rule)
{
	for (unsigned i = 0; i < b->events && i < KEPT_MAX; i++) {
		if (!strcmp(b->kept[i].rule, rule))
			return &b->kept[i];
	}
	return NULL;
}

/* --- the child --------------------------------------------------------------------------------- */

static const struct {
	int nr;
	handler_func *handler;
} notified[] = {
	{SYS_socket, handle_socket}, {SYS_connect, handle_connect}, {SYS_sendto, handle_send}, {SYS_sendmsg, handle_send}, {SYS_sendmmsg, handle_send},
	{SYS_kill, handle_signal}, {SYS_tkill, handle_signal}, {SYS_tgkill, handle_signal}, {SYS_prlimit64, handle_signal},
	{SYS_setpriority, handle_signal}, {SYS_sched_setaffinity, handle_signal}, {SYS_pidfd_send_signal, handle_signal}, {SYS_ioprio_set, handle_signal},
	{SYS_ptrace, handle_refused}, {SYS_socketpair, handle_socket}, {SYS_bind, handle_bind}, {SYS_listen, handle_bind}, {SYS_prctl, handle_event},
};
enum { NOTIFIED = sizeof notified / sizeof notified[0] };

/* socket() is notified only with 7 as a fourth argument, which the kernel does not know, prctl as the event call only, the rest always. */
static int load_filter(void)
{
	struct sock_filter program[NOTIFIED * 2 + 32];
	struct sock_fprog prog = {.filter = program};
	size_t n = 0;
	int fd;

#define LOAD(field) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define JEQ(value, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define RET(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
	program[n++] = LOAD(nr);
	program[n++] = JEQ(SYS_prctl, 0, 4);
	program[n++] = LOAD(args[0]);
	program[n++] = JEQ(PW_MAGIC, 0, 1);
	program[n++] = RET(SECCOMP_RET_USER_NOTIF);
	program[n++] = RET(SECCOMP_RET_ALLOW);
	program[n++] = JEQ(SYS_socket, 0, 4);
	program[n++] = LOAD(args[3]);
	program[n++] = JEQ(7, 0, 1);
	program[n++] = RET(SECCOMP_RET_USER_NOTIF);
	program[n++] = RET(SECCOMP_RET_ALLOW);
	for (size_t i = 1; i < NOTIFIED - 1; i++) {
		program[n++] = JEQ(notified[i].nr, 0, 1);
		program[n++] = RET(SECCOMP_RET_USER_NOTIF);
	}
	program[n++] = RET(SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);
	return fd >= 0 ? fd : (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

struct handshake {
	_Atomic int listener; /* + 1 */
	_Atomic int go;
};

static struct handshake *shake(const struct box *b)
{
	return (struct handshake *)(void *)(b->result + RESULTS_MAX);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void make_namespace(void)
{
	unsigned uid = geteuid(), gid = getegid();
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	char map[64];
	int fd;

	CHECK(unshare(CLONE_NEWNET | (uid ? CLONE_NEWUSER : 0)) == 0);
	if (uid) {
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof map, "%u %u 1", uid, uid);
		write_file("/proc/self/uid_map", map);
		snprintf(map, sizeof map, "%u %u 1", gid, gid);
		write_file("/proc/self/gid_map", map);
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &ifr) == 0);
	close(fd);
}

static void child(struct box *b, void (*before)(struct box *b), void (*body)(struct box *b))
{
	struct handshake *h = shake(b);
	int listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(120);
	if (!b->shared_network)
		make_namespace();
	/* Gaining capabilities made it undumpable; a sandbox's child execs, which resets that. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (before)
		before(b);
	listener = load_filter();
	CHECK(listener >= 0);
	h->listener = listener + 1;
	for (int i = 0; i < 10000 && !h->go; i++)
		usleep(1000);
	CHECK(h->go);
	close(listener);
	body(b);
	_exit(0);
}

static void *answer(void *argument)
{
	struct box *b = argument;
	struct pollfd poller = {.fd = b->sb.listener, .events = POLLIN};
	struct seccomp_notif req;

	while (poll(&poller, 1, -1) > 0 && (poller.revents & POLLIN)) {
		struct reply reply = reply_error(ENOSYS);

		memset(&req, 0, sizeof req);
		if (ioctl(b->sb.listener, SECCOMP_IOCTL_NOTIF_RECV, &req))
			continue;
		b->notified++;
		for (size_t i = 0; i < NOTIFIED; i++) {
			if (notified[i].nr == req.data.nr)
				reply = notified[i].handler(&b->sb, &req);
		}
		reply_send(&b->sb, req.id, reply);
	}
	return NULL;
}

static int take_listener(pid_t pid, struct handshake *h)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd;

	for (int i = 0; i < 10000 && !h->listener; i++)
		usleep(1000);
	fd = h->listener ? (int)syscall(SYS_pidfd_getfd, pidfd, h->listener - 1, 0) : -1;
	close(pidfd);
	return fd;
}

void box_run(struct box *b, void (*before)(struct box *b), void (*body)(struct box *b))
{
	struct handshake *h = shake(b);
	pthread_t thread;
	int status;
	pid_t pid;

	memset(h, 0, sizeof *h);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(b, before, body);
	b->sb.init = pid;
	b->sb.listener = take_listener(pid, h);
	assert_true(b->sb.listener >= 0);
	assert_int_equal(pthread_create(&thread, NULL, answer, b), 0);
	h->go = 1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	pthread_join(thread, NULL);
	usleep(120000); /* a worker that was given up on looks every 50 ms */
	close(b->sb.listener);
	if (status)
		fail_msg("the child ended with %#x", status);
}

int box_run_as_both(int (*group)(void))
{
	int failed = group(), status;
	pid_t pid;

	if (geteuid() != 0)
		return failed;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) || setuid(65534) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
			_exit(99);
		_exit(group());
	}
	if (waitpid(pid, &status, 0) != pid)
		return 98;
	return failed ? failed : WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

/* --- in the child ------------------------------------------------------------------------------ */

void box_die(int line, const char *what)
{
	fprintf(stderr, "child, line %d: %s (errno %d)\n", line, what, errno);
	_exit(9);
}

double box_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

long box_connect(int fd, const void *sa, size_t len)
{
	return syscall(SYS_connect, fd, sa, len) ? -errno : 0;
}

int box_listen(int domain, int type, const struct sockaddr_storage *sa, socklen_t len, int backlog)
{
	int fd = socket(domain, type, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)sa, len) || ((type & 0xf) != SOCK_DGRAM && listen(fd, backlog)))
		return -1;
	return fd;
}

socklen_t box_inet(struct sockaddr_storage *out, const char *text, unsigned port)
{
	memset(out, 0, sizeof *out);
	if (strchr(text, ':')) {
		struct sockaddr_in6 *sa = (struct sockaddr_in6 *)(void *)out;

		sa->sin6_family = AF_INET6;
		sa->sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, text, &sa->sin6_addr);
		return sizeof *sa;
	}
	struct sockaddr_in *sa = (struct sockaddr_in *)(void *)out;

	sa->sin_family = AF_INET;
	sa->sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, text, &sa->sin_addr);
	return sizeof *sa;
}

socklen_t box_unix(struct sockaddr_storage *out, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)out;

	memset(out, 0, sizeof *out);
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	if (path[0] != '@')
		return sizeof *un;
	un->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

unsigned box_port(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &len))
		return 0;
	return ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&sa)->sin6_port : ((struct sockaddr_in *)(void *)&sa)->sin_port);
}
