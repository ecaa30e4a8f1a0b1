/* connect: the kernel's and the supervisor's business.  A sandbox's refused attempt is told again
 * with what only this side knows: the object that made it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "preload/answer.h"

#define ADDRESS_TEXT (sizeof(struct sockaddr_un) + 64)

static void put_port(char *text, unsigned port)
{
	shim_append(text, ADDRESS_TEXT, ":");
	shim_append_number(text, ADDRESS_TEXT, port);
}

/* False for what nobody wants to hear of. */
static int print_address(const struct sockaddr *sa, socklen_t len, char text[ADDRESS_TEXT])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
	const size_t path = offsetof(struct sockaddr_un, sun_path);

	text[0] = '\0';
	if (!sa || len < sizeof(sa->sa_family))
		return 0;
	if (sa->sa_family == AF_INET && len >= sizeof(*in)) {
		if (answer_is_loopback(AF_INET, &in->sin_addr) || !inet_ntop(AF_INET, &in->sin_addr, text, ADDRESS_TEXT))
			return 0;
		put_port(text, ntohs(in->sin_port));
		return 1;
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(*in6)) {
		text[0] = '[';
		if (answer_is_loopback(AF_INET6, &in6->sin6_addr) ||
		    !inet_ntop(AF_INET6, &in6->sin6_addr, text + 1, ADDRESS_TEXT - 1))
			return 0;
		shim_append(text, ADDRESS_TEXT, "]");
		put_port(text, ntohs(in6->sin6_port));
		return 1;
	}
	if (sa->sa_family == AF_UNIX && len > path && un->sun_path[0]) {
		size_t n = len - path < sizeof(un->sun_path) ? len - path : sizeof(un->sun_path);

		n = strnlen(un->sun_path, n);
		memcpy(text, un->sun_path, n);
		text[n] = '\0';
		return 1;
	}
	return 0;
}

/* A datagram socket's goes nowhere: resolvers sort addresses by it. */
static int is_datagram(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM;
}

static int is_refusal(int fd, int err, int family)
{
	if (err == EACCES || err == EPERM)
		return 1;
	if (is_datagram(fd))
		return 0;
	return family != AF_UNIX && (err == ECONNREFUSED || err == ENETUNREACH || err == EHOSTUNREACH);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct shim *shim = shim_get();
	char text[ADDRESS_TEXT];
	int ret, err;

	if (shim->real.connect) /* a cancellation point, which the plain system call is not */
		ret = shim->real.connect(fd, address, len);
	else
		ret = (int)syscall(SYS_connect, fd, address, len);
	err = errno;
	if (ret < 0 && err != EFAULT && (shim->role == PW_ROLE_BUILD || shim->role == PW_ROLE_GUEST) &&
	    print_address(address, len, text) && is_refusal(fd, err, address->sa_family))
		shim_event(PW_EV_CONNECT, text, &(struct shim_origin){ .object = shim_object(shim, __builtin_return_address(0)) });
	errno = err;
	return ret;
}
