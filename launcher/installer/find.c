#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

enum { SCRIPT_MAX = 64 << 10, ARCHIVE_MAX = 64 << 20 };

/* name, name3, name3.11, name-3.11 */
static bool is_versioned(const char *text, const char *name)
{
	if (!inst_starts(text, name)) {
		return false;
	}
	text += strlen(name);
	text += *text == '-' && text[1];
	return strspn(text, "0123456789.") == strlen(text);
}

bool installer_is_word(const char *word)
{
	const char *base = inst_path_base(word);

	return is_versioned(base, "pip") || is_versioned(base, "python") || inst_names_archive(word);
}

static const char *home_of(char *const envp[])
{
	const char *home = inst_env(envp, "HOME");
	struct passwd *pw;

	if (home && *home == '/') {
		return home;
	}
	pw = getpwuid(getuid());
	return pw ? pw->pw_dir : "/";
}

static bool in_active_environment(const char *path, char *const envp[])
{
	static const char *const names[] = { "VIRTUAL_ENV", "CONDA_PREFIX" };

	for (size_t i = 0; i < 2; i++) {
		const char *prefix = inst_env(envp, names[i]);
		cleanup_text char *real = prefix && *prefix == '/' ? realpath(prefix, NULL) : NULL;

		if (prefix && *prefix == '/' && (pathtext_below(path, prefix) || (real && pathtext_below(path, real)))) {
			return true;
		}
	}
	return false;
}

/* A project's folder on PATH must not choose the pip.  A home directory is no project: its own bin folders lie below it by right, unless the entry
 * of PATH was relative and means whatever the working directory is. */
bool inst_planted(const char *found, const char *absolute, char *const envp[], const char *cwd, const char *home)
{
	cleanup_text char *real_cwd = realpath(cwd, NULL);
	cleanup_text char *dir = inst_path_dir(absolute);
	cleanup_text char *real_dir = realpath(dir, NULL);
	cleanup_text char *real_home = realpath(home, NULL);

	if (!real_cwd || !real_dir || in_active_environment(absolute, envp)) {
		return false;
	}
	if (found[0] != '/') {
		return true;
	}
	return pathtext_below(real_dir, real_cwd) && !pathtext_below(real_home ? real_home : home, real_cwd);
}

/* The file that the word starts: `found` as execvp would start it, *absolute the same without links resolved.  trusted: it is going to be pip, so
 * what a working directory could have planted is refused. */
static int find_word(bool trusted, const char *word, char *const envp[], const char *cwd, const char *home, char **found,
                     char **absolute, struct installer_error *err)
{
	char *real = NULL;
	bool typed = strchr(word, '/');
	int shim;

	inst_set(found, typed ? inst_dup(word) : inst_search_path(word, envp, NULL));
	if (!*found) {
		return errno == EACCES ? inst_fail(err, 126, "%s: found on PATH, but it may not be executed", word) :
		                         inst_fail(err, 127, "%s: not found on PATH", word);
	}
	inst_set(absolute, inst_path_absolute(cwd, *found));
	if (typed && access(*absolute, F_OK)) {
		return inst_fail(err, 127, "%s: %s", word, strerror(errno));
	}
	if (access(*absolute, X_OK) || !inst_path_is_file(*absolute)) {
		return inst_fail(err, 126, "%s: may not be executed", word);
	}
	if (trusted && !typed && inst_planted(*found, *absolute, envp, cwd, home)) {
		return inst_fail(err, 126, "%s lies below the working directory and outside the active environment: type its path if you mean it", *absolute);
	}
	shim = inst_shim_resolve(*absolute, inst_path_base(word), envp, cwd, home, &real, err);
	if (shim > 0) {
		inst_set(absolute, inst_path_absolute(cwd, real));
		inst_set(found, real);
	}
	return shim < 0 ? -1 : 0;
}

