/* What lies below a served folder without being the project's. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/served.h"
#include "launcher/supervise/supervisor.h"

/* 0 or -ENOMEM.  A path that is the folder itself, or holds it, sets nothing apart. */
static int set_apart(struct served *v, size_t *n, const char *path)
{
	char real[PATH_MAX];
	char **grown;
	if (!path || !path[0] || !realpath(path, real) || !pathtext_below(real, v->root) || strcmp(real, v->root) == 0)
		return 0;
	grown = realloc(v->apart, (*n + 2) * sizeof *grown);
	if (!grown)
		return -ENOMEM;
	v->apart = grown;
	v->apart[*n] = strdup(real);
	v->apart[*n + 1] = NULL;
	return v->apart[(*n)++] ? 0 : -ENOMEM;
}

static int set_all_apart(struct served *v, size_t *n, const struct strings *list)
{
	int error = 0;
	for (size_t i = 0; i < list->n && !error; i++)
		error = set_apart(v, n, list->v[i]);
	return error;
}

int served_init(struct served *v, const struct supervisor *s, const char *root)
{
	const struct run *run = s->run;
	size_t n = 0;
	*v = (struct served){.root = root, .links = calloc(1, sizeof *v->links)};
	int error = v->links ? 0 : -ENOMEM;
	if (!error)
		error = set_apart(v, &n, run->dir->tmp);
	if (!error)
		error = set_apart(v, &n, run->dir->state);
	if (!error)
		error = set_apart(v, &n, run->journal_path);
	if (!error && run->env)
		error = set_apart(v, &n, run->env->prefix);
	if (!error && run->env)
		error = set_all_apart(v, &n, &run->env->write_dirs);
	if (!error && run->installer) /* an option's file: pip writes it when the build is over */
		error = set_all_apart(v, &n, &run->installer->output_files);
	return error ? error : served_close_places(v, s);
}

void served_finish(struct served *v)
{
	for (char **a = v->apart; a && *a; a++)
		free(*a);
	free(v->apart);
	for (size_t i = 0; i < v->closed_count; i++)
		free(v->closed[i].real);
	free(v->closed);
	free(v->programs);
	if (v->links)
		free(v->links->v);
	free(v->links);
	*v = (struct served){0};
}
