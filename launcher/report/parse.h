/* One line of a journal, as JSON, into an event.  What is returned points into the tree. */
#ifndef REPORT_PARSE_H
#define REPORT_PARSE_H

#include "launcher/report/reader.h"

/* Is a line what a journal's lines are: no NUL, no more members and elements than one can have?  A node takes thirty times its text. */
bool parse_fits(const char *line, size_t len);
/* A member that is text; NULL: it is not there, or something else. */
const char *parse_text(const cJSON *object, const char *key);
/* A whole number from 1 to 2^53; anything else is none. */
bool parse_number(const cJSON *item, uint64_t *out);
/* A member that is a list of texts, at most max of them, NULL-terminated; empty when it is not there.  The caller frees the list.  NULL: no memory. */
const char **parse_words(const cJSON *object, const char *key, size_t max);
/* A time stamp of the record ("2026-11-30T12:36:04.244183817Z") in milliseconds since 1970; 0: it is none. */
int64_t parse_moment(const char *text);
/* *program: as of struct record.  False: it is no event.  The tree may get a member of its own. */
bool parse_event(cJSON *line, struct attempt *a, struct reader_program *program);

#endif
