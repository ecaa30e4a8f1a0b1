/* `setup.py develop`: how pip makes an editable install where there is no back end for it.  It writes the environment itself: a link to the project, a line
 * that puts the project on sys.path, and scripts.  Here it writes them into a private folder; when it has ended and nothing of its sandbox lives they are
 * looked at, and `enter`, pip's own child with pip's rights, puts them into the environment: only what is the project's own, and nothing of pip's. */
#ifndef SUPERVISE_DEVELOP_H
#define SUPERVISE_DEVELOP_H

#include <limits.h>

#include "launcher/base/environment.h"
#include "launcher/installer/installer.h"

/* Is this pip's call of `setup.py develop` for the environment or (*user) for the user's own folder?  Not with a --prefix, --install-dir or option of the user's. */
bool develop_is(char *const *argv, bool *user);

struct develop {
	char packages[PATH_MAX], scripts[PATH_MAX]; /* private: what stands for site-packages and bin */
	struct strings argv;                        /* what is started in place of the request's */
};

/* Makes the private folders below tmp, and the arguments and PYTHONPATH (setuptools wants the folder to be on sys.path) that lead there.  0 or -errno. */
int develop_prepare(struct develop *d, char *const *argv, const char *tmp, struct environment *e);
void develop_finish(struct develop *d);

enum { DEVELOP_FILES_MAX = 512, DEVELOP_FILE_MAX = 1 << 20 };

/* A file that is to be put into the environment. */
struct develop_file {
	char *name;
	bool script;
	char *content;
	size_t len;
};
struct develop_files {
	struct develop_file v[DEVELOP_FILES_MAX];
	size_t n;
};

/* What the build left, read once and judged.  tree: the project's folder; packages and scripts: descriptors of the environment's own folders, where files of the
 * same name may lie.  True; or false with *why (static string) and *name (of *out, or NULL). */
bool develop_collect(const struct develop *d, const char *tree, int packages, int scripts, struct develop_files *out, const char **why, const char **name);
void develop_files_finish(struct develop_files *f);

struct sandbox;    /* supervise.h */
struct birthright; /* roles.h */

/* Once nothing of the sandbox lives: what it left is collected, and `enter` has it written into the environment, over its socket.  False: nothing of it may go
 * there, or not all of it could, and that is recorded; the build is to fail.  By the session's thread. */
bool develop_carry(const struct develop *d, struct sandbox *sb, const struct birthright *right, int enter_sock);

#endif
