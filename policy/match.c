#include "policy/match.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool same(char a, char b, bool nocase)
{
	return a == b || (nocase && tolower((unsigned char)a) == tolower((unsigned char)b));
}

/* Going back to the last star alone is enough: an earlier one could only take what the last can take as well. */
static bool glob(const char *pattern, size_t pattern_len, const char *text, size_t len, bool nocase)
{
	size_t p = 0, t = 0, star = (size_t)-1, mark = 0;

	while (t < len) {
		if (p < pattern_len && pattern[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern_len && same(pattern[p], text[t], nocase)) {
			p++;
			t++;
		} else if (star != (size_t)-1) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern_len && pattern[p] == '*')
		p++;
	return p == pattern_len;
}

bool glob_match(const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	return glob(pattern, pattern_len, text, len, false);
}

bool glob_match_nocase(const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	return glob(pattern, pattern_len, text, len, true);
}

size_t path_next(const char **path, const char **part)
{
	while (**path == '/')
		(*path)++;
	*part = *path;
	size_t len = strcspn(*path, "/");
	*path += len;
	while (**path == '/')
		(*path)++;
	return len;
}

/* The same walk as glob, with components for characters. */
bool path_match(const char *pattern, const char *path)
{
	const char *star = NULL, *mark = NULL;

	while (*path == '/')
		path++;
	while (*path) {
		const char *after = pattern, *part, *rest = path, *name;
		size_t part_len = path_next(&after, &part);
		size_t name_len = path_next(&rest, &name);
		if (part_len == 2 && !memcmp(part, "**", 2)) {
			star = pattern = after;
			mark = path;
		} else if (part_len && glob_match(part, part_len, name, name_len)) {
			pattern = after;
			path = rest;
		} else if (star) {
			const char *skipped;
			path_next(&mark, &skipped);
			path = mark;
			pattern = star;
		} else {
			return false;
		}
	}
	while (*pattern) {
		const char *part;
		size_t len = path_next(&pattern, &part);
		if (len && !(len == 2 && !memcmp(part, "**", 2)))
			return false;
	}
	return true;
}

static bool host_char(unsigned char c)
{
	return c < 128 && (isalnum(c) || c == '-' || c == '_');
}

bool host_normal(const char *host, char out[HOST_TEXT_MAX])
{
	size_t len = strnlen(host, HOST_TEXT_MAX), label = 0;

	if (len && len < HOST_TEXT_MAX && host[len - 1] == '.')
		len--;
	if (!len || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (!label)
				return false;
			label = 0;
		} else if (!host_char((unsigned char)host[i]) || ++label > 63) {
			return false;
		}
		out[i] = (char)tolower((unsigned char)host[i]);
	}
	out[len] = '\0';
	return label != 0;
}

static size_t label_length(const char *host)
{
	return strcspn(host, ".");
}

static bool labels_match(const char *pattern, const char *host)
{
	for (;;) {
		size_t want = label_length(pattern), have = label_length(host);
		bool any = want == 1 && *pattern == '*';
		if (!have || (!any && (want != have || memcmp(pattern, host, have))))
			return false;
		if (!pattern[want] || !host[have])
			return !pattern[want] && !host[have];
		pattern += want + 1;
		host += have + 1;
	}
}

bool host_match(const char *pattern, const char *host)
{
	if (strncmp(pattern, "*.", 2))
		return labels_match(pattern, host);
	for (pattern += 2; *host;) {
		if (labels_match(pattern, host))
			return true;
		host += label_length(host);
		if (*host == '.')
			host++;
	}
	return false;
}

static void map_v4(const void *v4, struct net_block *out)
{
	memset(out->bytes, 0, 10);
	memset(out->bytes + 10, 0xff, 2);
	memcpy(out->bytes + 12, v4, 4);
}

bool address_parse(const char *text, struct net_block *out)
{
	char plain[INET6_ADDRSTRLEN + 1];
	size_t len = strlen(text);

	out->bits = 128;
	if (len >= 2 && *text == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	const char *zone = memchr(text, '%', len);
	if (zone)
		len = (size_t)(zone - text);
	if (len >= sizeof(plain))
		return false;
	memcpy(plain, text, len);
	plain[len] = '\0';
	struct in_addr v4;
	if (inet_pton(AF_INET, plain, &v4) == 1) {
		map_v4(&v4, out);
		return true;
	}
	return inet_pton(AF_INET6, plain, out->bytes) == 1;
}

bool address_parse_loose(const char *text, struct net_block *out)
{
	char plain[64];
	size_t len = strlen(text);
	struct in_addr v4;

	if (address_parse(text, out))
		return true;
	if (len && text[len - 1] == '.')
		len--;
	if (!len || len >= sizeof(plain))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)text[i]) && !strchr(".xX", text[i]))
			return false;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (!inet_aton(plain, &v4))
		return false;
	map_v4(&v4, out);
	out->bits = 128;
	return true;
}

enum host_kind host_read(const void *text, size_t len, char out[HOST_TEXT_MAX])
{
	char plain[HOST_TEXT_MAX];
	struct net_block address;

	out[0] = '\0';
	if (!len || len >= sizeof(plain) || memchr(text, '\0', len))
		return HOST_NEITHER;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (address_parse_loose(plain, &address))
		return HOST_ADDRESS;
	if (host_normal(plain, out))
		return HOST_NAME;
	out[0] = '\0';
	return HOST_NEITHER;
}

bool port_read(const char *text, size_t len, unsigned *port)
{
	unsigned value = 0;

	if (!len || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*port = value;
	return value >= 1 && value <= 65535;
}

bool block_parse(const char *text, struct net_block *out)
{
	char address[64];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (!len || len >= sizeof(address) || *text == '[' || memchr(text, '%', len))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!address_parse(address, out))
		return false;
	if (!slash)
		return true;
	size_t digits = strspn(slash + 1, "0123456789");
	if (!digits || digits > 3 || slash[1 + digits])
		return false;
	unsigned bits = (unsigned)strtoul(slash + 1, NULL, 10);
	unsigned most = strchr(address, ':') ? 128 : 32;
	if (bits > most || bits == 0)
		return false;
	out->bits = bits + 128 - most;
	return true;
}

bool block_holds(const struct net_block *block, const struct net_block *address)
{
	unsigned whole = block->bits / 8, rest = block->bits % 8;

	if (memcmp(block->bytes, address->bytes, whole))
		return false;
	return !rest || !((block->bytes[whole] ^ address->bytes[whole]) >> (8 - rest));
}
