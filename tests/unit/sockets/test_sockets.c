#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* --- inside the namespace ---------------------------------------------------------------------- */

static void loopback_works(const char *address, bool nonblocking)
{
	struct sockaddr_storage sa, peer;
	socklen_t len = box_inet(&sa, address, 0), peer_len = sizeof peer;
	int server = box_listen(sa.ss_family, SOCK_STREAM, &sa, len, 8), fd, got, error = -1;
	unsigned port = box_port(server);
	socklen_t error_len = sizeof error;
	long r;
	char c = 0;

	CHECK(server >= 0 && port);
	len = box_inet(&sa, address, port);
	fd = socket(sa.ss_family, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0);
	r = box_connect(fd, &sa, len);
	CHECK(r == 0 || (nonblocking && r == -EINPROGRESS));
	if (nonblocking) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		CHECK(poll(&p, 1, 1000) == 1);
		CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0 && error == 0);
	}
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == (nonblocking ? O_NONBLOCK : 0));
	CHECK(getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 && peer.ss_family == sa.ss_family);
	got = accept(server, NULL, NULL);
	CHECK(write(fd, "x", 1) == 1 && read(got, &c, 1) == 1 && c == 'x');
	r = box_connect(fd, &sa, len); /* 0 once more where the first was EINPROGRESS: the kernel's way */
	CHECK(r == -EISCONN || (nonblocking && r == 0));
	close(fd);
	close(got);
	close(server);
	fd = socket(sa.ss_family, SOCK_STREAM, 0);
	CHECK(box_connect(fd, &sa, len) == -ECONNREFUSED);
	close(fd);
}

static void loopback_body(struct box *b)
{
	loopback_works("127.0.0.1", false);
	loopback_works("127.0.0.1", true);
	loopback_works("::1", false);
	loopback_works("::1", true);
}

static void test_loopback(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, loopback_body);
	/* Only the last attempt of each, when nobody listened any more. */
	assert_int_equal(b->events, 4);
	for (unsigned i = 0; i < b->events; i++)
		assert_string_equal(b->kept[i].rule, "net.loopback");
}

static void quick(int domain, int type, const char *address, unsigned port, long expected)
{
	struct sockaddr_storage sa;
	socklen_t len = box_inet(&sa, address, port);
	double start = box_now();
	int fd = socket(domain, type, 0);

	CHECK(box_connect(fd, &sa, len) == expected);
	CHECK(box_now() - start < 0.1);
	close(fd);
}

static void outside_body(struct box *b)
{
	quick(AF_INET, SOCK_STREAM, "192.0.2.7", 443, -ENETUNREACH);
	quick(AF_INET6, SOCK_STREAM, "2001:db8::7", 444, -ENETUNREACH);
	quick(AF_INET6, SOCK_STREAM, "::ffff:192.0.2.8", 445, -ENETUNREACH);
	quick(AF_INET, SOCK_STREAM, "169.254.169.254", 80, -ENETUNREACH);
	quick(AF_INET, SOCK_DGRAM, "192.0.2.9", 53, -ENETUNREACH);
	quick(AF_INET, SOCK_DGRAM, "8.8.8.8", 80, -ENETUNREACH);
	quick(AF_INET, SOCK_STREAM, "8.8.8.8", 853, -ENETUNREACH);
	quick(AF_INET, SOCK_STREAM, "127.0.0.1", b->host_port, -ECONNREFUSED); /* the loopback is its own */
}

static void test_outside(void **state)
{
	struct box *b = *state;
	const struct kept *k;

	box_run(b, NULL, outside_body);
	assert_int_equal(b->events, 8);
	assert_non_null(box_kept(b, "net.loopback"));
	k = box_kept(b, "net.outside");
	assert_non_null(k);
	assert_string_equal(k->type, "net.connect");
	assert_string_equal(k->address, "192.0.2.7");
	assert_int_equal(k->port, 443);
	assert_string_equal(k->protocol, "tcp");
	assert_int_equal(k->source, SRC_KERNEL);
	assert_string_equal(b->kept[2].address, "192.0.2.8");
	assert_non_null(box_kept(b, "net.metadata.test"));
	k = box_kept(b, "net.outside.probe");
	assert_non_null(k);
	assert_string_equal(k->address, "192.0.2.9");
	assert_non_null(box_kept(b, "net.watch.test"));
	assert_int_equal(box_kept(b, "net.watch.test")->port, 853);
	assert_int_equal(box_contacts(b), 0);
}

static void sweep_body(struct box *b)
{
	char address[32];

	for (int i = 1; i <= 200; i++) {
		snprintf(address, sizeof address, "198.51.100.%d", i);
		quick(AF_INET, SOCK_STREAM, address, 80, -ENETUNREACH);
	}
	quick(AF_INET, SOCK_STREAM, "198.51.100.1", 80, -ENETUNREACH);
	quick(AF_INET6, SOCK_STREAM, "2001:db8:7:8::1", 80, -ENETUNREACH);
	quick(AF_INET, SOCK_STREAM, "169.254.169.254", 80, -ENETUNREACH);
}

/* One machine after the other: the first by themselves, then their network (which the journal folds), and what has a name of its own still by that. */
static void test_sweep(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, sweep_body);
	assert_int_equal(b->events, 203);
	for (unsigned i = 0; i < SWEEP_AFTER; i++)
		assert_string_equal(b->kept[i].rule, "net.outside");
	for (unsigned i = SWEEP_AFTER; i < KEPT_MAX; i++) {
		assert_string_equal(b->kept[i].rule, "net.sweep");
		assert_string_equal(b->kept[i].address, "198.51.100.0/24");
		assert_int_equal(b->kept[i].port, 0);
	}
}

