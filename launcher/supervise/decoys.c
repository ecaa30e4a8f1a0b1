#include "decoys.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "launcher/base/fd.h"

/* Opens, and makes where they are missing, the folders of a path below home; *name: its last component. */
static int open_parent(int home, const char *path, const char **name)
{
	cleanup_fd int at = fcntl(home, F_DUPFD_CLOEXEC, 3);
	char component[64];

	for (const char *slash; at >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		snprintf(component, sizeof component, "%.*s", (int)(slash - path), path);
		mkdirat(at, component, 0700);
		int below = openat(at, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = below;
	}
	*name = path;
	return steal_fd(&at);
}

static void plant_one(struct decoys *d, int home, const char *path, const uint8_t *key)
{
	const char *name;
	struct stat st;
	cleanup_fd int folder = open_parent(home, path, &name);
	cleanup_fd int fd = folder < 0 ? -1 : openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char *text = fd < 0 ? NULL : decoy_file(key, path);

	if (text != NULL && fd_write_all(fd, text, strlen(text)) == 0 && fstat(fd, &st) == 0) {
		d->file[d->count].device = st.st_dev;
		d->file[d->count++].inode = st.st_ino;
	}
	free(text);
}

void decoys_plant(struct decoys *d, const char *home, const uint8_t key[DECOY_KEY_LEN])
{
	pthread_mutex_lock(&d->lock);
	if (!atomic_exchange(&d->planted, true)) { /* decoys_have waits until they are there */
		cleanup_fd int fd = open(home, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		for (size_t i = 0; fd >= 0 && i < DECOYS_MAX && decoy_file_path(i) != NULL; i++) {
			plant_one(d, fd, decoy_file_path(i), key);
		}
	}
	pthread_mutex_unlock(&d->lock);
}

bool decoys_have(struct decoys *d, int fd)
{
	struct stat st;
	bool found = false;

	if (!atomic_load(&d->planted) || fstat(fd, &st) < 0) {
		return false;
	}
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->count; i++) {
		found = found || (d->file[i].inode == st.st_ino && d->file[i].device == st.st_dev);
	}
	pthread_mutex_unlock(&d->lock);
	return found;
}

struct reply decoys_instead(const uint8_t key[DECOY_KEY_LEN], const char *real, uint64_t flags)
{
	const char *name = strrchr(real, '/');
	char self[40], *text = decoy_file(key, real);
	cleanup_fd int memory = text == NULL ? -1 : memfd_create(name != NULL ? name + 1 : "file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool made = memory >= 0 && fd_write_all(memory, text, strlen(text)) == 0 && fchmod(memory, 0600) == 0 &&
	            fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;

	free(text);
	if (!made || (flags & O_DIRECTORY) != 0) {
		return reply_error(made ? ENOTDIR : EACCES);
	}
	snprintf(self, sizeof self, "/proc/self/fd/%d", memory);
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? reply_error(EACCES) : reply_fd(fd, (uint32_t)(flags & O_CLOEXEC));
}
