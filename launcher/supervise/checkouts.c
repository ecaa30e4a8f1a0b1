#include "checkouts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pathtext.h"

static struct checkout *find(struct supervisor *s, const char *path)
{
	for (size_t i = 0; i < s->checkout_count; i++) {
		if (pathtext_below(path, s->checkouts[i].folder)) {
			return &s->checkouts[i];
		}
	}
	return NULL;
}

int checkouts_add(struct supervisor *s, const char *folder, const struct vcs_requirement *requirement)
{
	int error = 0;

	pthread_mutex_lock(&s->lock);
	if (find(s, folder) == NULL) {
		struct checkout *grown = realloc(s->checkouts, (s->checkout_count + 1) * sizeof *grown);
		char *copy = strdup(folder);
		s->checkouts = grown != NULL ? grown : s->checkouts;
		if (grown != NULL && copy != NULL) {
			grown[s->checkout_count++] = (struct checkout){.folder = copy, .requirement = requirement};
		} else {
			free(copy);
			error = -ENOMEM;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return error;
}

bool checkouts_find(struct supervisor *s, const char *path, struct checkout *out)
{
	pthread_mutex_lock(&s->lock);
	const struct checkout *found = find(s, path);
	if (found != NULL) {
		*out = *found;
	}
	pthread_mutex_unlock(&s->lock);
	return found != NULL;
}

void checkouts_built(struct supervisor *s, const char *folder)
{
	pthread_mutex_lock(&s->lock);
	struct checkout *found = find(s, folder);
	if (found != NULL) {
		found->built = true;
	}
	pthread_mutex_unlock(&s->lock);
}
