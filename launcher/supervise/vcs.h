/* Version control tools that pip starts for a requirement of the user's (role `vcs`).
 *
 * A tool gets the role when the pip that was launched starts it with the URL of a requirement that the user named, or in a folder that was checked out so.
 * Whatever else starts it gets a build's rights, and none to fetch anything.  It may write that one folder, reach that one host, and execute nothing that
 * could have been fetched. */
#ifndef SUPERVISE_VCS_H
#define SUPERVISE_VCS_H

#include "launcher/base/environment.h"
#include "roles.h"
#include "target.h"

/* of_pip: the launched pip itself starts it.  True: decided, BECOME_VCS or BECOME_REFUSED.  False: no such tool, or one that is a build. */
bool vcs_decide(struct supervisor *s, const struct start *request, const char *cwd, bool of_pip, struct birthright *out);

/* Is `real` configuration or a store of credentials of the sandbox's own tool?  ROLE_VCS only. */
bool vcs_is_own_store(const struct sandbox *sb, const char *real);
/* Serves a read of what the user may read, as for pip itself.  False: this is none. */
bool vcs_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply);

/* What the tool's environment has to say so that nothing of a repository runs.  0 or -ENOMEM. */
int vcs_overrides(const struct vcs_requirement *requirement, struct environment *e);

/* A checkout that was there before the run: does it make its tool start a program, or go elsewhere?  NULL: no; else what does, for people, which the caller
 * frees. */
char *vcs_distrust(enum vcs_tool tool, const char *folder);

#endif
