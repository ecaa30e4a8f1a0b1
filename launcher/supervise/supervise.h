/* What the supervisor knows while the command runs, and how a notified call is answered.
 *
 * Threads: one per listener (supervise/listener.c) calls the handlers below; workers (supervise/worker.h) do what may block.  The supervisor never
 * dies of what a target does: handlers return a struct reply, and every notification is answered.
 *
 * Where is a system call decided?  launcher/sandbox/filter_table.c says which are notified and names the file here:
 *   execve execveat            exec.c       open family                files.c      chmod chown utime xattr …   meta.c
 *   clone                      alone.c
 *   socket bind send*          sockets.c    rename link unlink … trunc tree.c       kill family                 signals.c
 *   the event call (prctl)     events.c     everything else notified   refused.c
 */
#ifndef SUPERVISE_SUPERVISE_H
#define SUPERVISE_SUPERVISE_H

#include <errno.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "launcher/record/event.h"
#include "launcher/record/journal.h"
#include "launcher/sandbox/caps.h"
#include "policy/policy.h"

struct supervisor; /* supervisor.h */
struct decoys;     /* decoys.h */
struct seen;       /* seen.h */
struct served;     /* served.h */
struct alone;      /* alone.h */
struct domain;     /* domain.h */
struct vcs_requirement; /* installer.h */

/* A sandbox: a kernel object (its listener), hence role, package and stage.  Created by session.c, read-only for the handlers but for the atomics. */
struct sandbox {
	struct supervisor *sup;
	unsigned id;      /* 0: the installer or nothing; 1… in order of birth */
	enum role role;
	int listener;     /* close-on-exec */
	pid_t init;       /* in the supervisor's PID namespace; of the installer: pip itself */
	bool namespaces;  /* network, PID, IPC and mount namespaces of its own; under audit what it would have */
	bool audit;       /* --audit: handlers judge and record as always, what they refuse goes on (listener.c) */
	ino_t pid_ns;     /* inode of its PID namespace, where it has one */
	const struct event_package *package; /* whose code it was started for (packages.h); NULL: nobody's */
	const char *home, *tmp; /* private */
	char *const *writable;  /* real paths of its writable grants, NULL-terminated */
	char *const *readable;  /* real paths of directories below which a build may write nothing and nobody but root or the user's own tools
	                           could have planted a link: the text of a path decides (trusted.c) */
	char *const *read;      /* its own grants of reading beyond what every sandbox has, as they were named, NULL-terminated */
	char *const *places;    /* of a helper that knows passwords: real paths of its store and its agent, NULL-terminated; NULL: none */
	const char *bus;        /* of such a helper: the session's message bus, where its key store listens (bus.h); real path; NULL: none */
	struct decoys *decoys;  /* of its home; NULL: none */
	const struct vcs_requirement *requirement; /* of a VCS tool, and of the ssh that it has started: what it was started for; NULL: none */
	_Atomic unsigned reads_recorded; /* files.c */
	_Atomic unsigned names_refused;  /* question.c */
	_Atomic uint64_t handed[2];      /* events.c: bytes that it handed over to be looked at, of requests and of code */
	_Atomic unsigned told[2];        /* events.c: of what Python's hook tells by itself, in the same way */
	_Atomic bool unread[2];          /* events.c: it is written down that it handed over more than is looked at */
	struct way_out *way;    /* relays.h: to the hosts that the policy gives its role; NULL: there is none */
	struct own_sockets *own; /* own_sockets.h: of a build or guest without namespaces; NULL: none */
	struct sweep *sweep;    /* sweep.h: the machines that were tried; NULL: not kept */
	struct images *checked_in; /* image.h: process images that have the shim; NULL: not kept */
	uint64_t intents;            /* of a shade (shade.h), which has no checked_in: where its caller's are; 0: not known */
	const struct served *served; /* served.h: the project's folder that it works in; NULL: none */
	struct alone *alone;   /* alone.h; of the listener's thread; NULL: nobody is taken to be alone */
	struct domain *domain; /* domain.h; NULL: there is none, and what needs it is refused */
	_Atomic uint64_t notifications;
};

