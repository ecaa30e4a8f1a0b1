#include "unsourced.h"

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoys.h"
#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/installer/parts.h"
#include "supervisor.h"

#define ENTRIES_MAX 20000        /* of the source, and of a wheel */
#define WHEELS_MAX 4
#define WHEEL_BYTES (256u << 20) /* a larger one is not looked at */
#define NAMES_BYTES (8u << 20)   /* of a wheel's end, where its names are */
#define TOLD 16                  /* events of a wheel */

/* The source's modules as they were before a build of it began, by what their paths end in: a wheel has them without "src/" and the like. */
struct source {
	struct strings files;
	const char **ends; /* sorted; into files */
	size_t count;
};

static bool is_module(const char *name)
{
	size_t len = strlen(name);

	return (len > 3 && strcmp(name + len - 3, ".py") == 0) || (len > 4 && strcmp(name + len - 4, ".pth") == 0);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool list_files(struct source *s, char *folder, const struct timespec *before)
{
	char *folders[] = {folder, NULL};
	FTS *walk = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;
	bool whole = walk != NULL;

	for (size_t n = 0; whole && (entry = fts_read(walk)) != NULL; n++) {
		whole = n < ENTRIES_MAX;
		if (whole && entry->fts_info == FTS_F && is_module(entry->fts_name) && clock_before(&entry->fts_statp->st_ctim, before)) {
			whole = strings_add(&s->files, entry->fts_path + strlen(folder)) == 0;
		}
	}
	if (walk != NULL) {
		fts_close(walk);
	}
	return whole;
}

static bool index_ends(struct source *s)
{
	size_t room = 0;

	for (size_t i = 0; i < s->files.n; i++) {
		for (const char *at = strchr(s->files.v[i], '/'); at != NULL; at = strchr(at + 1, '/')) {
			room++;
		}
	}
	s->ends = calloc(room + 1, sizeof *s->ends);
	for (size_t i = 0; s->ends != NULL && i < s->files.n; i++) {
		for (const char *at = strchr(s->files.v[i], '/'); at != NULL; at = strchr(at + 1, '/')) {
			s->ends[s->count++] = at + 1;
		}
	}
	if (s->ends != NULL) {
		qsort(s->ends, s->count, sizeof *s->ends, compare);
	}
	return s->ends != NULL;
}

/* Where it will lie: NAME.data/purelib/x.py is x.py. */
static const char *installed_name(const char *member)
{
	const char *data = strstr(member, ".data/"), *rest = data != NULL && memchr(member, '/', (size_t)(data - member)) == NULL ? strchr(data + 6, '/') : NULL;

	return rest != NULL ? rest + 1 : member;
}

static bool has(const struct source *s, const char *member)
{
	return bsearch(&member, s->ends, s->count, sizeof *s->ends, compare) != NULL;
}

static void tell(struct sandbox *sb, const char *name, const char *detail)
{
	struct event ev = {
		.type = "install.finding", .action = EV_ALLOWED, .source = SRC_KERNEL, .verdict = policy_rule(sb->sup->run->policy, "install.unsourced"),
		.target = {.path = name}, .detail = detail,
	};

	supervisor_record(sb, 0, &ev);
}

static void look_at_names(struct sandbox *sb, const struct source *s, const struct zip *z)
{
	struct zip_member m;
	char last[sizeof m.name], more[64];
	size_t count = 0, at = 0;

	for (size_t n = 0; n < ENTRIES_MAX && inst_zip_next(z, &at, &m); n++) {
		if (!is_module(m.name) || strstr(m.name, ".dist-info/") != NULL || has(s, installed_name(m.name))) {
			continue;
		}
		strcpy(last, m.name);
		if (++count < TOLD) {
			tell(sb, m.name, "the build made it");
		}
	}
	if (count >= TOLD) {
		snprintf(more, sizeof more, "the build made it, and %zu like it", count - TOLD);
		tell(sb, last, more);
	}
}

static void look_at_wheel(struct sandbox *sb, const struct source *s, int folder, const char *name)
{
	struct stat st;
	cleanup_fd int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > WHEEL_BYTES) {
		return;
	}
	size_t len = (size_t)st.st_size, tail = len < NAMES_BYTES ? len : NAMES_BYTES;
	struct zip z = {.data = calloc(1, len), .len = len}; /* only what is written to takes memory */
	if (z.data != NULL && pread(fd, z.data + len - tail, tail, (off_t)(len - tail)) == (ssize_t)tail && inst_zip_open(&z)) {
		look_at_names(sb, s, &z);
	}
	free(z.data);
}

static void look_in(struct sandbox *sb, const struct source *s, const char *path)
{
	int folder = path != NULL ? fd_open_nofollow(path) : -1, listed = folder >= 0 ? openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = listed >= 0 ? fdopendir(listed) : NULL;
	struct dirent *entry;

	for (size_t n = 0; dir != NULL && n < WHEELS_MAX && (entry = readdir(dir)) != NULL;) {
		size_t len = strlen(entry->d_name);
		if (len > 4 && strcmp(entry->d_name + len - 4, ".whl") == 0) {
			look_at_wheel(sb, s, folder, entry->d_name);
			n++;
		}
	}
	if (dir != NULL) {
		closedir(dir);
	} else {
		close_fd(&listed);
	}
	close_fd(&folder);
}

void unsourced_tell(struct sandbox *sb, const struct birthright *right)
{
	struct source s = {0};

	if (sb->role != ROLE_BUILD || right->source == NULL || right->tree != NULL || sb->decoys == NULL || (right->wheel_dir == NULL && right->results.n == 0)) {
		return;
	}
	if (list_files(&s, right->source, &sb->decoys->begun) && index_ends(&s)) {
		look_in(sb, &s, right->wheel_dir);
		for (size_t i = 0; i < right->results.n; i++) {
			look_in(sb, &s, right->results.v[i]);
		}
	}
	free(s.ends);
	strings_finish(&s.files);
}
