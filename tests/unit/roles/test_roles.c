/* What becomes of a program that pip starts: sub-pip, build with which folders, or refusal; and what a hook may return. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/credential.h"
#include "launcher/supervise/roles.h"
#include "tests/unit/roles/world.h"

/* A run whose temp is a folder of the test; pip lies in <root>/venv. */
struct world {
	char root[PATH_MAX];
	struct rundir dir;
	struct installer ins;
	struct run run;
	struct supervisor sup;
	char *envp[8];
};

static char text[120][PATH_MAX];
static int next_text;

/* A path below the root, in a rotating buffer. */
static char *at(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *at(struct world *w, const char *format, ...)
{
	char below[1000];
	char *out = text[next_text++ % 120];
	va_list ap;

	va_start(ap, format);
	vsnprintf(below, sizeof below, format, ap);
	va_end(ap);
	snprintf(out, PATH_MAX, "%.2000s/%s", w->root, below);
	return out;
}

static void folder(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof copy, "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	assert_true(mkdir(copy, 0755) == 0 || errno == EEXIST);
}

static void file(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char *envp[] = {"PATH=/usr/bin", NULL};

	snprintf(w->root, sizeof w->root, "/tmp/pwroles-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	folder(at(w, "run/t"));
	folder(at(w, "venv/bin"));
	folder(at(w, "venv/lib/pip/_vendor"));
	file(at(w, "venv/lib/pip/__pip-runner__.py"), "");
	file(at(w, "venv/bin/python3"), "#!");
	snprintf(w->dir.tmp, sizeof w->dir.tmp, "%.2000s/run", w->root);
	memcpy(w->envp, envp, sizeof envp);
	w->ins.env.interpreter = strdup(at(w, "venv/bin/python3"));
	w->ins.env.interpreter_real = strdup(at(w, "venv/bin/python3"));
	w->ins.env.prefix = strdup(at(w, "venv"));
	w->ins.pip_dir = strdup(at(w, "venv/lib/pip"));
	w->ins.runner = strdup(at(w, "venv/lib/pip/__pip-runner__.py"));
	strings_add(&w->ins.args, "install");
	strings_add(&w->ins.args, "./named.whl");
	w->run.dir = &w->dir;
	w->run.installer = &w->ins;
	w->run.envp = w->envp;
	w->sup.run = &w->run;
	pthread_mutex_init(&w->sup.lock, NULL);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	world_remove(w->root);
	world_free_owners(&w->sup);
	free(w->ins.env.interpreter);
	free(w->ins.env.interpreter_real);
	free(w->ins.env.prefix);
	free(w->ins.pip_dir);
	free(w->ins.runner);
	strings_finish(&w->ins.args);
	free(w);
	return 0;
}

static struct birthright decide(struct world *w, const char *cwd, char **envp, char **argv)
{
	struct start request = {.path = argv[0], .argv = argv, .envp = envp};
	struct birthright b;

	birthright_decide(&w->sup, &request, cwd, true, NULL, &b);
	return b;
}

static enum become become(struct world *w, const char *cwd, char **envp, char **argv)
{
	struct birthright b = decide(w, cwd, envp, argv);
	enum become what = b.become;

	birthright_finish(&b);
	return what;
}

#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})

/* --- sub-pip -------------------------------------------------------------------------------------- */

static void subpip_is_recognised(void **state)
{
	struct world *w = *state;
	char *python = w->ins.env.interpreter, *runner = w->ins.runner;

	assert_int_equal(become(w, "/", w->envp, ARGV(python, runner, "install", "--prefix", "/x/y", "--", "setuptools>=40")), BECOME_SUBPIP);
	/* another interpreter, another runner, a runner that is only called so */
	assert_int_equal(become(w, "/", w->envp, ARGV("/usr/bin/python3", runner, "install")), BECOME_BUILD);
	assert_int_equal(become(w, "/", w->envp, ARGV(python, at(w, "run/t/__pip-runner__.py"), "install")), BECOME_BUILD);
	assert_int_equal(become(w, "/", w->envp, ARGV(python, "-c", runner)), BECOME_BUILD);
	folder(at(w, "run/t/pip-build-env-1/bin"));
	assert_int_equal(symlink(python, at(w, "run/t/pip-build-env-1/bin/python3")), 0);
	assert_int_equal(become(w, "/", w->envp, ARGV(at(w, "run/t/pip-build-env-1/bin/python3"), runner, "install")), BECOME_BUILD);
}

static void old_pips_run_a_folder_or_a_zip_of_themselves(void **state)
{
	struct world *w = *state;
	char *python = w->ins.env.interpreter, *zip = at(w, "run/t/pip-standalone-pip-ab12/__env_pip__.zip/pip");

	assert_int_equal(become(w, "/", w->envp, ARGV(python, w->ins.pip_dir, "install")), BECOME_BUILD); /* this one has a runner */
	assert_int_equal(become(w, "/", w->envp, ARGV(python, zip, "install")), BECOME_BUILD);
	w->ins.zips_itself = true;
	assert_int_equal(become(w, "/", w->envp, ARGV(python, zip, "install", "--", "x")), BECOME_SUBPIP);
	assert_int_equal(become(w, "/", w->envp, ARGV(python, zip, "install", "--", "./x")), BECOME_REFUSED);
	assert_int_equal(become(w, "/", w->envp, ARGV(python, at(w, "run/t/pip-install-1/__env_pip__.zip/pip"), "install")), BECOME_BUILD);
	assert_int_equal(become(w, "/", w->envp, ARGV(python, at(w, "run/t/pip-standalone-pip-1/x/__env_pip__.zip/pip"), "install")), BECOME_BUILD);
	assert_int_equal(become(w, "/", w->envp, ARGV(python, at(w, "run/t/pip-standalone-pip-1/__env_pip__.zip/pip/x"), "install")), BECOME_BUILD);
	assert_int_equal(become(w, "/", w->envp, ARGV(python, at(w, "pip-standalone-pip-1/__env_pip__.zip/pip"), "install")), BECOME_BUILD);
	/* a runner behind a link is named in either form */
	w->ins.runner_real = strdup(at(w, "venv/lib/pip"));
	assert_int_equal(become(w, "/", w->envp, ARGV(python, w->ins.pip_dir, "install")), BECOME_SUBPIP);
	free(w->ins.runner_real);
}

static void subpip_environment(void **state)
{
	struct world *w = *state;
	char *python = w->ins.env.interpreter, *runner = w->ins.runner;
	static const char *const names[] = {"PYTHONPATH=/tmp/x", "PYTHONSTARTUP=/tmp/x", "PYTHONHOME=/tmp/x"};

	for (size_t i = 0; i < 3; i++) {
		char *envp[] = {"PATH=/usr/bin", (char *)names[i], NULL};
		assert_int_equal(become(w, "/", envp, ARGV(python, runner, "install", "--", "x")), BECOME_BUILD);
		w->envp[1] = (char *)names[i]; /* the launched pip had it too */
		w->envp[2] = NULL;
		assert_int_equal(become(w, "/", envp, ARGV(python, runner, "install", "--", "x")), BECOME_SUBPIP);
	}
}

static void subpip_requirements(void **state)
{
	struct world *w = *state;
	char *python = w->ins.env.interpreter, *runner = w->ins.runner;
	static const char *const refused[] = {
		"x @ file:///etc", "x@file:///etc", "x @\tFILE:/etc", "file:///etc/x.whl", "git+https://example.invalid/x", "x @ git+file:///x", "x[y]@hg+http://a",
		"/etc/x.whl", "./x", "x/y", "evil.whl", "evil-1.0.tar.gz", "evil.whl[x]", "evil.zip ; python_version > '3'", "evil.TGZ[x];a", "..", "x @ ../y", "svn+ssh://x", "-r/etc/passwd/x",
	};
	static const char *const fine[] = {
		"setuptools", "setuptools>=40.8.0", "wheel==0.38; python_version >= '3'", "a[b,c]~=1.0", "x @ https://example.invalid/x-1.0.whl", "./named.whl",
	};

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (become(w, "/", w->envp, ARGV(python, runner, "install", "--prefix", "/p", "--", (char *)refused[i])) != BECOME_REFUSED) {
			fail_msg("%s was not refused", refused[i]);
		}
	}
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		if (become(w, "/", w->envp, ARGV(python, runner, "install", "--find-links", "/any/where", "--", (char *)fine[i])) != BECOME_SUBPIP) {
			fail_msg("%s was refused", fine[i]);
		}
	}
}

