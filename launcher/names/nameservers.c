#include "launcher/names/nameservers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/fd.h"
#include "launcher/names/names.h"

#define FILE_MAX (64 * 1024) /* a longer one is no list of nameservers */

static bool parse_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(NAMESERVER_PORT);
		return true;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(NAMESERVER_PORT);
	return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1;
}

static bool is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct pw_address x, y;
	unsigned p, q;

	return sockaddr_inet(a, &x, &p) && sockaddr_inet(b, &y, &q) && p == q && x.family == y.family && !memcmp(x.bytes, y.bytes, sizeof x.bytes);
}

bool nameservers_has(const struct nameservers *n, const struct sockaddr_storage *sa)
{
	for (size_t i = 0; i < n->n; i++)
		if (is_same(&n->at[i], sa))
			return true;
	return false;
}

static void add(struct nameservers *n, const char *address)
{
	if (n->n < NAMESERVERS_MAX && parse_address(address, &n->at[n->n]) && !nameservers_has(n, &n->at[n->n]))
		n->n++;
}

/* "nameserver" at the line's beginning, white space, an address; what follows is ignored, as resolvers do. */
static void take_line(struct nameservers *n, const char *line, size_t len)
{
	static const char word[] = "nameserver";
	char address[INET6_ADDRSTRLEN];
	size_t at = sizeof word - 1, end;

	if (len <= at || memcmp(line, word, at) || (line[at] != ' ' && line[at] != '\t'))
		return;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	for (end = at; end < len && !strchr(" \t\r\v\f#;", line[end]);) /* a NUL ends it, too */
		end++;
	if (end == at || end - at >= sizeof address)
		return;
	memcpy(address, line + at, end - at);
	address[end - at] = '\0';
	add(n, address);
}

static void add_search(struct nameservers *n, const char *text, size_t len)
{
	char *out = n->search[n->searches];

	while (len > 0 && *text == '.')
		text++, len--;
	while (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len >= SEARCH_TEXT_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 'a' - 'A') : text[i];
	out[len] = '\0';
	n->searches++;
}

/* "search" or "domain" and names; the last such line counts. */
static void take_search(struct nameservers *n, const char *line, size_t len)
{
	static const char white[] = " \t\r\v\f";
	size_t at = 6, end;

	if (len <= at || (memcmp(line, "search", at) && memcmp(line, "domain", at)) || (line[at] != ' ' && line[at] != '\t'))
		return;
	n->searches = 0;
	for (; at < len && n->searches < SEARCH_MAX; at = end) {
		while (at < len && strchr(white, line[at]))
			at++;
		for (end = at; end < len && !strchr(white, line[end]);)
			end++;
		add_search(n, line + at, end - at);
	}
}

size_t nameservers_searched(const struct nameservers *n, const char *name, size_t *from)
{
	size_t len = strlen(name);

	while (*from < n->searches) {
		const char *domain = n->search[(*from)++];
		size_t tail = strlen(domain);

		if (len > tail + 1 && name[len - tail - 1] == '.' && !strcmp(name + len - tail, domain))
			return len - tail - 1;
	}
	return 0;
}

void nameservers_parse(const char *text, size_t len, struct nameservers *out)
{
	out->n = out->searches = 0;
	for (const char *line = text, *end = text + len; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);

		take_line(out, line, length);
		take_search(out, line, length);
		line += length + 1;
	}
	if (out->n == 0)
		add(out, "127.0.0.1");
}

void nameservers_read(struct nameservers *out)
{
	cleanup_fd int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	ssize_t len = fd < 0 ? -1 : fd_slurp(fd, FILE_MAX, &text);

	nameservers_parse(text ? text : "", len > 0 ? (size_t)len : 0, out);
	free(text);
}
