/* handle_signal: a process group that is shared with the world outside, and priorities of many at once.
 * The test is a session of its own: what goes wrong here reaches its own processes and not those that started it. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "notified.h"

#define WHO_PROCESS 1 /* of ioprio_set */
#define WHO_GROUP 2
#define WHO_USER 3

/* Shared words: who has been signalled how often, and what the calls returned. */
enum { OF_INIT, OF_CALLER, OF_SIBLING, OF_LONER, READY, INIT, RETURNED, AT_ONCE, FIRST_FREE };

static struct world w;
static long *outside; /* [0] the test itself, [1] a process of its group */
static pid_t stranger;
static volatile long *counter;

static void count(int signal)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

static bool reaches(const long *word, long value)
{
	for (int i = 0; i < 5000 && __atomic_load_n(word, __ATOMIC_SEQ_CST) < value; i++)
		usleep(1000);
	return __atomic_load_n(word, __ATOMIC_SEQ_CST) >= value;
}

/* Returns in the parent, when the child counts its signals. */
static pid_t counting_child(long *word, long *ready, bool alone)
{
	long before = *ready;
	pid_t pid = fork();
	if (pid == 0) {
		counter = word;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(60);
		if (alone)
			setpgid(0, 0);
		__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
		for (;;)
			pause();
	}
	if (!reaches(ready, before + 1))
		_exit(20);
	return pid;
}

static int begin(void **state)
{
	struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART}; /* a call that is broken off is made anew */
	world_init(&w);
	outside = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(outside != MAP_FAILED);
	counter = &outside[0];
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	stranger = counting_child(&outside[1], &outside[2], false);
	return 0;
}

static int end(void **state)
{
	kill(stranger, SIGKILL);
	assert_int_equal(waitpid(stranger, NULL, 0), stranger);
	munmap(outside, 4096);
	world_finish(&w);
	return 0;
}

