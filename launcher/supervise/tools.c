#include "tools.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"
#include "pathtext.h"
#include "tail.h"

enum { ENTRIES_MAX = 10000, DEPTH_MAX = 5 };

/* Beside bin: gcc's cc1, npm's scripts, nvcc's passes. */
static const char *const beside[] = {"bin", "sbin", "lib", "lib64", "libexec", "nvvm", NULL};

/* Does a rule name the folder or something in it, down to a few folders?  What is too large to be looked through is a toolchain. */
static bool named_by_a_rule(const struct policy *policy, int parent, const char *name, const char *real, int depth, size_t *budget)
{
	struct verdict verdict;
	struct stat st;
	char path[PATH_MAX];
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool named = policy_file(policy, real, FILE_READ, &verdict);

	if (d == NULL) {
		close_fd(&fd);
		return named;
	}
	for (struct dirent *e; !named && *budget > 0 && (e = readdir(d)) != NULL;) {
		int len = snprintf(path, sizeof path, "%s/%s", real, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || len < 0 || (size_t)len >= sizeof path) {
			continue;
		}
		--*budget;
		named = policy_file(policy, path, FILE_READ, &verdict);
		if (!named && depth > 0 && (e->d_type == DT_DIR || (e->d_type == DT_UNKNOWN && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)))) {
			named = named_by_a_rule(policy, fd, e->d_name, path, depth - 1, budget);
		}
	}
	closedir(d);
	return named;
}

/* folder: real, or not there */
static int add(const struct policy *policy, const char *const *homes, const char *folder, struct strings *out)
{
	size_t budget = ENTRIES_MAX;

	for (size_t i = 0; i < out->n; i++) {
		if (strcmp(out->v[i], folder) == 0) {
			return 0;
		}
	}
	cleanup_fd int fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !tail_everybodys(homes, fd, folder) || named_by_a_rule(policy, fd, ".", folder, DEPTH_MAX, &budget)) {
		return 0;
	}
	return strings_add(out, folder) < 0 ? -ENOMEM : 0;
}

/* For /opt/NAME/bin also /opt/NAME/lib and the like.  bin: real */
static int add_beside(const struct policy *policy, const char *const *homes, const char *bin, struct strings *out)
{
	char path[PATH_MAX], real[PATH_MAX];
	const char *last = strrchr(bin, '/');
	int error = 0;

	if (last == NULL || (strcmp(last, "/bin") != 0 && strcmp(last, "/sbin") != 0)) {
		return 0;
	}
	for (const char *const *b = beside; error == 0 && *b != NULL; b++) {
		int n = snprintf(path, sizeof path, "%.*s/%s", (int)(last - bin), bin, *b);
		if (n > 0 && (size_t)n < sizeof path && realpath(path, real) != NULL && !pathtext_below(real, "/usr")) {
			error = add(policy, homes, real, out);
		}
	}
	return error;
}

int tools_on_path(const struct policy *policy, const char *const *homes, const char *path, struct strings *out)
{
	char *copy = path != NULL ? strdup(path) : NULL, *save = NULL, real[PATH_MAX];
	int error = path != NULL && copy == NULL ? -ENOMEM : 0;

	for (char *folder = copy != NULL ? strtok_r(copy, ":", &save) : NULL; error == 0 && folder != NULL; folder = strtok_r(NULL, ":", &save)) {
		/* Everybody may read /usr anyway. */
		if (folder[0] == '/' && !pathtext_below(folder, "/usr") && realpath(folder, real) != NULL && !pathtext_below(real, "/usr") &&
		    (error = add(policy, homes, real, out)) == 0) {
			error = add_beside(policy, homes, real, out);
		}
	}
	free(copy);
	return error;
}

static bool is_elf(const char *path)
{
	char magic[4];
	struct stat st;
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && pread(fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, "\177ELF", 4) == 0;
}

int tools_preloaded(const char *preload, struct strings *out)
{
	char *copy = preload != NULL ? strdup(preload) : NULL, *save = NULL;
	int error = preload != NULL && copy == NULL ? -ENOMEM : 0;

	for (char *one = copy != NULL ? strtok_r(copy, ": ", &save) : NULL; error == 0 && one != NULL; one = strtok_r(NULL, ": ", &save)) {
		if (one[0] == '/' && is_elf(one)) {
			error = strings_add(out, one) < 0 ? -ENOMEM : 0;
		}
	}
	free(copy);
	return error;
}
