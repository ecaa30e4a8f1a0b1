/* The text at the end of a run, word for word. */
#include "journal_util.h"

static void expect(struct journal *j, int verbosity, const char *want)
{
	char *text = journal_summary(j, "/home/u/.local/state/pipwarden/runs/RUN/events.jsonl", false, verbosity);
	if (want == NULL) {
		assert_null(text);
	} else {
		assert_non_null(text);
		assert_string_equal(text, want);
	}
	free(text);
}

static void record(struct journal *j, struct event ev)
{
	assert_int_equal(journal_event(j, &ev, NULL), 0);
}

static void test_incident(void **state)
{
	struct journal *j = open_at(((struct place *)*state)->path, NULL);
	struct event ev = resolve_event("eo5x7.m.pipedream.net");
	ev.detail = "--allow-host build:eo5x7.m.pipedream.net";
	record(j, ev);
	ev.source = SRC_SHIM; /* the shim's word for the same is the same attempt for people */
	record(j, ev);
	ev.type = "net.connect";
	record(j, ev);
	expect(j, 0,
	       "pipwarden: 1 violation (critical), the run was stopped\n"
	       "  net.exfil.pipedream  deepseekai 0.0.8 (metadata) asked for eo5x7.m.pipedream.net (Pipedream HTTP endpoint): refused (3 times)\n"
	       "    allow it:  --allow-host build:eo5x7.m.pipedream.net\n"
	       "  replaced by decoys: AWS_SECRET_ACCESS_KEY, DATABASE_URL (installer, build)\n"
	       "  record: /home/u/.local/state/pipwarden/runs/RUN/events.jsonl\n");
	journal_close(j);
}

/* Who did it, and what was to be sent. */
static void test_origins(void **state)
{
	struct journal *j = open_at(((struct place *)*state)->path, NULL);
	struct event ev = resolve_event("eo5x7.m.pipedream.net");
	ev.origin = (struct event_origin){.file = "setup.py", .line = 7, .function = "collect"};
	ev.target.method = "POST";
	ev.target.url = "https://eo5x7.m.pipedream.net/";
	ev.target.bytes = 1234;
	record(j, ev);
	ev = file_event("/home/u/.ssh/id", SEV_CRITICAL);
	ev.origin = (struct event_origin){.object = "/p/native.so", .symbol = "steal"};
	record(j, ev);
	expect(j, 0,
	       "pipwarden: 2 violations (critical), the run was stopped\n"
	       "  net.exfil.pipedream  deepseekai 0.0.8 (metadata) asked for eo5x7.m.pipedream.net for POST https://eo5x7.m.pipedream.net/, 1234 bytes at setup.py:7 in collect (Pipedream HTTP endpoint): refused\n"
	       "  file.ssh-key  a build tried to open /home/u/.ssh/id by /p/native.so: refused\n"
	       "  replaced by decoys: AWS_SECRET_ACCESS_KEY, DATABASE_URL (installer, build)\n"
	       "  record: /home/u/.local/state/pipwarden/runs/RUN/events.jsonl\n");
	journal_close(j);
}

static void test_nothing_to_say(void **state)
{
	struct journal *j = open_at(((struct place *)*state)->path, NULL);
	expect(j, 0, NULL);
	expect(j, 1, NULL);
	record(j, file_event("/etc/passwd", SEV_INFO)); /* refused, but nobody's business */
	expect(j, 0, NULL);
	expect(j, 1,
	       "pipwarden: 1 event (info)\n"
	       "  file.ssh-key  a build tried to open /etc/passwd: refused\n"
	       "  replaced by decoys: AWS_SECRET_ACCESS_KEY, DATABASE_URL (installer, build)\n"
	       "  record: /home/u/.local/state/pipwarden/runs/RUN/events.jsonl\n");
	record(j, file_event("/x", SEV_MEDIUM));
	expect(j, -1, NULL); /* quiet: from high */
	journal_close(j);
}

