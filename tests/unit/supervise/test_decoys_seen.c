/* Decoys on their way out where memory is short: the run ends; and the budget of what a build leaves.  What is found is tested from end to end (test_decoy_seen.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "launcher/supervise/seen.h"
#include "launcher/supervise/session.h"
#include "launcher/supervise/supervisor.h"

/* --- what is there, and what the supervisor would provide ------------------------------------------ */

static unsigned calls, fails_at; /* of needles_new and needles_add; 0: none fails */
static bool no_large;
static struct {
	unsigned aborts, events, unread, unread_refused;
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

static struct policy *policy;

static void use_policy(const char *layer)
{
	static const char *const homes[] = {"/root", NULL};
	struct policy_error err;

	policy_free(policy);
	policy = policy_new(&err);
	assert_int_equal(policy_add_text(policy, "layer", layer, strlen(layer), &err), 0);
	assert_int_equal(policy_finish(policy, homes, &err), 0);
}

const struct policy *supervisor_policy(const struct supervisor *s) { return policy; }
void supervisor_record(struct sandbox *sb, pid_t pid, struct event *ev)
{
	bool unread = strcmp(ev->type, "decoy.unread") == 0;

	got.events++;
	got.unread += unread;
	got.unread_refused += unread && ev->action == EV_DENIED;
}

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

/* A file of n bytes that are no digits, packed, with text behind them. */
static int packed(size_t n, const char *text)
{
	static unsigned char plain[(1 << 20) + 100], out[1 << 16];
	uLongf size = sizeof out;
	int fd = memfd_create("packed", MFD_CLOEXEC);

	memset(plain, ' ', n);
	strcpy((char *)plain + n, text);
	assert_int_equal(compress(out, &size, plain, n + strlen(text)), Z_OK);
	assert_int_equal(write(fd, out, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static bool look_at(size_t n, const char *text, const struct seen_place *where)
{
	int fd = packed(n, text);
	bool found = decoy_seen_file(&sb, where, fd, 1 << 20);

	close(fd);
	return found;
}

static void one_budget_for_all(void **state)
{
	static const char decoy[] = "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";
	use_policy("{\"version\": 1}");
	struct seen_budget budget = {.left = (5 << 20) / 2}, none = {.left = 0};
	const struct seen_place wheel = {.in = SEEN_WHEEL, .budget = &budget}, own = {.in = SEEN_WHEEL}, last = {.in = SEEN_WHEEL, .budget = &none, .stopped = true};

	assert_false(look_at(1 << 20, "", &wheel));
	assert_true(budget.left < 3 << 19 && budget.left > 5 << 18);
	look_at(100, decoy, &wheel);
	assert_int_equal(got.events, 1); /* what is found */
	assert_false(look_at(1 << 20, "", &wheel));
	assert_int_equal(got.unread, 0);
	look_at(1 << 20, decoy, &wheel); /* more than is left of it */
	assert_int_equal(budget.left, 0);
	look_at(100, decoy, &wheel);
	decoy_seen_data(&sb, 0, &wheel, "short", 5);
	assert_int_equal(got.events, 2);
	assert_int_equal(got.unread, 1); /* once */
	decoy_seen_data(&sb, 0, &wheel, decoy, strlen(decoy)); /* as it stands */
	assert_int_equal(got.events, 3);
	look_at(100, decoy, &own);
	assert_int_equal(got.events, 4);
	assert_int_equal(got.unread_refused, 0);
	use_policy("{\"version\": 1, \"actions\": {\"decoy.unread\": \"deny\"}}");
	assert_true(look_at(1, "", &last));
	assert_int_equal(got.unread_refused, 1);
}

/* A name may take no more out of it than fits its length. */
static void a_name_that_is_packed(void **state)
{
	static unsigned char name[2000];
	struct seen_budget budget = {.left = 1 << 30};
	const struct seen_place source = {.in = SEEN_SOURCE, .budget = &budget};
	use_policy("{\"version\": 1}");
	int fd = packed(1 << 20, "");
	ssize_t len = read(fd, name, sizeof name);

	close(fd);
	decoy_seen_data(&sb, 0, &source, name, (size_t)len);
	assert_true(budget.left < (1 << 30) - (1 << 20) && budget.left > (1 << 30) - (5 << 18));
	assert_int_equal(got.unread, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_of_them, begin), cmocka_unit_test_setup(part_of_them, begin), cmocka_unit_test_setup(under_audit, begin),
		cmocka_unit_test_setup(a_large_file, begin), cmocka_unit_test_setup(one_budget_for_all, begin), cmocka_unit_test_setup(a_name_that_is_packed, begin),
	};

	return cmocka_run_group_tests_name("decoys_seen", tests, NULL, NULL);
}
