/* What happens while a session's sandbox lives: what init and `enter` tell, until nothing of it does. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decoys.h"
#include "findings.h"
#include "launcher/base/fd.h"
#include "relays.h"
#include "session_parts.h"

#define EMPTY_MILLISECONDS 10000 /* how long a sandbox may take to die after its init */

static void tell_running(struct session *n)
{
	int pipes[2] = {n->passed.copied[0].pipe, n->passed.copied[1].pipe};

	session_answer(n, ENTER_RUN, 0, "", pipes, (size_t)(pipes[0] >= 0) + (size_t)(pipes[1] >= 0));
	passed_close(&n->passed);
}

/* The process group of init's child, which is the guest, as it is numbered out here; 0: not known. */
static pid_t guest_group(const struct session *n)
{
	char path[64], text[32];
	ssize_t len;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)n->sandbox.init, (int)n->sandbox.init);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (len <= 0) {
		return 0;
	}
	text[len] = '\0';
	pid_t group = getpgid((pid_t)strtol(text, NULL, 10));
	return group > 0 ? group : 0;
}

/* What init, or the zygote for it, could not do is said: the wait status for that. */
static int failure(struct session *n, struct init_message *m)
{
	char text[160];

	m->text[sizeof m->text - 1] = '\0';
	if (strcmp(m->text, "exec") == 0) {
		session_refuse(n, m->value, "cannot be executed in the sandbox");
		return (m->value == ENOENT ? 127 : 126) << 8;
	}
	/* Of these `doctor` tells which are missing; a number that is used up nobody can tell beforehand. */
	bool used_up = strcmp(m->text, "namespaces") == 0 && m->value == ENOSPC;
	snprintf(text, sizeof text, "the sandbox could not be made (%.60s%s)", m->text, used_up ? ": user.max_net_namespaces and the like are reached" : "");
	session_refuse(n, m->value, text);
	return 125 << 8;
}

/* One message of init.  False: the sandbox is at its end, with *status when it is known (-1 otherwise). */
static bool hear_init(struct session *n, int *status)
{
	struct init_message m;
	int fds[OWN_NET_SOCKETS], error;
	size_t nfds = OWN_NET_SOCKETS;

	if (fd_receive(n->init_sock, &m, sizeof m, fds, &nfds) != sizeof m) {
		return false;
	}
	switch (m.kind) {
	case INIT_DOOR:
		way_out_door(n->sandbox.way, &m, nfds == 1 ? fds[0] : -1);
		return true;
	case INIT_NET:
		stub_take(&n->stub, fds, nfds);
		return true;
	case INIT_LISTENER:
		error = nfds == 1 ? session_take_listener(n, fds[0]) : -EPROTO;
		if (error < 0) { /* the command has not begun, and shall not */
			session_refuse(n, -error, "the sandbox could not be made (listener)");
			*status = 126 << 8;
		}
		return error == 0;
	case INIT_RUNNING:
		tell_running(n);
		return true;
	case INIT_FAILED:
		*status = failure(n, &m);
		return false;
	case INIT_STOPPED:
		if (n->enter == 0) { /* a build stops only with pip */
			supervisor_stopped(n->sup, m.value, guest_group(n));
		}
		return true;
	case INIT_LIMIT:
		m.text[sizeof m.text - 1] = '\0';
		findings_limit(&n->sandbox, m.value, m.text);
		return true;
	case INIT_LEFT:
		findings_left(&n->sandbox);
		fd_send(n->init_sock, &(struct init_message){.kind = INIT_GO}, sizeof m, NULL, 0);
		return true;
	case INIT_STATUS:
		*status = m.value;
		return false;
	default:
		return true;
	}
}

/* init has ended without telling how the command did. */
static int killed(const struct session *n)
{
	if (n->enter == 0 && atomic_load(&n->sup->abort_status) == 0) { /* pip says it of what it started */
		fputs("pipwarden: a part of pipwarden was killed: the command was ended\n", stderr);
	}
	return SIGKILL;
}

/* On a busy machine even `true` takes long: what has hardly opened anything is given more time. */
static bool time_for_decoys(struct session *n, int waited)
{
	if (waited < DECOYS_LATEST && atomic_load(&n->sandbox.notifications) < DECOYS_NOTIFICATIONS) {
		return false;
	}
	decoys_plant(n->sandbox.decoys, n->home, n->sup->run->decoy_key);
	return true;
}

/* Until the sandbox ends. Its main process's wait status, or that of a kill. */
static int watch(struct session *n)
{
	struct pollfd fds[2 + STUB_POLL] = {{.fd = n->init_sock, .events = POLLIN}, {.fd = n->enter_sock, .events = POLLIN}};
	int status = -1, ready, wait = n->sandbox.decoys != NULL ? DECOYS_MILLISECONDS : -1;

	for (;;) {
		int patience = wait;
		size_t asked = stub_poll(&n->stub, fds + 2, &patience);

		ready = poll(fds, 2 + asked, patience);
		if (ready < 0 || (ready == 0 && patience != wait)) {
			continue;
		}
		if (ready == 0) {
			wait = time_for_decoys(n, wait) ? -1 : 2 * wait;
			continue;
		}
		stub_serve(&n->stub, fds + 2, asked);
		if (fds[1].revents != 0) {
			struct enter_message m;
			if (fd_receive(n->enter_sock, &m, sizeof m, NULL, NULL) != sizeof m) {
				shutdown(n->init_sock, SHUT_WR); /* pip's child is gone: init ends the sandbox */
				fds[1].fd = -1;
			} else if (m.kind == ENTER_ESCAPE) {
				findings_escape(&n->sandbox, m.value);
			} else if (m.kind == ENTER_SIGNAL) {
				struct init_message pass = {.kind = INIT_SIGNAL, .value = m.value};
				fd_send(n->init_sock, &pass, sizeof pass, NULL, 0);
			}
		}
		if (fds[0].revents != 0 && !hear_init(n, &status)) {
			return status >= 0 ? status : killed(n);
		}
	}
}

/* Nothing of one package's build waits for the next. */
static void end_sandbox(struct session *n)
{
	if (n->sandbox.way != NULL) {
		way_out_close(n->sandbox.way);
	}
	stub_finish(&n->stub); /* what holds its network namespace, which is taken apart when the last goes: while that lasts the next one waits */
	session_leave_init(n);
	if (n->sandbox.listener < 0) {
		return;
	}
	if (!n->sup->namespaces) {
		supervisor_end_orphans(n->sup); /* where init was killed, what it held is ours now */
	}
	if (!listener_wait_empty(&n->listener, EMPTY_MILLISECONDS)) {
		supervisor_abort(n->sup, 125, "a sandbox could not be ended");
	}
	listener_join(&n->listener);
	if (n->sandbox.way != NULL) {
		way_out_end(n->sandbox.way);
	}
	atomic_fetch_add(&n->sup->notifications, atomic_load(&n->sandbox.notifications));
}

int session_live(struct session *n)
{
	const char *what;
	int error = session_begin(n, &what);

	if (error < 0) {
		session_leave_init(n);
		session_refuse(n, -error, what);
		return 126 << 8;
	}
	int status = n->failed.value != 0 ? failure(n, &n->failed) : watch(n);
	end_sandbox(n);
	return status;
}
