/* How version control tools call ssh, and nothing else: with the user's keys, and in the user's name, it can run any program on any host that it reaches.  Pure. */
#ifndef SUPERVISE_SSH_WORDS_H
#define SUPERVISE_SSH_WORDS_H

#include "launcher/installer/installer.h"

struct ssh_target {
	const char *host; /* in argv, without a user */
	unsigned port;    /* 0: none is given */
};

/* argv: of a hostile tool.  users: the words of the user's own commands for ssh, whose options may be given as well.  NULL: it fetches a repository by one of the
 * commands that this tool has for it, from *to; else why not (a static string). */
const char *ssh_words_refuse(enum vcs_tool tool, char *const *argv, const struct strings *users, struct ssh_target *to);

#endif
