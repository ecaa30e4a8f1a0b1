/* One sandbox's thread:
 *
 *   request of `enter` (or the guest of `run`) ─ decide ─ folders, environment, ruleset, descriptors ─ zygote forks init
 *   init: listener ─▶ a listener thread; GO ─▶ init; RUNNING ─▶ enter
 *   then: signals of enter ─▶ init; init's STATUS ─ wait until nothing lives ─ look at what a hook returned ─ STATUS ─▶ enter
 *
 * When `enter` hangs up (pip is gone) the control socket is closed, and init ends the sandbox.  When init hangs up without a status it was killed. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bootstrap.h"
#include "credential.h"
#include "credential_told.h"
#include "findings.h"
#include "launcher/base/fd.h"
#include "launcher/base/thread.h"
#include "relays.h"
#include "seen_left.h"
#include "session_parts.h"
#include "target.h"
#include "unsourced.h"

#define LAST_MILLISECONDS 1000 /* for `enter` to end, when it has been told to */
#define REQUEST_SECONDS 20 /* how long `enter` may take to say what it wants */

/* --- answers to enter --------------------------------------------------------------------------- */

void session_answer(struct session *n, enum enter_kind kind, int value, const char *text, const int *fds, size_t nfds)
{
	struct enter_message m = {.kind = kind, .value = value, .copy_to = {-1, -1}};

	if (n->enter_sock < 0) {
		return;
	}
	for (size_t k = 0; kind == ENTER_RUN && k < nfds; k++) {
		m.copy_to[k] = n->passed.copied[k].to;
	}
	snprintf(m.text, sizeof m.text, "%s", text);
	fd_send(n->enter_sock, &m, sizeof m, fds, nfds);
}

void session_refuse(struct session *n, int error, const char *what)
{
	char text[280];

	snprintf(text, sizeof text, "%.80s: %.120s%s%.60s", n->request.path != NULL ? n->request.path : "program", what, error != 0 ? ": " : "",
	         error != 0 ? strerror(error) : "");
	session_answer(n, ENTER_REFUSED, error, text, NULL, 0);
	if (n->enter_sock < 0) { /* the guest: its status is ours */
		fprintf(stderr, "pipwarden: %s\n", text);
	}
}

/* --- sessions ----------------------------------------------------------------------------------- */

static struct session *session_new(struct supervisor *s, enum role role)
{
	struct session *n;

	if (atomic_fetch_add(&s->live, 1) >= SANDBOX_LIVE_MAX || (n = calloc(1, sizeof *n)) == NULL) {
		atomic_fetch_sub(&s->live, 1);
		return NULL;
	}
	n->sup = s;
	n->enter_sock = n->init_sock = n->cwd_fd = -1;
	passed_init(&n->passed);
	n->ruleset.fd = -1;
	own_sockets_init(&n->own_sockets);
	stub_init(&n->stub, &n->sandbox);
	domain_init(&n->domain, -1, true);
	n->sandbox = (struct sandbox){.checked_in = &n->checked_in, .sweep = &n->sweep, .own = &n->own_sockets, .sup = s, .role = role, .audit = s->run->audit,
	                              .listener = -1, .alone = &n->alone, .domain = &n->domain, .id = atomic_fetch_add(&s->sandboxes, 1) + 1};
	return n;
}

static void session_free(struct session *n)
{
	struct supervisor *s = n->sup;

	passed_close(&n->passed);
	close_fd(&n->enter_sock);
	close_fd(&n->init_sock);
	close_fd(&n->cwd_fd);
	domain_finish(&n->domain);
	alone_finish(&n->alone);
	ruleset_finish(&n->ruleset);
	environment_finish(&n->environment);
	served_finish(&n->served);
	strings_finish(&n->places);
	birthright_finish(&n->right);
	develop_finish(&n->develop);
	word_finish(&n->word);
	start_finish(&n->request);
	strings_finish(&n->trusted);
	images_finish(&n->checked_in);
	own_sockets_finish(&n->own_sockets);
	stub_finish(&n->stub);
	way_out_put(n->sandbox.way);
	if (n->tool != NULL) {
		atomic_fetch_sub(&s->asked, 1);
	}
	free(n);
	atomic_fetch_sub(&s->live, 1);
}