/* --- builds --------------------------------------------------------------------------------------- */

#define HASH "0123456789abcdef0123456789abcdef"

static void setup_py(void **state)
{
	struct world *w = *state;
	char *source = at(w, "run/t/pip-install-1/cool_pkg_" HASH);

	folder(source);
	folder(at(w, "run/t/pip-pip-egg-info-1"));
	file(at(w, "run/t/pip-install-1/cool_pkg_" HASH "/PKG-INFO"), "Metadata-Version: 1.0\nName: something-else\nVersion: 1.2.3 \n\nName: body\n");
	struct birthright b = decide(w, source, w->envp, ARGV(w->ins.env.interpreter, "-c", "code", "egg_info", "--egg-base", at(w, "run/t/pip-pip-egg-info-1")));
	assert_int_equal(b.become, BECOME_BUILD);
	assert_string_equal(b.package, "cool_pkg"); /* pip's word, not the package's */
	assert_string_equal(b.version, "1.2.3");
	assert_string_equal(b.stage, "metadata");
	assert_int_equal(b.write.n, 2);
	assert_true(strings_has(&b.write, source) && strings_has(&b.write, at(w, "run/t/pip-pip-egg-info-1")));
	assert_null(b.hook);
	birthright_finish(&b);
}

/* `pip download` and `pip wheel` unpack below folders of other names; there, too, a package has its own folder and no other's. */
static void sources_of_other_commands(void **state)
{
	static const char *const parents[] = {"pip-download-1", "pip-wheel-1"};
	struct world *w = *state;

	for (size_t i = 0; i < 2; i++) {
		char *one = at(w, "run/t/%s/one_" HASH, parents[i]), *two = at(w, "run/t/%s/two_" HASH, parents[i]), *egg = at(w, "run/t/egg%zu", i);
		folder(one);
		folder(two);
		folder(egg);
		struct birthright b = decide(w, one, w->envp, ARGV(w->ins.env.interpreter, "-c", "code", "egg_info", "--egg-base", egg));
		assert_string_equal(b.package, "one");
		assert_string_equal(b.source, one);
		assert_true(strings_has(&b.write, one) && !strings_has(&b.write, at(w, "run/t/%s", parents[i])));
		birthright_finish(&b);
		b = decide(w, two, w->envp, ARGV(w->ins.env.interpreter, "-c", "code", "egg_info", "--egg-base", one));
		assert_string_equal(b.package, "two");
		assert_string_equal(b.rule, "file.write.build");
		birthright_finish(&b);
		/* nor the folder around both */
		b = decide(w, two, w->envp, ARGV(w->ins.env.interpreter, "-c", "code", "egg_info", "--egg-base", at(w, "run/t/%s", parents[i])));
		assert_false(strings_has(&b.write, at(w, "run/t/%s", parents[i])));
		birthright_finish(&b);
	}
}

