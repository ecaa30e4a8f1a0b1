/* The real resolver, and what it answered: connect() of the installer is decided by the names its addresses were given out for. */
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/names/names.h"

/* Bounded: a content network may answer each time with others.  The oldest is forgotten; pip connects right after it asked. */
#define REMEMBERED_MAX 2048

struct remembered {
	uint8_t bytes[16]; /* IPv4 as v4-mapped, so that one form is compared */
	char host[PW_HOST_MAX];
};

struct names {
	pthread_mutex_t lock;
	size_t count, next; /* a ring: next is the slot to fill */
	struct remembered entry[REMEMBERED_MAX];
};

struct names *names_new(void)
{
	struct names *n = calloc(1, sizeof *n);

	if (n)
		pthread_mutex_init(&n->lock, NULL);
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static void mapped(uint8_t out[16], int family, const void *bytes)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	if (family == AF_INET6) {
		memcpy(out, bytes, 16);
		return;
	}
	memcpy(out, prefix, sizeof prefix);
	memcpy(out + sizeof prefix, bytes, 4);
}

static bool is_known(const struct names *n, const uint8_t bytes[16], const char *host)
{
	for (size_t i = 0; i < n->count; i++) {
		if (!memcmp(n->entry[i].bytes, bytes, 16) && !strcmp(n->entry[i].host, host))
			return true;
	}
	return false;
}

void names_remember(struct names *n, const char *host, const struct pw_answer *answer)
{
	pthread_mutex_lock(&n->lock);
	for (uint32_t i = 0; i < answer->count && i < PW_ANSWER_MAX; i++) {
		struct remembered *slot = &n->entry[n->next];
		uint8_t bytes[16];

		mapped(bytes, (int)answer->address[i].family, answer->address[i].bytes);
		if (is_known(n, bytes, host))
			continue;
		memcpy(slot->bytes, bytes, sizeof bytes);
		memset(slot->host, 0, sizeof slot->host);
		strncpy(slot->host, host, sizeof slot->host - 1);
		n->next = (n->next + 1) % REMEMBERED_MAX;
		if (n->count < REMEMBERED_MAX)
			n->count++;
	}
	pthread_mutex_unlock(&n->lock);
}

bool names_of_address(struct names *n, const struct sockaddr_storage *sa, bool (*each)(const char *host, void *arg), void *arg)
{
	uint8_t bytes[16];
	bool stopped = false;

	if (sa->ss_family == AF_INET)
		mapped(bytes, AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	else if (sa->ss_family == AF_INET6)
		mapped(bytes, AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
	else
		return false;
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->count && !stopped; i++) {
		size_t slot = (n->next + REMEMBERED_MAX - 1 - i) % REMEMBERED_MAX;

		if (!memcmp(n->entry[slot].bytes, bytes, sizeof bytes))
			stopped = each(n->entry[slot].host, arg);
	}
	pthread_mutex_unlock(&n->lock);
	return stopped;
}

static void add_result(const struct addrinfo *ai, struct pw_answer *out)
{
	if (ai->ai_family == AF_INET) {
		names_add(out, AF_INET, &((const struct sockaddr_in *)(const void *)ai->ai_addr)->sin_addr, 0);
	} else if (ai->ai_family == AF_INET6) {
		const struct sockaddr_in6 *sa = (const struct sockaddr_in6 *)(const void *)ai->ai_addr;

		names_add(out, AF_INET6, &sa->sin6_addr, sa->sin6_scope_id);
	}
}

void names_ask(const char *host, int family, struct pw_answer *out, char canonical[PW_HOST_MAX])
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
	struct addrinfo *list = NULL;

	canonical[0] = '\0';

	memset(out, 0, sizeof *out);
	out->error = getaddrinfo(host, NULL, &hints, &list);
	if (out->error)
		return;
	if (list->ai_canonname)
		names_classify(list->ai_canonname, canonical);
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
		add_result(ai, out); /* in the resolver's own order; beyond PW_ANSWER_MAX cut off */
	freeaddrinfo(list);
	if (out->count == 0)
		out->error = EAI_NONAME;
}

void names_resolve(struct names *n, const char *host, int family, struct pw_answer *out)
{
	char canonical[PW_HOST_MAX];

	names_ask(host, family, out, canonical);
	if (n)
		names_remember(n, host, out);
}
