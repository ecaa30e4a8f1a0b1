/* Messages with control data between pipwarden's own processes: whatever is sent, no descriptor is lost and none is made up.
 * Each message: a byte of length, a byte of descriptors, a byte of what the receiver has room for, then its text. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "launcher/base/fd.h"

#define ROOM 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++) {
		count += fcntl(fd, F_GETFD) >= 0;
	}
	return count;
}

/* Two control messages, and a kind that is not asked for, as no sender of ours makes them. */
static void send_odd(int sock, const void *text, size_t len, int fd, size_t n)
{
	union {
		struct cmsghdr align;
		char bytes[2 * CMSG_SPACE(sizeof(int) * ROOM) + CMSG_SPACE(sizeof(struct ucred))];
	} control = {.bytes = {0}};
	struct iovec iov = {.iov_base = (void *)text, .iov_len = len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	size_t used = 0;

	for (int part = 0; part < 2 && n > 0; part++) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		for (size_t i = 0; i < n; i++) {
			memcpy(CMSG_DATA(c) + i * sizeof fd, &fd, sizeof fd);
		}
		used += CMSG_SPACE(sizeof(int) * n);
		c = (struct cmsghdr *)(control.bytes + used);
	}
	m.msg_controllen = used;
	sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2], before = open_count();
	static int null = -1;

	if (null < 0) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		before++;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return 0;
	}
	while (size >= 3) {
		size_t len = data[0] % 64, n = data[1] % ROOM, room = data[2] % ROOM;
		bool odd = (data[1] & 0x80) != 0;
		char text[48];
		int fds[ROOM], given[ROOM];

		data += 3;
		size -= 3;
		len = len < size ? len : size;
		for (size_t i = 0; i < n; i++) {
			given[i] = null;
		}
		if (odd) {
			send_odd(pair[1], data, len, null, n);
		} else if (fd_send(pair[1], data, len, given, n) < 0) {
			break;
		}
		size_t got = room;
		memset(fds, 0xff, sizeof fds);
		ssize_t r = fd_receive(pair[0], text, sizeof text, data[-1] & 0x40 ? NULL : fds, data[-1] & 0x40 ? NULL : &got);
		if (data[-1] & 0x40) {
			got = 0;
		}
		assert(r <= (ssize_t)sizeof text && got <= room);
		assert(r >= 0 || got == 0);
		if (r >= 0) {
			assert((size_t)r == len && memcmp(text, data, len) == 0 && got == (odd ? 2 * n : n));
		}
		for (size_t i = 0; i < got; i++) {
			assert(fcntl(fds[i], F_GETFD) == FD_CLOEXEC);
			close(fds[i]);
		}
		data += len;
		size -= len;
		if (len == 0) { /* a message of nothing reads as the end */
			break;
		}
	}
	close(pair[0]);
	close(pair[1]);
	assert(open_count() == before);
	return 0;
}