static void plain_tool(void **state)
{
	struct world *w = *state;
	struct birthright b = decide(w, w->root, w->envp, ARGV("/usr/bin/uname", "-rs", at(w, "run"), at(w, "run/t"), at(w, "venv")));

	assert_int_equal(b.become, BECOME_BUILD);
	assert_int_equal(b.write.n, 0);
	assert_null(b.source);
	birthright_finish(&b);
	/* neither pip's temp itself nor the folder of all sources is anybody's */
	folder(at(w, "run/t/pip-install-1"));
	b = decide(w, at(w, "run/t"), w->envp, ARGV("/usr/bin/true", at(w, "run/t/pip-install-1")));
	assert_int_equal(b.write.n, 0);
	birthright_finish(&b);
}

static struct birthright call_hook(struct world *w, const char *source, const char *hook, const char *control, const char *input)
{
	folder(at(w, "run/t/%s", control));
	file(at(w, "run/t/%s/input.json", control), input);
	return decide(w, source, w->envp, ARGV(w->ins.env.interpreter, at(w, "venv/lib/pip/_vendor/_in_process.py"), (char *)hook, at(w, "run/t/%s", control)));
}

static void hook_folders(void **state)
{
	struct world *w = *state;
	char *source = at(w, "run/t/pip-install-1/a_" HASH), input[3000];

	folder(source);
	folder(at(w, "run/t/pip-wheel-1"));
	folder(at(w, "run/t/pip-build-env-1/overlay/bin"));
	snprintf(input, sizeof input, "{\"kwargs\": {\"wheel_directory\": \"%s\", \"metadata_directory\": null}}", at(w, "run/t/pip-wheel-1"));
	char *envp[] = {strdup(at(w, "run/t/pip-build-env-1/overlay/bin")), NULL}, *path;
	assert_true(asprintf(&path, "PATH=%s:/usr/bin", envp[0]) > 0);
	w->envp[0] = path;
	struct birthright b = call_hook(w, source, "build_wheel", "tmp1", input);
	assert_int_equal(b.become, BECOME_BUILD);
	assert_string_equal(b.stage, "build");
	assert_string_equal(b.hook, "build_wheel");
	assert_true(strings_has(&b.write, at(w, "run/t/tmp1")) && strings_has(&b.write, at(w, "run/t/pip-wheel-1")) && strings_has(&b.write, source));
	assert_int_equal(b.write.n, 3);
	assert_int_equal(b.read.n, 1);
	assert_string_equal(b.read.v[0], at(w, "run/t/pip-build-env-1"));
	assert_int_equal(b.environments.n, 1);
	assert_string_equal(b.environments.v[0], at(w, "run/t/pip-build-env-1"));
	assert_false(supervisor_own_directory(&w->sup, at(w, "run/t/pip-build-env-1/overlay/lib"), source)); /* no package's from now on */
	birthright_finish(&b);
	free(envp[0]);
	free(path);
	w->envp[0] = "PATH=/usr/bin";
}

/* Only that is taken for pip's own work: neither another package's folder, nor a build environment that a package got a folder in. */
static void only_build_environments_are_trusted(void **state)
{
	struct world *w = *state;
	char *source = at(w, "run/t/pip-install-1/a_" HASH), *path;

	folder(source);
	folder(at(w, "run/t/pip-install-1/b_" HASH));
	folder(at(w, "run/t/pip-build-env-2/x"));
	folder(at(w, "run/t/elsewhere"));
	assert_true(supervisor_own_directory(&w->sup, at(w, "run/t/pip-build-env-2/x"), "b"));
	assert_true(asprintf(&path, "PYTHONPATH=%s:%s:%s", at(w, "run/t/pip-install-1/b_" HASH), at(w, "run/t/pip-build-env-2/x"), at(w, "run/t/elsewhere")) > 0);
	w->envp[0] = path;
	struct birthright b = call_hook(w, source, "build_wheel", "tmp1", "{\"kwargs\": {}}");
	assert_int_equal(b.become, BECOME_BUILD);
	assert_int_equal(b.read.n, 3);
	assert_int_equal(b.environments.n, 0);
	birthright_finish(&b);
	free(path);
	w->envp[0] = "PATH=/usr/bin";
}

