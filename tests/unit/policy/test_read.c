#include "common.h"

#include <arpa/inet.h>
#include <sys/stat.h>
#include <unistd.h>

/* A layer that must be refused, the place, and a part of the message. */
static const struct {
	const char *text;
	unsigned line, column;
	const char *message;
} refused[] = {
	{"", 1, 1, "ends too early"},
	{"{\"version\": 1} x", 1, 16, "more text"},
	{"{\"version\": 1,}", 1, 15, "comma before the closing brace"},
	{"{\"version\": 1, \"network\": {\"build\": [\"a\",]}}", 1, 42, "comma before the closing bracket"},
	{"{\"version\" 1}", 1, 12, "':' was expected"},
	{"{\"version\": 1 \"x\": 2}", 1, 15, "',' or '}'"},
	{"{'version': 1}", 1, 2, "a string was expected"},
	{"{\"version\": 01}", 1, 13, "not a number"},
	{"{\"version\": 1.}", 1, 13, "not a number"},
	{"{\"version\": +1}", 1, 13, "a value was expected"},
	{"{\"version\": 1e}", 1, 13, "not a number"},
	{"{\"version\": 1111111111111111111111111}", 1, 13, "too many digits"},
	{"{\"version\": nul}", 1, 13, "a value was expected"},
	{"{\"version\": \"a\nb\"}", 1, 13, "does not end"},
	{"{\"version\": \"a\tb\"}", 1, 15, "control character"},
	{"{\"version\": \"\\x\"}", 1, 14, "escape"},
	{"{\"version\": \"\\u00g0\"}", 1, 14, "four hexadecimal"},
	{"{\"version\": \"\\u0000\"}", 1, 14, "NUL"},
	{"{\"version\": \"\xff\"}", 1, 14, "UTF-8"},
	{"{\"version\": \"\xc0\x80\"}", 1, 14, "UTF-8"},
	{"{\"version\": \"\xed\xa0\x80\"}", 1, 14, "UTF-8"},
	{"{\"version\": \"\\ud800\"}", 1, 14, "surrogate"},
	{"// x\n/* never ends", 2, 1, "does not end"},
	{"{ / }", 1, 3, "unexpected '/'"},
	{"[]", 1, 1, "an object was expected"},
	{"{}", 1, 1, "\"version\" is missing"},
	{"{\"version\": \"1\"}", 1, 13, "a number was expected"},
	{"{\"version\": 2}", 1, 13, "version 1"},
	{"{\"version\": 1.5}", 1, 13, "version 1"},
	{"{\"Version\": 1}", 1, 2, "unknown key \"Version\""},
	{"{\n\t\"version\": 1,\n\t\"versions\": 1\n}", 3, 2, "unknown key \"versions\""},
	{"{\"version\": 1, /* \xc3\xa4\xc3\xb6 */ \"x\": 1}", 1, 25, "unknown key \"x\""},
	{"{\"version\": 1, \"version\": 1}", 1, 16, "there twice"},
	{"{\"version\": 1, \"environment\": []}", 1, 31, "an object was expected"},
	{"{\"version\": 1, \"environment\": {\"secret\": \"X\"}}", 1, 42, "an array was expected"},
	{"{\"version\": 1, \"environment\": {\"secret\": [1]}}", 1, 43, "a string was expected"},
	{"{\"version\": 1, \"environment\": {\"secret\": [\"A=B\"]}}", 1, 43, "no variable"},
	{"{\"version\": 1, \"environment\": {\"secret\": [\"*\"]}}", 1, 43, "every variable"},
	{"{\"version\": 1, \"environment\": {\"secret\": [\"\"]}}", 1, 43, "empty"},
	{"{\"version\": 1, \"environment\": {\"secret\": [\"A\"], \"public\": [\"A\"]}}", 1, 43, "there twice"},
	{"{\"version\": 1, \"environment\": {\"words\": [\"lower\"]}}", 1, 42, "capital letters"},
	{"{\"version\": 1, \"environment\": {\"pairs\": [\"ONE\"]}}", 1, 42, "two words"},
	{"{\"version\": 1, \"environment\": {\"treatment\": \"remove\"}}", 1, 45, "decoy"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"severity\": \"low\"}]}}", 1, 37, "without \"id\""},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"paths\": [\"/a\"]}]}}", 1, 37, "\"severity\" is missing"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"X Y\", \"severity\": \"low\", \"paths\": [\"/a\"]}]}}", 1, 44, "lower-case"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"loud\", \"paths\": [\"/a\"]}]}}", 1, 61, "info, low"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\", \"action\": \"no\", \"paths\": [\"/a\"]}]}}", 1, 78, "allow, deny"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\"}]}}", 1, 37, "never match"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\", \"paths\": []}]}}", 1, 37, "never match"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\", \"paths\": [\"a\"]}]}}", 1, 78, "starts with"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\", \"paths\": [\"/a/../b\"]}]}}", 1, 78, "never seen"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\", \"paths\": [\"/a\", \"/a\"]}]}}", 1, 84, "there twice"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\", \"paths\": [\"/a\"], \"except\": [\"/a\"]}]}}", 1, 37, "excepted from itself"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"x\", \"severity\": \"low\", \"hosts\": [\"a\"]}]}}", 1, 68, "unknown key \"hosts\""},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"net.exfil.make\", \"severity\": \"low\", \"paths\": [\"/a\"]}]}}", 1, 37, "belongs to a rule of network.deny"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"nope\", \"remove\": true}]}}", 1, 37, "no rule \"nope\""},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"file.aws\", \"remove\": false}]}}", 1, 66, "true is the only value"},
	{"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"file.aws\", \"remove\": true, \"paths\": [\"/a\"]}]}}", 1, 72, "unknown key \"paths\""},
	{"{\"version\": 1, \"files\": {\"read\": {\"everyone\": []}}}", 1, 35, "unknown key \"everyone\""},
	{"{\"version\": 1, \"files\": {\"read\": {\"build\": [\"/a/*\"]}}}", 1, 45, "not a pattern"},
	{"{\"version\": 1, \"network\": {\"build\": [\"https://a\"]}}", 1, 38, "not a URL"},
	{"{\"version\": 1, \"network\": {\"build\": [\"a:99999\"]}}", 1, 38, "not a port"},
	{"{\"version\": 1, \"network\": {\"build\": [\"@typo\"]}}", 1, 38, "@index"},
	{"{\"version\": 1, \"network\": {\"build\": [{\"host\": \"a.example\", \"port\": 22}]}}", 1, 38, "opaque"},
	{"{\"version\": 1, \"network\": {\"build\": [{\"host\": \"*.example\", \"port\": 22, \"opaque\": true}]}}", 1, 47, "one host"},
	{"{\"version\": 1, \"network\": {\"build\": [{\"host\": \"a.example\", \"port\": 1.5, \"opaque\": true}]}}", 1, 68, "a number from 1"},
	{"{\"version\": 1, \"network\": {\"stand-in\": \"10.0.0.0/8\"}}", 1, 40, "an array was expected"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"10.9.0.0\"]}}", 1, 41, "ADDRESS/BITS"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"a.example/8\"]}}", 1, 41, "ADDRESS/BITS"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"10.9.0.1/16\"]}}", 1, 41, "bits behind"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"10.9.0.0/19\"]}}", 1, 41, "at most /18"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"fd00::/115\"]}}", 1, 41, "at most /114"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"8.8.0.0/16\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"10.0.0.0/7\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"127.0.0.0/8\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"169.254.0.0/16\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"224.0.0.0/8\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"2001:db8::/64\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"fe80::/64\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"::ffff:10.0.0.0/104\"]}}", 1, 41, "public hosts"},
	{"{\"version\": 1, \"network\": {\"stand-in\": [\"10.9.0.0/16\", \"10.8.0.0/16\"]}}", 1, 56, "second network of IPv4"},
	{"{\"version\": 1, \"network\": {\"credential\": [{\"host\": \"a.example\", \"port\": 22, \"opaque\": true}]}}", 1, 43, "credential"},
	{"{\"version\": 1, \"network\": {\"deny\": [{\"id\": \"x\", \"severity\": \"low\", \"hosts\": [\"*\"]}]}}", 1, 78, "every host"},
	{"{\"version\": 1, \"network\": {\"deny\": [{\"id\": \"x\", \"severity\": \"low\", \"hosts\": [\"a.com/api\"]}]}}", 1, 78, "not a URL"},
	{"{\"version\": 1, \"network\": {\"deny\": [{\"id\": \"x\", \"severity\": \"low\", \"addresses\": [\"1.2.3\"]}]}}", 1, 82, "ADDRESS"},
	{"{\"version\": 1, \"rules\": {\"syscall.typo\": {\"severity\": \"low\"}}}", 1, 26, "nothing raises"},
	{"{\"version\": 1, \"rules\": {\"net.outside\": {\"severity\": \"low\", \"hosts\": []}}}", 1, 61, "unknown key"},
	{"{\"version\": 1, \"limits\": {\"installer\": {}}}", 1, 27, "unknown key"},
	{"{\"version\": 1, \"limits\": {\"build\": {\"memory\": 1}}}", 1, 37, "unknown key"},
	{"{\"version\": 1, \"limits\": {\"build\": {\"time\": 1.5}}}", 1, 45, "whole number"},
	{"{\"version\": 1, \"limits\": {\"guest\": {\"processes\": -1}}}", 1, 50, "whole number"},
	{"{\"version\": 1, \"actions\": {\"net.*\": \"explode\"}}", 1, 37, "allow, deny"},
	{"{\"version\": 1, \"actions\": {\"net.*\": 1}}", 1, 37, "a string was expected"},
	{"{\"version\": 1, \"actions\": {\"net.*\": \"deny\", \"net.*\": \"deny\"}}", 1, 45, "there twice"},
};

