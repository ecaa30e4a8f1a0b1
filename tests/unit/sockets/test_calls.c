/* The event call, signals, and what is refused. */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/supervise/place.h"
#include "launcher/supervise/worker.h"
#include "preload/pw_event.h"

static long call(unsigned long op, const void *pointer, unsigned long len)
{
	long r = syscall(SYS_prctl, PW_MAGIC, op, pointer, len, 0);

	return r < 0 ? -errno : r;
}

/* --- the event call ---------------------------------------------------------------------------- */

static long resolve(const char *host, uint32_t family, struct pw_answer *out)
{
	struct pw_query query = {.family = family};
	long fd;

	strncpy(query.host, host, sizeof query.host - 1);
	memset(out, 0, sizeof *out);
	fd = call(PW_OP_RESOLVE, &query, sizeof query);
	if (fd < 0)
		return fd;
	CHECK(fcntl((int)fd, F_GETFD) & FD_CLOEXEC);
	CHECK(pread((int)fd, out, sizeof *out, 0) == sizeof *out);
	CHECK(read((int)fd, out, sizeof *out) == sizeof *out); /* at its beginning */
	close((int)fd);
	return 0;
}

static void build_names(struct box *b)
{
	struct pw_answer answer;
	struct pw_query query;

	CHECK(resolve("0x7f.1", AF_UNSPEC, &answer) == 0 && answer.count == 1 && answer.address[0].bytes[0] == 127);
	CHECK(resolve("localhost", AF_INET, &answer) == 0 && answer.error == 0 && answer.count >= 1);
	CHECK(resolve("LOCALHOST.", AF_INET6, &answer) == 0);
	CHECK(resolve("Some.Host.Example.", AF_UNSPEC, &answer) == -EACCES);
	CHECK(resolve("EO1.m.exfil.example", AF_UNSPEC, &answer) == -EACCES);
	CHECK(resolve("index.example", AF_UNSPEC, &answer) == -EACCES); /* allowed for the installer, not here */
	CHECK(resolve("a\nb", AF_UNSPEC, &answer) == -EACCES);
	CHECK(resolve("watched.example", AF_UNSPEC, &answer) == -EACCES);
	CHECK(resolve("", AF_UNSPEC, &answer) == -EACCES);
	CHECK(resolve("localhost", AF_UNIX, &answer) == -EINVAL);
	memset(&query, 'a', sizeof query);
	query.family = AF_UNSPEC;
	CHECK(call(PW_OP_RESOLVE, &query, sizeof query) == -EINVAL); /* no NUL */
	CHECK(call(PW_OP_RESOLVE, NULL, 0) == -EFAULT);
	CHECK(call(PW_OP_RESOLVE, (void *)-1L, 1) == -EFAULT);
}

static void test_build_names(void **state)
{
	struct box *b = *state;

	b->allowed_host = "index.example";
	box_run(b, NULL, build_names);
	assert_int_equal(b->events, 6);
	assert_string_equal(b->kept[0].rule, "net.resolve.spelling");
	assert_string_equal(b->kept[0].host, "0x7f.1");
	assert_string_equal(b->kept[0].address, "127.0.0.1");
	assert_string_equal(b->kept[1].type, "net.resolve");
	assert_string_equal(b->kept[1].rule, "net.resolve");
	assert_string_equal(b->kept[1].host, "some.host.example");
	assert_string_equal(b->kept[2].rule, "net.exfil.test");
	assert_string_equal(b->kept[2].host, "eo1.m.exfil.example");
	assert_string_equal(b->kept[3].rule, "net.resolve");
	assert_string_equal(b->kept[4].rule, "net.resolve.bad");
	assert_string_equal(b->kept[5].rule, "net.watch.test");
}

