#include "common.h"

#include "policy/match.h"

static void instance(char *out, size_t size, const char *pattern, const char *label)
{
	size_t n = 0;

	for (const char *c = pattern; *c; c++)
		n += (size_t)snprintf(out + n, size - n, "%s", *c == '*' ? label : (char[]){*c, '\0'});
}

static bool asked(enum rule_list list, const char *host, struct verdict *v)
{
	return list == LIST_DENY ? policy_host_denied(builtin, host, v) : policy_host_watched(builtin, host, v);
}

static void expect_listed(const struct rule *r, const char *host)
{
	struct verdict v;

	if (!asked(r->list, host, &v))
		fail_msg("%s is not found (rule %s)", host, r->id);
	assert_int_equal(v.severity, r->list == LIST_DENY ? v.severity : SEV_MEDIUM);
	assert_true(*v.kind);
	if (r->list == LIST_WATCH)
		assert_false(policy_host_denied(builtin, host, NULL) && strcmp(host, "anti-theft-web.herokuapp.com"));
}

static void expect_not_of(const struct rule *r, const char *host)
{
	struct verdict v;

	if (asked(r->list, host, &v) && !strcmp(v.rule, r->id))
		fail_msg("%s is found by %s", host, r->id);
}

/* Each entry finds itself, in any case and with a dot at the end, and where it says so what lies below; never a look-alike. */
static void every_entry(void **state)
{
	size_t entries = 0;

	for (size_t i = 0; i < builtin->rule_count; i++) {
		const struct rule *r = &builtin->rules[i];
		if (r->list != LIST_DENY && r->list != LIST_WATCH)
			continue;
		for (size_t k = 0; k < r->patterns.n; k++, entries++) {
			const char *pattern = r->patterns.v[k];
			char host[300], other[400];
			bool below = !strncmp(pattern, "*.", 2);
			instance(host, sizeof(host), below ? pattern + 2 : pattern, "label");
			expect_listed(r, host);
			snprintf(other, sizeof(other), "%s.", host);
			expect_listed(r, other);
			for (char *c = other; *c; c++)
				*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
			expect_listed(r, other);
			snprintf(other, sizeof(other), "eo1.abc.%s", host);
			if (below)
				expect_listed(r, other);
			else
				expect_not_of(r, other);
			snprintf(other, sizeof(other), "x%s", host);
			expect_not_of(r, other);
			snprintf(other, sizeof(other), "x-%s", host);
			expect_not_of(r, other);
			snprintf(other, sizeof(other), "%s.example.org", host);
			expect_not_of(r, other);
			snprintf(other, sizeof(other), "%sx", host);
			expect_not_of(r, other);
		}
	}
	assert_true(entries > 250);
}

static void every_exfiltration_service_aborts(void **state)
{
	for (size_t i = 0; i < builtin->rule_count; i++) {
		const struct rule *r = &builtin->rules[i];
		if (strncmp(r->id, "net.exfil.", 10))
			continue;
		assert_int_equal(r->verdict.severity, SEV_CRITICAL);
		assert_int_equal(r->verdict.action, ACTION_ABORT);
		assert_int_equal(r->list, LIST_DENY);
	}
}

static void the_incident(void **state)
{
	struct verdict v;

	assert_true(policy_host_denied(builtin, "eoyyiyqubj7mquj.m.pipedream.net", &v));
	assert_string_equal(v.rule, "net.exfil.pipedream");
	assert_string_equal(v.kind, "Pipedream HTTP endpoint");
	assert_int_equal(v.severity, SEV_CRITICAL);
	assert_int_equal(v.action, ACTION_ABORT);
	assert_false(policy_host_denied(builtin, "notwebhook.site", &v));
	assert_false(policy_host_denied(builtin, "webhook.site.example", &v));
	assert_true(policy_host_denied(builtin, "hook.eu2.make.com", &v));
	assert_string_equal(v.rule, "net.exfil.make");
}

static void nothing_ordinary(void **state)
{
	static const char *const hosts[] = {"github.com", "example.com", "localhost", "index.example.org", "s3.amazonaws.com",
					    "raw.githubusercontent.com", "gitlab.com", "a", "com", NULL};

	for (int i = 0; hosts[i]; i++)
		if (policy_host_denied(builtin, hosts[i], NULL))
			fail_msg("%s is denied", hosts[i]);
}

static void what_is_no_host(void **state)
{
	static const char *const hosts[] = {"", ".", "..", "webh\xc3\xb6ok.site", "webhook.site/x", "webhook.site:443", NULL};

	for (int i = 0; hosts[i]; i++) {
		assert_false(policy_host_denied(builtin, hosts[i], NULL));
		assert_false(policy_host_allowed(builtin, ROLE_INSTALLER, hosts[i], 0));
	}
}

