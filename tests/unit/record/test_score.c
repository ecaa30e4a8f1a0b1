/* The table of scores, row by row: what an honest build does stays clean, whatever the number; what a thief does adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/record/score.h"

static struct event by(const char *name, struct event ev)
{
	ev.role = ROLE_BUILD;
	ev.package.name = name;
	ev.package.version = name != NULL ? "1.0" : NULL;
	return ev;
}

static struct event read_of(const char *variable)
{
	return (struct event){.type = "env.read", .action = EV_DECOY, .verdict = {.rule = "env.read", .severity = SEV_LOW}, .target = {.name = variable},
	                      .origin = {.file = "setup.py", .line = 3}};
}

static struct event walk(void)
{
	return (struct event){.type = "env.enumerate", .action = EV_DECOY, .verdict = {.rule = "env.enumerate", .severity = SEV_INFO}, .origin = {.file = "setup.py"}};
}

static struct event decoy_file(void)
{
	return (struct event){.type = "file.open", .action = EV_DECOY, .verdict = {.rule = "decoy.read", .severity = SEV_INFO}, .target = {.path = "/h/.ssh/id"}};
}

static struct event lookup(const char *rule, enum severity severity)
{
	return (struct event){.type = "net.resolve", .action = EV_DENIED, .verdict = {.rule = rule, .severity = severity}, .target = {.host = "h.example"}};
}

static struct event file(const char *rule, enum severity severity)
{
	return (struct event){.type = "file.open", .action = EV_DENIED, .verdict = {.rule = rule, .severity = severity}, .target = {.path = "/x"}};
}

#define STEPS_MAX 16

static struct score_result score_of(const struct event *steps)
{
	static struct score *s; /* the result points into it */
	struct score_result r;

	score_free(s);
	s = score_new();
	for (size_t i = 0; i < STEPS_MAX && steps[i].type != NULL; i++) {
		assert_int_equal(score_add(s, &steps[i]), 0);
	}
	score_run(s, &r);
	return r;
}

static bool has(const struct score_result *r, const char *id)
{
	for (size_t i = 0; r->attack[i] != NULL; i++) {
		if (strcmp(r->attack[i], id) == 0) {
			return true;
		}
	}
	return false;
}

