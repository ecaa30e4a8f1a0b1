/* pip's own word on whose code it is about to start: its bootstrap (pip_boot.py, class Word) puts it into the environment of what pip starts.  Nobody else can:
 * what asks for a start is pip, or a pip that it started.  Pure. */
#ifndef SUPERVISE_WORD_H
#define SUPERVISE_WORD_H

#include <stdbool.h>

#include "launcher/installer/installer.h"

#define FOR_VARIABLE "PIPWARDEN_FOR"
#define FOR_MAX 16 /* builds of build requirements of build requirements … */

struct word {
	char *name, *version; /* NULL: pip does not know */
	char *digest;         /* SHA-256 of the archive, 64 hex digits; NULL: there is none, or pip was not told */
	struct strings above; /* whose build requirement it is: "NAME VERSION" or "NAME", the nearest first */
};

/* Takes the variable out of envp, wherever it stands, and reads it; false: there is none, or it is no word of the bootstrap's; *out is then empty. */
bool word_take(char **envp, struct word *out);
/* `above` for what is required to build w. 0 or -ENOMEM. */
int word_below(const struct word *w, struct strings *above);
void word_finish(struct word *w);

#endif