static void sweep_few_body(struct box *b)
{
	char address[32];

	for (int i = 1; i <= SWEEP_AFTER; i++) {
		snprintf(address, sizeof address, "2001:db8:1::%d", i);
		quick(AF_INET6, SOCK_STREAM, address, 80, -ENETUNREACH);
	}
	quick(AF_INET6, SOCK_STREAM, "2001:db8:1::1", 80, -ENETUNREACH);
	quick(AF_INET6, SOCK_STREAM, "2001:db8:7:8::1", 80, -ENETUNREACH);
	quick(AF_INET, SOCK_STREAM, "169.254.169.254", 80, -ENETUNREACH);
}

static void test_sweep_bounds(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, sweep_few_body);
	assert_int_equal(b->events, SWEEP_AFTER + 3);
	assert_string_equal(b->kept[SWEEP_AFTER].rule, "net.outside"); /* known already */
	assert_string_equal(b->kept[SWEEP_AFTER + 1].address, "2001:db8:7::/48");
	assert_string_equal(b->kept[SWEEP_AFTER + 2].rule, "net.metadata.test");
}

static char outside_name[64];

static void abstract_body(struct box *b)
{
	struct sockaddr_storage sa;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(box_connect(fd, &sa, box_unix(&sa, "@pipwarden-nobody-has-this")) == -ECONNREFUSED); /* before its server: no word */
	CHECK(box_connect(fd, &sa, box_unix(&sa, outside_name)) == -ECONNREFUSED);
	CHECK(box_connect(fd, &sa, box_unix(&sa, "@/tmp/.X11-unix/X4711")) == -ECONNREFUSED);
	CHECK(box_listen(AF_UNIX, SOCK_STREAM, &sa, box_unix(&sa, outside_name), 4) >= 0); /* the same name of its own */
	CHECK(box_connect(fd, &sa, box_unix(&sa, outside_name)) == 0);
}

static void test_abstract(void **state)
{
	struct box *b = *state;
	struct sockaddr_storage sa;
	int listener;

	snprintf(outside_name, sizeof outside_name, "@pipwarden-outside-%d", (int)getpid());
	listener = box_listen(AF_UNIX, SOCK_STREAM, &sa, box_unix(&sa, outside_name), 4);
	assert_true(listener >= 0);
	box_run(b, NULL, abstract_body);
	close(listener);
	assert_int_equal(b->events, 2);
	assert_string_equal(b->kept[0].type, "ipc.connect");
	assert_string_equal(b->kept[0].rule, "net.unix");
	assert_string_equal(b->kept[0].path, outside_name);
	assert_string_equal(b->kept[1].rule, "net.unix.display");
}

static void bind_body(struct box *b)
{
	struct sockaddr_storage sa;

	CHECK(box_listen(AF_INET, SOCK_STREAM, &sa, box_inet(&sa, "127.0.0.1", 0), 4) >= 0);
	CHECK(box_listen(AF_INET6, SOCK_STREAM, &sa, box_inet(&sa, "::1", 0), 4) >= 0);
	CHECK(box_listen(AF_INET, SOCK_STREAM, &sa, box_inet(&sa, "0.0.0.0", 4711), 4) >= 0);
	CHECK(box_listen(AF_INET6, SOCK_STREAM, &sa, box_inet(&sa, "::", 4712), 4) >= 0);
	CHECK(syscall(SYS_bind, socket(AF_INET, SOCK_STREAM, 0), NULL, 16) == -1 && errno == EFAULT);
}

static void test_bind(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, bind_body);
	assert_int_equal(b->events, 2);
	assert_string_equal(b->kept[0].type, "net.bind");
	assert_string_equal(b->kept[0].address, "0.0.0.0");
	assert_int_equal(b->kept[0].port, 4711);
	assert_string_equal(b->kept[1].address, "::");
}

/* The same oddities with and without us: the same results. */
static const struct {
	int domain, type, family;
	unsigned len;
} odd[] = {
	{AF_INET, SOCK_STREAM, AF_INET, 0}, {AF_INET, SOCK_STREAM, AF_INET, 1}, {AF_INET, SOCK_STREAM, AF_INET, 2}, {AF_INET, SOCK_STREAM, AF_INET, 15},
	{AF_INET, SOCK_STREAM, AF_INET, 16}, {AF_INET, SOCK_STREAM, AF_INET, 128}, {AF_INET, SOCK_STREAM, AF_INET, 129}, {AF_INET, SOCK_STREAM, AF_INET, 4096},
	{AF_INET, SOCK_STREAM, AF_INET, 0x80000010u}, {AF_INET, SOCK_STREAM, AF_INET6, 28}, {AF_INET, SOCK_STREAM, AF_UNIX, 16}, {AF_INET, SOCK_STREAM, AF_UNSPEC, 16},
	{AF_INET, SOCK_STREAM, AF_UNSPEC, 2}, {AF_INET, SOCK_DGRAM, AF_UNSPEC, 16}, {AF_INET, SOCK_DGRAM, AF_INET, 15}, {AF_INET, SOCK_DGRAM, AF_INET, 16},
	{AF_INET6, SOCK_STREAM, AF_INET6, 23}, {AF_INET6, SOCK_STREAM, AF_INET6, 24}, {AF_INET6, SOCK_STREAM, AF_INET6, 27}, {AF_INET6, SOCK_STREAM, AF_INET6, 28},
	{AF_INET6, SOCK_STREAM, AF_INET, 16}, {AF_INET6, SOCK_DGRAM, AF_INET, 16}, {AF_INET6, SOCK_STREAM, AF_UNSPEC, 28},
	{AF_UNIX, SOCK_STREAM, AF_UNIX, 0}, {AF_UNIX, SOCK_STREAM, AF_UNIX, 2}, {AF_UNIX, SOCK_STREAM, AF_UNIX, 3}, {AF_UNIX, SOCK_STREAM, AF_UNIX, 111},
	{AF_UNIX, SOCK_STREAM, AF_UNIX, 128}, {AF_UNIX, SOCK_STREAM, AF_UNSPEC, 16}, {AF_UNIX, SOCK_STREAM, AF_INET, 16}, {AF_UNIX, SOCK_SEQPACKET, AF_UNIX, 2},
};
enum { ODD = sizeof odd / sizeof odd[0] };