/* A pip that lies in an archive copies its hook runner into the temp. */
static void copied_hook_runner(void **state)
{
	struct world *w = *state;
	char *source = at(w, "run/t/pip-install-1/a_" HASH), *python = w->ins.env.interpreter, *control = at(w, "run/t/tmpc"), *copy = at(w, "run/t/tmpab_in_process.py");
	char *const others[] = {at(w, "run/t/x/tmpab_in_process.py"), at(w, "run/t/evil_in_process.py"), at(w, "tmpab_in_process.py"), at(w, "run/t/tmpab.py")};

	folder(source);
	folder(control);
	file(copy, "");
	file(at(w, "run/t/tmpc/input.json"), "{\"kwargs\": {}}");
	struct birthright b = decide(w, source, w->envp, ARGV(python, copy, "build_wheel", control));
	assert_string_equal(b.hook, "build_wheel");
	assert_true(strings_has(&b.read, copy) && strings_has(&b.write, control));
	birthright_finish(&b);
	for (size_t i = 0; i < 4; i++) {
		b = decide(w, source, w->envp, ARGV(python, others[i], "build_wheel", control));
		assert_null(b.hook);
		assert_false(strings_has(&b.read, others[i]));
		birthright_finish(&b);
	}
}

/* Newer pips have the wheel made in their cache: that fresh folder, and nothing around it or like it. */
static void wheel_folders_of_the_cache(void **state)
{
	struct world *w = *state;
	char *source = at(w, "run/t/pip-install-1/a_" HASH), *other = at(w, "run/t/pip-install-1/b_" HASH), input[3000];
	char *fresh = at(w, "cache/wheels/01/02/tmpab12");
	const char *const not_fresh[] = {at(w, "cache/wheels/01/02/full"), at(w, "cache/wheels/01/02/tmpfull"), at(w, "cache/wheels/01/02"), at(w, "cache/http/tmpab12"),
	                                 at(w, "home/tmpab12"), at(w, "cache/wheels/01/02/tmpopen"), at(w, "cache/wheels/tmplink"), at(w, "run/t/pip-install-1")};

	w->ins.cache_dir = strdup(at(w, "cache"));
	folder(source);
	folder(other);
	folder(fresh);
	for (size_t i = 0; i < 6; i++) {
		folder(not_fresh[i]);
		assert_int_equal(chmod(not_fresh[i], i == 5 ? 0755 : 0700), 0);
	}
	file(at(w, "cache/wheels/01/02/tmpfull/x.whl"), "");
	assert_int_equal(symlink(at(w, "home/tmpab12"), not_fresh[6]), 0);
	assert_int_equal(chmod(fresh, 0700), 0);
	for (size_t i = 0; i < sizeof not_fresh / sizeof *not_fresh; i++) {
		snprintf(input, sizeof input, "{\"kwargs\": {\"wheel_directory\": \"%s\"}}", not_fresh[i]);
		struct birthright b = call_hook(w, source, "build_wheel", "tmp1", input);
		assert_int_equal(b.become, BECOME_BUILD);
		assert_false(strings_has(&b.write, not_fresh[i]) || strings_has(&b.write, at(w, "home/tmpab12")));
		birthright_finish(&b);
	}
	snprintf(input, sizeof input, "{\"kwargs\": {\"wheel_directory\": \"%s\"}}", fresh);
	struct birthright b = call_hook(w, source, "build_wheel", "tmp1", input);
	assert_true(strings_has(&b.write, fresh));
	birthright_finish(&b);
	b = call_hook(w, other, "build_wheel", "tmp2", input);
	assert_int_equal(b.become, BECOME_REFUSED);
	birthright_finish(&b);
	/* without a cache each wheel has a folder below one that all share */
	for (int i = 0; i < 2; i++) {
		char *ephemeral = at(w, "run/t/pip-ephem-wheel-cache-1/wheels/0%d/tmpx", i);
		folder(ephemeral);
		snprintf(input, sizeof input, "{\"kwargs\": {\"wheel_directory\": \"%s\"}}", ephemeral);
		b = call_hook(w, i == 0 ? source : other, "build_wheel", i == 0 ? "tmp1" : "tmp2", input);
		assert_true(strings_has(&b.write, ephemeral));
		birthright_finish(&b);
	}
	free(w->ins.cache_dir);
}

