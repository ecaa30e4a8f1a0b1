/* A supervisor of a dozen lines for the shim's tests.
 *
 *     fake_supervisor ROLE EVENTS COMMAND [ARG…]
 *
 * Runs COMMAND with a filter that notifies the event call and nothing else, answers as the given role
 * (1 installer, 2 build, 3 guest, 0: as a kernel without a supervisor), and appends what it is told to
 * the file EVENTS: one line an event, "type<TAB>text<TAB>object", and "resolve<TAB>name<TAB>family".
 * With INTENTS in the environment connect() is notified as well, and goes on; what the process said of it before is written:
 * "connect<TAB>text:port<TAB>object<TAB>function". */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/pw_event.h"

static void die(const char *what)
{
	fprintf(stderr, "fake_supervisor: %s: %s\n", what, strerror(errno));
	exit(120);
}

static int install_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, getenv("INTENTS") ? SYS_connect : -1, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PW_MAGIC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

static void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(sock, &msg, 0) != 1)
		die("sendmsg");
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static int read_target(pid_t pid, uint64_t addr, void *to, size_t len)
{
	struct iovec local = { .iov_base = to, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)len ? 0 : -1;
}

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("answer", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die("memfd");
	return fd;
}

static void add_address(struct pw_answer *a, int family, const char *text, uint32_t scope)
{
	struct pw_address *p = &a->address[a->count++];

	p->family = (uint32_t)family;
	p->scope = scope;
	inet_pton(family, text, p->bytes);
}

/* A descriptor with the canned answer, or -errno. */
static int resolve(const char *host)
{
	struct pw_answer a = { 0 };
	size_t len = sizeof(a);

	if (!strcmp(host, "refused.test"))
		return -EACCES;
	if (!strcmp(host, "odd.test"))
		return -EINVAL;
	if (!strcmp(host, "broken.test"))
		return -ENOSYS;
	if (!strcmp(host, "one.test") || !strcmp(host, "two.test") || !strcmp(host, "short.test"))
		add_address(&a, AF_INET, "192.0.2.1", 0);
	if (!strcmp(host, "two.test") || !strcmp(host, "six.test"))
		add_address(&a, AF_INET6, "2001:db8::1", 0);
	if (!strcmp(host, "scope.test"))
		add_address(&a, AF_INET6, "fe80::1", 1);
	for (int i = 0; i < PW_ANSWER_MAX && !strcmp(host, "full.test"); i++)
		add_address(&a, i % 2 ? AF_INET6 : AF_INET, i % 2 ? "2001:db8::2" : "192.0.2.2", 0);
	if (!strcmp(host, "again.test"))
		a.error = EAI_AGAIN;
	if (!strcmp(host, "system.test"))
		a.error = EAI_SYSTEM;
	if (!strcmp(host, "weird.test"))
		a.error = 12345;
	if (!strcmp(host, "many.test"))
		a.count = 0xffffffffu;
	if (!strcmp(host, "family.test")) {
		add_address(&a, AF_INET, "192.0.2.3", 0);
		a.address[0].family = 77;
	}
	if (!strcmp(host, "short.test"))
		len = offsetof(struct pw_answer, address) + 5;
	if (!strcmp(host, "stub.test"))
		len = 3;
	if (!strcmp(host, "empty.test"))
		len = 0;
	return memory_file(&a, len);
}

static uint64_t ring_at; /* of who checked in last */

static void log_intent(int events, pid_t pid)
{
	static struct pw_intents ring;
	const struct pw_intent *newest = &ring.intent[0];

	if (read_target(pid, ring_at, &ring, sizeof(ring)) < 0 || ring.magic != PW_INTENTS_MAGIC || ring.self != ring_at)
		return;
	for (size_t i = 1; i < PW_INTENTS; i++) {
		if (ring.intent[i].turn > newest->turn)
			newest = &ring.intent[i];
	}
	dprintf(events, "connect\t%c %s:%u\t%s\t%s\n", (int)newest->kind, newest->text, newest->port, newest->object, newest->function);
}

static void log_line(int events, const char *a, const char *b, int b_len, const char *c, int c_len)
{
	dprintf(events, "%s\t%.*s\t%.*s\n", a, b_len, b, c_len, c);
}

