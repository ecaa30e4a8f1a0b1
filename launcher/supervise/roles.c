#include "roles.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/environment.h"
#include "launcher/base/fd.h"
#include "launcher/findings/pkg_info.h"
#include "checkouts.h"
#include "credential.h"
#include "develop.h"
#include "pip_temp.h"
#include "project.h"
#include "subpip.h"
#include "vcs.h"

#define JSON_MAX (1u << 20)

void birthright_refuse(struct birthright *b, const char *rule, int error, const char *format, ...)
{
	va_list ap;

	b->become = BECOME_REFUSED;
	b->rule = rule;
	b->error = error;
	va_start(ap, format);
	vsnprintf(b->why, sizeof b->why, format, ap);
	va_end(ap);
}

/* --- package and stage -------------------------------------------------------------------------- */

static void set_string(char **slot, const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)text[len - 1])) {
		len--;
	}
	if (len > 0 && len < 200) {
		free(*slot);
		*slot = strndup(text, len);
	}
}

/* Name and Version of PKG-INFO in the source's folder: the package's own claim. */
static void read_pkg_info(const struct supervisor *s, struct birthright *b)
{
	char path[PATH_MAX], *text = NULL;

	snprintf(path, sizeof path, "%s/PKG-INFO", b->source);
	cleanup_fd int fd = fd_open_file_nofollow(path);
	if (fd < 0 || fd_slurp(fd, JSON_MAX, &text) < 0) {
		return;
	}
	pkg_info_read(text, &b->package, &b->version);
	free(text);
}

/* From the folder that pip unpacked into, NAME_hash, then from the package's own metadata (which also knows the version). */
static void name_package(const struct supervisor *s, struct birthright *b)
{
	const char *last = strrchr(b->source, '/') + 1;
	const char *underscore = strrchr(last, '_');

	if (underscore != NULL && strlen(underscore) == 33) { /* 32 hex digits */
		set_string(&b->package, last, (size_t)(underscore - last));
	}
	char *from_folder = b->package;
	b->package = NULL;
	read_pkg_info(s, b);
	if (from_folder != NULL) { /* pip's word beats the package's */
		free(b->package);
		b->package = from_folder;
	}
}

static void name_project(struct birthright *b, const char *folder)
{
	b->package = project_name(folder);
	b->version = project_version(folder);
}

static void take(char **slot, const char *text)
{
	char *copy = text != NULL ? strdup(text) : NULL;

	if (copy != NULL) {
		free(*slot);
		*slot = copy;
	}
}

/* What pip says beats what lies in the folders, but for the name of a project that the user named: that pip has from the project's own code. */
static void take_word(const struct word *word, struct birthright *b)
{
	size_t room = 1;

	take(&b->version, word->version);
	take(&b->digest, word->digest);
	if (b->package == NULL || b->tree == NULL) {
		take(&b->package, word->name);
	}
	for (size_t i = 0; i < word->above.n; i++) {
		room += strlen(word->above.v[i]) + 1;
	}
	b->above = word->above.n > 0 ? calloc(room, 1) : NULL;
	for (size_t i = 0; b->above != NULL && i < word->above.n; i++) {
		strcat(strcat(b->above, i > 0 ? "\n" : ""), word->above.v[i]);
	}
}

static const char *stage_of_hook(const char *hook)
{
	if (strncmp(hook, "get_requires_for_", 17) == 0 || strncmp(hook, "prepare_metadata_", 17) == 0) {
		return "metadata";
	}
	return "build";
}

static const char *stage_of_setup(char *const *argv)
{
	for (size_t i = 1; argv[0] != NULL && argv[i] != NULL; i++) {
		if (strcmp(argv[i], "egg_info") == 0) {
			return "metadata";
		}
		if (strcmp(argv[i], "bdist_wheel") == 0 || strcmp(argv[i], "clean") == 0) {
			return "build";
		}
		if (strcmp(argv[i], "install") == 0 || strcmp(argv[i], "develop") == 0) {
			return "install";
		}
	}
	return NULL;
}

/* --- builds ------------------------------------------------------------------------------------- */

