/* A journal, read back.  Whoever wrote into a record may have been hostile, so may the file: everything is bounded and checked, what is not understood
 * is counted and left out.  Strings are as they were before they were written as JSON: whoever prints them escapes them again (record/text.h). */
#ifndef REPORT_READER_H
#define REPORT_READER_H

#include <stdbool.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "launcher/record/attempt.h"
#include "launcher/record/score.h"

#define READER_BYTES_MAX (256ull << 20) /* twice what one run writes */
#define READER_ATTEMPTS_MAX 12000       /* a run writes 10,064 at most */
#define READER_WORDS_MAX 4096

struct reader_program { /* the first word of what was to be started; NULL: not told */
	const char *argv[2];
};

struct record {
	/* run.start */
	const char *run, *version, *digest, *started; /* may be NULL, but for run */
	const char **command, **replaced, **removed; /* NULL-terminated; never NULL */
	bool audit, namespaces;
	/* what was attempted; in order of seq */
	struct attempt *attempts;
	struct reader_program *programs; /* beside them */
	size_t n;
	/* run.end */
	bool ended;
	const char *finished;
	int exit_status;
	enum score_verdict verdict;
	uint64_t unrecorded;
	/* what is wrong with it */
	uint64_t bad_lines, first_bad; /* numbers of lines in the file */
	uint64_t missing;              /* numbers that no line has */
	bool cut;                      /* the last line has no end */
	bool too_long;                 /* more than is read */

	uint64_t last_seq;
	cJSON **trees; /* they own the strings */
	size_t tree_count, tree_room, room;
};

/* Reads the last run that begins in the stream.  0, or -1 with *why in words (static): nothing of it can be told. */
int reader_read(struct record *r, FILE *in, const char **why);
void reader_finish(struct record *r);

/* The attempt of the line with that number, also of a line that only closes it; NULL: there is none. */
const struct attempt *reader_find(const struct record *r, uint64_t seq);
/* Is anything wrong with it, or its end missing? */
bool reader_damaged(const struct record *r);

#endif
