/* Requirements from version control: which tool is given which URL, and whom that contacts.  Only those that the user names; what a package's metadata names
 * is never among them (supervise/vcs.c). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "launcher/installer/parts.h"

/* pip's schemes of each tool.  prefix: what the tool's own URL keeps of it. */
static const struct scheme {
	enum vcs_tool tool;
	const char *pips, *tools;
	unsigned port; /* 0: it leads to no other machine */
	bool opaque;
} schemes[] = {
	{ VCS_GIT, "git+https", "https", 443, false }, { VCS_GIT, "git+http", "http", 80, false }, { VCS_GIT, "git+ssh", "ssh", 22, true },
	{ VCS_GIT, "git+git", "git", 9418, true }, { VCS_GIT, "git+file", "file", 0, false },
	{ VCS_HG, "hg+https", "https", 443, false }, { VCS_HG, "hg+http", "http", 80, false }, { VCS_HG, "hg+static-http", "static-http", 80, false },
	{ VCS_HG, "hg+ssh", "ssh", 22, true }, { VCS_HG, "hg+file", "file", 0, false },
	{ VCS_SVN, "svn+https", "https", 443, false }, { VCS_SVN, "svn+http", "http", 80, false }, { VCS_SVN, "svn+ssh", "svn+ssh", 22, true },
	{ VCS_SVN, "svn+svn", "svn", 3690, true }, { VCS_SVN, "svn+file", "file", 0, false },
	{ VCS_BZR, "bzr+https", "https", 443, false }, { VCS_BZR, "bzr+http", "http", 80, false }, { VCS_BZR, "bzr+ssh", "bzr+ssh", 22, true },
	{ VCS_BZR, "bzr+sftp", "sftp", 22, true }, { VCS_BZR, "bzr+file", "file", 0, false },
};

static const struct scheme *find_scheme(const char *text)
{
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (strlen(schemes[i].pips) == len && !strncasecmp(text, schemes[i].pips, len)) {
			return inst_starts(text + len, "://") ? &schemes[i] : NULL;
		}
	}
	return NULL;
}

/* "a%20b" → "a b" */
static char *unquoted(const char *text)
{
	char *copy = inst_dup(text), *out = copy;

	for (const char *c = text; *c; c++) {
		char hex[3] = { c[0] == '%' ? c[1] : 0, c[0] == '%' && c[1] ? c[2] : 0, 0 };

		if (isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1])) {
			*out++ = (char)strtoul(hex, NULL, 16);
			c += 2;
		} else {
			*out++ = *c;
		}
	}
	*out = '\0';
	return copy;
}

/* `#egg=NAME[extra]&subdirectory=x` */
static char *egg(const char *url)
{
	const char *at = strchr(url, '#');

	for (at = at ? at + 1 : NULL; at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
		if (inst_starts(at, "egg=")) {
			at += strlen("egg=");
			return inst_dup_n(at, strcspn(at, "&[ \t;@"));
		}
	}
	return NULL;
}

/* pip's get_url_rev_and_auth: the revision is what follows the last @ of the path, the fragment goes. */
static void make_urls(const struct scheme *scheme, const char *authority, size_t len, struct vcs_requirement *out)
{
	const char *path = authority + len, *user = memrchr(authority, '@', len), *query;
	cleanup_text char *rest = inst_dup_n(path, strcspn(path, "#"));
	cleanup_text char *asked = NULL;
	cleanup_text char *plain = NULL;
	const char *shown = user ? user + 1 : authority;
	char *at;

	query = strchr(rest, '?');
	asked = inst_dup(query && query[1] ? query : "");
	rest[query ? (size_t)(query - rest) : strlen(rest)] = '\0';
	at = strrchr(rest, '@');
	if (at) {
		*at = '\0';
	}
	plain = scheme->tool == VCS_GIT && !scheme->port ? unquoted(rest) : inst_dup(rest);
	/* Subversion gets a user and a password by options. */
	if (scheme->tool == VCS_SVN && scheme->port != 22) {
		len -= (size_t)(shown - authority);
		authority = shown;
	}
	out->url = inst_format("%s://%.*s%s%s", scheme->tools, (int)len, authority, plain, asked);
	out->shown = inst_format("%s://%.*s%s", scheme->pips, (int)(path - shown), shown, rest);
}

bool pip_vcs_parse(const char *text, struct vcs_requirement *out)
{
	const struct scheme *scheme = find_scheme(text);
	struct url u = { 0 };
	const char *authority;
	size_t len;

	*out = (struct vcs_requirement){ 0 };
	if (!scheme) {
		return false;
	}
	authority = text + strcspn(text, ":") + 3;
	len = strcspn(authority, "/?#\\");
	out->tool = scheme->tool;
	out->opaque = scheme->opaque;
	out->name = egg(text);
	u.port = scheme->port;
	if (!scheme->port) {
		make_urls(scheme, authority, len, out);
		return true;
	}
	if (!pip_authority_parse(authority, len, &u)) {
		free(u.host);
		return false;
	}
	out->host = u.host;
	out->port = u.port;
	make_urls(scheme, authority, len, out);
	return true;
}

void pip_vcs_finish(struct vcs_requirement *one)
{
	free(one->url);
	free(one->shown);
	free(one->host);
	free(one->name);
	*one = (struct vcs_requirement){ 0 };
}

/* `NAME[extra] @ URL` */
static char *name_before(const char *value)
{
	size_t len;

	value += strspn(value, " \t");
	len = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
	return value[len] == '@' || value[len] == ' ' || value[len] == '[' ? inst_dup_n(value, len) : NULL;
}

static int add(struct installer *ins, const struct sourced *one, bool editable, const char *cwd, struct installer_error *err)
{
	cleanup_text char *where = NULL;
	struct vcs_requirement req;

	if (pip_requirement_kind(one->value, cwd, &where) != REQ_VCS) {
		return 0;
	}
	if (!pip_vcs_parse(where, &req)) {
		pip_vcs_finish(&req);
		return inst_fail(err, 125, "%s: this repository's URL is not understood, so nobody knows which host may be asked for it: write it as "
			    "git+https://HOST/PATH, or another of pip's forms with a host in it", one->where);
	}
	if (!req.name) {
		req.name = name_before(one->value);
	}
	req.editable = editable;
	ins->vcs = inst_grow(ins->vcs, ins->vcs_count, sizeof(*ins->vcs));
	ins->vcs[ins->vcs_count++] = req;
	return 0;
}

int inst_vcs_plan(struct installer *ins, const struct asked *a, const char *cwd, struct installer_error *err)
{
	for (size_t i = 0; i < a->editables.n + a->positionals.n; i++) {
		bool editable = i < a->editables.n;

		if (add(ins, editable ? &a->editables.v[i] : &a->positionals.v[i - a->editables.n], editable, cwd, err)) {
			return -1;
		}
	}
	return 0;
}

bool inst_vcs_editable(const struct asked *a, const char *cwd)
{
	bool found = false;

	for (size_t i = 0; i < a->editables.n && !found; i++) {
		cleanup_text char *where = NULL;

		found = pip_requirement_kind(a->editables.v[i].value, cwd, &where) == REQ_VCS;
	}
	return found;
}
