#include "credential_question.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 512

/* "host", "host:port", "[::1]:port". */
static bool take_host(const char *text, size_t len, struct credential_question *out)
{
	const char *end = text + len, *host = text, *stop = memchr(text, ':', len);
	unsigned port = out->tls ? 443 : 80;

	if (len > 0 && text[0] == '[') {
		host = text + 1;
		stop = memchr(text, ']', len);
		if (stop == NULL) {
			return false;
		}
	}
	const char *after = stop == NULL ? end : stop + (*stop == ']');
	size_t host_len = (size_t)((stop != NULL ? stop : end) - host);
	if (after < end) {
		if (*after++ != ':' || after == end || end - after > 5) {
			return false;
		}
		for (port = 0; after < end; after++) {
			if (*after < '0' || *after > '9') {
				return false;
			}
			port = port * 10 + (unsigned)(*after - '0');
		}
	}
	if (host_len == 0 || host_len >= sizeof out->host || port == 0 || port > 65535) {
		return false;
	}
	for (size_t i = 0; i < host_len; i++) {
		char c = host[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || (c == ':' && text[0] == '[');
		if (!good) {
			return false;
		}
		out->host[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	out->host[host_len] = '\0';
	out->port = port;
	return true;
}

static bool take_protocol(const char *text, size_t len, struct credential_question *out)
{
	out->tls = len == 5;
	return (len == 5 && memcmp(text, "https", 5) == 0) || (len == 4 && memcmp(text, "http", 4) == 0);
}

static bool is_name(const char *line, size_t name, const char *want)
{
	return strlen(want) == name && memcmp(line, want, name) == 0;
}

/* "host", or "wwwauth[]", which may come again. */
static bool is_plain_name(const char *line, size_t name, bool *again)
{
	*again = name > 2 && memcmp(line + name - 2, "[]", 2) == 0;
	name -= *again ? 2 : 0;
	for (size_t i = 0; i < name; i++) {
		if ((line[i] < 'a' || line[i] > 'z') && line[i] != '_') {
			return false;
		}
	}
	return name > 0;
}

/* In a line between text and this one, which all have a name. */
static bool came_before(const char *text, const char *line, size_t name)
{
	for (; text < line; text = (const char *)memchr(text, '\n', (size_t)(line - text)) + 1) {
		if ((size_t)(line - text) > name && memcmp(text, line, name) == 0 && text[name] == '=') {
			return true;
		}
	}
	return false;
}

/* Nothing that some take for the end of a line, or of the text: control bytes, and in UTF-8 U+0085, U+2028 and U+2029. */
static bool has_lines_for_all(const char *text, size_t len)
{
	static const char *const ends[] = {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)text[i] < ' ' && text[i] != '\n') || text[i] == 0x7f) {
			return false;
		}
	}
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (memmem(text, len, ends[i], strlen(ends[i])) != NULL) {
			return false;
		}
	}
	return true;
}

bool credential_question_parse(const char *text, size_t len, struct credential_question *out)
{
	const char *host = NULL, *protocol = NULL;
	size_t host_len = 0, protocol_len = 0;
	bool again;

	memset(out, 0, sizeof *out);
	if (!has_lines_for_all(text, len)) {
		return false;
	}
	for (const char *line = text, *end = text + len; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line)), *stop = newline != NULL ? newline : end;
		const char *eq = memchr(line, '=', (size_t)(stop - line));
		size_t name = eq != NULL ? (size_t)(eq - line) : 0;
		if (line == stop && stop + 1 >= end) {
			break; /* the blank line at the end; what stood behind it, some would read and some not */
		}
		if (!is_plain_name(line, name, &again) || is_name(line, name, "url") || (!again && came_before(text, line, name))) {
			return false;
		}
		if (is_name(line, name, "host")) {
			host = eq + 1;
			host_len = (size_t)(stop - host);
		} else if (is_name(line, name, "protocol")) {
			protocol = eq + 1;
			protocol_len = (size_t)(stop - protocol);
		}
		line = stop + 1;
	}
	return host != NULL && protocol != NULL && take_protocol(protocol, protocol_len, out) && take_host(host, host_len, out);
}

/* As git writes a URL, which encodes all else: no byte that could be invisible, break a line or turn the direction of writing. */
static bool is_url(const char *text, const char *end)
{
	while (text < end && *text > ' ' && *text < 0x7f) {
		text++;
	}
	return text == end;
}

static void take_user(const char *user, size_t len, struct credential_question *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@+";

	if (len < sizeof out->user && strspn(user, letters) >= len) {
		memcpy(out->user, user, len);
	}
}

bool credential_question_words(const char *prompt, struct credential_question *out)
{
	static const char head[] = "Username for '", other_head[] = "Password for '", tail[] = "': ";
	size_t len = strlen(prompt);

	memset(out, 0, sizeof *out);
	out->password = strncmp(prompt, other_head, sizeof other_head - 1) == 0;
	if ((!out->password && strncmp(prompt, head, sizeof head - 1) != 0) || len > WORDS_MAX) {
		return false;
	}
	/* Between the quotes the URL stands alone, and nothing that people or programs could take for its end. */
	const char *url = prompt + sizeof head - 1, *end = strchr(url, '\''), *at = strstr(url, "://");
	if (end == NULL || strcmp(end, tail) != 0 || !is_url(url, end) || at == NULL || at > end || !take_protocol(url, (size_t)(at - url), out)) {
		return false;
	}
	at += 3;
	len = strcspn(at, "/?#'");
	const char *user = memrchr(at, '@', len);
	if (user != NULL) {
		take_user(at, (size_t)(user - at), out);
		len -= (size_t)(user + 1 - at);
		at = user + 1;
	}
	return take_host(at, len, out);
}

void credential_question_text(const struct credential_question *q, char text[CREDENTIAL_TEXT_MAX])
{
	bool bracket = strchr(q->host, ':') != NULL, whose = q->user[0] != '\0';
	char port[16] = "";

	if (q->port != (q->tls ? 443 : 80)) {
		snprintf(port, sizeof port, ":%u", q->port);
	}
	snprintf(text, CREDENTIAL_TEXT_MAX, "%s for '%s://%s%s%s%s'%s%s%s: ", q->password ? "Password" : "Username", q->tls ? "https" : "http", bracket ? "[" : "", q->host,
	         bracket ? "]" : "", port, whose ? " (user " : "", q->user, whose ? ")" : "");
}
