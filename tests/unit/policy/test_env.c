#include "common.h"

#include "policy/shape.h"

static void expect(enum role role, const char *name, const char *value, enum env_class class)
{
	enum env_class is = policy_env(builtin, role, name, value);

	if (is != class)
		fail_msg("%s for %s: %d, expected %d", name, role_name(role), is, class);
}

/* Names that look secret and are not. */
static void must_pass(void **state)
{
	static const char *const names[] = {
		"PWD", "OLDPWD", "KEYBOARD", "XKB_DEFAULT_LAYOUT", "MONKEYTYPE_TRACE_MODULES", "TOKENIZERS_PARALLELISM", "PASSENGER_ROOT", "AUTHOR",
		"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "COMPASS_HOME",
		"BYPASS_CACHE", "PIP_KEYRING_PROVIDER", "PYTHON_KEYRING_BACKEND", "SOURCE_DATE_EPOCH", "SETUPTOOLS_SCM_PRETEND_VERSION",
		"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_X", "PIP_NO_BUILD_ISOLATION", "CARGO_NET_GIT_FETCH_WITH_CLI", "ACCESSIBILITY_ENABLED",
		"GTK_IM_MODULE", "XDG_SESSION_ID", "XDG_SESSION_TYPE", "SESSION_MANAGER", "DESKTOP_SESSION", "CONDA_PREFIX",
		"HOMEBREW_PREFIX", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT",
		"NVIDIA_VISIBLE_DEVICES", "KEYTIMEOUT", "LESSKEY", "USER", "LOGNAME", "HOSTNAME", "HOME", "PATH", "CFLAGS", "MAX_JOBS",
		"SECRETARY_NAME", "MAKEFLAGS", "LS_COLORS", "GPG_KEY", "KEY", "GIT_CONFIG_VALUE_0", "LD_PRELOAD", "PYTHONPATH", NULL,
	};

	for (int i = 0; names[i]; i++)
		for (int role = 0; role < ROLE_COUNT; role++)
			expect((enum role)role, names[i], "/some/ordinary:value", ENV_PUBLIC);
}

static void secret_names(void **state)
{
	static const char *const names[] = {
		"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "github_token", "OPENAI_API_KEY", "PGPASSWORD", "MYSQL_PWD", "DATABASE_URL", "APP_KEY",
		"NGROK_AUTHTOKEN", "SYSTEM_ACCESSTOKEN", "BW_CLIENTSECRET", "TAILSCALE_AUTHKEY", "TF_TOKEN_app_terraform_io", "TF_VAR_db_password",
		"DISCORD_WEBHOOK_URL", "JFROG_CLI_ACCESS_TOKEN_2", "HELM_REPO_PASSWORD", "BUNDLE_GEMS__COM", "OP_SESSION_my",
		/* in no list */
		"MY_TOKEN", "MY_TOKEN2", "my-secret", "DB_PASS", "ACME.API.KEY", "X_PRIVATE_KEY", "SEED_WORDS", "FOO_LICENSE_KEY", "COMPOSER_AUTH",
		"CORP_SSH_KEY", "XDSN_DSN", "SOMEAPIKEY", "SESSION_TOKEN", "SLACK_WEBHOOK", "ADMIN_PASSWD", "SERVICE_ACCOUNT_JSON",
		"HOMEBREW_GITHUB_API_TOKEN", NULL,
	};

	for (int i = 0; names[i]; i++)
		for (int role = 0; role < ROLE_COUNT; role++)
			expect((enum role)role, names[i], "some-value-1234567", ENV_SECRET);
	expect(ROLE_BUILD, "GITHUB_TOKEN", "", ENV_PUBLIC);
}

static void plain_settings(void **state)
{
	expect(ROLE_BUILD, "MAX_TOKENS", "4096", ENV_PUBLIC);
	expect(ROLE_BUILD, "OTP_VERSION", "26.2.1", ENV_PUBLIC);
	expect(ROLE_BUILD, "USE_AUTH", "True", ENV_PUBLIC);
	expect(ROLE_BUILD, "MY_OTP", "123456", ENV_SECRET);
	expect(ROLE_BUILD, "MY_TOKEN", "no-way", ENV_SECRET);
	expect(ROLE_BUILD, "GITHUB_TOKEN", "true", ENV_SECRET);
}

static void pointers(void **state)
{
	static const char *const names[] = {"SSH_AUTH_SOCK", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "KUBECONFIG", "DOCKER_HOST",
					    "AWS_SHARED_CREDENTIALS_FILE", "PODMAN_ANY", "PIP_CONFIG_FILE", "NETRC", "HTTPS_PROXY", "https_proxy", "All_Proxy", "no_proxy",
					    "PIP_PROXY", NULL};

	for (int i = 0; names[i]; i++) {
		expect(ROLE_BUILD, names[i], "/some/where", ENV_POINTER);
		expect(ROLE_GUEST, names[i], "/some/where", ENV_POINTER);
		expect(ROLE_INSTALLER, names[i], "/some/where", ENV_PUBLIC);
		expect(ROLE_BUILD, names[i], "/dev/null", ENV_PUBLIC);
	}
}

static void installers_own(void **state)
{
	static const char *const names[] = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", NULL};

	for (int i = 0; names[i]; i++)
		for (int role = 0; role < ROLE_COUNT; role++)
			expect((enum role)role, names[i], "https://user:password@index.example/", ENV_PUBLIC);
}

#define A34 "AbCdEfGhIjKlMnOpQrStUvWxYz01234567"