/* input.json carries what an earlier hook returned: it must not name another package's folders, nor what lies above or below them. */
static void hook_cannot_take_anothers(void **state)
{
	struct world *w = *state;
	char *honest = at(w, "run/t/pip-install-1/honest_" HASH), *evil = at(w, "run/t/pip-install-1/evil_" HASH), input[3000];
	struct birthright b;

	folder(honest);
	folder(evil);
	folder(at(w, "run/t/pip-modern-metadata-1/honest.dist-info"));
	snprintf(input, sizeof input, "{\"kwargs\": {\"metadata_directory\": \"%s\"}}", at(w, "run/t/pip-modern-metadata-1"));
	b = call_hook(w, honest, "prepare_metadata_for_build_wheel", "tmp1", input);
	assert_int_equal(b.become, BECOME_BUILD);
	assert_string_equal(b.stage, "metadata");
	birthright_finish(&b);
	const char *const taken[] = {honest, at(w, "run/t/pip-modern-metadata-1"), at(w, "run/t/pip-modern-metadata-1/honest.dist-info"), at(w, "run/t/tmp1")};
	for (size_t i = 0; i < 4; i++) {
		char control[20];
		snprintf(control, sizeof control, "tmp-evil%zu", i);
		snprintf(input, sizeof input, "{\"kwargs\": {\"wheel_directory\": \"%s\"}}", taken[i]);
		b = call_hook(w, evil, "build_wheel", control, input);
		assert_int_equal(b.become, BECOME_REFUSED);
		assert_string_equal(b.rule, "file.write.build");
		birthright_finish(&b);
	}
	/* its own, again, is fine */
	b = call_hook(w, honest, "get_requires_for_build_wheel", "tmp1", "{\"kwargs\": {}}");
	assert_int_equal(b.become, BECOME_BUILD);
	birthright_finish(&b);
}

static void links_are_no_folders(void **state)
{
	struct world *w = *state;
	char *outside = at(w, "outside"), input[3000];

	folder(outside);
	folder(at(w, "run/t/pip-install-1/evil_" HASH));
	assert_int_equal(symlink(outside, at(w, "run/t/pip-wheel-1")), 0);
	assert_int_equal(symlink(outside, at(w, "run/t/pip-install-1/link_" HASH)), 0);
	snprintf(input, sizeof input, "{\"kwargs\": {\"wheel_directory\": \"%s\"}}", at(w, "run/t/pip-wheel-1"));
	struct birthright b = call_hook(w, at(w, "run/t/pip-install-1/link_" HASH), "build_wheel", "tmp1", input);
	assert_null(b.source);
	assert_int_equal(b.write.n, 1); /* the control folder */
	birthright_finish(&b);
	snprintf(input, sizeof input, "{\"kwargs\": {\"wheel_directory\": \"%s/../../outside\"}}", at(w, "run/t/tmp1"));
	b = call_hook(w, at(w, "run/t/pip-install-1/evil_" HASH), "build_wheel", "tmp2", input);
	assert_false(strings_has(&b.write, outside));
	for (size_t i = 0; i < b.write.n; i++) {
		assert_null(strstr(b.write.v[i], ".."));
	}
	birthright_finish(&b);
}

/* --- what a hook returns -------------------------------------------------------------------------- */

static bool check(struct world *w, char *hook, const char *output)
{
	struct birthright b = {.hook = hook, .control_dir = at(w, "run/t/tmp1"), .wheel_dir = at(w, "run/t/wheel"), .metadata_dir = at(w, "run/t/metadata")};
	const char *why = "";

	file(at(w, "run/t/tmp1/output.json"), output);
	return birthright_check_output(&b, &why);
}