static void errors(void **state)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct policy_error err = {0};
		struct policy *p = fresh();
		if (policy_add_text(p, "some/file.json", refused[i].text, strlen(refused[i].text), &err) != -1)
			fail_msg("passed: %s", refused[i].text);
		if (err.line != refused[i].line || err.column != refused[i].column || !strstr(err.message, refused[i].message))
			fail_msg("%s\n  gave %u:%u: %s", refused[i].text, err.line, err.column, err.message);
		assert_string_equal(err.file, "some/file.json");
		policy_free(p);
	}
}

static void limits(void **state)
{
	static char text[2 * 1024 * 1024];
	struct policy_error err = {0};
	struct policy *p = fresh();

	memset(text, ' ', sizeof(text));
	assert_int_equal(policy_add_text(p, "x", text, sizeof(text), &err), -1);
	assert_non_null(strstr(err.message, "longer than"));
	memset(text, '[', 1000);
	assert_int_equal(policy_add_text(p, "x", text, 1000, &err), -1);
	assert_non_null(strstr(err.message, "nested too deeply"));
	assert_int_equal(err.column, 13);
	for (size_t i = 0; i < 1000000; i += 2)
		memcpy(text + i, "1,", 2);
	text[0] = '[';
	text[1] = ' ';
	assert_int_equal(policy_add_text(p, "x", text, 1000000, &err), -1);
	assert_non_null(strstr(err.message, "too many values"));
	size_t n = (size_t)sprintf(text, "{\"version\": 1, \"actions\": {");
	for (int i = 0; i < 1100; i++)
		n += (size_t)sprintf(text + n, "%s\"a%d\": \"deny\"", i ? "," : "", i);
	n += (size_t)sprintf(text + n, "}}");
	assert_int_equal(policy_add_text(p, "x", text, n, &err), -1);
	assert_non_null(strstr(err.message, "more than"));
	assert_int_equal(policy_add_text(p, "x", "{\"version\": 1}\0 ", 16, &err), -1);
	policy_free(p);
}

