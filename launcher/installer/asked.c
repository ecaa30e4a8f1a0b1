/* What the run is asked for: settings first, then the command line, then the files that both name (files.c). */
#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

/* Where the options that come in just now are written. */
struct source {
	struct asked *a;
	unsigned commands;
	enum host_origin origin;
	const char *where; /* NULL: the option's own name */
};

void inst_sourced_add(struct sourced_list *list, const char *value, const char *where, enum host_origin origin)
{
	list->v = inst_grow(list->v, list->n, sizeof(*list->v));
	list->v[list->n++] = (struct sourced){ inst_dup(value), inst_dup(where), origin };
}

void inst_sourced_clear(struct sourced_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].value);
		free(list->v[i].where);
	}
	free(list->v);
	*list = (struct sourced_list){ 0 };
}

static void single_set(struct sourced *one, const char *value, const char *where, enum host_origin origin)
{
	inst_set(&one->value, inst_dup(value));
	inst_set(&one->where, inst_dup(where));
	one->origin = origin;
}

/* NULL: the last value of this one counts. */
static struct sourced_list *list_of(struct asked *a, enum option_id id)
{
	switch (id) {
	case OPT_EXTRA_INDEX_URL:
		return &a->command.urls;
	case OPT_FIND_LINKS:
		return &a->find_links;
	case OPT_REQUIREMENT:
		return &a->requirements;
	case OPT_CONSTRAINT:
		return &a->constraints;
	case OPT_EDITABLE:
		return &a->editables;
	case OPT_USE_FEATURE:
		return &a->features;
	case OPT_SCRIPT_REQUIREMENTS:
		return &a->scripts;
	case OPT_LOG:
		return &a->logs;
	default:
		return NULL;
	}
}

void inst_asked_option(struct asked *a, const struct option_def *def, const char *value, const char *where, enum host_origin origin)
{
	struct sourced_list *list = list_of(a, def->id);

	if (!def->value) {
		a->flag[def->id] = true;
	} else if (list) {
		inst_sourced_add(list, value, where, origin);
	} else {
		single_set(&a->single[def->id], value, where, origin);
	}
}

static void take_option(void *ctx, const struct option_def *def, const char *value)
{
	struct source *src = ctx;
	cleanup_text char *where = src->where ? inst_dup(src->where) : inst_format("--%s", def->name);

	inst_asked_option(src->a, def, value, where, src->origin);
}

static void take_positional(void *ctx, const char *text)
{
	struct source *src = ctx;

	inst_sourced_add(&src->a->positionals, text, src->where ? src->where : "the command line", src->origin);
}

static void take_setting(void *ctx, const struct setting *one)
{
	struct source *src = ctx;
	const struct option_def *def = pip_option_by_name(one->key, src->commands);
	struct source here = { src->a, src->commands, one->origin, one->where };

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
	struct source src = { a, commands, HOST_ARGUMENT, NULL };
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

/* The one index, then the others. */
static void begin_scope(struct asked *a)
{
	const struct sourced *index = &a->single[OPT_INDEX_URL];
	struct sourced_list extra = a->command.urls;

	a->command.urls = (struct sourced_list){ 0 };
	a->command.none = a->flag[OPT_NO_INDEX];
	a->command.standard = !index->value && !a->command.none;
	if (index->value && !a->command.none) {
		inst_sourced_add(&a->command.urls, index->value, index->where, index->origin);
	}
	for (size_t i = 0; i < extra.n && !a->command.none; i++) {
		inst_sourced_add(&a->command.urls, extra.v[i].value, extra.v[i].where, extra.v[i].origin);
	}
	inst_sourced_clear(&extra);
}

int inst_asked_collect(struct asked *a, const struct installer *ins, char *const envp[], const char *cwd, const char *home, struct installer_error *err)
{
	unsigned commands = *ins->command ? pip_command_bit(ins->command) : CMD_MAIN;
	struct source src = { a, commands, HOST_CONFIG, NULL };
	struct settings settings = { 0 };

	pip_settings_read(&settings, ins, envp, home);
	pip_settings_effective(&settings, ins->command, take_setting, &src);
	pip_settings_finish(&settings);
	read_words(a, ins, commands);
	begin_scope(a);
	return inst_asked_files(a, ins, envp, cwd, err);
}

void inst_asked_finish(struct asked *a)
{
	struct sourced_list *const lists[] = { &a->command.urls, &a->scope.urls, &a->find_links,  &a->requirements, &a->constraints,
		                               &a->editables,    &a->features,   &a->positionals, &a->scripts,      &a->logs,        &a->fetched };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		inst_sourced_clear(lists[i]);
	}
	for (size_t i = 0; i < sizeof(a->single) / sizeof(*a->single); i++) {
		free(a->single[i].value);
		free(a->single[i].where);
	}
	free(a->ambiguous);
	*a = (struct asked){ 0 };
}