static void copy_args(struct installer *ins, char *const argv[])
{
	for (; *argv; argv++) {
		strings_put(&ins->args, *argv);
	}
}

/* What get-pip.py has its pip do. */
static void get_pip_args(struct installer *ins, char *const envp[])
{
	static const struct {
		const char *name, *option, *variable;
	} tools[] = { { "setuptools", "--no-setuptools", "PIP_NO_SETUPTOOLS" }, { "wheel", "--no-wheel", "PIP_NO_WHEEL" } };
	struct strings given = ins->args;
	bool without[2];

	ins->args = (struct strings){ 0 };
	strings_put(&ins->args, "install");
	strings_put(&ins->args, "--upgrade");
	strings_put(&ins->args, "--force-reinstall");
	for (size_t i = 0; i < 2; i++) {
		const char *variable = inst_env(envp, tools[i].variable);

		without[i] = strings_has(&given, tools[i].option) || (variable && *variable) || !inst_version_before(ins->env.version, 3, 12) ||
		             inst_has_package(&ins->env, tools[i].name);
		strings_remove(&given, tools[i].option);
	}
	copy_args(ins, given.v ? given.v : (char *[]){ NULL });
	strings_put(&ins->args, "pip");
	for (size_t i = 0; i < 2; i++) {
		if (!without[i]) {
			strings_put(&ins->args, tools[i].name);
		}
	}
	strings_finish(&given);
}

static int read_script(struct installer *ins, const char *found, const char *absolute, char *const envp[], const char *cwd, const char *home,
                       struct installer_error *err)
{
	size_t len = 0;
	cleanup_text char *text = inst_file_text(absolute, SCRIPT_MAX, &len);
	cleanup_text char *interpreter = NULL;
	cleanup_text char *word_found = NULL;
	struct shebang bang;
	int result = 0;

	if (ins->zip) {
		/* Its first line is looked at; what follows is a zip. */
		inst_set(&text, inst_file_text(absolute, ARCHIVE_MAX, &len));
	}
	if (!text || !inst_shebang_parse(text, len, &bang) || (!ins->zip && !inst_script_is_pip(text, len))) {
		return inst_fail(err, 126, "%s is not a pip script (a small Python script that imports pip): give the path of one, or use `python3 -m pip`",
			    absolute);
	}
	if (bang.by_path) {
		result = find_word(true, bang.interpreter, envp, cwd, home, &word_found, &interpreter, err);
	} else if (bang.interpreter[0] != '/' || access(bang.interpreter, X_OK)) {
		result = inst_fail(err, 126, "%s: its interpreter %s is missing or cannot be executed", absolute, bang.interpreter);
	} else {
		interpreter = inst_dup(bang.interpreter);
	}
	if (!result) {
		ins->env.interpreter = inst_path_absolute("/", interpreter);
		ins->env.interpreter_flags = bang.flags;
		bang.flags = (struct strings){ 0 };
		ins->program = inst_dup(found);
	}
	inst_shebang_finish(&bang);
	return result;
}

static int read_interpreter(struct installer *ins, char *const argv[], const char *absolute, const char *cwd, int *first, struct installer_error *err)
{
	const char *why = NULL, *archive = NULL;

	*first = inst_interpreter_words(argv, &ins->env.interpreter_flags, &archive, &why);
	if (*first < 0) {
		return inst_fail(err, 125, "%s: %s; anything else is `pipwarden run -- %s ...`", argv[0], why, argv[0]);
	}
	ins->env.interpreter = inst_dup(absolute);
	if (archive && !strcmp(archive, "ensurepip")) {
		ins->program = inst_dup(absolute);
		ins->ensurepip = ""; /* settled when the environment is known */
		return 0;
	}
	if (archive) {
		cleanup_text char *path = inst_path_absolute(cwd, archive);

		ins->program = inst_dup(archive);
		return inst_archive_read(ins, path, err);
	}
	ins->module = true;
	return 0;
}

