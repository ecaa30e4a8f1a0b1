/* What a VCS tool may read: what the user may, but of what a rule calls secret its own configuration alone.  Keys and stores of passwords are for those programs
 * that it asks for them (credential.h). */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "inject.h"
#include "pathtext.h"
#include "vcs.h"

static const char *const stores[VCS_COUNT][4] = {
	[VCS_GIT] = {".gitconfig", ".config/git", ".netrc"},
	[VCS_HG] = {".hgrc", ".config/hg", ".netrc"},
	[VCS_SVN] = {".subversion"},
	[VCS_BZR] = {".bazaar", ".config/breezy", ".netrc"},
};
static const char git_store[] = "/.config/git/credentials";

bool vcs_is_own_store(const struct sandbox *sb, const char *real)
{
	const char *home = sb->role == ROLE_VCS && sb->requirement != NULL ? supervisor_homes(sb->sup)[0] : NULL;
	char path[PATH_MAX], real_home[PATH_MAX];

	for (size_t i = 0; home != NULL && realpath(home, real_home) != NULL && i < 4 && stores[sb->requirement->tool][i] != NULL; i++) {
		int n = snprintf(path, sizeof path, "%s/%s", real_home, stores[sb->requirement->tool][i]);
		if (n > 0 && (size_t)n < sizeof path && pathtext_below(real, path)) {
			return strcmp(real + strlen(real_home), git_store) != 0;
		}
	}
	return false;
}

bool vcs_open(const struct sandbox *sb, const struct resolved *r, uint64_t flags, struct reply *reply)
{
	struct stat st;

	if (sb->role != ROLE_VCS || sb->requirement == NULL || (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != O_RDONLY || (flags & O_TMPFILE) == O_TMPFILE || r->missing || r->proc_foreign) {
		return false;
	}
	if (pathtext_below(r->real, "/proc") || pathtext_below(r->real, "/sys") || pathtext_below(r->real, "/dev") || fstat(r->fd, &st) < 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
		return false;
	}
	*reply = inject_open(r->fd, flags);
	return true;
}
