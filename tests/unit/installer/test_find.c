/* Finding and planning, against trees of files that look like Python environments: nothing in them can run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/installer/support.h"

struct run {
	struct installer ins;
	struct installer_error err;
	char *home, *cwd;
	struct strings env;
	int result;
};

/* One variable more. */
static void run_variable(struct run *r, const char *name, const char *root, const char *rest)
{
	cleanup_text char *text = inst_format("%s=%s%s", name, root, rest);

	assert_int_equal(strings_add(&r->env, text), 0);
}

static void run_setup(struct run *r, const struct tree *t)
{
	*r = (struct run){ .home = tree_path(t, "home"), .cwd = tree_path(t, "work") };
	tree_dir(t, "home");
	tree_dir(t, "work");
	run_variable(r, "HOME", r->home, "");
	run_variable(r, "PATH", t->root, "/venv/bin:/usr/bin");
	run_variable(r, "XDG_CONFIG_DIRS", t->root, "/xdg");
}

static void run_end(struct run *r)
{
	installer_finish(&r->ins);
	strings_finish(&r->env);
	free(r->home);
	free(r->cwd);
}

/* Finds and, when that works, plans. */
static void run(struct run *r, const char *line)
{
	cleanup_strings struct strings words = { 0 };

	installer_finish(&r->ins);
	r->err = (struct installer_error){ 0 };
	strings_split(&words, line);
	r->result = installer_find(&r->ins, words.v, r->env.v, r->cwd, &r->err);
	if (!r->result) {
		r->result = installer_plan(&r->ins, NULL, r->env.v, r->cwd, r->home, &r->err);
	}
	if (!r->result && r->err.message[0]) {
		fail_msg("a message without a failure: %s", r->err.message);
	}
}

static void assert_runs(struct run *r, const char *line)
{
	run(r, line);
	if (r->result) {
		fail_msg("%s: %d %s", line, r->err.status, r->err.message);
	}
}

static void assert_refused(struct run *r, const char *line, int status, const char *word)
{
	run(r, line);
	if (!r->result) {
		fail_msg("%s: was not refused", line);
	}
	if (r->err.status != status || !strstr(r->err.message, word)) {
		fail_msg("%s: %d %s (wanted %d %s)", line, r->err.status, r->err.message, status, word);
	}
	assert_null(strchr(r->err.message, '\n'));
}

/* "host:port host:port" in the list's order, with a letter for the origin. */
static void assert_hosts(struct run *r, const char *line, const char *want)
{
	static const char letters[] = "DCEARP";
	cleanup_text char *got = inst_dup("");

	assert_runs(r, line);
	for (size_t i = 0; i < r->ins.host_count; i++) {
		const struct index_host *h = &r->ins.hosts[i];

		assert_null(strstr(h->where, "s3cret"));
		inst_set(&got, inst_format("%s%s%c:%s:%u", got, i ? " " : "", letters[h->origin], h->host, h->port));
	}
	assert_string_equal(got, want);
}

static void a_venv_is_read_from_its_files(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *site = tree_path(t, "venv/lib/python3.11/site-packages");
	cleanup_text char *prefix = tree_path(t, "venv");
	cleanup_text char *base = tree_path(t, "base");
	cleanup_text char *script = tree_path(t, "venv/bin/pip");
	cleanup_text char *main_file = inst_format("%s/pip/__main__.py", site);
	cleanup_text char *bin = tree_path(t, "venv/bin");
	cleanup_text char *share = tree_path(t, "venv/share");
	cleanup_text char *base_lib = tree_path(t, "base/lib");
	struct python_env *env = &r.ins.env;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	assert_runs(&r, "pip --version");
	assert_int_equal(env->write_dirs.n, 0);
	assert_int_equal(r.ins.host_count, 0);
	assert_string_equal(r.ins.command, "");
	assert_runs(&r, "pip install x");
	assert_string_equal(env->prefix, prefix);
	assert_string_equal(env->base_prefix, base);
	assert_string_equal(env->version, "3.11");
	assert_true(env->venv);
	assert_false(env->debian);
	assert_int_equal(env->site_dirs.n, 1);
	assert_string_equal(env->site_dirs.v[0], site);
	assert_string_equal(r.ins.pip_version, "23.2.1");
	assert_string_equal(r.ins.program, script);
	assert_false(r.ins.module);
	assert_true(strings_has(&env->write_dirs, site));
	assert_true(strings_has(&env->write_dirs, bin));
	assert_true(strings_has(&env->write_dirs, share));
	assert_true(strings_has(&env->make_dirs, share));
	assert_false(strings_has(&env->make_dirs, site));
	assert_true(strings_has(&env->read_dirs, bin));
	assert_true(strings_has(&env->read_dirs, base_lib));
	assert_int_equal(env->read_files.n, 1);
	for (size_t i = 0; i < env->write_dirs.n; i++) {
		assert_string_not_equal(env->write_dirs.v[i], prefix);
		assert_false(pathtext_below(env->write_dirs.v[i], base));
		assert_false(pathtext_below(env->write_dirs.v[i], r.home));
	}
	assert_runs(&r, "python -I -m pip -q install x");
	assert_string_equal(r.ins.program, main_file);
	assert_string_equal(r.ins.command, "install");
	assert_true(r.ins.module);
	assert_int_equal(env->interpreter_flags.n, 1);
	run_end(&r);
}

