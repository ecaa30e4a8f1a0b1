#include "launcher/supervise/query.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/base/fd.h"
#include "launcher/names/names.h"
#include "launcher/supervise/later.h"
#include "launcher/supervise/lookup.h"
#include "launcher/supervise/question.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/sockets.h"
#include "launcher/supervise/target.h"
#include "launcher/supervise/worker.h"

struct job {
	struct later later;
	struct names *names; /* NULL: what is answered is nobody's to connect to by address */
	int family;
	char host[PW_HOST_MAX];
};

static struct reply answer_fd(const struct pw_answer *answer)
{
	int fd = fd_sealed("pipwarden-answer", answer, sizeof *answer);

	return fd < 0 ? reply_error(-fd) : reply_fd(fd, O_CLOEXEC);
}

static void resolve(void *argument)
{
	struct job *job = argument;
	struct pw_answer answer;

	if (job->later.shade.sandbox.role == ROLE_INSTALLER || job->later.shade.sandbox.audit)
		names_resolve(job->names, job->host, job->family, &answer);
	else
		lookup_allowed(&job->later.shade, job->host, job->family, &answer);
	later_send(&job->later, answer_fd(&answer));
	later_finish(&job->later);
	free(job);
}

static struct reply resolve_later(struct sandbox *sb, const struct seccomp_notif *req, const char *host, int family)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return reply_error(ENOMEM);
	job->names = sb->role == ROLE_INSTALLER ? supervisor_resolver(sb->sup) : NULL; /* lives as long as the process */
	job->family = family;
	memcpy(job->host, host, sizeof job->host);
	if (later_init(&job->later, sb, req) || worker_start(sb->id, resolve, job)) {
		later_finish(&job->later);
		free(job);
		return reply_error(EAGAIN);
	}
	return reply_later();
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
	struct question q;
	int error = target_read(sb, req, req->data.args[2], &query, sizeof query);

	if (error)
		return reply_error(-error);
	if (!query_is_valid(&query))
		return reply_error(EINVAL);
	switch (question_judge(sb, query.host, &q)) {
	case QUESTION_LITERAL:
		record_spelling(sb, req, query.host, q.host);
		return answer_locally(sb, q.host, (int)query.family);
	case QUESTION_LOCAL:
		return answer_locally(sb, q.host, (int)query.family);
	case QUESTION_ASK:
		return resolve_later(sb, req, q.host, (int)query.family);
	case QUESTION_REFUSED:
		break;
	}
	if (!query.host[0])
		return reply_error(EACCES); /* nothing was asked for */
	question_record(sb, (pid_t)req->pid, &q, NULL);
	/* Under --audit the answer is given all the same. */
	return sb->audit && q.class != NAME_BAD ? resolve_later(sb, req, q.host, (int)query.family) : reply_error(EACCES);
}
