#include "distributions.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "pathtext.h"
#include "launcher/findings/beneath.h"
#include "launcher/findings/direct_url.h"
#include "launcher/findings/pkg_info.h"
#include "launcher/findings/recorded.h"

#define SITES_MAX 16             /* folders that are remembered, each with a descriptor; build isolation has two of each build */
#define INFOS_MAX 4096           /* distributions of a folder */
#define CLAIMS_MAX 65536         /* tops and files elsewhere of a folder */
#define CLAIMS_BYTES (8u << 20)
#define NEIGHBOURS 32            /* tops of a distribution that are not kept twice */
#define RECORD_MAX (8u << 20)
#define RECORDS_MAX (64u << 20)  /* of a folder in all */

/* One claim of a distribution: a name at the top of the folder, a file elsewhere, or a project's folder. */
enum claim_kind { CLAIM_TOP, CLAIM_FILE, CLAIM_PROJECT };
struct claim {
	enum claim_kind kind;
	size_t info;
	char *text;
};

struct site {
	char *folder;
	int fd;                  /* of it */
	struct timespec changed;
	struct info {
		char *name;          /* of the .dist-info or .egg-info */
		bool recorded;       /* its RECORD was read */
	} *infos;
	size_t info_count;
	struct claim *claims;    /* one info's after the other's */
	size_t claim_count, room, bytes;
	size_t read;             /* bytes of RECORDs */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct site sites_known[SITES_MAX];
static size_t next_site; /* which is forgotten when there is no room */

/* --- reading a folder ----------------------------------------------------------------------------- */

static bool is_claimed(const struct site *s, size_t info, enum claim_kind kind, const char *text, size_t len)
{
	for (size_t i = s->claim_count, n = 0; i-- > 0 && n < NEIGHBOURS && s->claims[i].info == info; n++) {
		if (s->claims[i].kind == kind && strlen(s->claims[i].text) == len && memcmp(s->claims[i].text, text, len) == 0) {
			return true;
		}
	}
	return false;
}

static void add_claim(struct site *s, enum claim_kind kind, const char *text, size_t len)
{
	size_t info = s->info_count - 1;

	if (len == 0 || s->claim_count == CLAIMS_MAX || s->bytes + len > CLAIMS_BYTES || is_claimed(s, info, kind, text, len)) {
		return;
	}
	if (s->claim_count == s->room) {
		size_t room = s->room != 0 ? 2 * s->room : 256;
		struct claim *grown = realloc(s->claims, room * sizeof *grown);
		if (grown == NULL) {
			return;
		}
		s->claims = grown;
		s->room = room;
	}
	char *copy = strndup(text, len);
	if (copy != NULL) {
		s->claims[s->claim_count++] = (struct claim){.kind = kind, .info = info, .text = copy};
		s->bytes += len + 1;
	}
}

static char *text_of(const struct site *s, const char *info, const char *name, size_t max)
{
	char path[2 * NAME_MAX + 2], *text = NULL;

	snprintf(path, sizeof path, "%.255s%s%.255s", info, name[0] != '\0' ? "/" : "", name);
	return beneath_text(s->fd, path, max, &text) >= 0 ? text : NULL;
}

/* Ready for recorded_next; *size: how long it is. */
static char *record_of(const struct site *s, const char *info, size_t *size)
{
	char path[NAME_MAX + 16], *text = NULL;

	snprintf(path, sizeof path, "%.255s/RECORD", info);
	ssize_t len = beneath_text(s->fd, path, RECORD_MAX, &text);
	*size = len > 0 ? (size_t)len : 0;
	if (len >= 0) {
		recorded_prepare(text, (size_t)len);
	}
	return len >= 0 ? text : NULL;
}

/* One path of a RECORD: below the folder its first component counts, elsewhere all of it. */
static void claim_path(struct site *s, const char *path, const char *info)
{
	char whole[PATH_MAX];
	size_t top = strcspn(path, "/");

	if (path[0] != '/' && strncmp(path, "../", 3) != 0) {
		if (strncmp(path, info, top) != 0 || info[top] != '\0') {
			add_claim(s, CLAIM_TOP, path, top);
		}
	} else if (recorded_resolve(s->folder, path, whole)) {
		add_claim(s, CLAIM_FILE, whole, strlen(whole));
	}
}

static bool read_record(struct site *s, const char *info)
{
	struct recorded line;
	size_t size = 0;
	char *text = s->read < RECORDS_MAX ? record_of(s, info, &size) : NULL, *at = text;

	s->read += size;
	while (at != NULL && recorded_next(&at, &line)) {
		claim_path(s, line.path, info);
	}
	free(text);
	return at != NULL;
}

static void read_top_level(struct site *s, const char *info)
{
	char *text = text_of(s, info, "top_level.txt", 1u << 16);

	for (const char *line = text; line != NULL && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		add_claim(s, CLAIM_TOP, line, strcspn(line, "\r\n"));
	}
	free(text);
}

static void read_direct_url(struct site *s, const char *info)
{
	char *text = text_of(s, info, "direct_url.json", 1u << 16), folder[PATH_MAX];
	cJSON *json = text != NULL ? cJSON_ParseWithOpts(text, NULL, 1) : NULL;

	if (direct_url_editable(json, folder)) {
		add_claim(s, CLAIM_PROJECT, folder, strlen(folder));
	}
	cJSON_Delete(json);
	free(text);
}

static void read_info(struct site *s, const char *info)
{
	struct info *grown = s->info_count < INFOS_MAX ? realloc(s->infos, (s->info_count + 1) * sizeof *grown) : NULL;
	char *copy = grown != NULL ? strdup(info) : NULL;

	s->infos = grown != NULL ? grown : s->infos;
	if (copy == NULL) {
		return;
	}
	struct info *one = &s->infos[s->info_count++];
	one->name = copy;
	one->recorded = read_record(s, info);
	if (!one->recorded) {
		read_top_level(s, info);
	}
	read_direct_url(s, info);
}

static void forget(struct site *s)
{
	for (size_t i = 0; i < s->info_count; i++) {
		free(s->infos[i].name);
	}
	for (size_t i = 0; i < s->claim_count; i++) {
		free(s->claims[i].text);
	}
	if (s->folder != NULL) {
		close_fd(&s->fd);
	}
	free(s->infos);
	free(s->claims);
	free(s->folder);
	*s = (struct site){0};
}

static bool has_end(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

static void read_site(struct site *s, const char *folder, const struct stat *st)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	forget(s);
	s->folder = strdup(folder);
	s->changed = st->st_mtim;
	s->fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (s->folder != NULL && dir != NULL && (entry = readdir(dir)) != NULL) {
		if (has_end(entry->d_name, ".dist-info") || has_end(entry->d_name, ".egg-info")) {
			read_info(s, entry->d_name);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

/* Under the lock.  NULL: there is no such folder. */
static const struct site *site_at(const char *named)
{
	char folder[PATH_MAX];
	struct stat st;

	if (realpath(named, folder) == NULL || stat(folder, &st) < 0 || !S_ISDIR(st.st_mode)) {
		return NULL;
	}
	for (size_t i = 0; i < SITES_MAX; i++) {
		struct site *s = &sites_known[i];
		if (s->folder != NULL && strcmp(s->folder, folder) == 0) {
			if (s->changed.tv_sec != st.st_mtim.tv_sec || s->changed.tv_nsec != st.st_mtim.tv_nsec) {
				read_site(s, folder, &st);
			}
			return s;
		}
	}
	struct site *s = &sites_known[next_site];
	next_site = (next_site + 1) % SITES_MAX;
	read_site(s, folder, &st);
	return s;
}

/* --- answering ------------------------------------------------------------------------------------ */

/* Does that distribution's RECORD name the file, as it lies below the folder? */
static bool lists(const struct site *s, const struct info *info, const char *file)
{
	struct recorded line;
	size_t size;
	char *text = info->recorded ? record_of(s, info->name, &size) : NULL, *at = text;
	bool found = false;

	while (at != NULL && !found && recorded_next(&at, &line)) {
		found = strcmp(line.path, file) == 0;
	}
	free(text);
	return found;
}

static time_t installed_at(const struct site *s, const char *info)
{
	char path[PATH_MAX];
	struct stat st;

	return snprintf(path, sizeof path, "%s/%s/RECORD", s->folder, info) < (int)sizeof path && lstat(path, &st) == 0 ? st.st_mtime : 0;
}

/* Of a name at the top, "x" and "x.py" are the same: top_level.txt has modules, and who asks for a module does not know which it is. */
static bool is_top(const struct claim *c, const char *file)
{
	size_t len = strlen(c->text), top = strcspn(file, "/");

	len -= len > 3 && strcmp(c->text + len - 3, ".py") == 0 ? 3 : 0;
	top -= top > 3 && file[top] == '\0' && strcmp(file + top - 3, ".py") == 0 ? 3 : 0;
	return c->kind == CLAIM_TOP && len == top && strncmp(c->text, file, top) == 0;
}

/* Of several that claim the name the one that lists the file; of several of those the last that was installed: its content is what lies there. */
static const char *owner_below(const struct site *s, const char *file)
{
	const struct info *only = NULL, *tried = NULL;
	const char *best = NULL;
	size_t count = 0;

	for (size_t i = 0; i < s->claim_count; i++) {
		if (is_top(&s->claims[i], file) && &s->infos[s->claims[i].info] != only) {
			only = &s->infos[s->claims[i].info];
			count++;
		}
	}
	for (size_t i = 0; count > 1 && i < s->claim_count; i++) {
		const struct info *info = &s->infos[s->claims[i].info];
		if (!is_top(&s->claims[i], file) || info == tried) {
			continue;
		}
		tried = info;
		if (lists(s, info, file) && (best == NULL || installed_at(s, info->name) >= installed_at(s, best))) {
			best = info->name;
		}
	}
	return count > 1 ? best : only != NULL ? only->name : NULL;
}

static const char *owner_elsewhere(const struct site *s, const char *path)
{
	for (size_t i = 0; i < s->claim_count; i++) {
		const struct claim *c = &s->claims[i];
		if ((c->kind == CLAIM_FILE && strcmp(c->text, path) == 0) || (c->kind == CLAIM_PROJECT && pathtext_below(path, c->text))) {
			return s->infos[c->info].name;
		}
	}
	return NULL;
}

static void put(char *out, size_t size, const char *text, size_t len)
{
	snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

/* Of "NAME-VERSION.dist-info", "NAME-VERSION-py3.11.egg-info". */
static void split_info(const char *info, struct distribution *out)
{
	const char *dot = strrchr(info, '.');
	size_t stem = dot != NULL ? (size_t)(dot - info) : strlen(info), name = strcspn(info, "-"), version = 0;

	if (name < stem) {
		version = strcspn(info + name + 1, "-");
		version = version < stem - name - 1 ? version : stem - name - 1;
	} else {
		name = stem;
	}
	put(out->name, sizeof out->name, info, name);
	put(out->version, sizeof out->version, info + name + (version > 0), version);
}

/* The folder's name says both; the metadata may spell the name otherwise ("ruamel.yaml"). */
static bool describe(const struct site *s, const char *info, struct distribution *out)
{
	char *metadata, *name = NULL, *version = NULL;

	if (info == NULL) {
		return false;
	}
	split_info(info, out);
	metadata = text_of(s, info, has_end(info, ".dist-info") ? "METADATA" : "PKG-INFO", 1u << 20);
	metadata = metadata != NULL ? metadata : text_of(s, info, "", 1u << 20);
	if (metadata != NULL) {
		pkg_info_read(metadata, &name, &version);
	}
	if (name != NULL && pkg_info_same_name(name, out->name)) {
		snprintf(out->name, sizeof out->name, "%s", name);
	}
	if (version != NULL && out->version[0] == '\0') {
		snprintf(out->version, sizeof out->version, "%.63s", version);
	}
	free(metadata);
	free(name);
	free(version);
	return out->name[0] != '\0';
}

/* Of ".../site-packages/REST" the last such folder: build isolation has its own. */
static const char *below_packages(const char *path, char folder[PATH_MAX])
{
	const char *rest = pathtext_packages(path);
	size_t len = rest != NULL ? (size_t)(rest - path) - 1 : 0;

	if (rest == NULL || rest[0] == '\0' || len >= PATH_MAX) {
		return NULL;
	}
	memcpy(folder, path, len);
	folder[len] = '\0';
	return rest;
}

bool distribution_owning(const char *path, const char *const *sites, struct distribution *out)
{
	char folder[PATH_MAX];
	const char *rest = below_packages(path, folder);
	bool found = false;

	memset(out, 0, sizeof *out);
	pthread_mutex_lock(&lock);
	const struct site *s = rest != NULL ? site_at(folder) : NULL;
	if (s != NULL) {
		found = describe(s, owner_below(s, rest), out);
	}
	for (; rest == NULL && !found && sites != NULL && *sites != NULL; sites++) {
		s = site_at(*sites);
		found = s != NULL && describe(s, owner_elsewhere(s, path), out);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

bool distribution_providing(const char *module, const char *const *sites, struct distribution *out)
{
	char top[256];
	bool found = false;

	memset(out, 0, sizeof *out);
	snprintf(top, sizeof top, "%.*s", (int)(strcspn(module, ".") < sizeof top ? strcspn(module, ".") : sizeof top - 1), module);
	pthread_mutex_lock(&lock);
	for (; !found && top[0] != '\0' && sites != NULL && *sites != NULL; sites++) {
		const struct site *s = site_at(*sites);
		found = s != NULL && describe(s, owner_below(s, top), out);
	}
	pthread_mutex_unlock(&lock);
	return found;
}