static void comments(void **state)
{
	struct policy *p = with("// one\n{ /* two */ \"version\": 1, // three\n"
				"\"environment\": {\"secret\": [\"NOT_//_A_COMMENT\", \"NEITHER_/*\"]} /**/ }\n// last");

	assert_int_equal(policy_env(p, ROLE_BUILD, "NOT_//_A_COMMENT", "x"), ENV_SECRET);
	assert_int_equal(policy_env(p, ROLE_BUILD, "NEITHER_/*", "x"), ENV_SECRET);
	policy_free(p);
}

/* Found when everything is there: an action for ids that do not exist. */
static void late_errors(void **state)
{
	struct policy_error err = {0};
	struct policy *p = fresh();

	add(p, "{\"version\": 1,\n  \"actions\": {\"net.exfill.*\": \"deny\"}}");
	assert_int_equal(policy_finish(p, test_homes, &err), -1);
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 15);
	assert_non_null(strstr(err.message, "net.exfill.*"));
	policy_free(p);
}

static bool is_network(struct policy_network n, const char *text, unsigned bits)
{
	uint8_t bytes[16] = {0};

	return n.bits == bits && inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, bytes) == 1 && !memcmp(bytes, n.bytes, sizeof(bytes));
}

/* A layer replaces the family that it names. */
static void stand_ins(void **state)
{
	struct policy *p = finished(fresh());

	assert_true(is_network(policy_stand_in(p, false), "198.18.0.0", 15) && is_network(policy_stand_in(p, true), "fd70:7770::", 64));
	policy_free(p);
	p = with("{\"version\": 1, \"network\": {\"stand-in\": [\"fd12:3456::/48\"]}}");
	assert_true(is_network(policy_stand_in(p, false), "198.18.0.0", 15) && is_network(policy_stand_in(p, true), "fd12:3456::", 48));
	policy_free(p);
	p = with("{\"version\": 1, \"network\": {\"stand-in\": [\"fc00:1::/114\", \"10.9.64.0/18\"]}}");
	assert_true(is_network(policy_stand_in(p, false), "10.9.64.0", 18) && is_network(policy_stand_in(p, true), "fc00:1::", 114));
	char *shown = policy_show(p);
	assert_non_null(strstr(shown, "10.9.64.0/18"));
	free(shown);
	policy_free(p);
}

