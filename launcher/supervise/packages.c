#include "packages.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PARTS 5
#define KEPT_MAX 4096 /* names may come from packages */

struct kept {
	struct kept *next;
	struct event_package package;
	char text[];
};

const struct event_package packages_unknown;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept *first;
static size_t count;

static void parts_of(const struct event_package *p, const char *parts[PARTS])
{
	const char *const all[PARTS] = {p->name, p->version, p->stage, p->digest, p->above};

	memcpy(parts, all, sizeof all);
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same(const struct event_package *a, const struct event_package *b)
{
	return same(a->name, b->name) && same(a->version, b->version) && same(a->stage, b->stage) && same(a->digest, b->digest) && same(a->above, b->above);
}

static struct kept *copy(const struct event_package *package)
{
	const char *parts[PARTS];
	size_t size = 0;

	parts_of(package, parts);
	for (size_t i = 0; i < PARTS; i++) {
		size += parts[i] != NULL ? strlen(parts[i]) + 1 : 0;
	}
	struct kept *k = malloc(sizeof *k + size);
	char *at = k != NULL ? k->text : NULL;
	for (size_t i = 0; k != NULL && i < PARTS; i++) {
		if (parts[i] != NULL) {
			size_t len = strlen(parts[i]) + 1;
			parts[i] = memcpy(at, parts[i], len);
			at += len;
		}
	}
	if (k != NULL) {
		k->package = (struct event_package){.name = parts[0], .version = parts[1], .stage = parts[2], .digest = parts[3], .above = parts[4]};
	}
	return k;
}

const struct event_package *packages_keep(const struct event_package *package)
{
	struct kept *k;

	pthread_mutex_lock(&lock);
	for (k = first; k != NULL && !is_same(&k->package, package); k = k->next) {
	}
	if (k == NULL && count < KEPT_MAX && (k = copy(package)) != NULL) {
		k->next = first;
		first = k;
		count++;
	}
	pthread_mutex_unlock(&lock);
	return k != NULL ? &k->package : &packages_unknown;
}
