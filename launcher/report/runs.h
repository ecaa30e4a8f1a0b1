/* Which record: of the latest run, of an id or the beginning of one, or of a file. */
#ifndef REPORT_RUNS_H
#define REPORT_RUNS_H

#include <limits.h>
#include <stdio.h>

/* Opens the journal that `run` names (NULL or "latest": the latest below state_base).  A word with a slash, or one that a file has, is a path; of a folder its
 * events.jsonl.  path is filled in.  NULL with a sentence in why. */
FILE *runs_open(const char *run, const char *state_base, char path[PATH_MAX], char *why, size_t size);

#endif
