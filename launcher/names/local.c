/* What can be said of a name without asking anybody: literals, localhost, the machine's own name, /etc/hosts. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "launcher/names/hosts_file.h"
#include "launcher/names/names.h"

bool names_add(struct pw_answer *out, int family, const void *bytes, uint32_t scope)
{
	size_t len = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
	struct pw_address one = {.family = (uint32_t)family, .scope = scope};

	if (!len)
		return false;
	memcpy(one.bytes, bytes, len);
	for (uint32_t i = 0; i < out->count; i++) {
		if (!memcmp(&out->address[i], &one, sizeof one))
			return true;
	}
	if (out->count >= PW_ANSWER_MAX)
		return false;
	out->address[out->count++] = one;
	return true;
}

void names_add_found(struct pw_answer *out, const struct addrinfo *ai)
{
	if (ai->ai_family == AF_INET) {
		names_add(out, AF_INET, &((const struct sockaddr_in *)(const void *)ai->ai_addr)->sin_addr, 0);
	} else if (ai->ai_family == AF_INET6) {
		const struct sockaddr_in6 *sa = (const struct sockaddr_in6 *)(const void *)ai->ai_addr;

		names_add(out, AF_INET6, &sa->sin6_addr, sa->sin6_scope_id);
	}
}

/* Exactly the spellings that a program's getaddrinfo takes for an address (1 to 4 numbers in octal, decimal or hex; IPv6 with a scope). */
static bool literal(const char *host, struct pw_address *out)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *list = NULL;
	struct pw_answer answer = {0};

	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return false;
	names_add_found(&answer, list);
	freeaddrinfo(list);
	*out = answer.address[0];
	return answer.count == 1;
}

static void literal_text(const struct pw_address *a, char canonical[PW_HOST_MAX])
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop((int)a->family, a->bytes, text, sizeof text);
	if (a->scope)
		snprintf(canonical, PW_HOST_MAX, "%s%%%u", text, a->scope);
	else
		snprintf(canonical, PW_HOST_MAX, "%s", text);
}

static bool is_localhost(const char *name)
{
	static const char word[] = "localhost";
	size_t len = strlen(name), tail = sizeof word - 1;

	if (len < tail || strcmp(name + len - tail, word))
		return false;
	return len == tail || name[len - tail - 1] == '.';
}

static bool is_own_name(const char *name)
{
	char own[PW_HOST_MAX];

	if (gethostname(own, sizeof own) != 0)
		return false;
	own[sizeof own - 1] = 0;
	return own[0] && !strcasecmp(own, name);
}

struct wanted {
	int family;
	bool found; /* a line at all, of whatever family */
	struct pw_answer *out;
};

static bool add_line(const char *address, void *arg)
{
	struct wanted *w = arg;
	struct pw_address one;

	if (!literal(address, &one))
		return false;
	w->found = true;
	if (w->out && (w->family == AF_UNSPEC || (uint32_t)w->family == one.family))
		names_add(w->out, (int)one.family, one.bytes, one.scope);
	return !w->out;
}

/* Adds the entries of /etc/hosts for name in family (AF_UNSPEC: both); true when there is a line at all, of whatever family. out may be NULL. */
static bool hosts_find(const char *name, int family, struct pw_answer *out)
{
	struct wanted w = {.family = family, .out = out};

	hosts_file_each(name, add_line, &w);
	return w.found;
}

enum name_class names_classify(const char *host, char canonical[PW_HOST_MAX])
{
	size_t len = strnlen(host, PW_HOST_MAX);
	struct pw_address address;

	snprintf(canonical, PW_HOST_MAX, "%s", host);
	if (len == 0 || len >= PW_HOST_MAX)
		return NAME_BAD;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)host[i];

		if (c < 0x20 || c == 0x7f)
			return NAME_BAD;
		if (c >= 'A' && c <= 'Z')
			canonical[i] = (char)(c + 'a' - 'A');
	}
	if (literal(host, &address)) {
		literal_text(&address, canonical);
		return NAME_LITERAL;
	}
	if (canonical[len - 1] == '.')
		canonical[--len] = 0;
	/* "" was the root; a second dot at the end is an empty label. 253: RFC 1035's 255 octets on the wire. */
	if (len == 0 || len > 253 || canonical[len - 1] == '.')
		return NAME_BAD;
	if (is_localhost(canonical) || is_own_name(canonical) || hosts_find(canonical, AF_UNSPEC, NULL))
		return NAME_LOCAL;
	return NAME_REMOTE;
}

const char *names_domain(const char *host, char out[NAMES_DOMAIN_MAX])
{
	const char *at = strrchr(host, '.');

	while (at != NULL && at > host && at[-1] != '.')
		at--;
	snprintf(out, NAMES_DOMAIN_MAX, "*.%s", at != NULL ? at : host);
	return out;
}

/* IPv6 first as getaddrinfo sorts, but not where the machine has none: a server would bind to what is not there. */
static void add_loopback(int family, struct pw_answer *out)
{
	static const uint8_t v4[4] = {127, 0, 0, 1};

	if (family != AF_INET && access("/proc/net/if_inet6", F_OK) == 0)
		names_add(out, AF_INET6, &in6addr_loopback, 0);
	if (family != AF_INET6)
		names_add(out, AF_INET, v4, 0);
}

static int by_family(const void *a, const void *b)
{
	const struct pw_address *x = a, *y = b;

	return (y->family == AF_INET6) - (x->family == AF_INET6);
}

static void answer_literal(const struct pw_address *one, int family, struct pw_answer *out)
{
	if (family == AF_UNSPEC || (uint32_t)family == one->family)
		names_add(out, (int)one->family, one->bytes, one->scope);
	else
		out->error = EAI_ADDRFAMILY;
}

void names_local(const char *host, int family, struct pw_answer *out)
{
	char name[PW_HOST_MAX];
	enum name_class class = names_classify(host, name);
	struct pw_address one;

	memset(out, 0, sizeof *out);
	if (class == NAME_LITERAL && literal(name, &one)) {
		answer_literal(&one, family, out);
		return;
	}
	/* A file may say which loopback `localhost` has. */
	if (class == NAME_LOCAL && !hosts_find(name, family, out))
		add_loopback(family, out);
	if (out->count == 0)
		out->error = EAI_NONAME;
	else
		qsort(out->address, out->count, sizeof out->address[0], by_family); /* few: order within a family is not promised */
}