static long try_odd(unsigned i)
{
	union {
		struct sockaddr_storage sa;
		char room[4096 + 16];
	} u;
	int fd = socket(odd[i].domain, odd[i].type, 0);
	long r;

	memset(&u, 0, sizeof u);
	if (odd[i].family == AF_INET6)
		box_inet(&u.sa, "::1", 1);
	else
		box_inet(&u.sa, "127.0.0.1", 1);
	if (odd[i].family == AF_UNIX)
		memset(&u, 0, sizeof u); /* an abstract name that nobody has */
	u.sa.ss_family = (sa_family_t)odd[i].family;
	r = box_connect(fd, &u, odd[i].len);
	close(fd);
	return r;
}

static void odd_before(struct box *b)
{
	for (unsigned i = 0; i < ODD; i++)
		b->result[i] = try_odd(i);
}

static void odd_body(struct box *b)
{
	for (unsigned i = 0; i < ODD; i++) {
		long r = try_odd(i);

		if (r != b->result[i]) {
			fprintf(stderr, "odd %u: %ld instead of %ld\n", i, r, b->result[i]);
			_exit(8);
		}
	}
	CHECK(box_connect(-1, "x", 1) == -EBADF);
	CHECK(box_connect(1000, NULL, 16) == -EBADF);
	CHECK(box_connect(2, NULL, 16) != 0); /* no socket */
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(box_connect(fd, NULL, 16) == -EFAULT);
	CHECK(box_connect(fd, (void *)8, 16) == -EFAULT);
	CHECK(box_connect(fd, (void *)-4096L, 16) == -EFAULT);
	int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK};

	CHECK(box_connect(netlink, &nl, sizeof nl) == 0);
	nl.nl_pid = 4711;
	CHECK(box_connect(netlink, &nl, sizeof nl) == -EPERM);
}

static void test_odd(void **state)
{
	box_run(*state, odd_before, odd_body);
}

/* --- what blocks ------------------------------------------------------------------------------- */

static void on_alarm(int signal) {}

static void alarm_in(unsigned milliseconds, int flags)
{
	struct itimerval t = {.it_value = {.tv_usec = milliseconds * 1000}};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};

	sigaction(SIGALRM, &action, NULL);
	CHECK(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

/* A TCP server that never accepts, its backlog full. */
static socklen_t full_server(struct sockaddr_storage *sa, int *server)
{
	socklen_t len = box_inet(sa, "127.0.0.1", 0);

	*server = box_listen(AF_INET, SOCK_STREAM, sa, len, 0);
	CHECK(*server >= 0);
	len = box_inet(sa, "127.0.0.1", box_port(*server));
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		long r = box_connect(fd, sa, len);

		CHECK(r == 0 || r == -EINPROGRESS);
	}
	usleep(20000);
	return len;
}

static void blocking_body(struct box *b)
{
	struct sockaddr_storage sa;
	struct timeval timeout = {.tv_usec = 200000};
	int server, fd;
	socklen_t len = full_server(&sa, &server);
	double start = box_now();

	fd = socket(AF_INET, SOCK_STREAM, 0);
	alarm_in(200, 0);
	CHECK(box_connect(fd, &sa, len) == -EINTR);
	CHECK(box_now() - start > 0.15 && box_now() - start < 0.5);
	/* Others are answered meanwhile, so nothing but a worker was held. */
	CHECK(box_connect(fd, &sa, 1) == -EINVAL);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0);
	start = box_now();
	CHECK(box_connect(fd, &sa, len) == -EINPROGRESS);
	CHECK(box_now() - start > 0.15 && box_now() - start < 0.5);
	/* It goes through once the server has room: the SYN is sent again after a second, on a busy machine after two or six more. */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	start = box_now();
	pid_t helper = fork();
	if (helper == 0) {
		alarm(20); /* should nobody end it */
		usleep(150000);
		for (int i = 0; i < 5; i++)
			accept4(server, NULL, NULL, 0);
		_exit(0);
	}
	CHECK(box_connect(fd, &sa, len) == 0);
	CHECK(box_now() - start < 10);
	kill(helper, SIGKILL); /* whoever lives on keeps the listener alive */
	alarm(100);
}

static void test_blocking(void **state)
{
	box_run(*state, NULL, blocking_body);
}

