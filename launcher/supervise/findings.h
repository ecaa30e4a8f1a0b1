/* What a session finds out about its sandbox and no handler sees, written down: what init and `enter` tell of, and what is looked at before and after.
 * By the session's thread. */
#ifndef SUPERVISE_FINDINGS_H
#define SUPERVISE_FINDINGS_H

#include "roles.h"

/* kind: an enum escape_kind, as `enter` sent it.  It went through, as it would have without us; `enter` tells of each kind once. */
void findings_escape(struct sandbox *sb, int kind);
/* l: an enum limit, as init sent it; count, of processes: how many there were. */
void findings_limit(struct sandbox *sb, int l, const char *count);
/* What the command has left running: the children of init, which took them over. */
void findings_left(struct sandbox *sb);

/* BECOME_REFUSED.  sb is never born; who it would have been is the birthright's word.  path: what was to be executed. */
void findings_refusal(const struct sandbox *sb, const struct birthright *right, const char *path);
/* birthright_check_output, once nothing of the sandbox lives.  False: the build is to fail. */
bool findings_output(struct sandbox *sb, const struct birthright *right);

#endif
