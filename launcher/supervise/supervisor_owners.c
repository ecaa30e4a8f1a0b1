/* What of a run belongs to whom: an exec to a thread group (its ticket), build directories, a home and a temp folder to a package.  Under the supervisor's
 * lock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decoys.h"
#include "pathtext.h"
#include "supervisor.h"

void supervisor_give_ticket(struct supervisor *s, pid_t tgid, const char *path)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < sizeof s->ticket / sizeof *s->ticket; i++) {
		if (s->ticket[i].tgid == 0) {
			s->ticket[i].path = strdup(path);
			s->ticket[i].tgid = s->ticket[i].path != NULL ? tgid : 0;
			break;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

bool supervisor_take_ticket(struct supervisor *s, pid_t tgid, const char *path)
{
	bool found = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < sizeof s->ticket / sizeof *s->ticket && !found && tgid > 0; i++) {
		if (s->ticket[i].tgid == tgid && strcmp(s->ticket[i].path, path) == 0) {
			free(s->ticket[i].path);
			s->ticket[i] = (struct ticket){0};
			found = true;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

bool supervisor_own_directory(struct supervisor *s, const char *directory, const char *package)
{
	bool good = true, known = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->owner_count && good; i++) {
		const struct owner *o = &s->owners[i];
		if (pathtext_below(directory, o->directory) || pathtext_below(o->directory, directory)) {
			good = strcmp(o->package, package) == 0;
			known = known || strcmp(o->directory, directory) == 0;
		}
	}
	if (good && !known) {
		struct owner *grown = realloc(s->owners, (s->owner_count + 1) * sizeof *grown);
		char *d = strdup(directory), *p = strdup(package);
		if (grown != NULL) {
			s->owners = grown;
		}
		good = grown != NULL && d != NULL && p != NULL;
		if (good) {
			s->owners[s->owner_count++] = (struct owner){.directory = d, .package = p};
		} else {
			free(d);
			free(p);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return good;
}

static int make_private(const struct supervisor *s, size_t index, char home[PATH_MAX], char tmp[PATH_MAX], bool known)
{
	bool guest = s->run->installer == NULL; /* has pip's place, which is made already */

	snprintf(home, PATH_MAX, "%.4000s/%zuh", supervisor_temp(s), index);
	snprintf(tmp, PATH_MAX, guest ? "%.4000s/t" : "%.4000s/%zut", supervisor_temp(s), index);
	return !known && (mkdir(home, 0700) < 0 || (!guest && mkdir(tmp, 0700) < 0)) ? -errno : 0;
}

/* Room for one package more, and its decoys. */
static bool grow_homes(struct supervisor *s)
{
	char **homes = realloc(s->homes, (s->home_count + 1) * sizeof *homes);
	struct decoys **decoys = realloc(s->decoys, (s->home_count + 1) * sizeof *decoys);

	s->homes = homes != NULL ? homes : s->homes;
	s->decoys = decoys != NULL ? decoys : s->decoys;
	if (homes == NULL || decoys == NULL || (s->decoys[s->home_count] = calloc(1, sizeof **decoys)) == NULL) {
		return false;
	}
	/* Not the coarse clock of file systems, which is behind: what pip unpacked just now is older.  What a build makes comes more than one of its ticks later. */
	clock_gettime(CLOCK_REALTIME, &s->decoys[s->home_count]->begun);
	pthread_mutex_init(&s->decoys[s->home_count]->lock, NULL);
	return true;
}

int supervisor_private_folders(struct supervisor *s, const char *package, char home[PATH_MAX], char tmp[PATH_MAX], struct decoys **decoys)
{
	size_t i = 0;
	int error = -ENOMEM;

	pthread_mutex_lock(&s->lock);
	while (i < s->home_count && strcmp(s->homes[i], package) != 0) {
		i++;
	}
	if (i < s->home_count) {
		error = make_private(s, i, home, tmp, true);
	} else {
		char *copy = strdup(package);
		if (copy != NULL && grow_homes(s) && (error = make_private(s, i, home, tmp, false)) == 0) {
			s->homes[s->home_count++] = copy;
			copy = NULL;
		}
		free(copy);
	}
	*decoys = error == 0 ? s->decoys[i] : NULL;
	pthread_mutex_unlock(&s->lock);
	return error;
}
