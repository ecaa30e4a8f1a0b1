#include "develop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"
#include "launcher/base/pathtext.h"

#define PTH "easy-install.pth"
#define ANY_LINKS ((nlink_t)-1)

/* --- the call ------------------------------------------------------------------------------------ */

/* pip's own words behind `develop`. */
static bool is_pips_word(const char *word)
{
	return strcmp(word, "--no-deps") == 0 || strcmp(word, "--user") == 0 || strcmp(word, "--prefix=") == 0;
}

/* The index of `develop`, 0: none. */
static size_t find_develop(char *const *argv)
{
	for (size_t i = 1; argv[0] != NULL && argv[i] != NULL; i++) {
		if (strcmp(argv[i], "develop") == 0) {
			return i;
		}
	}
	return 0;
}

bool develop_is(char *const *argv, bool *user)
{
	size_t at = find_develop(argv);

	*user = false;
	for (size_t i = at + 1; at > 0 && argv[i] != NULL; i++) {
		*user |= strcmp(argv[i], "--user") == 0;
		if (!is_pips_word(argv[i])) {
			return false;
		}
	}
	return at > 0;
}

static int make_folders(struct develop *d, const char *tmp)
{
	char top[PATH_MAX];

	if (snprintf(top, sizeof top, "%s/developXXXXXX", tmp) >= (int)sizeof top - 20) {
		return -ENAMETOOLONG;
	}
	if (mkdtemp(top) == NULL) {
		return -errno;
	}
	snprintf(d->packages, sizeof d->packages, "%.4000s/packages", top);
	snprintf(d->scripts, sizeof d->scripts, "%.4000s/scripts", top);
	return mkdir(d->packages, 0700) < 0 || mkdir(d->scripts, 0700) < 0 ? -errno : 0;
}

static int make_argv(struct develop *d, char *const *argv)
{
	size_t at = find_develop(argv);

	for (size_t i = 0; argv[i] != NULL; i++) {
		bool leads_elsewhere = i > at && strcmp(argv[i], "--no-deps") != 0;
		if (!leads_elsewhere && strings_add(&d->argv, argv[i]) < 0) {
			return -ENOMEM;
		}
	}
	/* --site-dirs: "here .pth files count", or setuptools would make none. */
	return strings_addf(&d->argv, "--install-dir=%s", d->packages) < 0 || strings_addf(&d->argv, "--site-dirs=%s", d->packages) < 0 ||
	       strings_addf(&d->argv, "--script-dir=%s", d->scripts) < 0 ? -ENOMEM : 0;
}

int develop_prepare(struct develop *d, char *const *argv, const char *tmp, struct environment *e)
{
	char *path = NULL;
	const char *before = environment_get(e, "PYTHONPATH");
	int error = make_folders(d, tmp);

	if (error < 0 || (error = make_argv(d, argv)) < 0) {
		return error;
	}
	if (asprintf(&path, "%s%s%s", before != NULL ? before : "", before != NULL && before[0] != '\0' ? ":" : "", d->packages) < 0) {
		return -ENOMEM;
	}
	error = environment_set(e, "PYTHONPATH", path);
	free(path);
	return error;
}

void develop_finish(struct develop *d)
{
	strings_finish(&d->argv);
}

/* --- what it left -------------------------------------------------------------------------------- */

struct left {
	const char *tree;
	int packages, scripts;
	char link[NAME_MAX + 1]; /* the project's name, of NAME.egg-link; "": none yet */
	struct develop_files *out;
	const char **why, **name;
};

static bool refuse(struct left *l, const char *why, const char *name)
{
	*l->why = why;
	*l->name = name;
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && strcmp(text + len - n, end) == 0;
}

/* The whole file; false: it is not there, or none that can be read in its whole.  links: how many names it may have, for a build's may be somebody else's secret. */
static bool slurp_at(int dir, const char *name, nlink_t links, char **text, size_t *len)
{
	struct stat st;
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink <= links ? fd_slurp(fd, DEVELOP_FILE_MAX, text) : -1;

	*len = n >= 0 ? (size_t)n : 0;
	return n >= 0;
}

