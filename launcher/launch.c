#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "folders.h"
#include "guardian.h"
#include "homes.h"
#include "launcher/supervise/pathtext.h"
#include "launcher/version.h"

int launch_error(int status, const char *format, ...)
{
	va_list ap;

	fputs("pipwarden: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

static const char *libexec_folder(void)
{
	static char folder[PATH_MAX];
	static const char *const places[] = {PIPWARDEN_LIBEXEC, "libexec"};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	if (len <= 0) {
		return NULL;
	}
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char path[PATH_MAX * 2];
		snprintf(path, sizeof path, "%s/%s/enter", self, places[i]);
		char *real = realpath(path, NULL);
		if (real != NULL && access(real, X_OK) == 0) {
			*strrchr(real, '/') = '\0';
			snprintf(folder, sizeof folder, "%s", real);
			free(real);
			return folder;
		}
		free(real);
	}
	return NULL;
}

/* What an option or the policy opens for writing must not hold what is pipwarden's own. */
static int check_granted(const struct run *run, const char *real, const char *own)
{
	for (int role = 0; role < ROLE_COUNT; role++) {
		const char *const *grants = policy_grants(run->policy, (enum role)role, FILE_WRITE);
		for (; grants != NULL && *grants != NULL; grants++) {
			char root[PATH_MAX];
			if (realpath(*grants, root) != NULL && pathtext_below(real, root)) {
				return launch_error(125, "%s lies where the command may write (%s): it could be rewritten", own, root);
			}
		}
	}
	return 0;
}

/* A journal where the command may write could be rewritten by it. */
static int check_log(const struct run *run, enum role role, const char *log)
{
	char folder[PATH_MAX], real[PATH_MAX], root[PATH_MAX];

	snprintf(folder, sizeof folder, "%s", log);
	char *slash = strrchr(folder, '/');
	if (slash == NULL) {
		strcpy(folder, ".");
	} else {
		slash[slash == folder ? 1 : 0] = '\0';
	}
	if (realpath(folder, real) == NULL) {
		return launch_error(125, "the journal %s cannot be written: %s", log, strerror(errno));
	}
	for (size_t i = 0; run->env != NULL && role == ROLE_INSTALLER && i < run->env->write_dirs.n; i++) {
		if (realpath(run->env->write_dirs.v[i], root) != NULL && pathtext_below(real, root)) {
			return launch_error(125, "the journal %s lies where pip may write (%s)", log, root);
		}
	}
	for (size_t i = 0; run->installer != NULL && i < run->installer->outputs.n; i++) {
		if (realpath(run->installer->outputs.v[i], root) != NULL && pathtext_below(real, root)) {
			return launch_error(125, "the journal %s lies where pip may write (%s)", log, root);
		}
	}
	return check_granted(run, real, log);
}

static int open_journal(struct run *run, const struct options *o, enum role role, char **argv, char *const *secrets)
{
	static char journal_path[PATH_MAX + 20];
	const char *paths[OPTION_LIST_MAX + 2], *bad = NULL;
	char *layers = caps_json(run->caps);
	struct journal_start start = {
		.run_id = run->dir->id, .argv = (const char *const *)argv, .version = PIPWARDEN_VERSION, .policy_digest = policy_digest(run->policy),
		.layers_json = layers, .replaced = (const char *const *)run->role_env.replaced, .removed = (const char *const *)run->role_env.removed,
		.replaced_for = run->installer != NULL ? "installer, build" : "guest", .audit = run->audit,
	};
	size_t n = 0;
	int error = 0;

	if (run->dir->state[0] != '\0') {
		snprintf(journal_path, sizeof journal_path, "%s/events.jsonl", run->dir->state);
		if (check_log(run, role, journal_path) != 0) {
			free(layers);
			return 125;
		}
		paths[n++] = journal_path;
	}
	for (size_t i = 0; i < o->logs.n; i++) {
		if (check_log(run, role, o->logs.v[i]) != 0) {
			free(layers);
			return 125;
		}
		paths[n++] = o->logs.v[i];
	}
	paths[n] = NULL;
	run->journal_path = o->logs.n > 0 ? o->logs.v[0] : paths[0]; /* the place that the user named */
	run->journal = journal_open(paths, o->log_fd, &start, secrets, &error, &bad);
	free(layers);
	if (run->journal == NULL) {
		error = error < 0 ? -error : error;
		return bad != NULL ? launch_error(125, "the journal %s cannot be written: %s", bad, strerror(error))
		                   : launch_error(125, "the journal on descriptor %d cannot be written: %s", o->log_fd, strerror(error));
	}
	return 0;
}

static int find_installer(struct run *run, const struct options *o, char **envp, struct installer *ins)
{
	struct installer_error err = {0};
	char cwd[PATH_MAX];

	if (getcwd(cwd, sizeof cwd) == NULL) {
		return launch_error(125, "the working directory: %s", strerror(errno));
	}
	if (installer_find(ins, o->args, envp, cwd, &err) < 0 || installer_plan(ins, run->policy, envp, cwd, run->homes[0], &err) < 0) {
		return launch_error(err.status, "%s", err.message);
	}
	run->installer = ins;
	run->proxies = &ins->proxies;
	run->env = &ins->env;
	return 0;
}

static int find_guest(struct run *run, const struct options *o, char **envp, struct python_env *env)
{
	static struct proxies proxies;
	struct installer_error err = {0};
	char cwd[PATH_MAX], *path;

	if (getcwd(cwd, sizeof cwd) == NULL) {
		return launch_error(125, "the working directory: %s", strerror(errno));
	}
	int found = installer_find_command(o->args[0], envp, cwd, run->homes[0], &path, &err);
	if (found < 0) {
		return launch_error(err.status, "%s", err.message);
	}
	if (found == 1) {
		o->args[0] = path;
	}
	proxies_of_environment(&proxies, envp);
	run->proxies = &proxies;
	run->guest_path = path;
	run->guest_argv = o->args;
	if (python_env_of_script(run->guest_path, envp, run->homes[0], env) || python_env_of_interpreter(run->guest_path, envp, run->homes[0], env)) {
		run->env = env;
	}
	return 0;
}

/* Inside another pipwarden the outer one stays in force. */
static int run_nested(const struct options *o, const struct caps *caps, char **args)
{
	if (caps->nested_audit && !o->audit) {
		return launch_error(125, "another pipwarden is in force here with --audit, which enforces nothing: start this one outside of it");
	}
	if (o->tightened) {
		return launch_error(125, "another pipwarden is in force here, and a policy of its own was asked for: it cannot be made stricter from inside");
	}
	fprintf(stderr, "pipwarden: another pipwarden is in force here; it goes on %s\n", caps->nested_audit ? "recording, and guards nothing (--audit)" : "guarding");
	execvp(args[0], args);
	int error = errno;
	return launch_error(error == ENOENT ? 127 : 126, "%s: %s", args[0], strerror(error));
}

static int run_unguarded(struct run *run, char **args, const char *missing)
{
	fprintf(stderr, "pipwarden: NOT PROTECTED (--allow-degraded): %s\n", missing);
	execvpe(args[0], args, run->envp);
	int error = errno;
	return launch_error(error == ENOENT ? 127 : 126, "%s: %s", args[0], strerror(error));
}

static bool want_colour(const struct options *o)
{
	if (o->colour != COLOUR_AUTO) {
		return o->colour == COLOUR_ALWAYS;
	}
	return isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int unpack_pip(const struct run *run, struct installer *ins)
{
	struct installer_error err = {0};

	return run->installer != NULL && installer_unpack(ins, run->dir->tmp, &err) < 0 ? launch_error(err.status, "%s", err.message) : 0;
}

/* What the record never shows: secrets of the environment, and what stands in URLs of the command line, pip's settings, repositories and proxies, which need no scheme. */
static char **secrets_of(const struct run *run)
{
	struct strings words = {0};
	bool whole = true;
	char **secrets;

	for (char **word = run->process_argv; *word != NULL; word++) {
		whole &= strings_add(&words, *word) == 0;
	}
	for (size_t i = 0; run->installer != NULL && i < run->installer->urls.n; i++) {
		whole &= strings_add(&words, run->installer->urls.v[i]) == 0;
	}
	for (size_t i = 0; run->installer != NULL && i < run->installer->vcs_count; i++) {
		whole &= strings_add(&words, run->installer->vcs[i].url) == 0;
	}
	for (size_t i = 0; run->proxies != NULL && i < run->proxies->n; i++) {
		const char *login = run->proxies->v[i].login;

		whole &= login == NULL || strings_addf(&words, "proxy://%s@", login) == 0;
	}
	secrets = whole ? env_secrets(run->policy, run->process_envp, words.v) : NULL;
	strings_finish(&words);
	return secrets;
}

static int prepare_and_run(struct run *run, const struct options *o, enum role role, struct installer *ins, struct caps_probe *probe, struct caps *caps)
{
	char **argv = run->process_argv, **envp = run->process_envp;
	static char **secrets; /* the journal redacts by them to the end */
	int status;

	secrets = secrets_of(run);

	if (secrets == NULL || getrandom(run->decoy_key, sizeof run->decoy_key, 0) != sizeof run->decoy_key ||
	    env_for_role(run->policy, role, envp, run->decoy_key, &run->role_env) < 0) {
		return launch_error(125, "the environment cannot be prepared: %s", strerror(errno));
	}
	run->envp = run->audit ? envp : run->role_env.envp;
	run->started_ns = now_ns();
	if (run->caps->nested) {
		return run_nested(o, run->caps, o->args);
	}
	if ((status = folders_make_run(run, o)) != 0) {
		return status;
	}
	if (o->log_fd >= 0) {
		fcntl(o->log_fd, F_SETFD, FD_CLOEXEC); /* the command must not hold it */
	}
	caps_probe_finish(probe, caps); /* not before it is needed: it has tried meanwhile */
	const char *missing = caps_missing(caps);
	if (missing != NULL) {
		rundir_remove(run->dir);
		caps_probe_end(probe);
		return o->allow_degraded ? run_unguarded(run, o->args, missing) : launch_error(125, "%s", missing);
	}
	if ((status = unpack_pip(run, ins)) != 0) {
		rundir_remove(run->dir);
		return status;
	}
	if ((status = check_granted(run, run->dir->tmp, "the temporary folder of the run")) != 0 || (status = folders_make_granted(run)) != 0 || (status = open_journal(run, o, role, argv, secrets)) != 0) {
		rundir_remove(run->dir);
		return status;
	}
	return guardian_run(run);
}

int launch(const struct options *o, char **argv, char **envp)
{
	static struct run run;
	static struct installer ins;
	static struct python_env env;
	static struct caps caps;
	struct caps_probe probe;
	enum role role = o->command == COMMAND_PIP ? ROLE_INSTALLER : ROLE_GUEST;
	int status;

	caps_probe_start(&probe, &caps, false);
	run.policy = launch_policy(o, role);
	if (run.policy == NULL) {
		return 125;
	}
	run.homes = homes_find();
	run.libexec = libexec_folder();
	if (run.libexec == NULL) {
		return launch_error(125, "pipwarden's own helpers are not where they belong, beside the program");
	}
	run.caps = &caps;
	run.process_argv = argv;
	run.process_envp = envp;
	for (size_t i = 0; i < o->allow_pth.n; i++) {
		strings_add(&run.allow_pth, o->allow_pth.v[i]);
	}
	run.audit = o->audit;
	run.fail_on = o->audit && !o->fail_on_given ? RUN_FAILS_NEVER : o->fail_on;
	run.quiet = o->quiet;
	run.verbosity = o->verbosity;
	run.colour = want_colour(o);
	run.timeout = o->timeout;
	run.umask = umask(022);
	umask(run.umask);
	status = caps.nested ? 0 : role == ROLE_INSTALLER ? find_installer(&run, o, envp, &ins) : find_guest(&run, o, envp, &env);
	return status != 0 ? status : prepare_and_run(&run, o, role, &ins, &probe, &caps);
}