/* Nobody who is named by address may lie in them. */
static void stand_ins_that_mean_others(void **state)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{"{\"version\": 1, \"network\": {\"stand-in\": [\"100.64.0.0/10\"]}}", "holds 100.100.100.200, which is net.metadata.cloud's"},
		{"{\"version\": 1, \"network\": {\"stand-in\": [\"fd00::/8\"]}}", "which is net.metadata."},
		{"{\"version\": 1, \"network\": {\"stand-in\": [\"10.9.0.0/16\"], \"build\": [\"10.0.0.0/8\"]}}", "which network.build allows"},
		{"{\"version\": 1, \"network\": {\"stand-in\": [\"10.9.0.0/16\"], \"guest\": [\"10.9.3.4:443\"]}}", "addresses of 10.9.3.4:443, which network.guest allows"},
		{"{\"version\": 1, \"network\": {\"guest\": [\"198.18.3.4\"]}}", "\"198.18.0.0/15\" holds"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct policy_error err = {0};
		struct policy *p = fresh();
		add(p, wrong[i].text);
		if (policy_finish(p, test_homes, &err) != -1 || !strstr(err.message, wrong[i].message))
			fail_msg("%s: %s", wrong[i].text, err.message);
		policy_free(p);
	}
	policy_free(with("{\"version\": 1, \"network\": {\"stand-in\": [\"10.9.0.0/16\"], \"guest\": [\"198.18.3.4\", \"10.8.0.0/16\", \"*\"]}}"));
}