static void a_base_python_has_the_user_scheme(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *user = tree_path(t, "home/.local/lib/python3.11/site-packages");
	cleanup_text char *man = tree_path(t, "home/.local/share/man");
	cleanup_text char *share = tree_path(t, "home/.local/share");
	cleanup_text char *systemd = tree_path(t, "home/.local/share/systemd");
	cleanup_text char *library = tree_path(t, "base/lib/python3.11");
	cleanup_text char *site = tree_path(t, "base/lib/python3.11/site-packages");
	struct python_env env;
	cleanup_text char *python = tree_path(t, "base/bin/python3.11");

	tree_python(t, "23.2.1");
	tree_dir(t, "home/.local/share/systemd/user");
	run_setup(&r, t);
	assert_true(python_env_of_interpreter(python, r.env.v, r.home, &env));
	assert_false(env.venv);
	assert_int_equal(env.write_dirs.n, 0); /* a guest's: nobody writes there */
	python_env_writes(&env);
	assert_true(strings_has(&env.write_dirs, user));
	assert_true(strings_has(&env.write_dirs, site));
	assert_true(strings_has(&env.write_dirs, man));
	assert_false(strings_has(&env.write_dirs, share));
	assert_false(strings_has(&env.write_dirs, systemd));
	assert_false(strings_has(&env.write_dirs, library));
	python_env_finish(&env);
	assert_int_equal(strings_add(&r.env, "PYTHONNOUSERSITE=1"), 0);
	assert_true(python_env_of_interpreter(python, r.env.v, r.home, &env));
	python_env_writes(&env);
	assert_false(strings_has(&env.write_dirs, user));
	python_env_finish(&env);
	assert_false(python_env_of_interpreter("/nowhere/python", r.env.v, r.home, &env));
	run_end(&r);
}

static void only_what_the_command_needs_is_granted(void **state)
{
	const struct tree *t = *state;
	struct run r;
	struct python_env *env = &r.ins.env;
	cleanup_text char *user = tree_path(t, "home/.local/lib/python3.11/site-packages");
	cleanup_text char *bin = tree_path(t, "home/.local/bin");

	tree_python(t, "23.2.1");
	tree_dir(t, "home/.local/bin");
	tree_file(t, "base/lib/python3.11/site-packages/pip/__init__.py", 0644, "__version__ = '23.2.1'\n");
	tree_file(t, "base/lib/python3.11/site-packages/pip/_internal/models/index.py", 0644,
	          "PyPI = PackageIndex(\"https://index.example/\", file_storage_domain=\"files.example\")\n");
	run_setup(&r, t);
	inst_set(&r.env.v[1], inst_format("PATH=%s/base/bin", t->root));
	assert_runs(&r, "python3.11 -m pip list");
	assert_int_equal(env->write_dirs.n, 0);
	assert_int_equal(env->make_dirs.n, 0);
	assert_runs(&r, "python3.11 -m pip install x");
	assert_true(strings_has(&env->write_dirs, bin));
	assert_false(strings_has(&env->write_dirs, user));
	assert_runs(&r, "python3.11 -m pip install --user x");
	assert_true(strings_has(&env->write_dirs, user));
	assert_true(strings_has(&env->make_dirs, user));
	assert_runs(&r, "python3.11 -s -m pip install --user x");
	assert_false(strings_has(&env->write_dirs, user));
	run_end(&r);
}

static void scripts_say_their_environment(void **state)
{
	const struct tree *t = *state;
	struct run r;
	struct python_env env;
	cleanup_text char *prefix = tree_path(t, "venv");
	cleanup_text char *plain = tree_path(t, "venv/bin/tool");
	cleanup_text char *long_form = tree_path(t, "venv/bin/long");
	cleanup_text char *shell = tree_path(t, "venv/bin/shell");

	tree_python(t, "23.2.1");
	tree_file(t, "venv/bin/tool", 0755, "#!%s/venv/bin/python\n", t->root);
	tree_file(t, "venv/bin/long", 0755, "#!/bin/sh\n'''exec' \"%s/venv/bin/python\" \"$0\" \"$@\"\n' '''\n", t->root);
	tree_file(t, "venv/bin/shell", 0755, "#!/bin/sh\necho\n");
	run_setup(&r, t);
	assert_true(python_env_of_script(plain, r.env.v, r.home, &env));
	assert_string_equal(env.prefix, prefix);
	python_env_finish(&env);
	assert_true(python_env_of_script(long_form, r.env.v, r.home, &env));
	assert_string_equal(env.prefix, prefix);
	python_env_finish(&env);
	assert_false(python_env_of_script(shell, r.env.v, r.home, &env));
	run_end(&r);
}

static void what_is_no_pip_is_refused(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *old = NULL;

	tree_python(t, "20.2.4");
	run_setup(&r, t);
	assert_refused(&r, "pip list", 125, "20.2.4");
	assert_refused(&r, "pip-9.9 list", 127, "not found on PATH");
	assert_refused(&r, "./pip list", 127, "./pip");
	assert_refused(&r, "python -m venv x", 125, "-m pip");
	tree_file(t, "venv/bin/pip", 0755, "#!/bin/sh\nexec something\n");
	assert_refused(&r, "pip list", 126, "not a pip script");
	tree_file(t, "venv/bin/pip", 0755, "#!/nowhere/python\nfrom pip._internal import main\n");
	assert_refused(&r, "pip list", 126, "/nowhere/python");
	tree_file(t, "venv/bin/pip", 0644, "#!/bin/sh\n");
	tree_file(t, "venv/bin/pip3.11", 0644, "#!/bin/sh\n");
	old = inst_format("%s/venv/bin/pip list", t->root);
	assert_refused(&r, old, 126, "may not be executed");
	tree_file(t, "venv/bin/python3", 0755, "#!/bin/sh\nexec python\n");
	assert_refused(&r, "python3 -m pip list", 126, "not an interpreter");
	assert_int_equal(strings_add(&r.env, "PYTHONHOME=/x"), 0);
	assert_refused(&r, "python -m pip list", 125, "PYTHONHOME");
	run_end(&r);
}

static void a_project_does_not_choose_the_pip(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *in_tree = tree_path(t, "work/tools");

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	tree_file(t, "work/tools/pip", 0755, "#!%s/venv/bin/python\nfrom pip._internal import main\n", t->root);
	inst_set(&r.env.v[1], inst_format("PATH=%s:/usr/bin", in_tree));
	assert_refused(&r, "pip list", 126, "below the working directory");
	assert_runs(&r, "tools/pip list");
	run_variable(&r, "VIRTUAL_ENV", t->root, "/work");
	assert_runs(&r, "pip list");
	/* A home directory as the working directory is no project, but a relative entry of PATH is one everywhere. */
	inst_set(&r.env.v[0], inst_format("HOME=%s", r.cwd));
	inst_set(&r.env.v[3], inst_dup("X="));
	assert_runs(&r, "pip list");
	inst_set(&r.env.v[1], inst_dup("PATH=tools"));
	assert_int_equal(chdir(r.cwd), 0);
	assert_refused(&r, "pip list", 126, "below the working directory");
	assert_int_equal(chdir("/"), 0);
	run_end(&r);
}

