#include "launcher/supervise/lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "launcher/names/ranges.h"
#include "launcher/names/stand_in.h"
#include "launcher/supervise/session.h"

static void record(struct shade *who, const char *host, const char *address, struct verdict verdict)
{
	struct event ev = {
		.type = "net.resolve",
		.action = EV_DENIED,
		.verdict = verdict,
		.source = SRC_KERNEL,
		.target = {.host = host, .address = address},
		.detail = "an allowed name leads to an address that is not the public Internet's: list that address, or its network, as well",
	};

	supervisor_record(&who->sandbox, 0, &ev);
}

/* A name can be made to lead anywhere by whoever runs its domain: to the cloud's metadata service, to a machine behind the firewall. */
static bool may_reach(struct shade *who, const char *host, const struct pw_address *address)
{
	const struct policy *p = supervisor_policy(who->sandbox.sup);
	char text[INET6_ADDRSTRLEN];
	struct verdict verdict;

	inet_ntop((int)address->family, address->bytes, text, sizeof text);
	if (!policy_address_denied(p, text, &verdict)) {
		if (!range_is_private(address) || policy_host_allowed(p, who->sandbox.role, text, 0))
			return true;
		verdict = policy_rule(p, "net.resolve.private");
	}
	record(who, host, text, verdict);
	return false;
}

void lookup_allowed(struct shade *who, const char *host, int family, struct pw_answer *out)
{
	struct supervisor *sup = who->sandbox.sup;
	struct pw_answer real, reachable = {0};

	names_resolve(supervisor_resolver(sup), host, family, &real);
	reachable.error = real.error;
	for (uint32_t i = 0; i < real.count && i < PW_ANSWER_MAX; i++)
		if (may_reach(who, host, &real.address[i]))
			reachable.address[reachable.count++] = real.address[i];
	stand_ins_give(supervisor_stand_ins(sup), host, &reachable, out);
}
