#include "common.h"

#include <ctype.h>

#include "policy/shape.h"

static const uint8_t key[DECOY_KEY_LEN] = "an example key for the decoys!!";
static const uint8_t other_key[DECOY_KEY_LEN] = "another";

#define B30 "Q7wErT9yUiOp2AsDfGhJkLzXcVbNm1"

static const char *const values[] = {
	"AKIAIOSFODNN7EXAMPLE",
	"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	"ghp_" B30 "abcdef",
	"npm_" B30 "abcdef",
	"pypi-AgEIZXhhbXBsZXMCJDU0ZTAwYzYzLTYyMzctNDA2Yi1iNzZkLWE4YmU5ZjYzYzFjOAACKlszLCI",
	"sk-ant-api03-" B30 B30,
	"sk-proj-" B30 "T3BlbkFJ" B30,
	"xoxb-123456789012-123456789012-" B30,
	"glpat-abcdefghij0123456789",
	"hf_abcdefghijABCDEFGHIJabcdefghijABCD",
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
	"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\nQyNTUxOQAAACB\n-----END OPENSSH PRIVATE KEY-----\n",
	"{\"type\": \"service_account\", \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBg\\n-----END PRIVATE KEY-----\\n\"}",
	"postgres://app:S3cr3tPassw0rd@db.example:5432/app?sslmode=require",
	"https://hooks.slack.com/services/T0AB1CD2E/B0AB1CD2E/abcdefghijklmnopqrstuvwx",
	"0123456789abcdef0123456789abcdef01234567",
	"54e00c63-6237-406b-b76d-a8be9f63c1c8",
	"correct horse battery staple",
	"Tr0ub4dor&3xyz",
	"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c-Secret-2024",
	"Bearer ghp_" B30 "abcdef",
	"12345678",
	NULL,
};

static char *decoy_of(const uint8_t *k, const char *name, const char *value)
{
	bool remove = true;
	char *decoy = decoy_value(k, name, value, &remove);

	if (!decoy)
		fail_msg("no decoy, remove %d, length %zu", remove, strlen(value));
	return decoy;
}

static bool same_kind(unsigned char a, unsigned char b)
{
	if (a >= 128)
		return b == '~';
	return (isdigit(a) && isdigit(b)) || (isupper(a) && isupper(b)) || (islower(a) && islower(b)) || (a == b && !isalnum(a));
}

static bool has_checksum(const char *value)
{
	return !strncmp(value, "ghp_", 4) || !strncmp(value, "npm_", 4);
}

static void shape_stays(void **state)
{
	for (int i = 0; values[i]; i++) {
		char *decoy = decoy_of(key, "NAME", values[i]);
		assert_string_not_equal(decoy, values[i]);
		assert_int_equal(strlen(decoy), strlen(values[i]));
		for (size_t c = 0; decoy[c]; c++)
			if (!same_kind((unsigned char)values[i][c], (unsigned char)decoy[c]) && !(has_checksum(values[i]) && c >= 34))
				fail_msg("value %d, character %zu", i, c);
		assert_int_equal(shape_is_secret(decoy), shape_is_secret(values[i]));
		free(decoy);
	}
}

/* No six characters that are not a format's own may come through, but for chance with signs. */
static bool is_format(const char *piece)
{
	static const char *const formats[] = {"-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----",
					      "-----END PRIVATE KEY-----", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", "sk-ant-api03-", "sk-proj-",
					      "T3BlbkFJ", "postgres://", "@db.example:5432/app?sslmode=require", "https://hooks.slack.com/services/",
					      "pypi-AgEIZXhhbXBsZXMC", "Bearer ghp_", "glpat-", NULL};

	for (int i = 0; formats[i]; i++)
		if (strstr(formats[i], piece))
			return true;
	return false;
}

static int letters(const char *piece)
{
	int n = 0;

	for (; *piece; piece++)
		n += isalnum((unsigned char)*piece) != 0 || (unsigned char)*piece >= 128;
	return n;
}

