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

		sockaddr_mapped(&answer->address[i], bytes);
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
	struct pw_address address;
	uint8_t bytes[16];
	unsigned port;
	bool stopped = false;

	if (!sockaddr_inet(sa, &address, &port))
		return false;
	sockaddr_mapped(&address, bytes);
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->count && !stopped; i++) {
		size_t slot = (n->next + REMEMBERED_MAX - 1 - i) % REMEMBERED_MAX;

		if (!memcmp(n->entry[slot].bytes, bytes, sizeof bytes))
			stopped = each(n->entry[slot].host, arg);
	}
	pthread_mutex_unlock(&n->lock);
	return stopped;
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
		names_add_found(out, ai); /* in the resolver's own order; beyond PW_ANSWER_MAX cut off */
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