static void hook_output(void **state)
{
	struct world *w = *state;
	const char *why;

	folder(at(w, "run/t/tmp1"));
	folder(at(w, "run/t/wheel"));
	folder(at(w, "run/t/metadata/x.dist-info/licenses"));
	file(at(w, "run/t/metadata/x.dist-info/METADATA"), "Name: x\n");
	file(at(w, "run/t/wheel/x.whl"), "");
	assert_true(check(w, "build_wheel", "{\"return_val\": \"x.whl\"}"));
	assert_true(check(w, "build_wheel", "{\"return_val\": \"missing.whl\"}"));
	assert_true(check(w, "get_requires_for_build_wheel", "{\"return_val\": [\"a\", \"/etc\"]}"));
	assert_true(check(w, "prepare_metadata_for_build_wheel", "{\"return_val\": \"x.dist-info\"}"));
	assert_true(check(w, "build_wheel", "{\"backend_unavailable\": true}"));
	/* What it was given back is looked at again: pip will read it. */
	assert_int_equal(symlink("/etc/passwd", at(w, "run/t/metadata/x.dist-info/licenses/link")), 0);
	assert_false(check(w, "build_wheel", "{\"return_val\": \"x.whl\"}"));
	assert_int_equal(unlink(at(w, "run/t/metadata/x.dist-info/licenses/link")), 0);
	const char *const paths[] = {"/etc/passwd", "../x.whl", "", ".", "..", "a/b.whl"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		char output[200];
		snprintf(output, sizeof output, "{\"return_val\": \"%s\"}", paths[i]);
		assert_false(check(w, "build_wheel", output));
		assert_false(check(w, "build_editable", output));
		assert_false(check(w, "prepare_metadata_for_build_wheel", output));
		assert_false(check(w, "prepare_metadata_for_build_editable", output));
	}
	assert_int_equal(symlink("/etc/passwd", at(w, "run/t/wheel/link.whl")), 0);
	assert_false(check(w, "build_wheel", "{\"return_val\": \"link.whl\"}"));
	assert_int_equal(link(at(w, "run/t/wheel/x.whl"), at(w, "run/t/wheel/hard.whl")), 0);
	assert_false(check(w, "build_wheel", "{\"return_val\": \"hard.whl\"}"));
	assert_int_equal(mkfifo(at(w, "run/t/wheel/fifo.whl"), 0600), 0);
	assert_false(check(w, "build_wheel", "{\"return_val\": \"fifo.whl\"}"));
	assert_false(check(w, "prepare_metadata_for_build_wheel", "{\"return_val\": \"../wheel\"}"));
	assert_int_equal(symlink("/etc", at(w, "run/t/metadata/x.dist-info/licenses/deep")), 0);
	assert_false(check(w, "prepare_metadata_for_build_wheel", "{\"return_val\": \"x.dist-info\"}"));
	assert_int_equal(symlink("x.dist-info", at(w, "run/t/metadata/y.dist-info")), 0);
	assert_false(check(w, "prepare_metadata_for_build_wheel", "{\"return_val\": \"y.dist-info\"}"));
	/* the output itself */
	struct birthright b = {.hook = "build_wheel", .control_dir = at(w, "run/t/tmp1")};
	assert_int_equal(unlink(at(w, "run/t/tmp1/output.json")), 0);
	assert_true(birthright_check_output(&b, &why));
	assert_int_equal(mkfifo(at(w, "run/t/tmp1/output.json"), 0600), 0);
	assert_false(birthright_check_output(&b, &why));
	assert_int_equal(unlink(at(w, "run/t/tmp1/output.json")), 0);
	assert_int_equal(symlink("/etc/hostname", at(w, "run/t/tmp1/output.json")), 0);
	assert_false(birthright_check_output(&b, &why));
}

/* What pip reads is what was checked: the first of two equal keys, and nothing that one of the two readers does not understand. */
static void output_is_rewritten(void **state)
{
	struct world *w = *state;
	char content[300];

	folder(at(w, "run/t/tmp1"));
	folder(at(w, "run/t/wheel"));
	file(at(w, "run/t/wheel/x.whl"), "");
	assert_true(check(w, "build_wheel", "{\"return_val\": \"x.whl\", \"return_val\": \"/etc/passwd\", \"more\": [1]}"));
	int fd = open(at(w, "run/t/tmp1/output.json"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, content, sizeof content - 1);
	close(fd);
	assert_true(len > 0);
	content[len] = '\0';
	assert_non_null(strstr(content, "\"return_val\":\"x.whl\""));
	assert_null(strstr(content, "passwd"));
	assert_non_null(strstr(content, "\"more\":[1]"));
	assert_false(check(w, "build_wheel", "{\"return_val\": \"/etc/passwd\", \"x\": NaN}"));
	assert_false(check(w, "build_wheel", "{\"return_val\": \"x.whl\"} trailing"));
	assert_false(check(w, "build_wheel", "[]"));
	assert_false(check(w, "build_wheel", ""));
	assert_false(check(w, "build_wheel", "{\"return_val\": [\"x.whl\"]}"));
}

/* n times `each`, where # is which, with `between` between, in head and tail. */
static const char *many(size_t n, const char *head, const char *each, const char *between, const char *tail)
{
	static char made[3 << 20];
	char *to = stpcpy(made, head);

	for (size_t i = 0; i < n; i++) {
		assert_true(to + 200 < made + sizeof made);
		to = stpcpy(to, i > 0 ? between : "");
		for (const char *from = each; *from != '\0'; from++) {
			to += *from == '#' ? sprintf(to, "%zu", i) : sprintf(to, "%c", *from);
		}
	}
	strcpy(to, tail);
	return made;
}

/* pipwarden reads it itself: little of it, and what takes much room or time is refused before there is anything of it in memory. */
static void output_is_bounded(void **state)
{
	struct world *w = *state;
	struct rusage before, after;
	char *hook = "get_requires_for_build_wheel";

	folder(at(w, "run/t/tmp1"));
	folder(at(w, "run/t/wheel"));
	file(at(w, "run/t/wheel/x.whl"), "");
	/* as long as an honest one ever is */
	assert_true(check(w, hook, many(1000, "{\"unsupported\": false, \"return_val\": [", "\"requirement-#[one,two] >= 1, < 2, != 1.5\"", ", ", "]}")));
	assert_true(check(w, hook, many(8000, "{\"unsupported\": true, \"return_val\": null, \"traceback\": \"", "  File \\\"/x/y\\\", line #, in [f, {g}, \\\\]\\n  a, b, c = [d], {e}\\n", "", "\"}")));
	assert_true(check(w, "build_wheel", "{\"no_backend\": true, \"unsupported\": false, \"return_val\": \"x.whl\", \"traceback\": \"\", \"backend_error\": \"\"}"));
	assert_true(check(w, "build_wheel", many(31, "{", "\"#\": 0", ", ", ", \"return_val\": \"x.whl\"}")));
	/* and more than that */
	getrusage(RUSAGE_SELF, &before);
	assert_false(check(w, "build_wheel", many(32, "{", "\"#\": 0", ", ", ", \"return_val\": \"x.whl\"}")));
	assert_false(check(w, hook, many(60000, "{\"return_val\": [], ", "\"#\": 0", ",", "}")));
	assert_false(check(w, hook, many(500000, "{\"return_val\": [", "0", ",", "]}")));
	assert_false(check(w, hook, many(300000, "{\"return_val\": [", "[]", ",", "]}")));
	assert_false(check(w, hook, many(300000, "{\"return_val\": [\"\\\\\", ", "{}", ",", "]}")));
	assert_false(check(w, hook, many(100000, "{\"return_val\": [", "\"\\\\\"", ",", "]}")));
	assert_false(check(w, hook, many(500000, "{\"return_val\": ", "[", "", "")));
	assert_false(check(w, hook, many(900, "{\"return_val\": ", "{\"a\":[", "", "")));
	assert_false(check(w, hook, many(1 << 20, "{\"return_val\": \"", "a", "", "\"}")));
	assert_true(check(w, hook, many(1000000, "{\"return_val\": \"", "\x01", "", "\"}"))); /* what grows most when it is written again */
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 48 << 10);
	assert_true(after.ru_utime.tv_sec - before.ru_utime.tv_sec < 5);
}

