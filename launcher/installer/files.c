/* Requirements and constraints files: each as pip reads it, with those it names in their places, for a later line may replace what an earlier one said. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

enum { FILES_MAX = 256, DEPTH_MAX = 64 };

/* The options of one line, which count for what else the line is. */
struct line {
	struct sourced_list index, extra, links, requirements, constraints, editables;
	bool no_index;
};

struct reading {
	struct asked *a;
	const struct installer *ins;
	char *const *envp;
	const char *cwd;
	struct installer_error *err;
	size_t files;
	bool failed;
	const char *path; /* of the file that is read, and the folder it is in */
	const char *dir;
	struct strings open; /* files that name one another */
	struct line line;
};

static bool is_url(const char *text)
{
	return !strncasecmp(text, "http:", 5) || !strncasecmp(text, "https:", 6) || !strncasecmp(text, "file:", 5);
}

static struct sourced_list *list_in(struct line *line, enum option_id id)
{
	switch (id) {
	case OPT_INDEX_URL:
		return &line->index;
	case OPT_EXTRA_INDEX_URL:
		return &line->extra;
	case OPT_FIND_LINKS:
		return &line->links;
	case OPT_REQUIREMENT:
		return &line->requirements;
	case OPT_CONSTRAINT:
		return &line->constraints;
	case OPT_EDITABLE:
		return &line->editables;
	default:
		return NULL;
	}
}

static void take_option(void *ctx, const struct option_def *def, const char *value)
{
	struct reading *r = ctx;
	struct sourced_list *list = list_in(&r->line, def->id);

	if (list) {
		inst_sourced_add(list, value, r->path, HOST_REQUIREMENTS);
	} else if (def->id == OPT_NO_INDEX) {
		r->line.no_index = true;
	} else {
		inst_asked_option(r->a, def, value, r->path, HOST_REQUIREMENTS);
	}
}

static void line_clear(struct line *line)
{
	struct sourced_list *const lists[] = { &line->index, &line->extra, &line->links, &line->requirements, &line->constraints, &line->editables };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		inst_sourced_clear(lists[i]);
	}
	line->no_index = false;
}

/* Of several on a line the first counts; it is relative to the file where there is such a thing. */
static void add_links(struct reading *r)
{
	const char *value = r->line.links.v[0].value;
	cleanup_text char *beside = inst_path_join(r->dir, value);

	inst_sourced_add(&r->a->find_links, !access(beside, F_OK) ? beside : value, r->path, HOST_REQUIREMENTS);
}

static void drop_indexes(struct index_scope *scope)
{
	inst_sourced_clear(&scope->urls);
	scope->standard = false;
}

static void replace_index(struct index_scope *scope, const struct sourced_list *index)
{
	const struct sourced *last = &index->v[index->n - 1];

	drop_indexes(scope);
	inst_sourced_add(&scope->urls, last->value, last->where, last->origin);
}

/* pip's handle_option_line.  Before 22.3 a line's --no-index held for what was said until then. */
static void apply_options(struct reading *r)
{
	struct index_scope *scope = &r->a->scope;
	struct line *line = &r->line;
	bool sticks = !inst_version_before(r->ins->pip_version, 22, 3);

	if (!sticks && line->index.n) {
		replace_index(scope, &line->index);
	}
	if (line->no_index) {
		scope->none = sticks;
		drop_indexes(scope);
	}
	if (sticks && line->index.n && !scope->none) {
		replace_index(scope, &line->index);
	}
	for (size_t i = 0; i < line->extra.n && !(sticks && scope->none); i++) {
		inst_sourced_add(&scope->urls, line->extra.v[i].value, r->path, HOST_REQUIREMENTS);
	}
	if (line->links.n) {
		add_links(r);
	}
}

static void read_file(struct reading *r, const char *name, const char *where, enum host_origin origin);

