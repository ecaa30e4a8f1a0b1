/* Every system call that a header knows is in one of the two tables, whatever the architecture; what may be allowed has a reason; docs/syscalls.md says
 * what the tables say.  With --print: that page. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "launcher/sandbox/filter_table.h"
#include "launcher/sandbox/syscalls.h"

#ifdef __x86_64__
#define OWN_LIST "x86_64.txt"
#else
#define OWN_LIST "aarch64.txt"
#endif

static const char *const lists[] = {"x86_64.txt", "aarch64.txt"};

struct named {
	const char *name;
	int nr;
};

/* Both tables' calls, each once, by name. */
static struct named *all_calls(size_t *count)
{
	size_t rows, groups, n = 0;
	const struct filter_row *row = filter_table(&rows);
	const struct syscall_group *group = syscalls_table(&groups);
	struct named *all = calloc(rows + groups * SYSCALL_GROUP_MAX, sizeof *all);

	assert_non_null(all);
	for (size_t i = 0; i < rows; i++) {
		bool again = false;
		for (size_t k = 0; k < n && !again; k++) {
			again = all[k].nr == row[i].nr;
		}
		if (!again) {
			all[n++] = (struct named){row[i].name, row[i].nr};
		}
	}
	for (size_t i = 0; i < groups; i++) {
		for (const struct syscall_name *s = group[i].calls; s->name; s++) {
			bool again = false;
			for (size_t k = 0; k < n; k++) {
				assert_int_equal(all[k].nr == s->nr, !strcmp(all[k].name, s->name));
				again = again || all[k].nr == s->nr;
			}
			if (!again) {
				all[n++] = (struct named){s->name, s->nr};
			}
		}
	}
	*count = n;
	return all;
}

static void groups_are_well_formed(void **state)
{
	size_t count;
	const struct syscall_group *table = syscalls_table(&count);

	for (size_t i = 0; i < count; i++) {
		assert_true(table[i].why && *table[i].why);
		assert_non_null(table[i].calls[0].name);
		assert_null(table[i].calls[SYSCALL_GROUP_MAX - 1].name);
		for (const struct syscall_name *s = table[i].calls; s->name; s++) {
			assert_ptr_equal(syscalls_group(s->nr), &table[i]); /* in one group */
		}
	}
}

static FILE *open_list(const char *name)
{
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", SYSCALL_LISTS, name);
	FILE *f = fopen(path, "r");
	if (!f) {
		fail_msg("%s: %s", path, strerror(errno));
	}
	return f;
}

/* The lists are Linux 7.2's; the kernel's own header is what this machine compiles with, and may be younger. */
static void headers_know_nothing_else(void **state)
{
	size_t count;
	struct named *all = all_calls(&count);

	for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
		FILE *f = open_list(lists[l]);
		char name[64];
		int nr, n = 0;
		while (fscanf(f, "%d %63s", &nr, name) == 2) {
			bool found = false;
			for (size_t i = 0; i < count; i++) {
				found = found || (!strcmp(all[i].name, name) && (all[i].nr == nr || strcmp(lists[l], OWN_LIST)));
			}
			if (!found) {
				fail_msg("%s: %s (%d) is in no table", lists[l], name, nr);
			}
			n++;
		}
		assert_in_range(n, 320, 600);
		fclose(f);
	}
	free(all);
}

static void own_header_is_known(void **state)
{
	static const struct named header[] = {
#include "own_syscalls.inc"
	};
	size_t count;
	struct named *all = all_calls(&count);

	assert_true(sizeof header / sizeof *header > 300);
	for (size_t h = 0; h < sizeof header / sizeof *header; h++) {
		bool found = false;
		for (size_t i = 0; i < count; i++) {
			found = found || (all[i].nr == header[h].nr && !strcmp(all[i].name, header[h].name));
		}
		if (!found) {
			fail_msg("asm/unistd.h knows %s (%d), the tables do not", header[h].name, header[h].nr);
		}
	}
	free(all);
}

/* Of whatever role and machine: a call that its rows do not decide altogether has a reason in the other table. */
static void what_is_allowed_has_a_reason(void **state)
{
	size_t count, rows;
	struct named *all = all_calls(&count);
	const struct filter_row *row = filter_table(&rows);

	for (size_t i = 0; i < count; i++) {
		const struct syscall_group *group = syscalls_group(all[i].nr);
		bool reason = group && group->class != SYSCALL_GONE, any = false;
		for (int kind = 0; kind < FILTER_KINDS; kind++) {
			bool decided = false, mentioned = false;
			for (size_t r = 0; r < rows; r++) {
				if (row[r].nr != all[i].nr) {
					continue;
				}
				mentioned = true;
				decided = decided || ((row[r].roles & 1 << kind) && row[r].need == FILTER_ALWAYS && !filter_row_conditional(&row[r]));
			}
			any = any || mentioned;
			if (!decided && !reason && !(group && !mentioned)) {
				fail_msg("%s: what filter_table.c does not decide for kind %d has no reason in syscalls.c", all[i].name, kind);
			}
		}
		if (group && group->class == SYSCALL_GONE) {
			assert_false(any);
		}
	}
	free(all);
}