static void installer_names(struct box *b)
{
	struct pw_answer answer;

	/* "index.invalid." of the allow list: asked for with the real resolver, which never knows it (RFC 6761). */
	CHECK(resolve("Index.Invalid", AF_INET, &answer) == 0 && answer.error != 0 && answer.count == 0);
	CHECK(resolve("other.invalid", AF_INET, &answer) == -EACCES);
	CHECK(resolve("exfil.example", AF_INET, &answer) == -EACCES);
	CHECK(resolve("localhost", AF_INET, &answer) == 0 && answer.count >= 1);
	CHECK(call(PW_OP_ENTER, NULL, 0) == 4711);
}

static bool is_localhost(const char *host, void *arg)
{
	return !strcmp(host, "localhost");
}

static void test_installer_names(void **state)
{
	struct box *b = *state;
	struct sockaddr_storage sa;

	b->sb.role = ROLE_INSTALLER;
	b->allowed_host = "index.invalid";
	box_run(b, NULL, installer_names);
	assert_int_equal(b->events, 2);
	assert_string_equal(b->kept[0].rule, "net.resolve.installer");
	assert_string_equal(b->kept[1].rule, "net.exfil.test");
	box_inet(&sa, "127.0.0.1", 0);
	assert_true(names_of_address(b->names, &sa, is_localhost, NULL)); /* a local answer is remembered, too */
}

static long tell(enum pw_record_type type, const char *text, const char *object)
{
	struct pw_record record = {.type = type, .text_len = (uint32_t)strlen(text), .object_len = (uint32_t)strlen(object)};

	memcpy(record.text, text, record.text_len);
	memcpy(record.object, object, record.object_len);
	return call(PW_OP_EVENT, &record, sizeof record);
}

static void events(struct box *b)
{
	struct pw_record record = {.type = PW_EV_ENV_READ, .text_len = 5, .text = "TOKEN"};
	struct pw_nested nested = {.version = PW_VERSION};
	void *readonly = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(call(PW_OP_HELLO, NULL, 0) == PW_ROLE_BUILD);
	CHECK(call(PW_OP_EVENT, &record, sizeof record) == 0);
	CHECK(call(PW_OP_EVENT, &record, sizeof record - 1) == -EINVAL);
	CHECK(call(PW_OP_EVENT, &record, 1UL << 40) == -EINVAL);
	CHECK(call(PW_OP_EVENT, NULL, sizeof record) == -EFAULT);
	record.text_len = 4; /* not a variable that holds a decoy */
	CHECK(call(PW_OP_EVENT, &record, sizeof record) == -EINVAL);
	record.text_len = 0xffffffffu;
	CHECK(call(PW_OP_EVENT, &record, sizeof record) == -EINVAL);
	CHECK(tell(PW_EV_ENV_WALK, PW_TEXT_WALK, "") == 0);
	CHECK(tell(PW_EV_ENV_WALK, "nothing", "") == -EINVAL);
	record.text_len = 5;
	record.type = 999;
	CHECK(call(PW_OP_EVENT, &record, sizeof record) == -EINVAL);
	record.type = PW_EV_WRITE_REFUSED; /* not a build's to say */
	CHECK(call(PW_OP_EVENT, &record, sizeof record) == -EINVAL);
	CHECK(call(PW_OP_ENTER, NULL, 0) == -EPERM);
	CHECK(call(PW_OP_NAMES, NULL, 0) == -ENOENT);
	CHECK(call(PW_OP_NESTED, &nested, sizeof nested) == (PW_MAGIC & 0x7fffffff));
	CHECK(nested.flags == 0 && strlen(nested.digest) == 64 && !strncmp(nested.digest, "0123456789abcdef", 16));
	nested.version = 99;
	CHECK(call(PW_OP_NESTED, &nested, sizeof nested) == -EINVAL);
	CHECK(call(PW_OP_NESTED, NULL, 0) == -EFAULT);
	CHECK(call(PW_OP_NESTED, readonly, 0) == -EFAULT);
	CHECK(call(PW_OP_NESTED, (void *)0x7fffffffffffffffL, 0) == -EFAULT);
	for (unsigned long op = 8; op < 40; op++)
		CHECK(call(op, (void *)op, op) == -EINVAL);
	CHECK(call(0, NULL, 0) == -EINVAL);
	CHECK(call(-1UL, (void *)-1L, -1UL) == -EINVAL);
	CHECK(call((1UL << 32) | PW_OP_HELLO, NULL, 0) == -EINVAL);
}

