#include "bootstrap.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/pw_event.h"

/* What an interpreter would load code by before the bootstrap's first line (PYTHONPATH can replace `encodings`) is kept from its start; the bootstrap
 * puts PYTHONPATH back for pip's children. */
static const char *const kept_from_start[] = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"};

static char *make_spec(const struct supervisor *s, const char *program, bool subpip, const char *pythonpath)
{
	const struct installer *ins = s->run->installer;
	cJSON *spec = cJSON_CreateObject(), *event, *allowed;
	char *text;

	cJSON_AddStringToObject(spec, "program", program);
	cJSON_AddStringToObject(spec, "pip_dir", ins->pip_dir);
	cJSON_AddBoolToObject(spec, "module", !subpip && strcmp(strrchr(program, '/') != NULL ? strrchr(program, '/') : program, "/__main__.py") == 0);
	if (subpip) {
		cJSON_AddStringToObject(spec, "runner", ins->runner);
		cJSON_AddNumberToObject(spec, "started", (double)s->run->started_ns);
	} else {
		cJSON_AddNullToObject(spec, "runner");
	}
	cJSON_AddBoolToObject(spec, "sealed", !ins->pip_is_target);
	allowed = cJSON_AddArrayToObject(spec, "allow_pth");
	for (size_t i = 0; s->run->allow_pth != NULL && s->run->allow_pth[i] != NULL; i++) {
		cJSON_AddItemToArray(allowed, cJSON_CreateString(s->run->allow_pth[i]));
	}
	if (pythonpath != NULL) {
		cJSON_AddStringToObject(spec, "pythonpath", pythonpath);
	}
	event = cJSON_AddObjectToObject(spec, "event");
	cJSON_AddNumberToObject(event, "magic", PW_MAGIC);
	cJSON_AddNumberToObject(event, "op", PW_OP_EVENT);
	cJSON_AddNumberToObject(event, "type", PW_EV_IMPORT_REFUSED);
	text = cJSON_PrintUnformatted(spec);
	cJSON_Delete(spec);
	return text;
}

/* interpreter argv0, flags, -S, bootstrap, spec */
static int common_argv(const struct supervisor *s, struct bootstrap *b, const char *argv0)
{
	const struct installer *ins = s->run->installer;

	if (b->spec == NULL || strings_add(&b->argv, argv0) < 0) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < ins->env.interpreter_flags.n; i++) {
		if (strings_add(&b->argv, ins->env.interpreter_flags.v[i]) < 0) {
			return -ENOMEM;
		}
	}
	if (strings_add(&b->argv, "-S") < 0 || strings_add(&b->argv, s->boot_path) < 0 || strings_add(&b->argv, b->spec) < 0) {
		return -ENOMEM;
	}
	return 0;
}

static int add_all(struct strings *to, char *const *words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		if (strings_add(to, words[i]) < 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

/* The shim first, then a preload of the user's own. */
static int set_preload(const struct supervisor *s, struct environment *e)
{
	const char *given = environment_get(e, "LD_PRELOAD");
	char *both = NULL;
	int error;

	if (given == NULL || given[0] == '\0') {
		return environment_set(e, "LD_PRELOAD", s->shim_path);
	}
	if (strstr(given, s->shim_path) != NULL) {
		return 0;
	}
	if (asprintf(&both, "%s:%s", s->shim_path, given) < 0) {
		return -ENOMEM;
	}
	error = environment_set(e, "LD_PRELOAD", both);
	free(both);
	return error;
}

static int finish_environment(const struct supervisor *s, struct bootstrap *b)
{
	for (size_t i = 0; i < sizeof kept_from_start / sizeof *kept_from_start; i++) {
		environment_unset(&b->environment, kept_from_start[i]);
	}
	return set_preload(s, &b->environment);
}

int bootstrap_pip(const struct supervisor *s, struct bootstrap *b, struct start *out)
{
	const struct installer *ins = s->run->installer;
	char temp[PATH_MAX];

	memset(b, 0, sizeof *b);
	memset(out, 0, sizeof *out);
	if (environment_copy(&b->environment, s->run->role_env.envp) < 0) {
		return -ENOMEM;
	}
	b->spec = make_spec(s, ins->program, false, environment_get(&b->environment, "PYTHONPATH"));
	snprintf(temp, sizeof temp, "%s/t", supervisor_temp(s));
	if (common_argv(s, b, ins->env.interpreter) < 0 || add_all(&b->argv, ins->args.v) < 0 ||
	    environment_set(&b->environment, "TMPDIR", temp) < 0 ||
	    (ins->use_pep517 && environment_set(&b->environment, "PIP_USE_PEP517", "1") < 0) || finish_environment(s, b) < 0) {
		return -ENOMEM;
	}
	out->path = ins->env.interpreter;
	out->argv = b->argv.v;
	out->envp = b->environment.v;
	return 0;
}

int bootstrap_subpip(const struct supervisor *s, const struct start *request, struct bootstrap *b, struct start *out)
{
	memset(b, 0, sizeof *b);
	memset(out, 0, sizeof *out);
	if (environment_copy(&b->environment, request->envp) < 0) {
		return -ENOMEM;
	}
	b->spec = make_spec(s, s->run->installer->runner, true, environment_get(&b->environment, "PYTHONPATH"));
	if (common_argv(s, b, request->argv[0]) < 0 || add_all(&b->argv, request->argv + 2) < 0 || finish_environment(s, b) < 0) {
		return -ENOMEM;
	}
	out->path = request->path;
	out->argv = b->argv.v;
	out->envp = b->environment.v;
	return 0;
}

void bootstrap_finish(struct bootstrap *b)
{
	free(b->spec);
	strings_finish(&b->argv);
	environment_finish(&b->environment);
	memset(b, 0, sizeof *b);
}