/* ---- the page ---- */

static const char *of_roles(unsigned roles)
{
	static const char *const names[] = {"nobody", "the installer", "sandboxes in namespaces", "the installer, sandboxes in namespaces",
	                                    "sandboxes without namespaces", "the installer, sandboxes without namespaces", "sandboxes", "all"};
	return names[roles & 7];
}

static const char *of_need(enum filter_need need)
{
	switch (need) {
	case FILTER_ALWAYS:
		return "";
	case FILTER_UNSCOPED:
		return ", below Landlock ABI 6";
	case FILTER_AUDIT:
		return ", under `--audit`";
	case FILTER_UNIX:
		return ", with `pidfd_getfd`";
	}
	return "";
}

static void print_row(FILE *out, const struct filter_row *r)
{
	const char *some = filter_row_conditional(r) ? ", some arguments" : "";

	fprintf(out, "| `%s` | ", r->name);
	if (r->verdict == FILTER_ALLOW) {
		fprintf(out, "allowed%s", some);
	} else if (r->verdict == FILTER_ERRNO) {
		fprintf(out, "denied (%s)%s", strerrorname_np(r->error), some);
	} else if (r->handler == FILTER_REFUSED) {
		fprintf(out, "denied (%s), recorded as `%s`%s", strerrorname_np(r->error), r->rule, some);
	} else {
		fprintf(out, "notified%s", some);
	}
	fprintf(out, " | %s%s | %s |\n", of_roles(r->roles), of_need((enum filter_need)r->need), r->why);
}

static bool looks_same(const struct filter_row *a, const struct filter_row *b)
{
	return a->nr == b->nr && a->verdict == b->verdict && a->error == b->error && a->handler == b->handler && a->roles == b->roles &&
	       a->need == b->need && filter_row_conditional(a) == filter_row_conditional(b) && !strcmp(a->why, b->why);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void print_page(FILE *out)
{
	static const char *const classes[] = {[SYSCALL_HARMLESS] = "harmless", [SYSCALL_LANDLOCK] = "Landlock", [SYSCALL_GONE] = "denied (ENOSYS)"};
	size_t count, rows;
	struct named *all = all_calls(&count);
	const struct filter_row *row = filter_table(&rows);

	qsort(all, count, sizeof *all, by_name);
	fprintf(out, "# Every system call, and what becomes of it\n\n"
	             "Written by `test_syscalls --print` from `launcher/sandbox/filter_table.c` and `syscalls.c`, for x86_64; aarch64 has the same without the older calls.\n"
	             "%zu calls, through Linux 7.2. A number that is not here is ENOSYS. Read a call's lines from the top: the first that fits decides.\n\n"
	             "- **harmless**: whatever its arguments, nothing is reached that the sandbox does not have, or what is seen is said; **Landlock**: the ruleset decides\n"
	             "- **notified**: asked of the supervisor, which judges, does it itself where that is needed, and records\n"
	             "- **denied**: the error is the program's; *recorded as*: the supervisor writes it down under that rule first\n\n"
	             "| call | | for | why |\n|---|---|---|---|\n", count);
	for (size_t i = 0; i < count; i++) {
		const struct filter_row *before = NULL;
		for (size_t r = 0; r < rows; r++) {
			if (row[r].nr == all[i].nr && !(before && looks_same(before, &row[r]))) {
				print_row(out, &row[r]);
				before = &row[r];
			}
		}
		const struct syscall_group *group = syscalls_group(all[i].nr);
		if (group) {
			fprintf(out, "| `%s` | %s | %s | %s |\n", all[i].name, classes[group->class], before ? "what is left" : "all", group->why);
		}
	}
	free(all);
}

static void page_is_up_to_date(void **state)
{
#ifndef __x86_64__
	skip();
#endif
	char *made = NULL, *kept;
	size_t made_size = 0, len;
	FILE *out = open_memstream(&made, &made_size), *page = fopen(SYSCALL_PAGE, "r");

	assert_non_null(out);
	assert_non_null(page);
	print_page(out);
	fclose(out);
	kept = calloc(1, made_size + 2);
	assert_non_null(kept);
	len = fread(kept, 1, made_size + 1, page);
	fclose(page);
	if (len != made_size || memcmp(kept, made, len)) {
		fail_msg("docs/syscalls.md is not what the tables say: `test_syscalls --print > docs/syscalls.md` writes it anew");
	}
	free(kept);
	free(made);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_well_formed),
		cmocka_unit_test(headers_know_nothing_else),
		cmocka_unit_test(own_header_is_known),
		cmocka_unit_test(what_is_allowed_has_a_reason),
		cmocka_unit_test(page_is_up_to_date),
	};
	if (argc == 2 && !strcmp(argv[1], "--print")) {
		print_page(stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