static bool is_elf(const char *path)
{
	char magic[4] = { 0 };
	FILE *f = fopen(path, "re");
	bool elf = f && fread(magic, 1, 4, f) == 4 && !memcmp(magic, "\177ELF", 4);

	if (f) {
		fclose(f);
	}
	return elf;
}

/* The interpreter may be a shim in turn (`#!/usr/bin/env python3`, or a shim's path in the script). */
static int settle_interpreter(struct installer *ins, char *const envp[], const char *cwd, const char *home, struct installer_error *err)
{
	struct python_env *env = &ins->env;
	char *real = NULL;
	int shim = inst_shim_resolve(env->interpreter, inst_path_base(env->interpreter), envp, cwd, home, &real, err);

	if (shim < 0) {
		return -1;
	}
	if (shim > 0) {
		inst_set(&env->interpreter, inst_path_absolute(cwd, real));
		free(real);
	}
	if (!is_elf(env->interpreter)) {
		return inst_fail(err, 126, "%s is not an interpreter but a script or something else: give the path of the real one", env->interpreter);
	}
	if (inst_env(envp, "PYTHONHOME") && *inst_env(envp, "PYTHONHOME")) {
		return inst_fail(err, 125, "PYTHONHOME moves the standard library to where nothing is known of it: unset it");
	}
	if (!python_env_read(env, envp, home)) {
		return inst_fail(err, 125, "%s: its environment cannot be read (CPython 3.8 or newer is expected, with its library in lib/pythonX.Y)",
			    env->interpreter);
	}
	python_env_writes(env);
	return 0;
}

static int settle_pip(struct installer *ins, struct installer_error *err)
{
	if (!ins->zip && !inst_pip_locate(ins)) {
		return inst_fail(err, 127, "%s has no pip: `%s -m ensurepip` installs one", ins->env.prefix, ins->env.interpreter);
	}
	if (!ins->pip_version) {
		return inst_fail(err, 125, "%s: this pip's version cannot be read", ins->pip_dir);
	}
	if (inst_version_before(ins->pip_version, 20, 3)) {
		return inst_fail(err, 125, "pip %s is too old to be guarded, 20.3 is needed: make a new environment, or upgrade it with `%s -m pip install -U pip`",
			    ins->pip_version, ins->env.interpreter);
	}
	if (ins->module) {
		inst_set(&ins->program, inst_path_join(ins->pip_dir, "__main__.py"));
	}
	return 0;
}

static void take_python(void *ctx, const struct option_def *def, const char *value)
{
	if (def->id == OPT_PYTHON && value) {
		inst_set(ctx, inst_dup(value));
	}
}

static void take_python_setting(void *ctx, const struct setting *one)
{
	if (!strcmp(one->key, "python")) {
		inst_set(ctx, inst_dup(one->value));
	}
}

/* What comes before the command: *python is what --python names there, NULL without one. */
static void find_command(struct installer *ins, char **python)
{
	const struct option_sink sink = { python, take_python, NULL };
	const char *ambiguous;
	int at = pip_options_parse(ins->args.v, ins->args.n, CMD_MAIN, &sink, &ambiguous);

	ins->command = inst_dup(at >= 0 && (size_t)at < ins->args.n ? ins->args.v[at] : "");
}

/* As pip's identify_python_interpreter; NULL: there is none, and pip will say so. */
static char *identify_python(const char *named, const char *cwd)
{
	cleanup_text char *path = inst_path_absolute(cwd, named);

	if (inst_path_is_dir(path)) {
		inst_set(&path, inst_path_join(path, "bin/python"));
	}
	return access(path, F_OK) ? NULL : inst_dup(path);
}

/* With --python (22.3 on) pip starts its own runner with another interpreter, and does nothing itself.  That is what starts in the first place:
 * the environment is the other one's, the pip is the one that was found. */