/* The next one, with its content; NULL: there is no room, or it is something else than a plain file. */
static struct develop_file *take(struct left *l, int dir, const char *entry, bool script)
{
	struct develop_file *f = &l->out->v[l->out->n];

	if (l->out->n >= DEVELOP_FILES_MAX || (f->name = strdup(entry)) == NULL) {
		refuse(l, "it left too many files", NULL);
		return NULL;
	}
	l->out->n++;
	f->script = script;
	if (!slurp_at(dir, entry, 1, &f->content, &f->len)) {
		refuse(l, "it is no plain file of a reasonable size", f->name);
		return NULL;
	}
	return f;
}

/* Names of what is no part of the installation: byte code, setuptools' own probe, and what older ones put beside a folder on PYTHONPATH. */
static bool is_passing(const char *name)
{
	return strcmp(name, "__pycache__") == 0 || strcmp(name, "site.py") == 0 || strcmp(name, "site.pyc") == 0 || strncmp(name, "test-easy-install-", 18) == 0;
}

/* The same file lies in the environment already. */
static bool is_there(int dir, const struct develop_file *f, bool *same)
{
	char *text = NULL;
	size_t len;
	struct stat st;
	bool there = fstatat(dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	*same = there && slurp_at(dir, f->name, ANY_LINKS, &text, &len) && len == f->len && memcmp(text, f->content, len) == 0;
	free(text);
	return there;
}

/* No control characters: Python takes more than one for the end of a line. */
static bool is_of_project(const struct left *l, const char *text, size_t len)
{
	char *path = strndup(text, len);
	bool inside = path != NULL && strlen(path) == len && pathtext_below(path, l->tree) && strstr(path, "/..") == NULL;

	for (size_t i = 0; inside && i < len; i++) {
		inside = (unsigned char)path[i] >= ' ' && path[i] != 0x7f;
	}
	free(path);
	return inside;
}

/* NAME.egg-link: the project's folder, and from there to its setup.py.  pip follows it when it lists and uninstalls. */
static bool judge_link(struct left *l, struct develop_file *f)
{
	size_t stem = strlen(f->name) - strlen(".egg-link");

	if (!is_of_project(l, f->content, strcspn(f->content, "\n"))) {
		return refuse(l, "it names a folder outside the project", f->name);
	}
	if (l->link[0] != '\0') {
		return refuse(l, "it is a second link", f->name);
	}
	memcpy(l->link, f->name, stem);
	l->link[stem] = '\0';
	return true;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; *at != '\0';) {
		size_t n = strcspn(at, "\n");
		if (n == len && memcmp(at, line, len) == 0) {
			return true;
		}
		at += n + (at[n] == '\n');
	}
	return false;
}

static char *with_line(char *text, const char *line, size_t len)
{
	char *grown = NULL;
	size_t had = strlen(text);

	if (asprintf(&grown, "%s%s%.*s\n", text, had > 0 && text[had - 1] != '\n' ? "\n" : "", (int)len, line) < 0) {
		grown = NULL;
	}
	free(text);
	return grown;
}