static void actions(void **state)
{
	struct policy *p = with("{\"version\": 1, \"actions\": {\"syscall.*\": \"abort\", \"syscall.ptrace\": \"allow\", \"*\": \"deny\","
				"\"net.*-site\": \"deny\", \"net.exfil.w*\": \"allow\", \"net.exfil.ngrok\": \"decoy\"}}");

	assert_int_equal(policy_rule(p, "syscall.ptrace").action, ACTION_ALLOW);
	assert_int_equal(policy_rule(p, "syscall.mount").action, ACTION_ABORT);
	assert_int_equal(policy_rule(p, "exec.recorded").action, ACTION_DENY);
	assert_int_equal(policy_rule(p, "net.exfil.pipedream").action, ACTION_ABORT);
	assert_int_equal(policy_rule(p, "net.exfil.ngrok").action, ACTION_DECOY);
	/* "net.exfil.w*" has 11 characters, "net.*-site" 9 */
	assert_int_equal(policy_rule(p, "net.exfil.webhook-site").action, ACTION_ALLOW);
	policy_free(p);
}

static void ties_are_strict(void **state)
{
	struct policy *p = with("{\"version\": 1, \"actions\": {\"*yscall.mount\": \"deny\", \"syscall.moun*\": \"abort\", "
				"\"*yscall.bpf\": \"decoy\", \"syscall.bp*\": \"allow\"}}");

	assert_int_equal(policy_rule(p, "syscall.mount").action, ACTION_ABORT);
	assert_int_equal(policy_rule(p, "syscall.bpf").action, ACTION_DECOY);
	policy_free(p);
}

/* A layer replaces what it names; an option holds for both roles. */
static void role_limits(void **state)
{
	struct policy *p = with("{\"version\": 1, \"limits\": {\"build\": {\"time\": 7}, \"guest\": {\"file-size\": 4096, \"processes\": 0}}}");

	assert_int_equal(policy_limit(p, ROLE_BUILD, LIMIT_TIME), 7);
	assert_int_equal(policy_limit(p, ROLE_BUILD, LIMIT_PROCESSES), 4096);
	assert_int_equal(policy_limit(p, ROLE_GUEST, LIMIT_TIME), 0);
	assert_int_equal(policy_limit(p, ROLE_GUEST, LIMIT_FILE_SIZE), 4096);
	assert_int_equal(policy_limit(p, ROLE_GUEST, LIMIT_PROCESSES), 0);
	assert_int_equal(policy_limit(p, ROLE_INSTALLER, LIMIT_PROCESSES), 0);
	policy_set_limit(p, LIMIT_PROCESSES, 99);
	assert_int_equal(policy_limit(p, ROLE_BUILD, LIMIT_PROCESSES), 99);
	assert_int_equal(policy_limit(p, ROLE_GUEST, LIMIT_PROCESSES), 99);
	for (int l = 0; l < LIMIT_COUNT; l++) {
		assert_int_equal(policy_limit(p, ROLE_INSTALLER, (enum limit)l), 0);
	}
	policy_free(p);
}

static void code_rules(void **state)
{
	struct policy *p = with("{\"version\": 1, \"rules\": {\"net.bind\": {\"severity\": \"high\", \"action\": \"abort\"}}}");
	struct verdict v = policy_rule(p, "net.bind");

	assert_int_equal(v.severity, SEV_HIGH);
	assert_int_equal(v.action, ACTION_ABORT);
	assert_string_equal(v.kind, "bound a socket");
	v = policy_rule(p, "not.a.rule");
	assert_string_equal(v.rule, "not.a.rule");
	assert_int_equal(v.severity, SEV_MEDIUM);
	assert_int_equal(v.action, ACTION_DENY);
	v = policy_rule(p, "net.outside");
	assert_int_equal(v.severity, SEV_HIGH);
	v = policy_rule(p, "env.secret");
	assert_int_equal(v.severity, SEV_INFO);
	assert_int_equal(v.action, ACTION_DECOY);
	v = policy_rule(p, "syscall.supervisor");
	assert_int_equal(v.action, ACTION_ABORT);
	assert_int_equal(policy_rule(p, "exec.installer").action, ACTION_ABORT);
	assert_int_equal(policy_rule(p, "decoy.seen").action, ACTION_ABORT);
	policy_free(p);
}

