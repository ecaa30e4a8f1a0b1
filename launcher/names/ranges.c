#include "launcher/names/ranges.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

struct range {
	uint8_t bytes[16];
	unsigned bits;
};

static const struct range ranges4[] = {
	{{0}, 8},             /* this network */
	{{10}, 8},            /* private */
	{{100, 64}, 10},      /* a carrier's own */
	{{127}, 8},           /* loopback */
	{{169, 254}, 16},     /* link */
	{{172, 16}, 12},      /* private */
	{{192, 0, 0}, 24},    /* protocols */
	{{192, 168}, 16},     /* private */
	{{198, 18}, 15},      /* measurements, and our own stand-ins */
	{{224}, 4},           /* multicast */
	{{240}, 4},           /* reserved, broadcast */
};

static const struct range ranges6[] = {
	{{0}, 96},            /* unspecified, loopback, the old IPv4-compatible */
	{{0x01}, 64},         /* discard */
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* a network's own NAT64 (RFC 8215): where in it an IPv4 address would be, only that network knows */
	{{0xfc}, 7},          /* unique local */
	{{0xfe, 0x80}, 10},   /* link */
	{{0xfe, 0xc0}, 10},   /* site, of old */
	{{0xff}, 8},          /* multicast */
};

/* IPv6 networks with an IPv4 address inside, and where. */
static const struct carrier {
	struct range range;
	unsigned at;
} carriers[] = {
	{{{[10] = 0xff, [11] = 0xff}, 96}, 12},             /* mapped */
	{{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},               /* NAT64 (RFC 6052) */
	{{{0x20, 0x02}, 16}, 2},                            /* 6to4 */
};

static bool is_in(const struct range *r, const uint8_t *bytes)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(r->bytes, bytes, whole))
		return false;
	return !rest || (r->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

static bool is_in_any(const struct range *ranges, size_t n, const uint8_t *bytes)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(&ranges[i], bytes))
			return true;
	return false;
}

bool range_is_private(const struct pw_address *address)
{
	if (address->family == AF_INET)
		return is_in_any(ranges4, sizeof ranges4 / sizeof *ranges4, address->bytes);
	for (const struct carrier *c = carriers; c < carriers + sizeof carriers / sizeof *carriers; c++)
		if (is_in(&c->range, address->bytes))
			return is_in_any(ranges4, sizeof ranges4 / sizeof *ranges4, address->bytes + c->at);
	return is_in_any(ranges6, sizeof ranges6 / sizeof *ranges6, address->bytes);
}
