/* JSON with comments, read strictly, with positions.
 *
 * cJSON knows no positions and is lax (01, control characters in strings, anything after the value), so the text is scanned
 * first: comments become blanks of the same size, size, depth and number length are bounded, the grammar is that of RFC 8259.
 * The scan numbers the values in the order in which they begin; after cJSON has parsed the same bytes, the number is stored in
 * each item's valueint (free for all but numbers, and those are read through valuedouble). */
#ifndef POLICY_JSONTEXT_H
#define POLICY_JSONTEXT_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct json_text {
	const char *source; /* the caller's text, for columns: a comment may hold characters of several bytes */
	char *text;         /* comments blanked */
	size_t len;
	struct json_position {
		uint32_t key, value; /* offsets; key: of the member's name, or as value */
	} *positions;
	size_t count, cap;
	uint32_t *lines; /* offsets of their beginnings */
	size_t line_count;
	cJSON *root;
};

/* 0, or -1 with *err (file is origin).  json_text_finish in both cases; text has to live until then. */
int json_text_parse(struct json_text *t, const char *origin, const char *text, size_t len, struct policy_error *err);
void json_text_finish(struct json_text *t);

/* Line and column (in characters) of an item's name or value. */
void json_text_where(const struct json_text *t, const cJSON *item, bool key, unsigned *line, unsigned *column);

#endif
