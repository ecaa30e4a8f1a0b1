/* ATT&CK techniques of rules: none is forgotten, none is made up. */
#include "common.h"

#include <ctype.h>

#include "policy/attack.h"

static bool is_id(const char *text)
{
	size_t digits = strspn(text + 1, "0123456789");

	if (text[0] != 'T' || digits != 4)
		return false;
	return !text[5] || (text[5] == '.' && strspn(text + 6, "0123456789") == 3 && !text[9]);
}

/* Each built-in rule has one, or is excused; what is grave is never excused. */
static void test_each_rule(void **state)
{
	struct policy *p = finished(fresh());

	assert_true(p->rule_count > 200);
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		const char *const *ids = attack_of_rule(r->id);
		size_t n = 0;
		if (!*ids && !attack_excused(r->id))
			fail_msg("%s has no technique, and no row of policy/attack.c excuses it", r->id);
		if (!*ids && r->severity >= SEV_HIGH)
			fail_msg("%s is of severity %s, and has no technique", r->id, severity_name(r->severity));
		for (; ids[n]; n++)
			if (!is_id(ids[n]) || !*attack_name(ids[n]))
				fail_msg("%s: %s is no technique that is known here", r->id, ids[n]);
		assert_true(n <= ATTACK_OF_RULE_MAX);
	}
	policy_free(p);
}

static void is_first(const char *rule, const char *id)
{
	const char *first = attack_of_rule(rule)[0];

	if (id)
		assert_string_equal(first ? first : "", id);
	else
		assert_null(first);
}

static void test_some(void **state)
{
	is_first("file.aws", "T1552.001");
	is_first("file.ssh-key", "T1552.004");
	is_first("file.persistence.cron", "T1053.003");
	is_first("file.persistence.python", "T1546.018");
	is_first("net.exfil.pipedream", "T1567.004");
	is_first("net.exfil.pastebin", "T1567.003");
	is_first("net.metadata.cloud", "T1552.005");
	is_first("net.metadata.kubernetes", "T1552.007");
	is_first("decoy.seen", "T1041");
	is_first("install.pth", "T1546.018");
	is_first("syscall.io_uring", NULL);
	is_first("corp.rival", NULL); /* of a layer, of no family that is known */
	is_first("file.corp-key", "T1552.001");
	is_first(NULL, NULL);
	assert_true(attack_excused("syscall.io_uring"));
	assert_false(attack_excused("corp.rival"));
	assert_string_equal(attack_name("T1552.004"), "Private Keys");
	assert_string_equal(attack_name("T9999"), "");
}

static void test_shown(void **state)
{
	struct policy *p = finished(fresh());
	char *text = policy_show(p);

	assert_non_null(strstr(text, "\"T1567.004\""));
	free(text);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_rule), cmocka_unit_test(test_some), cmocka_unit_test(test_shown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