static void shims_are_resolved_by_their_files(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *want = tree_path(t, "pyenv/versions/3.11.7/bin/pip");

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	tree_file(t, "pyenv/shims/pip", 0755, "#!/usr/bin/env bash\nexec pyenv exec pip \"$@\"\n");
	tree_file(t, "pyenv/versions/3.11.7/bin/pip", 0755, "#!%s/venv/bin/python\nfrom pip._internal import main\n", t->root);
	tree_dir(t, "pyenv/versions/3.11.2/bin");
	tree_file(t, "pyenv/version", 0644, "3.11.7\n");
	inst_set(&r.env.v[1], inst_format("PATH=%s/pyenv/shims:%s/venv/bin:/usr/bin", t->root, t->root));
	assert_runs(&r, "pip list");
	assert_string_equal(r.ins.program, want);
	tree_file(t, "work/.python-version", 0644, "# mine\n3.11\n");
	assert_runs(&r, "pip list");
	assert_string_equal(r.ins.program, want);
	tree_file(t, "work/.python-version", 0644, "3.12.1\n");
	assert_refused(&r, "pip list", 127, "3.12.1");
	tree_file(t, "work/.python-version", 0644, "../../work/x\n");
	assert_runs(&r, "pip list"); /* it climbs: not a version, the global one counts */
	tree_file(t, "work/.python-version", 0644, "system\n");
	assert_runs(&r, "pip list");
	assert_string_not_equal(r.ins.program, want);
	assert_int_equal(strings_add(&r.env, "PYENV_VERSION=3.9.1:3.11.7"), 0);
	assert_runs(&r, "pip list");
	assert_string_equal(r.ins.program, want);
	tree_file(t, "pyenv/shims/pip", 0755, "#!/usr/bin/env bash\nexec rtx exec pip \"$@\"\n");
	assert_refused(&r, "pip list", 126, "rtx which pip");
	run_end(&r);
}

static void assert_program(struct run *r, const struct tree *t, const char *program)
{
	cleanup_text char *want = tree_path(t, program);

	assert_runs(r, "pip list");
	assert_string_equal(r->ins.program, want);
}

static void asdf_and_mise_choose(void **state)
{
	const struct tree *t = *state;
	struct run r;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	for (int mise = 0; mise < 2; mise++) {
		static const char *const versions[] = { "3.11.7", "3.11.2", "3.12.1" };
		const char *manager = mise ? "mise" : "asdf";

		for (size_t i = 0; i < 3; i++) {
			cleanup_text char *pip = inst_format("%s/installs/python/%s/bin/pip", manager, versions[i]);

			tree_file(t, pip, 0755, "#!%s/venv/bin/python\nfrom pip._internal import main\n", t->root);
		}
	}
	tree_file(t, "asdf/shims/pip", 0755, "#!/usr/bin/env bash\n# asdf-plugin: python 3.11.7\nexec asdf exec \"pip\" \"$@\"\n");
	inst_set(&r.env.v[1], inst_format("PATH=%s/asdf/shims:%s/venv/bin:/usr/bin", t->root, t->root));
	assert_refused(&r, "pip list", 127, "asdf which pip");
	tree_file(t, "home/.tool-versions", 0644, "nodejs 20.1\npython 3.11.2 # mine\n");
	assert_program(&r, t, "asdf/installs/python/3.11.2/bin/pip");
	tree_file(t, "work/.python-version", 0644, "3.12.1\n");
	assert_program(&r, t, "asdf/installs/python/3.11.2/bin/pip"); /* not read unless told to */
	tree_file(t, "home/.asdfrc", 0644, "legacy_version_file = yes\n");
	assert_program(&r, t, "asdf/installs/python/3.12.1/bin/pip");
	tree_file(t, "work/.tool-versions", 0644, "python 3.9.1 3.11.7\n");
	assert_program(&r, t, "asdf/installs/python/3.11.7/bin/pip");
	tree_file(t, "work/.tool-versions", 0644, "python system\n");
	assert_program(&r, t, "venv/bin/pip");
	tree_file(t, "work/.tool-versions", 0644, "python ../../../work\n");
	assert_refused(&r, "pip list", 127, "asdf which pip");
	assert_int_equal(strings_add(&r.env, "ASDF_PYTHON_VERSION=3.12.1"), 0);
	assert_program(&r, t, "asdf/installs/python/3.12.1/bin/pip");

	tree_file(t, "mise/bin/mise", 0755, "\177ELF");
	tree_link(t, "mise/shims/pip", "../bin/mise");
	inst_set(&r.env.v[1], inst_format("PATH=%s/mise/shims:%s/venv/bin:/usr/bin", t->root, t->root));
	tree_file(t, "home/.tool-versions", 0644, "nodejs 20.1\n");
	tree_file(t, "work/.tool-versions", 0644, "nodejs 20.1\n");
	assert_refused(&r, "pip list", 126, ".python-version");
	cleanup_text char *dot = tree_path(t, "work/.python-version");
	assert_int_equal(unlink(dot), 0);
	assert_program(&r, t, "venv/bin/pip"); /* nothing is chosen: what comes next on PATH */
	tree_file(t, "work/.tool-versions", 0644, "python 3.11\n");
	assert_program(&r, t, "mise/installs/python/3.11.7/bin/pip");
	tree_file(t, "work/mise.toml", 0644, "[env]\npython = \"no\"\n[tools]\nnode = \"20\"\n\"python\" = ['3.12', \"3.11\"]\n");
	assert_program(&r, t, "mise/installs/python/3.12.1/bin/pip");
	tree_file(t, "work/mise.toml", 0644, "tools.python = \"3.11.2\"\n");
	assert_program(&r, t, "mise/installs/python/3.11.2/bin/pip");
	tree_file(t, "work/mise.toml", 0644, "[tools]\npython = { version = \"3.11\" }\n");
	assert_refused(&r, "pip list", 126, "mise which pip");
	tree_file(t, "work/mise.toml", 0644, "[tools]\npython = \"{{ env.X }}\"\n");
	assert_refused(&r, "pip list", 126, "mise which pip");
	tree_file(t, "work/mise.toml", 0644, "[tools.python]\nversion = \"3.11\"\n");
	assert_refused(&r, "pip list", 126, "mise.toml");
	assert_int_equal(strings_add(&r.env, "MISE_PYTHON_VERSION=3.12"), 0);
	assert_program(&r, t, "mise/installs/python/3.12.1/bin/pip");
	assert_int_equal(strings_add(&r.env, "MISE_ENV=ci"), 0);
	assert_refused(&r, "pip list", 126, "MISE_ENV");
	run_end(&r);
}