static void take_line(void *ctx, unsigned number, const char *text)
{
	struct reading *r = ctx;
	struct line *line = &r->line;
	cleanup_text char *where = inst_format("%s:%u", r->path, number);

	if (*text) {
		/* A constraint starts nothing, but a URL in it is fetched. */
		inst_sourced_add(&r->a->positionals, text, where, HOST_REQUIREMENTS);
	} else if (line->editables.n) {
		inst_sourced_add(&r->a->editables, line->editables.v[0].value, where, HOST_REQUIREMENTS);
	} else if (line->requirements.n || line->constraints.n) {
		const char *value = line->requirements.n ? line->requirements.v[0].value : line->constraints.v[0].value;
		cleanup_text char *name = is_url(value) ? inst_dup(value) : inst_path_join(r->dir, value);

		line_clear(line);
		read_file(r, name, where, HOST_REQUIREMENTS);
	} else {
		apply_options(r);
	}
	line_clear(line);
}

static void parse_file(struct reading *r, const char *path)
{
	cleanup_text char *dir = inst_path_dir(path);
	struct option_sink sink = { r, take_option, NULL };
	const char *before = r->path, *before_dir = r->dir, *wrong;
	struct stat st;
	size_t len;
	cleanup_text char *text = NULL;

	if (stat(path, &st)) {
		return; /* pip says so itself */
	}
	text = inst_file_text(path, 16 << 20, &len);
	if (!text) {
		r->failed = true;
		inst_fail(r->err, 125, S_ISREG(st.st_mode) ? "%s: cannot be read, or is larger than 16 MiB" :
		          "%s: is not a regular file; pipwarden reads it before pip does: write it to one", path);
		return;
	}
	r->path = path;
	r->dir = dir;
	wrong = pip_requirements_parse(text, len, r->envp, &sink, take_line, r);
	r->path = before;
	r->dir = before_dir;
	if (wrong && !r->failed) {
		r->failed = true;
		inst_fail(r->err, 125, "%s: %s", path, wrong);
	}
}

/* One of the network is only noted: what it says is not known before pip has fetched it. */
static void read_file(struct reading *r, const char *name, const char *where, enum host_origin origin)
{
	cleanup_text char *path = NULL;

	if (!strncasecmp(name, "http", 4) && is_url(name)) {
		inst_sourced_add(&r->a->fetched, name, where, origin);
		return;
	}
	if (is_url(name)) {
		pip_requirement_kind(name, r->cwd, &path);
	} else {
		path = inst_path_absolute(r->cwd, name);
	}
	if (r->failed || strings_has(&r->open, path)) {
		return; /* pip stops at a file that names itself */
	}
	if (++r->files > FILES_MAX || r->open.n == DEPTH_MAX) {
		r->failed = true;
		inst_fail(r->err, 125, "more than %d requirements files are named, or one through more than %d others", FILES_MAX, DEPTH_MAX);
		return;
	}
	strings_put(&r->open, path);
	parse_file(r, path);
	strings_remove(&r->open, path);
}

static void copy_scope(struct index_scope *to, const struct index_scope *from)
{
	to->standard = from->standard;
	to->none = from->none;
	for (size_t i = 0; i < from->urls.n; i++) {
		inst_sourced_add(&to->urls, from->urls.v[i].value, from->urls.v[i].where, from->urls.v[i].origin);
	}
}

int inst_asked_files(struct asked *a, const struct installer *ins, char *const envp[], const char *cwd, struct installer_error *err)
{
	struct reading r = { .a = a, .ins = ins, .envp = envp, .cwd = cwd, .err = err };

	copy_scope(&a->scope, &a->command);
	for (size_t i = 0; i < a->constraints.n + a->requirements.n; i++) {
		const struct sourced *one = i < a->constraints.n ? &a->constraints.v[i] : &a->requirements.v[i - a->constraints.n];

		read_file(&r, one->value, one->where, one->origin);
	}
	strings_finish(&r.open);
	return r.failed ? -1 : 0;
}