static void setup_py_results(void **state)
{
	struct world *w = *state;
	char *source = at(w, "run/t/pip-install-1/a_" HASH), *wheel = at(w, "run/t/pip-wheel-1");
	const char *why;

	folder(source);
	folder(wheel);
	struct birthright b = decide(w, source, w->envp, ARGV(w->ins.env.interpreter, "-c", "code", "bdist_wheel", "-d", wheel));
	assert_int_equal(b.results.n, 1);
	file(at(w, "run/t/pip-wheel-1/a.whl"), "");
	assert_true(birthright_check_output(&b, &why));
	assert_int_equal(symlink("/etc/passwd", at(w, "run/t/pip-wheel-1/b.whl")), 0);
	assert_false(birthright_check_output(&b, &why));
	assert_int_equal(unlink(at(w, "run/t/pip-wheel-1/b.whl")), 0);
	assert_int_equal(mkfifo(at(w, "run/t/pip-wheel-1/b.whl"), 0600), 0);
	assert_false(birthright_check_output(&b, &why));
	birthright_finish(&b);
}

/* --- tickets and owners --------------------------------------------------------------------------- */

static void tickets(void **state)
{
	struct world *w = *state;

	supervisor_give_ticket(&w->sup, 77, "/p");
	assert_false(supervisor_take_ticket(&w->sup, 78, "/p"));
	assert_false(supervisor_take_ticket(&w->sup, 77, "/q"));
	assert_false(supervisor_take_ticket(&w->sup, 0, "/p"));
	assert_true(supervisor_take_ticket(&w->sup, 77, "/p"));
	assert_false(supervisor_take_ticket(&w->sup, 77, "/p")); /* one exec */
}

static void owners(void **state)
{
	struct world *w = *state;

	assert_true(supervisor_own_directory(&w->sup, "/t/a", "A"));
	assert_true(supervisor_own_directory(&w->sup, "/t/a", "A"));
	assert_true(supervisor_own_directory(&w->sup, "/t/ab", "B"));
	assert_false(supervisor_own_directory(&w->sup, "/t/a", "B"));
	assert_false(supervisor_own_directory(&w->sup, "/t/a/b", "B"));
	assert_false(supervisor_own_directory(&w->sup, "/t", "B"));
	assert_true(supervisor_own_directory(&w->sup, "/t/a/b", "A"));
}

/* --- helpers that know passwords ------------------------------------------------------------------- */

static struct helper *add_helper(struct world *w, struct helper *h, const char *name)
{
	struct stat st;

	folder(at(w, "tools"));
	file(at(w, "tools/%s", name), "#!/bin/sh\n");
	assert_int_equal(stat(at(w, "tools/%s", name), &st), 0);
	*h = (struct helper){.path = at(w, "tools/%s", name), .program = at(w, "tools/%s", name), .device = st.st_dev, .inode = st.st_ino, .changed = st.st_ctim};
	w->ins.helpers = h;
	w->ins.helper_count = 1;
	return h;
}

static void assert_no_passwords(struct world *w, char *path, const char *why)
{
	struct birthright b = decide(w, w->root, w->envp, ARGV(path, "get", "service", "ann"));

	assert_int_equal(b.become, BECOME_REFUSED);
	assert_string_equal(b.rule, "exec.credential");
	assert_non_null(strstr(b.why, why));
	birthright_finish(&b);
}