static void hosts_are_those_that_pip_would_reach(void **state)
{
	const struct tree *t = *state;
	struct run r;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	assert_hosts(&r, "pip install x", "D:files.example:443 D:index.example:443");
	assert_hosts(&r, "pip freeze", "");
	assert_hosts(&r, "pip install --no-index x", "");
	assert_hosts(&r, "pip install -i https://u:s3cret@mirror.example/simple x", "A:mirror.example:443");
	assert_hosts(&r, "pip install --index https://index.example/other x", "A:index.example:443 D:files.example:443");
	assert_hosts(&r, "pip install --extra-index-url http://e.example:81/ x", "A:e.example:81 D:files.example:443 D:index.example:443");
	assert_hosts(&r, "pip install --no-index -f https://l.example/x -f /local x", "A:l.example:443");
	assert_hosts(&r, "pip install --no-index https://d.example/a.whl b@http://d.example/b.whl", "A:d.example:443 A:d.example:80");
	assert_hosts(&r, "pip install --no-index -r https://r.example/r.txt", "A:r.example:443");
	assert_hosts(&r, "pip install --proxy p.example:3128 --no-index x", "P:p.example:3128");

	tree_file(t, "venv/pip.conf", 0644, "[global]\nindex-url = https://site.example/s\n[download]\nindex-url = https://download.example/\n");
	tree_file(t, "home/.config/pip/pip.conf", 0644, "[global]\nindex-url = https://user.example/\nextra-index-url =\n https://one.example\n https://two.example\n");
	assert_hosts(&r, "pip install x", "C:site.example:443 C:one.example:443 C:two.example:443");
	assert_hosts(&r, "pip download x", "C:download.example:443 C:one.example:443 C:two.example:443");
	assert_hosts(&r, "pip --isolated install x", "C:site.example:443");
	assert_int_equal(strings_add(&r.env, "PIP_INDEX_URL=https://u:s3cret@env.example/"), 0);
	assert_int_equal(strings_add(&r.env, "PIP_EXTRA_INDEX_URL="), 0);
	assert_int_equal(strings_add(&r.env, "HTTPS_PROXY=http://u:s3cret@proxy.example"), 0);
	assert_hosts(&r, "pip install x", "E:env.example:443 C:one.example:443 C:two.example:443 P:proxy.example:80");
	assert_hosts(&r, "pip install --isolated x", "C:site.example:443 P:proxy.example:80");
	assert_hosts(&r, "pip install --no-proxy-env -i https://a.example x", "A:a.example:443 C:one.example:443 C:two.example:443");
	assert_int_equal(strings_add(&r.env, "PIP_CONFIG_FILE=/dev/null"), 0);
	assert_hosts(&r, "pip install x", "E:env.example:443 P:proxy.example:80");
	inst_set(&r.env.v[r.env.n - 1], inst_format("PIP_CONFIG_FILE=%s/own.conf", t->root));
	tree_file(t, "own.conf", 0644, "[install]\nfind-links = https://own.example\n");
	assert_hosts(&r, "pip install x", "E:env.example:443 C:own.example:443 P:proxy.example:80");
	run_end(&r);
}

static void requirements_files_are_followed(void **state)
{
	const struct tree *t = *state;
	struct run r;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	tree_file(t, "work/a.txt", 0644, "x\n-r sub/b.txt\n-c c.txt\n");
	tree_file(t, "work/sub/b.txt", 0644, "--extra-index-url https://b.example/\n-r ../a.txt\nz @ https://z.example/z.whl\n");
	tree_file(t, "work/c.txt", 0644, "-i https://${CHOSEN}/simple\n");
	assert_int_equal(strings_add(&r.env, "CHOSEN=c.example"), 0);
	assert_hosts(&r, "pip install -ra.txt", "R:c.example:443 D:files.example:443 D:index.example:443 R:z.example:443");
	tree_file(t, "work/c.txt", 0644, "e\nf @ ssh://git@x.example/f\n");
	assert_refused(&r, "pip install -r a.txt", 125, "c.txt:2: this repository's URL is not understood");
	assert_refused(&r, "pip install -r /dev/null", 125, "not a regular file");
	assert_runs(&r, "pip install -r missing.txt"); /* pip's own message */
	run_end(&r);
}

/* Repositories of the last line that ran, as "HOST:PORT NAME" and "-e " before an editable one. */
static void assert_repositories(struct run *r, const char *line, const char *expected)
{
	cleanup_text char *got = inst_dup("");

	assert_runs(r, line);
	for (size_t i = 0; i < r->ins.vcs_count; i++) {
		const struct vcs_requirement *one = &r->ins.vcs[i];
		inst_set(&got, inst_format("%s%s%s%s:%u %s", got, i ? ", " : "", one->editable ? "-e " : "", one->host ? one->host : "", one->port,
		                           one->name ? one->name : "?"));
	}
	assert_string_equal(got, expected);
}

