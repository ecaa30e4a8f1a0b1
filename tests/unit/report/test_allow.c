/* What would allow an attempt: each option that is named is taken by the policy, and where it says none, none is. */
#include "common.h"

#include "launcher/report/allow.h"

static const char *const homes[] = {"/home/ann", NULL};

static struct policy *fresh(void)
{
	struct policy_error err = {0};
	struct policy *p = policy_new(&err);
	assert_non_null(p);
	return p;
}

static struct policy *finished(struct policy *p)
{
	struct policy_error err = {0};
	if (policy_finish(p, homes, &err) < 0) {
		fail_msg("%s", err.message);
	}
	return p;
}

static struct event of(const char *type, const char *rule, enum role role)
{
	return (struct event){.type = type, .action = EV_DENIED, .verdict = {.rule = rule}, .role = role};
}

static void expect(const struct event *ev, const char *option, const char *value)
{
	struct policy *p = finished(fresh());
	struct allow a;
	allow_find(p, ev, &a);
	if (option == NULL) {
		assert_null(a.option);
		assert_true(a.why != NULL);
	} else {
		assert_string_equal(a.option != NULL ? a.option : "none", option);
		assert_string_equal(a.value, value);
	}
	policy_free(p);
}

static void test_hosts(void **state)
{
	struct event ev = of("net.resolve", "net.resolve", ROLE_BUILD);
	ev.target.host = "h.example";
	expect(&ev, "--allow-host", "build:h.example");
	ev.target.port = 8443;
	expect(&ev, "--allow-host", "build:h.example:8443");
	ev.role = ROLE_INSTALLER;
	expect(&ev, "--allow-host", "installer:h.example:8443");
	ev.target.host = "x.m.pipedream.net"; /* the list decides, whatever the rule of that run was called */
	expect(&ev, NULL, NULL);
	ev = of("net.connect", "net.address", ROLE_GUEST);
	ev.target.address = "2001:db8::1";
	ev.target.port = 443;
	ev.target.protocol = "tcp";
	expect(&ev, "--allow-host", "guest:[2001:db8::1]:443");
	ev.target.address = "169.254.169.254";
	expect(&ev, NULL, NULL);
	ev.target.address = "192.0.2.1";
	ev.target.protocol = "udp";
	expect(&ev, NULL, NULL);
	ev = of("net.resolve", "net.resolve.private", ROLE_BUILD);
	ev.target.host = "intern.example";
	ev.target.address = "10.1.2.3";
	expect(&ev, "--allow-host", "build:10.1.2.3");
	ev.target.address = "169.254.169.254";
	expect(&ev, NULL, NULL);
	ev = of("net.resolve", "net.exfil.ngrok", ROLE_BUILD); /* an allowed name that is another one of it */
	ev.target.host = "h.example";
	ev.target.name = "x.ngrok.io";
	expect(&ev, NULL, NULL);
	ev = of("net.resolve", "net.resolve.tunnel", ROLE_GUEST);
	ev.target.host = "a.example";
	ev.detail = "the name holds a decoy, or a part of one";
	expect(&ev, NULL, NULL);
}

/* The policy that is named allows it: read as a layer. */
static void test_policy(void **state)
{
	struct event ev = of("net.resolve", "net.exfil.pipedream", ROLE_BUILD);
	struct policy *p = finished(fresh()), *other = fresh();
	struct policy_error err = {0};
	struct allow a;
	ev.target.host = "x.m.pipedream.net";
	allow_find(p, &ev, &a);
	assert_null(a.option);
	if (policy_add_text(other, "layer", a.policy, strlen(a.policy), &err) < 0) {
		fail_msg("%s: %s", a.policy, err.message);
	}
	finished(other);
	struct verdict v;
	assert_false(policy_host_denied(other, ev.target.host, &v));
	assert_true(policy_host_allowed(other, ROLE_BUILD, ev.target.host, 443));
	policy_free(other);
	policy_free(p);
}

static void test_paths(void **state)
{
	struct event ev = of("file.open", "file.read.outside", ROLE_BUILD);
	ev.target.path = "/data/a b";
	expect(&ev, "--allow-read", "build:/data/a b");
	ev.target.path = "/home/ann/.ssh/id_ed25519";
	expect(&ev, NULL, NULL);
	ev = of("file.write", "file.write.outside", ROLE_GUEST);
	ev.target.path = "/data/out";
	expect(&ev, "--allow-write", "guest:/data/out");
	ev.target.path = "/etc/cron.d/x";
	expect(&ev, NULL, NULL);
	ev.verdict.rule = "file.write.environment";
	ev.target.path = "/data/out";
	expect(&ev, NULL, NULL);
	ev = of("exec", "exec.refused", ROLE_BUILD);
	ev.target.path = "/data/tool";
	expect(&ev, "--allow-read", "build:/data/tool");
	ev.verdict.rule = "exec.installer";
	expect(&ev, NULL, NULL);
}

static void test_project(void **state)
{
	struct event ev = of("file.open", "file.project.env", ROLE_BUILD);
	struct policy *p = finished(fresh()), *other = fresh();
	struct policy_error err = {0};
	struct allow a;
	struct verdict v;
	ev.target.path = "/data/project/.env";
	allow_find(p, &ev, &a);
	assert_null(a.option);
	assert_true(policy_project(p, "/.env", FILE_READ, &v));
	assert_int_equal(policy_add_text(other, "layer", a.policy, strlen(a.policy), &err), 0);
	finished(other);
	assert_false(policy_project(other, "/.env", FILE_READ, &v));
	policy_free(other);
	policy_free(p);
}

static void test_others(void **state)
{
	struct event ev = of("env.read", "env.read", ROLE_GUEST);
	ev.target.name = "TOKEN";
	expect(&ev, "--allow-env", "guest:TOKEN");
	ev.type = "env.enumerate";
	expect(&ev, NULL, NULL);
	ev = of("resource.limit", "resource.time", ROLE_BUILD);
	ev.target.name = "time";
	expect(&ev, "--limit-time", "0");
	ev = of("python.import", "pip.start-up", ROLE_INSTALLER);
	ev.target.path = "/v/x.pth";
	expect(&ev, "--allow-pth", "/v/x.pth");
	ev.target.path = "/v/sitecustomize.py";
	expect(&ev, NULL, NULL);
	for (const char *const *type = (const char *const[]){"syscall.denied", "process.signal", "ipc.connect", "decoy.seen", NULL}; *type != NULL; type++) {
		ev = of(*type, "x", ROLE_BUILD);
		expect(&ev, NULL, NULL);
	}
	/* Hostile records: nothing where something was expected. */
	for (const char *const *type = (const char *const[]){"net.resolve", "net.connect", "file.open", "file.write", "env.read", "exec", "resource.limit", "python.import", "ipc.connect", "",
	                                                     "x", NULL}; *type != NULL; type++) {
		struct allow a;
		ev = of(*type, NULL, ROLE_CREDENTIAL);
		allow_find(NULL, &ev, &a);
		assert_null(a.option);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts), cmocka_unit_test(test_policy), cmocka_unit_test(test_paths), cmocka_unit_test(test_project), cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
