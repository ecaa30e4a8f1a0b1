#include "launcher/supervise/proxied.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "launcher/base/fd.h"
#include "launcher/supervise/connect.h"
#include "launcher/supervise/relays.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/supervisor.h"

struct wanted {
	struct sandbox *sb;
	const char *host;
	unsigned port;
};

static bool is_host(const char *host, void *arg)
{
	const struct wanted *w = arg;

	return !strcmp(host, w->host);
}

static bool is_at(struct sandbox *sb, const struct proxy *p, const struct sockaddr_storage *sa, const char *address)
{
	struct wanted w = {.host = p->host};

	return !strcmp(p->host, address) || names_of_address(supervisor_resolver(sb->sup), sa, is_host, &w);
}

static bool is_allowed(struct sandbox *sb, const struct proxy *p)
{
	struct verdict verdict;

	return !policy_host_denied(supervisor_policy(sb->sup), p->host, &verdict) && supervisor_host_allowed(sb, p->host, p->port);
}

/* Of several at one address the one whose traffic can be read goes first. */
static const struct proxy *find(struct sandbox *sb, const struct sockaddr_storage *sa, const char *address, unsigned port)
{
	const struct proxies *proxies = supervisor_proxies(sb->sup);
	const struct proxy *found = NULL;

	for (size_t i = 0; i < proxies->n; i++) {
		const struct proxy *p = &proxies->v[i];

		if (p->port == port && (!found || found->kind == PROXY_TLS) && is_at(sb, p, sa, address) && is_allowed(sb, p))
			found = p;
	}
	return found;
}

/* What is asked of such a proxy nobody can see but itself. */
static struct reply refuse_unseen(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_text *to, const struct proxy *proxy)
{
	char detail[PW_HOST_MAX + 256];

	snprintf(detail, sizeof detail, "what pip asks of a proxy that is reached by TLS cannot be seen; to trust that proxy, in a policy file: "
	         "\"network\": {\"installer\": [\"@index\", {\"host\": \"%s\", \"port\": %u, \"opaque\": true}]}", proxy->host, proxy->port);
	sockets_record(sb, req, "net.connect", policy_rule(supervisor_policy(sb->sup), "net.connect.proxy"), to, proxy->host, "tcp", detail);
	return reply_error(ECONNREFUSED);
}

/* pip gets a socket of ours in the place of its own: whatever it says to a proxy goes through the relay, which reads what is asked for. */
static struct reply connect_proxy(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, const struct sockaddr_text *to,
                                  const struct proxy *proxy)
{
	struct relay_target target = {.proxy = proxy->kind == PROXY_SOCKS ? RELAY_SOCKS_PROXY : RELAY_HTTP_PROXY};
	struct in_place place = {0};
	int one = 1;

	target.opaque = policy_host_opaque(supervisor_policy(sb->sup), sb->role, proxy->host, proxy->port);
	if (proxy->kind == PROXY_TLS && !target.opaque)
		return refuse_unseen(sb, req, to, proxy);
	if (!connect_place(req, &place))
		return reply_error(EBADF);
	if (!sockaddr_inet(sa, &target.real, &target.port))
		return reply_error(EAFNOSUPPORT);
	snprintf(target.host, sizeof target.host, "%s", proxy->host);
	cleanup_fd int sock = socket(sa->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return reply_error(errno);
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* as urllib3 has it on its own */
	return connect_out(sb, req, &sock, sa, sizeof *sa, &place, &target);
}

bool proxied_connect(struct sandbox *sb, const struct seccomp_notif *req, const struct sockaddr_storage *sa, const struct sockaddr_text *to, struct reply *reply)
{
	const struct proxy *proxy = find(sb, sa, to->address, to->port);

	if (proxy)
		*reply = connect_proxy(sb, req, sa, to, proxy);
	return proxy != NULL;
}

/* --- what is asked of them ------------------------------------------------------------------------ */

static bool is_indexed_name(const char *host, void *arg)
{
	const struct wanted *w = arg;
	struct verdict verdict;

	return !policy_host_denied(supervisor_policy(w->sb->sup), host, &verdict) && supervisor_host_indexed(w->sb->sup, host, w->port);
}

/* An address, as the policy wants it: what is mapped as IPv4.  False: a name. */
static bool is_address(const char *host, struct sockaddr_storage *sa, struct sockaddr_text *text)
{
	struct pw_address address = {.family = strchr(host, ':') ? AF_INET6 : AF_INET};

	return inet_pton((int)address.family, host, address.bytes) == 1 && sockaddr_describe(sa, sockaddr_of(&address, 0, sa), text);
}

/* pip's own look-up, where it does not leave that to the proxy. */
static enum relay_may may_address(struct sandbox *sb, const struct sockaddr_storage *sa, const char *host, unsigned port)
{
	struct wanted w = {.sb = sb, .port = port};
	struct verdict verdict;

	if (policy_address_denied(supervisor_policy(sb->sup), host, &verdict))
		return RELAY_MAY_NOT;
	if (supervisor_host_indexed(sb->sup, host, port))
		return RELAY_MAY_UNSEEN;
	return names_of_address(supervisor_resolver(sb->sup), sa, is_indexed_name, &w) ? RELAY_MAY_ANY : RELAY_MAY_NOT;
}

enum relay_may proxied_may(struct sandbox *sb, const char *host, unsigned port)
{
	struct wanted w = {.sb = sb, .port = port};
	struct sockaddr_storage sa;
	struct sockaddr_text text;

	if (is_address(host, &sa, &text))
		return may_address(sb, &sa, text.address, port);
	if (!is_indexed_name(host, &w))
		return RELAY_MAY_NOT;
	return policy_host_opaque(supervisor_policy(sb->sup), sb->role, host, port) ? RELAY_MAY_UNSEEN : RELAY_MAY;
}

void proxied_record(struct sandbox *sb, const struct relay_refusal *r)
{
	const struct policy *p = supervisor_policy(sb->sup);
	char hint[SOCKETS_HINT_MAX], detail[SOCKETS_HINT_MAX + HOST_TEXT_MAX + 64];
	struct sockaddr_storage sa;
	struct sockaddr_text text;
	const char *address = is_address(r->name, &sa, &text) ? text.address : NULL;
	struct event ev = {
		.type = "net.connect",
		.action = EV_DENIED,
		.verdict = policy_rule(p, "net.connect.installer"),
		.source = SRC_KERNEL,
		.target = {.host = address ? NULL : r->name, .address = address, .port = r->asked_port, .protocol = "tcp"},
		.detail = detail,
	};

	snprintf(detail, sizeof detail, "asked of the proxy %s:%u; %s", r->host, r->port, sockets_hint_host(sb, r->name, hint));
	if (address ? policy_address_denied(p, address, &ev.verdict) : policy_host_denied(p, r->name, &ev.verdict))
		snprintf(detail, sizeof detail, "asked of the proxy %s:%u; no option allows this host", r->host, r->port);
	supervisor_record(sb, 0, &ev);
}