static void repositories_are_found(void **state)
{
	const struct tree *t = *state;
	cleanup_text char *src = inst_format("%s/work/src", t->root);
	struct run r;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	assert_repositories(&r, "pip install git+https://u:p@X.example/y@main", "x.example:443 ?");
	assert_null(r.ins.src_dir);
	assert_repositories(&r, "pip install -e git+ssh://git@x.example:2222/y#egg=y", "-e x.example:2222 y");
	assert_non_null(r.ins.src_dir);
	assert_true(strings_has(&r.ins.outputs, r.ins.src_dir));
	assert_repositories(&r, "pip install --src src -e git+file:///y#egg=y", "-e :0 y");
	assert_string_equal(r.ins.src_dir, src);
	tree_file(t, "work/v.txt", 0644, "a @ git+http://a.example/a ; python_version > '3'\n-e hg+https://b.example/b#subdirectory=c&egg=b_b\n");
	assert_repositories(&r, "pip install -r v.txt", "-e b.example:443 b_b, a.example:80 a");
	assert_repositories(&r, "pip list", "");
	assert_refused(&r, "pip install git+https://", 125, "not understood");
	run_end(&r);
}

static void what_cannot_be_guarded_is_refused(void **state)
{
	const struct tree *t = *state;
	struct run r;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	assert_refused(&r, "pip config edit", 125, "config edit");
	assert_runs(&r, "pip --python /x install y"); /* there is none: pip says so */
	assert_false(r.ins.other_python);
	assert_refused(&r, "pip install --use-feature venv-isolation y", 125, "venv-isolation");
	assert_refused(&r, "pip install --use-feature=inprocess-build-deps y", 125, "inprocess-build-deps");
	assert_refused(&r, "pip install --no-i y", 125, "in full");
	assert_runs(&r, "pip list -e");
	assert_runs(&r, "pip show -f ./x");
	assert_runs(&r, "pip install ./x-1.0-py3-none-any.whl");
	assert_runs(&r, "pip install --use-feature=fast-deps y");
	assert_int_equal(strings_add(&r.env, "PIP_USE_FEATURE=fast-deps venv-isolation"), 0);
	assert_refused(&r, "pip install y", 125, "PIP_USE_FEATURE");
	assert_runs(&r, "pip install --isolated y");
	run_end(&r);
}

/* Where `pip install` and the rest of the line builds, as "DIR<ROOT …" relative to the tree. */
static void assert_locals(struct run *r, const struct tree *t, const char *line, const char *expected)
{
	cleanup_text char *got = inst_dup("");

	assert_runs(r, line);
	for (size_t i = 0; i < r->ins.local_dirs.n; i++) {
		const char *dir = r->ins.local_dirs.v[i] + strlen(t->root) + 1, *root = r->ins.local_roots.v[i] + strlen(t->root) + 1;
		bool same = strcmp(dir, root) == 0;
		inst_set(&got, inst_format("%s%s%s%s%s", got, i ? " " : "", dir, same ? "" : "<", same ? "" : root));
	}
	assert_string_equal(got, expected);
}

static void local_projects_are_found(void **state)
{
	const struct tree *t = *state;
	cleanup_text char *url = inst_format("pip install file://%s/work/one%%2dtwo", t->root);
	cleanup_text char *below = inst_format("pip install file://%s/work/mono#egg=x&subdirectory=a/b", t->root);
	cleanup_text char *at = inst_format("file://%s/work/bare", t->root);
	cleanup_text char *named = inst_format("x @ %s\n-e ./mono/a\n", at);
	struct run r;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	tree_file(t, "work/one-two/setup.py", 0644, "\n");
	tree_file(t, "work/bare/setup.py", 0644, "\n");
	tree_file(t, "work/mono/a/b/setup.py", 0644, "\n");
	tree_file(t, "work/r.txt", 0644, "%s", named);
	assert_locals(&r, t, "pip install .", "work");
	assert_locals(&r, t, "pip wheel ./one-two[extra] ./bare -e mono", "work/mono work/one-two work/bare");
	assert_locals(&r, t, "pip install -e bare --edit bare[x]", "work/bare");
	assert_locals(&r, t, "pip install bare", "");
	assert_locals(&r, t, "pip list -e", "");
	assert_locals(&r, t, url, "work/one-two");
	assert_locals(&r, t, below, "work/mono/a/b<work/mono");
	assert_locals(&r, t, "pip install -r r.txt", "work/mono/a work/bare");
	assert_locals(&r, t, "pip install ./missing ./x-1.0.tar.gz", "");
	tree_file(t, "venv/pip.conf", 0644, "[install]\neditable = bare\n");
	assert_locals(&r, t, "pip install y", "work/bare");
	assert_true(r.ins.use_pep517);
	tree_file(t, "venv/pip.conf", 0644, "\n");
	fake_protected = r.ins.local_dirs.v[0];
	cleanup_text char *home = inst_dup(fake_protected);
	fake_protected = home;
	assert_refused(&r, "pip install ./bare", 125, "protected place");
	assert_refused(&r, "pip install -e .", 125, "protected place");
	fake_protected = NULL;
	run_end(&r);
}

static void outputs_and_cache(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *target = tree_path(t, "work/out");
	cleanup_text char *log = tree_path(t, "home/logs/pip.log");
	cleanup_text char *cache = tree_path(t, "home/.cache/pip");
	cleanup_text char *config = tree_path(t, "home/.config/pip");
	cleanup_text char *line = NULL;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	fake_protected = r.home;
	assert_runs(&r, "pip install -t out --log ~/logs/pip.log --report - x");
	assert_int_equal(r.ins.outputs.n, 2);
	assert_true(strings_has(&r.ins.outputs, target));
	assert_true(strings_has(&r.ins.outputs, log));
	assert_string_equal(r.ins.cache_dir, cache);
	assert_runs(&r, "pip download x");
	assert_true(strings_has(&r.ins.outputs, r.cwd));
	assert_runs(&r, "pip download -d out x");
	assert_false(strings_has(&r.ins.outputs, r.cwd));
	assert_runs(&r, "pip install --no-cache-dir x");
	assert_null(r.ins.cache_dir);
	assert_runs(&r, "pip config set global.x y");
	assert_true(strings_has(&r.ins.outputs, config));
	assert_refused(&r, "pip config set --site global.x y", 125, "make the file first");
	assert_refused(&r, "pip install -t ~ x", 125, "protected place");
	assert_refused(&r, "pip install --root / x", 125, "--root");
	tree_link(t, "work/link", r.home);
	assert_refused(&r, "pip install -t link x", 125, "protected place");
	line = inst_format("pip install --cache-dir %s x", t->root);
	assert_refused(&r, line, 125, "--cache-dir");
	assert_int_equal(strings_add(&r.env, "PIP_TARGET=~"), 0);
	assert_refused(&r, "pip install x", 125, "PIP_TARGET");
	inst_set(&r.env.v[r.env.n - 1], inst_dup("PIP_NO_CACHE_DIR=false"));
	assert_runs(&r, "pip install x");
	assert_null(r.ins.cache_dir);
	run_end(&r);
}