static void blocking_unix_body(struct box *b)
{
	struct sockaddr_storage sa;
	char path[128];
	double start;
	socklen_t len;
	int server, fd;

	snprintf(path, sizeof path, "%s/full.sock", b->own);
	len = box_unix(&sa, path);
	server = box_listen(AF_UNIX, SOCK_STREAM, &sa, len, 0);
	CHECK(server >= 0 && box_connect(socket(AF_UNIX, SOCK_STREAM, 0), &sa, len) == 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(box_connect(fd, &sa, len) == -EAGAIN);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	start = box_now();
	alarm_in(150, 0);
	CHECK(box_connect(fd, &sa, len) == -EINTR);
	CHECK(box_now() - start > 0.1 && box_now() - start < 0.5);
	if (fork() == 0) {
		alarm(3); /* whoever lives on keeps the listener alive */
		usleep(150000);
		accept4(server, NULL, NULL, 0);
		_exit(0);
	}
	CHECK(box_connect(fd, &sa, len) == 0);
	/* Killed while it waits: the worker lets go (box_run sees the threads end). */
	if (fork() == 0) {
		alarm_in(100, 0);
		signal(SIGALRM, SIG_DFL);
		box_connect(socket(AF_UNIX, SOCK_STREAM, 0), &sa, len);
		_exit(0);
	}
	usleep(300000);
	alarm(100);
}

static void test_blocking_unix(void **state)
{
	box_run(*state, NULL, blocking_unix_body);
}

/* --- AF_UNIX ----------------------------------------------------------------------------------- */

static long unix_connect(int type, const char *path)
{
	struct sockaddr_storage sa;
	socklen_t len = box_unix(&sa, path);
	int fd = socket(AF_UNIX, type, 0);
	long r = box_connect(fd, &sa, len);

	close(fd);
	return r;
}

static void unix_body(struct box *b)
{
	struct sockaddr_storage sa;
	char path[128], text[160];
	socklen_t len;

	CHECK(chdir(b->own) == 0 && mkdir("dir", 0755) == 0);
	snprintf(path, sizeof path, "%s/dir/s.sock", b->own);
	len = box_unix(&sa, path);
	CHECK(box_listen(AF_UNIX, SOCK_STREAM, &sa, len, 100) >= 0);
	CHECK(unix_connect(SOCK_STREAM, path) == 0);
	CHECK(unix_connect(SOCK_STREAM, "dir/s.sock") == 0);
	CHECK(unix_connect(SOCK_STREAM, "dir/../dir/./s.sock") == 0);
	CHECK(symlink("dir", "link") == 0 && symlink("dir/s.sock", "straight") == 0);
	CHECK(unix_connect(SOCK_STREAM, "link/s.sock") == 0);
	CHECK(unix_connect(SOCK_STREAM, "straight") == 0);
	CHECK(unix_connect(SOCK_STREAM, "/proc/self/cwd/dir/s.sock") == 0);
	CHECK(unix_connect(SOCK_SEQPACKET, path) == -EPROTOTYPE);
	CHECK(unix_connect(SOCK_STREAM, "dir/none") == -ENOENT);
	CHECK(unix_connect(SOCK_STREAM, "none/none") == -ENOENT);
	CHECK(unix_connect(SOCK_STREAM, "dir") == -ECONNREFUSED);
	len = box_unix(&sa, "@own");
	CHECK(box_listen(AF_UNIX, SOCK_SEQPACKET, &sa, len, 100) >= 0);
	CHECK(unix_connect(SOCK_SEQPACKET, "@own") == 0);
	CHECK(unix_connect(SOCK_SEQPACKET, "@nobody") == -ECONNREFUSED);
	/* Outside, by whatever way. */
	CHECK(unix_connect(SOCK_STREAM, b->agent_path) == -EACCES);
	CHECK(unix_connect(SOCK_STREAM, "../outside/agent.sock") == -EACCES);
	CHECK(symlink(b->agent_path, "agent") == 0 && symlink(b->outside, "out") == 0);
	CHECK(unix_connect(SOCK_STREAM, "agent") == -EACCES);
	CHECK(unix_connect(SOCK_STREAM, "out/agent.sock") == -EACCES);
	snprintf(text, sizeof text, "/proc/self/root%s", b->agent_path);
	CHECK(unix_connect(SOCK_STREAM, text) == -EACCES);
	CHECK(unix_connect(SOCK_STREAM, "../outside/none") == -EACCES);
	CHECK(unix_connect(SOCK_STREAM, "/nowhere/docker.sock") == -EACCES);
	if (link(b->agent_path, "hard") == 0)
		CHECK(unix_connect(SOCK_STREAM, "hard") == -EACCES);
}

static void test_unix(void **state)
{
	struct box *b = *state;
	const struct kept *k;

	box_run(b, NULL, unix_body);
	assert_true(b->events >= 7);
	k = box_kept(b, "net.unix.agent");
	assert_non_null(k);
	assert_string_equal(k->type, "ipc.connect");
	assert_string_equal(k->path, b->agent_path);
	assert_non_null(box_kept(b, "net.unix.docker"));
	assert_int_equal(box_contacts(b), 0);
}

/* --- races ------------------------------------------------------------------------------------- */

#define RACE_FD 100

struct race {
	int inet, local;
	struct sockaddr_storage loopback, agent, current;
	_Atomic bool stop;
};

static void *swap_descriptor(void *argument)
{
	struct race *race = argument;

	while (!race->stop) {
		dup2(race->inet, RACE_FD);
		dup2(race->local, RACE_FD);
	}
	return NULL;
}

static void *swap_address(void *argument)
{
	struct race *race = argument;

	while (!race->stop) {
		memcpy(&race->current, &race->loopback, sizeof race->current);
		memcpy(&race->current, &race->agent, sizeof race->current);
	}
	return NULL;
}

static void race_body(struct box *b)
{
	struct race race = {0};
	pthread_t t[2];
	unsigned reached = 0;

	box_inet(&race.loopback, "127.0.0.1", 1);
	box_unix(&race.agent, b->agent_path);
	race.current = race.loopback; /* all zeros would be AF_UNSPEC, which succeeds */
	race.inet = socket(AF_INET, SOCK_STREAM, 0);
	race.local = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(dup2(race.inet, RACE_FD) == RACE_FD);
	CHECK(!pthread_create(&t[0], NULL, swap_descriptor, &race) && !pthread_create(&t[1], NULL, swap_address, &race));
	for (unsigned i = 0; i < (unsigned)b->result[0]; i++)
		reached += box_connect(RACE_FD, &race.current, sizeof(struct sockaddr_un)) == 0;
	race.stop = true;
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	CHECK(reached == 0);
}

static void test_race(void **state)
{
	struct box *b = *state;

	b->result[0] = geteuid() ? 4000 : 20000;
	box_run(b, NULL, race_body);
	assert_true(b->notified >= (unsigned)b->result[0]);
	assert_true(b->events > 0); /* the agent's path was seen on the way */
	assert_int_equal(box_contacts(b), 0);
}

/* A path that changes between a socket of its own and the agent. */
static void *swap_link(void *argument)
{
	struct race *race = argument;

	while (!race->stop) {
		/* x: now the link to the outside, now the one to its own */
		CHECK(rename("a", "x") == 0 && symlink("../outside/agent.sock", "a") == 0);
		CHECK(rename("b", "x") == 0 && symlink("own.sock", "b") == 0);
	}
	return NULL;
}

static void link_race_body(struct box *b)
{
	struct sockaddr_storage sa;
	struct race race = {0};
	pthread_t t;
	socklen_t len;
	unsigned reached = 0;

	CHECK(chdir(b->own) == 0);
	len = box_unix(&sa, "own.sock");
	CHECK(box_listen(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, &sa, len, 4096) >= 0);
	CHECK(symlink("../outside/agent.sock", "a") == 0 && symlink("own.sock", "b") == 0 && symlink("own.sock", "x") == 0);
	CHECK(!pthread_create(&t, NULL, swap_link, &race));
	for (unsigned i = 0; i < (unsigned)b->result[0]; i++)
		reached += unix_connect(SOCK_STREAM, "x") == 0;
	race.stop = true;
	pthread_join(t, NULL);
	CHECK(reached > 0);
}

static void test_link_race(void **state)
{
	struct box *b = *state;

	b->result[0] = 3000;
	box_run(b, NULL, link_race_body);
	assert_int_equal(box_contacts(b), 0);
}

/* --- sockets that should not be there ---------------------------------------------------------- */

static int host_socket;

static void inherited_body(struct box *b)
{
	struct sockaddr_storage sa;
	socklen_t len = box_inet(&sa, "127.0.0.1", b->host_port);

	CHECK(box_connect(host_socket, &sa, len) == -EACCES);
}

static void test_inherited(void **state)
{
	struct box *b = *state;

	host_socket = socket(AF_INET, SOCK_STREAM, 0);
	box_run(b, NULL, inherited_body);
	close(host_socket);
	assert_int_equal(box_contacts(b), 0);
}

static void undoubled_body(struct box *b)
{
	loopback_works("127.0.0.1", false);
	quick(AF_INET, SOCK_STREAM, "192.0.2.7", 443, -ENETUNREACH);
	CHECK(unix_connect(SOCK_STREAM, b->agent_path) == -EACCES);
	CHECK(unix_connect(SOCK_STREAM, "@x") == -EACCES);
}

static void test_undoubled(void **state)
{
	struct box *b = *state;

	b->caps.pidfd_getfd = false;
	box_run(b, NULL, undoubled_body);
	assert_int_equal(b->events, 3);
	assert_non_null(box_kept(b, "net.outside"));
	assert_non_null(box_kept(b, "net.unix.agent"));
	assert_int_equal(box_contacts(b), 0);
}

static void plain_body(struct box *b)
{
	quick(AF_INET, SOCK_STREAM, "192.0.2.7", 443, -EACCES);
	quick(AF_INET, SOCK_STREAM, "127.0.0.1", 1, -EACCES);
	CHECK(unix_connect(SOCK_STREAM, b->agent_path) == -EACCES);
	CHECK(unix_connect(SOCK_STREAM, "@x") == -EACCES);
}

static void plain_own_body(struct box *b)
{
	struct sockaddr_storage sa;

	CHECK(chdir(b->own) == 0);
	CHECK(box_listen(AF_UNIX, SOCK_STREAM, &sa, box_unix(&sa, "s.sock"), 5) >= 0);
	CHECK(unix_connect(SOCK_STREAM, "s.sock") == -EACCES);
	CHECK(unix_connect(SOCK_STREAM, "none") == -ENOENT);
	CHECK(unix_connect(SOCK_STREAM, "none/none") == -ENOENT);
	CHECK(unix_connect(SOCK_STREAM, ".") == -ECONNREFUSED);
}

/* By names that are its own, but lead elsewhere. */
static void plain_disguised_body(struct box *b)
{
	char text[300];

	CHECK(chdir(b->own) == 0 && symlink(b->agent_path, "agent") == 0 && symlink(b->outside, "out") == 0);
	CHECK(unix_connect(SOCK_STREAM, "agent") == -EACCES);
	snprintf(text, sizeof text, "%s/../outside/agent.sock", b->own);
	CHECK(unix_connect(SOCK_STREAM, text) == -EACCES);
	snprintf(text, sizeof text, "%s/out/agent.sock", b->own);
	CHECK(unix_connect(SOCK_STREAM, text) == -EACCES);
	if (link(b->agent_path, "hard") == 0)
		CHECK(unix_connect(SOCK_STREAM, "hard") == -EACCES);
	else
		CHECK(unix_connect(SOCK_STREAM, "agent") == -EACCES);
}

static void test_plain_own(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	box_run(b, NULL, plain_own_body);
	assert_int_equal(b->events, 1);
	assert_non_null(box_kept(b, "net.unix.own"));
	assert_string_equal(box_kept(b, "net.unix.own")->type, "ipc.connect");
}

static void test_plain_disguised(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	box_run(b, NULL, plain_disguised_body);
	assert_int_equal(b->events, 4);
	assert_null(box_kept(b, "net.unix.own"));
	assert_non_null(box_kept(b, "net.unix.agent"));
	assert_int_equal(box_contacts(b), 0);
}

static void test_plain(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	box_run(b, NULL, plain_body);
	assert_int_equal(b->events, 3);
	assert_int_equal(box_contacts(b), 0);
}

/* --- without a namespace: the loopback that all share ------------------------------------------------ */

static long make(int family, int type, int protocol)
{
	/* 7: what the test's filter knows a notified socket() by. */
	long r = syscall(SYS_socket, family, type, protocol, 7);

	return r < 0 ? -errno : r;
}

static int own_server(int family, const char *address, unsigned port)
{
	struct sockaddr_storage sa;
	socklen_t len = box_inet(&sa, address, port);
	int fd = (int)make(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0 && listen(fd, 64) == 0);
	return fd;
}

static long own_connect(int fd, const char *address, unsigned port)
{
	struct sockaddr_storage sa;
	socklen_t len = box_inet(&sa, address, port);

	return box_connect(fd, &sa, len);
}

static void talk(int client, int server)
{
	int got = accept(server, NULL, NULL);
	char c = 0;

	CHECK(got >= 0 && write(client, "x", 1) == 1 && read(got, &c, 1) == 1 && c == 'x');
	close(client);
	CHECK(read(got, &c, 1) == 0); /* nobody else holds the connection */
	close(got);
}

static void own_tcp_body(struct box *b)
{
	char device[16] = "";
	socklen_t size = sizeof device;
	int server = own_server(AF_INET, "127.0.0.1", 0), six = own_server(AF_INET6, "::", 0), on = 0, fd;
	struct timeval limit = {.tv_sec = 7}, now = {0};

	CHECK(getsockopt(server, SOL_SOCKET, SO_BINDTODEVICE, device, &size) == 0 && !strcmp(device, "lo"));
	fd = (int)make(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof on) == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	CHECK(own_connect(fd, "127.0.0.1", box_port(server)) == 0 && own_connect(fd, "127.0.0.1", box_port(server)) == -EISCONN);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
	size = sizeof on;
	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0 && on);
	size = sizeof now;
	CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &now, &size) == 0 && now.tv_sec == 7);
	size = sizeof device;
	CHECK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &size) == 0 && !strcmp(device, "lo"));
	talk(fd, server);
	for (int i = 0; i < 3; i++) {
		fd = (int)make(i ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
		CHECK(own_connect(fd, (const char *[]){"127.0.0.1", "::1", "::ffff:127.0.0.1"}[i], box_port(six)) == 0);
		CHECK(!(fcntl(fd, F_GETFL) & O_NONBLOCK) && !(fcntl(fd, F_GETFD) & FD_CLOEXEC));
		talk(fd, six);
	}
}