/* A result >= 0 that is a descriptor is put into the caller. */
static long decide(const struct seccomp_notif *req, int role, int events, int *fd)
{
	static const char names[] = "AWS_SECRET_ACCESS_KEY\0DATABASE_URL\0GITHUB_TOKEN\0ZZZ_LAST";
	const __u64 *args = req->data.args;
	struct pw_record r;
	struct pw_query q;
	char type[16];

	*fd = -1;
	if (!role)
		return -EINVAL;
	switch (args[1]) {
	case PW_OP_HELLO:
		ring_at = args[3] == sizeof(struct pw_intents) ? args[2] : 0;
		return role;
	case PW_OP_NAMES:
		*fd = memory_file(names, sizeof(names));
		return 0;
	case PW_OP_RESOLVE:
		if (args[3] != sizeof(q) || read_target((pid_t)req->pid, args[2], &q, sizeof(q)) < 0)
			return -EFAULT;
		q.host[PW_HOST_MAX - 1] = '\0';
		snprintf(type, sizeof(type), "%u", q.family);
		log_line(events, "resolve", q.host, PW_HOST_MAX, type, 16);
		*fd = resolve(q.host);
		return *fd < 0 ? *fd : 0;
	case PW_OP_DATA: /* begins with a record */
	case PW_OP_EVENT:
		if (args[3] != (args[1] == PW_OP_DATA ? sizeof(struct pw_record_of) : sizeof(r)) || read_target((pid_t)req->pid, args[2], &r, sizeof(r)) < 0)
			return -EFAULT;
		if (r.text_len > PW_TEXT_MAX || r.object_len > sizeof(r.object) || r.file_len > PW_FILE_MAX ||
		    r.function_len > PW_FUNCTION_MAX)
			return -EINVAL;
		snprintf(type, sizeof(type), "%u", r.type);
		if (r.file_len)
			dprintf(events, "%s\t%.*s\t%.*s\t%u\t%.*s\n", type, (int)r.text_len, r.text, (int)r.file_len, r.file, r.line,
				(int)r.function_len, r.function);
		else
			log_line(events, type, r.text, (int)r.text_len, r.object, (int)r.object_len);
		return 0;
	default:
		return -EINVAL;
	}
}

static void answer(int listener, int role, int events)
{
	struct seccomp_notif req = { 0 };
	struct seccomp_notif_resp resp = { 0 };
	struct seccomp_notif_addfd add = { 0 };
	long ret;
	int fd;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return;
	if (req.data.nr == SYS_connect) {
		log_intent(events, (pid_t)req.pid);
		resp.id = req.id;
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE; /* only looked at */
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
		return;
	}
	ret = decide(&req, role, events, &fd);
	if (fd >= 0) {
		add.id = req.id;
		add.flags = SECCOMP_ADDFD_FLAG_SEND;
		add.srcfd = (__u32)fd;
		add.newfd_flags = O_CLOEXEC;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
		close(fd);
		return;
	}
	resp.id = req.id;
	resp.val = ret < 0 ? 0 : ret;
	resp.error = ret < 0 ? (int)ret : 0;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* Until nobody lives who could ask, or for so long after the command's end. */
#define LINGER_MS 2000

static int serve(int listener, pid_t child, int role, int events)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int status = 0, waited = 0;
	int ended = 0;

	while (waited < LINGER_MS) {
		int n = poll(&p, 1, 20);

		if (n > 0 && p.revents & POLLIN)
			answer(listener, role, events);
		else if (n > 0)
			break;
		else if (ended)
			waited += 20;
		if (!ended && waitpid(child, &status, WNOHANG) == child)
			ended = 1;
	}
	if (!ended)
		waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int pair[2], events, listener;
	pid_t child;

	if (argc < 4)
		return 121;
	events = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (events < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("set-up");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		listener = install_filter();
		if (listener < 0)
			die("seccomp");
		send_fd(pair[1], listener);
		close(listener);
		if (getenv("SHIM")) {
			setenv("LD_PRELOAD", getenv("SHIM"), 1);
			unsetenv("SHIM");
		}
		execvp(argv[3], argv + 3);
		die(argv[3]);
	}
	close(pair[1]);
	listener = receive_fd(pair[0]);
	return serve(listener, child, atoi(argv[1]), events);
}
