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

bool chain_same_package(const struct fold_entry *a, const struct fold_entry *b)
{
	struct event one, other;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(a, &one, argv);
	fold_event(b, &other, argv);
	return one.role == other.role && same(one.package.name, other.package.name) && same(one.package.version, other.package.version);
}

bool chain_leads(const struct fold_entry *read, const struct fold_entry *attempt, bool by_name)
{
	struct event ev;
	const char *argv[FOLD_ARGV_MAX];
	fold_event(read, &ev, argv);
	return read->seq < attempt->seq && chain_is_read(&ev) && by_name == (strcmp(ev.type, "env.read") == 0) && chain_same_package(read, attempt);
}
