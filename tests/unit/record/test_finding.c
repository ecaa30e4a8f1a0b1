/* What attempts come to: one finding for what is the same, one chain for what one package did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/record/finding.h"

static const uint64_t seed[2] = {1, 2};

static struct attempt attempt(uint64_t seq, const char *package, const char *type, const char *rule, enum severity severity)
{
	struct attempt a = {.seq = seq, .times = 1, .when = 1000 + 10 * (int64_t)seq};

	a.ev = (struct event){.type = type, .action = EV_DENIED, .role = ROLE_BUILD, .package = {.name = package, .version = "1"}, .verdict = {.rule = rule, .severity = severity}};
	return a;
}

static struct attempt read_at(uint64_t seq, const char *package, const char *type, const char *file, unsigned line)
{
	struct attempt a = attempt(seq, package, type, type, strcmp(type, "env.read") == 0 ? SEV_LOW : SEV_INFO);

	a.ev.action = EV_DECOY;
	a.ev.target.name = "TOKEN";
	a.ev.origin.file = file;
	a.ev.origin.line = line;
	return a;
}

static struct attempt host_at(uint64_t seq, const char *package, const char *type, const char *host, enum severity severity)
{
	struct attempt a = attempt(seq, package, type, "net.resolve", severity);

	a.ev.target.host = host;
	return a;
}

static void test_chain(void **state)
{
	struct attempt all[] = {
		read_at(2, "p", "env.enumerate", "setup.py", 15),
		read_at(3, "other", "env.read", "x.py", 1),
		read_at(4, "p", "env.read", "setup.py", 20),
		attempt(5, "p", "python.encode", "python.encode", SEV_INFO),
		host_at(6, "p", "net.resolve", "evil.example", SEV_HIGH),
		host_at(7, "p", "net.connect", "evil.example", SEV_CRITICAL),
		host_at(8, "p", "net.resolve", "second.example", SEV_HIGH),
		read_at(9, "p", "env.read", "late.py", 1),
	};
	struct finding_list f;

	all[5].ev.verdict.rule = "net.exfil.x";
	assert_true(finding_list_make(&f, all, sizeof(all) / sizeof(all[0]), SEV_LOW, seed));
	struct finding *chain = &f.v[0];
	assert_ptr_equal(chain->lead, &all[5]);
	/* Both reads before it, what was made of them, and both attempts at the host; in order. */
	const uint64_t want[] = {2, 4, 5, 6, 7};
	assert_int_equal(chain->step_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(chain->steps[i]->seq, want[i]);
	}
	assert_int_equal(finding_milliseconds(chain), 50);
	/* The attempt is the kernel's word and has no place in the code: the last that was done before it has. */
	assert_ptr_equal(finding_place(chain), &all[2]);
	size_t told = 0, own = 0;
	for (size_t i = 1; i < f.n; i++) {
		told += f.v[i].told;
		own += !f.v[i].told;
		assert_int_equal(f.v[i].step_count, 0);
	}
	assert_int_equal(told, 2); /* the read by name, the look-up of the same host */
	assert_int_equal(own, 3);  /* the other package's read, the second host, what was read afterwards */
	finding_list_finish(&f);
}

/* Nothing was read: no chain. */
static void test_no_chain(void **state)
{
	struct attempt all[] = {host_at(2, "p", "net.resolve", "a.example", SEV_HIGH), host_at(3, "p", "net.connect", "a.example", SEV_HIGH),
	                        read_at(4, "p", "env.read", "setup.py", 1)};
	struct finding_list f;

	assert_true(finding_list_make(&f, all, 3, SEV_LOW, seed));
	assert_int_equal(f.n, 2);
	assert_int_equal(f.v[0].times, 2); /* of one rule, package and target */
	assert_int_equal(f.v[0].step_count, 0);
	assert_int_equal(finding_milliseconds(&f.v[0]), -1);
	finding_list_finish(&f);
	assert_true(finding_list_make(&f, all, 0, SEV_LOW, seed));
	assert_int_equal(f.n, 0);
	finding_list_finish(&f);
}

/* A denied look at a key got nothing; a decoy, or under --audit the thing itself, is a read. */
static void test_files(void **state)
{
	struct attempt a = attempt(2, "p", "file.open", "file.ssh-key", SEV_CRITICAL);

	assert_int_equal(chain_step(&a.ev), CHAIN_NONE);
	a.ev.action = EV_DECOY;
	assert_int_equal(chain_step(&a.ev), CHAIN_READ_FILE);
	a.ev.action = EV_OBSERVED;
	assert_int_equal(chain_step(&a.ev), CHAIN_NONE);
	a.ev.audited = true;
	a.ev.would = EV_ABORTED;
	assert_int_equal(chain_step(&a.ev), CHAIN_READ_FILE);
	a.ev.verdict.severity = SEV_INFO;
	assert_int_equal(chain_step(&a.ev), CHAIN_NONE);
	a.ev.type = NULL;
	assert_int_equal(chain_step(&a.ev), CHAIN_NONE);
}

/* A flood of steps is bounded, and what says most is kept. */
static void test_bound(void **state)
{
	enum { N = 3000 };
	struct attempt *all = calloc(N, sizeof(*all));
	struct finding_list f;

	for (size_t i = 0; i < N; i++) {
		all[i] = read_at(i + 2, "p", i == 1500 ? "env.read" : "env.enumerate", "setup.py", (unsigned)i);
	}
	all[N - 1] = host_at(N + 1, "p", "net.resolve", "evil.example", SEV_HIGH);
	assert_true(finding_list_make(&f, all, N, SEV_LOW, seed));
	assert_int_equal(f.v[0].step_count, FINDING_STEPS_MAX);
	assert_int_equal(f.v[0].all_steps, N);
	assert_ptr_equal(f.v[0].steps[FINDING_STEPS_MAX - 1], &all[N - 1]);
	bool kept = false;
	for (size_t i = 0; i < FINDING_STEPS_MAX; i++) {
		kept |= f.v[0].steps[i] == &all[1500];
	}
	assert_true(kept);
	finding_list_finish(&f);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_chain), cmocka_unit_test(test_no_chain), cmocka_unit_test(test_files), cmocka_unit_test(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