static void older_pips_and_pip_itself(void **state)
{
	const struct tree *t = *state;
	struct run r;

	tree_python(t, "23.0.1");
	run_setup(&r, t);
	assert_runs(&r, "pip install x");
	assert_true(r.ins.use_pep517);
	assert_false(r.ins.pip_is_target);
	tree_file(t, "venv/lib/python3.11/site-packages/wheel/__init__.py", 0644, "\n");
	assert_runs(&r, "pip install x");
	assert_false(r.ins.use_pep517);
	assert_runs(&r, "pip install --no-binary :all: x");
	assert_true(r.ins.use_pep517);
	assert_runs(&r, "pip install -U Pip");
	assert_true(r.ins.pip_is_target);
	assert_runs(&r, "pip install ./pip-24.0-py3-none-any.whl");
	assert_true(r.ins.pip_is_target);
	assert_runs(&r, "pip install pip-tools");
	assert_false(r.ins.pip_is_target);
	run_end(&r);
}

/* The archives beside those that every command has: cache, site folders, what is written. */
static void assert_archives(struct run *r, const struct tree *t, const char *line, const char *want)
{
	cleanup_text char *text = inst_dup("");

	assert_runs(r, line);
	for (size_t i = 0; i < r->ins.archives.n; i++) {
		const char *one = r->ins.archives.v[i];

		if (!strstr(one, "/venv/") && !inst_ends(one, "/.cache/pip")) {
			size_t n = pathtext_below(one, t->root) ? strlen(t->root) + 1 : 0;

			inst_set(&text, inst_format("%s%s%s", text, *text ? " " : "", one + n));
		}
	}
	assert_string_equal(text, want);
}

static void archives_are_those_that_the_user_names(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *cache = tree_path(t, "home/.cache/pip");
	cleanup_text char *site = tree_path(t, "venv/lib/python3.11/site-packages");
	cleanup_text char *line = NULL;
	cleanup_text char *index = NULL;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	tree_file(t, "work/x-1.zip", 0644, "x");
	tree_file(t, "work/links/page.html", 0644, "x");
	tree_file(t, "mirror/simple/x/index.html", 0644, "x");
	tree_link(t, "work/linked", "../mirror");
	assert_archives(&r, t, "pip install x", "");
	assert_true(strings_has(&r.ins.archives, cache));
	assert_true(strings_has(&r.ins.archives, site));
	assert_archives(&r, t, "pip list", "");
	assert_archives(&r, t, "pip install x-1.zip ./missing-1.whl", "work/x-1.zip work/missing-1.whl");
	line = inst_format("pip install x@file://%s/home/a%%20b.whl", t->root);
	assert_archives(&r, t, line, "home/a b.whl");
	assert_archives(&r, t, "pip hash links/page.html nothing", "work/links/page.html work/nothing");
	assert_archives(&r, t, "pip install --no-index -f links -f linked x", "work/links work/linked mirror");
	assert_archives(&r, t, "pip install -f links/page.html -f https://l.example/ x", "work/links/page.html work/links");
	/* The home directory, or what holds it, is named for what lies in it. */
	assert_archives(&r, t, "pip install -f ~ x", "home/*");
	assert_archives(&r, t, "pip install -f .. x", "*");
	assert_archives(&r, t, "pip install -f / x", "/*");
	inst_set(&line, inst_format("pip install -i file://%s/mirror/simple/ x", t->root));
	assert_archives(&r, t, line, "mirror/simple mirror");
	inst_set(&line, inst_format("pip install --no-index -i file://%s/mirror/simple/ x", t->root));
	assert_archives(&r, t, line, "");
	assert_archives(&r, t, "pip install --extra-index-url ../mirror/simple x", "mirror/simple mirror");
	assert_archives(&r, t, "pip download -d links x", "work/links");
	/* Files and settings; links are relative to the file where there is such a thing, archives to the working directory. */
	tree_file(t, "work/sub/r.txt", 0644, "-f wheels\n-f links\n./y-1.tar.gz\n");
	tree_dir(t, "work/sub/wheels");
	assert_archives(&r, t, "pip install -r sub/r.txt", "work/y-1.tar.gz work/sub/wheels work/links");
	index = inst_format("[install]\nfind-links = %s/mirror\n", t->root);
	tree_file(t, "venv/pip.conf", 0644, "%s", index);
	assert_archives(&r, t, "pip install x", "mirror");
	assert_archives(&r, t, "pip wheel -w links x", "work/links");
	run_end(&r);
}