/* Grants a folder below the temp for writing, as the package's own.  True unless it is another's. */
static bool grant_write(struct supervisor *s, struct birthright *b, const char *path)
{
	if (!pip_temp_is_folder(s, path)) {
		return true; /* not one of pip's folders: no grant, nothing lost */
	}
	char *unit = pip_temp_unit(s, path);
	if (unit == NULL) {
		return true;
	}
	bool own = supervisor_own_directory(s, unit, b->source != NULL ? b->source : unit);
	if (!own) {
		birthright_refuse(b, "file.write.build", EACCES, "the build asks for %.120s, which is another package's", path);
	} else if (!strings_has(&b->write, path)) {
		strings_add(&b->write, path);
	}
	free(unit);
	return own;
}

static bool is_empty(int folder)
{
	DIR *dir = fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3));
	struct dirent *entry;
	bool empty = dir != NULL;

	while (empty && (entry = readdir(dir)) != NULL) {
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return empty;
}

/* From 26.3 on pip has a wheel made where it is going to stay: in a folder of mkdtemp's below its cache, wheels/…/tmpX.  That one folder is granted, as
 * pip made it just now: empty, and for its owner alone.  The caller frees its real path; NULL: it is no such folder. */
static char *fresh_cache_folder(const struct supervisor *s, const char *path)
{
	const char *cache = s->run->installer->cache_dir;
	char *real = realpath(path, NULL), *root = cache != NULL ? realpath(cache, NULL) : NULL;
	size_t len = root != NULL ? strlen(root) : 0;
	struct stat st;
	bool good = real != NULL && root != NULL && strncmp(real, root, len) == 0 && strncmp(real + len, "/wheels/", 8) == 0 &&
	            strncmp(strrchr(real, '/'), "/tmp", 4) == 0 && lstat(real, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	            (st.st_mode & 07777) == 0700;
	cleanup_fd int dir = good ? fd_open_nofollow(real) : -1;
	cleanup_fd int listed = dir >= 0 ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(root);
	if (listed >= 0 && is_empty(listed)) {
		return real;
	}
	free(real);
	return NULL;
}

/* Where the hook is to put its wheel: nobody else's, not even the folders around it. */
static bool grant_wheel_dir(struct supervisor *s, struct birthright *b)
{
	char *folder, *unit = pip_temp_unit(s, b->wheel_dir);

	if (unit != NULL && pip_temp_is_folder(s, b->wheel_dir)) {
		folder = strdup(b->wheel_dir);
	} else {
		folder = fresh_cache_folder(s, b->wheel_dir);
	}
	free(unit);
	if (folder == NULL) {
		return true;
	}
	bool own = supervisor_own_directory(s, folder, b->source != NULL ? b->source : folder);
	if (own) {
		strings_add(&b->write, folder);
	} else {
		birthright_refuse(b, "file.write.build", EACCES, "the build asks for %.120s, which is another package's", folder);
	}
	free(folder);
	return own;
}

/* As pip calls it.  It is nobody's, and will be no package's: true while none has a folder in it. */
static bool is_build_environment(struct supervisor *s, const char *unit)
{
	static const char start[] = "pip-build-env-";
	const char *name = pip_temp_below(s, unit);

	return name != NULL && strncmp(name, start, sizeof start - 1) == 0 && supervisor_own_directory(s, unit, "");
}

/* pip's build environment: folders below the temp that PATH and PYTHONPATH name; read and executed, never written. */
static void grant_build_environment(struct supervisor *s, const struct start *r, struct birthright *b)
{
	static const char *const variables[] = {"PATH", "PYTHONPATH"};

	for (size_t i = 0; i < 2; i++) {
		const char *value = envp_get(r->envp, variables[i]);
		char *copy = value != NULL ? strdup(value) : NULL, *save = NULL;
		for (char *entry = copy != NULL ? strtok_r(copy, ":", &save) : NULL; entry != NULL; entry = strtok_r(NULL, ":", &save)) {
			char *unit = pip_temp_below(s, entry) != NULL ? pip_temp_unit(s, entry) : NULL;
			if (unit != NULL && pip_temp_is_folder(s, unit) && !strings_has(&b->read, unit)) {
				strings_add(&b->read, unit);
				if (is_build_environment(s, unit)) {
					strings_add(&b->environments, unit);
				}
			}
			free(unit);
		}
		free(copy);
	}
}

static cJSON *read_json(const struct supervisor *s, const char *folder, const char *name)
{
	char path[PATH_MAX], *text = NULL;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	cleanup_fd int fd = pip_temp_below(s, path) != NULL ? fd_open_file_nofollow(path) : -1;
	ssize_t len = fd >= 0 ? fd_slurp(fd, JSON_MAX, &text) : -1;
	if (len < 0) {
		return NULL;
	}
	cJSON *json = cJSON_ParseWithLengthOpts(text, (size_t)len + 1, NULL, 1);
	free(text);
	return json;
}

static char *json_string(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsString(item) ? strdup(item->valuestring) : NULL;
}

/* TEMP/tmpX_in_process.py: of a pip that lies in an archive (Debian's older ones load parts of themselves so) importlib copies the hook runner to where
 * no build may write. */
static bool is_copied_runner(const struct supervisor *s, const char *script)
{
	static const char end[] = "_in_process.py";
	const char *name = pip_temp_below(s, script);
	size_t len = name != NULL ? strlen(name) : 0;

	return len > sizeof end && strncmp(name, "tmp", 3) == 0 && strchr(name, '/') == NULL && strcmp(name + len - (sizeof end - 1), end) == 0;
}

/* A PEP 517 hook call: python …/_in_process.py HOOK CONTROL_DIR, with CONTROL_DIR/input.json. */
static bool is_hook(const struct supervisor *s, const struct start *r)
{
	const char *script = r->argv[0] != NULL && r->argv[1] != NULL ? r->argv[1] : "";
	const char *name = strrchr(script, '/'), *pip = s->run->installer->pip_dir;

	if (name == NULL || r->argv[2] == NULL || r->argv[3] == NULL || r->argv[4] != NULL) {
		return false;
	}
	return (strcmp(name, "/_in_process.py") == 0 && strncmp(script, pip, strlen(pip)) == 0) || is_copied_runner(s, script);
}

/* With use_pep517 a source without a pyproject.toml is built by hooks that this pip would not have called. */
static bool is_not_in_place(const struct supervisor *s, const struct birthright *b)
{
	char path[PATH_MAX];

	if (!s->run->installer->use_pep517 || s->run->audit || b->source == NULL || (strcmp(b->hook, "build_wheel") != 0 && strcmp(b->hook, "build_editable") != 0)) {
		return false;
	}
	snprintf(path, sizeof path, "%s/pyproject.toml", b->source);
	return access(path, F_OK) < 0;
}

/* The metadata_directory that a build hook names must be the one that pip gave this package's prepare hook, or lie in it; it carries what the package's
 * own code returned, so it is looked at before it is granted. */
static bool decide_hook(struct supervisor *s, const struct start *r, struct birthright *b)
{
	if (is_copied_runner(s, r->argv[1])) {
		strings_add(&b->read, r->argv[1]);
	}
	b->hook = strdup(r->argv[2]);
	b->stage = stage_of_hook(r->argv[2]);
	b->control_dir = strdup(r->argv[3]);
	b->not_in_place = is_not_in_place(s, b);
	cJSON *input = read_json(s, r->argv[3], "input.json");
	const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(input, "kwargs");
	b->wheel_dir = json_string(arguments, "wheel_directory");
	b->metadata_dir = json_string(arguments, "metadata_directory");
	cJSON_Delete(input);
	if (!grant_write(s, b, r->argv[3]) || (b->wheel_dir != NULL && !grant_wheel_dir(s, b))) {
		return false;
	}
	return b->metadata_dir == NULL || grant_write(s, b, b->metadata_dir);
}

/* A setup.py call names its folders in its arguments. */
static bool decide_setup(struct supervisor *s, const struct start *r, struct birthright *b)
{
	b->stage = stage_of_setup(r->argv);
	b->develop = b->tree != NULL && !s->run->audit && develop_is(r->argv, &b->develop_user);
	for (size_t i = 1; r->argv[0] != NULL && r->argv[i] != NULL; i++) {
		if (r->argv[i][0] != '/' || pip_temp_below(s, r->argv[i]) == NULL) {
			continue;
		}
		if (!grant_write(s, b, r->argv[i])) {
			return false;
		}
		if (strings_has(&b->write, r->argv[i]) && (b->source == NULL || strncmp(r->argv[i], b->source, strlen(b->source)) != 0)) {
			strings_add(&b->results, r->argv[i]); /* --egg-base, -d: pip takes what lies there */
		}
	}
	return true;
}

/* What version control has checked out in this run: a project as those that the user named, `.git` and all. */
static bool take_checkout(struct supervisor *s, struct birthright *b, const char *cwd)
{
	struct checkout known;

	if (!checkouts_find(s, cwd, &known)) {
		return false;
	}
	checkouts_built(s, known.folder);
	b->tree = strdup(known.folder);
	b->source = strdup(known.folder);
	return b->tree != NULL && b->source != NULL;
}

/* The project that the user named, where pip builds in place: exactly that folder. */
static bool take_project(const struct supervisor *s, struct birthright *b, const char *cwd)
{
	const struct installer *ins = s->run->installer;

	for (size_t i = 0; i < ins->local_dirs.n; i++) {
		if (strcmp(ins->local_dirs.v[i], cwd) == 0) {
			b->tree = strdup(ins->local_roots.v[i]);
			b->source = strdup(cwd);
			return b->tree != NULL && b->source != NULL;
		}
	}
	return false;
}

/* An older pip's copy of such a project, secrets and all. */
static bool is_copy_of_project(const struct supervisor *s, const char *source)
{
	const char *name = strrchr(source, '/');

	return s->run->installer->copies_local && name != NULL && strncmp(name, "/pip-req-build-", 15) == 0;
}

/* Is this a build of the folder it is started in, not one of pip's tools? */
static bool builds(const struct supervisor *s, const struct start *r)
{
	bool setup = false;

	for (size_t i = 1; r->argv[0] != NULL && r->argv[i] != NULL; i++) {
		setup = setup || strstr(r->argv[i], "setup.py") != NULL;
	}
	return is_hook(s, r) || (setup && stage_of_setup(r->argv) != NULL);
}

static void decide_build(struct supervisor *s, const struct start *r, const char *cwd, struct birthright *b)
{
	b->become = BECOME_BUILD;
	if (take_checkout(s, b, cwd)) {
		/* pip unpacked nothing there */
	} else if (pip_temp_is_folder(s, cwd)) {
		b->source = pip_temp_unit(s, cwd);
	} else if (!take_project(s, b, cwd) && pip_temp_below(s, cwd) == NULL && builds(s, r)) {
		birthright_refuse(b, "install.requirement", EACCES,
		       "%.120s is to be built, which neither the command line nor its files name; a package's metadata cannot have folders built", cwd);
		return;
	}
	if (b->tree != NULL) {
		name_project(b, cwd);
	} else if (b->source != NULL && is_copy_of_project(s, b->source)) {
		b->tree = strdup(b->source);
		name_project(b, cwd);
		if (!supervisor_own_directory(s, b->source, b->source)) {
			return;
		}
	} else if (b->source != NULL) {
		name_package(s, b);
		if (!grant_write(s, b, b->source)) {
			return;
		}
	}
	if (is_hook(s, r) ? !decide_hook(s, r, b) : !decide_setup(s, r, b)) {
		return;
	}
	grant_build_environment(s, r, b);
}

void birthright_decide(struct supervisor *s, const struct start *request, const char *cwd, bool of_pip, const struct word *word, struct birthright *out)
{
	memset(out, 0, sizeof *out);
	out->role = ROLE_BUILD;
	if (!subpip_is(s, request, out) && !credential_is(s, request, out) && !vcs_decide(s, request, cwd, of_pip, out)) {
		decide_build(s, request, cwd, out);
	}
	if (word != NULL && out->become != BECOME_SUBPIP) {
		take_word(word, out);
	}
}

struct event_package birthright_package(const struct birthright *b)
{
	return (struct event_package){.name = b->package, .version = b->version, .stage = b->stage, .digest = b->digest, .above = b->above};
}

void birthright_finish(struct birthright *b)
{
	free(b->package);
	free(b->version);
	free(b->digest);
	free(b->above);
	free(b->source);
	free(b->tree);
	free(b->control_dir);
	free(b->hook);
	free(b->wheel_dir);
	free(b->metadata_dir);
	free(b->checkout);
	strings_finish(&b->write);
	strings_finish(&b->read);
	strings_finish(&b->environments);
	strings_finish(&b->results);
	memset(b, 0, sizeof *b);
}