static void test_own_tcp(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	b->sb.own = &b->own_sockets;
	b->shared_network = true;
	box_run(b, NULL, own_tcp_body);
	assert_int_equal(b->events, 1); /* the server on all addresses */
	assert_string_equal(b->kept[0].rule, "net.bind");
}

static void own_bounds_body(struct box *b)
{
	struct sockaddr_storage sa;
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd = (int)make(AF_INET, SOCK_STREAM, 0), server, other;
	unsigned port;

	CHECK(own_connect(fd, "127.0.0.1", b->host_port) == -ECONNREFUSED);
	CHECK(own_connect(fd, "0.0.0.0", b->host_port) == -ECONNREFUSED);
	CHECK(own_connect(fd, "192.0.2.7", 80) == -ENETUNREACH);
	CHECK(own_connect(fd, "2001:db8::1", 80) == -ENETUNREACH);
	CHECK(box_connect(fd, &none, sizeof none) == 0);
	CHECK(bind(fd, (struct sockaddr *)&sa, box_inet(&sa, "192.0.2.7", 0)) == -1 && errno == EADDRNOTAVAIL);
	CHECK(bind(fd, (struct sockaddr *)&sa, box_inet(&sa, "127.0.0.1", 80)) == -1 && errno == EACCES);
	CHECK(bind(fd, (struct sockaddr *)&sa, box_inet(&sa, "127.0.0.1", b->host_port)) == -1 && errno == EADDRINUSE);
	CHECK(bind(0, (struct sockaddr *)&sa, box_inet(&sa, "127.0.0.1", 0)) == -1 && (errno == ENOTSOCK || errno == EBADF));
	/* A port that was looked for and let go is free for the server; one that nobody listens on any more refuses. */
	CHECK(bind(fd, (struct sockaddr *)&sa, box_inet(&sa, "127.0.0.1", 0)) == 0);
	port = box_port(fd);
	close(fd);
	server = own_server(AF_INET, "127.0.0.1", port);
	fd = (int)make(AF_INET, SOCK_STREAM, 0);
	CHECK(own_connect(fd, "127.0.0.1", port) == 0);
	close(fd);
	close(server);
	other = (int)make(AF_INET, SOCK_STREAM, 0);
	CHECK(own_connect(other, "127.0.0.1", port) == -ECONNREFUSED);
	/* A socket that the supervisor has not made listens for nobody of the sandbox, and is connected to nobody. */
	server = box_listen(AF_UNIX, SOCK_STREAM, &sa, box_unix(&sa, "@own-unix"), 4);
	CHECK(server >= 0 && own_connect(server, "127.0.0.1", b->host_port) == -ECONNREFUSED);
}

