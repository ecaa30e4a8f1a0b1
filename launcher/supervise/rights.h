/* The Landlock ruleset of each kind of sandbox, and the environment that goes with it.  Called by sessions (any thread) and, for the installer, before there
 * are threads. */
#ifndef SUPERVISE_RIGHTS_H
#define SUPERVISE_RIGHTS_H

#include "launcher/base/environment.h"
#include "launcher/installer/installer.h"
#include "launcher/sandbox/ruleset.h"
#include "supervisor.h"

/* What one build or guest gets beyond what every one gets. */
struct own_rights {
	const char *home, *tmp;      /* private folders */
	const struct strings *write; /* build directories: granted without following a link; all below the run's temp */
	const struct strings *read;  /* pip's build environment, the guest's script, programs on the PATH (tools.h): read and executed */
	const struct helper *helper; /* a program that knows passwords: its installation is among `read`; NULL: none */
	const struct strings *places; /* of it: sandbox.places */
	const char *tree;            /* the project's folder, served: no grant may hold it; or NULL */
	const struct vcs_requirement *requirement; /* of a VCS tool and its ssh; else NULL */
	const char *terminal;        /* device of the guest's terminal, or NULL */
};

/* 0 or -errno with *what naming the object. */
int rights_installer(const struct supervisor *s, struct ruleset *r, const char **what);
int rights_sandbox(struct supervisor *s, enum role role, const struct own_rights *own, struct ruleset *r, const char **what);

/* Does a sandbox's ruleset let it read what the kernel calls `real`, by the lists that it was made of?  For the record: Landlock is the wall, and has the last word.
 * Of /proc, /dev and /sys it says yes.  Any thread. */
bool rights_may_read(const struct sandbox *sb, const char *real);

/* The environment of a VCS tool: the user's home, a private TMPDIR, PATH without folders that packages are installed into, and what keeps a repository from
 * running anything (vcs.h).  Of a build or guest: private HOME, XDG and TMPDIR, toolchains at their real places, PATH without folders it may not execute from,
 * the shim behind a preload of the user's own.  *e holds what env_for_role made. */
int rights_environment(const struct supervisor *s, enum role role, const struct own_rights *own, struct environment *e);

/* LD_PRELOAD: a preload of the user's own, then the shim: what the user's stands in front of is then what it would be without us. */
int rights_preload(const struct supervisor *s, struct environment *e);

#endif
