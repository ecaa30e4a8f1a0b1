/* What the journal writes: numbering, fields, folding, bounds, redaction. */
#include "journal_util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

static void test_lines(void **state)
{
	struct place *p = *state;
	cJSON *lines[8];
	struct stat st;
	struct event ev = resolve_event("eo.m.pipedream.net");
	uint64_t seq = 0;
	struct journal *j = open_at(p->path, NULL);
	ev.detail = "--allow-host build:eo.m.pipedream.net";
	ev.origin.object = "libssl.so";
	ev.target.port = 443;
	assert_int_equal(journal_event(j, &ev, &seq), 0);
	assert_int_equal(seq, 2);
	assert_int_equal(journal_end(j, 100, &(struct journal_cost){.sandboxes = 7, .supervisor_cpu = 0.0125}), 0);
	journal_close(j);

	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	size_t n = read_lines(p->path, lines);
	assert_int_equal(n, 3);
	assert_string_equal(field(lines[0], "type"), "run.start");
	assert_string_equal(field(lines[0], "policy_digest"), "abc");
	assert_int_equal(number(cJSON_GetObjectItemCaseSensitive(lines[0], "layers"), "landlock"), 4);
	const cJSON *replaced = cJSON_GetObjectItemCaseSensitive(lines[0], "replaced");
	assert_int_equal(cJSON_GetArraySize(replaced), 2);
	assert_string_equal(field(lines[1], "run"), "RUN");
	assert_string_equal(field(lines[1], "type"), "net.resolve");
	assert_string_equal(field(lines[1], "action"), "aborted");
	assert_string_equal(field(lines[1], "rule"), "net.exfil.pipedream");
	assert_string_equal(field(lines[1], "severity"), "critical");
	assert_string_equal(field(lines[1], "source"), "kernel");
	assert_string_equal(field(lines[1], "role"), "build");
	assert_string_equal(field(lines[1], "package.stage"), "metadata");
	assert_string_equal(field(lines[1], "process.exe"), "/usr/bin/python3");
	assert_string_equal(field(lines[1], "origin.object"), "libssl.so");
	assert_string_equal(field(lines[1], "target.host"), "eo.m.pipedream.net");
	assert_int_equal(number(cJSON_GetObjectItemCaseSensitive(lines[1], "target"), "port"), 443);
	assert_string_equal(field(lines[1], "hint"), ev.detail);
	struct tm tm;
	const char *end = strptime(field(lines[1], "ts"), "%Y-%m-%dT%H:%M:%S.", &tm);
	assert_non_null(end);
	assert_int_equal(strspn(end, "0123456789"), 9);
	assert_string_equal(end + 9, "Z");
	assert_string_equal(field(lines[2], "type"), "run.end");
	assert_string_equal(field(lines[2], "verdict"), "malicious");
	assert_int_equal(number(lines[2], "exit_status"), 100);
	assert_int_equal(number(cJSON_GetObjectItemCaseSensitive(lines[2], "counts"), "critical"), 1);
	const cJSON *cost = cJSON_GetObjectItemCaseSensitive(lines[2], "cost");
	assert_int_equal(number(cost, "notifications"), 7);
	assert_float_equal(number(cost, "supervisor_cpu"), 0.0125, 1e-9);
	free_lines(lines, n);
}

/* Linked with --wrap: what reaches the kernel is counted. */
static unsigned writes, syncs;
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	writes++;
	return __real_write(fd, data, len);
}

int __wrap_fdatasync(int fd)
{
	syncs++;
	return __real_fdatasync(fd);
}

static void test_one_write_and_flushes(void **state)
{
	struct place *p = *state;
	struct journal *j = open_at(p->path, NULL);
	static const struct {
		enum severity severity;
		const char *path;
		unsigned writes, syncs;
	} steps[] = {
		{SEV_MEDIUM, "/a", 1, 0}, {SEV_HIGH, "/b", 1, 1}, {SEV_HIGH, "/b", 0, 0},
		{SEV_CRITICAL, "/c", 1, 1}, {SEV_INFO, "/d\n", 1, 0},
	};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct event ev = file_event(steps[i].path, steps[i].severity);
		writes = syncs = 0;
		assert_int_equal(journal_event(j, &ev, NULL), 0);
		assert_int_equal(writes, steps[i].writes);
		assert_int_equal(syncs, steps[i].syncs);
	}
	writes = syncs = 0;
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	assert_int_equal(writes, 2); /* a closing line and run.end */
	assert_int_equal(syncs, 1);
	journal_close(j);
}