/* DNS carries any bytes in a label: such a name leads to the same people. */
static void odd_labels(void **state)
{
	static const char *const hosts[] = {"\xff.webhook.site", "a..webhook.site", "a b.webhook.site", "\\001x.y.webhook.site", " webhook.site.webhook.site", NULL};

	for (int i = 0; hosts[i]; i++) {
		assert_true(policy_host_denied(builtin, hosts[i], NULL));
		assert_false(policy_host_allowed(builtin, ROLE_INSTALLER, hosts[i], 0));
	}
}

static void metadata(void **state)
{
	static const char *const addresses[] = {"169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "169.254.170.2",
						"169.254.170.23", "fd00:ec2::23", "100.100.100.200", "168.63.129.16", NULL};
	static const char *const spellings[] = {"2852039166", "0xA9FEA9FE", "169.254.43518", "[fd00:ec2::254]", "169.254.169.254.", NULL};
	struct verdict v;

	for (int i = 0; addresses[i]; i++) {
		assert_true(policy_address_denied(builtin, addresses[i], &v));
		assert_int_equal(strncmp(v.rule, "net.metadata.", 13), 0);
		assert_int_equal(v.severity, SEV_CRITICAL);
		assert_true(policy_host_denied(builtin, addresses[i], &v));
	}
	for (int i = 0; spellings[i]; i++)
		assert_true(policy_host_denied(builtin, spellings[i], &v));
	assert_true(policy_host_denied(builtin, "metadata.google.internal", &v));
	assert_true(policy_host_denied(builtin, "metadata", &v));
	assert_true(policy_host_denied(builtin, "kubernetes.default.svc.cluster.local", &v));
	assert_true(policy_address_denied(builtin, "64:ff9b::a9fe:a9fe", &v) && policy_address_denied(builtin, "2002:a9fe:a9fe::1", &v));
	assert_false(policy_address_denied(builtin, "64:ff9b::808:808", &v) || policy_address_denied(builtin, "64:ff9b:0:1::a9fe:a9fe", &v));
	assert_false(policy_address_denied(builtin, "127.0.0.1", &v));
	assert_false(policy_address_denied(builtin, "169.254.169.253", &v));
	assert_false(policy_address_denied(builtin, "::1", &v));
	assert_false(policy_address_denied(builtin, "not an address", &v));
}

static void allowances(void **state)
{
	struct policy_error err;
	struct policy *p = fresh();

	add(p, "{\"version\": 1, \"network\": {\"guest\": [\"*.corp.example:443\", \"[2001:db8::1]:80\", \"10.0.0.0/8\", \"one.example\", {\"host\": \"git.example\", \"port\": 22, \"opaque\": true}],"
	       "\"vcs\": [\"@requirement\", {\"host\": \"svn.example\", \"port\": 2222, \"opaque\": true}]}}");
	assert_int_equal(policy_allow_host(p, ROLE_INSTALLER, "Mirror.Example:8080", &err), 0);
	assert_int_equal(policy_allow_host(p, ROLE_INSTALLER, "build:crates.example", &err), 0);
	assert_int_equal(policy_allow_host(p, ROLE_INSTALLER, "build:443", &err), 0);
	assert_int_equal(policy_allow_host(p, ROLE_GUEST, "vcs:[2001:db8::2]:22", &err), 0);
	finished(p);
	assert_true(policy_host_allowed(p, ROLE_GUEST, "git.example", 22) && policy_host_opaque(p, ROLE_GUEST, "git.example", 22));
	assert_false(policy_host_allowed(p, ROLE_GUEST, "git.example", 443));
	assert_false(policy_host_opaque(p, ROLE_GUEST, "corp.example", 443));
	assert_true(policy_host_opaque(p, ROLE_VCS, "svn.example", 2222) && policy_host_word(p, ROLE_VCS, "@requirement"));
	assert_false(policy_host_opaque(p, ROLE_VCS, "svn.example", 22) || policy_host_allowed(p, ROLE_GUEST, "svn.example", 2222));
	assert_true(policy_host_allowed(p, ROLE_GUEST, "corp.example", 443));
	assert_true(policy_host_allowed(p, ROLE_GUEST, "a.CORP.example.", 443));
	assert_true(policy_host_allowed(p, ROLE_GUEST, "a.corp.example", 0));
	assert_false(policy_host_allowed(p, ROLE_GUEST, "a.corp.example", 80));
	assert_false(policy_host_allowed(p, ROLE_GUEST, "acorp.example", 443));
	assert_false(policy_host_allowed(p, ROLE_BUILD, "corp.example", 443));
	assert_true(policy_host_allowed(p, ROLE_GUEST, "2001:db8::1", 80));
	assert_false(policy_host_allowed(p, ROLE_GUEST, "2001:db8::1", 81));
	assert_true(policy_host_allowed(p, ROLE_GUEST, "10.1.2.3", 1));
	assert_true(policy_host_allowed(p, ROLE_GUEST, "one.example", 1));
	assert_false(policy_host_allowed(p, ROLE_GUEST, "a.one.example", 1));
	assert_true(policy_host_allowed(p, ROLE_INSTALLER, "mirror.example", 8080));
	assert_false(policy_host_allowed(p, ROLE_INSTALLER, "mirror.example", 443));
	assert_true(policy_host_allowed(p, ROLE_BUILD, "crates.example", 443));
	assert_false(policy_host_allowed(p, ROLE_INSTALLER, "crates.example", 443));
	assert_true(policy_host_allowed(p, ROLE_INSTALLER, "build", 443));
	assert_true(policy_host_allowed(p, ROLE_VCS, "2001:db8::2", 22));
	assert_true(policy_host_word(p, ROLE_INSTALLER, "@index"));
	assert_false(policy_host_word(p, ROLE_BUILD, "@index"));
	assert_true(policy_host_word(p, ROLE_VCS, "@requirement"));
	assert_false(policy_host_allowed(p, ROLE_INSTALLER, "@index", 0));
	policy_free(p);
}