static void nothing_of_the_original(void **state)
{
	for (int i = 0; values[i]; i++) {
		char *decoy = decoy_of(key, "NAME", values[i]);
		for (size_t c = 0; c + 6 <= strlen(values[i]); c++) {
			char piece[7] = {0};
			memcpy(piece, values[i] + c, 6);
			if (!is_format(piece) && letters(piece) >= 5 && strstr(decoy, piece))
				fail_msg("value %d keeps 6 characters at %zu", i, c);
		}
		free(decoy);
	}
}

static void deterministic(void **state)
{
	for (int i = 0; values[i]; i++) {
		char *one = decoy_of(key, "NAME", values[i]), *two = decoy_of(key, "NAME", values[i]);
		char *name = decoy_of(key, "OTHER", values[i]), *run = decoy_of(other_key, "NAME", values[i]);
		assert_string_equal(one, two);
		assert_string_not_equal(one, name);
		assert_string_not_equal(one, run);
		free(one);
		free(two);
		free(name);
		free(run);
	}
}

/* A build's environment comes from pip and holds decoys already. */
static void decoy_of_a_decoy(void **state)
{
	char name[16];

	for (int n = 0; n < 64; n++) {
		snprintf(name, sizeof(name), "NAME%d", n);
		for (int i = 0; values[i]; i++) {
			char *one = decoy_of(key, name, values[i]), *two = decoy_of(key, name, one);
			assert_string_equal(one, two);
			free(one);
			free(two);
		}
	}
}

/* "r8_" is a known prefix: a decoy that began with it by chance would be read as another kind of value. */
static void no_prefix_by_chance(void **state)
{
	char name[16];

	for (int n = 0; n < 3000; n++) {
		snprintf(name, sizeof(name), "NAME%d", n);
		char *one = decoy_of(key, name, "k1_p_BEGIN P"), *two = decoy_of(key, name, one);
		assert_string_equal(one, two);
		assert_int_equal(shape_prefix(one), 0);
		free(one);
		free(two);
	}
}