static void test_unknown_is_left_out(void **state)
{
	struct place *p = *state;
	cJSON *lines[8];
	struct event ev = {.type = "syscall.denied", .action = EV_DENIED,
	                   .verdict = {.rule = "syscall.ptrace", .severity = SEV_MEDIUM}};
	struct journal *j = open_at(p->path, NULL);
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);
	size_t n = read_lines(p->path, lines);
	const char *const absent[] = {"package", "process", "target", "origin", "hint", "kind"};
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		assert_null(cJSON_GetObjectItemCaseSensitive(lines[1], absent[i]));
	}
	assert_string_equal(field(lines[2], "verdict"), "suspicious");
	free_lines(lines, n);
}

/* A decoy is traced to where it was read: by its name, else with all others, by the same package. */
static void test_decoy_read(void **state)
{
	struct place *p = *state;
	cJSON *lines[20];
	const struct event reads[] = {
		{.type = "env.enumerate", .action = EV_DECOY, .role = ROLE_BUILD, .package = {.name = "thief"}, .target = {.name = "os.environ"}},
		{.type = "env.read", .action = EV_DECOY, .role = ROLE_BUILD, .package = {.name = "thief"}, .target = {.name = "TOKEN"}},
		{.type = "env.read", .action = EV_DECOY, .role = ROLE_BUILD, .package = {.name = "other"}, .target = {.name = "KEY"}},
		{.type = "file.open", .action = EV_DECOY, .role = ROLE_BUILD, .package = {.name = "thief"}, .target = {.path = "/run/pw/0h/.netrc"}},
	};
	const struct {
		const char *name, *path, *package;
		double read;
	} seen[] = {{"TOKEN", NULL, "thief", 3}, {"KEY", NULL, "thief", 2}, {"KEY", NULL, "other", 4}, {NULL, "~/.netrc", "thief", 5}, {NULL, "~/.pypirc", "thief", -1},
	            {"TOKEN", NULL, "third", -1}};
	struct journal *j = open_at(p->path, NULL);

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(journal_event(j, &reads[i], NULL), 0);
	}
	for (size_t i = 0; i < 6; i++) {
		struct event ev = {.type = "decoy.seen", .action = EV_DENIED, .role = ROLE_BUILD, .package = {.name = seen[i].package},
		                   .decoy = {.name = seen[i].name, .path = seen[i].path, .encoding = "hex", .in = "wheel"}};
		assert_int_equal(journal_event(j, &ev, NULL), 0);
		assert_int_equal(journal_event(j, &ev, NULL), 0); /* folded: where it was read is no part of what it is */
	}
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);
	size_t n = read_lines(p->path, lines);
	assert_int_equal(n, 1 + 4 + 6 + 6 /* closing */ + 1);
	for (size_t i = 0; i < 6; i++) {
		const cJSON *decoy = cJSON_GetObjectItemCaseSensitive(lines[5 + i], "decoy"), *again = cJSON_GetObjectItemCaseSensitive(lines[11 + i], "decoy");
		assert_true(number(decoy, "read") == seen[i].read && number(again, "read") == -1);
		assert_string_equal(field(again, "encoding"), "hex");
		assert_string_equal(field(again, "in"), "wheel");
		assert_string_equal(field(again, seen[i].name != NULL ? "name" : "path"), seen[i].name != NULL ? seen[i].name : seen[i].path);
	}
	free_lines(lines, n);
}

static void test_folding(void **state)
{
	struct place *p = *state;
	cJSON *lines[16];
	struct journal_counts counts;
	struct event same = file_event("/home/u/.ssh/id", SEV_HIGH);
	const char *const argv[] = {"cat", "x", NULL}, *const other_argv[] = {"cat", "y", NULL};
	uint64_t seq = 0;
	struct journal *j = open_at(p->path, NULL);
	same.target.argv = argv;
	for (int i = 0; i < 1000; i++) {
		same.process.pid = 100 + i; /* who tried it does not matter */
		assert_int_equal(journal_event(j, &same, &seq), 0);
		assert_int_equal(seq, 2);
	}
	struct event other = same; /* each of these is another attempt */
	other.target.argv = other_argv;
	assert_int_equal(journal_event(j, &other, &seq), 0);
	assert_int_equal(seq, 3);
	other = same;
	other.source = SRC_SHIM;
	assert_int_equal(journal_event(j, &other, &seq), 0);
	assert_int_equal(seq, 4);
	other = same;
	other.package.name = "";
	assert_int_equal(journal_event(j, &other, &seq), 0);
	assert_int_equal(seq, 5);
	other = same;
	other.target.path = NULL, other.target.as_written = same.target.path;
	assert_int_equal(journal_event(j, &other, &seq), 0);
	assert_int_equal(seq, 6);
	assert_int_equal(journal_event(j, &same, &seq), 0);
	assert_int_equal(seq, 2);
	journal_counts(j, &counts);
	assert_int_equal(counts.by_severity[SEV_HIGH], 1005);
	assert_int_equal(counts.denied, 1005);
	assert_false(counts.failed);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);

	size_t n = read_lines(p->path, lines);
	assert_int_equal(n, 8);
	assert_int_equal(number(lines[6], "count"), 1000); /* those after the first: line 2 stands for itself */
	assert_int_equal(number(lines[6], "first"), 2);
	assert_string_equal(field(lines[6], "target.path"), "/home/u/.ssh/id");
	assert_string_equal(field(lines[6], "action"), "denied");
	assert_string_equal(field(lines[6], "severity"), "high");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(lines[6], "target"), "argv");
	assert_int_equal(cJSON_GetArraySize(list), 2);
	assert_int_equal(number(cJSON_GetObjectItemCaseSensitive(lines[7], "counts"), "high"), 1005);
	free_lines(lines, n);
}

