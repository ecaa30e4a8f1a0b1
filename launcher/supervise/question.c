#include "launcher/supervise/question.h"

#include <string.h>

#include "launcher/supervise/lookup.h"
#include "launcher/supervise/seen.h"
#include "launcher/supervise/sockets.h"

#define RECORDED_WHOLE 256 /* names of a sandbox; of those that follow their domain is, so that a tunnel is not a journal full of lines */

static enum question_answer refused(struct question *q, struct verdict verdict, const char *detail)
{
	q->verdict = verdict;
	q->detail = detail;
	return QUESTION_REFUSED;
}

enum tunnel_sign question_sign(struct sandbox *sb, const char *written, struct question *q)
{
	return tunnel_judge(written, seen_needles(sb, NEEDLE_NAME), &q->decoys);
}

/* The name itself may be what was to leave. */
static const char *carries(enum tunnel_sign sign)
{
	static const char *const details[] = {
		[TUNNEL_NONE] = NULL,
		[TUNNEL_LONG] = "the name is longer than host names are: data in it would reach whoever runs the domain",
		[TUNNEL_DATA] = "the name looks like encoded data, which would reach whoever runs the domain",
		[TUNNEL_SECRET] = "the name holds a decoy, or a part of one, which would reach whoever runs the domain",
	};

	return details[sign];
}

/* A name that the role may not have. */
static enum question_answer refuse_unknown(struct sandbox *sb, const char *written, struct question *q)
{
	const struct policy *p = supervisor_policy(sb->sup);
	const char *data = carries(question_sign(sb, written, q));

	if (data != NULL)
		return refused(q, policy_rule(p, "net.resolve.tunnel"), data);

	/* A name of the watch list says better what was meant. */
	if (!policy_host_watched(p, q->host, &q->verdict))
		q->verdict = policy_rule(p, sb->role == ROLE_INSTALLER ? "net.resolve.installer" : "net.resolve");
	q->detail = sockets_hint_host(sb, q->host, q->hint);
	return QUESTION_REFUSED;
}

/* An allowed host for which /etc/hosts has an address that it may be reached at: a stand-in leads there, the address itself nowhere. */
static bool leads_out(struct sandbox *sb, const char *host)
{
	struct pw_answer answer;

	if (sb->role == ROLE_INSTALLER || !sb->way || !supervisor_host_allowed(sb, host, 0))
		return false;
	names_local(host, AF_UNSPEC, &answer);
	for (uint32_t i = 0; i < answer.count; i++)
		if (lookup_reaches(sb, host, &answer.address[i], 0))
			return true;
	return false;
}

enum question_answer question_judge(struct sandbox *sb, const char *written, struct question *q)
{
	const struct policy *p = supervisor_policy(sb->sup);
	struct verdict verdict;

	q->decoys = (struct needle_hits){.n = 0};
	q->class = names_classify(written, q->host);
	/* First: the deny list beats /etc/hosts and every allowance. */
	if (q->class != NAME_LITERAL && policy_host_denied(p, q->host, &verdict)) {
		question_sign(sb, written, q);
		return refused(q, verdict, "this host is known for taking stolen data; no option allows it");
	}
	switch (q->class) {
	case NAME_LITERAL:
		return QUESTION_LITERAL;
	case NAME_LOCAL:
		return leads_out(sb, q->host) ? QUESTION_ASK : QUESTION_LOCAL;
	case NAME_REMOTE:
		if (!supervisor_host_allowed(sb, q->host, 0))
			return refuse_unknown(sb, written, q);
		if (sb->role == ROLE_INSTALLER || sb->audit)
			return QUESTION_ASK;
		/* Below an allowed wildcard, too, whoever runs the domain would read it. */
		if (question_sign(sb, written, q) == TUNNEL_SECRET)
			return refused(q, policy_rule(p, "net.resolve.tunnel"), carries(TUNNEL_SECRET));
		if (sb->way)
			return QUESTION_ASK;
		return refused(q, policy_rule(p, "net.resolve"), "the host is allowed, but in a network namespace nothing leads to it without pidfd_getfd: see pipwarden doctor");
	case NAME_BAD:
		break;
	}
	question_sign(sb, written, q);
	return refused(q, policy_rule(p, "net.resolve.bad"), sockets_hint(sb));
}

void question_record(struct sandbox *sb, pid_t pid, const struct question *q, const char *type)
{
	char domain[NAMES_DOMAIN_MAX];
	bool whole = atomic_fetch_add(&sb->names_refused, 1) < RECORDED_WHOLE;
	struct event ev = {
		.type = "net.resolve",
		.action = EV_DENIED,
		.verdict = q->verdict,
		.source = SRC_KERNEL, /* the question itself reached us; the caller may have made it with or without the shim */
		.target = {.host = whole ? q->host : names_domain(q->host, domain), .protocol = type},
		.detail = q->detail,
	};

	supervisor_record(sb, pid, &ev);
	if (q->decoys.n > 0) /* of the name what hardly holds one */
		decoy_seen_record(sb, pid, &(struct seen_place){.in = SEEN_NAME, .host = names_domain(q->host, domain), .stopped = true}, &q->decoys);
}
