#include "launcher/record/request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct piece {
	const char *at;
	size_t len;
};

/* The next line without its end; false: there is none, or it is the empty one. */
static bool next_line(struct piece *rest, struct piece *line)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	line->at = rest->at;
	line->len = end != NULL ? (size_t)(end - rest->at) : rest->len;
	size_t whole = line->len + (end != NULL);
	rest->at += whole;
	rest->len -= whole;
	if (line->len > 0 && line->at[line->len - 1] == '\r') {
		line->len--;
	}
	return line->len > 0;
}

static bool is_name(struct piece p, const char *name)
{
	return p.len == strlen(name) && strncasecmp(p.at, name, p.len) == 0;
}

static struct piece trimmed(struct piece p)
{
	while (p.len > 0 && (p.at[0] == ' ' || p.at[0] == '\t')) {
		p.at++;
		p.len--;
	}
	while (p.len > 0 && (p.at[p.len - 1] == ' ' || p.at[p.len - 1] == '\t')) {
		p.len--;
	}
	return p;
}

static uint64_t number(struct piece p)
{
	uint64_t n = 0;
	for (size_t i = 0; i < p.len; i++) {
		if (!isdigit((unsigned char)p.at[i]) || n > INT64_MAX / 16) {
			return 0;
		}
		n = n * 10 + (uint64_t)(p.at[i] - '0');
	}
	return n;
}

/* METHOD SP target SP HTTP/1.x */
static bool split_first(struct piece line, struct request_view *out, struct piece *target)
{
	const char *space = memchr(line.at, ' ', line.len);
	size_t method = space != NULL ? (size_t)(space - line.at) : 0;
	if (method == 0 || method >= sizeof(out->method)) {
		return false;
	}
	for (size_t i = 0; i < method; i++) {
		if (!isalpha((unsigned char)line.at[i]) && line.at[i] != '-' && line.at[i] != '_') {
			return false;
		}
	}
	const char *last = memrchr(line.at, ' ', line.len);
	if (last == space || (size_t)(line.at + line.len - last) < sizeof(" HTTP/1.") - 1 || memcmp(last, " HTTP/1.", sizeof(" HTTP/1.") - 1) != 0 ||
	    memchr(line.at, '\0', line.len) != NULL) {
		return false;
	}
	memcpy(out->method, line.at, method);
	out->method[method] = '\0';
	*target = (struct piece){space + 1, (size_t)(last - space - 1)};
	return true;
}

/* False: it is too long. */
static bool put_url(char url[REQUEST_URL_MAX], const char *scheme, struct piece host, struct piece target)
{
	int len = snprintf(url, REQUEST_URL_MAX, "%s%.*s%.*s", scheme, (int)host.len, host.at, (int)target.len, target.at);
	return len >= 0 && len < REQUEST_URL_MAX;
}

static void put_host(struct request_view *out, struct piece host)
{
	size_t len = 0; /* to the port's colon, not to those of an address in brackets */
	for (bool inside = false; len < host.len && (inside || host.at[len] != ':'); len++) {
		inside = host.at[len] == '[' || (inside && host.at[len] != ']');
	}
	snprintf(out->host, sizeof(out->host), "%.*s", (int)(len < sizeof(out->host) ? len : 0), host.at);
}

bool request_decode(const char *bytes, size_t len, bool tls, struct request_view *out)
{
	struct piece rest = {bytes, len < REQUEST_HEAD_MAX ? len : REQUEST_HEAD_MAX}, line, target, host = {"", 0};
	*out = (struct request_view){.bytes = 0};
	if (!next_line(&rest, &line) || !split_first(line, out, &target)) {
		return false;
	}
	while (rest.len > 0 && next_line(&rest, &line)) {
		const char *colon = memchr(line.at, ':', line.len);
		if (colon == NULL) {
			continue;
		}
		struct piece name = {line.at, (size_t)(colon - line.at)}, value = {colon + 1, line.len - name.len - 1};
		value = trimmed(value);
		if (is_name(name, "Host") && memchr(value.at, '\0', value.len) == NULL) {
			host = value;
		} else if (is_name(name, "Content-Length")) {
			out->bytes = number(value);
		}
	}
	put_host(out, host);
	bool proxied = target.len == 0 || target.at[0] != '/'; /* as a proxy is asked: all of it is the target */
	const char *scheme = proxied ? "" : tls ? "https://" : "http://";
	const struct piece none = {"", 0}, cut = {"/…", sizeof("/…") - 1};
	if (!put_url(out->url, scheme, proxied ? none : host, target) && !put_url(out->url, scheme, proxied ? none : host, cut)) {
		out->url[0] = '\0';
	}
	return true;
}

/* --- what is written down of a URL ---------------------------------------------------------------- */

#define TOKEN_LEAST 24

/* As tokens are, escaped or not: base64 of both kinds, a bot's with its number before a colon. */
static bool is_of_token(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("-_:=+~%", c) != NULL);
}

static bool may_be_token(struct piece p)
{
	size_t run = 0;
	bool letter = false, digit = false;
	for (size_t i = 0; i < p.len; i++) {
		bool in = is_of_token(p.at[i]);
		run = in ? run + 1 : 0;
		letter = in && (letter || isalpha((unsigned char)p.at[i]));
		digit = in && (digit || isdigit((unsigned char)p.at[i]));
		if (run >= TOKEN_LEAST && letter && digit) {
			return true;
		}
	}
	return false;
}

/* All of it, or nothing. */
static void put(char out[REQUEST_URL_MAX], size_t *len, struct piece p)
{
	if (p.len < REQUEST_URL_MAX - *len) {
		memcpy(out + *len, p.at, p.len);
		*len += p.len;
	}
	out[*len] = '\0';
}

/* Of `user:password@host:port` what is behind the last @. */
static struct piece without_user(struct piece p)
{
	const char *at = memrchr(p.at, '@', p.len);
	return at != NULL ? (struct piece){at + 1, p.len - (size_t)(at + 1 - p.at)} : p;
}

void request_clean(const char *url, char out[REQUEST_URL_MAX])
{
	const struct piece slash = {"/", 1}, some = {"…", sizeof("…") - 1}, query = {"?…", sizeof("?…") - 1};
	size_t scheme = strcspn(url, "/?#"), len = 0;
	scheme = scheme > 0 && url[scheme - 1] == ':' && strncmp(url + scheme, "//", 2) == 0 ? scheme + 2 : 0;
	const char *rest = url + scheme + strcspn(url + scheme, "/?#");
	put(out, &len, (struct piece){url, scheme});
	put(out, &len, without_user((struct piece){url + scheme, (size_t)(rest - url) - scheme}));
	while (*rest == '/') {
		struct piece component = {rest + 1, strcspn(rest + 1, "/?#")};
		put(out, &len, slash);
		put(out, &len, may_be_token(component) ? some : component);
		rest += 1 + component.len;
	}
	if (*rest != '\0') {
		put(out, &len, query);
	}
}
