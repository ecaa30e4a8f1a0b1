/* The stub resolver where the process has no descriptor left.  What it answers is tested from end to end (test_names.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/supervise/lookup.h"
#include "launcher/supervise/question.h"
#include "launcher/supervise/stub.h"
#include "launcher/supervise/supervisor.h"
#include "launcher/supervise/worker.h"

/* --- what the supervisor would provide; nothing is asked here ------------------------------------ */

const struct policy *supervisor_policy(const struct supervisor *s) { return NULL; }
struct verdict policy_rule(const struct policy *p, const char *id) { return (struct verdict){.rule = id}; }
bool supervisor_host_allowed(const struct sandbox *sb, const char *host, unsigned port) { return false; }
enum question_answer question_judge(struct sandbox *sb, const char *written, struct question *q) { return QUESTION_LITERAL; }
enum tunnel_sign question_sign(struct sandbox *sb, const char *written, struct question *q) { return TUNNEL_NONE; }
void question_record(struct sandbox *sb, pid_t pid, const struct question *q, const char *type) {}
void lookup_allowed(struct shade *who, const char *host, int family, struct pw_answer *out) {}
int worker_start(unsigned whose, worker_func *f, void *argument) { return -1; }

/* -------------------------------------------------------------------------------------------------- */

static int listening(struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static bool has_stream(const struct stub *s)
{
	for (int i = 0; i < STUB_STREAMS; i++)
		if (s->streams[i].fd >= 0)
			return true;
	return false;
}

/* One turn of the session's loop.  How long it was willing to wait. */
static int turn(struct stub *s, int at_most)
{
	struct pollfd fds[STUB_POLL];
	int wait = -1;
	size_t n = stub_poll(s, fds, &wait);

	if (poll(fds, n, wait < 0 || wait > at_most ? at_most : wait) > 0)
		stub_serve(s, fds, n);
	return wait;
}

static void test_no_descriptor_left(void **state)
{
	struct rlimit before, none;
	struct sockaddr_in at;
	struct sandbox sb = {0};
	struct stub s = {0};
	int sock;

	(void)state;
	stub_init(&s, &sb);
	sock = listening(&at);
	stub_take(&s, &sock, 1);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)client + 1;
	int next = fcntl(client, F_DUPFD_CLOEXEC, 0); /* every number below is taken */
	while (next >= 0 && next <= client)
		next = fcntl(client, F_DUPFD_CLOEXEC, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(turn(&s, 1000), -1);
	for (int i = 0; i < 3; i++) {
		int wait = turn(&s, 20);
		assert_in_range(wait, 1, 100); /* the client still knocks, and is not looked at */
	}
	assert_false(has_stream(&s));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 20 && !has_stream(&s); i++)
		turn(&s, 50);
	assert_true(has_stream(&s));
	close(client);
	stub_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_descriptor_left)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
