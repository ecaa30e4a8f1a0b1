#include "common.h"

static void expect(const char *path, enum file_access access, const char *rule)
{
	struct verdict v = {.rule = ""};
	bool found = policy_file(builtin, path, access, &v);

	if (found != (rule != NULL) || (rule && strcmp(v.rule, rule)))
		fail_msg("%s: %s, expected %s", path, found ? v.rule : "nothing", rule ? rule : "nothing");
}

static void secrets(void **state)
{
	static const char *const table[][2] = {
		{"/home/ann/.ssh/id_ed25519", "file.ssh-key"}, {"/root/.ssh/work", "file.ssh-key"},
		{"/srv/people/bob/.ssh/id_rsa", "file.ssh-key"}, {"/home/ann/.ssh", "file.ssh"},
		{"/home/ann/.ssh/known_hosts", "file.ssh"}, {"/home/ann/.ssh/id_rsa.pub", "file.ssh"},
		{"/home/ann/.ssh/config", "file.ssh"}, {"/etc/ssh/ssh_host_rsa_key", "file.ssh-key"},
		{"/home/ann/.aws/credentials", "file.aws"}, {"/home/ann/.aws/sso/cache/x.json", "file.aws"},
		{"/home/ann/.config/gcloud/credentials.db", "file.gcloud"}, {"/home/ann/.gnupg/private-keys-v1.d/x.key", "file.gnupg"},
		{"/home/ann/.kube/config", "file.kube"}, {"/run/secrets/kubernetes.io/serviceaccount/token", "file.kube"},
		{"/home/ann/.config/google-chrome/Default/Login Data", "file.browser"}, {"/home/ann/.bash_history", "file.history"},
		{"/home/ann/work/app/.env", "file.dotenv"}, {"/home/ann/work/app/.env.production", "file.dotenv"}, {"/app/x/.env", "file.dotenv"},
		{"/home/ann/notes/passwords.kdbx", "file.vault"}, {"/etc/shadow", "file.shadow"}, {"/etc/shadow-", "file.shadow"},
		{"/etc/sudoers", "file.shadow"}, {"/etc/sudoers.d/x", "file.shadow"}, {"/home/ann/.netrc", "file.netrc"},
		{"/home/ann/.pypirc", "file.pypirc"}, {"/etc/pip.conf", "file.pip-config"}, {"/home/ann/.gitconfig", "file.git-config"},
		{"/etc/ssl/private/x.key", "file.tls-key"}, {"/proc/kcore", "file.memory"},
		{"/run/user/1000/containers/auth.json", "file.docker"},
		{"/opt/shop/.env", "file.dotenv"}, {"/opt/shop/.env.production", "file.dotenv"}, {"/var/lib/shop/x/.env", "file.dotenv"},
		{"/opt/shop/tls/server.pem", "file.system-pem"}, {"/opt/shop/tls/server-key.pem", "file.system-key"}, {"/etc/shop/server.key", "file.system-key"},
		{"/opt/shop/config.php", "file.application"}, {"/opt/shop/conf/secrets/db", "file.application"}, {"/var/lib/ci/.ssh/config", "file.application"},
		{"/run/secrets/db_password", "file.container-secret"}, {"/opt/venv/pip.conf", "file.pip-config"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		expect(table[i][0], FILE_READ, table[i][1]);
}

/* Names alone say nothing; other systems' places neither. */
static void not_secret(void **state)
{
	static const char *const table[] = {
		"/", "", "relative/.ssh/id_rsa", "/home", "/home/ann", "/home/ann/project/setup.py", "/home/ann/.sshx/id_rsa",
		"/home/eve/.ssh/id_rsa", "/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/openssl.cnf", "/etc/hosts",
		"/usr/lib/python3/dist-packages/certifi/cacert.pem", "/usr/share/doc/x/server.key",
		"/home/ann/venv/lib/python3.11/site-packages/paramiko/tests/id_rsa",
		"/home/ann/venv/lib/python3.11/site-packages/x/.env", "/home/ann/p/.env.example", "/home/ann/p/.envrc",
		"/home/ann/p/x.pem", "/tmp/.ssh/id_rsa", "/tmp/x/.env", "/proc/self/environ", "/dev/null", "/home/ann/.cargo/config.toml",
		"/home/ann/.cargo/bin/cargo", "/home/ann/.cache/pip/http/x", "/home/ann/.local/lib/python3.11/site-packages/x.pth",
		"/home/ann/.bashrc", "/home/ann/.config", "/etc", "/opt/python/lib/python3.11/secrets.py", "/opt/conda/ssl/cacert.pem",
		"/opt/conda/lib/python3.11/site-packages/x/server.key", "/opt/python/lib/python3.11/test/ssl_key.pem", "/etc/ssl/certs/a.pem",
		"/var/lib/dpkg/status", "/opt/cuda/include/cuda.h", "/opt/tool/config.py", "/opt/shop/.env.example", NULL,
	};

	for (int i = 0; table[i]; i++)
		expect(table[i], FILE_READ, NULL);
}

static void persistence(void **state)
{
	static const char *const table[][2] = {
		{"/home/ann/.bashrc", "file.persistence.shell"}, {"/etc/profile.d/x.sh", "file.persistence.shell"},
		{"/home/ann/.config/systemd/user/x.service", "file.persistence.systemd"}, {"/etc/cron.d/x", "file.persistence.cron"},
		{"/etc/crontab", "file.persistence.cron"}, {"/var/spool/cron/crontabs/root", "file.persistence.cron"},
		{"/home/ann/.ssh/authorized_keys", "file.persistence.ssh"}, {"/home/ann/.ssh/config", "file.persistence.ssh"},
		{"/etc/ld.so.preload", "file.persistence.loader"}, {"/home/ann/.config/pip/pip.conf", "file.persistence.pip"},
		{"/home/ann/.local/lib/python3.11/site-packages/x.pth", "file.persistence.python"},
		{"/home/ann/.local/lib/python3.11/site-packages/usercustomize.py", "file.persistence.python"},
		{"/home/ann/p/.git/hooks/pre-commit", "file.persistence.git"}, {"/home/ann/p/.github/workflows/x.yml", "file.persistence.ci"},
		{"/home/ann/.local/bin/ls", "file.persistence.bin"}, {"/home/ann/.claude/settings.json", "file.persistence.agent"},
		{"/etc/shadow", "file.persistence.accounts"}, {"/home/ann/.npmrc", "file.persistence.registry"},
		{"/home/ann/p/.vscode/tasks.json", "file.persistence.editor"},
		/* no persistence place: the secret speaks */
		{"/home/ann/.aws/credentials", "file.aws"}, {"/home/ann/.ssh/id_rsa", "file.ssh-key"}, {"/home/ann/.bash_history", "file.history"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		expect(table[i][0], FILE_WRITE, table[i][1]);
	expect("/home/ann/.local/lib/python3.11/site-packages/x/y.py", FILE_WRITE, NULL);
	expect("/tmp/x/.git/hooks/pre-commit", FILE_WRITE, NULL);
	expect("/usr/lib/python3/dist-packages/__pycache__/x.pyc", FILE_WRITE, NULL);
	expect("/home/ann/project/x.c", FILE_WRITE, NULL);
}

static void severities(void **state)
{
	struct verdict v;

	assert_true(policy_file(builtin, "/home/ann/.ssh/id_rsa", FILE_READ, &v));
	assert_int_equal(v.severity, SEV_CRITICAL);
	assert_int_equal(v.action, ACTION_ABORT);
	assert_string_equal(v.kind, "SSH key");
	assert_true(policy_file(builtin, "/home/ann/.ssh/config", FILE_READ, &v));
	assert_int_equal(v.action, ACTION_DENY);
	assert_true(policy_file(builtin, "/home/ann/.bashrc", FILE_WRITE, &v));
	assert_int_equal(v.action, ACTION_ABORT);
	assert_true(policy_file(builtin, "/home/ann/.gitconfig", FILE_READ, &v));
	assert_int_equal(v.severity, SEV_INFO);
	assert_true(policy_file(builtin, "/home/ann/.netrc", FILE_READ, &v));
	assert_int_equal(v.action, ACTION_DENY);
}

static void specific_and_severe(void **state)
{
	struct verdict v;
	struct policy *p = with("{\"version\": 1, \"files\": {\"secret\": ["
				"{\"id\": \"x.all\", \"severity\": \"critical\", \"paths\": [\"/data/**\"]},"
				"{\"id\": \"x.one\", \"severity\": \"low\", \"paths\": [\"/data/one/*.txt\"], \"except\": [\"/data/one/free.txt\"]},"
				"{\"id\": \"x.deep\", \"severity\": \"high\", \"paths\": [\"**/*.topsecret\"]},"
				"{\"id\": \"x.tie\", \"severity\": \"high\", \"paths\": [\"/data/**\"]},"
				"{\"id\": \"file.ssh-key\", \"remove\": true},"
				"{\"id\": \"file.aws\", \"severity\": \"low\", \"paths\": [\"~/.aws/credentials\"]}]}}");

	assert_true(policy_file(p, "/data/two/a.txt", FILE_READ, &v));
	assert_string_equal(v.rule, "x.all");
	assert_true(policy_file(p, "/data/one/a.txt", FILE_READ, &v));
	assert_string_equal(v.rule, "x.one");
	assert_true(policy_file(p, "/data/one/free.txt", FILE_READ, &v));
	assert_string_equal(v.rule, "x.all");
	assert_true(policy_file(p, "/anywhere/a.topsecret", FILE_READ, &v));
	assert_string_equal(v.rule, "x.deep");
	assert_true(policy_file(p, "/home/ann/.ssh/id_rsa", FILE_READ, &v));
	assert_string_equal(v.rule, "file.ssh");
	assert_true(policy_file(p, "/home/ann/.aws/credentials", FILE_READ, &v));
	assert_int_equal(v.severity, SEV_LOW);
	assert_false(policy_file(p, "/home/ann/.aws/config", FILE_READ, &v));
	policy_free(p);
}

static void expect_conflict(const char *path, enum file_access access, bool conflict)
{
	const char *what = NULL;

	if (policy_grant_conflict(builtin, path, access, &what) != conflict)
		fail_msg("%s for %s: %s", path, access == FILE_WRITE ? "write" : "read", conflict ? "no conflict" : what);
	if (conflict)
		assert_non_null(what);
}

static void grant_conflicts(void **state)
{
	static const char *const both[] = {"/", "/home", "/home/ann", "/root", "/srv", "/srv/people", "/srv/people/bob", "/home/ann/.ssh",
					   "/home/ann/.ssh/x", "/home/ann/.aws", "/home/ann/.config", "/home/ann/.config/google-chrome",
					   "/home/ann/.config/google-chrome/Default", "/home/ann/.local/share", "/home/ann/.local", "/etc", "/proc", "/proc/1",
					   "/dev", "/run", "/var", "/etc/shadow", "/home/ann/.ssh/id_rsa", "/home/ann/p/.env", "relative", "",
					   "/home/ann/.bash_history", "/etc/ssl", "/var/lib", NULL};
	static const char *const writes[] = {"/home/ann/.local/bin", "/home/ann/.bashrc", "/home/ann/.config/pip", "/etc/cron.d", "/etc/x",
					     "/usr", "/usr/bin", "/usr/lib/x", "/boot/x", "/sys/x", "/lib", "/home/ann/.local/lib",
					     "/home/ann/.vim", NULL};
	static const char *const neither[] = {"/tmp/x", "/tmp", "/home/ann/project", "/home/ann/project/dist", "/opt/x", "/srv/www", "/usr/local",
					      "/home/ann/.cache/pip", "/mnt", "/data", "/dev/null", "/dev/shm/x", "/app", "/app/x",
					      "/home/ann/.sshx", "/home/annx", "/var/tmp/x", "/install", NULL};
	static const char *const reads[] = {"/usr", "/usr/lib", "/lib", "/home/ann/.bashrc", "/etc/hosts", "/etc/ssl/certs", "/home/ann/.gitconfig",
					    "/home/ann/.local/bin", "/sys", NULL};

	for (int i = 0; both[i]; i++) {
		expect_conflict(both[i], FILE_READ, true);
		expect_conflict(both[i], FILE_WRITE, true);
	}
	for (int i = 0; writes[i]; i++)
		expect_conflict(writes[i], FILE_WRITE, true);
	for (int i = 0; neither[i]; i++) {
		expect_conflict(neither[i], FILE_READ, false);
		expect_conflict(neither[i], FILE_WRITE, false);
	}
	for (int i = 0; reads[i]; i++)
		expect_conflict(reads[i], FILE_READ, false);
}

/* A program that is asked for passwords may be given a store that a rule names, and neither a home nor the right to write there. */
static void grants_of_helpers(void **state)
{
	const char *what;

	assert_false(policy_role_grant_conflict(builtin, ROLE_CREDENTIAL, "/home/ann/.password-store", FILE_READ, &what));
	assert_true(policy_role_grant_conflict(builtin, ROLE_CREDENTIAL, "/home/ann/.password-store", FILE_WRITE, &what));
	assert_true(policy_role_grant_conflict(builtin, ROLE_CREDENTIAL, "/home/ann", FILE_READ, &what));
	assert_true(policy_role_grant_conflict(builtin, ROLE_CREDENTIAL, "/", FILE_READ, &what));
	assert_true(policy_role_grant_conflict(builtin, ROLE_BUILD, "/home/ann/.password-store", FILE_READ, &what));
}

static void grants(void **state)
{
	struct policy_error err;
	struct policy *p = fresh();

	add(p, "{\"version\": 1, \"files\": {\"read\": {\"build\": [\"/data/x\", \"~/toolchain\"]}}}");
	assert_int_equal(policy_allow_path(p, ROLE_GUEST, FILE_READ, ".", "/home/ann/project", &err), 0);
	assert_int_equal(policy_allow_path(p, ROLE_GUEST, FILE_WRITE, "build:../out", "/home/ann/project", &err), 0);
	finished(p);
	const char *const *list = policy_grants(p, ROLE_BUILD, FILE_READ);
	assert_string_equal(list[0], "/data/x");
	assert_string_equal(list[1], "/home/ann/toolchain");
	assert_null(list[2]);
	list = policy_grants(p, ROLE_GUEST, FILE_READ);
	assert_string_equal(list[0], "/home/ann/project");
	assert_null(list[1]);
	assert_string_equal(policy_grants(p, ROLE_BUILD, FILE_WRITE)[0], "/home/ann/out");
	assert_null(policy_grants(p, ROLE_VCS, FILE_WRITE)[0]);
	policy_free(p);
}

/* A layer that names a role's list replaces it. */
static void grants_are_replaced(void **state)
{
	struct policy_error err;
	struct policy *p = fresh();

	add(p, "{\"version\": 1, \"files\": {\"read\": {\"build\": [\"/data/x\"]}}, \"network\": {\"build\": [\"a.example\"]}}");
	assert_int_equal(policy_allow_path(p, ROLE_BUILD, FILE_READ, "/opt/y", NULL, &err), 0);
	add(p, "{\"version\": 1, \"files\": {\"read\": {\"build\": []}}, \"network\": {\"build\": [\"b.example\"]}}");
	finished(p);
	assert_string_equal(policy_grants(p, ROLE_BUILD, FILE_READ)[0], "/opt/y");
	assert_null(policy_grants(p, ROLE_BUILD, FILE_READ)[1]);
	assert_false(policy_host_allowed(p, ROLE_BUILD, "a.example", 0));
	assert_true(policy_host_allowed(p, ROLE_BUILD, "b.example", 0));
	policy_free(p);
}

static void bad_grants(void **state)
{
	static const char *const specs[] = {"..", "/home/ann", "/", "/home/ann/.ssh", "/etc/../home", "/home/ann/project/../.ssh", NULL};
	struct policy_error err;

	for (int i = 0; specs[i]; i++) {
		struct policy *p = fresh();
		assert_int_equal(policy_allow_path(p, ROLE_GUEST, FILE_READ, specs[i], "/home/ann/project", &err), 0);
		err.message[0] = '\0';
		if (policy_finish(p, test_homes, &err) != -1)
			fail_msg("%s was granted", specs[i]);
		assert_non_null(strstr(err.message, "protected place"));
		policy_free(p);
	}
	struct policy *p = fresh();
	assert_int_equal(policy_allow_path(p, ROLE_GUEST, FILE_READ, "x", NULL, &err), -1);
	assert_int_equal(policy_allow_path(p, ROLE_GUEST, FILE_READ, "guest:", "/tmp", &err), -1);
	add(p, "{\"version\": 1,\n \"files\": {\"write\": {\"build\":\n  [\"~/.ssh/x\"]}}}");
	assert_int_equal(policy_finish(p, test_homes, &err), -1);
	assert_string_equal(err.file, "layer");
	assert_int_equal(err.line, 3);
	assert_int_equal(err.column, 4);
	policy_free(p);
}

static void many_homes(void **state)
{
	static char names[300][32];
	const char *homes[301] = {NULL};
	struct policy_error err;
	struct policy *p = fresh();

	for (int i = 0; i < 300; i++) {
		snprintf(names[i], sizeof(names[i]), "/home/user%d/", i);
		homes[i] = names[i];
	}
	homes[7] = "/";
	assert_int_equal(policy_finish(p, homes, &err), 0);
	assert_true(policy_file(p, "/home/user299/.ssh/id_rsa", FILE_READ, NULL));
	assert_false(policy_file(p, "/home/user300/.ssh/id_rsa", FILE_READ, NULL));
	assert_false(policy_file(p, "/.ssh/id_rsa", FILE_READ, NULL));
	assert_true(policy_grant_conflict(p, "/home/user5", FILE_READ, NULL));
	policy_free(p);
	p = fresh();
	assert_int_equal(policy_finish(p, (const char *[]){"/home/a*b", NULL}, &err), -1);
	policy_free(p);
}

struct project_row {
	const char *path;
	enum file_access access;
	const char *rule, *folded; /* NULL: nothing protected */
};

static void project_expect(const struct project_row *r)
{
	struct verdict v = {.rule = NULL};
	bool found = policy_project(builtin, r->path, r->access, &v);

	if (found != (r->rule != NULL) || (r->rule && strcmp(v.rule, r->rule)))
		fail_msg("%s: %s, expected %s", r->path, found ? v.rule : "nothing", r->rule ? r->rule : "nothing");
	found = policy_project_folded(builtin, r->path, r->access, &v);
	if (found != (r->folded != NULL) || (r->folded && strcmp(v.rule, r->folded)))
		fail_msg("%s, folded: %s, expected %s", r->path, found ? v.rule : "nothing", r->folded ? r->folded : "nothing");
}

static void projects(void **state)
{
	static const char env[] = "file.project.env", git[] = "file.project.git", hook[] = "file.persistence.project-git", ci[] = "file.persistence.project-ci",
	                  agent[] = "file.persistence.project-agent", planted[] = "file.project.git-planted", login[] = "file.project.login";
	static const struct project_row table[] = {
		{"/.env", FILE_READ, env, env}, {"/sub/.env.production", FILE_READ, env, env}, {"/.env-prod", FILE_READ, env, env}, {"/.env.example", FILE_READ, NULL, NULL},
		{"/.env-example", FILE_READ, NULL, NULL}, {"/.environment", FILE_READ, NULL, NULL}, {"/.ENV", FILE_READ, NULL, env},
		{"/.git", FILE_WRITE, git, git}, {"/a/.git/objects/x", FILE_WRITE, git, git}, {"/.git/hooks/x", FILE_WRITE, hook, hook}, {"/.git/hooks/x", FILE_READ, NULL, NULL},
		{"/.git/config", FILE_READ, NULL, NULL}, {"/.git/config~", FILE_READ, login, login}, {"/.git/.config.swp", FILE_READ, login, login},
		{"/.GIT/hooks/x", FILE_WRITE, NULL, hook}, {"/.g\xe2\x80\x8cit/hooks/x", FILE_WRITE, NULL, hook}, {"/GIT~1/hooks/x", FILE_WRITE, NULL, hook},
		{"/.git./hooks/x", FILE_WRITE, NULL, hook}, {"/.git /hooks/x", FILE_WRITE, NULL, hook}, {"/git~10", FILE_WRITE, NULL, NULL}, {"/\xef\xbb\xbf.git", FILE_WRITE, NULL, git},
		{"/Jenkinsfile", FILE_WRITE, ci, ci}, {"/jenkinsfile", FILE_WRITE, NULL, ci}, {"/sub/Jenkinsfile", FILE_WRITE, NULL, NULL},
		{"/CLAUDE.md", FILE_WRITE, agent, agent}, {"/claude.MD", FILE_WRITE, NULL, agent}, {"/build/lib/x/CLAUDE.md", FILE_WRITE, NULL, NULL},
		{"/docs/HEAD", FILE_WRITE, planted, planted}, {"/build/HEAD", FILE_WRITE, planted, planted}, {"/build/lib/x/HEAD", FILE_WRITE, NULL, NULL},
		{"/src/head", FILE_WRITE, NULL, planted}, {"/src/HEADER", FILE_WRITE, NULL, NULL}, {"/.git/HEAD", FILE_WRITE, git, git},
		{"/ci/pip.conf", FILE_WRITE, "file.persistence.project-pip", "file.persistence.project-pip"}, {"/ci/pip.conf", FILE_READ, login, login},
		{"/setup.py", FILE_WRITE, NULL, NULL}, {"/", FILE_WRITE, NULL, NULL}, {"/a..b/...", FILE_WRITE, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		project_expect(&table[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets), cmocka_unit_test(not_secret), cmocka_unit_test(persistence), cmocka_unit_test(severities),
		cmocka_unit_test(specific_and_severe), cmocka_unit_test(grant_conflicts), cmocka_unit_test(grants_of_helpers), cmocka_unit_test(grants),
		cmocka_unit_test(grants_are_replaced), cmocka_unit_test(bad_grants), cmocka_unit_test(many_homes),
		cmocka_unit_test(projects),
	};

	return cmocka_run_group_tests(tests, builtin_setup, builtin_teardown);
}
