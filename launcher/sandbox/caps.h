/* What this machine can enforce, found by trying, once per run, in throw-away children (never by version numbers alone).
 * caps_probe is called by the launcher before it has threads; the result is read-only afterwards.
 *
 * Test switch: a mechanism can be hidden by PIPWARDEN_TEST_HIDE=namespaces,pidfd_getfd,sync_wakeup,wait_killable,
 * landlock=N (pretend ABI N),process_vm,scopes.  It is honoured only by a binary built with -Dtest_switches=true, can only take away,
 * and is reported in run.start and by doctor. */
#ifndef SANDBOX_CAPS_H
#define SANDBOX_CAPS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct caps {
	int landlock_abi;      /* 0: none */
	bool listener;         /* seccomp user notification with ADDFD_SEND (5.14) */
	bool listener_busy;    /* EBUSY: somebody above holds a listener */
	bool no_pidfd;         /* pidfd_open is missing or refused (5.3): nothing else was tried then */
	bool nested;           /* a pipwarden above answers PW_OP_NESTED */
	bool nested_audit;     /* and enforces nothing */
	bool wait_killable;    /* 5.19 */
	bool sync_wakeup;      /* 6.6 */
	bool pidfd_getfd;      /* of a child, here (EPERM in plain Docker) */
	bool pidfd_thread;     /* PIDFD_THREAD, 6.9 */
	bool process_vm;       /* process_vm_readv of a child; else /proc/PID/mem */
	bool namespaces;       /* network, PID, IPC, mount with a fresh /proc and /dev/shm */
	bool user_namespace;   /* … by means of a user namespace (an ordinary user, or root without CAP_SYS_ADMIN) */
	const char *namespaces_why; /* why not, "" otherwise */
	char hidden[128];      /* what the test switch hides, "" otherwise */
};

void caps_probe(struct caps *c);

/* The same in two steps: a child tries while the caller does other things.  whole: as `doctor` asks; else no network namespace is made, which takes as long as
 * all the rest, but only what can be told without one (privilege_network_likely). */
struct caps_probe {
	struct board *board;
	pid_t pid;
};
void caps_probe_start(struct caps_probe *p, struct caps *c, bool whole);
void caps_probe_finish(struct caps_probe *p, struct caps *c);
/* Reaps that child, which is about to end: before an exec, which would leave it to a stranger.  Otherwise whoever reaps all children does. */
void caps_probe_end(struct caps_probe *p);

/* The least that pipwarden needs: listener and Landlock ABI 1.  NULL, or one line that says what is missing and what to do. */
const char *caps_missing(const struct caps *c);

/* The ladder as `pipwarden doctor` prints it; json: one JSON object. Returns false when something that is required is missing. */
bool caps_print(const struct caps *c, FILE *out, bool json);
/* The same JSON object in one string, for run.start; the caller frees. */
char *caps_json(const struct caps *c);

#endif
