#include "seen.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "dist.h"
#include "launcher/base/fd.h"
#include "recorded.h"

enum { FILES_MAX = 512 };
#define FILE_MAX (1u << 20)
#define STATE_MAX (1u << 20)
#define RECORD_MAX (32u << 20)

static void to_hex(const unsigned char *hash, char out[65])
{
	for (size_t i = 0; i < 32; i++) {
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	}
}

/* --- what there is ------------------------------------------------------------------------------- */

static struct seen_file *grow(struct seen *s, const char *path)
{
	struct seen_file *grown = s->n < FILES_MAX ? realloc(s->v, (s->n + 1) * sizeof *grown) : NULL;

	if (grown == NULL) {
		return NULL;
	}
	s->v = grown;
	s->v[s->n] = (struct seen_file){.path = strdup(path)};
	return s->v[s->n].path != NULL ? &s->v[s->n++] : NULL;
}

static struct startup judge(int folder, const char *name, const char *dist)
{
	struct startup s = {.level = STARTUP_CODE, .why = "every Python of this environment imports it when it starts"};
	char *text = NULL;
	ssize_t len = startup_is_customize(name) ? -1 : beneath_text(folder, name, FILE_MAX, &text);

	if (len >= 0) {
		s = startup_pth(text, (size_t)len, &(struct startup_of){.dist = dist, .editable = true});
		free(text);
	}
	return s;
}

/* What tells one state from another where the content cannot be read: a link's, and that of the file behind it, which site reads. */
static bool identify(int folder, const char *name, unsigned char out[32])
{
	struct stat st[2] = {0};
	SHA2_CTX ctx;

	if (fstatat(folder, name, &st[0], AT_SYMLINK_NOFOLLOW) < 0) {
		return false;
	}
	if (S_ISLNK(st[0].st_mode) && (fstatat(folder, name, &st[1], 0) < 0 || !S_ISREG(st[1].st_mode))) {
		st[1] = (struct stat){0};
	}
	SHA256Init(&ctx);
	for (size_t i = 0; i < 2; i++) {
		const int64_t all[] = {(int64_t)st[i].st_dev, (int64_t)st[i].st_ino, (int64_t)st[i].st_mode, st[i].st_size, st[i].st_mtim.tv_sec, st[i].st_mtim.tv_nsec,
		                       st[i].st_ctim.tv_sec, st[i].st_ctim.tv_nsec};
		SHA256Update(&ctx, (const uint8_t *)all, sizeof all);
	}
	SHA256Final(out, &ctx);
	return true;
}

static void look_at(struct seen_file *f, int folder, const char *name)
{
	unsigned char hash[32];

	f->module = startup_is_customize(name);
	f->judged = judge(folder, name, NULL);
	if (beneath_hash(folder, name, FILE_MAX, hash) == 0 || identify(folder, name, hash)) {
		to_hex(hash, f->hash);
	}
}

/* lib64 of a virtual environment is a link to lib. */
static bool is_same(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int collect(struct seen *s, const char *folder)
{
	cleanup_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	int error = 0;

	if (dir == NULL) {
		return 0; /* it is not there, or not to be read: nothing that a Python would run */
	}
	steal_fd(&copy);
	while (error == 0 && (entry = readdir(dir)) != NULL) {
		char path[PATH_MAX];
		if (!startup_is_pth(entry->d_name) && !startup_is_customize(entry->d_name)) {
			continue;
		}
		if (s->n == FILES_MAX || snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) {
			s->cut = true;
		} else {
			struct seen_file *f = grow(s, path);
			error = f == NULL ? -ENOMEM : 0;
			if (f != NULL) {
				look_at(f, fd, entry->d_name);
			}
		}
	}
	closedir(dir);
	return error;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct seen_file *)a)->path, ((const struct seen_file *)b)->path);
}

int seen_collect(struct seen *s, const char *const folders[])
{
	int error = 0;

	for (size_t i = 0; error == 0 && folders[i] != NULL; i++) {
		bool again = false;
		for (size_t k = 0; k < i && !again; k++) {
			again = is_same(folders[k], folders[i]);
		}
		error = again ? 0 : collect(s, folders[i]);
	}
	if (s->n > 0) {
		qsort(s->v, s->n, sizeof *s->v, by_path);
	}
	return error;
}

void seen_finish(struct seen *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].path);
	}
	free(s->v);
	*s = (struct seen){0};
}

const struct seen_file *seen_find(const struct seen *s, const char *path)
{
	const struct seen_file key = {.path = (char *)path};

	return s->n > 0 ? bsearch(&key, s->v, s->n, sizeof key, by_path) : NULL;
}

bool seen_same(const struct seen_file *a, const struct seen_file *b)
{
	return a->hash[0] != '\0' && strcmp(a->hash, b->hash) == 0;
}

/* --- who brought it ------------------------------------------------------------------------------ */

static bool fits(int folder, const struct recorded *line)
{
	unsigned char hash[RECORDED_HASH];

	return line->sha256 && beneath_hash(folder, line->path, RECORD_MAX, hash) == 0 && memcmp(hash, line->hash, sizeof hash) == 0;
}

/* "a.b" of a line's import is a/b.py or a/b/__init__.py; the package above it runs as well, and is what is looked at. */
static bool is_module(const char *path, const char *module)
{
	size_t n = strcspn(module, ".");

	return n > 0 && strncmp(path, module, n) == 0 && (strcmp(path + n, ".py") == 0 || strcmp(path + n, "/__init__.py") == 0);
}

