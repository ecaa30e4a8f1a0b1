/* The ways out of sandboxes: what becomes of connections that come too late, or are too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/relay/relay.h"
#include "launcher/supervise/dial.h"
#include "launcher/supervise/proxied.h"
#include "launcher/supervise/relays.h"
#include "launcher/supervise/seen.h"

/* --- what the supervisor would provide --------------------------------------------------------- */

static struct caps the_caps = {.pidfd_getfd = true};
static _Atomic unsigned recorded;
static char last_rule[64];

const struct policy *supervisor_policy(const struct supervisor *s) { return NULL; }
const struct caps *supervisor_caps(const struct supervisor *s) { return &the_caps; }
bool supervisor_has_hosts(const struct sandbox *sb) { return true; }
struct verdict policy_rule(const struct policy *p, const char *id) { return (struct verdict){.rule = id}; }
const struct proxies *supervisor_proxies(const struct supervisor *s) { return NULL; }
enum relay_may proxied_may(struct sandbox *sb, const char *host, unsigned port) { return RELAY_MAY_NOT; }
void proxied_record(struct sandbox *sb, const struct relay_refusal *r) {}
const struct needles *seen_needles(struct sandbox *sb, enum needle_kind kind) { return NULL; }
bool decoy_seen_record(struct sandbox *sb, pid_t pid, const struct seen_place *where, const struct needle_hits *hits) { return false; }

void supervisor_record(struct sandbox *sb, pid_t pid, struct event *ev)
{
	snprintf(last_rule, sizeof last_rule, "%s", ev->verdict.rule);
	recorded++;
}

/* ------------------------------------------------------------------------------------------------ */

static const struct relay_target target = {.host = "files.example", .port = 80, .opaque = true};

static struct way_out *a_way(bool namespaces)
{
	const struct sandbox sb = {.id = 1, .role = ROLE_BUILD, .namespaces = namespaces};
	struct way_out *w = way_out_new(&sb, STDIN_FILENO);

	assert_non_null(w);
	recorded = 0;
	return w;
}

/* 0 or -errno; the two other ends are in ends. */
static int add(struct way_out *w, int ends[2])
{
	int inside[2], outside[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, inside), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, outside), 0);
	ends[0] = inside[1];
	ends[1] = outside[1];
	return relays_add(w, &target, inside[0], outside[0]);
}

static bool is_over(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	return poll(&p, 1, 2000) == 1 && recv(fd, &c, 1, 0) <= 0;
}

static void test_too_late(void **state)
{
	struct way_out *w = a_way(false);
	int first[2], late[2];

	(void)state;
	assert_int_equal(add(w, first), 0);
	way_out_close(w);
	assert_int_equal(way_out_state(w), WAY_OUT_CLOSED);
	way_out_end(w); /* after its grace */
	assert_int_equal(way_out_state(w), WAY_OUT_ENDED);
	assert_true(is_over(first[0]) && is_over(first[1]));
	assert_int_equal(add(w, late), -ECONNRESET);
	assert_true(is_over(late[0]) && is_over(late[1]));
	assert_int_equal(recorded, 0);
	for (int i = 0; i < 2; i++) {
		close(first[i]);
		close(late[i]);
	}
	way_out_put(w);
}

static void test_too_many(void **state)
{
	struct way_out *w = a_way(false);
	static int ends[RELAY_MAX_EACH + 40][2];
	unsigned added = 0;

	(void)state;
	for (int i = 0; i < RELAY_MAX_EACH + 40; i++)
		added += add(w, ends[i]) == 0;
	assert_int_equal(added, RELAY_MAX_EACH);
	assert_string_equal(last_rule, "net.connect.full");
	assert_in_range(recorded, 1, 20); /* said, but not as often as it is tried */
	for (int i = 0; i < RELAY_MAX_EACH + 40; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	way_out_end(w);
	way_out_put(w);
}

/* Plays init: there is nothing to be had. */
static void *refuse_doors(void *argument)
{
	struct doors *d = ((void **)argument)[0];
	int init = *(int *)((void **)argument)[1];
	struct init_message m;

	while (fd_receive(init, &m, sizeof m, NULL, NULL) == sizeof m) {
		m.value = EADDRNOTAVAIL;
		doors_answer(d, &m, -1);
	}
	return NULL;
}

static void test_doors_are_bounded(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc6120001)};
	cleanup_fd int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int init[2], result = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, init), 0);
	struct doors *d = doors_new(init[0]);
	void *argument[] = {d, &init[1]};
	assert_int_equal(pthread_create(&thread, NULL, refuse_doors, argument), 0);
	for (int i = 0; i < DOORS_MAX + 2; i++) {
		struct sockaddr_storage sa = {0};
		to.sin_port = htons((uint16_t)(i + 1));
		memcpy(&sa, &to, sizeof to);
		assert_int_equal(doors_pass(d, sock, &sa, sizeof to, &result), i < DOORS_MAX ? -EADDRNOTAVAIL : -ENOSPC);
	}
	close(init[0]);
	doors_close(d);
	pthread_join(thread, NULL);
	close(init[1]);
	doors_free(d);
}

/* --- dialling ------------------------------------------------------------------------------------- */

static struct pw_address loopback(uint8_t last)
{
	return (struct pw_address){.family = AF_INET, .bytes = {127, 0, 0, last}};
}

static int listener(uint8_t last, unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u + last), .sin_port = htons((uint16_t)*port)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void test_dial(void **state)
{
	struct pw_address none = loopback(9), there = loopback(8);
	unsigned port = 0;
	int open = listener(8, &port);
	struct dial d;

	(void)state;
	dial_init(&d);
	assert_int_equal(dial_wait(&d, 0), -ECONNREFUSED); /* nobody is dialled */
	dial_add(&d, &none, port);
	assert_int_equal(dial_wait(&d, 2000), -ECONNREFUSED);
	dial_add(&d, &none, port);
	dial_add(&d, &there, port);
	int sock = dial_wait(&d, 2000);
	assert_true(sock >= 0);
	close(sock);
	dial_finish(&d);
	close(open);
}

/* Linux answers for a full backlog with silence: it is waited for no longer than told, and others are dialled meanwhile. */
static void test_dial_silence(void **state)
{
	struct pw_address silent = loopback(7), there = loopback(8);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000007u)};
	unsigned port = 0;
	int full = listener(7, &port), open = listener(8, &port), held[4];
	struct dial d;

	(void)state;
	assert_int_equal(listen(full, 0), 0);
	at.sin_port = htons((uint16_t)port);
	for (int i = 0; i < 4; i++) {
		held[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(held[i], (struct sockaddr *)&at, sizeof at);
	}
	usleep(50000);
	dial_init(&d);
	dial_add(&d, &silent, port);
	assert_int_equal(dial_wait(&d, 50), -EINPROGRESS);
	dial_add(&d, &there, port);
	dial_add(&d, &there, port); /* once */
	assert_int_equal(d.n, 2);
	int sock = dial_wait(&d, 2000);
	assert_true(sock >= 0);
	close(sock);
	dial_finish(&d);
	for (int i = 0; i < 4; i++)
		close(held[i]);
	close(open);
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_late), cmocka_unit_test(test_too_many), cmocka_unit_test(test_doors_are_bounded), cmocka_unit_test(test_dial), cmocka_unit_test(test_dial_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
