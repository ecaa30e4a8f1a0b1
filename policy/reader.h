/* What the parts of the reader share: one layer's text, and the shapes of its values.  Everything is checked where it stands, so that an
 * error can name its place.  int: 0, or -1 with *err filled in. */
#ifndef POLICY_READER_H
#define POLICY_READER_H

#include "policy/internal.h"
#include "policy/jsontext.h"

#define READER_MAX_MEMBERS 1024
#define READER_MAX_STRINGS (4 * READER_MAX_MEMBERS)

struct reader {
	struct policy *p;
	const char *origin;
	struct json_text text;
	struct policy_error *err;
};

/* Where the item's value, or its name (key), stands. */
struct place reader_place(const struct reader *r, const cJSON *item, bool key);
int reader_fail(struct reader *r, const cJSON *item, bool key, const char *format, ...) __attribute__((format(printf, 4, 5)));
const char *reader_keep(struct reader *r, const char *text); /* a copy that lives as long as the policy; NULL: no memory */
const cJSON *reader_member(const cJSON *item, const char *key);

/* An object, no key twice. */
int reader_want_members(struct reader *r, const cJSON *item, const char *what);
/* The same, of these keys alone (NULL-terminated). */
int reader_want_keys(struct reader *r, const cJSON *item, const char *what, const char *const *keys);
int reader_want_array(struct reader *r, const cJSON *item, const char *what);
int reader_want_string(struct reader *r, const cJSON *item, const char *what);

/* An optional string member; *out untouched without it. */
int reader_text(struct reader *r, const cJSON *item, const char *key, const char **out);
/* An optional list of strings, none twice; wrong (may be NULL) says in words what is wrong with one. */
int reader_list(struct reader *r, const cJSON *item, const char *key, const char *(*wrong)(const char *), struct strings *out);

/* read_rules.c */
/* A list of rules of the section. */
int reader_rules(struct reader *r, const cJSON *section, const char *key, enum rule_list list);
/* `rules`: what code raises itself.  Code knows its ids, so a layer other than the built-in one cannot invent one. */
int reader_code_rules(struct reader *r, const cJSON *section, bool builtin);
/* limits.c: `limits`. */
int reader_limits(struct reader *r, const cJSON *section);
/* stand_in.c: `network.stand-in`. */
int reader_stand_in(struct reader *r, const cJSON *section);
int reader_actions(struct reader *r, const cJSON *section);

#endif
