/* How pip is started so that nothing of the environment runs inside it: interpreter, -S, pipwarden's bootstrap, one JSON argument, pip's own arguments.
 * For the launched pip and for each pip that it starts for build isolation. */
#ifndef SUPERVISE_BOOTSTRAP_H
#define SUPERVISE_BOOTSTRAP_H

#include "launcher/base/environment.h"
#include "launcher/installer/installer.h"
#include "launcher/sandbox/start.h"
#include "supervisor.h"

struct bootstrap { /* owns what the start points to */
	char *spec;
	struct strings argv;
	struct environment environment;
};

/* The launched pip. 0 or -ENOMEM; out borrows from b. */
int bootstrap_pip(struct supervisor *s, struct bootstrap *b, struct start *out);
/* A pip that pip starts: `request` is what pip wanted to execute (its interpreter, its runner, arguments, environment). */
int bootstrap_subpip(const struct supervisor *s, const struct start *request, const struct strings *above, struct bootstrap *b, struct start *out);
void bootstrap_finish(struct bootstrap *b);

#endif