/* In a process of the sandbox that is not its init, with a sibling in the shared group and another in a group of its own. */
static void in_a_family(struct world *x, void (*caller)(long *r, pid_t sibling, pid_t loner), int expected)
{
	long *r = x->result;
	int status = -1;
	r[INIT] = getpid();
	counter = &r[OF_INIT];
	pid_t sibling = counting_child(&r[OF_SIBLING], &r[READY], false);
	pid_t loner = counting_child(&r[OF_LONER], &r[READY], true);
	pid_t pid = fork();
	if (pid == 0) {
		counter = &r[OF_CALLER];
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(60);
		caller(r, sibling, loner);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != expected)
		_exit(21);
	/* By the number, from the outside of a group: the handler lets it pass. */
	if (expected != SIGKILL && TRY(SYS_kill, sibling, SIGKILL) != 0)
		_exit(22);
	if (TRY(SYS_kill, loner, SIGKILL) != 0 || waitpid(sibling, &status, 0) != sibling || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		_exit(23);
	waitpid(loner, NULL, 0);
}

static bool run(void (*body)(struct world *x), bool namespaces, bool killable)
{
	memset(w.result, 0, RESULTS_MAX * sizeof(long));
	w.namespaces = namespaces;
	w.caps.wait_killable = killable;
	if (!world_run(&w, body))
		return false;
	usleep(20000); /* what is on its way to the wrong ones has arrived */
	assert_int_equal(outside[0], 0);
	assert_int_equal(outside[1], 0);
	assert_int_equal(kill(stranger, 0), 0);
	return true;
}

/* --- kill(0) ------------------------------------------------------------------------------------ */

static void call_group(long *r, pid_t sibling, pid_t loner)
{
	r[RETURNED] = TRY(SYS_kill, 0x700000000L, SIGUSR1); /* an int */
	r[AT_ONCE] = r[OF_CALLER];
	reaches(&r[OF_CALLER], 1);
	reaches(&r[OF_SIBLING], 1);
	usleep(20000);
	r[FIRST_FREE] = TRY(SYS_kill, 0, 0);
	r[FIRST_FREE + 1] = TRY(SYS_kill, 0, 65);
	r[FIRST_FREE + 2] = TRY(SYS_kill, 0, -1);
}

static void group_body(struct world *x)
{
	in_a_family(x, call_group, 0);
}

static void check_group(bool namespaces, bool killable)
{
	if (!run(group_body, namespaces, killable)) {
		world_skip();
		return;
	}
	const long *r = w.result;
	assert_int_equal(r[RETURNED], 0);
	assert_int_equal(r[OF_CALLER], 1);
	if (killable)
		assert_int_equal(r[AT_ONCE], 1);
	assert_int_equal(r[OF_SIBLING], 1);
	assert_int_equal(r[OF_LONER], 0);
	/* With namespaces the world's init is the process that made them, outside of the test's filter; the body is like any other. */
	assert_int_equal(r[OF_INIT], namespaces);
	assert_int_equal(r[FIRST_FREE], 0);
	assert_int_equal(r[FIRST_FREE + 1], -EINVAL);
	assert_int_equal(r[FIRST_FREE + 2], -EINVAL);
	assert_int_equal(w.events, 0);
}

static void shared_group(void **state) { check_group(false, true); }
static void shared_group_interruptible(void **state) { check_group(false, false); }
static void shared_group_namespaces(void **state) { check_group(true, true); }
static void shared_group_namespaces_interruptible(void **state) { check_group(true, false); }

static void call_fatal(long *r, pid_t sibling, pid_t loner)
{
	TRY(SYS_kill, 0, SIGKILL);
	pause();
}

static void fatal_body(struct world *x)
{
	in_a_family(x, call_fatal, SIGKILL);
}

/* `trap 'kill 0' EXIT`, in earnest. */
static void shared_group_fatal(void **state)
{
	assert_true(run(fatal_body, false, true));
	assert_true(run(fatal_body, false, false));
	assert_int_equal(w.events, 0);
}

/* --- kill(-1), init ----------------------------------------------------------------------------- */

static void call_everybody(long *r, pid_t sibling, pid_t loner)
{
	r[RETURNED] = TRY(SYS_kill, -1, SIGUSR1);
	reaches(&r[OF_LONER], 1);
	reaches(&r[OF_SIBLING], 1);
	usleep(20000);
	r[FIRST_FREE] = TRY(SYS_kill, r[INIT], SIGUSR1);
	r[FIRST_FREE + 1] = TRY(SYS_kill, -getpgrp(), SIGUSR1);
}

static void everybody_body(struct world *x)
{
	in_a_family(x, call_everybody, 0);
}

static void everybody(void **state)
{
	const long *r = w.result;
	assert_true(run(everybody_body, false, true));
	assert_int_equal(r[RETURNED], 0);
	assert_int_equal(r[OF_CALLER], 0); /* as the kernel has it */
	assert_int_equal(r[OF_SIBLING], 1);
	assert_int_equal(r[OF_LONER], 1);
	assert_int_equal(r[OF_INIT], 0);
	assert_int_equal(r[FIRST_FREE], -EPERM);
	assert_int_equal(r[FIRST_FREE + 1], -EPERM);
	assert_int_equal(w.events, 2);
	assert_string_equal(w.event[0].rule, "process.signal");
	assert_true(w.event[0].action == EV_DENIED);
}

/* --- priorities --------------------------------------------------------------------------------- */

static void call_priorities(long *r, pid_t sibling, pid_t loner)
{
	int n = FIRST_FREE;
	r[n++] = TRY(SYS_setpriority, PRIO_PGRP, 0, 1);
	r[n++] = TRY(SYS_setpriority, PRIO_PGRP, loner, 1); /* wholly the sandbox's: no exceptions */
	r[n++] = TRY(SYS_setpriority, PRIO_USER, 0, 1);
	r[n++] = TRY(SYS_setpriority, PRIO_USER, getuid(), 1);
	r[n++] = TRY(SYS_ioprio_set, WHO_GROUP, 0, 3 << 13);
	r[n++] = TRY(SYS_ioprio_set, WHO_USER, getuid(), 3 << 13);
	r[n++] = TRY(SYS_setpriority, PRIO_PROCESS, 0, 1);
	r[n++] = TRY(SYS_setpriority, PRIO_PROCESS, sibling, 1);
	r[n++] = TRY(SYS_ioprio_set, WHO_PROCESS, sibling, 3 << 13);
	r[n++] = TRY(SYS_setpriority, 7, 0, 1);
	r[n++] = TRY(SYS_getpriority, PRIO_PROCESS, sibling);
}

static void priorities_body(struct world *x)
{
	in_a_family(x, call_priorities, 0);
}

static void check_priorities(bool namespaces)
{
	static const long expected[] = {-EPERM, -EPERM, -EPERM, -EPERM, -EPERM, -EPERM, 0, 0, 0, -EINVAL, 20 - 1};
	if (!run(priorities_body, namespaces, true)) {
		world_skip();
		return;
	}
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		if (w.result[FIRST_FREE + i] != expected[i])
			fail_msg("call %zu: %ld", i, w.result[FIRST_FREE + i]);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), getpriority(PRIO_PROCESS, stranger));
	assert_int_equal(w.events, 6);
	for (int i = 0; i < 6; i++)
		assert_string_equal(w.event[i].rule, "process.limits");
	assert_string_equal(w.event[5].name, "ioprio_set");
}

static void priorities(void **state) { check_priorities(false); }
static void priorities_namespaces(void **state) { check_priorities(true); }

static int group(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {TEST(shared_group), TEST(shared_group_interruptible), TEST(shared_group_namespaces),
	                                   TEST(shared_group_namespaces_interruptible), TEST(shared_group_fatal), TEST(everybody), TEST(priorities),
	                                   TEST(priorities_namespaces)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	setpgid(0, 0);
	return run_as_both(group);
}
