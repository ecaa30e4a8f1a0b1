#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

/* Digits to their end; 0 and none are the scheme's own.  false: no port number. */
static bool parse_port(const char *text, size_t len, unsigned *port)
{
	unsigned value = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]) || value > 65535) {
			return false;
		}
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*port = value ? value : *port;
	return value <= 65535;
}

/* A name's or literal's characters.  Nothing else reaches the list: what looks odd is not allowed rather than guessed at. */
static bool host_sane(const char *host, bool literal)
{
	if (!*host || *host == '.' || strlen(host) > 253) {
		return false;
	}
	for (const char *c = host; *c; c++) {
		if (literal ? !(isxdigit((unsigned char)*c) || *c == ':' || *c == '.') :
		              !(isalnum((unsigned char)*c) || *c == '.' || *c == '-' || *c == '_')) {
			return false;
		}
	}
	return true;
}

/* Escapes of letters, digits, '-', '.', '_' and '~' are undone before a host is looked up, all else lowered. */
static void normalise_host(char *host)
{
	char *out = host;

	for (const char *c = host; *c; c++) {
		char hex[3] = { c[0] == '%' ? c[1] : 0, c[0] == '%' && c[1] ? c[2] : 0, 0 };
		unsigned char byte = isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]) ? (unsigned char)strtoul(hex, NULL, 16) : 0;

		if (byte && byte < 0x80 && (isalnum(byte) || strchr("-._~", byte))) {
			*out++ = (char)tolower(byte);
			c += 2;
		} else {
			*out++ = (char)tolower((unsigned char)*c);
		}
	}
	*out = '\0';
}

bool pip_authority_parse(const char *text, size_t len, struct url *out)
{
	const char *at = memrchr(text, '@', len), *end = text + len, *stop;
	bool literal;

	if (at) {
		text = at + 1;
	}
	literal = text < end && *text == '[';
	if (literal) {
		text++;
		stop = memchr(text, ']', (size_t)(end - text));
	} else {
		stop = memchr(text, ':', (size_t)(end - text));
		stop = stop ? stop : end;
	}
	if (!stop) {
		return false;
	}
	out->host = inst_dup_n(text, (size_t)(stop - text));
	normalise_host(out->host);
	if (!literal && inst_ends(out->host, ".")) {
		out->host[strlen(out->host) - 1] = '\0';
	}
	stop += literal;
	if (!host_sane(out->host, literal)) {
		return false;
	}
	out->written_port = stop + 1 < end;
	if (stop < end && (*stop != ':' || (stop + 1 < end && !parse_port(stop + 1, (size_t)(end - stop - 1), &out->port)))) {
		return false;
	}
	return true;
}

/* Nothing else is contacted: pip has no way to speak ftp. */
static const char *take_scheme(const char *text, const char *default_scheme, struct url *out)
{
	static const char *const known[] = { "https", "http" };

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(known[i]);

		if (!strncasecmp(text, known[i], n) && inst_starts(text + n, "://")) {
			snprintf(out->scheme, sizeof(out->scheme), "%s", known[i]);
			return text + n + 3;
		}
	}
	if (!default_scheme || strstr(text, "://")) {
		return NULL;
	}
	snprintf(out->scheme, sizeof(out->scheme), "%s", default_scheme);
	return text + (inst_starts(text, "//") ? 2 : 0);
}

bool pip_url_parse(const char *text, const char *default_scheme, struct url *out)
{
	*out = (struct url){ 0 };
	text = take_scheme(text, default_scheme, out);
	if (!text) {
		return false;
	}
	out->port = !strcmp(out->scheme, "https") ? 443 : 80;
	if (!pip_authority_parse(text, strcspn(text, "/?#\\"), out)) {
		inst_set(&out->host, NULL);
		return false;
	}
	return true;
}

void inst_hosts_add(struct installer *ins, const char *url, const char *default_scheme, enum host_origin origin, const char *where)
{
	struct url u;

	/* Before 24.1 pip takes " https://…" for a path. */
	while (!default_scheme && inst_space(url) && !inst_version_before(ins->pip_version, 24, 1)) {
		url += inst_space(url);
	}
	if (!pip_url_parse(url, default_scheme, &u)) {
		return;
	}
	for (size_t i = 0; i < ins->host_count; i++) {
		if (ins->hosts[i].port == u.port && !strcmp(ins->hosts[i].host, u.host)) {
			free(u.host);
			return;
		}
	}
	ins->hosts = inst_grow(ins->hosts, ins->host_count, sizeof(*ins->hosts));
	ins->hosts[ins->host_count++] = (struct index_host){ u.host, u.port, origin, inst_dup(where) };
}