/* What `enter` asks for.  0 or -errno. */
static int receive_request(struct session *n, char cwd[PATH_MAX])
{
	struct timeval limit = {.tv_sec = REQUEST_SECONDS};
	int fds[FD_PASS_MAX + 2];
	size_t nfds = FD_PASS_MAX + 2;
	char byte, link[64];
	int error;

	setsockopt(n->enter_sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	error = fd_receive_whole(n->enter_sock, &byte, 1, 2, fds, &nfds);
	if (error < 0) {
		return error;
	}
	limit.tv_sec = 0;
	setsockopt(n->enter_sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	error = start_decode(fds[0], &n->request);
	close(fds[0]);
	n->cwd_fd = fds[1];
	n->passed.count = (uint32_t)nfds - 2;
	memcpy(n->passed.fds, fds + 2, n->passed.count * sizeof *fds);
	if (error == 0 && n->request.nfds != n->passed.count) {
		error = -EPROTO;
	}
	memcpy(n->passed.numbers, n->request.fd_number, sizeof n->passed.numbers);
	snprintf(link, sizeof link, "/proc/self/fd/%d", n->cwd_fd);
	ssize_t len = readlink(link, cwd, PATH_MAX - 1);
	cwd[len > 0 ? len : 0] = '\0';
	return error;
}

static void become_pip(struct session *n)
{
	struct start pip;
	struct bootstrap boot;
	struct strings above = {0};
	int error = word_below(&n->word, &above);
	error = error < 0 ? error : bootstrap_subpip(n->sup, &n->request, &above, &boot, &pip);
	cleanup_fd int spec = error < 0 ? error : start_encode(&pip);

	if (spec < 0) {
		session_refuse(n, -spec, "pip's own pip cannot be started");
	} else {
		supervisor_give_ticket(n->sup, n->enter, pip.path);
		session_answer(n, ENTER_SUBPIP, 0, "", &spec, 1);
	}
	bootstrap_finish(&boot);
	strings_finish(&above);
}

/* A pip that was started for build isolation asks in the name of packages' metadata. */
static bool is_of_launched_pip(const struct session *n)
{
	struct target_stat who;

	return target_stat(n->enter, &who) && who.parent == n->sup->command;
}

/* Everything else that pip starts.  Its wait status, or another where its result may not be seen. */
static int live(struct session *n)
{
	n->sandbox.requirement = n->right.requirement;
	if (n->right.not_in_place) {
		atomic_store(&n->sup->not_in_place, true);
	}
	struct timespec begun;
	clock_gettime(CLOCK_REALTIME_COARSE, &begun); /* the clock of file systems */
	int status = session_live(n);
	if (n->right.checkout_made) {
		rmdir(n->right.checkout); /* if it is empty: nothing was fetched, and pip looks whether it is there */
	}
	unsourced_tell(&n->sandbox, &n->right);
	bool left = seen_left(&n->sandbox, &n->right, &begun);
	if (!findings_output(&n->sandbox, &n->right) || left) {
		status = 1 << 8;
	}
	if (n->right.develop && status == 0 && !develop_carry(&n->develop, &n->sandbox, &n->right, n->enter_sock)) {
		status = 1 << 8;
	}
	return status;
}

/* For a version control tool: nothing of its own comes along but descriptors 0 to 2 and a question.  *status: what it gets where there is nothing to start. */
static void decide_for_tool(struct session *n, int *status)
{
	close_fd(&n->cwd_fd); /* it may be a repository, which git reads for its configuration */
	n->cwd_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	passed_standard(&n->passed);
	n->sandbox.role = ROLE_CREDENTIAL;
	n->sandbox.requirement = n->tool;
	if (n->request.path[0] == '\0') {
		*status = credential_prompt(&n->sandbox, &n->request, n->asker, &n->passed, n->enter_sock, &n->right) ? 0 : 1 << 8;
		return;
	}
	credential_of_tool(n->sup, n->tool, &n->request, &n->right);
	if (n->asker != ROLE_VCS) {
		birthright_refuse(&n->right, "exec.enter", EACCES, "ssh starts its own programs where it is");
	}
	if (n->right.become == BECOME_CREDENTIAL && credential_told(&n->sandbox, &n->request, &n->passed, n->enter_sock, &n->right) == TOLD_NOTHING) {
		*status = 0;
	}
}

static void decide(struct session *n, const char *cwd, int *status)
{
	if (n->tool != NULL) {
		decide_for_tool(n, status);
		return;
	}
	if (n->request.path[0] == '\0') {
		birthright_refuse(&n->right, "exec.enter", EACCES, "nothing is named that is to be started");
		return;
	}
	session_order_init(n); /* nearly every request gets one; session_begin asks again for what fails here */
	bool told = word_take(n->request.envp, &n->word);
	birthright_decide(n->sup, &n->request, cwd, is_of_launched_pip(n), told ? &n->word : NULL, &n->right);
	n->sandbox.role = n->right.role;
}

/* What `enter` found in the command's last output, which it copies before it reads the status and ends. */
static void hear_last(struct session *n)
{
	struct pollfd p = {.fd = n->enter_sock, .events = POLLIN};
	struct enter_message m;

	while (poll(&p, 1, LAST_MILLISECONDS) == 1 && fd_receive(n->enter_sock, &m, sizeof m, NULL, NULL) == sizeof m) {
		if (m.kind == ENTER_ESCAPE) {
			findings_escape(&n->sandbox, m.value);
		}
	}
}

static void *enter_thread(void *argument)
{
	struct session *n = argument;
	char cwd[PATH_MAX];
	int status = -1; /* not -1: nothing is to be started */

	prctl(PR_SET_NAME, "session");
	int error = receive_request(n, cwd);

	if (error < 0) {
		session_refuse(n, -error, "the request is not understood");
		session_free(n);
		return NULL;
	}
	decide(n, cwd, &status);
	if (n->right.become == BECOME_REFUSED) {
		if (n->right.rule != NULL) {
			findings_refusal(&n->sandbox, &n->right, n->request.path);
		}
		n->right.become = n->sandbox.audit ? n->right.wanted : BECOME_REFUSED;
	}
	if (n->right.become == BECOME_SUBPIP) {
		become_pip(n);
	} else if (n->right.become == BECOME_REFUSED) {
		session_refuse(n, 0, n->right.why);
	} else {
		session_answer(n, ENTER_STATUS, status >= 0 ? status : live(n), "", NULL, 0);
		hear_last(n);
	}
	session_free(n);
	return NULL;
}

/* A tool that was taken over could ask for as many as all others together may have. */
static bool may_ask(struct supervisor *s, const struct vcs_requirement *tool)
{
	if (tool == NULL || atomic_fetch_add(&s->asked, 1) < SANDBOX_ASKED_MAX) {
		return true;
	}
	atomic_fetch_sub(&s->asked, 1);
	return false;
}

struct reply session_enter(struct sandbox *sb, const struct seccomp_notif *req)
{
	const struct vcs_requirement *tool = sb->role != ROLE_INSTALLER ? sb->requirement : NULL;
	struct session *n = session_new(sb->sup, ROLE_BUILD);
	int pair[2];

	if (n == NULL) {
		return reply_error(EAGAIN);
	}
	if (!may_ask(sb->sup, tool)) {
		session_free(n);
		return reply_error(EAGAIN);
	}
	n->tool = tool;
	n->asker = sb->role;
	n->enter = target_tgid((pid_t)req->pid);
	if (n->enter <= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		session_free(n);
		return reply_error(EAGAIN);
	}
	n->enter_sock = pair[0];
	if (thread_start(NULL, 0, 0, enter_thread, n) < 0) {
		close(pair[1]);
		session_free(n);
		return reply_error(EAGAIN);
	}
	return reply_fd(pair[1], O_CLOEXEC);
}

/* --- the guest of `run` ------------------------------------------------------------------------- */

static struct session *guest; /* one a process; written before its thread exists, its init_sock under guest_lock: the main thread sends signals by it */
static pthread_mutex_t guest_lock = PTHREAD_MUTEX_INITIALIZER;

void session_leave_init(struct session *n)
{
	pthread_mutex_lock(&guest_lock);
	close_fd(&n->init_sock);
	pthread_mutex_unlock(&guest_lock);
}

static void *guest_thread(void *argument)
{
	struct session *n = argument;
	struct supervisor *s = n->sup;

	prctl(PR_SET_NAME, "session");
	int status = session_live(n);
	pthread_mutex_lock(&guest_lock);
	guest = NULL;
	pthread_mutex_unlock(&guest_lock);
	session_free(n);
	atomic_store(&s->guest_status, status);
	atomic_store(&s->guest_done, true);
	supervisor_wake(s);
	return NULL;
}

int session_guest_make(struct supervisor *s)
{
	const struct run *run = s->run;
	struct session *n = session_new(s, ROLE_GUEST);
	struct start start = {.path = (char *)run->guest_path, .argv = run->guest_argv, .envp = run->envp,
	                      .umask = run->umask, .blocked = run->blocked, .ignored = run->ignored};

	if (n == NULL) {
		return -ENOMEM;
	}
	/* A copy with one owner, like a request's. */
	cleanup_fd int spec = start_encode(&start);
	int error = spec < 0 ? spec : start_decode(spec, &n->request);
	n->cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (error == 0 && (n->cwd_fd < 0 || strings_add(&n->right.read, run->guest_path) < 0)) {
		error = -errno;
	}
	passed_own(&n->passed, n->sandbox.audit);
	if (error < 0 || (error = session_order_init(n)) < 0) {
		session_free(n);
		return error;
	}
	guest = n;
	return 0;
}

int session_guest_start(void)
{
	return thread_start(NULL, 0, 0, guest_thread, guest);
}

void session_guest_signal(struct supervisor *s, int signal)
{
	struct init_message m = {.kind = INIT_SIGNAL, .value = signal};

	(void)s;
	pthread_mutex_lock(&guest_lock);
	if (guest != NULL && guest->init_sock >= 0) {
		fd_send(guest->init_sock, &m, sizeof m, NULL, 0);
	}
	pthread_mutex_unlock(&guest_lock);
}
