/* Decoys on their way out where memory is short: the run ends.  What is found is tested from end to end (test_decoy_seen.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/supervise/seen.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/supervisor.h"

/* --- what is there, and what the supervisor would provide ------------------------------------------ */

static unsigned calls, fails_at; /* of needles_new and needles_add; 0: none fails */
static bool no_large;
static struct {
	unsigned aborts, events;
	int status;
} got;

struct needles *__real_needles_new(enum needle_kind kind);
bool __real_needles_add(struct needles *n, const char *decoy, const char *host, unsigned of);
void *__real_malloc(size_t size);
struct needles *__wrap_needles_new(enum needle_kind kind);
bool __wrap_needles_add(struct needles *n, const char *decoy, const char *host, unsigned of);
void *__wrap_malloc(size_t size);

struct needles *__wrap_needles_new(enum needle_kind kind) { return ++calls == fails_at ? NULL : __real_needles_new(kind); }
bool __wrap_needles_add(struct needles *n, const char *decoy, const char *host, unsigned of) { return ++calls != fails_at && __real_needles_add(n, decoy, host, of); }
void *__wrap_malloc(size_t size) { return no_large && size > 1 << 20 ? NULL : __real_malloc(size); }

const struct policy *supervisor_policy(const struct supervisor *s) { return NULL; }
void supervisor_record(struct sandbox *sb, pid_t pid, struct event *ev) { got.events++; }

void supervisor_abort(struct supervisor *s, int status, const char *why)
{
	assert_non_null(strstr(why, "memory"));
	got.aborts++;
	got.status = status;
}

/* --------------------------------------------------------------------------------------------------- */

#define VARIABLES 2

static struct run run;
static struct supervisor sup;
static struct sandbox sb;
static struct seen *begun[256]; /* of each run, which keeps its own to its end */
static unsigned runs;

static int begin(void **state)
{
	static char name_a[] = "A_TOKEN", name_b[] = "B_TOKEN", a[] = "A_TOKEN=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", b[] = "B_TOKEN=5f4dcc3b5aa765d61d8327deb882cf99";
	static char *names[] = {name_a, name_b, NULL}, *env[] = {a, b, NULL};

	memset(&run, 7, sizeof run.decoy_key);
	sup = (struct supervisor){.run = &run, .seen = seen_new(), .sandbox_env = {.envp = env, .replaced = names}};
	sb = (struct sandbox){.sup = &sup, .role = ROLE_BUILD};
	memset(&got, 0, sizeof got);
	assert_true(runs < 256);
	begun[runs++] = sup.seen;
	calls = fails_at = 0;
	no_large = false;
	return sup.seen == NULL;
}

static void all_of_them(void **state)
{
	assert_true(needles_any(seen_needles(&sb, NEEDLE_DATA)) && needles_any(seen_needles(&sb, NEEDLE_NAME)));
	assert_int_equal(got.aborts, 0);
}

/* Whichever it is that there is no memory for: of the table, of a variable, of a file. */
static void part_of_them(void **state)
{
	unsigned all;

	seen_needles(&sb, NEEDLE_DATA);
	all = calls;
	assert_true(all > 1 + VARIABLES + DECOY_FILES);
	for (unsigned at = 1; at <= all; at++) {
		begin(state);
		fails_at = at;
		seen_needles(&sb, NEEDLE_DATA);
		seen_needles(&sb, NEEDLE_DATA);
		assert_int_equal(got.aborts, 1);
		assert_int_equal(got.status, 125);
	}
}

static void under_audit(void **state)
{
	sb.audit = true;
	fails_at = 1;
	assert_null(seen_needles(&sb, NEEDLE_NAME));
	assert_int_equal(got.aborts, 0);
}

static void a_large_file(void **state)
{
	const struct seen_place wheel = {.in = SEEN_WHEEL};
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	assert_false(decoy_seen_file(&sb, &wheel, fd, 2 << 20));
	assert_int_equal(got.aborts, 0);
	no_large = true;
	assert_true(decoy_seen_file(&sb, &wheel, fd, 2 << 20));
	assert_int_equal(got.aborts, 1);
	assert_int_equal(got.status, 125);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_of_them, begin), cmocka_unit_test_setup(part_of_them, begin), cmocka_unit_test_setup(under_audit, begin),
		cmocka_unit_test_setup(a_large_file, begin),
	};

	return cmocka_run_group_tests_name("decoys_seen", tests, NULL, NULL);
}
