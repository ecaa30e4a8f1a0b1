/* Names are decided before anything is asked: one that is not allowed never reaches a real resolver (DNS carries data out), and fails as one that
 * does not exist. */
#include "launcher/supervise/query.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/fd.h"
#include "launcher/names/names.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/target.h"
#include "launcher/supervise/worker.h"

struct job {
	struct later later;
	struct names *names;
	int family;
	char host[PW_HOST_MAX];
};

static struct reply answer_fd(const struct pw_answer *answer)
{
	int fd = fd_sealed("pipwarden-answer", answer, sizeof *answer);

	return fd < 0 ? reply_error(-fd) : reply_fd(fd, O_CLOEXEC);
}

static void record_refused(struct sandbox *sb, const struct seccomp_notif *req, const char *host, struct verdict verdict, const char *detail)
{
	struct event ev = {
		.type = "net.resolve",
		.action = EV_DENIED,
		.verdict = verdict,
		.source = SRC_KERNEL, /* the query itself reached us; the caller may have made it with or without the shim */
		.target = {.host = host},
		.detail = detail,
	};

	supervisor_record(sb, (pid_t)req->pid, &ev);
}

static void resolve(void *argument)
{
	struct job *job = argument;
	struct pw_answer answer;

	names_resolve(job->names, job->host, job->family, &answer);
	later_send(&job->later, answer_fd(&answer));
	later_finish(&job->later);
	free(job);
}

static struct reply resolve_later(struct sandbox *sb, const struct seccomp_notif *req, const char *host, int family)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return reply_error(ENOMEM);
	job->names = supervisor_resolver(sb->sup); /* lives as long as the process */
	job->family = family;
	memcpy(job->host, host, sizeof job->host);
	if (later_init(&job->later, sb, req) || worker_start(resolve, job)) {
		later_finish(&job->later);
		free(job);
		return reply_error(EAGAIN);
	}
	return reply_later();
}

/* Refused; under --audit the answer is given all the same. */
static struct reply refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *host, int family, struct verdict verdict, const char *detail)
{
	record_refused(sb, req, host, verdict, detail);
	return sb->audit ? resolve_later(sb, req, host, family) : reply_error(EACCES);
}

static struct reply refuse_by_rule(struct sandbox *sb, const struct seccomp_notif *req, const char *host, int family, const char *rule)
{
	struct verdict verdict;

	/* A name of the watch list says better what was meant. */
	if (!policy_host_watched(supervisor_policy(sb->sup), host, &verdict))
		verdict = policy_rule(supervisor_policy(sb->sup), rule);
	return refuse(sb, req, host, family, verdict, sockets_hint(sb));
}

/* 2130706433, 0x7f.1: nobody writes an address so who wants it to be read. */
static void record_spelling(struct sandbox *sb, const struct seccomp_notif *req, const char *written, const char *canonical)
{
	struct event ev = {
		.type = "net.resolve",
		.action = EV_ALLOWED,
		.verdict = policy_rule(supervisor_policy(sb->sup), "net.resolve.spelling"),
		.source = SRC_KERNEL,
		.target = {.host = written, .address = canonical},
	};

	if (strcmp(written, canonical) != 0 && !strchr(canonical, ':'))
		supervisor_record(sb, (pid_t)req->pid, &ev);
}

static struct reply answer_locally(struct sandbox *sb, const char *host, int family)
{
	struct pw_answer answer;

	names_local(host, family, &answer);
	/* What pip connects to is decided by the names that an address was given out for. */
	if (sb->role == ROLE_INSTALLER)
		names_remember(supervisor_resolver(sb->sup), host, &answer);
	return answer_fd(&answer);
}

struct reply query_answer(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct pw_query query;
	char host[PW_HOST_MAX] = "";
	struct verdict verdict;
	enum name_class class;
	int error = target_read(sb, req, req->data.args[2], &query, sizeof query);

	if (error)
		return reply_error(-error);
	if (!query_is_valid(&query))
		return reply_error(EINVAL);
	class = names_classify(query.host, host);
	/* First: the deny list beats /etc/hosts and every allowance. */
	if (class != NAME_LITERAL && policy_host_denied(supervisor_policy(sb->sup), host, &verdict))
		return refuse(sb, req, host, (int)query.family, verdict, "this host is known for taking stolen data; no option allows it");
	switch (class) {
	case NAME_LITERAL:
		record_spelling(sb, req, query.host, host);
		return answer_locally(sb, host, (int)query.family);
	case NAME_LOCAL:
		return answer_locally(sb, host, (int)query.family);
	case NAME_REMOTE:
		/* Build and guest: no host is allowed in this release, whatever the policy lists: there is no way out of their network namespace. */
		if (sb->role != ROLE_INSTALLER || !supervisor_host_allowed(sb->sup, ROLE_INSTALLER, host, 0))
			return refuse_by_rule(sb, req, host, (int)query.family, sb->role == ROLE_INSTALLER ? "net.resolve.installer" : "net.resolve");
		return resolve_later(sb, req, host, (int)query.family);
	case NAME_BAD:
		break;
	}
	if (!query.host[0])
		return reply_error(EACCES); /* nothing was asked for */
	record_refused(sb, req, host, policy_rule(supervisor_policy(sb->sup), "net.resolve.bad"), sockets_hint(sb));
	return reply_error(EACCES);
}