static void test_own_bounds(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	b->sb.own = &b->own_sockets;
	b->shared_network = true;
	box_run(b, NULL, own_bounds_body);
	assert_int_equal(box_contacts(b), 0);
	assert_non_null(box_kept(b, "net.loopback"));
	assert_int_equal(box_kept(b, "net.loopback")->port, b->host_port);
	assert_non_null(box_kept(b, "net.outside"));
	assert_non_null(box_kept(b, "net.bind")); /* tried for another address */
}

static void own_unix_body(struct box *b)
{
	struct sockaddr_storage sa;
	int server, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(chdir(b->own) == 0);
	server = box_listen(AF_UNIX, SOCK_STREAM, &sa, box_unix(&sa, "s.sock"), 5);
	CHECK(server >= 0 && box_connect(fd, &sa, box_unix(&sa, "s.sock")) == 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
	CHECK(box_connect(fd, &sa, box_unix(&sa, "s.sock")) == -EISCONN);
	talk(fd, server);
	CHECK(unix_connect(SOCK_SEQPACKET, "s.sock") == -EPROTOTYPE);
	CHECK(unix_connect(SOCK_STREAM, "none") == -ENOENT);
	CHECK(unix_connect(SOCK_STREAM, b->agent_path) == -EACCES && unix_connect(SOCK_STREAM, "@x") == -EACCES);
	CHECK(symlink(b->agent_path, "agent") == 0 && unix_connect(SOCK_STREAM, "agent") == -EACCES);
	CHECK(box_connect((int)make(AF_INET, SOCK_STREAM, 0), &sa, box_unix(&sa, "s.sock")) == -EAFNOSUPPORT);
}

static void test_own_unix(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	b->sb.own = &b->own_sockets;
	b->shared_network = true;
	box_run(b, NULL, own_unix_body);
	assert_int_equal(b->events, 3);
	assert_int_equal(box_contacts(b), 0);
}

/* One thread swaps what the number means, one the address: between a listener of its own, one of the machine's, and somebody's agent. */
struct own_race {
	struct sockaddr_storage current, choice[3];
	int choices, of[2];
	volatile bool stop;
};

static void *swap_choices(void *argument)
{
	struct own_race *race = argument;

	for (int i = 0; !race->stop; i = (i + 1) % race->choices)
		memcpy(&race->current, &race->choice[i], sizeof race->current);
	return NULL;
}

static void *swap_numbers(void *argument)
{
	struct own_race *race = argument;

	while (!race->stop) {
		dup2(race->of[0], RACE_FD);
		dup2(race->of[1], RACE_FD);
	}
	return NULL;
}

static void own_race_body(struct box *b)
{
	struct own_race race = {.choices = 3};
	int server = own_server(AF_INET, "127.0.0.1", 0), got;
	pthread_t t[2];
	long reached = 0;

	fcntl(server, F_SETFL, O_NONBLOCK);
	box_inet(&race.choice[0], "127.0.0.1", box_port(server));
	box_inet(&race.choice[1], "127.0.0.1", b->host_port);
	box_unix(&race.choice[2], b->agent_path);
	race.current = race.choice[0];
	race.of[0] = (int)make(AF_INET, SOCK_STREAM, 0);
	race.of[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(dup2(race.of[0], RACE_FD) == RACE_FD);
	CHECK(!pthread_create(&t[0], NULL, swap_numbers, &race) && !pthread_create(&t[1], NULL, swap_choices, &race));
	for (int i = 0; i < 3000; i++) {
		reached += box_connect(RACE_FD, &race.current, i % 2 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_un)) == 0;
		while ((got = accept(server, NULL, NULL)) >= 0)
			close(got);
	}
	race.stop = true;
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	b->result[0] = reached;
}

static void test_own_race(void **state)
{
	struct box *b = *state;

	b->sb.namespaces = false;
	b->sb.own = &b->own_sockets;
	b->shared_network = true;
	box_run(b, NULL, own_race_body);
	assert_int_equal(box_contacts(b), 0);
	assert_true(b->result[0] > 0);
	printf("own race: %ld of 3000 reached the sandbox's own listener, 0 another's\n", b->result[0]);
}

/* --- socket, sends ----------------------------------------------------------------------------- */

static void socket_body(struct box *b)
{
	CHECK(make(AF_INET, SOCK_RAW, IPPROTO_ICMP) == -EPERM);
	CHECK(make(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) == -EPERM);
	CHECK(make(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) == -EPROTONOSUPPORT);
	CHECK(make(AF_INET, SOCK_STREAM, 262) == -EPROTONOSUPPORT);
	CHECK(make(AF_INET6, SOCK_STREAM, IPPROTO_SCTP) == -EPROTONOSUPPORT);
	CHECK(make(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE) == -EPROTONOSUPPORT);
	CHECK(make(AF_UNIX, SOCK_DGRAM, 0) == -EACCES);
	CHECK(make(AF_VSOCK, SOCK_STREAM, 0) == -EAFNOSUPPORT);
	CHECK(make(AF_ALG, SOCK_SEQPACKET, 0) == -EAFNOSUPPORT);
	CHECK(make(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK) == -EPROTONOSUPPORT);
	CHECK(make(AF_INET, SOCK_STREAM, 0) == -EACCES);
	CHECK(make(-1, -1, -1) == -EAFNOSUPPORT);
}

static void test_socket(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, socket_body);
	assert_int_equal(b->events, 12);
	assert_string_equal(b->kept[0].type, "net.socket");
	assert_string_equal(b->kept[0].rule, "net.socket.raw");
	assert_string_equal(b->kept[0].protocol, "AF_INET/SOCK_RAW/1");
	assert_string_equal(b->kept[1].protocol, "AF_PACKET/SOCK_RAW/0");
	assert_string_equal(b->kept[3].rule, "net.socket.family");
	assert_string_equal(b->kept[6].protocol, "AF_UNIX/SOCK_DGRAM/0");
}