static void test_order_and_words(void **state)
{
	struct journal *j = open_at(((struct place *)*state)->path, NULL);
	record(j, (struct event){.type = "env.read", .action = EV_DECOY, .source = SRC_SHIM, .role = ROLE_GUEST,
	                         .verdict = {.rule = "env.secret", .severity = SEV_LOW}, .target = {.name = "DATABASE_URL"}});
	record(j, (struct event){.type = "install.finding", .action = EV_OBSERVED, .role = ROLE_INSTALLER,
	                         .verdict = {.rule = "install.pth", .severity = SEV_MEDIUM, .kind = ".pth file with code"},
	                         .package = {.name = "litellm"}, .target = {.path = "/v/x.pth"}, .detail = "Look into it."});
	record(j, (struct event){.type = "decoy.seen", .action = EV_DENIED, .role = ROLE_BUILD,
	                         .verdict = {.rule = "decoy.seen", .severity = SEV_CRITICAL},
	                         .target = {.host = "*.evil.example"}, .decoy = {.name = "AWS_KEY", .encoding = "base64", .in = "name"}});
	record(j, (struct event){.type = "decoy.seen", .action = EV_OBSERVED, .role = ROLE_BUILD,
	                         .verdict = {.rule = "decoy.seen.argv", .severity = SEV_MEDIUM},
	                         .target = {.path = "/usr/bin/curl"}, .decoy = {.path = "~/.netrc", .encoding = "plain", .in = "argv"}});
	record(j, (struct event){.type = "net.connect", .action = EV_DENIED, .role = ROLE_INSTALLER,
	                         .verdict = {.rule = "net.outside", .severity = SEV_MEDIUM},
	                         .target = {.address = "192.0.2.1", .port = 80}});
	record(j, (struct event){.type = "python.ctypes", .action = EV_ALLOWED, .role = ROLE_GUEST,
	                         .verdict = {.severity = SEV_LOW}, .target = {.name = "dlopen"}});
	expect(j, 0,
	       "pipwarden: 4 violations (critical), 2 other events\n"
	       "  decoy.seen  a build left in a question for a name, base64: AWS_KEY, at *.evil.example: refused\n"
	       "  install.pth  litellm installed /v/x.pth (.pth file with code): recorded\n"
	       "    Look into it.\n"
	       "  decoy.seen.argv  a build left in a program's arguments, plain: ~/.netrc, at /usr/bin/curl: recorded\n"
	       "  net.outside  pip tried to connect to 192.0.2.1 port 80: refused\n"
	       "  env.secret  the command read the variable DATABASE_URL: a decoy was given\n"
	       "  python.ctypes  the command python.ctypes dlopen: allowed\n"
	       "  replaced by decoys: AWS_SECRET_ACCESS_KEY, DATABASE_URL (installer, build)\n"
	       "  record: /home/u/.local/state/pipwarden/runs/RUN/events.jsonl\n");
	journal_close(j);
}

static struct event read_event(const char *name, const char *file, unsigned line, const char *function)
{
	struct event ev = {.type = "env.read", .action = EV_DECOY, .source = SRC_SHIM, .role = ROLE_BUILD,
	                   .verdict = {.rule = "env.read", .severity = SEV_LOW}, .target = {.name = name}, .origin = {.file = file, .function = function, .line = line}};
	ev.package = resolve_event("").package;
	return ev;
}

