/* What a version control tool tells a helper that knows passwords: read before the helper is started, and only a question about a host that the tool may reach gets
 * that far.  A tool that a repository's server has taken over gets no other host's password so.  Blocks; the session's thread. */
#ifndef SUPERVISE_CREDENTIAL_TOLD_H
#define SUPERVISE_CREDENTIAL_TOLD_H

#include "launcher/sandbox/start.h"
#include "passed.h"
#include "roles.h"

enum credential_told {
	TOLD_GOOD,    /* to be started; its standard input is a copy of what was looked at */
	TOLD_NOTHING, /* `store`, `erase`: helpers write nothing, and the tool does not mind */
	TOLD_REFUSED, /* *b is a refusal, which is written down */
};

/* sb: the helper's sandbox, with the tool's requirement.  hung_up: a socket whose end says that nobody waits any more. */
enum credential_told credential_told(struct sandbox *sb, const struct start *request, struct passed *passed, int hung_up, struct birthright *b);

/* The tool, or its ssh, has nobody to ask but the user, at the terminal: git for the password of a host that it may reach, ssh for whatever it asks (a passphrase, a
 * password, whether a host's key is right).  asker: which of them.  The answer goes to its standard output, which
 * has to be a pipe.  False: there is none, or *b is a refusal. */
bool credential_prompt(struct sandbox *sb, const struct start *request, enum role asker, const struct passed *passed, int hung_up, struct birthright *b);

#endif
