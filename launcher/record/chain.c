#include "launcher/record/chain.h"

#include <string.h>

static bool is_one_of(const char *type, const char *const words[])
{
	for (; type != NULL && *words != NULL; words++) {
		if (strncmp(type, *words, strlen(*words)) == 0) {
			return true;
		}
	}
	return false;
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool chain_is_read(const struct event *ev)
{
	static const char *const reads[] = {"env.", NULL};
	return is_one_of(ev->type, reads);
}

bool chain_ends(const struct fold_entry *e)
{
	static const char *const ways[] = {"net.", "ipc.", "decoy.", NULL};
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(e, &ev, argv);
	return is_one_of(ev.type, ways);
}

static bool same_package(const struct event *one, const struct event *other)
{
	return one->role == other->role && same(one->package.name, other->package.name) && same(one->package.version, other->package.version);
}

bool chain_same_package(const struct fold_entry *a, const struct fold_entry *b)
{
	struct event one, other;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(a, &one, argv);
	fold_event(b, &other, argv);
	return same_package(&one, &other);
}

bool chain_leads(const struct fold_entry *read, const struct fold_entry *attempt, bool by_name)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(read, &ev, argv);
	return read->seq < attempt->seq && chain_is_read(&ev) && by_name == (strcmp(ev.type, "env.read") == 0) && chain_same_package(read, attempt);
}

static bool ends_in_path(const char *path, const char *end)
{
	end = strncmp(end, "~/", 2) == 0 ? end + 1 : end;
	size_t len = path != NULL ? strlen(path) : 0, n = strlen(end);
	return len >= n && strcmp(path + len - n, end) == 0;
}

static bool may_have_read(const struct event *ev, const struct event_decoy *decoy)
{
	if (decoy->path != NULL) {
		return strcmp(ev->type, "file.open") == 0 && ev->action == EV_DECOY && ends_in_path(ev->target.path, decoy->path);
	}
	return strcmp(ev->type, "env.enumerate") == 0 || (strcmp(ev->type, "env.read") == 0 && same(ev->target.name, decoy->name));
}

uint64_t chain_read_of(const struct fold *f, const struct event *seen)
{
	uint64_t by_name = 0, any = 0;
	for (const struct fold_entry *e = f->first; e != NULL; e = e->next) {
		struct event ev;
		const char *argv[FOLD_ARGV_MAX];
		fold_event(e, &ev, argv);
		if (ev.type == NULL || !same_package(&ev, seen) || !may_have_read(&ev, &seen->decoy)) {
			continue;
		}
		any = e->seq;
		by_name = strcmp(ev.type, "env.enumerate") != 0 ? e->seq : by_name;
	}
	return by_name != 0 ? by_name : any;
}
