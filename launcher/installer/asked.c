/* What the run is asked for: settings first, then the command line, then the files that both name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

enum { FILES_MAX = 256 };

/* Where the options that come in just now are written. */
struct source {
	struct asked *a;
	unsigned commands;
	enum host_origin origin;
	const char *where;
	const char *dir; /* of the file they are in; NULL: cwd is used */
};

static void list_add(struct sourced_list *list, const char *value, const char *where, enum host_origin origin)
{
	list->v = inst_grow(list->v, list->n, sizeof(*list->v));
	list->v[list->n++] = (struct sourced){ inst_dup(value), inst_dup(where), origin };
}

static void single_set(struct sourced *one, const char *value, const char *where, enum host_origin origin)
{
	inst_set(&one->value, inst_dup(value));
	inst_set(&one->where, inst_dup(where));
	one->origin = origin;
}

static bool is_url(const char *text)
{
	return inst_starts(text, "http:") || inst_starts(text, "https:") || inst_starts(text, "file:");
}

/* A nested file is named relative to the one that names it. */
static void add_file(struct sourced_list *list, const struct source *src, const char *value)
{
	cleanup_text char *path = !src->dir || is_url(value) ? inst_dup(value) : inst_path_join(src->dir, value);

	list_add(list, path, src->where, src->origin);
}

/* Those of a file are relative to it where there is such a thing. */
static void add_links(const struct source *src, const char *value)
{
	cleanup_text char *beside = src->dir ? inst_path_join(src->dir, value) : NULL;

	list_add(&src->a->find_links, beside && !access(beside, F_OK) ? beside : value, src->where, src->origin);
}

static void set_index(struct source *src, const char *value)
{
	struct sourced_list *list = &src->a->indexes;

	/* On the command line and in settings the later one replaces; pip takes those of files for what the files bring, and the first
	 * for its own version check: both are reached. */
	if (src->origin != HOST_REQUIREMENTS) {
		src->a->index_replaced = true;
		for (size_t i = 0; i < list->n; i++) {
			free(list->v[i].value);
			free(list->v[i].where);
		}
		list->n = 0;
	}
	list_add(list, value, src->where, src->origin);
}

static void take_option(void *ctx, const struct option_def *def, const char *value)
{
	struct source *src = ctx;
	struct asked *a = src->a;
	cleanup_text char *where = src->where ? inst_dup(src->where) : inst_format("--%s", def->name);
	struct source named = *src;

	named.where = where;
	if (!def->value) {
		a->flag[def->id] = true;
		return;
	}
	switch (def->id) {
	case OPT_INDEX_URL:
		set_index(&named, value);
		break;
	case OPT_EXTRA_INDEX_URL:
		list_add(&a->extra_indexes, value, where, src->origin);
		break;
	case OPT_FIND_LINKS:
		add_links(&named, value);
		break;
	case OPT_REQUIREMENT:
		add_file(&a->requirements, &named, value);
		break;
	case OPT_CONSTRAINT:
		add_file(&a->constraints, &named, value);
		break;
	case OPT_EDITABLE:
		list_add(&a->editables, value, where, src->origin);
		break;
	case OPT_USE_FEATURE:
		list_add(&a->features, value, where, src->origin);
		break;
	case OPT_SCRIPT_REQUIREMENTS:
		list_add(&a->scripts, value, where, src->origin);
		break;
	case OPT_LOG:
		list_add(&a->logs, value, where, src->origin);
		break;
	default:
		single_set(&a->single[def->id], value, where, src->origin);
		break;
	}
}

static void take_positional(void *ctx, const char *text)
{
	struct source *src = ctx;

	list_add(&src->a->positionals, text, src->where ? src->where : "the command line", src->origin);
}

static void take_requirement(void *ctx, unsigned line, const char *text)
{
	struct source *src = ctx;
	cleanup_text char *where = inst_format("%s:%u", src->where, line);

	/* A constraint starts nothing, but a URL in it is fetched. */
	list_add(&src->a->positionals, text, where, HOST_REQUIREMENTS);
}

static void take_setting(void *ctx, const struct setting *one)
{
	struct source *src = ctx;
	const struct option_def *def = pip_option_by_name(one->key, src->commands);
	struct source here = { src->a, src->commands, one->origin, one->where, NULL };

	if (!def) {
		return;
	}
	if (!def->value) {
		/* PIP_NO_CACHE_DIR=false turns the cache off as well: pip keeps it so. */
		if (inst_truth(one->value) || def->id == OPT_NO_CACHE_DIR) {
			take_option(&here, def, NULL);
		}
	} else if (def->many) {
		cleanup_strings struct strings words = { 0 };

		strings_split(&words, one->value);
		for (size_t i = 0; i < words.n; i++) {
			take_option(&here, def, words.v[i]);
		}
	} else {
		take_option(&here, def, one->value);
	}
}