static void another_python(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *spec = NULL;
	cleanup_text char *python = tree_path(t, "other/bin/python");
	cleanup_text char *variable = inst_format("PIP_PYTHON=%s/other", t->root);

	tree_python(t, "23.2.1");
	tree_file(t, "other/pyvenv.cfg", 0644, "home = %s/base/bin\nversion = 3.11.7\n", t->root);
	tree_link(t, "other/bin/python", "../../base/bin/python3.11");
	tree_file(t, "file", 0644, "no interpreter\n");
	run_setup(&r, t);
	assert_runs(&r, "pip --python ../other install x");
	assert_true(r.ins.other_python);
	assert_string_equal(r.ins.env.interpreter, python);
	assert_string_equal(inst_path_base(r.ins.env.prefix), "other");
	assert_non_null(strstr(r.ins.pip_dir, "/venv/lib/"));
	assert_true(inst_ends(r.ins.program, "/__pip-runner__.py"));
	assert_string_equal(r.ins.command, "install");
	assert_string_equal(r.ins.env.read_dirs.v[r.ins.env.read_dirs.n - 1], r.ins.pip_dir);
	spec = installer_boot_spec(&r.ins, &(struct boot){.runner = true});
	assert_non_null(strstr(spec, "__pip-runner__.py\",\"pythonpath\":null"));
	assert_runs(&r, "pip --python ../other/bin/python list");
	assert_true(r.ins.other_python);
	assert_runs(&r, "pip list --python ../other"); /* too late on the line: pip says so */
	assert_false(r.ins.other_python);
	assert_refused(&r, "pip --python ../file list", 126, "not an interpreter");
	assert_int_equal(strings_add(&r.env, variable), 0);
	assert_runs(&r, "pip install x");
	assert_true(r.ins.other_python);
	assert_runs(&r, "pip --isolated install x");
	assert_false(r.ins.other_python);
	assert_int_equal(strings_add(&r.env, "_PIP_RUNNING_IN_SUBPROCESS=1"), 0);
	assert_runs(&r, "pip install x");
	assert_false(r.ins.other_python);
	run_end(&r);
}

static void old_pips_start_themselves_otherwise(void **state)
{
	static const struct {
		const char *version;
		bool zips;
	} all[] = { { "20.3.4", false }, { "21.0.1", false }, { "21.1", true }, { "21.3.1", true }, { "22.1.2", true }, { "22.2", false }, { "26.3", false } };
	const struct tree *t = *state;
	struct run r;

	tree_python(t, "20.2.4");
	run_setup(&r, t);
	assert_refused(&r, "pip list", 125, "20.3");
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		tree_file(t, "venv/lib/python3.11/site-packages/pip/__init__.py", 0644, "__version__ = \"%s\"\n", all[i].version);
		assert_runs(&r, "pip list");
		assert_int_equal(r.ins.zips_itself, all[i].zips);
	}
	run_end(&r);
}

static void the_spec_is_json(void **state)
{
	const struct tree *t = *state;
	struct strings above = { 0 }, pth = { 0 };
	struct run r;
	cleanup_text char *spec = NULL;
	cleanup_text char *sub = NULL;

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	assert_runs(&r, "pip install x");
	assert_int_equal(strings_add(&pth, "/a \"b\"\\c\n.pth"), 0);
	spec = installer_boot_spec(&r.ins, &(struct boot){.allow_pth = &pth});
	assert_non_null(strstr(spec, "\"sealed\":true"));
	assert_non_null(strstr(spec, "/venv/bin/pip\""));
	assert_non_null(strstr(spec, "\"runner\":null"));
	assert_non_null(strstr(spec, "[\"/a \\\"b\\\"\\\\c\\u000a.pth\"]"));
	assert_int_equal(strings_add(&above, "a 1.0"), 0);
	sub = installer_boot_spec(&r.ins, &(struct boot){.runner = true, .pythonpath = "/p", .started = 5, .audit = true, .above = &above});
	assert_non_null(strstr(sub, "__pip-runner__.py\",\"pythonpath\":\"/p\",\"started\":5,\"audit\":true,\"allow_pth\":[],\"for\":[\"a 1.0\"],\"archives\":["));
	assert_non_null(strstr(sub, "],\"event\":{\"magic\":1347899972,\"op\":4,\"type\":6,\"write\":5,\"read\":7,\"start\":9}}"));
	strings_finish(&pth);
	strings_finish(&above);
	run_end(&r);
}

/* The one helper that is started by that path; why it gets no passwords is told, or NULL. */
static const struct helper *helper_at(const struct run *r, const struct tree *t, const char *name)
{
	cleanup_text char *path = tree_path(t, name);

	for (size_t i = 0; i < r->ins.helper_count; i++) {
		if (!strcmp(r->ins.helpers[i].path, path)) {
			return &r->ins.helpers[i];
		}
	}
	fail_msg("%s: not found", path);
	return NULL;
}

static bool has_helper(const struct run *r, const struct tree *t, const char *name)
{
	cleanup_text char *path = tree_path(t, name);

	for (size_t i = 0; i < r->ins.helper_count; i++) {
		if (!strcmp(r->ins.helpers[i].path, path)) {
			return true;
		}
	}
	return false;
}

static void assert_helper(const struct run *r, const struct tree *t, const char *name, const char *why)
{
	const struct helper *h = helper_at(r, t, name);

	if (!h->refused != !why || (why && !strstr(h->refused, why))) {
		fail_msg("%s: %s", name, h->refused ? h->refused : "gets passwords");
	}
}