/* Each line a folder of the project; they are added to what the environment's own file has. */
static bool judge_pth(struct left *l, struct develop_file *f)
{
	char *all = NULL;
	size_t len;

	if (!slurp_at(l->packages, PTH, ANY_LINKS, &all, &len)) {
		struct stat st;
		if (fstatat(l->packages, PTH, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			return refuse(l, "the environment's own cannot be read", f->name);
		}
		all = strdup("");
	}
	for (const char *at = f->content; all != NULL && at < f->content + f->len;) {
		size_t n = strcspn(at, "\n");
		if (n > 0 && !is_of_project(l, at, n)) {
			free(all);
			return refuse(l, "it has a line that is no folder of the project", f->name);
		}
		if (n > 0 && !has_line(all, at, n)) {
			all = with_line(all, at, n);
		}
		at += n + 1;
	}
	if (all == NULL) {
		return refuse(l, "memory is short", NULL);
	}
	free(f->content);
	f->content = all;
	f->len = strlen(all);
	return true;
}

/* NAME-nspkg.pth of the very project. */
static bool is_own_namespace(const struct left *l, const char *name)
{
	size_t stem = strlen(l->link);

	return stem > 0 && strncmp(name, l->link, stem) == 0 && strcmp(name + stem, "-nspkg.pth") == 0;
}

static bool has_stem(const char *name, const char *stem, const char *end)
{
	size_t len = strlen(stem);

	return strncmp(name, stem, len) == 0 && name[len + strspn(name + len, end)] == '\0';
}

/* As pip_boot.py has it (is_own_script): what would run unguarded next time. */
static bool is_pips_script(const char *name)
{
	if (strncasecmp(name, "activate", 8) == 0) {
		return name[8] == '\0' || name[8] == '.' || strcmp(name + 8, "_this.py") == 0;
	}
	return has_stem(name, "pip", "0123456789.") || has_stem(name, "python", "0123456789.t");
}

static bool judge_script(struct left *l, const struct develop_file *f)
{
	bool same;

	return !is_pips_script(f->name) || !is_there(l->scripts, f, &same) || same || refuse(l, "it would take the place of one of pip's own", f->name);
}

static bool judge_package_file(struct left *l, int dir, const char *entry)
{
	struct develop_file *f;

	if (is_passing(entry)) {
		return true;
	}
	if ((f = take(l, dir, entry, false)) == NULL) {
		return false;
	}
	if (strcmp(entry, PTH) == 0) {
		return judge_pth(l, f);
	}
	if (ends_with(entry, ".egg-link")) {
		return judge_link(l, f);
	}
	return ends_with(entry, ".pth") || refuse(l, "it is none of the files that belong to an editable install", f->name);
}

static bool each_file(struct left *l, const char *folder, bool scripts)
{
	cleanup_fd int dir = fd_open_nofollow(folder);
	cleanup_fd int listed = dir >= 0 ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *entries = listed >= 0 ? fdopendir(listed) : NULL;
	struct dirent *entry;
	bool good = entries != NULL || refuse(l, "its folder is gone", NULL);

	if (entries != NULL) {
		steal_fd(&listed);
	}
	while (good && (entry = readdir(entries)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (!scripts) {
			good = judge_package_file(l, dir, entry->d_name);
		} else if (strcmp(entry->d_name, "__pycache__") != 0) {
			struct develop_file *f = take(l, dir, entry->d_name, true);
			good = f != NULL && judge_script(l, f);
		}
	}
	if (entries != NULL) {
		closedir(entries);
	}
	return good;
}

/* Another project's .pth stays as it is. */
static bool judge_other_pths(struct left *l)
{
	for (size_t i = 0; i < l->out->n; i++) {
		const struct develop_file *f = &l->out->v[i];
		bool other = !f->script && ends_with(f->name, ".pth") && strcmp(f->name, PTH) != 0 && !is_own_namespace(l, f->name);
		bool same;

		if (other && is_there(l->packages, f, &same) && !same) {
			return refuse(l, "it is there already, and another one", f->name);
		}
	}
	return true;
}

bool develop_collect(const struct develop *d, const char *tree, int packages, int scripts, struct develop_files *out, const char **why, const char **name)
{
	struct left l = {.tree = tree, .packages = packages, .scripts = scripts, .out = out, .why = why, .name = name};

	*name = NULL;
	return each_file(&l, d->packages, false) && each_file(&l, d->scripts, true) && judge_other_pths(&l);
}

void develop_files_finish(struct develop_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].content);
	}
	f->n = 0;
}
