#include "reals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN_MAX = 256 };

static struct known {
	char *path, *real;
} known[KNOWN_MAX];
static size_t count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool find(const char *path, char out[PATH_MAX])
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < count && !found; i++) {
		found = strcmp(known[i].path, path) == 0;
		if (found) {
			strcpy(out, known[i].real);
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}

/* Two threads may keep the same one: the first is found. */
static void keep(const char *path, const char *real)
{
	struct known one = {.path = strdup(path), .real = strdup(real)};

	pthread_mutex_lock(&lock);
	bool kept = one.path != NULL && one.real != NULL && count < KNOWN_MAX;
	if (kept) {
		known[count++] = one;
	}
	pthread_mutex_unlock(&lock);
	if (!kept) {
		free(one.path);
		free(one.real);
	}
}

bool reals_path(const char *path, char out[PATH_MAX])
{
	if (find(path, out)) {
		return true;
	}
	if (realpath(path, out) == NULL) {
		return false;
	}
	keep(path, out);
	return true;
}
