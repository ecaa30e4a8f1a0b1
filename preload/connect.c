/* connect: the kernel's and the supervisor's business.  Beforehand a sandbox's process says what only this side knows: the object
 * that makes the attempt, unless the hook in Python has said more. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "preload/answer.h"
#include "preload/intent.h"

#define ADDRESS_TEXT (sizeof(struct sockaddr_un) + 1)

/* A pointer that leads nowhere is EFAULT, and no crash of ours: the kernel reads a signal set there before it sees that it is to do nothing with it. */
static int can_be_read(const void *sa, socklen_t len)
{
	const size_t set = 8;
	const char *end = (const char *)sa + len - set;

	if (!sa || len < set || len > sizeof(struct sockaddr_storage))
		return 0;
	return syscall(SYS_rt_sigprocmask, -1, sa, NULL, set) < 0 && errno != EFAULT && syscall(SYS_rt_sigprocmask, -1, end, NULL, set) < 0 && errno != EFAULT;
}

/* False for what nobody wants to hear of. */
static int print_address(const struct sockaddr *sa, socklen_t len, char text[ADDRESS_TEXT], unsigned *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
	const size_t path = offsetof(struct sockaddr_un, sun_path);
	const void *bytes;

	*port = 0;
	if (!can_be_read(sa, len))
		return 0;
	if (sa->sa_family == AF_UNIX && len > path) {
		size_t n = len - path < sizeof(un->sun_path) ? len - path : sizeof(un->sun_path);
		int abstract = !un->sun_path[0]; /* is shown as @name */

		text[0] = '@';
		memcpy(text, un->sun_path + abstract, n - abstract);
		memcpy(text + abstract, un->sun_path + abstract, n - abstract);
		text[n] = '\0';
		return 1;
	}
	if (!(sa->sa_family == AF_INET && len >= sizeof(*in)) && !(sa->sa_family == AF_INET6 && len >= sizeof(*in6)))
		return 0;
	bytes = sa->sa_family == AF_INET ? (const void *)&in->sin_addr : &in6->sin6_addr;
	*port = ntohs(in->sin_port); /* at the same place in both */
	return inet_ntop(sa->sa_family, bytes, text, ADDRESS_TEXT) != NULL;
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct shim *shim = shim_get();
	char text[ADDRESS_TEXT];
	int saved = errno;
	unsigned port;

	if ((shim->role == PW_ROLE_BUILD || shim->role == PW_ROLE_GUEST) && print_address(address, len, text, &port))
		intent_connects(shim, text, port, __builtin_return_address(0));
	errno = saved;
	if (shim->real.connect) /* a cancellation point, which the plain system call is not */
		return shim->real.connect(fd, address, len);
	return (int)syscall(SYS_connect, fd, address, len);
}