static void send_body(struct box *b)
{
	struct sockaddr_storage sa, near, any;
	socklen_t len = box_inet(&sa, "192.0.2.7", 53), near_len = box_inet(&near, "127.0.0.1", 0), size = sizeof any;
	int server = box_listen(AF_INET, SOCK_DGRAM, &near, near_len, 0), fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
	struct iovec iov = {.iov_base = (void *)(uintptr_t)"x", .iov_len = 1};
	struct msghdr header = {.msg_name = &sa, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1};
	struct mmsghdr many[2] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};
	char c;

	CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)&sa, len) < 0 && errno == ENETUNREACH);
	CHECK(sendmsg(fd, &header, 0) < 0 && errno == ENETUNREACH);
	near_len = box_inet(&near, "127.0.0.1", box_port(server));
	CHECK(sendto(fd, "y", 1, 0, (struct sockaddr *)&near, near_len) == 1);
	CHECK(recvfrom(server, &c, 1, 0, (struct sockaddr *)&any, &size) == 1 && c == 'y');
	header.msg_name = NULL;
	CHECK(sendmsg(fd, &header, 0) < 0 && errno == EDESTADDRREQ);
	many[0].msg_hdr.msg_name = &near;
	many[0].msg_hdr.msg_namelen = near_len;
	box_inet(&sa, "192.0.2.8", 54);
	many[1].msg_hdr.msg_name = &sa;
	many[1].msg_hdr.msg_namelen = len;
	CHECK(sendmmsg(fd, many, 2, 0) == 1);
	CHECK(syscall(SYS_sendmsg, fd, (void *)8, 0) < 0 && errno == EFAULT);
	CHECK(syscall(SYS_sendto, fd, "x", 1, 0, (void *)8, 16) < 0 && errno == EFAULT);
	(void)pair;
}

