/* gethostbyname and gethostbyaddr, in all their forms.  An address is never turned into a question:
 * a PTR name is as good a channel as any. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "preload/answer.h"

/* The buffer of the caller, handed out in pieces. */
struct arena {
	char *next;
	size_t left;
};

static void *take(struct arena *a, size_t size, size_t align)
{
	size_t pad = (size_t)-(uintptr_t)a->next & (align - 1);
	char *p;

	if (pad > a->left || size > a->left - pad)
		return NULL;
	p = a->next + pad;
	a->next = p + size;
	a->left -= pad + size;
	return p;
}

/* 0, or ERANGE. */
static int fill(struct hostent *host, struct arena *a, const char *name, int family, const struct pw_answer *answer)
{
	size_t size = family == AF_INET ? 4 : 16, count = 0;
	char **pointers;

	for (uint32_t i = 0; i < answer->count; i++)
		count += answer->address[i].family == (uint32_t)family;
	pointers = take(a, (count + 2) * sizeof(char *), _Alignof(char *));
	host->h_name = take(a, strlen(name) + 1, 1);
	if (!pointers || !host->h_name)
		return ERANGE;
	memcpy(host->h_name, name, strlen(name) + 1);
	host->h_addrtype = family;
	host->h_length = (int)size;
	host->h_addr_list = pointers;
	host->h_aliases = pointers + count + 1;
	host->h_aliases[0] = NULL;
	for (uint32_t i = 0; i < answer->count; i++) {
		if (answer->address[i].family != (uint32_t)family)
			continue;
		*pointers = take(a, size, 4);
		if (!*pointers)
			return ERANGE;
		memcpy(*pointers++, answer->address[i].bytes, size);
	}
	*pointers = NULL;
	return 0;
}

static int host_error(int eai)
{
	return eai == EAI_AGAIN ? TRY_AGAIN : eai == EAI_FAIL || eai == EAI_MEMORY ? NO_RECOVERY : HOST_NOT_FOUND;
}

static int has_family(const struct pw_answer *answer, int family)
{
	for (uint32_t i = 0; i < answer->count; i++) {
		if (answer->address[i].family == (uint32_t)family)
			return 1;
	}
	return 0;
}

/* As gethostbyname2_r: 0 also when nothing is found, then *result is NULL. */
static int by_name(const char *name, int family, struct hostent *host, char *buf, size_t len, struct hostent **result,
	int *herr)
{
	struct arena a = { .next = buf, .left = len };
	struct pw_answer answer;
	int err = 0;

	*result = NULL;
	if (family != AF_INET && family != AF_INET6) {
		*herr = NETDB_INTERNAL;
		errno = EAFNOSUPPORT;
		return EAFNOSUPPORT;
	}
	memset(&answer, 0, sizeof(answer));
	answer.count = 1;
	if (answer_is_literal(name, &answer.address[0]))
		answer_tell_spelling(name, &answer.address[0]);
	else
		err = answer_ask(name, family, 0, &answer);
	if (err || !has_family(&answer, family)) {
		*herr = err ? host_error(err) : NO_DATA;
		return 0;
	}
	err = fill(host, &a, name, family, &answer);
	if (err) {
		*herr = NETDB_INTERNAL;
		errno = err;
		return err;
	}
	*herr = NETDB_SUCCESS;
	*result = host;
	return 0;
}

static int by_addr(const void *addr, socklen_t len, int family, struct hostent *host, char *buf, size_t size,
	struct hostent **result, int *herr)
{
	struct arena a = { .next = buf, .left = size };
	struct pw_answer answer = { .count = 1 };
	int err;

	*result = NULL;
	*herr = HOST_NOT_FOUND;
	if ((family != AF_INET || len != 4) && (family != AF_INET6 || len != 16)) {
		*herr = NETDB_INTERNAL;
		errno = family == AF_INET || family == AF_INET6 ? EINVAL : EAFNOSUPPORT;
		return errno;
	}
	if (!answer_is_loopback(family, addr)) {
		answer_refuse_reverse(family, addr);
		return 0;
	}
	answer.address[0].family = (uint32_t)family;
	memcpy(answer.address[0].bytes, addr, len);
	err = fill(host, &a, "localhost", family, &answer);
	if (err) {
		*herr = NETDB_INTERNAL;
		errno = err;
		return err;
	}
	*herr = NETDB_SUCCESS;
	*result = host;
	return 0;
}

/* The forms without a buffer have one of their own, shared by all callers, as in libc. */
static struct {
	struct hostent host;
	char buf[PW_HOST_MAX + (PW_ANSWER_MAX + 2) * (sizeof(char *) + 16) + 16];
} shared;

EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
	const struct shim *shim = shim_get();
	struct hostent *result = NULL;

	if (shim->role)
		by_name(name, family, &shared.host, shared.buf, sizeof(shared.buf), &result, &h_errno);
	else if (shim->real.gethostbyname2)
		return shim->real.gethostbyname2(name, family);
	return result;
}

EXPORT struct hostent *gethostbyname(const char *name)
{
	const struct shim *shim = shim_get();

	if (!shim->role && shim->real.gethostbyname)
		return shim->real.gethostbyname(name);
	return gethostbyname2(name, AF_INET);
}

EXPORT int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict host, char *restrict buf,
	size_t len, struct hostent **restrict result, int *restrict herr)
{
	const struct shim *shim = shim_get();

	if (shim->role)
		return by_name(name, family, host, buf, len, result, herr);
	if (shim->real.gethostbyname2_r)
		return shim->real.gethostbyname2_r(name, family, host, buf, len, result, herr);
	*result = NULL;
	*herr = NO_RECOVERY;
	return ENOSYS;
}

EXPORT int gethostbyname_r(const char *restrict name, struct hostent *restrict host, char *restrict buf, size_t len,
	struct hostent **restrict result, int *restrict herr)
{
	const struct shim *shim = shim_get();

	if (!shim->role && shim->real.gethostbyname_r)
		return shim->real.gethostbyname_r(name, host, buf, len, result, herr);
	return gethostbyname2_r(name, AF_INET, host, buf, len, result, herr);
}

EXPORT int gethostbyaddr_r(const void *restrict addr, socklen_t len, int family, struct hostent *restrict host,
	char *restrict buf, size_t size, struct hostent **restrict result, int *restrict herr)
{
	const struct shim *shim = shim_get();

	if (shim->role)
		return by_addr(addr, len, family, host, buf, size, result, herr);
	if (shim->real.gethostbyaddr_r)
		return shim->real.gethostbyaddr_r(addr, len, family, host, buf, size, result, herr);
	*result = NULL;
	*herr = NO_RECOVERY;
	return ENOSYS;
}

EXPORT struct hostent *gethostbyaddr(const void *addr, socklen_t len, int family)
{
	const struct shim *shim = shim_get();
	struct hostent *result = NULL;

	if (shim->role)
		by_addr(addr, len, family, &shared.host, shared.buf, sizeof(shared.buf), &result, &h_errno);
	else if (shim->real.gethostbyaddr)
		return shim->real.gethostbyaddr(addr, len, family);
	return result;
}
