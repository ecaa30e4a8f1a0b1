/* Writes a journal with every kind of line and every field to the path given, for check_schema.py. */
#include <stdio.h>

#include "launcher/record/journal.h"

int main(int argc, char **argv)
{
	const char *const paths[] = {argc == 2 ? argv[1] : "", NULL}, *words[] = {"a", "\xff\n\x1b", NULL}, *none[] = {NULL};
	struct journal_start start = {.run_id = "R", .argv = words, .version = "0.1.0", .policy_digest = "d",
	                              .layers_json = "{\"a\":[1]}",
	                              .replaced = words, .removed = none};
	struct event full = {
		.type = "net.connect", .action = EV_DENIED, .verdict = {"net.outside", "kind", SEV_MEDIUM, ACTION_DENY},
		.process = {1, 2, "/exe", "/cwd", words}, .package = {"name", "1", "metadata"},
		.target = {"n", "/p", "p", "host", "192.0.2.1", "tcp", 443, "https://host/p", "POST", "00", 12, words}, .origin = {"lib.so", "main", "setup.py", "collect", 7}, .decoy = {"TOKEN", "~/.netrc", "base64", "name", 0},
		.detail = "--allow-host h",
	};
	int error = 0;
	struct journal *j = journal_open(paths, -1, &start, NULL, &error, NULL);
	if (j == NULL) {
		return 1;
	}
	int r = journal_event(j, &full, NULL) | journal_event(j, &full, NULL);
	for (int i = 0; i < 25; i++) {
		char name[16];
		snprintf(name, sizeof(name), "v%d", i);
		struct event ev = {.type = i % 2 == 0 ? "env.read" : "run.note", .action = (enum event_action)(i % 5),
		                   .role = (enum role)(i % ROLE_COUNT),
		                   .source = (enum event_source)(i % 2), .verdict = {.severity = (enum severity)(i / 5)}, .target = {.name = name}};
		r |= journal_event(j, &ev, NULL);
	}
	struct event audited = {.type = "file.open", .action = EV_OBSERVED, .audited = true, .would = EV_DECOY, .shim_absent = true, .target = {.path = "/x"}};
	struct event seen = {.type = "decoy.seen", .action = EV_OBSERVED, .decoy = {"v0", NULL, "plain", "argv", 0}};
	r |= journal_event(j, &seen, NULL);
	r |= journal_event(j, &audited, NULL) | journal_event(j, &audited, NULL);
	r |= journal_end(j, 100, &(struct journal_cost){.sandboxes = 12, .supervisor_cpu = 0.5});
	journal_close(j);
	start.audit = true; /* another run in the same file */
	j = journal_open(paths, -1, &start, NULL, &error, NULL);
	if (j == NULL) {
		return 1;
	}
	r |= journal_end(j, 0, &(struct journal_cost){0});
	journal_close(j);
	return r == 0 ? 0 : 1;
}