/* How a notification is answered. */
enum reply_kind {
	REPLY_ERROR,    /* the call fails with -value */
	REPLY_VALUE,    /* the call returns value */
	REPLY_FD,       /* value is a descriptor of ours: it is put into the caller (ADDFD_SEND) with fd_flags, returned, and closed here */
	REPLY_CONTINUE, /* the kernel goes on: the handler says beside it which layer makes a changed argument harmless */
	REPLY_LATER,    /* a worker answers by reply_send */
};
struct reply {
	enum reply_kind kind;
	int64_t value;  /* errno as a positive number for REPLY_ERROR */
	uint32_t fd_flags; /* O_CLOEXEC or 0 */
	const char *why;   /* REPLY_CONTINUE: its entry in docs/continue.md */
	bool enforced;  /* REPLY_ERROR: under --audit, too: pipwarden itself would suffer */
};
static inline struct reply reply_error(int error) { return (struct reply){.kind = REPLY_ERROR, .value = error}; }
static inline struct reply reply_enforced(int error) { return (struct reply){.kind = REPLY_ERROR, .value = error, .enforced = true}; }
static inline struct reply reply_value(int64_t value) { return (struct reply){.kind = REPLY_VALUE, .value = value}; }
/* Of a call that the supervisor has just made in the caller's place: 0, or errno. */
static inline struct reply reply_result(long returned) { return returned < 0 ? reply_error(errno) : reply_value(0); }
static inline struct reply reply_fd(int fd, uint32_t fd_flags) { return (struct reply){.kind = REPLY_FD, .value = fd, .fd_flags = fd_flags}; }
/* Every place that says it has an entry of its own in docs/continue.md (tests/e2e/test_continue.py). */
static inline struct reply reply_continue(const char *why) { return (struct reply){.kind = REPLY_CONTINUE, .why = why}; }
static inline struct reply reply_later(void) { return (struct reply){.kind = REPLY_LATER}; }

/* Answers; a vanished caller is not an error.  Any thread.  An injection that fails becomes an error reply (EMFILE), never a CONTINUE. */
void reply_send(struct sandbox *sb, uint64_t id, struct reply r);

typedef struct reply handler_func(struct sandbox *sb, const struct seccomp_notif *req);
handler_func handle_exec, handle_open, handle_meta, handle_tree, handle_socket, handle_connect, handle_bind, handle_send, handle_signal, handle_event,
	handle_clone, handle_refused;


/* The parts of struct supervisor that handlers may use. */
const struct policy *supervisor_policy(const struct supervisor *s);
const struct caps *supervisor_caps(const struct supervisor *s);
const uint8_t *supervisor_decoy_key(const struct supervisor *s);
/* Has a host been configured for the installer (index, proxy, find-links …), named by a VCS tool's requirement, or allowed for the role by policy and options?
 * port 0: any port will do. */
bool supervisor_host_allowed(const struct sandbox *sb, const char *host, unsigned port);
/* Is it the host of the requirement that this VCS tool was started for?  The user named it, so it may lie in a private network. */
bool supervisor_host_required(const struct sandbox *sb, const char *host, unsigned port);
/* Does whatever is spoken there go through, without a server's name? */
bool supervisor_host_opaque(const struct sandbox *sb, const char *host, unsigned port);
/* Does the role have any host? */
bool supervisor_has_hosts(const struct sandbox *sb);
/* May pip ask a proxy for it?  The same for the installer, but that a proxy is not allowed for being one. */
bool supervisor_host_indexed(struct supervisor *s, const char *host, unsigned port);
struct proxies; /* installer.h */
/* The proxies of the run's configuration; never NULL. */
const struct proxies *supervisor_proxies(const struct supervisor *s);

/* Records one event of a sandbox and carries out its action.  Fills in role, package and (pid != 0) the process; the caller has set type, verdict,
 * source, target, detail and action (EV_DENIED for a refusal; becomes EV_ABORTED when the verdict's action is ACTION_ABORT and the run ends; under
 * --audit EV_OBSERVED, with what it would be, unless `enforced` is set).
 * Journal failure or its bound ends the run.  Any thread. */
void supervisor_record(struct sandbox *sb, pid_t pid, struct event *ev);

/* Ends the run: kills every sandbox and pip; status 125 (our failure) or 100 (a violation). `why` (static string) goes to standard error at the end. Any thread. */
void supervisor_abort(struct supervisor *s, int status, const char *why);

#endif
