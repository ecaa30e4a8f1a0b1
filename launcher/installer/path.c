#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/installer/parts.h"

const char *inst_env(char *const envp[], const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++) {
		if (!strncmp(*envp, name, n) && (*envp)[n] == '=') {
			return *envp + n + 1;
		}
	}
	return NULL;
}

const char *inst_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *inst_path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash) {
		return inst_dup(".");
	}
	return slash == path ? inst_dup("/") : inst_dup_n(path, (size_t)(slash - path));
}

char *inst_path_join(const char *dir, const char *name)
{
	if (*name == '/') {
		return inst_dup(name);
	}
	return inst_format("%s%s%s", dir, inst_ends(dir, "/") ? "" : "/", name);
}

char *inst_path_absolute(const char *cwd, const char *path)
{
	cleanup_text char *joined = inst_path_join(cwd, path);
	char *out = inst_dup(joined), *end = out;

	for (const char *at = joined; *at;) {
		size_t len;

		at += strspn(at, "/");
		len = strcspn(at, "/");
		if (len == 2 && at[0] == '.' && at[1] == '.') {
			while (end > out && *--end != '/') {
			}
		} else if (len && !(len == 1 && *at == '.')) {
			*end++ = '/';
			memmove(end, at, len);
			end += len;
		}
		at += len;
	}
	if (end == out) {
		*end++ = '/';
	}
	*end = '\0';
	return out;
}

char *inst_path_expand_user(const char *path, const char *home)
{
	if (path[0] == '~' && (path[1] == '/' || !path[1])) {
		return inst_format("%s%s", home, path + 1);
	}
	return inst_dup(path);
}

bool inst_path_is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool inst_path_is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool inst_path_can_make(const char *path)
{
	cleanup_text char *at = inst_dup(path);

	while (access(at, F_OK)) {
		char *slash = strrchr(at, '/');

		if (errno != ENOENT || !slash || slash == at) {
			return slash == at && !access("/", W_OK);
		}
		*slash = '\0';
	}
	return !access(at, W_OK) && inst_path_is_dir(at);
}

static char *read_start(const char *path, size_t max, bool whole, size_t *len)
{
	/* O_NONBLOCK: a FIFO in place of the file must not hang the start. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t have = 0, room;
	char *text;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || (whole && (unsigned long long)st.st_size > max)) {
		return NULL;
	}
	room = (unsigned long long)st.st_size < max ? (size_t)st.st_size : max;
	text = inst_grow(NULL, room, 1);
	while (have < room) {
		ssize_t n = read(fd, text + have, room - have);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			break;
		}
		have += (size_t)n;
	}
	text[have] = '\0';
	if (len) {
		*len = have;
	}
	return text;
}

char *inst_file_text(const char *path, size_t max, size_t *len)
{
	return read_start(path, max, true, len);
}

char *inst_file_head(const char *path, size_t max, size_t *len)
{
	return read_start(path, max, false, len);
}
