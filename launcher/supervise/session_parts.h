/* The inside of a session, for session.c (who asks for one, and its answers), session_birth.c and session_life.c alone.
 *
 * A session belongs to its thread; before that runs, to who makes it.  Of the rest of the supervisor only the sandbox's handlers see a part of it: what
 * `sandbox` points to, from session_take_listener until listener_join.  A guest's signals are sent by the main thread: session_guest_signal. */
#ifndef SUPERVISE_SESSION_PARTS_H
#define SUPERVISE_SESSION_PARTS_H

#include <limits.h>

#include "alone.h"
#include "develop.h"
#include "domain.h"
#include "image.h"
#include "launcher/base/environment.h"
#include "launcher/sandbox/ruleset.h"
#include "launcher/sandbox/start.h"
#include "listener.h"
#include "own_sockets.h"
#include "passed.h"
#include "roles.h"
#include "served.h"
#include "stub.h"
#include "supervisor.h"
#include "sweep.h"

struct session {
	struct supervisor *sup;
	struct sandbox sandbox;
	struct images checked_in;
	struct sweep sweep;
	struct alone alone;
	struct domain domain;
	struct own_sockets own_sockets;
	struct stub stub;
	struct listener listener;
	struct birthright right;
	struct start request;
	struct word word;        /* pip's, on whose code it is */
	pid_t enter;             /* thread group of `enter`; 0: the guest */
	const struct vcs_requirement *tool; /* of the version control tool that asks, itself or by its ssh; NULL: pip does */
	enum role asker;         /* … ROLE_VCS or ROLE_CREDENTIAL */
	int enter_sock, init_sock, cwd_fd;
	struct passed passed;    /* what the request passed, then what the command gets */
	char home[PATH_MAX], tmp[PATH_MAX];
	struct ruleset ruleset;
	struct environment environment;
	struct served served;    /* of a build in a project's own folder */
	struct strings trusted;  /* sandbox.readable */
	struct strings places;   /* sandbox.places */
	char bus[PATH_MAX];      /* sandbox.bus; "": none */
	struct develop develop;  /* right.develop */
	struct init_message failed; /* before there was anything to watch; value 0: nothing has */
};

/* One message to `enter`, with descriptors, which stay the caller's; nothing where there is none. */
void session_answer(struct session *n, enum enter_kind kind, int value, const char *text, const int *fds, size_t nfds);
/* It could not be started, and that is said.  error: errno or 0. */
void session_refuse(struct session *n, int error, const char *what);

/* Closes init_sock: init ends, unless it has. */
void session_leave_init(struct session *n);

/* Has the zygote fork an init, for session_begin to find.  0 or -errno. */
int session_order_init(struct session *n);
/* Prepares all that the sandbox gets, and sends init what to start, unless the run is to end.  0, or -errno with *what naming what failed. */
int session_begin(struct session *n, const char **what);
/* Serves the listener that init sent, and lets the command go on to its exec.  0 or -errno; takes the descriptor. */
int session_take_listener(struct session *n, int fd);

/* The whole life of the sandbox: a wait status. */
int session_live(struct session *n);

#endif
