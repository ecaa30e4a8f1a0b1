/* A program that knows passwords, started by pip or by a version control tool: is it the user's own, and what is its own?
 *
 * It is one of those that were found before anything ran (installer.h, struct helper), as it was then.  In its sandbox it reads the system, its own installation
 * and its own places, reaches no network, and writes nothing but a private temp.  Any thread. */
#ifndef SUPERVISE_CREDENTIAL_H
#define SUPERVISE_CREDENTIAL_H

#include <sys/stat.h>

#include "launcher/base/environment.h"
#include "roles.h"

/* False: the request is for no such program, and *b is untouched.  Else a birthright of the role `credential`, or a refusal. */
bool credential_is(const struct supervisor *s, const struct start *request, struct birthright *b);

/* The program (path, and what stat says of it) that knows passwords, as a version control tool asks it; argv: as many as are known, NULL-terminated.  NULL: it is
 * none.  Pure. */
const struct helper *credential_helper(const struct installer *ins, const char *path, const struct stat *st, const char *const *argv);
/* A tool of that requirement's asks to have it started: a birthright of the role `credential`, or a refusal.  The request is hostile: a repository's server may have
 * taken the tool over. */
void credential_of_tool(const struct supervisor *s, const struct vcs_requirement *tool, const struct start *request, struct birthright *b);

/* What ssh is started with: the same, and a word of ours.  The strings are argv's, the vector is the caller's to free.  NULL: argv as it is (or no memory). */
char **credential_argv(const struct helper *h, char *const *argv);

/* Its places as the kernel names them, those that exist: its store, its agent's socket, and what the policy gives the role.  0 or -ENOMEM. */
int credential_places(const struct supervisor *s, const struct helper *h, struct strings *out);

/* What the launched pip was given, and of the request only what says how to answer: a PATH or PYTHONPATH that pip has changed for a build leads into what packages
 * have installed.  0 or -ENOMEM. */
int credential_environment(const struct supervisor *s, const struct start *request, struct environment *e);

#endif