static int settle_other_python(struct installer *ins, char *python, char *const envp[], const char *cwd, const char *home, struct installer_error *err)
{
	cleanup_text char *named = python;
	cleanup_text char *other = NULL;
	struct settings settings = { 0 };

	if (ins->ensurepip || inst_version_before(ins->pip_version, 22, 3) || inst_env(envp, "_PIP_RUNNING_IN_SUBPROCESS")) {
		return 0;
	}
	if (!named) {
		pip_settings_read(&settings, ins, envp, home);
		pip_settings_effective(&settings, "", take_python_setting, &named);
		pip_settings_finish(&settings);
	}
	other = named ? identify_python(named, cwd) : NULL;
	if (!other) {
		return 0;
	}
	python_env_finish(&ins->env);
	ins->env.interpreter = inst_dup(other);
	ins->module = false;
	ins->other_python = true;
	if (!ins->zip) {
		inst_set(&ins->pip_dir, realpath(ins->pip_dir, NULL));
		if (!ins->pip_dir || !ins->runner_real) {
			return inst_fail(err, 126, "pip's own folder cannot be read");
		}
		inst_set(&ins->runner, inst_dup(ins->runner_real));
		inst_set(&ins->program, inst_dup(ins->runner));
	}
	return settle_interpreter(ins, envp, cwd, home, err);
}

/* Builds run pip's own hook runner: where pip lies outside the environment (--python, a link) they may read it, too. */
static void let_read_pip(struct installer *ins)
{
	cleanup_text char *real = ins->zip ? NULL : realpath(ins->pip_dir, NULL);

	for (size_t i = 0; real && i < ins->env.read_dirs.n; i++) {
		cleanup_text char *dir = realpath(ins->env.read_dirs.v[i], NULL);

		if (dir && pathtext_below(real, dir)) {
			return;
		}
	}
	if (real) {
		strings_put(&ins->env.read_dirs, real);
	}
}

int installer_find(struct installer *ins, char *const argv[], char *const envp[], const char *cwd, struct installer_error *err)
{
	const char *home = home_of(envp);
	cleanup_text char *found = NULL;
	cleanup_text char *absolute = NULL;
	char *python = NULL;
	int first = 1, result;

	*ins = (struct installer){ 0 };
	if (find_word(true, argv[0], envp, cwd, home, &found, &absolute, err)) {
		return -1;
	}
	if (is_versioned(inst_path_base(argv[0]), "python")) {
		result = read_interpreter(ins, argv, absolute, cwd, &first, err);
	} else {
		result = inst_names_archive(argv[0]) ? inst_archive_read(ins, absolute, err) : 0;
		result = result ? result : read_script(ins, found, absolute, envp, cwd, home, err);
	}
	if (!result) {
		copy_args(ins, argv + first);
		result = settle_interpreter(ins, envp, cwd, home, err);
	}
	if (!result && ins->ensurepip) {
		result = inst_ensurepip(ins, err);
	}
	if (!result) {
		result = settle_pip(ins, err);
	}
	if (!result && ins->zip && !strcmp(inst_path_base(ins->program), "get-pip.py")) {
		get_pip_args(ins, envp);
	}
	if (!result) {
		find_command(ins, &python);
		result = settle_other_python(ins, python, envp, cwd, home, err);
	}
	if (result) {
		installer_finish(ins);
		return -1;
	}
	let_read_pip(ins);
	return 0;
}

int installer_find_command(const char *word, char *const envp[], const char *cwd, const char *home, char **path, struct installer_error *err)
{
	cleanup_text char *absolute = NULL;

	*path = NULL;
	if (find_word(false, word, envp, cwd, home, path, &absolute, err)) {
		inst_set(path, NULL);
		return -1;
	}
	cleanup_text char *plain = strchr(word, '/') ? inst_dup(word) : inst_search_path(word, envp, NULL);
	return plain && strcmp(plain, *path);
}
