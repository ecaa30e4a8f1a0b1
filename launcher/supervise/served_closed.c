/* Places of a project that are what a rule names, though their own names do not say so: what a guarded or secret link leads to (`.git/hooks/pre-commit`
 * is often one to tools/pre-commit, `.env` one to env/dev.env), the programs and folders that `.git/config` names, virtual environments other than the
 * run's, pip's cache, and the places where pip's command line has pip read archives, or write when the build is over.
 *
 * Only what was there when the run began: what a build makes since is its own. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/served.h"
#include "launcher/supervise/supervisor.h"

enum { DEPTH = 3, BUDGET = 5000 /* entries */, CONFIG_MAX = 256 * 1024 };

struct search {
	struct served *served;
	const struct policy *policy;
	int64_t began; /* CLOCK_REALTIME, as a change time has it */
	int budget, error;
};

static bool is_older(const struct search *s, const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec <= s->began;
}

/* Closes what path leads to, if that lies below the folder. */
static void close_place(struct search *s, const char *path, struct verdict why, bool secret)
{
	struct served *v = s->served;
	char real[PATH_MAX];
	if (!realpath(path, real) || !pathtext_below(real, v->root) || strcmp(real, v->root) == 0)
		return;
	struct served_closed *grown = realloc(v->closed, (v->closed_count + 1) * sizeof *grown);
	if (grown)
		v->closed = grown;
	char *copy = grown ? strdup(real) : NULL;
	if (!copy) {
		s->error = -ENOMEM;
		return;
	}
	v->closed[v->closed_count++] = (struct served_closed){.real = copy, .why = why, .secret = secret};
}

/* A link whose own name a rule knows. */
static void look_at_link(struct search *s, const char *path)
{
	struct verdict why;
	const char *relative = path + strlen(s->served->root);
	if (policy_project(s->policy, relative, FILE_READ, &why))
		close_place(s, path, why, true);
	else if (policy_project(s->policy, relative, FILE_WRITE, &why))
		close_place(s, path, why, false);
}

static bool is_environment(const struct search *s, int folder)
{
	struct stat st;
	return (fstatat(folder, "pyvenv.cfg", &st, AT_SYMLINK_NOFOLLOW) == 0 || fstatat(folder, "conda-meta/history", &st, AT_SYMLINK_NOFOLLOW) == 0) && is_older(s, &st);
}

/* What builds make for themselves, environments too, and find again the next time; and what is large and holds none. */
static bool is_passed_over(const char *name, bool top)
{
	static const char *const builds[] = {"build", "dist", "_skbuild", ".eggs", ".mesonpy-", "cmake-build-", NULL};
	if (strcmp(name, ".git") == 0 || strcmp(name, "node_modules") == 0)
		return true;
	for (const char *const *b = builds; top && *b; b++) {
		size_t len = strlen(*b);
		if (strncmp(name, *b, len) == 0 && ((*b)[len - 1] == '-' || !name[len]))
			return true;
	}
	return false;
}

/* `-w build`: where the build works it goes on, and the bootstrap looks at what pip writes (pip_boot.py). */
static void close_output(struct search *s, const char *path)
{
	char real[PATH_MAX];
	size_t len = strlen(s->served->root);
	if (realpath(path, real) && pathtext_below(real, s->served->root) && real[len] == '/' && !is_passed_over(real + len + 1, true))
		close_place(s, real, policy_rule(s->policy, "file.write.outside"), false);
}

/* Does another project that is built in this run lie there? */
static bool holds_project(const struct installer *ins, const char *path)
{
	for (size_t i = 0; i < ins->local_roots.n; i++)
		if (pathtext_below(ins->local_roots.v[i], path))
			return true;
	return false;
}

/* What pip reads or writes with its own rights: its cache, outputs, and the archives that the command line names. */
static void close_installers(struct search *s, const struct installer *ins)
{
	for (size_t i = 0; i < ins->outputs.n; i++)
		close_output(s, ins->outputs.v[i]);
	if (ins->cache_dir)
		close_output(s, ins->cache_dir);
	for (size_t i = 0; i < ins->archives.n; i++) {
		char path[PATH_MAX];
		size_t len = strlen(ins->archives.v[i]);
		bool direct = len > 2 && strcmp(ins->archives.v[i] + len - 2, "/*") == 0;
		snprintf(path, sizeof path, "%.*s", (int)(direct ? len - 2 : len), ins->archives.v[i]);
		if (!holds_project(ins, path))
			close_output(s, path);
	}
}

