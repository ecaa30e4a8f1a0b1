#include "begun.h"

#include <sys/stat.h>

enum { FOLDERS_MAX = 64 }; /* more than any interpreter has; those beyond are not looked at */

static const struct strings *noted;
static struct timespec times[FOLDERS_MAX]; /* zero: was not there */

static struct timespec time_of(const char *folder)
{
	struct stat st;

	return stat(folder, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static size_t count(void)
{
	return noted == NULL ? 0 : noted->n < FOLDERS_MAX ? noted->n : FOLDERS_MAX;
}

void begun_note(const struct strings *folders)
{
	noted = folders;
	for (size_t i = 0; i < count(); i++) {
		times[i] = time_of(folders->v[i]);
	}
}

bool begun(void)
{
	for (size_t i = 0; i < count(); i++) {
		const struct timespec now = time_of(noted->v[i]);
		if (now.tv_sec != times[i].tv_sec || now.tv_nsec != times[i].tv_nsec) {
			return true;
		}
	}
	return false;
}
