#include "listener.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "launcher/base/thread.h"
#include "launcher/sandbox/compat.h"
#include "launcher/sandbox/filter_table.h"

static struct seccomp_notif_sizes sizes;

/* Breaks a blocked receive on kernels where a listener without users does not (before 6.11). */
#define SIGNAL_BREAK SIGURG

static void nothing(int signal)
{
	(void)signal;
}

int listener_setup(void)
{
	struct sigaction sa = {.sa_handler = nothing}; /* no SA_RESTART */

	if (sigaction(SIGNAL_BREAK, &sa, NULL) < 0 || syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0) {
		return -errno;
	}
	if (sizes.seccomp_notif < sizeof(struct seccomp_notif)) {
		sizes.seccomp_notif = sizeof(struct seccomp_notif);
	}
	return 0;
}

static int send_response(struct sandbox *sb, struct seccomp_notif_resp *resp)
{
	int r;

	do {
		r = ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_SEND, resp);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0; /* ENOENT: the caller is gone, which is nobody's error */
}

/* Puts our descriptor into the caller and lets the call return its number, in one step. */
static int send_fd(struct sandbox *sb, uint64_t id, struct reply r)
{
	struct seccomp_notif_addfd addfd = {
		.id = id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)r.value, .newfd_flags = r.fd_flags,
	};
	int done;

	do {
		done = ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);
	} while (done < 0 && errno == EINTR);
	int error = done < 0 ? errno : 0;
	close((int)r.value);
	return -error;
}

void reply_send(struct sandbox *sb, uint64_t id, struct reply r)
{
	struct seccomp_notif_resp resp = {.id = id};

	switch (r.kind) {
	case REPLY_LATER:
		return;
	case REPLY_FD: {
		int error = send_fd(sb, id, r);
		if (error == 0 || error == -ENOENT) {
			return;
		}
		resp.error = error; /* EMFILE: a denial, never a CONTINUE */
		break;
	}
	case REPLY_ERROR:
		resp.error = -(int)r.value;
		break;
	case REPLY_VALUE:
		resp.val = r.value;
		break;
	case REPLY_CONTINUE:
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		break;
	}
	int sent = send_response(sb, &resp);
	if (sent < 0 && sent != -ENOENT) { /* it would wait for ever */
		supervisor_abort(sb->sup, 125, "a question of a sandbox could not be answered: the run was ended");
	}
}

/* Where each notified call is decided; which call goes where says launcher/sandbox/filter_table.c. */
static handler_func *handler_of(enum filter_handler handler)
{
	static handler_func *const handlers[] = {
		[FILTER_NOBODY] = handle_refused, [FILTER_EXEC] = handle_exec, [FILTER_OPEN] = handle_open, [FILTER_META] = handle_meta,
		[FILTER_TREE] = handle_tree, [FILTER_SOCKET] = handle_socket, [FILTER_CONNECT] = handle_connect, [FILTER_BIND] = handle_bind,
		[FILTER_SEND] = handle_send,
		[FILTER_SIGNAL] = handle_signal, [FILTER_EVENT] = handle_event, [FILTER_CLONE] = handle_clone, [FILTER_REFUSED] = handle_refused,
	};
	return handlers[handler];
}

/* CONTINUE: --audit enforces nothing, so there is nothing that a changed argument could get around.  What a handler did itself stays done; the event call's
 * errors are answers; a handler insists on what pipwarden needs to live and to see. */
static struct reply judged(const struct sandbox *sb, enum filter_handler handler, struct reply r)
{
	return sb->audit && r.kind == REPLY_ERROR && !r.enforced && handler != FILTER_EVENT ? reply_continue("audit") : r;
}

static struct reply answer(struct sandbox *sb, const struct seccomp_notif *req)
{
	enum filter_handler handler = filter_route(&req->data);

	return judged(sb, handler, handler_of(handler)(sb, req));
}

static void *serve(void *argument)
{
	struct listener *l = argument;
	struct sandbox *sb = l->sandbox;
	struct seccomp_notif *req = l->request;
	uint64_t served = 0;

	prctl(PR_SET_NAME, "listener");
	while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
		memset(req, 0, sizes.seccomp_notif);
		if (ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_RECV, req) < 0) {
			if (errno == ENOENT) {
				/* A caller interrupted between wake-up and copy, or (6.11 and later) no user is left: the hang-up tells which. */
				struct pollfd p = {.fd = sb->listener, .events = POLLIN};
				if (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0) {
					break;
				}
				continue;
			}
			if (errno == EINTR) {
				continue;
			}
			/* Whoever asks from now on would wait for ever. */
			supervisor_abort(sb->sup, 125, "questions of a sandbox could not be received: the run was ended");
			break;
		}
		atomic_store_explicit(&sb->notifications, ++served, memory_order_relaxed);
		reply_send(sb, req->id, answer(sb, req));
	}
	atomic_store(&l->ended, true);
	return NULL;
}

int listener_start(struct listener *l, struct sandbox *sb)
{
	const struct caps *caps = supervisor_caps(sb->sup);
	int r;

	l->sandbox = sb;
	l->request = malloc(sizes.seccomp_notif); /* here, where a lack of memory can still be told */
	if (l->request == NULL) {
		return -ENOMEM;
	}
	atomic_store(&l->stop, false);
	atomic_store(&l->ended, false);
	if (caps->sync_wakeup) {
		/* The flags go by value. */
		ioctl(sb->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	}
	r = thread_start(&l->thread, 0, SIGNAL_BREAK, serve, l);
	if (r != 0) {
		free(l->request);
	}
	return r;
}

bool listener_wait_empty(struct listener *l, int milliseconds)
{
	struct pollfd p = {.fd = l->sandbox->listener, .events = 0};

	/* Only the hang-up is waited for (it is always reported). */
	for (int waited = 0; waited <= milliseconds;) {
		int step = milliseconds - waited < 50 ? milliseconds - waited : 50;
		if (poll(&p, 1, step) == 1 && (p.revents & (POLLHUP | POLLNVAL)) != 0) {
			return true;
		}
		waited += step > 0 ? step : 1;
	}
	return false;
}

void listener_join(struct listener *l)
{
	atomic_store(&l->stop, true);
	/* The signal may come before the thread blocks: again until it has ended. */
	while (!atomic_load(&l->ended)) {
		pthread_kill(l->thread, SIGNAL_BREAK);
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	pthread_join(l->thread, NULL);
	free(l->request);
	close(l->sandbox->listener);
	l->sandbox->listener = -1;
}
