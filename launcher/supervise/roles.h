/* What becomes of a program that pip starts: a pip of its own (build isolation), a version control tool, a helper that knows passwords, a build of some package, or a
 * refusal.
 * Decides from the request of `enter` and the files it names below the run's temp; acts on nothing.  Any thread. */
#ifndef SUPERVISE_ROLES_H
#define SUPERVISE_ROLES_H

#include "launcher/installer/installer.h"
#include "launcher/sandbox/start.h"
#include "supervisor.h"
#include "word.h"

enum become { BECOME_BUILD, BECOME_SUBPIP, BECOME_VCS, BECOME_CREDENTIAL, BECOME_REFUSED };

struct birthright {
	enum become become;
	enum role role;       /* of its sandbox */
	const struct helper *helper; /* ROLE_CREDENTIAL: which one */
	enum become wanted;   /* BECOME_REFUSED: what it would be but for the refusal */
	int error;            /* BECOME_REFUSED: errno */
	char why[200];        /* BECOME_REFUSED: for people */
	const char *rule;     /* BECOME_REFUSED: rule id of the event, or NULL */
	char *package, *version; /* NULL: unknown */
	char *digest, *above; /* as of an event's package */
	const char *stage;    /* static string; NULL: unknown */
	char *source;         /* the unpacked source's folder below the temp, or the project's: what names the package's build; NULL: none */
	char *tree;           /* a project that the user named: its folder, served to this build (served.h); NULL: none */
	struct strings write, read; /* own_rights */
	struct strings environments; /* of what may be read: pip's build environments, in which no package's code ever writes */
	char *control_dir;    /* PEP 517: where output.json will lie; NULL otherwise */
	char *hook;           /* PEP 517: the hook's name */
	bool not_in_place;    /* a wheel of what this pip would have installed by `setup.py install` or `setup.py develop` */
	char *wheel_dir, *metadata_dir; /* where the hook's result has to lie */
	bool develop, develop_user; /* `setup.py develop` of the project in `tree`, for the environment or the user's own folder */
	const struct vcs_requirement *requirement; /* BECOME_VCS, and the ssh of such a tool: what the tool was started for */
	char *checkout;       /* BECOME_VCS: the folder that it may write; in `write`, too */
	bool checkout_made;   /* … and that was made for it just now */
	struct strings results; /* setup.py: folders from which pip takes the result */
};

/* cwd: the requester's directory as the kernel names it (readlink).  of_pip: the launched pip itself asks, not one that it started.  word: whose code pip says
 * it is; NULL: it has not said. */
void birthright_decide(struct supervisor *s, const struct start *request, const char *cwd, bool of_pip, const struct word *word, struct birthright *out);
/* For events; points into b. */
struct event_package birthright_package(const struct birthright *b);
/* For what decides: no, by a rule, with an errno and a reason for people. */
void birthright_refuse(struct birthright *b, const char *rule, int error, const char *format, ...) __attribute__((format(printf, 4, 5)));
void birthright_finish(struct birthright *b);

/* After the build has ended and nothing of its sandbox lives: may pip see what it left?  Of a PEP 517 hook the names of wheels and metadata must be one plain
 * component that names a regular file, or a folder without links, and output.json is written anew as it was read here (pip's JSON reader and ours may
 * differ); of setup.py the result folders must hold plain files.  True; or false with *why (static string). */
bool birthright_check_output(const struct birthright *b, const char **why);

#endif