static void test_events(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, events);
	assert_int_equal(b->checked_in.count, 1);
	assert_int_equal(b->events, 3);
	assert_string_equal(b->kept[0].type, "env.read");
	assert_string_equal(b->kept[0].name, "TOKEN");
	assert_int_equal(b->kept[0].source, SRC_SHIM);
	assert_string_equal(b->kept[1].type, "env.enumerate");
	assert_int_equal(b->kept[1].source, SRC_SHIM);
	assert_string_equal(b->kept[2].rule, "exec.enter");
	assert_int_equal(b->kept[2].source, SRC_KERNEL);
}

static long tell_of(enum pw_record_type type, const void *data, size_t len, unsigned flags)
{
	struct pw_record_of of = {.record = {.type = type, .text_len = 1, .text = "x", .file_len = 8, .file = "setup.py", .line = 3},
	                          .data = (uintptr_t)data, .data_len = len, .flags = flags};

	return call(PW_OP_DATA, &of, sizeof of);
}

static void data_events(struct box *b)
{
	static const char request[] = "POST /p HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\n\r\n";
	struct pw_record record = {.type = PW_EV_HTTP, .text_len = 1, .text = "x"};
	char *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(tell_of(PW_EV_HTTP, request, sizeof request - 1, PW_FLAG_TLS) == 0);
	CHECK(tell_of(PW_EV_HTTP, "hello", 5, 0) == 0);                  /* a piece of the body */
	CHECK(tell_of(PW_EV_HTTP, request, sizeof request - 1, PW_FLAG_AHEAD) == 0);
	CHECK(tell_of(PW_EV_HTTP, nowhere, 100, 0) == 0);                /* nothing is seen, and nothing said */
	CHECK(tell_of(PW_EV_HTTP, (void *)-8L, 100, 0) == 0);
	CHECK(tell_of(PW_EV_COMPILE, "1+1", 3, 0) == 0);
	CHECK(tell_of(PW_EV_ENV_READ, "TOKEN", 5, 0) == -EINVAL);
	CHECK(tell_of(PW_EV_LOAD, "lib", 3, 0) == -EINVAL);
	CHECK(call(PW_OP_DATA, &record, sizeof record) == -EINVAL);
	CHECK(call(PW_OP_DATA, NULL, sizeof(struct pw_record_of)) == -EFAULT);
	CHECK(call(PW_OP_EVENT, &record, sizeof record) == -EINVAL);     /* not without its bytes */
}

static void test_data_events(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, data_events);
	assert_int_equal(b->events, 2);
	assert_string_equal(b->kept[0].type, "python.http");
	assert_string_equal(b->kept[1].type, "python.compile");
	assert_int_equal(b->kept[1].source, SRC_SHIM);
	assert_int_equal(b->sb.handed[false], 100 + 100 /* what cannot be read counts as well */ + 2 * (sizeof("POST /p HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\n\r\n") - 1) + 5);
	assert_int_equal(b->sb.handed[true], 3);
}

/* More than is looked at: of code, which leaves the requests their own, and then of those. */
static void too_much(struct box *b)
{
	static const char request[] = "GET / HTTP/1.1\r\n\r\n";

	for (unsigned i = 0; i < 64 + 2; i++) /* nowhere: it counts as well, and nothing else is said */
		CHECK(tell_of(PW_EV_COMPILE, (void *)-8L, 1 << 20, 0) == 0);
	CHECK(tell_of(PW_EV_COMPILE, "1+1", 3, 0) == 0);
	CHECK(tell_of(PW_EV_HTTP, request, sizeof request - 1, 0) == 0);
	for (unsigned i = 0; i < 1024; i++)
		CHECK(tell_of(PW_EV_HTTP, (void *)-8L, 1 << 20, 0) == 0);
	CHECK(tell_of(PW_EV_HTTP, request, sizeof request - 1, 0) == 0);
	CHECK(tell_of(PW_EV_HTTP, request, sizeof request - 1, 0) == 0);
}