static void shapes(void **state)
{
	static const char *const secret[] = {
		"AKIA" "IOSFODNN7EXAMPLE", "ghp_" A34 "89", "gho_" A34 "89", "github_pat_" A34 A34, "glpat-" "abcdefghij0123456789",
		"pypi-" "AgEI" A34 A34, "npm_" A34 "89", "hf_" "abcdefghijABCDEFGHIJabcdefghijABCD", "sk-ant-api03-" A34 A34, "sk-proj-" A34 A34,
		"sk-" "abcdefghij0123456789" "T3BlbkFJ" "abcdefghij0123456789", "xoxb-" A34, "12345678:A" A34,
		"-----BEGIN OPENSSH PRIVATE KEY-----\nxyz", "AGE-SECRET-KEY-1" "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUV",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk", "postgres://u:p@host/db", "see https://a:b@c/ there",
		"https://" A34 "@host/", "https://hooks.slack.com/services/T0/B0/x", "AUTHORIZATION: basic xyz", "x=ghp_" A34 "89",
		"postgres://u:pa/ss@host/db", NULL,
	};
	static const char *const plain[] = {
		"", "hello", "/usr/bin:/bin", "https://host/path", "https://host:443/p", "git+https://host/repo@v1", "ssh://git@host/repo",
		"0123456789abcdef0123456789abcdef01234567", "xAKIA" "IOSFODNN7EXAMPLE", "ghp_short", "-----BEGIN CERTIFICATE-----", "sk-learn",
		"hf_transfer", "user@host", "https://host/@scope/pkg:1", "eyJ.x.y", "https://[::1]:80/x@y", "https://user@host/", "12345:B" A34, NULL,
	};

	for (int i = 0; secret[i]; i++)
		if (!shape_is_secret(secret[i]))
			fail_msg("not secret: entry %d", i);
	for (int i = 0; plain[i]; i++)
		if (shape_is_secret(plain[i]))
			fail_msg("secret: \"%s\"", plain[i]);
	expect(ROLE_BUILD, "HARMLESS", secret[0], ENV_SECRET);
	expect(ROLE_INSTALLER, "CI_REPOSITORY_URL", "https://ci:token12345@host/x", ENV_SECRET);
	expect(ROLE_BUILD, "PATH", secret[0], ENV_PUBLIC);
}

static void options(void **state)
{
	struct policy_error err;
	struct policy *p = fresh();

	assert_int_equal(policy_allow_env(p, ROLE_GUEST, "TWINE_PASSWORD", &err), 0);
	assert_int_equal(policy_allow_env(p, ROLE_GUEST, "build:AWS_*", &err), 0);
	assert_int_equal(policy_allow_env(p, ROLE_GUEST, "SSH_AUTH_SOCK", &err), 0);
	assert_int_equal(policy_allow_env(p, ROLE_GUEST, "", &err), -1);
	assert_int_equal(policy_allow_env(p, ROLE_GUEST, "*", &err), -1);
	assert_int_equal(policy_allow_env(p, ROLE_GUEST, "A=B", &err), -1);
	finished(p);
	assert_int_equal(policy_env(p, ROLE_GUEST, "TWINE_PASSWORD", "xxxxxxxxx"), ENV_PUBLIC);
	assert_int_equal(policy_env(p, ROLE_BUILD, "TWINE_PASSWORD", "xxxxxxxxx"), ENV_SECRET);
	assert_int_equal(policy_env(p, ROLE_BUILD, "AWS_SESSION_TOKEN", "xxxxxxxxx"), ENV_PUBLIC);
	assert_int_equal(policy_env(p, ROLE_GUEST, "AWS_SESSION_TOKEN", "xxxxxxxxx"), ENV_SECRET);
	assert_int_equal(policy_env(p, ROLE_GUEST, "SSH_AUTH_SOCK", "/x"), ENV_PUBLIC);
	policy_free(p);
}

static void layers(void **state)
{
	struct policy *p = with("{\"version\": 1, \"environment\": {\"public\": [\"GITHUB_TOKEN\", \"MYAPP_*\"], \"secret\": [\"MYAPP_REAL_*\", \"CI\"]}}");

	assert_int_equal(policy_env(p, ROLE_BUILD, "GITHUB_TOKEN", "x"), ENV_PUBLIC);
	assert_int_equal(policy_env(p, ROLE_BUILD, "MYAPP_TOKEN", "x"), ENV_PUBLIC);
	assert_int_equal(policy_env(p, ROLE_BUILD, "MYAPP_REAL_X", "x"), ENV_SECRET);
	assert_int_equal(policy_env(p, ROLE_BUILD, "CI", "x"), ENV_SECRET);
	policy_free(p);
}

static void long_names(void **state)
{
	char name[600];

	memset(name, 'A', sizeof(name));
	strcpy(name + 580, "_TOKEN");
	expect(ROLE_BUILD, name, "x", ENV_SECRET);
	expect(ROLE_BUILD, "", "x", ENV_PUBLIC);
	expect(ROLE_BUILD, "___", "x", ENV_PUBLIC);
	expect(ROLE_BUILD, "123", "x", ENV_PUBLIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_pass), cmocka_unit_test(secret_names), cmocka_unit_test(plain_settings), cmocka_unit_test(pointers), cmocka_unit_test(installers_own),
		cmocka_unit_test(shapes), cmocka_unit_test(options), cmocka_unit_test(layers), cmocka_unit_test(long_names),
	};

	return cmocka_run_group_tests(tests, builtin_setup, builtin_teardown);
}
