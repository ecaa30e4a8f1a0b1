/* What a proxy's URL says, and which hosts it is for. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

#define SOCKS_PORT 1080

/* Behind "socks5://" or "socks5h://", else NULL.  Who resolves the name is pip's affair. */
static const char *after_socks(const char *url)
{
	static const char *const known[] = { "socks5h://", "socks5://" };

	for (size_t i = 0; i < 2; i++) {
		if (!strncasecmp(url, known[i], strlen(known[i]))) {
			return url + strlen(known[i]);
		}
	}
	return NULL;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | ' ');
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-encodings undone; NULL where a NUL or a line's end would come of it. */
static char *decoded(const char *text, size_t len)
{
	char *out = inst_dup_n(text, len), *to = out;

	for (const char *c = out; *c; c++) {
		int value = (unsigned char)*c;

		if (*c == '%' && hex(c[1]) >= 0 && hex(c[2]) >= 0) {
			value = hex(c[1]) * 16 + hex(c[2]);
			c += 2;
		}
		if (value == 0 || value == '\r' || value == '\n') {
			free(out);
			return NULL;
		}
		*to++ = (char)value;
	}
	*to = '\0';
	return out;
}

/* What stands before the last '@' of the authority, if that is a name and a password: what requests takes for them. */
static char *login_of(const char *url)
{
	const char *scheme = strstr(url, "://"), *text = scheme ? scheme + 3 : url + (inst_starts(url, "//") ? 2 : 0);
	const char *at = memrchr(text, '@', strcspn(text, "/?#\\"));

	return at && memchr(text, ':', (size_t)(at - text)) ? decoded(text, (size_t)(at - text)) : NULL;
}

static bool parse(const char *url, struct proxy *out)
{
	const char *socks = after_socks(url);
	cleanup_text char *plain = socks ? inst_format("http://%s", socks) : NULL;
	struct url u;

	if (!pip_url_parse(socks ? plain : url, "http", &u)) {
		return false;
	}
	*out = (struct proxy){ .kind = socks ? PROXY_SOCKS : strcmp(u.scheme, "https") ? PROXY_HTTP : PROXY_TLS, .host = u.host, .port = u.port };
	if (socks && !u.written_port) {
		out->port = SOCKS_PORT;
	}
	out->login = login_of(url);
	return true;
}

static bool is_same(const struct proxy *a, const struct proxy *b)
{
	return a->kind == b->kind && a->port == b->port && !strcmp(a->host, b->host) && !strcmp(a->login ? a->login : "", b->login ? b->login : "");
}

static void proxy_finish(struct proxy *p)
{
	free(p->host);
	if (p->login) {
		explicit_bzero(p->login, strlen(p->login));
	}
	free(p->login);
	free(p->where);
}

void inst_proxies_add(struct proxies *p, const char *url, bool https, const char *where)
{
	struct proxy one, *known = NULL;

	if (!parse(url, &one)) {
		return;
	}
	for (size_t i = 0; i < p->n && !known; i++) {
		known = is_same(&p->v[i], &one) ? &p->v[i] : NULL;
	}
	if (known) {
		proxy_finish(&one);
	} else {
		p->v = inst_grow(p->v, p->n, sizeof(*p->v));
		one.where = inst_dup(where);
		known = &p->v[p->n++];
		*known = one;
	}
	*(https ? &known->https : &known->http) = true;
}

void proxies_finish(struct proxies *p)
{
	for (size_t i = 0; i < p->n; i++) {
		proxy_finish(&p->v[i]);
	}
	free(p->v);
	free(p->bypass);
	*p = (struct proxies){ 0 };
}

/* One word of NO_PROXY: "*", a domain (with or without a dot before it) or a host.  A port behind it is left out of account: a name is looked up before anybody
 * knows for which port. */
static bool is_named(const char *word, size_t len, const char *host)
{
	const char *colon = memchr(word, ':', len);
	size_t host_len = strlen(host);

	if (len == 1 && *word == '*') {
		return true;
	}
	if (colon) {
		len = (size_t)(colon - word);
	}
	while (len && (*word == '.' || *word == '*')) {
		word++;
		len--;
	}
	if (!len || len > host_len || strncasecmp(host + host_len - len, word, len)) {
		return false;
	}
	return len == host_len || host[host_len - len - 1] == '.';
}

static bool is_bypassed(const char *list, const char *host)
{
	static const char between[] = ", \t";

	while (list && *list) {
		size_t len = strcspn(list, between);

		if (len && is_named(list, len, host)) {
			return true;
		}
		list += len;
		list += strspn(list, between);
	}
	return false;
}

const struct proxy *proxies_for(const struct proxies *p, const char *host, unsigned port)
{
	const struct proxy *other = NULL;

	if (is_bypassed(p->bypass, host)) {
		return NULL;
	}
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].kind == PROXY_TLS) {
			continue;
		}
		if (port == 80 ? p->v[i].http : p->v[i].https) {
			return &p->v[i];
		}
		other = &p->v[i];
	}
	return other;
}