/* What was read is told with what it led to: the reads of the same package, before the attempt, by name first. */
static void test_reads_before(void **state)
{
	struct journal *j = open_at(((struct place *)*state)->path, NULL);
	struct event walk = read_event("os.environ", "setup.py", 3, "<module>");
	walk.type = "env.enumerate";
	walk.verdict = (struct verdict){.rule = "env.enumerate", .severity = SEV_INFO};
	walk.detail = "secret variables in it: 2";
	record(j, walk);
	record(j, read_event("DATABASE_URL", "evil\x1b.py", 9, "steal"));
	record(j, read_event("DATABASE_URL", "evil\x1b.py", 9, "steal"));
	struct event native = read_event("AWS_KEY", NULL, 0, NULL);
	native.origin.object = "/x/lib.so";
	record(j, native);
	struct event other = read_event("DATABASE_URL", "other.py", 1, "f");
	other.package.name = "honest";
	record(j, other);
	record(j, resolve_event("eo5x7.m.pipedream.net"));
	record(j, resolve_event("eo5x8.m.pipedream.net"));
	record(j, read_event("LATER", "setup.py", 4, "<module>"));
	expect(j, 0,
	       "pipwarden: 2 violations (critical), 4 other events, the run was stopped\n"
	       "  net.exfil.pipedream  deepseekai 0.0.8 (metadata) asked for eo5x7.m.pipedream.net (Pipedream HTTP endpoint): refused\n"
	       "    before, it read the variable DATABASE_URL at evil\\x1b.py:9 in steal\n"
	       "    before, it read the variable AWS_KEY by /x/lib.so\n"
	       "    before, it read all variables of os.environ at setup.py:3 (secret variables in it: 2)\n"
	       "  net.exfil.pipedream  deepseekai 0.0.8 (metadata) asked for eo5x8.m.pipedream.net (Pipedream HTTP endpoint): refused\n"
	       "  env.read  honest 0.0.8 (metadata) read the variable DATABASE_URL at other.py:1 in f: a decoy was given\n"
	       "  env.read  deepseekai 0.0.8 (metadata) read the variable LATER at setup.py:4: a decoy was given\n"
	       "  replaced by decoys: AWS_SECRET_ACCESS_KEY, DATABASE_URL (installer, build)\n"
	       "  record: /home/u/.local/state/pipwarden/runs/RUN/events.jsonl\n");
	for (unsigned line = 10; line < 20; line++) {
		record(j, read_event("DATABASE_URL", "evil.py", line, "steal"));
	}
	struct event late = resolve_event("eo5x9.m.pipedream.net");
	late.package.name = "honest";
	record(j, late);
	char *text = journal_summary(j, NULL, false, 0);
	assert_non_null(strstr(text, "eo5x9.m.pipedream.net (Pipedream HTTP endpoint): refused\n    before, it read the variable DATABASE_URL at other.py:1 in f\n"));
	assert_non_null(strstr(text, "  and 5 more, see the record\n"));
	free(text);
	journal_close(j);
}

static void test_terminal(void **state)
{
	struct journal *j = open_at(((struct place *)*state)->path, NULL);
	struct event ev = file_event("/tmp/a\n\x1b]0;owned\x07\xe2\x80\xae" "gnp.\x9b", SEV_HIGH);
	ev.package.name = "evil\rname";
	ev.detail = "--allow-read\n\x1b[2J";
	record(j, ev);
	expect(j, 0,
	       "pipwarden: 1 violation (high)\n"
	       "  file.ssh-key  evil\\x0dname tried to open /tmp/a\\x0a\\x1b]0;owned\\x07\\u202egnp.\\x9b: refused\n"
	       "    allow it:  --allow-read\\x0a\\x1b[2J\n"
	       "  replaced by decoys: AWS_SECRET_ACCESS_KEY, DATABASE_URL (installer, build)\n"
	       "  record: /home/u/.local/state/pipwarden/runs/RUN/events.jsonl\n");
	char *plain = journal_summary(j, "/x", false, 0), *coloured = journal_summary(j, "/x", true, 0);
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(coloured, "(\033[1;31mhigh\033[0m)"));
	free(plain);
	free(coloured);
	journal_close(j);
}

