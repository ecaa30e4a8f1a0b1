/* Asking the user at the terminal, in the place of a program that has none: what is typed goes to nobody else, and no sandbox gets a terminal for it.
 * Of a thread that has all signals blocked. */
#ifndef SUPERVISE_PROMPT_H
#define SUPERVISE_PROMPT_H

#include <stdbool.h>

#define PROMPT_MAX 1024

/* Has the run a terminal? */
bool prompt_possible(void);

/* Shows the question, without what could act on the terminal, and reads a line.  One at a time.  echo: what is typed is seen.  hung_up: a socket whose end says that
 * nobody waits any more.  False: no answer (no terminal, not in the foreground, end of file). */
bool prompt_ask(const char *question, bool echo, int hung_up, char answer[PROMPT_MAX]);

/* The run ends: a terminal whose user is being asked is as it was before. */
void prompt_end(void);

#endif