static void test_table(void **state)
{
	const struct {
		const char *what;
		struct event steps[STEPS_MAX];
		unsigned points;
		enum score_verdict verdict;
	} rows[] = {
		{"nothing", {{0}}, 0, SCORE_CLEAN},
		{"a walk", {by("p", walk())}, 0, SCORE_CLEAN},
		{"a variable by name", {by("p", walk()), by("p", read_of("A"))}, 2, SCORE_CLEAN},
		{"its own netrc", {by("p", decoy_file())}, 0, SCORE_CLEAN},
		{"a dozen variables", {by("p", read_of("A")), by("p", read_of("B")), by("p", read_of("C")), by("p", read_of("D")), by("p", read_of("E")),
		                       by("p", read_of("F")), by("p", read_of("G")), by("p", read_of("H")), by("p", read_of("I")), by("p", read_of("J")),
		                       by("p", read_of("K")), by("p", read_of("L"))}, 20, SCORE_CLEAN},
		{"a host that is known for other things", {by("p", lookup("net.watch.github", SEV_MEDIUM))}, 30, SCORE_SUSPICIOUS},
		{"that, and one name", {by("p", read_of("GH_TOKEN")), by("p", lookup("net.watch.github", SEV_MEDIUM))}, 60, SCORE_SUSPICIOUS},
		{"a host", {by("p", lookup("net.resolve", SEV_HIGH))}, 60, SCORE_SUSPICIOUS},
		{"a host, after a walk", {by("p", walk()), by("p", lookup("net.resolve", SEV_HIGH))}, 70, SCORE_SUSPICIOUS},
		{"a host, after git's look at its logins", {by("p", walk()), by("p", decoy_file()), by("p", lookup("net.resolve", SEV_HIGH))}, 80, SCORE_SUSPICIOUS},
		{"a host, after one name", {by("p", read_of("A")), by("p", read_of("A")), by("p", lookup("net.resolve", SEV_HIGH))}, 90, SCORE_SUSPICIOUS},
		{"all kinds of hosts, after one name",
		 {by("p", read_of("A")), by("p", lookup("net.resolve", SEV_HIGH)), by("p", lookup("net.address", SEV_HIGH)), by("p", lookup("net.outside", SEV_HIGH)),
		  by("p", lookup("net.watch.github", SEV_MEDIUM)), by("p", lookup("net.watch.bucket", SEV_MEDIUM)), by("p", lookup("net.send", SEV_MEDIUM))},
		 98, SCORE_SUSPICIOUS},
		{"a host, after several names", {by("p", read_of("A")), by("p", read_of("B")), by("p", read_of("C")), by("p", lookup("net.resolve", SEV_HIGH))}, 100,
		 SCORE_MALICIOUS},
		{"a host, after a name and a key", {by("p", read_of("A")), by("p", decoy_file()), by("p", lookup("net.resolve", SEV_HIGH))}, 100, SCORE_MALICIOUS},
		{"the same, read afterwards", {by("p", lookup("net.resolve", SEV_HIGH)), by("p", read_of("A")), by("p", decoy_file())}, 60, SCORE_SUSPICIOUS},
		{"the same, another package", {by("q", read_of("A")), by("q", decoy_file()), by("p", lookup("net.resolve", SEV_HIGH))}, 60, SCORE_SUSPICIOUS},
		{"a probe after all that", {by("p", read_of("A")), by("p", decoy_file()), by("p", lookup("net.outside.probe", SEV_INFO))}, 2, SCORE_CLEAN},
		{"the same, and something else", {by("p", read_of("A")), by("p", decoy_file()), by("p", lookup("net.outside.probe", SEV_INFO)), by("p", file("file.ssh", SEV_MEDIUM))}, 30,
		 SCORE_SUSPICIOUS},
		{"a collector", {by("p", lookup("net.exfil.pipedream", SEV_CRITICAL))}, 100, SCORE_MALICIOUS},
		{"a key", {by("p", file("file.ssh-key", SEV_CRITICAL))}, 100, SCORE_MALICIOUS},
		{"a key that is not there", {by("p", file("file.ssh-key", SEV_INFO))}, 0, SCORE_CLEAN},
		{"several, of no package", {by(NULL, file("file.history", SEV_HIGH)), by(NULL, file("file.browser", SEV_HIGH))}, 62, SCORE_SUSPICIOUS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct score_result r = score_of(rows[i].steps);
		if (r.points != rows[i].points || r.verdict != rows[i].verdict) {
			fail_msg("%s: %u, %s", rows[i].what, r.points, score_verdict_name(r.verdict));
		}
	}
}

static void test_attack(void **state)
{
	const struct event steps[STEPS_MAX] = {by("p", walk()), by("p", decoy_file()), by("p", lookup("net.exfil.pipedream", SEV_CRITICAL))};
	const struct event honest[STEPS_MAX] = {by("p", walk()), by("p", decoy_file()), by("p", lookup("net.outside.probe", SEV_INFO))};
	struct score_result r = score_of(steps);

	assert_true(has(&r, "T1567.004") && has(&r, "T1552") && has(&r, "T1552.001") && has(&r, "T1195.001") && has(&r, "T1059.006"));
	for (size_t i = 1; r.attack[i] != NULL; i++) {
		assert_true(strcmp(r.attack[i - 1], r.attack[i]) < 0);
	}
	r = score_of(honest);
	assert_null(r.attack[0]);
}

/* Roles and stages of a package are one; a version of its own is another. */
static void test_packages(void **state)
{
	struct score *s = score_new();
	struct score_result r;
	struct event ev = by("p", lookup("net.resolve", SEV_HIGH)), other = by("q", read_of("A")), guest = by("p", file("file.history", SEV_HIGH)), later = ev;

	guest.role = ROLE_GUEST;
	later.package.version = "2.0";
	assert_int_equal(score_add(s, &ev) | score_add(s, &other) | score_add(s, &guest), 0);
	assert_int_equal(score_packages(s), 2);
	score_package(s, 0, &r);
	assert_string_equal(r.name, "p");
	assert_int_equal(r.findings, 2);
	assert_int_equal(r.points, 60);
	score_package(s, 1, &r);
	assert_string_equal(r.name, "q");
	assert_int_equal(r.verdict, SCORE_CLEAN);
	assert_int_equal(score_add(s, &later), 0);
	assert_int_equal(score_packages(s), 3);
	score_package(s, 2, &r);
	assert_string_equal(r.version, "2.0");
	score_run(s, &r);
	assert_null(r.name);
	assert_int_equal(r.findings, 4);
	score_free(s);
}

/* However many names a hostile archive has, memory is bounded, and what they do still counts. */
static void test_bound(void **state)
{
	struct score *s = score_new();
	struct score_result r;
	char name[32];

	for (int i = 0; i < 3 * SCORE_PACKAGES_MAX; i++) {
		snprintf(name, sizeof name, "p%d", i);
		struct event ev = by(name, i == 3 * SCORE_PACKAGES_MAX - 1 ? lookup("net.exfil.pipedream", SEV_CRITICAL) : walk());
		assert_int_equal(score_add(s, &ev), 0);
	}
	assert_true(score_packages(s) <= SCORE_PACKAGES_MAX);
	score_run(s, &r);
	assert_int_equal(r.verdict, SCORE_MALICIOUS);
	score_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_attack), cmocka_unit_test(test_packages), cmocka_unit_test(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
