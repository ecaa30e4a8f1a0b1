#include "pip_temp.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"

static void pip_temp(const struct supervisor *s, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/t", supervisor_temp(s));
}

const char *pip_temp_below(const struct supervisor *s, const char *path)
{
	char temp[PATH_MAX];

	pip_temp(s, temp);
	size_t len = strlen(temp);
	return strncmp(path, temp, len) == 0 && path[len] == '/' && path[len + 1] != '\0' ? path + len + 1 : NULL;
}

bool pip_temp_is_folder(const struct supervisor *s, const char *path)
{
	struct stat st;

	if (pip_temp_below(s, path) == NULL) {
		return false;
	}
	cleanup_fd int fd = fd_open_nofollow(path);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

char *pip_temp_unit(const struct supervisor *s, const char *path)
{
	static const struct {
		const char *start;
		bool is_only_shared;
	} shared[] = {{"pip-install-", true}, {"pip-download-", true}, {"pip-wheel-", false}};
	const char *relative = pip_temp_below(s, path);
	if (relative == NULL) {
		return NULL;
	}
	size_t len = strcspn(relative, "/");
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
		if (strncmp(relative, shared[i].start, strlen(shared[i].start)) != 0) {
			continue;
		}
		if (relative[len] != '\0') {
			len += 1 + strcspn(relative + len + 1, "/");
		} else if (shared[i].is_only_shared) {
			return NULL; /* the folder that holds every package's source is nobody's */
		}
		break;
	}
	return strndup(path, (size_t)(relative - path) + len);
}