/* Does this RECORD name the file?  Then out tells all that is to be known. */
static bool look_into(int folder, const char *info, const char *file, const struct seen_file *f, struct seen_origin *out)
{
	char path[NAME_MAX + 16], *text = NULL, *at;
	struct recorded line, of_file = {0}, of_module = {0}; /* the last ones: a RECORD may name a file any number of times */
	size_t name, version;
	bool found;
	ssize_t len;

	snprintf(path, sizeof path, "%s/RECORD", info);
	len = dist_split(info, &name, &version) ? beneath_text(folder, path, RECORD_MAX, &text) : -1;
	if (len < 0 || memmem(text, (size_t)len, file, strlen(file)) == NULL) {
		free(text);
		return false;
	}
	recorded_prepare(text, (size_t)len);
	for (at = text; recorded_next(&at, &line);) {
		if (strcmp(line.path, file) == 0) {
			of_file = line;
		} else if (is_module(line.path, f->judged.module)) {
			of_module = line;
		}
	}
	found = of_file.path != NULL;
	if (found) {
		out->hash_known = of_file.sha256;
		out->hash_fits = fits(folder, &of_file);
		out->module_known = of_module.sha256;
		out->module_fits = fits(folder, &of_module);
		snprintf(out->name, sizeof out->name, "%.*s", (int)name, info);
		snprintf(out->version, sizeof out->version, "%.*s", (int)version, info + name + 1);
	}
	free(text);
	return found;
}

void seen_origin(const struct seen_file *f, struct seen_origin *out)
{
	char folder[PATH_MAX], normal[sizeof out->name], *slash;
	struct dirent *entry;

	*out = (struct seen_origin){.judged = f->judged};
	snprintf(folder, sizeof folder, "%s", f->path);
	slash = strrchr(folder, '/');
	*slash = '\0';
	cleanup_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	if (dir == NULL) {
		return;
	}
	steal_fd(&copy);
	while ((entry = readdir(dir)) != NULL) {
		struct seen_origin one = {0};
		if (look_into(fd, entry->d_name, slash + 1, f, &one)) {
			*out = one;
			break;
		}
	}
	closedir(dir);
	name_normal(out->name, strlen(out->name), normal);
	out->judged = judge(fd, slash + 1, normal);
}

/* --- what was seen ------------------------------------------------------------------------------- */

bool seen_place(const char *state, const char *const words[], char *out)
{
	unsigned char hash[32];
	char hex[65];
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	for (; *words != NULL; words++) {
		SHA256Update(&ctx, (const uint8_t *)*words, strlen(*words) + 1);
	}
	SHA256Final(hash, &ctx);
	to_hex(hash, hex);
	return snprintf(out, PATH_MAX, "%s/startup/%.32s.json", state, hex) < PATH_MAX;
}

int seen_load(struct seen *s, const char *place, bool *known)
{
	cleanup_fd int fd = fd_open_file_nofollow(place);
	char *text = NULL;
	cJSON *root = fd >= 0 && fd_slurp(fd, STATE_MAX, &text) >= 0 ? cJSON_Parse(text) : NULL, *files, *one;
	int error = 0;

	free(text);
	files = cJSON_GetObjectItemCaseSensitive(root, "files");
	*known = cJSON_IsObject(files);
	if (*known) {
		cJSON_ArrayForEach(one, files) {
			struct seen_file *f;
			if (!cJSON_IsString(one) || one->string == NULL) {
				continue;
			}
			if ((f = grow(s, one->string)) == NULL) {
				error = s->n < FILES_MAX ? -ENOMEM : 0;
				break;
			}
			snprintf(f->hash, sizeof f->hash, "%s", one->valuestring);
		}
	}
	cJSON_Delete(root);
	if (s->n > 0) {
		qsort(s->v, s->n, sizeof *s->v, by_path);
	}
	return error;
}

static char *print(const struct seen *s)
{
	cJSON *root = cJSON_CreateObject(), *files = cJSON_AddObjectToObject(root, "files");
	bool whole = cJSON_AddNumberToObject(root, "version", 1) != NULL && files != NULL;
	char *text;

	for (size_t i = 0; whole && i < s->n; i++) {
		whole = cJSON_AddStringToObject(files, s->v[i].path, s->v[i].hash) != NULL;
	}
	text = whole ? cJSON_Print(root) : NULL;
	cJSON_Delete(root);
	return text;
}

int seen_save(const struct seen *s, const char *place)
{
	char folder[PATH_MAX], fresh[PATH_MAX + 16], *text = print(s);
	int error = text == NULL ? -ENOMEM : 0;

	snprintf(folder, sizeof folder, "%s", place);
	*strrchr(folder, '/') = '\0';
	if (error == 0 && mkdir(folder, 0700) < 0 && errno != EEXIST) {
		error = -errno;
	}
	snprintf(fresh, sizeof fresh, "%s.XXXXXX", place);
	cleanup_fd int fd = error == 0 ? mkostemp(fresh, O_CLOEXEC) : -1; /* 0600 */
	if (error == 0 && fd < 0) {
		error = -errno;
	}
	if (error == 0 && (error = fd_write_all(fd, text, strlen(text))) == 0 && rename(fresh, place) < 0) {
		error = -errno;
	}
	if (error < 0 && fd >= 0) {
		unlink(fresh);
	}
	free(text);
	return error;
}