static void prefixes(void **state)
{
	static const char *const kept[] = {"AKIA", "", "ghp_", "npm_", "pypi-AgEIZXhhbXBsZXM", "sk-ant-api03-", "sk-proj-", "xoxb-", "glpat-", "hf_",
					   "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", "-----BEGIN OPENSSH PRIVATE KEY-----\n"};

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		char *decoy = decoy_of(key, "NAME", values[i]);
		assert_int_equal(strncmp(decoy, kept[i], strlen(kept[i])), 0);
		free(decoy);
	}
	char *decoy = decoy_of(key, "AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
	assert_int_equal(strspn(decoy, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 20);
	free(decoy);
	decoy = decoy_of(key, "NAME", values[6]);
	assert_non_null(strstr(decoy, "T3BlbkFJ"));
	free(decoy);
}

/* The published example of the format: 30 characters and their CRC-32. */
static void checksums(void **state)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char *decoy = decoy_of(key, "GITHUB_TOKEN", values[2]);
	uint32_t crc = 0xffffffff, sum = 0;

	for (int i = 4; i < 34; i++) {
		crc ^= (unsigned char)decoy[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	for (int i = 34; i < 40; i++)
		sum = sum * 62 + (uint32_t)(strchr(digits, decoy[i]) - digits);
	assert_int_equal(sum, (uint32_t)~crc);
	free(decoy);
}

static void removed(void **state)
{
	static const char *const plain[] = {"np.://:@", "", "short", "1234567", "aaaaaaaaaaaa", "abababababab", "--------------", "true", "__token__",
					    "https://vault.example:8200",
					    "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\xd1\x81\xd0\xb5\xd0\xba\xd1\x80", NULL};

	for (int i = 0; plain[i]; i++) {
		bool remove = false;
		assert_null(decoy_value(key, "NAME", plain[i], &remove));
		assert_true(remove);
	}
}

static void userinfo(void **state)
{
	char *out = decoy_userinfo(key, "PIP_EXTRA_INDEX_URL", "https://ann:S3cretPassword@one.example/simple https://tok3nt0kent0ken@two.example/x http://plain.example/");

	assert_non_null(out);
	assert_null(strstr(out, "S3cret"));
	assert_null(strstr(out, "ann:"));
	assert_null(strstr(out, "tok3n"));
	assert_non_null(strstr(out, "@one.example/simple https://"));
	assert_non_null(strstr(out, "@two.example/x http://plain.example/"));
	char *again = decoy_userinfo(key, "PIP_EXTRA_INDEX_URL", out);
	assert_string_equal(out, again);
	free(out);
	free(again);
	static const char *const nothing[] = {"", "https://host/x", "ssh://git@host/x", "user:pass@host", "://a:b@c", "https://host:80/a@b", NULL};
	for (int i = 0; nothing[i]; i++)
		assert_null(decoy_userinfo(key, "X", nothing[i]));
	out = decoy_userinfo(key, "X", "x://a:%41%42%43%44%45%46%47%48@h, y://a:@h");
	assert_non_null(out);
	assert_null(strchr(out, '%'));
	free(out);
}

static const char *find(char *const *envp, const char *name)
{
	for (; *envp; envp++)
		if (!strncmp(*envp, name, strlen(name)) && (*envp)[strlen(name)] == '=')
			return *envp + strlen(name) + 1;
	return NULL;
}

static bool has(char *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static const char *const environment_text[] = {
	"PATH=/usr/bin", "HOME=/home/ann", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "SSH_AUTH_SOCK=/tmp/agent",
	"PIP_INDEX_URL=https://ann:S3cretPassword@index.example/simple", "no-equals-sign", "=x", "EMPTY_TOKEN=", "SHORT_TOKEN=abc",
	"GITHUB_TOKEN=ghp_" B30 "abcdef", "GITHUB_TOKEN=ghp_" B30 "abcdef", "PIP_CONFIG_FILE=/dev/null", "DB=postgres://u:longpassword1@h/d", NULL,
};

#define environment ((char *const *)environment_text)

static void roles(void **state)
{
	struct policy *p = with(NULL);

	for (int role = 0; role < ROLE_COUNT; role++) {
		struct env_set s;
		bool package = role == ROLE_BUILD || role == ROLE_GUEST;
		assert_int_equal(env_for_role(p, (enum role)role, environment, key, &s), 0);
		assert_string_equal(find(s.envp, "PATH"), "/usr/bin");
		assert_string_equal(find(s.envp, "EMPTY_TOKEN"), "");
		assert_string_equal(find(s.envp, "PIP_CONFIG_FILE"), "/dev/null");
		assert_string_not_equal(find(s.envp, "AWS_SECRET_ACCESS_KEY"), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
		assert_null(find(s.envp, "SHORT_TOKEN"));
		assert_true(has(s.removed, "SHORT_TOKEN"));
		assert_true(has(s.replaced, "AWS_SECRET_ACCESS_KEY"));
		assert_true(has(s.replaced, "DB"));
		assert_null(strstr(find(s.envp, "DB"), "longpassword1"));
		assert_int_equal(find(s.envp, "SSH_AUTH_SOCK") == NULL, package);
		assert_int_equal(has(s.removed, "SSH_AUTH_SOCK"), package);
		assert_int_equal(strstr(find(s.envp, "PIP_INDEX_URL"), "S3cretPassword") == NULL, package);
		assert_int_equal(has(s.replaced, "PIP_INDEX_URL"), package);
		for (size_t i = 1; s.replaced[0] && s.replaced[i]; i++)
			assert_true(strcmp(s.replaced[i - 1], s.replaced[i]) < 0);
		for (char *const *e = s.envp; *e; e++)
			assert_non_null(strchr(*e, '='));
		env_set_finish(&s);
		env_set_finish(&s);
	}
	policy_free(p);
}

/* installer first, then build, as in a run: the same decoys. */
static void one_decoy_a_run(void **state)
{
	struct policy *p = with(NULL);
	struct env_set installer, build, direct;

	assert_int_equal(env_for_role(p, ROLE_INSTALLER, environment, key, &installer), 0);
	assert_int_equal(env_for_role(p, ROLE_BUILD, installer.envp, key, &build), 0);
	assert_int_equal(env_for_role(p, ROLE_BUILD, environment, key, &direct), 0);
	for (size_t i = 0; direct.envp[i] || build.envp[i]; i++)
		assert_string_equal(direct.envp[i], build.envp[i]);
	env_set_finish(&installer);
	env_set_finish(&build);
	env_set_finish(&direct);
	policy_free(p);
}

static void passed_through(void **state)
{
	struct policy_error err;
	struct policy *p = fresh();
	struct env_set s;

	assert_int_equal(policy_allow_env(p, ROLE_BUILD, "DB", &err), 0);
	assert_int_equal(policy_allow_env(p, ROLE_BUILD, "SHORT_TOKEN", &err), 0);
	finished(p);
	assert_int_equal(env_for_role(p, ROLE_BUILD, environment, key, &s), 0);
	assert_string_equal(find(s.envp, "DB"), "postgres://u:longpassword1@h/d");
	assert_string_equal(find(s.envp, "SHORT_TOKEN"), "abc");
	env_set_finish(&s);
	char **secrets = env_secrets(p, environment, NULL);
	assert_true(has(secrets, "longpassword1"));
	env_secrets_free(secrets);
	policy_free(p);
}

static void redaction(void **state)
{
	struct policy *p = with(NULL);
	char **secrets = env_secrets(p, environment, NULL);
	char option[] = "--proxy=http://someone:sesame-opens@h:1", url[] = "https://ann:t0ken0of0an0index@h/simple", poor[] = "https://short:pw@h/";
	char *const empty[] = {NULL}, *const words[] = {option, url, poor, NULL};

	assert_true(has(secrets, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
	assert_true(has(secrets, "S3cretPassword"));
	assert_true(has(secrets, "longpassword1"));
	assert_false(has(secrets, "abc"));
	assert_false(has(secrets, "/usr/bin"));
	assert_false(has(secrets, "/tmp/agent"));
	for (size_t i = 1; secrets[i]; i++)
		assert_true(strlen(secrets[i - 1]) >= strlen(secrets[i]));
	for (size_t i = 0; secrets[i]; i++)
		assert_true(strlen(secrets[i]) >= 8);
	env_secrets_free(secrets);
	secrets = env_secrets(p, empty, words);
	assert_string_equal(secrets[0], "t0ken0of0an0index");
	assert_string_equal(secrets[1], "sesame-opens");
	assert_null(secrets[2]);
	env_secrets_free(secrets);
	secrets = env_secrets(p, empty, NULL);
	assert_non_null(secrets);
	assert_null(secrets[0]);
	env_secrets_free(secrets);
	policy_free(p);
}

/* Every file holds values of the run's own and nothing of its template's; one key gives one file. */
static void files(void **state)
{
	static const char *const others[] = {"/home/u/.ssh/id_rsa", "/home/u/project/.env", "/etc/ssl/private/host.key", "/home/u/wallet.dat"};
	size_t count = 0;

	while (decoy_file_path(count)) {
		count++;
	}
	assert_int_equal(count, 9);
	for (size_t i = 0; i < count + sizeof(others) / sizeof(*others); i++) {
		const char *path = i < count ? decoy_file_path(i) : others[i - count];
		char *one = decoy_file(key, path), *same = decoy_file(key, path), *other = decoy_file(other_key, path);
		assert_true(one && same && other && strlen(one) > 40);
		assert_string_equal(one, same);
		assert_string_not_equal(one, other);
		assert_null(strstr(one, "{{"));
		assert_null(strstr(one, "}}"));
		assert_null(strstr(one, "Q7wErT9yUiOp2A")); /* of the samples */
		assert_int_equal(one[strlen(one) - 1], '\n');
		free(one);
		free(same);
		free(other);
	}
	char *ssh = decoy_file(key, others[0]);
	assert_true(shape_is_secret(ssh));
	assert_int_equal(strncmp(ssh, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA", 56), 0);
	free(ssh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape_stays), cmocka_unit_test(nothing_of_the_original), cmocka_unit_test(deterministic),
		cmocka_unit_test(decoy_of_a_decoy), cmocka_unit_test(no_prefix_by_chance), cmocka_unit_test(prefixes), cmocka_unit_test(checksums), cmocka_unit_test(removed),
		cmocka_unit_test(userinfo), cmocka_unit_test(roles), cmocka_unit_test(one_decoy_a_run), cmocka_unit_test(passed_through),
		cmocka_unit_test(files), cmocka_unit_test(redaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
