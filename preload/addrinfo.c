/* getaddrinfo.
 *
 * The supervisor answers with addresses; libc turns each into its own list nodes, so that services,
 * socket types and scopes are libc's business and freeaddrinfo, which frees node by node, fits. */
#include <errno.h>
#include <string.h>

#include "preload/answer.h"

/* What libc assumes without hints. */
static const struct addrinfo no_hints = { .ai_flags = AI_V4MAPPED | AI_ADDRCONFIG };

struct request {
	const struct shim_real *real;
	const char *service;
	struct addrinfo hints;
	struct addrinfo **tail;
};

static int add(struct request *r, const char *text)
{
	int err = r->real->getaddrinfo(text, r->service, &r->hints, r->tail);

	if (err)
		return err;
	while (*r->tail)
		r->tail = &(*r->tail)->ai_next;
	return 0;
}

/* What the hints and the service are worth, before anybody is asked: libc looks at them first. */
static int check_request(struct request *r)
{
	struct addrinfo *probe = NULL;
	int err = r->real->getaddrinfo(r->hints.ai_family == AF_INET6 ? "::" : "0.0.0.0", r->service, &r->hints, &probe);

	if (!err)
		freeaddrinfo(probe);
	return err;
}

static int wanted(const struct pw_answer *answer, uint32_t family, const struct addrinfo *hints)
{
	if (hints->ai_family == AF_UNSPEC || (uint32_t)hints->ai_family == family)
		return 1;
	if (hints->ai_family != AF_INET6 || !(hints->ai_flags & AI_V4MAPPED))
		return 0;
	if (hints->ai_flags & AI_ALL)
		return 1;
	for (uint32_t i = 0; i < answer->count; i++) {
		if (answer->address[i].family == AF_INET6)
			return 0;
	}
	return 1; /* libc maps it, by the same flag */
}

static int add_all(struct request *r, const struct pw_answer *answer)
{
	char text[ANSWER_TEXT];
	int found = 0;

	for (uint32_t i = 0; i < answer->count; i++) {
		int err;

		if (!wanted(answer, answer->address[i].family, &r->hints))
			continue;
		answer_text(&answer->address[i], text);
		err = add(r, text);
		if (err)
			return err;
		found = 1;
	}
	return found ? 0 : EAI_NONAME;
}

static int resolve(const struct shim_real *real, const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **res)
{
	struct request r = { .real = real, .service = service };
	struct addrinfo *list = NULL;
	struct pw_answer answer;
	int err;

	if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET && hints->ai_family != AF_INET6)
		return EAI_FAMILY;
	r.hints.ai_family = hints->ai_family;
	r.hints.ai_socktype = hints->ai_socktype;
	r.hints.ai_protocol = hints->ai_protocol;
	r.hints.ai_flags = (hints->ai_flags & ~(AI_CANONNAME | AI_IDN | AI_CANONIDN | AI_ADDRCONFIG)) | AI_NUMERICHOST;
	r.tail = &list;
	err = check_request(&r);
	if (!err)
		err = answer_ask(node, hints->ai_family, hints->ai_flags, &answer);
	if (!err)
		err = add_all(&r, &answer);
	if (!err && hints->ai_flags & AI_CANONNAME) {
		list->ai_canonname = strdup(node);
		if (!list->ai_canonname)
			err = EAI_MEMORY;
	}
	if (err) {
		if (list)
			freeaddrinfo(list);
		return err;
	}
	*res = list;
	return 0;
}

EXPORT int getaddrinfo(const char *restrict node, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
	const struct shim *shim = shim_get();
	struct pw_address literal;
	struct addrinfo numeric;
	int saved = errno, err;

	if (!shim->real.getaddrinfo) {
		errno = ENOSYS;
		return EAI_SYSTEM;
	}
	if (!shim->role || !node || (hints && hints->ai_flags & AI_NUMERICHOST))
		return shim->real.getaddrinfo(node, service, hints, res);
	if (answer_is_literal(node, &literal)) {
		answer_tell_spelling(node, &literal);
		/* The flag makes sure of it: whatever libc thinks of this text, it asks nobody. */
		numeric = hints ? *hints : no_hints;
		numeric.ai_flags |= AI_NUMERICHOST;
		return shim->real.getaddrinfo(node, service, &numeric, res);
	}
	err = resolve(&shim->real, node, service, hints ? hints : &no_hints, res);
	if (err != EAI_SYSTEM)
		errno = saved;
	return err;
}