/* pip parses the words once more without the command's first occurrence. */
static void read_words(struct asked *a, const struct installer *ins, unsigned commands)
{
	cleanup_strings struct strings words = { 0 };
	struct source src = { a, commands, HOST_ARGUMENT, NULL, NULL };
	struct option_sink sink = { &src, take_option, take_positional };
	const char *ambiguous = NULL;
	bool seen = false;

	for (size_t i = 0; i < ins->args.n; i++) {
		if (!seen && *ins->command && !strcmp(ins->args.v[i], ins->command)) {
			seen = true;
		} else {
			strings_put(&words, ins->args.v[i]);
		}
	}
	if (pip_options_parse(words.v, words.n, commands, &sink, &ambiguous) < 0) {
		inst_set(&a->ambiguous, inst_dup(ambiguous));
	}
}

static int read_requirements(struct asked *a, const char *path, char *const envp[], struct installer_error *err)
{
	cleanup_text char *dir = inst_path_dir(path);
	struct source src = { a, CMD_FILE, HOST_REQUIREMENTS, path, dir };
	struct option_sink sink = { &src, take_option, NULL };
	struct stat st;
	size_t len;
	cleanup_text char *text = NULL;
	const char *wrong;

	if (stat(path, &st)) {
		return 0; /* pip says so itself */
	}
	text = inst_file_text(path, 16 << 20, &len);
	if (!text) {
		return S_ISREG(st.st_mode) ? inst_fail(err, 125, "%s: cannot be read, or is larger than 16 MiB", path) :
		                             inst_fail(err, 125, "%s: is not a regular file; pipwarden reads it before pip does: write it to one", path);
	}
	wrong = pip_requirements_parse(text, len, envp, &sink, take_requirement, &src);
	return wrong ? inst_fail(err, 125, "%s: %s", path, wrong) : 0;
}

/* Takes the files of both lists, which grow meanwhile. */
static int read_files(struct asked *a, char *const envp[], const char *cwd, struct installer_error *err)
{
	cleanup_strings struct strings done = { 0 };

	for (size_t r = 0, c = 0; r < a->requirements.n || c < a->constraints.n;) {
		struct sourced *one = r < a->requirements.n ? &a->requirements.v[r++] : &a->constraints.v[c++];
		cleanup_text char *path = NULL;

		if (inst_starts(one->value, "http:") || inst_starts(one->value, "https:")) {
			continue;
		}
		if (inst_starts(one->value, "file:")) {
			pip_requirement_kind(one->value, cwd, &path);
		} else {
			path = inst_path_absolute(cwd, one->value);
		}
		if (strings_has(&done, path)) {
			continue;
		}
		if (done.n == FILES_MAX) {
			return inst_fail(err, 125, "more than %d requirements files are named", FILES_MAX);
		}
		strings_put(&done, path);
		if (read_requirements(a, path, envp, err)) {
			return -1;
		}
	}
	return 0;
}

int inst_asked_collect(struct asked *a, const struct installer *ins, char *const envp[], const char *cwd, const char *home, struct installer_error *err)
{
	unsigned commands = *ins->command ? pip_command_bit(ins->command) : CMD_MAIN;
	struct source src = { a, commands, HOST_CONFIG, NULL, NULL };
	struct settings settings = { 0 };

	pip_settings_read(&settings, &ins->env, envp, home, strings_has(&ins->args, "--isolated"));
	pip_settings_effective(&settings, ins->command, take_setting, &src);
	pip_settings_finish(&settings);
	read_words(a, ins, commands);
	return read_files(a, envp, cwd, err);
}

static void list_finish(struct sourced_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].value);
		free(list->v[i].where);
	}
	free(list->v);
}

void inst_asked_finish(struct asked *a)
{
	struct sourced_list *const lists[] = { &a->indexes,   &a->extra_indexes, &a->find_links,  &a->requirements, &a->constraints,
		                               &a->editables, &a->features,      &a->positionals, &a->scripts,      &a->logs };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		list_finish(lists[i]);
	}
	for (size_t i = 0; i < sizeof(a->single) / sizeof(*a->single); i++) {
		free(a->single[i].value);
		free(a->single[i].where);
	}
	free(a->ambiguous);
	*a = (struct asked){ 0 };
}
