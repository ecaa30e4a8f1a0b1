/* connect() of the installer: pip's own process, in which no package's code runs.  Decided by address, then the kernel goes on;
 * but to a proxy the supervisor connects, and what is asked of it is decided by the relay. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/names/names.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/place.h"
#include "launcher/supervise/proxied.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/target.h"

struct asked {
	const struct sandbox *sb;
	unsigned port;
	char host[PW_HOST_MAX]; /* the newest name that had the address: for the record */
};

static bool is_allowed_name(const char *host, void *arg)
{
	struct asked *asked = arg;
	struct verdict verdict;

	if (!asked->host[0])
		snprintf(asked->host, sizeof asked->host, "%s", host);
	if (policy_host_denied(supervisor_policy(asked->sb->sup), host, &verdict))
		return false;
	return supervisor_host_allowed(asked->sb, host, asked->port);
}

static struct reply connect_inet(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, const struct sockaddr_text *to)
{
	struct asked asked = {.sb = sb, .port = to->port};
	struct verdict verdict;
	char hint[SOCKETS_HINT_MAX];
	struct reply reply;
	bool denied = policy_address_denied(supervisor_policy(sb->sup), to->address, &verdict);
	bool named = names_of_address(supervisor_resolver(sb->sup), sa, is_allowed_name, &asked);

	/* CONTINUE, twice: pip's process is trusted not to race (no package's code runs there); Landlock's port rules bound the rest.
	 * Nothing listens on port 0: address sorting and probes. */
	if (to->port == 0)
		return reply_continue("connect.port-zero");
	if (!denied && sb->way && proxied_connect(sb, req, sa, to, &reply))
		return reply;
	if (!denied && (named || supervisor_host_allowed(sb, to->address, to->port)))
		return reply_continue("connect.index");
	if (!denied)
		verdict = policy_rule(supervisor_policy(sb->sup), "net.connect.installer");
	sockets_record(sb, req, "net.connect", verdict, to, asked.host[0] ? asked.host : NULL, "tcp",
	               sockets_hint_host(sb, asked.host[0] ? asked.host : to->address, hint));
	return reply_error(ECONNREFUSED);
}

/* Nobody but root can have put it there: the object and every folder above it. */
static bool is_roots(const char *real)
{
	char path[PATH_MAX];
	struct stat st;
	char *slash;

	snprintf(path, sizeof path, "%s", real);
	if (lstat(path, &st) || st.st_uid != 0 || !S_ISSOCK(st.st_mode))
		return false;
	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = 0;
		if (lstat(path, &st) || st.st_uid != 0 || !S_ISDIR(st.st_mode) || (st.st_mode & 022))
			return false;
	}
	return true;
}

static struct reply connect_path(struct sandbox *sb, const struct seccomp_notif *req, const char *path)
{
	char real[PATH_MAX];
	int error;

	/* The supervisor's own view is pip's: they share root and mount namespace, and the path is absolute. */
	if (place_name_service(path)) {
		if (!realpath(path, real)) {
			error = errno;
			sockets_record_unix(sb, req, path, path);
			return reply_error(error);
		}
		/* CONTINUE: as above; what root serves there answers who a user is. */
		if (is_roots(real))
			return reply_continue("connect.name-service");
	}
	sockets_record_unix(sb, req, path, path);
	return reply_error(ECONNREFUSED);
}

struct reply connect_installer(struct sandbox *sb, const struct seccomp_notif *req)
{
	socklen_t len = (uint32_t)req->data.args[2];
	struct sockaddr_storage sa;
	struct sockaddr_text to;
	int error;

	memset(&sa, 0, sizeof sa);
	error = target_sockaddr(sb, req, req->data.args[1], len, &sa);
	if (error)
		return reply_error(-error);
	if (sockaddr_describe(&sa, len, &to)) {
		if (to.family != AF_UNIX)
			return connect_inet(sb, req, &sa, &to);
		if (!to.abstract_name)
			return connect_path(sb, req, to.address);
		sockets_record_unix(sb, req, to.address, to.address);
		return reply_error(ECONNREFUSED);
	}
	/* CONTINUE: takes a connection away; as above. */
	if (len >= sizeof sa.ss_family && sa.ss_family == AF_UNSPEC)
		return reply_continue("connect.none");
	return reply_error(to.family == AF_INET || to.family == AF_INET6 || to.family == AF_UNIX ? EINVAL : EAFNOSUPPORT);
}