static void test_send(void **state)
{
	struct box *b = *state;

	box_run(b, NULL, send_body);
	assert_int_equal(b->events, 3);
	assert_string_equal(b->kept[0].type, "net.send");
	assert_string_equal(b->kept[0].rule, "net.outside");
	assert_string_equal(b->kept[2].address, "192.0.2.8");
	assert_int_equal(b->kept[2].port, 54);
}

/* --- the installer ----------------------------------------------------------------------------- */

static void installer_body(struct box *b)
{
	quick(AF_INET, SOCK_STREAM, "127.0.0.1", 443, -ECONNREFUSED); /* the kernel's: nobody listens */
	quick(AF_INET, SOCK_STREAM, "192.0.2.7", 443, -ENETUNREACH);  /* allowed by name: the kernel's */
	quick(AF_INET6, SOCK_STREAM, "::ffff:192.0.2.7", 443, -ENETUNREACH);
	quick(AF_INET, SOCK_STREAM, "192.0.2.7", 80, -ECONNREFUSED);  /* not on that port: ours */
	quick(AF_INET, SOCK_STREAM, "192.0.2.66", 443, -ECONNREFUSED);
	quick(AF_INET, SOCK_STREAM, "169.254.169.254", 443, -ECONNREFUSED);
	CHECK(unix_connect(SOCK_STREAM, b->agent_path) == -ECONNREFUSED);
	CHECK(unix_connect(SOCK_STREAM, "@x") == -ECONNREFUSED);
	CHECK(unix_connect(SOCK_STREAM, "/var/lib/sss/pipes/../../../../tmp/x") == -ECONNREFUSED);
	CHECK(unix_connect(SOCK_STREAM, "/run/nscd/socket") == -ENOENT);

	struct sockaddr_storage sa;
	socklen_t len = box_inet(&sa, "192.0.2.7", 443);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.ss_family = AF_UNSPEC;
	CHECK(box_connect(fd, &sa, len) == 0);
	CHECK(box_connect(fd, &sa, 0) == -EAFNOSUPPORT || true);
}

static void learn(struct box *b, const char *host, const char *address)
{
	struct sockaddr_storage sa;
	struct pw_answer answer = {0};

	box_inet(&sa, address, 0);
	names_add(&answer, AF_INET, &((struct sockaddr_in *)(void *)&sa)->sin_addr, 0);
	names_remember(b->names, host, &answer);
}

static void test_installer(void **state)
{
	struct box *b = *state;
	const struct kept *k;

	if (access("/run/nscd/socket", F_OK) == 0)
		fail_msg("this machine has nscd: the test expects that it has not");
	b->sb.role = ROLE_INSTALLER;
	b->sb.namespaces = false;
	b->allowed_host = "index.example";
	b->allowed_port = 443;
	learn(b, "index.example", "192.0.2.7");
	learn(b, "index.example", "127.0.0.1"); /* as /etc/hosts may have it */
	learn(b, "index.example", "169.254.169.254");
	learn(b, "other.example", "192.0.2.66");
	box_run(b, NULL, installer_body);
	assert_int_equal(b->events, 7);
	k = box_kept(b, "net.connect.installer");
	assert_non_null(k);
	assert_string_equal(k->host, "index.example");
	assert_int_equal(k->port, 80);
	assert_string_equal(b->kept[1].host, "other.example");
	assert_non_null(box_kept(b, "net.metadata.test"));
	assert_int_equal(box_contacts(b), 0);
}

static void literal_body(struct box *b)
{
	quick(AF_INET, SOCK_STREAM, "192.0.2.7", 8080, -ENETUNREACH);
	quick(AF_INET, SOCK_STREAM, "127.0.0.1", 8080, -ECONNREFUSED);
}

static void test_installer_literal(void **state)
{
	struct box *b = *state;

	b->sb.role = ROLE_INSTALLER;
	b->sb.namespaces = false;
	b->allowed_host = "192.0.2.7";
	box_run(b, NULL, literal_body);
	assert_int_equal(b->events, 1); /* loopback is an address like any other */
	assert_string_equal(b->kept[0].address, "127.0.0.1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

static int group(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_loopback), TEST(test_outside), TEST(test_sweep), TEST(test_sweep_bounds), TEST(test_abstract), TEST(test_bind), TEST(test_odd), TEST(test_blocking), TEST(test_blocking_unix), TEST(test_unix), TEST(test_race),
		TEST(test_link_race), TEST(test_inherited), TEST(test_undoubled), TEST(test_plain), TEST(test_plain_own), TEST(test_plain_disguised), TEST(test_own_tcp), TEST(test_own_bounds), TEST(test_own_unix), TEST(test_own_race), TEST(test_socket), TEST(test_send), TEST(test_installer),
		TEST(test_installer_literal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return box_run_as_both(group);
}
