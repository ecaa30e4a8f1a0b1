#include "credential_told.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "credential_question.h"
#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "prompt.h"
#include "supervisor.h"

#define QUESTION_MAX 16384
#define QUESTION_MS 10000 /* git writes it at once */

/* All that comes.  Length, or -1. */
static ssize_t hear(int from, int hung_up, char text[QUESTION_MAX])
{
	int64_t until = clock_milliseconds() + QUESTION_MS, left;
	size_t used = 0;

	while ((left = until - clock_milliseconds()) > 0 && used < QUESTION_MAX) {
		struct pollfd p[2] = {{.fd = from, .events = POLLIN}, {.fd = hung_up, .events = POLLRDHUP}};
		if (poll(p, 2, (int)left) < 0) {
			continue;
		}
		if (p[1].revents != 0) {
			return -1;
		}
		ssize_t n = read(from, text + used, QUESTION_MAX - used);
		if (n == 0) {
			return (ssize_t)used;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return -1;
		}
		used += n > 0 ? (size_t)n : 0;
	}
	return -1;
}

static void record(struct sandbox *sb, const struct start *request, const struct credential_question *q, struct verdict verdict, enum event_action action)
{
	struct event ev = {
		.type = "exec", .action = action, .verdict = verdict, .source = SRC_KERNEL,
		.target = {.path = request->path, .host = q->host, .port = q->port},
		.detail = action == EV_DENIED ? "a version control tool asks for the password of a host that its requirement does not name; --allow-host vcs:HOST allows one"
		                              : "a version control tool asks for this host's password",
	};

	supervisor_record(sb, 0, &ev);
}

static enum credential_told judge(struct sandbox *sb, const struct start *request, const struct credential_question *q, struct birthright *b)
{
	const struct policy *p = supervisor_policy(sb->sup);

	if (!supervisor_host_allowed(sb, q->host, q->port)) {
		record(sb, request, q, policy_rule(p, "exec.credential.host"), EV_DENIED);
		birthright_refuse(b, NULL, EACCES, "it is asked for the password of %.100s, which the requirement does not name", q->host);
		return TOLD_REFUSED;
	}
	record(sb, request, q, policy_rule(p, "exec.recorded"), EV_ALLOWED);
	return TOLD_GOOD;
}

static enum credential_told refuse(struct birthright *b, const char *why)
{
	birthright_refuse(b, "exec.credential.use", EACCES, "%s", why);
	return TOLD_REFUSED;
}

static const char *last_word(char *const *argv)
{
	const char *last = "";

	for (; *argv != NULL; argv++) {
		last = *argv;
	}
	return last;
}

/* On standard input. */
static enum credential_told told_by_pipe(struct sandbox *sb, const struct start *request, struct passed *passed, int hung_up, struct birthright *b)
{
	cleanup_fd int from = passed_pipe(passed, 0, O_RDONLY); /* nobody who has it as well can make the read wait */
	char text[QUESTION_MAX];
	struct credential_question q;

	if (strcmp(last_word(request->argv), "get") != 0) {
		return TOLD_NOTHING;
	}
	ssize_t len = from >= 0 ? hear(from, hung_up, text) : -1;
	if (len < 0 || !credential_question_parse(text, (size_t)len, &q)) {
		return refuse(b, "it is not told whose password is asked for");
	}
	enum credential_told told = judge(sb, request, &q, b);
	int copy = told == TOLD_GOOD ? fd_sealed("question", text, (size_t)len) : -1;
	if (told == TOLD_GOOD && copy < 0) {
		return refuse(b, "no memory");
	}
	if (told == TOLD_GOOD) {
		close(passed->fds[0]);
		passed->fds[0] = copy;
	}
	return told;
}

enum credential_told credential_told(struct sandbox *sb, const struct start *request, struct passed *passed, int hung_up, struct birthright *b)
{
	struct credential_question q;

	switch (b->helper->use) {
	case HELPER_OF_GIT:
		return told_by_pipe(sb, request, passed, hung_up, b);
	case HELPER_ASKPASS:
		return credential_question_words(request->argv[1], &q) ? judge(sb, request, &q, b) : refuse(b, "its question is not git's, about one host");
	case HELPER_OF_PIP:
	case HELPER_SSH:
		break;
	}
	return TOLD_GOOD;
}

/* --- at the terminal --------------------------------------------------------------------------------- */

/* At once or not at all: nobody may read at the other end. */
static bool answer(int to, char *text)
{
	size_t len = strlen(text);

	text[len] = '\n';
	bool done = write(to, text, len + 1) == (ssize_t)len + 1;
	explicit_bzero(text, len + 1);
	return done;
}

bool credential_prompt(struct sandbox *sb, const struct start *request, enum role asker, const struct passed *passed, int hung_up, struct birthright *b)
{
	cleanup_fd int to = passed_pipe(passed, 1, O_WRONLY);
	const char *question = request->argv[0] != NULL && request->argv[1] != NULL ? request->argv[1] : "";
	char text[PROMPT_MAX + 1], own[CREDENTIAL_TEXT_MAX];
	struct credential_question q;
	bool echo = strstr(question, "(yes/no") != NULL;

	if (to < 0) {
		refuse(b, "its answer is not to go into a pipe");
		return false;
	}
	if (asker == ROLE_VCS) { /* what is typed is a login of that host's, and who types it reads which, whoever asks */
		if (!credential_question_words(question, &q)) {
			refuse(b, "the user is asked for something else than the login of a host");
			return false;
		}
		if (judge(sb, request, &q, b) != TOLD_GOOD) {
			return false;
		}
		credential_question_text(&q, own);
		question = own;
		echo = !q.password;
	}
	return prompt_ask(question, echo, hung_up, text) && answer(to, text);
}
