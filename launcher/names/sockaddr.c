/* Socket addresses: as text, and what is in them.  Pure: values in, values out. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "launcher/names/names.h"

/* What the kernel asks of an IPv6 address at least (SIN6_LEN_RFC2133: without the scope). */
#define SIN6_LEN_MIN 24

static void describe_inet(const struct in_addr *address, in_port_t port, struct sockaddr_text *out)
{
	uint32_t host_order = ntohl(address->s_addr);

	inet_ntop(AF_INET, address, out->address, sizeof out->address);
	out->port = ntohs(port);
	out->wildcard = host_order == INADDR_ANY;
	out->loopback = host_order >> 24 == 127 || out->wildcard;
}

static void describe_inet6(const struct sockaddr_in6 *sa, struct sockaddr_text *out)
{
	if (IN6_IS_ADDR_V4MAPPED(&sa->sin6_addr)) {
		struct in_addr inner;

		memcpy(&inner, &sa->sin6_addr.s6_addr[12], sizeof inner);
		out->mapped = true;
		describe_inet(&inner, sa->sin6_port, out);
		return;
	}
	inet_ntop(AF_INET6, &sa->sin6_addr, out->address, sizeof out->address);
	out->port = ntohs(sa->sin6_port);
	out->wildcard = IN6_IS_ADDR_UNSPECIFIED(&sa->sin6_addr);
	out->loopback = IN6_IS_ADDR_LOOPBACK(&sa->sin6_addr) || out->wildcard;
}

static bool describe_unix(const struct sockaddr_un *sa, socklen_t len, struct sockaddr_text *out)
{
	size_t room;

	if (len <= offsetof(struct sockaddr_un, sun_path) || len > sizeof *sa)
		return false;
	room = len - offsetof(struct sockaddr_un, sun_path);
	if (sa->sun_path[0]) {
		size_t used = strnlen(sa->sun_path, room); /* all 108 bytes may be used, with no NUL */

		memcpy(out->address, sa->sun_path, used);
		out->address[used] = 0;
		return true;
	}
	/* NUL bytes are part of an abstract name: shown as /proc/net/unix shows them. */
	out->abstract_name = true;
	for (size_t i = 0; i < room; i++)
		out->address[i] = sa->sun_path[i] ? sa->sun_path[i] : '@';
	out->address[room] = 0;
	return true;
}

_Static_assert(sizeof ((struct sockaddr_un *)0)->sun_path < sizeof ((struct sockaddr_text *)0)->address, "every path fits");

bool sockaddr_describe(const struct sockaddr_storage *sa, socklen_t len, struct sockaddr_text *out)
{
	memset(out, 0, sizeof *out);
	if (len < sizeof sa->ss_family || len > sizeof *sa)
		return false;
	out->family = sa->ss_family;
	switch (sa->ss_family) {
	case AF_INET: {
		struct sockaddr_in in;

		if (len < sizeof in)
			return false;
		memcpy(&in, sa, sizeof in);
		describe_inet(&in.sin_addr, in.sin_port, out);
		return true;
	}
	case AF_INET6: {
		struct sockaddr_in6 in6 = {0};

		if (len < SIN6_LEN_MIN)
			return false;
		memcpy(&in6, sa, len < sizeof in6 ? len : sizeof in6);
		describe_inet6(&in6, out);
		return true;
	}
	case AF_UNIX: {
		struct sockaddr_un un = {0};

		memcpy(&un, sa, len < sizeof un ? len : sizeof un);
		return describe_unix(&un, len, out);
	}
	default:
		return false;
	}
}

socklen_t sockaddr_of(const struct pw_address *address, unsigned port, struct sockaddr_storage *out)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = address->scope};

	memset(out, 0, sizeof *out);
	if (address->family == AF_INET) {
		memcpy(&in.sin_addr, address->bytes, sizeof in.sin_addr);
		memcpy(out, &in, sizeof in);
		return sizeof in;
	}
	memcpy(&in6.sin6_addr, address->bytes, sizeof in6.sin6_addr);
	memcpy(out, &in6, sizeof in6);
	return sizeof in6;
}

bool sockaddr_inet(const struct sockaddr_storage *sa, struct pw_address *address, unsigned *port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	*address = (struct pw_address){.family = sa->ss_family};
	switch (sa->ss_family) {
	case AF_INET:
		memcpy(&in, sa, sizeof in);
		memcpy(address->bytes, &in.sin_addr, 4);
		*port = ntohs(in.sin_port);
		return true;
	case AF_INET6:
		memcpy(&in6, sa, sizeof in6);
		*port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			address->family = AF_INET;
			memcpy(address->bytes, &in6.sin6_addr.s6_addr[12], 4);
			return true;
		}
		address->scope = in6.sin6_scope_id;
		memcpy(address->bytes, &in6.sin6_addr, 16);
		return true;
	default:
		return false;
	}
}

void sockaddr_mapped(const struct pw_address *address, uint8_t out[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	if (address->family == AF_INET6) {
		memcpy(out, address->bytes, 16);
		return;
	}
	memcpy(out, prefix, sizeof prefix);
	memcpy(out + sizeof prefix, address->bytes, 4);
}