static void everything_is_not_every_address(void **state)
{
	struct policy_error err;
	struct policy *p = fresh();

	assert_int_equal(policy_allow_host(p, ROLE_GUEST, "*", &err), 0);
	finished(p);
	assert_true(policy_host_allowed(p, ROLE_GUEST, "anything.example", 1));
	assert_false(policy_host_allowed(p, ROLE_GUEST, "192.0.2.1", 1));
	assert_true(policy_host_denied(p, "x.m.pipedream.net", NULL));
	policy_free(p);
}

static void bad_options(void **state)
{
	static const char *const bad[] = {"", "build:", "https://a.example", "a.example:0", "a.example:65536", "a.example:x", "2001:db8::1",
					  "[::1", "[::1]x", "[zz]", "a/b", "a.*", "@other", "ex\xc3\xa4mple.com", NULL};
	struct policy_error err;
	struct policy *p = fresh();

	for (int i = 0; bad[i]; i++) {
		err.message[0] = '\0';
		if (policy_allow_host(p, ROLE_INSTALLER, bad[i], &err) != -1)
			fail_msg("\"%s\" passed", bad[i]);
		assert_true(err.message[0]);
	}
	policy_free(p);
}

/* A layer takes a rule of the deny list away, replaces one, and moves one. */
static void layers(void **state)
{
	struct verdict v;
	struct policy *p = with("{\"version\": 1, \"network\": {\"deny\": ["
				"{\"id\": \"net.exfil.pipedream\", \"remove\": true},"
				"{\"id\": \"net.exfil.ngrok\", \"severity\": \"low\", \"action\": \"deny\", \"hosts\": [\"*.ngrok.io\"]},"
				"{\"id\": \"net.watch.github\", \"severity\": \"high\", \"hosts\": [\"github.com\"]},"
				"{\"id\": \"corp.rival\", \"severity\": \"high\", \"hosts\": [\"*.m.pipedream.net\", \"github.com\"]}]}}");

	assert_true(policy_host_denied(p, "x.m.pipedream.net", &v));
	assert_string_equal(v.rule, "corp.rival");
	assert_false(policy_host_denied(p, "x.pipedream.net", &v));
	assert_true(policy_host_denied(p, "a.ngrok.io", &v));
	assert_int_equal(v.severity, SEV_LOW);
	assert_int_equal(v.action, ACTION_ABORT); /* net.exfil.* of `actions` speaks before a rule's own action */
	assert_false(policy_host_denied(p, "a.ngrok.app", &v));
	assert_true(policy_host_denied(p, "github.com", &v));
	assert_false(policy_host_watched(p, "github.com", &v));
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry), cmocka_unit_test(every_exfiltration_service_aborts), cmocka_unit_test(the_incident),
		cmocka_unit_test(nothing_ordinary), cmocka_unit_test(what_is_no_host), cmocka_unit_test(odd_labels), cmocka_unit_test(metadata),
		cmocka_unit_test(allowances), cmocka_unit_test(everything_is_not_every_address), cmocka_unit_test(bad_options),
		cmocka_unit_test(layers),
	};

	return cmocka_run_group_tests(tests, builtin_setup, builtin_teardown);
}
