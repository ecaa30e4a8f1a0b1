/* The supervisor of a run: owns the zygote, the sandboxes, the journal, and the end of it all.
 *
 * supervisor_main() is entered once, in a process of its own that the guardian forked, single-threaded; it starts the zygote and the
 * command, then threads, and returns the run's exit status (supervisor.c; watch.h while it runs).  handlers see it through supervise.h
 * (supervisor_handlers.c); what belongs to whom is in supervisor_owners.c. */
#ifndef SUPERVISE_SUPERVISOR_H
#define SUPERVISE_SUPERVISOR_H

#include <pthread.h>
#include <limits.h>
#include <stdatomic.h>

#include "launcher/base/rundir.h"
#include "launcher/installer/installer.h"
#include "launcher/names/names.h"
#include "launcher/names/nameservers.h"
#include "launcher/sandbox/ruleset.h"
#include "launcher/sandbox/zygote.h"
#include "policy/decoy.h"
#include "supervise.h"

/* What the supervisor tells the guardian, in memory that the two share.  SIGCHLD says: look; SIGCONT: go on. */
struct told {
	_Atomic int stopped;    /* the signal that stopped the command; 0: none, or the guardian has taken it */
	_Atomic bool following; /* the guardian looks whether to stop, or has stopped */
	_Atomic pid_t group;    /* the process group of a stopped guest; 0: not known */
	_Atomic bool interrupted; /* SIGINT ended the command, and its end is the run's */
};

/* What the launcher has found out before anything runs; all of it is the launcher's memory and outlives the run. */
struct run {
	const struct policy *policy;
	const struct caps *caps;
	struct journal *journal;
	const char *journal_path;
	struct rundir *dir;
	const struct installer *installer; /* NULL under `run` */
	const struct proxies *proxies;     /* what leads to the outside: pip's, under `run` the environment's */
	const struct python_env *env;      /* the environment that is installed into; of the guest's script; may be NULL */
	const char *const *homes;          /* homes[0]: the user's own */
	const char *libexec;               /* folder of enter, the shim, the bootstrap */
	uint8_t decoy_key[DECOY_KEY_LEN];
	struct env_set role_env;           /* of the installer or the guest, with decoys */
	char **envp;                       /* what the command gets: that, or under audit what pipwarden got */
	struct strings allow_pth;
	char **guest_argv;                 /* under `run` */
	const char *guest_path;            /* the file that is executed */
	char **process_argv, **process_envp; /* the process's own strings, for the zygote to wipe; of them a role gets what its options let pass */
	enum severity fail_on;             /* RUN_FAILS_NEVER: the status is the command's own */
	bool audit;                        /* nothing is enforced, everything is recorded */
	mode_t umask;
	uint64_t blocked, ignored;         /* signals, as pipwarden was started */
	struct told *told;
	bool quiet, colour;
	int verbosity;
	unsigned timeout;                  /* seconds; 0: none */
	int64_t started_ns;                /* CLOCK_REALTIME */
};

#define SANDBOX_LIVE_MAX 512
#define SANDBOX_ASKED_MAX 32 /* of them those that version control tools ask for passwords */

#define RUN_FAILS_NEVER ((enum severity)(SEV_CRITICAL + 1))

struct supervisor {
	const struct run *run;
	struct zygote zygote;
	struct names *names;
	struct stand_ins *stand_ins;
	struct nameservers servers; /* of each sandbox with namespaces */
	bool namespaces;           /* sandboxes get them; not under --audit */
	struct sandbox *installer; /* NULL under `run` */
	pid_t command;             /* pip; under `run` the guest's init */
	char *enter_path, *become_path, *shim_path, *boot_path;
	int wake;                  /* eventfd: the main thread shall look */
	_Atomic int abort_status;  /* 0: none */
	_Atomic(const char *) abort_why;
	bool sealed_by_time;       /* bootstrap.c's: before pip starts */
	_Atomic bool not_in_place; /* a wheel was built where pip would have run `setup.py install` or `setup.py develop` */
	_Atomic bool guest_done;
	_Atomic int guest_status;
	_Atomic uint64_t notifications; /* of sandboxes that have ended */
	_Atomic unsigned sandboxes, live, asked;
	pthread_mutex_t lock;      /* tickets, owners */
	struct ticket { pid_t tgid; char *path; } ticket[64];
	struct owner { char *directory, *package; } *owners; /* build directories and the package that each is for */
	size_t owner_count;
	struct checkout *checkouts; /* checkouts.h */
	size_t checkout_count;
	char **homes;              /* packages that have private folders already: <temp>/INDEXh and INDEXt */
	struct decoys **decoys;    /* of each of them */
	size_t home_count;
	struct strings readable;   /* rights.c's, under the lock until it is made */
	struct kept_rules common;  /* the same */
	struct seen *seen;         /* seen.h */
	struct env_set sandbox_env; /* what builds, or the guest, see of the command's environment: decoys in place of secrets */
	int names_fd;              /* sealed memfd of the names of its replaced variables, for PW_OP_NAMES; -1: none */
};

int supervisor_main(const struct run *run);

/* One exec of `path` by the thread group is allowed in the installer's listener. */
void supervisor_give_ticket(struct supervisor *s, pid_t tgid, const char *path);
bool supervisor_take_ticket(struct supervisor *s, pid_t tgid, const char *path);

/* The private home and temp folder of a package (its unpacked source's folder; "" for tools without one): made at its first sandbox, shared by all of its
 * sandboxes and nobody else's.  Making folders is dear: on ext4 dearer than all the rest of a start.  0 or -errno. */
int supervisor_private_folders(struct supervisor *s, const char *package, char home[PATH_MAX], char tmp[PATH_MAX], struct decoys **decoys);

/* Kills what has become the supervisor's child without being one of its parts: left over by an init or a pip that is dead. Any thread. */
void supervisor_end_orphans(struct supervisor *s);

/* Binds a build directory to a package.  False: it is, contains, or lies in one that is bound to another. */
bool supervisor_own_directory(struct supervisor *s, const char *directory, const char *package);

/* The main thread shall look: abort, or the guest's end. Any thread. */
void supervisor_wake(struct supervisor *s);

/* The command was stopped by a signal, and the guardian shall stop likewise; 0: it goes on.  group: its process group, 0 if that is not known.
 * One thread a run: the main thread for pip, the session of a guest. */
void supervisor_stopped(struct supervisor *s, int signal, pid_t group);

/* NULL-terminated: the directories of the Python environment that only the installer may write. */
const char *const *supervisor_environment(const struct supervisor *s);
/* NULL-terminated: every home directory, the user's own first. */
const char *const *supervisor_homes(const struct supervisor *s);
/* The run's private temp folder (real path). */
const char *supervisor_temp(const struct supervisor *s);
/* The text without the run's secrets, as the record writes it (journal_redact). */
size_t supervisor_redact(const struct supervisor *s, char *dst, size_t cap, const char *text);
/* The shim's file, which every program opens first. */
const char *supervisor_shim(const struct supervisor *s);
/* May the thread group be touched? False for the supervisor, guardian, zygote, pip. */
bool supervisor_is_own(const struct supervisor *s, pid_t pid);

#endif