static void helpers(void **state)
{
	struct world *w = *state;
	struct helper h;

	add_helper(w, &h, "keyring");
	struct birthright b = decide(w, w->root, w->envp, ARGV(h.path, "get", "service", "ann"));
	assert_int_equal(b.become, BECOME_CREDENTIAL);
	assert_int_equal(b.role, ROLE_CREDENTIAL);
	assert_ptr_equal(b.helper, &h);
	assert_true(strings_has(&b.read, h.program));
	assert_int_equal(b.write.n, 0);
	birthright_finish(&b);
	assert_no_passwords(w, at(w, "other/keyring"), "not on PATH");
	h.refused = "it lies there";
	assert_no_passwords(w, h.path, "it lies there");
	h.refused = NULL;
	unlink(h.path);
	file(h.path, "#!/bin/sh\n"); /* another file of that name, or the same one with other times */
	assert_no_passwords(w, h.path, "changed");
	/* No helper's name: a build like any other. */
	b = decide(w, w->root, w->envp, ARGV("/usr/bin/lsb_release"));
	assert_int_equal(b.become, BECOME_BUILD);
	assert_int_equal(b.role, ROLE_BUILD);
	birthright_finish(&b);
}

static void assert_tool_gets(struct world *w, enum become become, const char *rule, char **argv, char *path)
{
	static const struct vcs_requirement requirement = {.tool = VCS_GIT, .url = (char *)"ssh://git@host/x.git", .host = (char *)"host", .port = 22};
	struct start request = {.path = path, .argv = argv, .envp = w->envp};
	struct birthright b;

	credential_of_tool(&w->sup, &requirement, &request, &b);
	assert_int_equal(b.become, become);
	assert_int_equal(b.role, ROLE_CREDENTIAL);
	if (rule != NULL) {
		assert_string_equal(b.rule, rule);
	}
	assert_true(b.requirement == NULL || strstr(path, "ssh") != NULL); /* nothing else gets its network */
	birthright_finish(&b);
}

/* What a version control tool that was taken over may have started. */
static void helpers_of_tools(void **state)
{
	static const char *const words[] = {"credential-store", NULL};
	struct world *w = *state;
	static const char *const homes[] = {"/home/nobody-of-the-tests", NULL};
	struct helper h, one[3];
	struct policy_error err;
	struct policy *policy = policy_new(&err);

	assert_int_equal(policy_finish(policy, homes, &err), 0);
	w->run.policy = policy;
	one[0] = *add_helper(w, &h, "git");
	one[1] = *add_helper(w, &h, "ssh");
	one[2] = *add_helper(w, &h, "keyring");
	one[0].use = HELPER_OF_GIT;
	one[0].words = words;
	one[1].use = HELPER_SSH;
	one[2].use = HELPER_OF_PIP;
	w->ins.helpers = one;
	w->ins.helper_count = 3;
	strings_add(&w->ins.git_words, "--mine");
	char *git = one[0].path, *ssh = one[1].path;
	assert_tool_gets(w, BECOME_CREDENTIAL, NULL, ARGV("git", "credential-store", "get"), git);
	assert_tool_gets(w, BECOME_CREDENTIAL, NULL, ARGV("git", "credential-store", "--mine", "get"), git);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential.use", ARGV("git", "credential-store", "--file=/x", "get"), git);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential.use", ARGV("git", "credential-store"), git);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential.use", ARGV("git", "credential-store", "get", "get", "fill"), git);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential", ARGV("git", "-c", "credential-store", "get"), git);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential", ARGV("git", "clone"), git);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential", ARGV(NULL), git);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential", ARGV("keyring", "get", "x", "y"), one[2].path);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential", ARGV("sh", "-c", "id"), "/bin/sh");
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential", ARGV("ssh", "host"), "tools/ssh");
	assert_tool_gets(w, BECOME_CREDENTIAL, NULL, ARGV("ssh", "host", "git-upload-pack 'x'"), ssh);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential.use", ARGV("ssh", "host", "id"), ssh);
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential.use", ARGV("ssh", "u@other", "git-upload-pack 'x'"), ssh);
	one[1].refused = "it lies there";
	assert_tool_gets(w, BECOME_REFUSED, "exec.credential", ARGV("ssh", "host", "git-upload-pack 'x'"), ssh);
	strings_finish(&w->ins.git_words);
	char **vector = credential_argv(&one[1], ARGV("ssh", "host", "x"));
	assert_string_equal(vector[0], "ssh");
	assert_string_equal(vector[1], "-oControlMaster=no");
	assert_string_equal(vector[2], "host");
	assert_null(vector[4]);
	free(vector);
	policy_free(policy);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(old_pips_run_a_folder_or_a_zip_of_themselves),
		TEST(subpip_is_recognised), TEST(subpip_environment), TEST(subpip_requirements), TEST(setup_py), TEST(sources_of_other_commands), TEST(plain_tool), TEST(hook_folders), TEST(only_build_environments_are_trusted), TEST(wheel_folders_of_the_cache), TEST(copied_hook_runner),
		TEST(hook_cannot_take_anothers), TEST(links_are_no_folders), TEST(hook_output), TEST(output_is_rewritten), TEST(output_is_bounded), TEST(setup_py_results), TEST(tickets), TEST(owners), TEST(helpers), TEST(helpers_of_tools),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