static void on_violation(void **state)
{
	struct policy *p = fresh();

	policy_on_violation(p, ACTION_DENY);
	finished(p);
	assert_int_equal(policy_rule(p, "net.exfil.pipedream").action, ACTION_DENY);
	assert_int_equal(policy_rule(p, "env.secret").action, ACTION_DECOY);
	assert_int_equal(policy_rule(p, "exec.recorded").action, ACTION_ALLOW);
	policy_free(p);
	p = fresh();
	policy_on_violation(p, ACTION_ABORT);
	finished(p);
	assert_int_equal(policy_rule(p, "syscall.ptrace").action, ACTION_ABORT);
	assert_int_equal(policy_rule(p, "file.write.pycache").action, ACTION_DENY);
	assert_int_equal(policy_rule(p, "env.secret").action, ACTION_DECOY);
	policy_free(p);
}

/* PIPWARDEN_POLICY. */
static int tighten(const char *text)
{
	struct policy_error err = {0};
	struct policy *p = with(NULL);
	int result = policy_check_tightens(p, "PIPWARDEN_POLICY", text, strlen(text), &err);

	if (result)
		assert_true(err.line == 1 && err.column > 0 && err.message[0]);
	policy_free(p);
	return result;
}

static void tightening(void **state)
{
	static const char *const fine[] = {
		"{\"version\": 1}",
		"{\"version\": 1, \"environment\": {\"secret\": [\"MINE\"]}}",
		"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"file.mine\", \"paths\": [\"/srv/x\"], \"severity\": \"critical\", \"action\": \"abort\"}]}}",
		"{\"version\": 1, \"network\": {\"deny\": [{\"id\": \"net.mine\", \"hosts\": [\"a.example\"], \"severity\": \"critical\", \"action\": \"abort\"}]}}",
		"{\"version\": 1, \"actions\": {\"file.*\": \"abort\"}}",
	};
	static const char *const loose[] = {
		"{\"version\": 1, \"environment\": {\"public\": [\"AWS_*\"]}}",
		"{\"version\": 1, \"environment\": {\"treatment\": \"decoy\"}}",
		"{\"version\": 1, \"network\": {\"guest\": [\"a.example\"]}}",
		"{\"version\": 1, \"files\": {\"read\": {\"build\": [\"/etc\"]}}}",
		"{\"version\": 1, \"rules\": {\"net.bind\": {\"severity\": \"info\"}}}",
		"{\"version\": 1, \"actions\": {\"file.*\": \"deny\"}}",
		"{\"version\": 1, \"actions\": {\"file.*\": \"allow\"}}",
		"{\"version\": 1, \"network\": {\"deny\": [{\"id\": \"net.exfil.pipedream\", \"remove\": true}]}}",
		"{\"version\": 1, \"network\": {\"deny\": [{\"id\": \"net.exfil.pipedream\", \"hosts\": [\"a.example\"], \"severity\": \"critical\", \"action\": \"abort\"}]}}",
		"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"file.mine\", \"paths\": [\"~/.ssh/id_rsa\"], \"severity\": \"info\", \"action\": \"allow\"}]}}",
		"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"file.mine\", \"paths\": [\"~/.ssh/id_rsa\"], \"severity\": \"critical\"}]}}",
		"{\"version\": 1, \"files\": {\"secret\": [{\"id\": \"file.ssh-key\", \"paths\": [\"/x\"], \"severity\": \"critical\", \"action\": \"abort\"}]}}",
	};

	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++)
		if (tighten(fine[i]))
			fail_msg("refused: %s", fine[i]);
	for (size_t i = 0; i < sizeof(loose) / sizeof(*loose); i++)
		if (!tighten(loose[i]))
			fail_msg("accepted: %s", loose[i]);
}

