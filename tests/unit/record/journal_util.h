/* For the journal's tests: a folder, and the journal's lines read back and checked. */
#ifndef TESTS_JOURNAL_UTIL_H
#define TESTS_JOURNAL_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "launcher/record/journal.h"

#define LINES_MAX 12000

struct place {
	char folder[64], path[96];
};

static inline int place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	strcpy(p->folder, "/tmp/pw-test-journal-XXXXXX");
	if (p == NULL || mkdtemp(p->folder) == NULL) {
		return -1;
	}
	snprintf(p->path, sizeof(p->path), "%s/events.jsonl", p->folder);
	*state = p;
	return 0;
}

static inline int place_remove(void **state)
{
	struct place *p = *state;
	unlink(p->path);
	int r = rmdir(p->folder);
	free(p);
	return r;
}

static inline struct journal *open_at(const char *path, char *const *secrets)
{
	const char *const paths[] = {path, NULL}, *argv[] = {"pip", "install", "deepseekai", NULL};
	const char *const replaced[] = {"AWS_SECRET_ACCESS_KEY", "DATABASE_URL", NULL}, *removed[] = {NULL};
	struct journal_start start = {.run_id = "RUN", .argv = argv, .version = "0.1.0", .policy_digest = "abc",
	                              .layers_json = "{\"landlock\":\n4}", .replaced = replaced, .removed = removed,
	                              .replaced_for = "installer, build"};
	int error = 0;
	const char *where = NULL;
	struct journal *j = journal_open(paths, -1, &start, secrets, &error, &where);
	assert_non_null(j);
	return j;
}

/* All lines, each parsed whole; numbered from 1 without gaps.  The caller deletes them. */
static inline size_t read_lines(const char *path, cJSON **lines)
{
	char *text = NULL;
	size_t room = 0, n = 0;
	ssize_t len;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while ((len = getline(&text, &room, f)) > 0) {
		assert_true(n < LINES_MAX);
		assert_int_equal(text[len - 1], '\n');
		assert_int_equal(strlen(text), len);
		text[len - 1] = '\0';
		lines[n] = cJSON_ParseWithOpts(text, NULL, 1);
		assert_non_null(lines[n]);
		assert_int_equal(cJSON_GetObjectItemCaseSensitive(lines[n], "seq")->valueint, n + 1);
		n++;
	}
	free(text);
	fclose(f);
	return n;
}

static inline void free_lines(cJSON **lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cJSON_Delete(lines[i]);
	}
}

/* "target.host" of a line, as text; "" when it is not there. */
static inline const char *field(const cJSON *line, const char *name)
{
	char part[64];
	const char *dot;
	while (line != NULL && (dot = strchr(name, '.')) != NULL) {
		snprintf(part, sizeof(part), "%.*s", (int)(dot - name), name);
		line = cJSON_GetObjectItemCaseSensitive(line, part);
		name = dot + 1;
	}
	line = line != NULL ? cJSON_GetObjectItemCaseSensitive(line, name) : NULL;
	return cJSON_IsString(line) ? line->valuestring : "";
}

static inline double number(const cJSON *line, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, name);
	return cJSON_IsNumber(item) ? item->valuedouble : -1;
}

static inline struct event resolve_event(const char *host)
{
	return (struct event){
		.type = "net.resolve", .action = EV_ABORTED,
		.verdict = {.rule = "net.exfil.pipedream", .kind = "Pipedream HTTP endpoint", .severity = SEV_CRITICAL},
		.role = ROLE_BUILD, .package = {"deepseekai", "0.0.8", "metadata"}, .target = {.host = host},
		.process = {.pid = 42, .ppid = 41, .exe = "/usr/bin/python3", .cwd = "/tmp/x"},
	};
}

static inline struct event file_event(const char *path, enum severity severity)
{
	return (struct event){.type = "file.open", .action = EV_DENIED, .role = ROLE_BUILD,
	                      .verdict = {.rule = "file.ssh-key", .severity = severity}, .target = {.path = path}};
}

#endif
