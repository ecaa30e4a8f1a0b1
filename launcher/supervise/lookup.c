#include "launcher/supervise/lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/base/fd.h"
#include "launcher/installer/installer.h"
#include "launcher/names/ranges.h"
#include "launcher/names/stand_in.h"
#include "launcher/supervise/proxy_dial.h"
#include "launcher/supervise/session.h"

#define DISCARD_PORT 9 /* any would do */

static void record(struct shade *who, struct event_target target, struct verdict verdict, const char *detail)
{
	struct event ev = {.type = "net.resolve", .action = EV_DENIED, .verdict = verdict, .source = SRC_KERNEL, .target = target, .detail = detail};

	supervisor_record(&who->sandbox, 0, &ev);
}

static void record_full(struct shade *who, const char *host)
{
	char domain[NAMES_DOMAIN_MAX]; /* the names are many */

	record(who, (struct event_target){.host = names_domain(host, domain)}, policy_rule(supervisor_policy(who->sandbox.sup), "net.resolve.full"),
	       "one build or command is told a thousand addresses of allowed hosts: more are asked for by nobody who connects to them");
}

/* The deny list beats every allowance, also where an allowed name is only another one of what it names. */
static bool is_denied(struct shade *who, const char *host, const char *canonical)
{
	struct verdict verdict;

	if (!canonical[0] || !policy_host_denied(supervisor_policy(who->sandbox.sup), canonical, &verdict))
		return false;
	record(who, (struct event_target){.host = host, .name = canonical}, verdict, "the allowed name is another one (CNAME) of a host that no option allows");
	return true;
}

/* Whatever leads to this machine is sent from the very address.  Nothing is sent: a datagram socket that is connected only looks for its way. */
static bool is_own(const struct pw_address *address)
{
	struct sockaddr_storage to, from;
	socklen_t len = sockaddr_of(address, DISCARD_PORT, &to), from_len = sizeof from;
	struct sockaddr_text there, here;
	cleanup_fd int sock = socket((int)address->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return sock >= 0 && connect(sock, (const struct sockaddr *)&to, len) == 0 && getsockname(sock, (struct sockaddr *)&from, &from_len) == 0 &&
	       sockaddr_describe(&to, len, &there) && sockaddr_describe(&from, from_len, &here) && !strcmp(there.address, here.address);
}

/* Which of its ports is looked at where it is connected to. */
bool lookup_reaches(const struct sandbox *sb, const char *host, const struct pw_address *address, unsigned port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop((int)address->family, address->bytes, text, sizeof text);
	return supervisor_host_required(sb, host, 0) || supervisor_host_allowed(sb, text, port) || (!range_is_private(address) && !is_own(address));
}

/* A name can be made to lead anywhere by whoever runs its domain: to the cloud's metadata service, to a machine behind the firewall. */
static bool may_reach(struct shade *who, const char *host, const struct pw_address *address)
{
	const struct policy *p = supervisor_policy(who->sandbox.sup);
	char text[INET6_ADDRSTRLEN];
	struct verdict verdict;

	inet_ntop((int)address->family, address->bytes, text, sizeof text);
	if (!policy_address_denied(p, text, &verdict)) {
		if (!stand_in_is_nowhere(address) && lookup_reaches(&who->sandbox, host, address, 0))
			return true;
		verdict = policy_rule(p, "net.resolve.private");
	}
	record(who, (struct event_target){.host = host, .address = text}, verdict,
	       "an allowed name leads to an address that is not the public Internet's: list that address, or its network, as well");
	return false;
}

/* The very name, before the machine's search list makes another of it: with ndots that is asked for first, and somebody else may answer.  /etc/hosts knows no
 * last dot, and a name that is none by itself may be one of the search list's (`service.namespace`). */
static void resolve(const char *host, int family, struct pw_answer *real, char canonical[PW_HOST_MAX])
{
	char name[PW_HOST_MAX + 1];

	real->error = EAI_NONAME;
	if (strchr(host, '.') && names_classify(host, name) == NAME_REMOTE) {
		snprintf(name, sizeof name, "%s.", host);
		names_ask(name, family, real, canonical);
	}
	if (real->error == EAI_NONAME)
		names_ask(host, family, real, canonical);
}

/* ssh and its like know no proxy: what a requirement names for them is reached without. */
static bool is_proxied(const struct sandbox *sb, const char *host)
{
	return proxy_for(sb->sup, host, 0) && !(supervisor_host_required(sb, host, 0) && sb->requirement->opaque);
}

/* What may be reached of what the resolver says; the rest is written down. */
static void find_reachable(struct shade *who, const char *host, int family, struct pw_answer *out)
{
	struct pw_answer real;
	char canonical[PW_HOST_MAX];

	resolve(host, family, &real, canonical);
	if (is_denied(who, host, canonical))
		real = (struct pw_answer){.error = EAI_NONAME};
	out->error = real.error;
	for (uint32_t i = 0; i < real.count && i < PW_ANSWER_MAX; i++)
		if (may_reach(who, host, &real.address[i]))
			out->address[out->count++] = real.address[i];
}

void lookup_allowed(struct shade *who, const char *host, int family, struct pw_answer *out)
{
	struct supervisor *sup = who->sandbox.sup;
	struct pw_answer reachable = {0};

	if (is_proxied(&who->sandbox, host))
		stand_ins_nowhere(family, &reachable);
	else
		find_reachable(who, host, family, &reachable);
	if (!stand_ins_give(supervisor_stand_ins(sup), who->sandbox.id, host, &reachable, out))
		record_full(who, host);
}