static void helpers_are_the_users_own(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *data = tree_path(t, "home/.local/share/python_keyring");
	cleanup_text char *config = tree_path(t, "xdg-home/python_keyring");
	cleanup_text char *agent = tree_path(t, "run/agent");

	tree_python(t, "23.2.1");
	tree_file(t, "base/lib/python3.11/site-packages/x.py", 0644, "\n");
	run_setup(&r, t);
	tree_file(t, "tools/keyring", 0755, "#!/bin/sh\n");
	tree_file(t, "own/keyring", 0755, "#!%s/base/bin/python3.11\n", t->root); /* the Python that the environment was made of */
	tree_file(t, "inside/keyring", 0755, "#!%s/venv/bin/python\n", t->root);
	tree_file(t, "venv/tools/keyring", 0755, "#!/bin/sh\n");
	tree_link(t, "linked/keyring", "../venv/tools/keyring");
	tree_file(t, "work/bin/keyring", 0755, "#!/bin/sh\n");
	tree_file(t, "out/keyring", 0755, "#!/bin/sh\n");
	tree_file(t, "not/keyring", 0644, "#!/bin/sh\n");
	tree_file(t, "ssh/ssh", 0755, "#!/bin/sh\n");
	inst_set(&r.env.v[1], inst_format("PATH=%s/venv/bin:%s/tools:%s/own:%s/inside:%s/venv/tools:%s/linked:%s/work/bin:%s/out:%s/not:%s/ssh:work/bin:", t->root, t->root,
	         t->root, t->root, t->root, t->root, t->root, t->root, t->root, t->root));
	run_variable(&r, "XDG_CONFIG_HOME", t->root, "/xdg-home");
	run_variable(&r, "SSH_AUTH_SOCK", t->root, "/run/agent");
	{
		cleanup_text char *line = inst_format("pip install --target %s/out x", t->root);

		assert_runs(&r, line);
	}
	assert_helper(&r, t, "tools/keyring", NULL);
	assert_helper(&r, t, "own/keyring", NULL);
	assert_helper(&r, t, "inside/keyring", "in the environment");
	assert_helper(&r, t, "venv/tools/keyring", "where pip installs");
	assert_helper(&r, t, "linked/keyring", "where pip installs");
	assert_helper(&r, t, "work/bin/keyring", "below the working directory");
	assert_helper(&r, t, "out/keyring", "where pip installs");
	const struct helper *h = helper_at(&r, t, "tools/keyring");
	assert_int_equal(h->places.n, 2);
	assert_string_equal(h->places.v[0], data);
	assert_string_equal(h->places.v[1], config);
	assert_string_equal(helper_at(&r, t, "ssh/ssh")->places.v[1], agent);
	for (size_t i = 0; i < r.ins.helper_count; i++) {
		assert_null(strstr(r.ins.helpers[i].path, "/not/"));
		assert_true(r.ins.helpers[i].path[0] == '/');
	}
	/* What Python looks through before a helper's own folders. */
	run_variable(&r, "PYTHONPATH", t->root, "/venv/lib/python3.11/site-packages");
	assert_runs(&r, "pip install x");
	assert_helper(&r, t, "tools/keyring", "PYTHONPATH");
	run_end(&r);
}

/* What the user's configuration says of helpers and ssh counts where a version control tool will ask for them. */
static void helpers_of_version_control(void **state)
{
	const struct tree *t = *state;
	struct run r;
	cleanup_text char *key = tree_path(t, "home/keys/deploy");
	cleanup_text char *logins = tree_path(t, "home/logins");
	cleanup_text char *named = tree_path(t, "named/git-credential-mine");

	tree_python(t, "23.2.1");
	run_setup(&r, t);
	tree_file(t, "tools/git", 0755, "#!/bin/sh\n");
	tree_file(t, "tools/git-credential-other", 0755, "#!/bin/sh\n");
	tree_file(t, "tools/git-credential-cache--daemon", 0755, "#!/bin/sh\n");
	tree_file(t, "tools/ssh", 0755, "#!/bin/sh\n");
	tree_file(t, "named/git-credential-mine", 0755, "#!/bin/sh\n");
	tree_file(t, "home/.gitconfig", 0644, "[core]\n\tsshCommand = \"ssh -i \\\"~/keys/deploy\\\" -F none\" # mine\n"
	          "[credential \"https://x\"]\n\thelper = store --file ~/logins\n\thelper = %s/named/git-credential-mine --flag\n[corex]\n\tsshCommand = no\n", t->root);
	inst_set(&r.env.v[1], inst_format("PATH=%s/venv/bin:%s/tools", t->root, t->root));
	assert_runs(&r, "pip install x");
	assert_false(has_helper(&r, t, "tools/git-credential-other"));
	assert_int_equal(r.ins.ssh_words.n, 0);
	assert_runs(&r, "pip install git+https://git.example/x.git");
	assert_helper(&r, t, "tools/git-credential-other", NULL);
	assert_helper(&r, t, "named/git-credential-mine", NULL);
	assert_false(has_helper(&r, t, "tools/git-credential-cache--daemon"));
	assert_true(strings_has(&helper_at(&r, t, "tools/git")->places, logins));
	assert_true(strings_has(&helper_at(&r, t, "tools/ssh")->places, key));
	assert_true(strings_has(&r.ins.ssh_words, "-F") && strings_has(&r.ins.ssh_words, key) && !strings_has(&r.ins.ssh_words, "no"));
	assert_true(strings_has(&r.ins.git_words, "--flag") && strings_has(&r.ins.git_words, named));
	run_end(&r);
}

static void importing_a_keyring_goes_over(void **state)
{
	const struct tree *t = *state;
	struct run r;

	tree_python(t, "23.1");
	run_setup(&r, t);
	assert_runs(&r, "pip install x");
	assert_false(r.ins.keyring_over);
	assert_runs(&r, "pip --keyring-provider import install x");
	assert_true(r.ins.keyring_over);
	assert_runs(&r, "pip install --keyring-provider=import --keyring-provider subprocess x");
	assert_false(r.ins.keyring_over);
	run_variable(&r, "PIP_KEYRING_PROVIDER", "", "import");
	assert_runs(&r, "pip install x");
	assert_true(r.ins.keyring_over);
	tree_file(t, "venv/lib/python3.11/site-packages/pip/__init__.py", 0644, "__version__ = \"23.0.1\"\n"); /* does not know the option */
	assert_runs(&r, "pip install x");
	assert_false(r.ins.keyring_over);
	run_end(&r);
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		in_tree(a_venv_is_read_from_its_files),
		in_tree(a_base_python_has_the_user_scheme),
		in_tree(only_what_the_command_needs_is_granted),
		in_tree(scripts_say_their_environment),
		in_tree(what_is_no_pip_is_refused),
		in_tree(a_project_does_not_choose_the_pip),
		in_tree(shims_are_resolved_by_their_files),
		in_tree(hosts_are_those_that_pip_would_reach),
		in_tree(requirements_files_are_followed),
		in_tree(repositories_are_found),
		in_tree(what_cannot_be_guarded_is_refused),
		in_tree(local_projects_are_found),
		in_tree(outputs_and_cache),
		in_tree(older_pips_and_pip_itself),
		in_tree(archives_are_those_that_the_user_names),
		in_tree(asdf_and_mise_choose),
		in_tree(another_python),
		in_tree(old_pips_start_themselves_otherwise),
		in_tree(helpers_are_the_users_own),
		in_tree(helpers_of_version_control),
		in_tree(importing_a_keyring_goes_over),
		in_tree(the_spec_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
