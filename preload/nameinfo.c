/* getnameinfo: a number stays a number, but for loopback's own name. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "preload/answer.h"

/* NULL: too short to be one; libc says so. */
static const void *address_of(const struct sockaddr *sa, socklen_t len)
{
	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in))
		return &((const struct sockaddr_in *)sa)->sin_addr;
	if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6))
		return &((const struct sockaddr_in6 *)sa)->sin6_addr;
	return NULL;
}

EXPORT int getnameinfo(const struct sockaddr *restrict sa, socklen_t salen, char *restrict host, socklen_t hostlen,
	char *restrict serv, socklen_t servlen, int flags)
{
	static const char name[] = "localhost";
	const struct shim *shim = shim_get();
	const void *address;
	int asks, err;

	if (!shim->real.getnameinfo) {
		errno = ENOSYS;
		return EAI_SYSTEM;
	}
	asks = host && hostlen && !(flags & NI_NUMERICHOST) && sa && salen >= sizeof(sa->sa_family) &&
		(sa->sa_family == AF_INET || sa->sa_family == AF_INET6);
	if (!shim->role || !asks)
		return shim->real.getnameinfo(sa, salen, host, hostlen, serv, servlen, flags);
	address = address_of(sa, salen);
	if (!address || !answer_is_loopback(sa->sa_family, address)) {
		if (address)
			answer_refuse_reverse(sa->sa_family, address);
		if (flags & NI_NAMEREQD)
			return EAI_NONAME;
		return shim->real.getnameinfo(sa, salen, host, hostlen, serv, servlen, flags | NI_NUMERICHOST);
	}
	/* libc checks the address and the service; the number it writes is replaced. */
	err = shim->real.getnameinfo(sa, salen, host, hostlen, serv, servlen,
		(flags & ~NI_NAMEREQD) | NI_NUMERICHOST);
	if (err)
		return err;
	if (hostlen < sizeof(name))
		return EAI_OVERFLOW;
	memcpy(host, name, sizeof(name));
	return 0;
}