static void look(struct search *s, int parent, const char *name, const char *path, int depth)
{
	char below[PATH_MAX];
	struct dirent *d;
	struct stat st;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_fd(&fd);
		return;
	}
	if (depth < DEPTH && is_environment(s, fd)) {
		close_place(s, path, policy_rule(s->policy, "file.write.environment"), false);
		closedir(dir);
		return;
	}
	while (!s->error && s->budget > 0 && (d = readdir(dir)) != NULL) {
		int n = snprintf(below, sizeof below, "%s/%s", path, d->d_name);
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 || n < 0 || (size_t)n >= sizeof below)
			continue;
		s->budget--;
		if ((d->d_type == DT_LNK || d->d_type == DT_UNKNOWN) && fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) && is_older(s, &st))
			look_at_link(s, below);
		else if ((d->d_type == DT_DIR || d->d_type == DT_UNKNOWN) && depth > 0 && !is_passed_over(d->d_name, depth == DEPTH))
			look(s, fd, d->d_name, below, depth - 1);
	}
	closedir(dir);
}

/* Keys of git's configuration, in whatever section, that name programs, or files that do. */
static bool names_programs(const char *key, size_t len)
{
	static const char *const keys[] = {"hookspath", "path", "fsmonitor", "editor", "pager", "sshcommand", "askpass", "clean", "smudge", "process",
	                                   "textconv", "command", "driver", "cmd", "helper", "program", "external", NULL};
	for (const char *const *k = keys; *k; k++)
		if (strlen(*k) == len && strncasecmp(key, *k, len) == 0)
			return true;
	return false;
}

/* One line: each word of the value that is a place of the project.  Programs are started in the project's folder, an included file's path starts at its own. */
static void look_at_setting(struct search *s, char *line)
{
	static const char *const from[] = {"", "/.git"};
	char path[PATH_MAX], *save = NULL;
	line += strspn(line, " \t");
	size_t key = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789");
	char *value = strchr(line + key, '=');
	if (!value || !names_programs(line, key))
		return;
	for (char *word = strtok_r(value, " \t\r=\"';!&|()", &save); word; word = strtok_r(NULL, " \t\r=\"';!&|()", &save))
		for (size_t i = 0; i < (word[0] == '/' ? 1 : 2); i++) {
			snprintf(path, sizeof path, "%.1500s%s/%.2000s", word[0] == '/' ? "" : s->served->root, word[0] == '/' ? "" : from[i], word);
			close_place(s, path, policy_rule(s->policy, "file.persistence.project-git"), false);
		}
}

static void look_at_config(struct search *s)
{
	char path[PATH_MAX], *text = NULL, *save = NULL;
	snprintf(path, sizeof path, "%.4000s/.git/config", s->served->root);
	cleanup_fd int fd = fd_open_file_nofollow(path);
	if (fd < 0 || fd_slurp(fd, CONFIG_MAX, &text) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		look_at_setting(s, line);
	free(text);
}

/* Is an entry of the folder also found under its name in the other case? */
static bool folds(int root)
{
	char other[NAME_MAX + 1];
	struct stat st, same;
	struct dirent *d;
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool found = false, differs = false;
	while (dir && !differs && (d = readdir(dir)) != NULL) {
		size_t n = strnlen(d->d_name, NAME_MAX);
		for (size_t i = 0; i <= n; i++) {
			other[i] = isascii((unsigned char)d->d_name[i]) && isalpha((unsigned char)d->d_name[i]) ? d->d_name[i] ^ 0x20 : d->d_name[i];
			differs = differs || other[i] != d->d_name[i];
		}
		found = differs && fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(fd, other, &same, AT_SYMLINK_NOFOLLOW) == 0 &&
		        st.st_ino == same.st_ino && st.st_dev == same.st_dev;
	}
	if (dir)
		closedir(dir);
	else
		close_fd(&fd);
	return found;
}

int served_close_places(struct served *v, const struct supervisor *s)
{
	const struct run *run = s->run;
	struct search search = {.served = v, .policy = run->policy, .began = run->started_ns, .budget = BUDGET};
	char hooks[PATH_MAX];
	int root = open(v->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run->installer)
		close_installers(&search, run->installer);
	v->folds = root >= 0 && folds(root);
	if (root >= 0)
		look(&search, root, ".", v->root, DEPTH);
	close_fd(&root);
	snprintf(hooks, sizeof hooks, "%.4000s/.git/hooks", v->root);
	look(&search, AT_FDCWD, hooks, hooks, 0);
	look_at_config(&search);
	return search.error;
}
