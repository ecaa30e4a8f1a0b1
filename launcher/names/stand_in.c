#include "launcher/names/stand_in.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/names/names.h"

struct entry {
	struct pw_address real;
	unsigned whose;
	char host[PW_HOST_MAX];
};

struct stand_ins {
	struct policy_network four, six;
	pthread_mutex_t lock;
	size_t n;
	struct entry entry[STAND_INS_MAX]; /* the n-th has the address n + 1 of its family's network */
};

struct stand_ins *stand_ins_new(struct policy_network four, struct policy_network six)
{
	struct stand_ins *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->four = four;
	s->six = six;
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void stand_ins_free(struct stand_ins *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void make_address(const struct stand_ins *s, size_t index, uint32_t family, struct pw_address *out)
{
	uint32_t number = (uint32_t)index + 1;
	size_t len = family == AF_INET ? 4 : 16;

	*out = (struct pw_address){.family = family};
	memcpy(out->bytes, family == AF_INET ? s->four.bytes : s->six.bytes, len);
	out->bytes[len - 1] = (uint8_t)number;
	out->bytes[len - 2] |= (uint8_t)(number >> 8);
}

/* The wildcard address, which no name leads to: who connects there means his own machine. */
void stand_ins_nowhere(int family, struct pw_answer *out)
{
	*out = (struct pw_answer){.count = 1, .address[0].family = family == AF_INET6 ? AF_INET6 : AF_INET};
}

bool stand_in_is_nowhere(const struct pw_address *real)
{
	static const uint8_t none[sizeof real->bytes];

	return !memcmp(real->bytes, none, sizeof none);
}

/* Its index, or STAND_INS_MAX. */
static size_t index_of(struct stand_ins *s, unsigned whose, const char *host, const struct pw_address *real)
{
	struct entry *e = s->entry + s->n;
	size_t its = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!memcmp(&s->entry[i].real, real, sizeof *real) && !strcmp(s->entry[i].host, host))
			return i;
		its += s->entry[i].whose == whose;
	}
	if (s->n == STAND_INS_MAX || its >= STAND_INS_EACH)
		return STAND_INS_MAX;
	e->real = *real;
	e->whose = whose;
	strncpy(e->host, host, sizeof e->host - 1);
	return s->n++;
}

bool stand_ins_give(struct stand_ins *s, unsigned whose, const char *host, const struct pw_answer *real, struct pw_answer *out)
{
	struct pw_address one;
	bool all = true;

	memset(out, 0, sizeof *out);
	out->error = real->error;
	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < real->count && i < PW_ANSWER_MAX; i++) {
		size_t index = index_of(s, whose, host, &real->address[i]);
		if (index == STAND_INS_MAX) {
			all = false;
			continue;
		}
		make_address(s, index, real->address[i].family, &one);
		names_add(out, (int)one.family, one.bytes, 0);
	}
	pthread_mutex_unlock(&s->lock);
	if (!out->error && !out->count)
		out->error = EAI_NONAME;
	return all;
}

/* The bytes of an inet address and their number, or NULL. */
static const uint8_t *bytes_of(const struct sockaddr_storage *sa, size_t *len)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	*len = sa->ss_family == AF_INET ? 4 : 16;
	if (sa->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		*len = 4;
		return in6->sin6_addr.s6_addr + 12;
	}
	if (sa->ss_family == AF_INET6)
		return in6->sin6_addr.s6_addr;
	return sa->ss_family == AF_INET ? (const uint8_t *)&in->sin_addr : NULL;
}

bool stand_ins_hold(const struct stand_ins *s, const struct sockaddr_storage *sa)
{
	size_t len;
	const uint8_t *bytes = bytes_of(sa, &len);
	const struct policy_network *n = len == 4 ? &s->four : &s->six;
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (!bytes || memcmp(bytes, n->bytes, whole))
		return false;
	return !rest || (bytes[whole] ^ n->bytes[whole]) >> (8 - rest) == 0;
}

bool stand_ins_find(struct stand_ins *s, const struct sockaddr_storage *sa, char host[PW_HOST_MAX], struct pw_address *real)
{
	struct pw_address expected;
	size_t len, index;
	const uint8_t *bytes = bytes_of(sa, &len);
	bool found = false;

	if (!bytes || !stand_ins_hold(s, sa))
		return false;
	index = (((size_t)bytes[len - 2] << 8 | bytes[len - 1]) & ((1u << POLICY_STAND_IN_BITS) - 1)) - 1;
	pthread_mutex_lock(&s->lock);
	if (index < s->n) {
		make_address(s, index, len == 4 ? AF_INET : AF_INET6, &expected);
		found = s->entry[index].real.family == expected.family && !memcmp(expected.bytes, bytes, len);
		*real = s->entry[index].real;
		memcpy(host, s->entry[index].host, PW_HOST_MAX);
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

size_t stand_ins_addresses(struct stand_ins *s, const char *host, struct pw_address *out, size_t room)
{
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n && n < room; i++)
		if (!strcmp(s->entry[i].host, host))
			out[n++] = s->entry[i].real;
	pthread_mutex_unlock(&s->lock);
	return n;
}
