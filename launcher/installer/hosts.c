#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

static unsigned scheme_port(const char *scheme)
{
	if (!strcmp(scheme, "https")) {
		return 443;
	}
	if (!strcmp(scheme, "ftp")) {
		return 21;
	}
	return inst_starts(scheme, "socks") ? 1080 : 80;
}

/* Port digits to their end.  false: no port number. */
static bool parse_port(const char *text, size_t len, unsigned *port)
{
	unsigned long value = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]) || (value = value * 10 + (unsigned)(text[i] - '0')) > 65535) {
			return false;
		}
	}
	*port = (unsigned)value;
	return value != 0;
}

/* A name's or literal's characters.  Nothing else reaches the list: what looks odd is not allowed rather than guessed at. */
static bool host_sane(const char *host, bool literal)
{
	if (!*host || strlen(host) > 253) {
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

static bool parse_authority(const char *text, size_t len, struct url *out)
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
	for (char *c = out->host; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	if (!literal && inst_ends(out->host, ".")) {
		out->host[strlen(out->host) - 1] = '\0';
	}
	stop += literal;
	if (!host_sane(out->host, literal)) {
		return false;
	}
	if (stop < end && (*stop != ':' || (stop + 1 < end && !parse_port(stop + 1, (size_t)(end - stop - 1), &out->port)))) {
		return false;
	}
	return true;
}

bool pip_url_parse(const char *text, const char *default_scheme, struct url *out)
{
	const char *mark = strstr(text, "://");
	size_t n = strcspn(text, ":");

	*out = (struct url){ 0 };
	if (mark && mark == text + n && n && n < sizeof(out->scheme)) {
		for (size_t i = 0; i < n; i++) {
			out->scheme[i] = (char)tolower((unsigned char)text[i]);
		}
		text = mark + 3;
	} else if (default_scheme && !mark) {
		snprintf(out->scheme, sizeof(out->scheme), "%s", default_scheme);
		text += inst_starts(text, "//") ? 2 : 0;
	} else {
		return false;
	}
	out->port = scheme_port(out->scheme);
	if (!parse_authority(text, strcspn(text, "/?#\\"), out)) {
		inst_set(&out->host, NULL);
		return false;
	}
	return true;
}

void inst_hosts_add(struct installer *ins, const char *url, const char *default_scheme, enum host_origin origin, const char *where)
{
	struct url u;

	if (!pip_url_parse(url, default_scheme, &u)) {
		return;
	}
	if (!strcmp(u.scheme, "file")) {
		free(u.host);
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
