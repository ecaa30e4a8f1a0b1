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

static bool holds(const struct stand_ins *s, const struct pw_address *address)
{
	const struct policy_network *n = address->family == AF_INET ? &s->four : &s->six;
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	return !memcmp(address->bytes, n->bytes, whole) && (!rest || (address->bytes[whole] ^ n->bytes[whole]) >> (8 - rest) == 0);
}

bool stand_ins_hold(const struct stand_ins *s, const struct sockaddr_storage *sa)
{
	struct pw_address address;
	unsigned port;

	return sockaddr_inet(sa, &address, &port) && holds(s, &address);
}

bool stand_ins_find(struct stand_ins *s, const struct sockaddr_storage *sa, char host[PW_HOST_MAX], struct pw_address *real)
{
	struct pw_address address, expected;
	size_t len, index;
	unsigned port;
	bool found = false;

	if (!sockaddr_inet(sa, &address, &port) || !holds(s, &address))
		return false;
	len = address.family == AF_INET ? 4 : 16;
	index = (((size_t)address.bytes[len - 2] << 8 | address.bytes[len - 1]) & ((1u << POLICY_STAND_IN_BITS) - 1)) - 1;
	pthread_mutex_lock(&s->lock);
	if (index < s->n) {
		make_address(s, index, address.family, &expected);
		found = s->entry[index].real.family == expected.family && !memcmp(expected.bytes, address.bytes, len);
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
