/* connect() and sendmsg(): the address, the socket behind the descriptor, and both. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/race/race.h"

static socklen_t address_len;
static int tcp_listener = -1, unix_listener = -1;

/* struct sockaddr_in and struct sockaddr_un differ in their first eight bytes; sun_path goes on with the outside path. */
static void add_inet(const char *address, int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	race_must(inet_pton(AF_INET, address, &in.sin_addr) == 1, "address");
	swap_add(&in);
}

static void add_unix(const char *six)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, six, 6);
	swap_add(&un);
}

static int own_tcp_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;

	tcp_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	race_inet = tcp_listener >= 0;
	if (!race_inet)
		return 1;
	race_must(!bind(tcp_listener, (struct sockaddr *)&in, len) && !listen(tcp_listener, 1024) &&
	     !getsockname(tcp_listener, (struct sockaddr *)&in, &len), "own TCP listener");
	return ntohs(in.sin_port);
}

static void own_unix_listener(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "own.s"};

	unix_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	race_unix = unix_listener >= 0;
	if (race_unix)
		race_must(!bind(unix_listener, (struct sockaddr *)&un, sizeof un) && !listen(unix_listener, 1024), "own AF_UNIX listener");
}

static void drain(int listener)
{
	int fd;

	while (listener >= 0 && (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
}

/* Where the sandbox may make none, one end of a pair without a peer stands in: the nearest thing that it can have. */
static int new_unix(void)
{
	int pair[2];

	if (race_unix)
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	close(pair[1]);
	return pair[0];
}

static int new_tcp(void)
{
	struct linger linger = {.l_onoff = 1}; /* no TIME_WAIT: 100,000 of them would eat the ports */
	int fd = race_inet ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : new_unix();

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	return fd;
}

/* A connect of a datagram socket is over at once and leaves it as good as new: a tenth of the cost. */
static int new_udp(void)
{
	return race_inet ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : new_unix();
}

/* Without a network namespace there are TCP sockets and no others. */
static bool has_udp(void)
{
	static int known = -1;

	if (known < 0) {
		int fd = new_udp();
		known = fd >= 0;
		close(fd);
	}
	return known;
}

static void sockets_renew(void)
{
	swap_put(new_tcp(), SLOT_A);
	swap_put(new_unix(), SLOT_B);
}

#define STREAMS 16 /* of so many tries one with a stream socket */
static bool datagrams; /* SLOT_A has such a one */

static void sockets_change(unsigned long i)
{
	bool stream = i % STREAMS == 0;

	if (!has_udp())
		return;
	if (stream != datagrams)
		return;
	swap_put(stream ? new_tcp() : new_udp(), SLOT_A);
	datagrams = race_inet && !stream;
}

static void sockets_init(void)
{
	int port = own_tcp_port();
	const char *agent = race_get("agent");
	struct sockaddr_un *un = (struct sockaddr_un *)swap_memory;

	own_unix_listener();
	race_must(strlen(agent) + 6 < sizeof un->sun_path, "agent's path");
	snprintf(un->sun_path, sizeof un->sun_path, "//////%s", agent + 1);
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(un->sun_path));
	swap_words(swap_memory);
	add_inet("127.0.0.1", port);
	if (!strcmp(race_name, "address")) {
		add_inet(race_get("address"), atoi(race_get("port")));
		address_len = sizeof(struct sockaddr_in);
	} else {
		add_unix("//////");
		add_unix(strcmp(race_name, "descriptor") ? "own.s" : "\0race-"); /* the abstract one: "\0race-" and the path's rest */
	}
	sockets_renew();
}

static void say(int fd)
{
	char text[64];
	int len = snprintf(text, sizeof text, "RACE:%s\n", race_name);

	syscall(SYS_sendto, fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
}

static void try_connect(int fd)
{
	long r = syscall(SYS_connect, fd, swap_memory, address_len);

	if (!race_count(r) && (errno == EACCES || errno == EINVAL || errno == EAFNOSUPPORT || errno == ECONNREFUSED || errno == ENETUNREACH))
		return; /* the socket is as good as new */
	say(SLOT_A);
	say(SLOT_B);
	if (r >= 0 && datagrams)
		return;
	drain(tcp_listener);
	drain(unix_listener);
	sockets_renew();
	datagrams = false;
}

static void try_address(unsigned long i)
{
	sockets_change(i);
	try_connect(SLOT_A);
}

static void try_family(unsigned long i)
{
	try_connect(i & 1 ? SLOT_A : SLOT_B);
}

static void try_descriptor(unsigned long i)
{
	sockets_change(i);
	try_connect(USED);
}

/* Mostly the socket that fits the address, so that what is looked at is in order; in either order, so that what is used may not be. */
static void flip_descriptor(uint32_t r)
{
	unsigned address = r % swap_count();
	int slot = (address == 0) == ((r >> 8) % 4 > 0) ? SLOT_A : SLOT_B;

	if (r & 1 << 12)
		swap_flip_word(address);
	dup3(slot, USED, O_CLOEXEC);
	swap_flip_word(address);
}

static void descriptor_init(void)
{
	sockets_init();
	race_must(dup3(SLOT_A, USED, O_CLOEXEC) == USED, "dup3");
}

/* --- send -------------------------------------------------------------------------------------------------------------------- */

static struct sockaddr_in to[2];
static struct msghdr message;

static void send_init(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	race_inet = sender >= 0;
	if (race_inet) {
		race_must(!bind(receiver, (struct sockaddr *)&in, len) && !getsockname(receiver, (struct sockaddr *)&in, &len), "own UDP socket");
		swap_put(sender, SLOT_A); /* never read: a full buffer drops, which costs the sender nothing */
	}
	to[0] = in;
	to[1] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(race_get("port")))};
	race_must(inet_pton(AF_INET, race_get("address"), &to[1].sin_addr) == 1, "address");
	static struct iovec text = {.iov_base = "RACE:send\n", .iov_len = 10};
	message = (struct msghdr){.msg_namelen = sizeof to[0], .msg_iov = &text, .msg_iovlen = 1, .msg_name = &to[0]};
	swap_words(&message.msg_name);
	for (int i = 0; i < 2; i++)
		swap_add(&(void *){&to[i]});
}

static void try_send(unsigned long i)
{
	(void)i;
	race_count(syscall(SYS_sendmsg, SLOT_A, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

const struct race races_of_sockets[] = {
	{"address", sockets_init, swap_flip_word, try_address, .yields = true},
	{"address-family", sockets_init, swap_flip_word, try_family, .yields = true},
	{"descriptor", descriptor_init, flip_descriptor, try_descriptor, .yields = true},
	{"send", send_init, swap_flip_word, try_send, .yields = false},
	{0},
};