static void digest_and_show(void **state)
{
	struct policy *a = with(NULL), *b = with(NULL);
	struct policy *c = with("{\"version\": 1, \"rules\": {\"net.bind\": {\"severity\": \"low\"}}}");
	char *text = policy_show(c);

	assert_int_equal(strlen(policy_digest(a)), 64);
	assert_string_equal(policy_digest(a), policy_digest(b));
	assert_string_not_equal(policy_digest(a), policy_digest(c));
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "digest")->valuestring, policy_digest(c));
	const cJSON *rule;
	bool found = false;
	cJSON_ArrayForEach(rule, cJSON_GetObjectItemCaseSensitive(json, "rules")) {
		const char *origin = cJSON_GetObjectItemCaseSensitive(rule, "origin")->valuestring;
		if (!strcmp(cJSON_GetObjectItemCaseSensitive(rule, "id")->valuestring, "net.bind")) {
			found = true;
			assert_string_equal(origin, "layer:1:26");
		} else {
			assert_int_equal(strncmp(origin, "built-in:", 9), 0);
		}
	}
	assert_true(found);
	cJSON_Delete(json);
	free(text);
	policy_free(a);
	policy_free(b);
	policy_free(c);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int add_file(const char *path, struct policy_error *err)
{
	struct policy *p = fresh();
	int result = policy_add_file(p, path, err);

	policy_free(p);
	return result;
}

static void policy_files(void **state)
{
	char dir[] = "/tmp/policy-test-XXXXXX", path[64];
	struct policy_error err = {0};

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/p.json", dir);
	write_file(path, "{\"version\": 1}", 0600);
	assert_int_equal(add_file(path, &err), 0);
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(add_file(path, &err), -1);
	assert_non_null(strstr(err.message, "may be written"));
	assert_string_equal(err.file, path);
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(add_file(path, &err), -1);
	write_file(path, "{\"version\":\n 1, \"a\": 2}", 0600);
	assert_int_equal(add_file(path, &err), -1);
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 5);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(add_file(path, &err), -1);
	assert_non_null(strstr(err.message, "open"));
	assert_int_equal(add_file(dir, &err), -1);
	assert_non_null(strstr(err.message, "regular"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(add_file(path, &err), -1);
	assert_non_null(strstr(err.message, "regular"));
	assert_int_equal(unlink(path), 0);
	write_file(path, "", 0600);
	assert_int_equal(truncate(path, 3 * 1024 * 1024), 0);
	assert_int_equal(add_file(path, &err), -1);
	assert_non_null(strstr(err.message, "longer"));
	if (geteuid() == 0) {
		write_file(path, "{\"version\": 1}", 0600);
		assert_int_equal(chown(path, 4711, 4711), 0);
		assert_int_equal(add_file(path, &err), -1);
		assert_non_null(strstr(err.message, "belongs"));
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void frozen(void **state)
{
	struct policy_error err;
	struct policy *p = with(NULL);

	assert_int_equal(policy_add_text(p, "x", "{\"version\": 1}", 14, &err), -1);
	assert_int_equal(policy_allow_host(p, ROLE_BUILD, "a.example", &err), -1);
	assert_int_equal(policy_allow_env(p, ROLE_BUILD, "A", &err), -1);
	assert_int_equal(policy_allow_path(p, ROLE_BUILD, FILE_READ, "/x", "/", &err), -1);
	assert_int_equal(policy_finish(p, test_homes, &err), -1);
	policy_free(p);
	policy_free(NULL);
}

static void names(void **state)
{
	enum severity s;
	enum role r;

	for (int i = SEV_INFO; i <= SEV_CRITICAL; i++) {
		assert_true(severity_parse(severity_name((enum severity)i), &s));
		assert_int_equal(s, i);
	}
	assert_false(severity_parse("Info", &s));
	for (int i = 0; i < ROLE_COUNT; i++) {
		const char *name = role_name((enum role)i);
		assert_true(role_parse(name, strlen(name), &r));
		assert_int_equal(r, i);
		assert_false(role_parse(name, strlen(name) - 1, &r));
	}
	assert_string_equal(policy_action_name(ACTION_ABORT), "abort");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors), cmocka_unit_test(limits), cmocka_unit_test(comments), cmocka_unit_test(late_errors), cmocka_unit_test(stand_ins), cmocka_unit_test(stand_ins_that_mean_others),
		cmocka_unit_test(actions), cmocka_unit_test(ties_are_strict), cmocka_unit_test(code_rules), cmocka_unit_test(role_limits), cmocka_unit_test(on_violation),
		cmocka_unit_test(tightening), cmocka_unit_test(digest_and_show), cmocka_unit_test(policy_files), cmocka_unit_test(frozen), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
