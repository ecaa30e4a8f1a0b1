#include "start_up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/findings/seen.h"

static struct seen before; /* as the state had it */
static char place[PATH_MAX];

static bool known;

static bool is_packages(const char *path)
{
	const char *base = strrchr(path, '/');

	return base != NULL && (strcmp(base, "/site-packages") == 0 || strcmp(base, "/dist-packages") == 0);
}

/* Those that its Pythons look at, and those that will be once pip has made them.  The caller frees the list, not what it points to. */
static const char **folders_of(const struct python_env *env)
{
	const char **list = calloc(env->site_dirs.n + env->write_dirs.n + 1, sizeof *list);
	size_t n = 0;

	for (size_t i = 0; list != NULL && i < env->site_dirs.n; i++) {
		list[n++] = env->site_dirs.v[i];
	}
	for (size_t i = 0; list != NULL && i < env->write_dirs.n; i++) {
		if (is_packages(env->write_dirs.v[i]) && !strings_has(&env->site_dirs, env->write_dirs.v[i])) {
			list[n++] = env->write_dirs.v[i];
		}
	}
	return list;
}

/* The folder that holds those of all runs is <base>/runs; the state lies beside it. */
static bool find_place(const struct supervisor *s, const struct python_env *env)
{
	const char *const words[] = {env->prefix, env->version, env->user_base != NULL ? env->user_base : "-", NULL};
	char base[PATH_MAX], *slash;

	snprintf(base, sizeof base, "%s", s->run->dir->state);
	for (int up = 0; up < 2; up++) {
		if ((slash = strrchr(base, '/')) == NULL) {
			return false;
		}
		*slash = '\0';
	}
	return seen_place(base, words, place);
}

static const char *rule_of(const struct seen_origin *o, bool first)
{
	if ((o->hash_known && !o->hash_fits) || (o->module_known && !o->module_fits)) {
		return "start-up.changed";
	}
	if (o->judged.level < STARTUP_CODE) {
		return NULL;
	}
	return first ? "start-up.there" : "start-up.new";
}

static void describe(const struct seen_origin *o, char *out, size_t size)
{
	const struct startup *s = &o->judged;
	const char *file = !o->hash_known ? "" : o->hash_fits ? ", as its RECORD has it" : ", and is not the file that its RECORD names";
	const char *module = !o->module_known ? "" : o->module_fits ? ", whose module is as recorded" : ", whose module is not the one that RECORD names";

	snprintf(out, size, "it runs in every other Python of this environment (not in pip): %s%s%s; %s%s%s%s", s->why, s->module[0] != '\0' ? ", it imports " : "", s->module,
	         o->name[0] != '\0' ? "brought by " : "no RECORD names it", o->name, file, s->module[0] != '\0' ? module : "");
}

static void list_one(struct supervisor *s, const struct seen_file *f, bool first)
{
	struct seen_origin o;
	char text[600];

	/* At the first look only what is not known by its text: RECORDs are not read for the rest. */
	if (first && f->judged.level < STARTUP_CODE) {
		return;
	}
	seen_origin(f, &o);
	const char *rule = rule_of(&o, first);
	if (rule == NULL) {
		return;
	}
	describe(&o, text, sizeof text);
	struct event ev = {.type = "run.startup", .action = EV_OBSERVED, .source = SRC_KERNEL, .verdict = policy_rule(s->run->policy, rule), .target = {.path = f->path}, .detail = text};
	const struct event_package package = {.name = o.name[0] != '\0' ? o.name : NULL, .version = o.version[0] != '\0' ? o.version : NULL};
	struct sandbox by = {.sup = s, .role = ROLE_INSTALLER, .package = &package};
	supervisor_record(&by, 0, &ev);
}

/* At each run: which of them are looked at is the folder's order. */
static void say_cut(struct supervisor *s)
{
	struct event ev = {.type = "run.startup", .action = EV_OBSERVED, .source = SRC_KERNEL, .verdict = policy_rule(s->run->policy, "start-up.unread"), .target = {.path = s->run->env->prefix},
	                   .detail = "there are more start-up files in this environment than are looked at: what is new among the others is not known"};
	struct sandbox by = {.sup = s, .role = ROLE_INSTALLER};

	supervisor_record(&by, 0, &ev);
}

void start_up_list(struct supervisor *s)
{
	const struct python_env *env = s->run->installer != NULL ? s->run->env : NULL;
	const char **folders = env != NULL ? folders_of(env) : NULL;
	struct seen now = {0};

	if (folders == NULL) {
		return;
	}
	if (find_place(s, env)) {
		seen_load(&before, place, &known);
	} else {
		place[0] = '\0';
	}
	seen_collect(&now, folders);
	for (size_t i = 0; i < now.n; i++) {
		const struct seen_file *was = seen_find(&before, now.v[i].path);
		if (was == NULL || !seen_same(was, &now.v[i])) {
			list_one(s, &now.v[i], !known);
		}
	}
	if (now.cut) {
		say_cut(s);
	}
	seen_finish(&now);
	free(folders);
}

static bool same(const struct seen *a, const struct seen *b)
{
	bool is = a->n == b->n;

	for (size_t i = 0; is && i < a->n; i++) {
		is = strcmp(a->v[i].path, b->v[i].path) == 0 && seen_same(&a->v[i], &b->v[i]);
	}
	return is;
}

void start_up_remember(struct supervisor *s)
{
	const char **folders = place[0] != '\0' ? folders_of(s->run->env) : NULL;
	struct seen now = {0};

	if (folders != NULL && seen_collect(&now, folders) == 0 && (!known || !same(&before, &now))) {
		seen_save(&now, place); /* without it the next run lists them again */
	}
	seen_finish(&now);
	seen_finish(&before);
	free(folders);
}
