/* What a build left where pip is going to read: of a PEP 517 hook its output.json and what that names, of setup.py its result folders. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "roles.h"

/* What is read of a hook's output, by pipwarden itself, where no limit of the sandbox's counts: honest ones return a name or some tens of requirements, under five keys
 * at most; the longest thing in it is a traceback. */
#define OUTPUT_MAX (1u << 20)
#define VALUES_MAX 4096
#define MEMBERS_MAX 32

static bool is_component(const char *name)
{
	return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strchr(name, '/') == NULL && strlen(name) < NAME_MAX;
}

/* No link and no special file at any depth (bounded: metadata is small). */
static bool is_link_free(int folder, int depth, int *budget)
{
	DIR *dir = depth > 8 ? NULL : fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 3));
	struct dirent *entry;
	bool good = dir != NULL;

	while (good && (entry = readdir(dir)) != NULL) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		good = --*budget > 0 && fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (good && S_ISDIR(st.st_mode)) {
			cleanup_fd int below = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			good = below >= 0 && is_link_free(below, depth + 1, budget);
		} else if (good) {
			good = S_ISREG(st.st_mode) && st.st_nlink == 1;
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return good;
}

static bool check_result(const char *folder, const char *name, bool is_wheel, const char **why)
{
	struct stat st;
	int budget = 10000;

	if (!is_component(name)) {
		*why = "the build hook returned a path instead of a name";
		return false;
	}
	cleanup_fd int dir = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return true; /* pip finds nothing there and says so */
	}
	if (is_wheel) {
		*why = "the build hook returned something else than a plain wheel file";
		return S_ISREG(st.st_mode) && st.st_nlink == 1;
	}
	*why = "the build hook returned metadata that is not a folder of plain files";
	cleanup_fd int result = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return result >= 0 && is_link_free(result, 0, &budget);
}

/* Nothing in a folder that pip is going to read is a link, shared, or no plain file: pip would follow it with its own rights, or wait on it for ever. */
static bool holds_plain_files(const char *path)
{
	int budget = 10000;
	cleanup_fd int dir = fd_open_nofollow(path);
	cleanup_fd int listed = dir >= 0 ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return listed < 0 || is_link_free(listed, 0, &budget);
}

static bool check_results(const struct birthright *b, const char **why)
{
	for (size_t i = 0; i < b->results.n; i++) {
		if (!holds_plain_files(b->results.v[i])) {
			*why = "the build left something else than plain files where pip looks for its result";
			return false;
		}
	}
	return true;
}

/* pip's JSON reader and ours may differ (which of two equal keys counts, what is no JSON at all): pip gets what *we* have read. */
static bool rewrite_output(int dir, const cJSON *json)
{
	cJSON *clean = cJSON_CreateObject();
	const cJSON *item;
	char *text;
	bool good = clean != NULL;

	cJSON_ArrayForEach(item, json) {
		if (good && cJSON_GetObjectItemCaseSensitive(clean, item->string) == NULL) {
			cJSON *copy = cJSON_Duplicate(item, 1);
			good = copy != NULL && cJSON_AddItemToObject(clean, item->string, copy);
		}
	}
	text = good ? cJSON_PrintUnformatted(clean) : NULL;
	cJSON_Delete(clean);
	good = text != NULL && unlinkat(dir, "output.json", 0) == 0;
	cleanup_fd int fd = good ? openat(dir, "output.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
	good = fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
	cJSON_free(text);
	return good;
}

/* No fewer values than a reader makes of this JSON, which takes a hundred bytes for one that has two: each but the first stands behind one of these. */
static size_t most_values(const char *text, size_t len)
{
	size_t values = 1;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string && text[i] == '\\') {
			i++;
		} else if (text[i] == '"') {
			in_string = !in_string;
		} else if (!in_string && (text[i] == ',' || text[i] == '[' || text[i] == '{')) {
			values++;
		}
	}
	return values;
}

/* The object that is the hook's output; NULL: it is none, or more than is read. */
static cJSON *read_output(int fd, const char **why)
{
	static const char too_much[] = "the build hook returned far more than any that is honest";
	char *text = NULL;
	ssize_t len = fd_slurp(fd, OUTPUT_MAX, &text);
	bool little = len != -EFBIG && (len < 0 || most_values(text, (size_t)len) <= VALUES_MAX);
	cJSON *json = len < 0 || !little ? NULL : cJSON_ParseWithLengthOpts(text, (size_t)len + 1, NULL, 1);

	free(text);
	*why = little ? "the build hook's output cannot be understood" : too_much;
	if (cJSON_IsObject(json) && cJSON_GetArraySize(json) <= MEMBERS_MAX) {
		return json;
	}
	*why = cJSON_IsObject(json) ? too_much : *why;
	cJSON_Delete(json);
	return NULL;
}

/* What the hook returned is right for its kind. */
static bool check_return(const struct birthright *b, const cJSON *json, const char **why)
{
	bool is_wheel = strcmp(b->hook, "build_wheel") == 0 || strcmp(b->hook, "build_editable") == 0;
	bool is_metadata = strncmp(b->hook, "prepare_metadata_", 17) == 0;
	const cJSON *result = cJSON_GetObjectItemCaseSensitive(json, "return_val");

	if (!is_wheel && !is_metadata) {
		return true;
	}
	if (result == NULL || cJSON_IsNull(result)) {
		return true; /* it failed and says why */
	}
	if (is_wheel && b->metadata_dir != NULL && !holds_plain_files(b->metadata_dir)) { /* pip reads it again when the wheel is built */
		*why = "the build hook left something else than plain files where its metadata lay";
		return false;
	}
	*why = "the build hook returned something else than a name";
	return cJSON_IsString(result) && check_result(is_wheel ? b->wheel_dir : b->metadata_dir, result->valuestring, is_wheel, why);
}

bool birthright_check_output(const struct birthright *b, const char **why)
{
	struct stat st;

	if (!check_results(b, why)) {
		return false;
	}
	if (b->hook == NULL || b->control_dir == NULL) {
		return true;
	}
	cleanup_fd int dir = fd_open_nofollow(b->control_dir);
	if (dir < 0 || fstatat(dir, "output.json", &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return true; /* the hook failed on its own */
	}
	*why = "the build hook's output is not a plain file";
	cleanup_fd int fd = openat(dir, "output.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		return false;
	}
	cJSON *json = read_output(fd, why);
	bool good = json != NULL && check_return(b, json, why) && rewrite_output(dir, json);
	cJSON_Delete(json);
	return good;
}
