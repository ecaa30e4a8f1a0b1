/* Words that the report and the explanation share.  They append to the writer's line; what comes from a record is escaped. */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "launcher/record/finding.h"
#include "launcher/record/say.h"
#include "launcher/report/allow.h"
#include "launcher/report/reader.h"

/* As the shell takes it for one word. */
void words_shell(struct writer *w, const char *text);
/* A command line, cut where it is long. */
void words_command(struct writer *w, const char *const *words);
/* "no option does: WHY", or the option; each line begins with indent. */
void words_allow(struct writer *w, const struct allow *a, const char *indent);
/* What is wrong with the record, a line each; nothing when it is whole. */
void words_damage(struct writer *w, const struct record *r);
/* "3 ms", "2.1 s" */
void words_time(struct writer *w, int64_t milliseconds);
/* What a chain comes to, in a few words: "read secrets and tried to get something out". */
void words_chain(struct writer *w, const struct finding *f);
/* "tried to connect to"; what words_step says follows. */
void words_verb(struct writer *w, const struct event *ev, bool refused);
/* What a chain's step, or an attempt, was about, in few words: "all variables", "the variable X", "~/.ssh/id_ed25519". */
void words_step(struct writer *w, const struct attempt *a, const char *const *secrets);

#endif
