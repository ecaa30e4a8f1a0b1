#include "launcher/record/decoy_read.h"

#include <string.h>

#include "launcher/record/chain.h"

static bool ends_in_path(const char *path, const char *end)
{
	end = strncmp(end, "~/", 2) == 0 ? end + 1 : end;
	size_t len = path != NULL ? strlen(path) : 0, n = strlen(end);
	return len >= n && strcmp(path + len - n, end) == 0;
}

static bool may_have_read(const struct event *ev, const struct event_decoy *decoy)
{
	switch (chain_step(ev)) {
	case CHAIN_READ_FILE:
		return decoy->path != NULL && ends_in_path(ev->target.path, decoy->path);
	case CHAIN_READ_NAME:
		return decoy->name != NULL && ev->target.name != NULL && strcmp(ev->target.name, decoy->name) == 0;
	case CHAIN_READ_ALL:
		return decoy->path == NULL;
	default:
		return false;
	}
}

uint64_t decoy_read(const struct fold *f, const struct event *seen)
{
	uint64_t by_name = 0, any = 0;
	for (const struct fold_entry *e = f->first; e != NULL; e = e->next) {
		struct event ev;
		const char *argv[FOLD_ARGV_MAX];
		fold_event(e, &ev, argv);
		if (!chain_same_package(&ev, seen) || !may_have_read(&ev, &seen->decoy)) {
			continue;
		}
		any = e->seq;
		by_name = chain_step(&ev) != CHAIN_READ_ALL ? e->seq : by_name;
	}
	return by_name != 0 ? by_name : any;
}