#define THREADS 8
#define EACH 500

static void *hammer(void *argument)
{
	struct journal *j = ((void **)argument)[0];
	int id = *(int *)((void **)argument)[1];
	for (int i = 0; i < EACH; i++) {
		char path[64];
		snprintf(path, sizeof(path), i % 2 == 0 ? "/shared/%d" : "/own/%d/%d", i % 2 == 0 ? i : id, i);
		struct event ev = file_event(path, SEV_INFO);
		uint64_t seq = 0;
		if (journal_event(j, &ev, &seq) != 0 || seq < 2) {
			return (void *)1;
		}
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct place *p = *state;
	pthread_t threads[THREADS];
	int ids[THREADS];
	void *arguments[THREADS][2];
	cJSON **lines = calloc(LINES_MAX, sizeof(*lines));
	struct journal_counts counts;
	struct journal *j = open_at(p->path, NULL);
	for (int i = 0; i < THREADS; i++) {
		ids[i] = i;
		arguments[i][0] = j;
		arguments[i][1] = &ids[i];
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, arguments[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *bad;
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	journal_counts(j, &counts);
	assert_int_equal(counts.by_severity[SEV_INFO], THREADS * EACH);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);
	size_t n = read_lines(p->path, lines); /* checks the numbers */
	double attempts = 0;
	for (size_t i = 1; i + 1 < n; i++) {
		attempts += number(lines[i], "count") > 0 ? number(lines[i], "count") : 1;
	}
	assert_int_equal(attempts, THREADS * EACH);
	assert_int_equal(n, 2 + EACH / 2 * 2 + EACH / 2 * THREADS);
	assert_string_equal(field(lines[n - 1], "verdict"), "clean");
	free_lines(lines, n);
	free(lines);
}

static void test_bound(void **state)
{
	struct place *p = *state;
	struct journal_counts counts;
	struct journal *j = open_at(p->path, NULL);
	char host[32];
	struct event ev = resolve_event(host);
	ev.verdict.severity = SEV_INFO;
	for (int i = 0; i < JOURNAL_DISTINCT_MAX; i++) {
		snprintf(host, sizeof(host), "h%d", i);
		assert_int_equal(journal_event(j, &ev, NULL), 0);
	}
	snprintf(host, sizeof(host), "one more");
	assert_int_equal(journal_event(j, &ev, NULL), -ENOBUFS);
	assert_int_equal(journal_event(j, &ev, NULL), -ENOBUFS);
	snprintf(host, sizeof(host), "h7");
	assert_int_equal(journal_event(j, &ev, NULL), 0); /* a known one still folds */
	struct event said = {.type = "run.bound", .action = EV_ABORTED, .verdict = {.rule = "run.bound", .severity = SEV_HIGH}};
	assert_int_equal(journal_event(j, &said, NULL), 0);
	journal_counts(j, &counts);
	assert_int_equal(counts.by_severity[SEV_INFO], JOURNAL_DISTINCT_MAX + 3);
	assert_false(counts.failed);
	assert_int_equal(journal_end(j, 100, &(struct journal_cost){0}), 0);
	journal_close(j);
	cJSON **lines = calloc(LINES_MAX, sizeof(*lines));
	size_t n = read_lines(p->path, lines);
	assert_int_equal(n, JOURNAL_DISTINCT_MAX + 4);
	assert_int_equal(number(lines[n - 1], "unrecorded"), 2);
	free_lines(lines, n);
	free(lines);
}

/* The record is full by its bytes long before it is by its events. */
static void test_bytes_bound(void **state)
{
	struct place *p = *state;
	struct stat st;
	struct journal *j = open_at(p->path, NULL);
	char *host = malloc(5000);
	memset(host, '\x01', 4999); /* six bytes each when written */
	host[4999] = '\0';
	struct event ev = resolve_event(host);
	ev.target.path = ev.target.name = ev.target.address = host;
	ev.verdict.severity = SEV_INFO;
	int r = 0, n = 0;
	for (; r == 0 && n < JOURNAL_DISTINCT_MAX; n++) {
		host[n % 4000] = host[n % 4000] == 1 ? 2 : 3;
		r = journal_event(j, &ev, NULL);
	}
	assert_int_equal(r, -ENOBUFS);
	assert_true(n < JOURNAL_DISTINCT_MAX / 2);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);
	assert_int_equal(stat(p->path, &st), 0);
	assert_true(st.st_size < (off_t)JOURNAL_BYTES_MAX + (1 << 20));
	free(host);
}

static void test_long(void **state)
{
	struct place *p = *state;
	cJSON *lines[8];
	char *path = malloc(20001);
	const char *argv[101];
	memset(path, 'p', 20000);
	path[20000] = '\0';
	for (int i = 0; i < 100; i++) {
		argv[i] = i % 2 == 0 ? "" : "a\nb";
	}
	argv[100] = NULL;
	struct event ev = file_event(path, SEV_LOW);
	ev.process.argv = ev.target.argv = argv;
	struct journal *j = open_at(p->path, NULL);
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	argv[0] = argv[1] = argv[2] = path;
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);
	size_t n = read_lines(p->path, lines);
	assert_int_equal(n, 6);
	assert_int_equal(strlen(field(lines[1], "target.path")), 4096 + strlen("…"));
	assert_string_equal(field(lines[3], "target.path"), field(lines[1], "target.path"));
	for (int i = 0; i < 2; i++) { /* the closing line is cut as the first one is */
		const cJSON *first = cJSON_GetObjectItemCaseSensitive(lines[1 + i], "target");
		const cJSON *closing = cJSON_GetObjectItemCaseSensitive(lines[3 + i], "target");
		assert_true(cJSON_Compare(first, closing, 1));
		const cJSON *list = cJSON_GetObjectItemCaseSensitive(first, "argv");
		int size = cJSON_GetArraySize(list);
		assert_int_equal(size, i == 0 ? 33 : 3);
		assert_string_equal(cJSON_GetArrayItem(list, size - 1)->valuestring, "…");
	}
	free_lines(lines, n);
	free(path);
}