static void test_flood_stays_short(void **state)
{
	struct journal *j = open_at(((struct place *)*state)->path, NULL);
	char path[5000];
	memset(path, 'x', sizeof(path));
	for (int i = 0; i < 3000; i++) {
		snprintf(path, 32, "/tmp/%09d", i);
		path[14] = 'x';
		path[sizeof(path) - 1] = '\0';
		struct event ev = file_event(path, SEV_MEDIUM);
		ev.detail = "why";
		int r = journal_event(j, &ev, NULL);
		assert_int_equal(r, 0);
	}
	record(j, resolve_event("late.example")); /* the gravest is shown first, however late */
	char *text = journal_summary(j, "/x", false, 0);
	int lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
		lines++;
	}
	assert_true(lines <= 25);
	assert_true(strlen(text) < 8192);
	assert_ptr_equal(strstr(text, "pipwarden: 3001 violations (critical), the run was stopped\n  net.exfil"), text);
	assert_non_null(strstr(text, "  and 2992 more, see the record\n"));
	free(text);
	journal_close(j);
}

static void test_many_names(void **state)
{
	const char *names[31], *const paths[] = {((struct place *)*state)->path, NULL};
	char store[30][16];
	for (int i = 0; i < 30; i++) {
		snprintf(store[i], sizeof(store[i]), "V%02d", i);
		names[i] = store[i];
	}
	names[30] = NULL;
	struct journal_start start = {.run_id = "R", .replaced = names};
	int error;
	struct journal *j = journal_open(paths, -1, &start, NULL, &error, NULL);
	assert_non_null(j);
	record(j, file_event("/x", SEV_LOW));
	char *text = journal_summary(j, NULL, false, 0);
	assert_string_equal(text, "pipwarden: 1 violation (low)\n  file.ssh-key  a build tried to open /x: refused\n"
	                          "  replaced by decoys: V00, V01, V02, V03, V04, V05, V06, V07, V08, V09, +20\n");
	free(text);
	journal_close(j);
}

static void test_audit(void **state)
{
	const char *const names[] = {"TOKEN", NULL}, *const paths[] = {((struct place *)*state)->path, NULL};
	struct journal_start start = {.run_id = "R", .replaced = names, .audit = true};
	int error;
	struct journal *j = journal_open(paths, -1, &start, NULL, &error, NULL);
	assert_non_null(j);
	char *text = journal_summary(j, NULL, false, 0);
	assert_string_equal(text, "pipwarden: audit: nothing was blocked; nothing would have been\n  would be replaced by decoys: TOKEN\n");
	free(text);
	struct event ev = resolve_event("eo5x7.m.pipedream.net");
	ev.action = EV_OBSERVED;
	ev.audited = true;
	ev.would = EV_ABORTED;
	record(j, ev);
	text = journal_summary(j, NULL, false, 0);
	assert_string_equal(text, "pipwarden: audit: nothing was blocked; 1 violation (critical)\n"
	                          "  net.exfil.pipedream  deepseekai 0.0.8 (metadata) asked for eo5x7.m.pipedream.net (Pipedream HTTP endpoint): "
	                          "not blocked, would be refused\n"
	                          "  would be replaced by decoys: TOKEN\n");
	free(text);
	record(j, file_event("/proc/1/x", SEV_INFO)); /* a probe */
	record(j, (struct event){.type = "process.signal", .action = EV_DENIED, .enforced = true, .role = ROLE_BUILD,
	                         .verdict = {.rule = "syscall.supervisor", .severity = SEV_CRITICAL}, .target = {.name = "kill"}});
	text = journal_summary(j, NULL, false, 0);
	assert_ptr_equal(strstr(text, "pipwarden: audit: nothing was blocked but what reached for pipwarden itself; 2 violations (critical)\n"), text);
	free(text);
	journal_close(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_incident, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_origins, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_nothing_to_say, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_order_and_words, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_reads_before, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_terminal, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_flood_stays_short, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_many_names, place_make, place_remove),
		cmocka_unit_test_setup_teardown(test_audit, place_make, place_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