static void test_too_much(void **state)
{
	static const char *const types[] = {"python.unread", "python.http", "python.unread"};
	struct box *b = *state;

	box_run(b, NULL, too_much);
	assert_int_equal(b->events, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(b->kept[i].type, types[i]);
	assert_string_equal(b->kept[0].name, "code");
	assert_string_equal(b->kept[2].name, "requests");
	assert_string_equal(b->kept[2].rule, "python.unread");
}

/* Of a sandbox's many texts the later ones fold; its requests do not for that. */
static void many_texts(struct box *b)
{
	static const char request[] = "GET /" BOX_SECRET "/p?access_token=1 HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\n\r\n";

	CHECK(tell_of(PW_EV_HTTP, request, sizeof request - 1, 0) == 0);
}

static void test_many_texts(void **state)
{
	struct box *b = *state;

	b->sb.told[true] = 256;
	box_run(b, NULL, many_texts);
	assert_int_equal(b->events, 1);
	assert_string_equal(b->kept[0].url, "http://h.test/[redacted]/p?…"); /* a secret is known while it is whole */
}

static void bootstrap_events(struct box *b)
{
	CHECK(tell(PW_EV_READ_REFUSED, "/home/u/private.zip", PW_OBJECT_BOOTSTRAP) == 0);
	CHECK(tell(PW_EV_WRITE_REFUSED, "/venv/lib/pip/__init__.py", PW_OBJECT_BOOTSTRAP) == 0);
	CHECK(tell(PW_EV_WRITE_REFUSED, "/run-temp/t/x/out/dropped", PW_OBJECT_BOOTSTRAP) == 0);
	CHECK(tell(PW_EV_WRITE_REFUSED, "/run-temp/t/x/out/dropped", "") == 0); /* the other end of a rename */
	CHECK(tell(PW_EV_WRITE_REFUSED, "/tmp/elsewhere", "") == 0);
	CHECK(tell(PW_EV_START_REFUSED, "/venv/lib/evil.pth", PW_OBJECT_BOOTSTRAP) == 0);
	CHECK(tell((enum pw_record_type)(PW_EV_LOAD + 1), "x", PW_OBJECT_BOOTSTRAP) == -EINVAL);
}

static void build_pretends(struct box *b)
{
	CHECK(tell(PW_EV_READ_REFUSED, "/home/u/private.zip", PW_OBJECT_BOOTSTRAP) == -EINVAL);
	CHECK(tell(PW_EV_WRITE_REFUSED, "/venv/lib/pip/__init__.py", PW_OBJECT_BOOTSTRAP) == -EINVAL);
	CHECK(tell(PW_EV_START_REFUSED, "/venv/lib/evil.pth", PW_OBJECT_BOOTSTRAP) == -EINVAL);
}

static void test_bootstrap_events(void **state)
{
	struct box *b = *state;
	static const char *const rules[] = {"install.requirement", "install.pip-modified", "pip.write", "file.write.installer", "pip.start-up"};

	b->temp = "/run-temp";
	box_run(b, NULL, build_pretends);
	assert_int_equal(b->events, 0);
	b->sb.role = ROLE_INSTALLER;
	box_run(b, NULL, bootstrap_events);
	assert_int_equal(b->events, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(b->kept[i].rule, rules[i]);
	assert_string_equal(b->kept[0].type, "file.open");
	assert_string_equal(b->kept[0].path, "/home/u/private.zip");
}

/* --- signals ----------------------------------------------------------------------------------- */

static void on_signal(int signal) {}

static long sys(long nr, long a, long b, long c, long d)
{
	long r = syscall(nr, a, b, c, d, 0, 0);

	return r < 0 ? -errno : r;
}

static void *sleeper(void *argument)
{
	*(_Atomic pid_t *)argument = (pid_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

static void signals(struct box *b)
{
	struct rlimit limit = {.rlim_cur = 0, .rlim_max = 0};
	_Atomic pid_t tid = 0;
	pid_t own, group;
	pthread_t t;
	int status;
	cpu_set_t cpus;

	CHECK(setsid() > 0);
	signal(SIGUSR1, on_signal);
	CHECK(sys(SYS_kill, getpid(), SIGUSR1, 0, 0) == 0);
	CHECK(sys(SYS_kill, 0, SIGUSR1, 0, 0) == 0); /* its group: its session is the sandbox's own */
	CHECK(sys(SYS_tgkill, getpid(), gettid(), SIGUSR1, 0) == 0);
	CHECK(!pthread_create(&t, NULL, sleeper, (void *)&tid));
	while (!tid)
		usleep(1000);
	CHECK(sys(SYS_tkill, tid, SIGUSR1, 0, 0) == 0);
	own = fork();
	if (own == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(1);
	}
	usleep(20000);
	CHECK(sys(SYS_kill, own, 0, 0, 0) == 0 && sys(SYS_setpriority, PRIO_PROCESS, own, 18, 0) == 0);
	CHECK(sys(SYS_setpriority, PRIO_PGRP, own, 19, 0) == -EPERM);
	CHECK(sys(SYS_kill, -own, SIGKILL, 0, 0) == 0 && waitpid(own, &status, 0) == own && WTERMSIG(status) == SIGKILL);
	/* Outside: the test's process, which plays the supervisor, its outsider, init. */
	group = (pid_t)b->result[1];
	CHECK(sys(SYS_kill, getppid(), SIGUSR1, 0, 0) == -EPERM);
	CHECK(sys(SYS_kill, b->outsider, SIGKILL, 0, 0) == -EPERM);
	CHECK(sys(SYS_tgkill, b->outsider, b->outsider, SIGKILL, 0) == -EPERM);
	CHECK(sys(SYS_kill, -group, SIGKILL, 0, 0) == -EPERM);
	CHECK(sys(SYS_kill, -1, SIGKILL, 0, 0) == -ESRCH); /* of the sandbox there is the caller alone */
	CHECK(sys(SYS_kill, 1, SIGUSR1, 0, 0) == -EPERM);
	CHECK(sys(SYS_prlimit64, b->outsider, RLIMIT_CPU, (long)&limit, 0) == -EPERM);
	CHECK(sys(SYS_prlimit64, 0, RLIMIT_CORE, (long)&limit, 0) == 0);
	CHECK(sys(SYS_prlimit64, getpid(), RLIMIT_CORE, (long)&limit, 0) == 0);
	CHECK(sys(SYS_setpriority, PRIO_PROCESS, b->outsider, 19, 0) == -EPERM);
	CHECK(sys(SYS_setpriority, PRIO_PGRP, group, 19, 0) == -EPERM);
	CHECK(sys(SYS_setpriority, PRIO_USER, 0, 19, 0) == -EPERM);
	CHECK(sys(SYS_setpriority, 77, 0, 19, 0) == -EINVAL);
	CHECK(sys(SYS_ioprio_set, 1, b->outsider, 0, 0) == -EPERM);
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	CHECK(sys(SYS_sched_setaffinity, b->outsider, sizeof cpus, (long)&cpus, 0) == -EPERM);
	CHECK(sys(SYS_kill, 0x3fffffff, SIGUSR1, 0, 0) == -ESRCH);
	CHECK(sys(SYS_kill, INT32_MIN, SIGUSR1, 0, 0) == -ESRCH || errno == EPERM);
	CHECK(sys(SYS_ptrace, PTRACE_ATTACH, b->outsider, 0, 0) == -EPERM);
}

static void pidfds(struct box *b)
{
	int other = (int)syscall(SYS_pidfd_open, b->outsider, 0), own = (int)syscall(SYS_pidfd_open, getpid(), 0);

	signal(SIGUSR1, on_signal);
	CHECK(other >= 0 && own >= 0);
	CHECK(sys(SYS_pidfd_send_signal, other, SIGKILL, 0, 0) == -EPERM);
	CHECK(sys(SYS_pidfd_send_signal, own, SIGUSR1, 0, 0) == 0);
	CHECK(sys(SYS_pidfd_send_signal, 0, SIGUSR1, 0, 0) != 0);
	CHECK(sys(SYS_pidfd_send_signal, -1, SIGUSR1, 0, 0) == -EBADF);
}

static pid_t start_outsider(struct box *b)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(60);
		pause();
		_exit(1);
	}
	setpgid(pid, pid);
	b->outsider = pid;
	b->result[1] = pid;
	return pid;
}

static void end_outsider(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* it is unharmed */
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void test_signals(void **state)
{
	struct box *b = *state;
	pid_t pid = start_outsider(b);
	unsigned own = 0;

	b->sb.namespaces = false;
	box_run(b, NULL, signals);
	end_outsider(pid);
	for (unsigned i = 0; i < b->events && i < KEPT_MAX; i++)
		own += !strcmp(b->kept[i].rule, "syscall.supervisor");
	assert_true(own >= 8);
	assert_non_null(box_kept(b, "process.limits")); /* a whole group or user: whoever is in it */
	assert_non_null(box_kept(b, "process.signal"));
	assert_non_null(box_kept(b, "syscall.ptrace"));
	assert_string_equal(box_kept(b, "syscall.ptrace")->type, "syscall.denied");
	assert_string_equal(box_kept(b, "syscall.supervisor")->type, "process.signal");
}

static void test_pidfds(void **state)
{
	struct box *b = *state;
	pid_t pid = start_outsider(b);

	b->sb.namespaces = false;
	box_run(b, NULL, pidfds);
	end_outsider(pid);
	assert_non_null(box_kept(b, "syscall.supervisor"));
}

static void pidfds_hidden(struct box *b)
{
	CHECK(sys(SYS_pidfd_send_signal, (long)syscall(SYS_pidfd_open, getpid(), 0), 0, 0, 0) == -ENOSYS);
}

static void test_pidfds_hidden(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	b->caps.pidfd_getfd = false;
	box_run(b, NULL, pidfds_hidden);
}

/* --- refusals ---------------------------------------------------------------------------------- */

static void refusals(struct box *b)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 && errno == EACCES);
	CHECK(sys(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == -EPERM);
}

static void test_refusals(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, refusals);
	assert_int_equal(b->events, 2);
	assert_string_equal(b->kept[0].type, "net.socket");
	assert_string_equal(b->kept[0].name, "AF_UNIX/SOCK_DGRAM/0");
	assert_string_equal(b->kept[1].name, "ptrace");
}

/* --- pure -------------------------------------------------------------------------------------- */

static void test_places(void **state)
{
	static const struct {
		const char *path, *rule;
	} table[] = {
		{"/var/run/docker.sock", "net.unix.docker"}, {"/run/user/1000/podman/podman.sock", "net.unix.docker"},
		{"/run/containerd/containerd.sock", "net.unix.docker"}, {"/run/containerd/containerd.sock.ttrpc", "net.unix.docker"},
		{"/tmp/ssh-XXXXabc/agent.123", "net.unix.agent"}, {"/home/u/.gnupg/S.gpg-agent", "net.unix.agent"},
		{"/run/user/1000/gnupg/S.gpg-agent.ssh", "net.unix.agent"}, {"/run/user/1000/keyring/ssh", "net.unix.agent"},
		{"/run/dbus/system_bus_socket", "net.unix.dbus"}, {"/run/user/1000/bus", "net.unix.dbus"}, {"@/tmp/dbus-abc", "net.unix.dbus"},
		{"/tmp/.X11-unix/X0", "net.unix.display"}, {"@/tmp/.X11-unix/X0", "net.unix.display"},
		{"/var/run/nscd/socket", "net.unix.system"}, {"/run/systemd/userdb/io.systemd.DynamicUser", "net.unix.system"}, {"/dev/log", "net.unix.system"},
		{"/run/uuidd/request", "net.unix.system"}, {"/var/run/uuidd/request", "net.unix.system"}, {"/run/uuidd/other", "net.unix"},
		{"/tmp/other.sock", "net.unix"}, {"@x", "net.unix"}, {"", "net.unix"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_string_equal(place_rule(table[i].path), table[i].rule);
	assert_true(place_name_service("/var/run/nscd/socket"));
	assert_true(place_name_service("/var/lib/sss/pipes/nss"));
	assert_false(place_name_service("/var/lib/sss/pipes/private/sbus"));
	assert_false(place_name_service("/var/lib/sss/pipes/../x"));
	assert_false(place_name_service("/run/systemd/resolve/io.systemd.Resolve"));
	assert_false(place_name_service("var/run/nscd/socket"));
	assert_false(place_name_service("/run/uuidd/request"));
}

static _Atomic unsigned working, worked;
static _Atomic bool may_end;

static void work(void *argument)
{
	working++;
	while (!may_end)
		usleep(1000);
	working--;
	worked++;
}

static void test_workers(void **state)
{
	unsigned started = 0, id = 1;

	(void)state;
	while (started < WORKERS_MAX && worker_start(id, work, NULL) == 0)
		started++;
	assert_int_equal(started, WORKERS_EACH);
	assert_int_equal(worker_start(id, work, NULL), -EAGAIN);
	while (++id < 10)
		while (started < WORKERS_MAX && worker_start(id, work, NULL) == 0)
			started++;
	assert_int_equal(started, WORKERS_MAX - WORKERS_INSTALLER);
	while (started < 2 * WORKERS_MAX && worker_start(0, work, NULL) == 0)
		started++;
	assert_int_equal(started, WORKERS_MAX);
	assert_int_equal(worker_start(0, work, NULL), -EAGAIN);
	may_end = true;
	for (int i = 0; i < 2000 && worked < started; i++)
		usleep(1000);
	assert_int_equal(worked, started);
	usleep(20000);
	assert_int_equal(worker_start(1, work, NULL), 0); /* the places are free again */
	usleep(50000);
}

static void ticked(void *argument)
{
	struct worker_tick tick;
	int pipes[2];
	char c;

	if (pipe(pipes) || worker_tick_start(&tick, 20))
		return;
	*(_Atomic int *)argument = read(pipes[0], &c, 1) < 0 ? errno : -1;
	worker_tick_stop(&tick);
	close(pipes[0]);
	close(pipes[1]);
}

static void test_tick(void **state)
{
	_Atomic int error = 0;

	(void)state;
	assert_int_equal(worker_start(1, ticked, (void *)&error), 0);
	for (int i = 0; i < 1000 && !error; i++)
		usleep(1000);
	assert_int_equal(error, EINTR);
	usleep(20000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

static int group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places), cmocka_unit_test(test_workers), cmocka_unit_test(test_tick), TEST(test_build_names), TEST(test_installer_names),
		TEST(test_events), TEST(test_data_events), TEST(test_too_much), TEST(test_many_texts), TEST(test_bootstrap_events), TEST(test_signals), TEST(test_pidfds), TEST(test_pidfds_hidden), TEST(test_refusals),
	};

	worked = 0;
	may_end = false;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return box_run_as_both(group);
}