static void test_redacted_everywhere(void **state)
{
	struct place *p = *state;
	char *const secrets[] = {(char *)"AKIAIOSFODNN7CANARY", NULL};
	const char *const argv[] = {"curl", "-d", "k=AKIAIOSFODNN7CANARY", NULL};
	const char *s = "x/AKIAIOSFODNN7CANARY/y";
	struct event ev = {
		.type = "exec", .action = EV_DENIED, .verdict = {.rule = s, .kind = s, .severity = SEV_HIGH},
		.origin = {s, s, s, s, 3}, .detail = s,
		.package = {s, s, s}, .process = {1, 2, s, s, argv}, .target = {s, s, s, s, s, s, 1, s, s, s, 1, argv},
	};
	const char *const paths[] = {p->path, NULL};
	struct journal_start start = {.run_id = s, .argv = argv, .version = s, .policy_digest = s,
	                              .replaced = argv, .removed = argv};
	int error = 0;
	struct journal *j = journal_open(paths, -1, &start, secrets, &error, NULL);
	assert_non_null(j);
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	assert_int_equal(journal_event(j, &ev, NULL), 0);
	char *summary = journal_summary(j, s, false, 1);
	assert_non_null(summary);
	assert_null(strstr(summary, secrets[0]));
	assert_non_null(strstr(summary, "[redacted]"));
	free(summary);
	assert_int_equal(journal_end(j, 0, &(struct journal_cost){0}), 0);
	journal_close(j);
	FILE *f = fopen(p->path, "r");
	char text[16384] = "";
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_null(strstr(text, secrets[0]));
	assert_non_null(strstr(text, "x/[redacted]/y"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_one_write_and_flushes, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_unknown_is_left_out, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_decoy_read, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_folding, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_threads, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_bound, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_bytes_bound, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_long, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_redacted_everywhere, place_make, place_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
