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
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alone.h"
#include "bootstrap.h"
#include "decoys.h"
#include "develop.h"
#include "domain.h"
#include "findings.h"
#include "rights.h"
#include "launcher/base/fd.h"
#include "launcher/sandbox/init.h"
#include "image.h"
#include "listener.h"
#include "own_sockets.h"
#include "passed.h"
#include "programs.h"
#include "roles.h"
#include "served.h"
#include "supervisor.h"
#include "sweep.h"
#include "target.h"
#include "tools.h"

#define REQUEST_SECONDS 20 /* how long `enter` may take to say what it wants */
#define EMPTY_MILLISECONDS 10000 /* how long a sandbox may take to die after its init */

struct session {
	struct supervisor *sup;
	struct sandbox sandbox;
	struct images checked_in;
	struct sweep sweep;
	struct alone alone;
	struct domain domain;
	struct own_sockets own_sockets;
	struct listener listener;
	struct birthright right;
	struct start request;
	pid_t enter;             /* thread group of `enter`; 0: the guest */
	int enter_sock, init_sock, cwd_fd;
	struct passed passed;    /* what the request passed, then what the command gets */
	char home[PATH_MAX], tmp[PATH_MAX];
	struct ruleset ruleset;
	struct environment environment;
	struct served served;    /* of a build in a project's own folder */
	char **trusted;          /* sandbox.readable */
	struct develop develop;  /* right.develop */
};

/* --- answers to enter --------------------------------------------------------------------------- */

static void answer(struct session *n, enum enter_kind kind, int value, const char *text, const int *fds, size_t nfds)
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

static void refused(struct session *n, int error, const char *what)
{
	char text[240];

	snprintf(text, sizeof text, "%.120s: %.80s%s%.30s", n->request.path != NULL ? n->request.path : "program", what, error != 0 ? ": " : "",
	         error != 0 ? strerror(error) : "");
	answer(n, ENTER_REFUSED, error, text, NULL, 0);
	if (n->enter_sock < 0) { /* the guest: its status is ours */
		fprintf(stderr, "pipwarden: %s\n", text);
	}
}

/* --- preparation -------------------------------------------------------------------------------- */

static struct own_rights own_rights(struct session *n)
{
	return (struct own_rights){.home = n->home, .tmp = n->tmp, .write = &n->right.write, .read = &n->right.read, .tree = n->right.tree,
	                           .terminal = n->passed.terminal[0] != '\0' ? n->passed.terminal : NULL};
}

static int make_environment(struct session *n)
{
	const struct run *run = n->sup->run;
	struct own_rights own = own_rights(n);
	struct env_set set = {0};
	int error = run->audit ? 0 : env_for_role(run->policy, n->sandbox.role, n->request.envp, run->decoy_key, &set);

	if (error < 0) {
		return error;
	}
	error = environment_copy(&n->environment, run->audit ? n->request.envp : set.envp);
	env_set_finish(&set);
	return error < 0 ? error : rights_environment(n->sup, n->sandbox.role, &own, &n->environment);
}

/* What the user's environment names, to be read and executed. */
static int find_tools(struct session *n)
{
	const struct run *run = n->sup->run;
	int error = tools_on_path(run->policy, run->homes, envp_get(n->request.envp, "PATH"), &n->right.read);

	return error < 0 ? error : tools_preloaded(envp_get(n->request.envp, "LD_PRELOAD"), &n->right.read);
}

/* Where nobody untrusted could have planted a link: the environment's own folders. */
static int make_trusted(struct session *n)
{
	const struct python_env *env = n->sup->run->env;
	/* A guest's environment may come with an untrusted checkout, links and all: there every path is resolved. */
	size_t count = env != NULL && n->sandbox.role == ROLE_BUILD ? env->read_dirs.n : 0, kept = 0;

	n->trusted = calloc(count + 1, sizeof *n->trusted);
	if (n->trusted == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		char *real = realpath(env->read_dirs.v[i], NULL);
		if (real != NULL) {
			n->trusted[kept++] = real;
		}
	}
	return 0;
}

static int prepare(struct session *n, const char **what)
{
	struct own_rights own;
	int error;

	*what = "private folders";
	if ((error = supervisor_private_folders(n->sup, n->right.source != NULL ? n->right.source : "", n->home, n->tmp, &n->sandbox.decoys)) < 0) {
		return error;
	}
	*what = "environment";
	if ((error = find_tools(n)) < 0 || (error = make_environment(n)) < 0 || (error = make_trusted(n)) < 0) {
		return error;
	}
	if (n->right.develop && (error = develop_prepare(&n->develop, n->request.argv, n->tmp, &n->environment)) < 0) {
		*what = "folders for setup.py develop";
		return error;
	}
	*what = "descriptors";
	if ((error = passed_choose(&n->passed, n->sandbox.audit, n->enter > 0)) < 0) {
		return error;
	}
	if (n->right.tree != NULL && (error = served_init(&n->served, n->sup, n->right.tree)) < 0) {
		*what = "the project's folder";
		return error;
	}
	own = own_rights(n);
	if ((error = rights_sandbox(n->sup, n->sandbox.role, &own, &n->ruleset, what)) < 0) {
		return error;
	}
	n->sandbox.home = n->home;
	n->sandbox.decoys = n->sandbox.audit ? NULL : n->sandbox.decoys;
	n->sandbox.tmp = n->tmp;
	n->sandbox.writable = n->ruleset.writable;
	n->sandbox.readable = n->trusted;
	n->sandbox.read = n->right.read.v;
	n->sandbox.served = n->right.tree != NULL ? &n->served : NULL;
	*what = "the project's programs";
	return n->right.tree != NULL ? served_programs(&n->served, &n->sandbox, &n->ruleset) : 0;
}

/* --- birth -------------------------------------------------------------------------------------- */

/* In a user namespace root has capabilities over nothing of the machine's. */
static bool drops_all(const struct caps *caps)
{
	return geteuid() != 0 || caps->user_namespace;
}

static int encode_start(struct session *n)
{
	const struct caps *caps = n->sup->run->caps;
	struct start s = {
		.umask = n->request.umask, .landlock_abi = (uint32_t)caps->landlock_abi,
		.blocked = n->request.blocked, .ignored = n->request.ignored,
		.path = n->request.path, .argv = n->right.develop ? n->develop.argv.v : n->request.argv, .envp = n->environment.v, .nfds = n->passed.count,
		.flags = (n->sandbox.audit ? START_AUDIT : 0) | (n->enter > 0 ? START_SESSION : 0) | (caps->wait_killable ? START_WAIT_KILLABLE : 0) |
		         (drops_all(caps) ? START_DROP_ALL : 0) |
		         (n->sup->namespaces && caps->user_namespace ? START_OWN_USERS : 0),
	};

	for (int l = 0; l < LIMIT_COUNT; l++) {
		s.bounds.of[l] = policy_limit(n->sup->run->policy, n->sandbox.role, (enum limit)l);
	}
	memcpy(s.fd_number, n->passed.numbers, sizeof s.fd_number);
	return start_encode(&s);
}

/* init is forked, and makes its namespaces, while the rest is prepared. */
static int order_init(struct session *n)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	n->init_sock = pair[0];
	int error = zygote_order(&n->sup->zygote, n->sup->namespaces, pair[1], n->cwd_fd);
	close(pair[1]);
	return error;
}

/* It was forked long ago.  What it could not do comes by the same way. */
static int await_init(struct session *n, const char **what)
{
	struct init_message m;

	if (fd_receive(n->init_sock, &m, sizeof m, NULL, NULL) != sizeof m) {
		*what = "the zygote";
		return -ECHILD;
	}
	if (m.kind != INIT_BORN) {
		*what = "the sandbox could not be made";
		return m.kind == INIT_FAILED && m.value > 0 ? -m.value : -EPROTO;
	}
	n->sandbox.init = m.value;
	return 0;
}

static int send_start(struct session *n)
{
	struct init_message m = {.kind = INIT_START};
	int fds[START_FDS + FD_PASS_MAX];
	cleanup_fd int spec = encode_start(n);
	int program = programs_get(PROGRAM_SANDBOX);

	if (spec < 0 || program < 0) {
		return spec < 0 ? spec : program;
	}
	fds[START_FD_PROGRAM] = program;
	fds[START_FD_RULESET] = n->ruleset.fd;
	fds[START_FD_SPEC] = spec;
	memcpy(fds + START_FDS, n->passed.fds, n->passed.count * sizeof *fds);
	return fd_send(n->init_sock, &m, sizeof m, fds, START_FDS + n->passed.count);
}

static ino_t pid_namespace(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* Serves the listener that init sent, and lets the command go on to its exec. */
static int take_listener(struct session *n, int fd)
{
	const struct caps *caps = n->sup->run->caps;
	struct init_message go = {.kind = INIT_GO};
	int error;

	n->sandbox.listener = fd;
	n->sandbox.namespaces = caps->namespaces;
	n->sandbox.pid_ns = n->sup->namespaces ? pid_namespace(n->sandbox.init) : 0;
	n->sandbox.package = n->right.package;
	n->sandbox.version = n->right.version;
	n->sandbox.stage = n->right.stage;
	n->domain.rights = (struct domain_rights){.ruleset = n->ruleset.fd, .none = drops_all(caps)};
	error = listener_start(&n->listener, &n->sandbox);
	if (error < 0) {
		close_fd(&n->sandbox.listener);
		return error;
	}
	return fd_send(n->init_sock, &go, sizeof go, NULL, 0);
}

static void tell_running(struct session *n)
{
	int pipes[2] = {n->passed.copied[0].pipe, n->passed.copied[1].pipe};

	answer(n, ENTER_RUN, 0, "", pipes, (size_t)(pipes[0] >= 0) + (size_t)(pipes[1] >= 0));
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

/* One message of init.  False: the sandbox is at its end, with *status when it is known (-1 otherwise). */
static bool hear_init(struct session *n, int *status)
{
	struct init_message m;
	int fd = -1, error;
	size_t nfds = 1;
	char text[100];

	if (fd_receive(n->init_sock, &m, sizeof m, &fd, &nfds) != sizeof m) {
		return false;
	}
	switch (m.kind) {
	case INIT_LISTENER:
		error = nfds == 1 ? take_listener(n, fd) : -EPROTO;
		if (error < 0) { /* the command has not begun, and shall not */
			refused(n, -error, "the sandbox could not be made (listener)");
			*status = 126 << 8;
		}
		return error == 0;
	case INIT_RUNNING:
		tell_running(n);
		return true;
	case INIT_FAILED:
		m.text[sizeof m.text - 1] = '\0';
		snprintf(text, sizeof text, strcmp(m.text, "exec") == 0 ? "cannot be executed in the sandbox" : "the sandbox could not be made (%s)", m.text);
		refused(n, m.value, text);
		*status = (m.value == ENOENT && strcmp(m.text, "exec") == 0 ? 127 : 126) << 8;
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
	struct pollfd fds[2] = {{.fd = n->init_sock, .events = POLLIN}, {.fd = n->enter_sock, .events = POLLIN}};
	int status = -1, ready, wait = n->sandbox.decoys != NULL ? DECOYS_MILLISECONDS : -1;

	for (;;) {
		ready = poll(fds, 2, wait);
		if (ready < 0) {
			continue;
		}
		if (ready == 0) {
			wait = time_for_decoys(n, wait) ? -1 : 2 * wait;
			continue;
		}
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
	close_fd(&n->init_sock);
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
	atomic_fetch_add(&n->sup->notifications, atomic_load(&n->sandbox.notifications));
}

/* The whole life of the sandbox: a wait status. */
static int live(struct session *n)
{
	const char *what = "sandbox";
	int error = atomic_load(&n->sup->abort_status) != 0 ? -ECANCELED : n->init_sock >= 0 ? 0 : order_init(n);

	if (error == 0) {
		error = prepare(n, &what);
	}
	if (error == 0) {
		error = await_init(n, &what);
	}
	if (error == 0) {
		what = "start";
		error = send_start(n);
	}
	if (error < 0) {
		close_fd(&n->init_sock); /* and init ends */
		refused(n, -error, what);
		return 126 << 8;
	}
	int status = watch(n);
	end_sandbox(n);
	return status;
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
	birthright_finish(&n->right);
	develop_finish(&n->develop);
	start_finish(&n->request);
	for (char **t = n->trusted; t != NULL && *t != NULL; t++) {
		free(*t);
	}
	free(n->trusted);
	images_finish(&n->checked_in);
	own_sockets_finish(&n->own_sockets);
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
	if (fd_receive(n->enter_sock, &byte, 1, fds, &nfds) != 1 || nfds < 2) {
		return -EPROTO;
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
	int error = bootstrap_subpip(n->sup, &n->request, &boot, &pip);
	cleanup_fd int spec = error < 0 ? error : start_encode(&pip);

	if (spec < 0) {
		refused(n, -spec, "pip's own pip cannot be started");
	} else {
		supervisor_give_ticket(n->sup, n->enter, pip.path);
		answer(n, ENTER_SUBPIP, 0, "", &spec, 1);
	}
	bootstrap_finish(&boot);
}

static void *enter_thread(void *argument)
{
	struct session *n = argument;
	char cwd[PATH_MAX];

	prctl(PR_SET_NAME, "session");
	int error = receive_request(n, cwd);

	if (error < 0) {
		refused(n, -error, "the request is not understood");
		session_free(n);
		return NULL;
	}
	order_init(n); /* nearly every request gets one; live() asks again for what fails here */
	birthright_decide(n->sup, &n->request, cwd, &n->right);
	if (n->right.become == BECOME_REFUSED) {
		findings_refusal(&n->sandbox, &n->right, n->request.path);
		n->right.become = n->sandbox.audit ? n->right.wanted : BECOME_REFUSED;
	}
	if (n->right.become == BECOME_SUBPIP) {
		become_pip(n);
	} else if (n->right.become == BECOME_REFUSED) {
		refused(n, 0, n->right.why);
	} else {
		if (n->right.not_in_place) {
			atomic_store(&n->sup->not_in_place, true);
		}
		int status = live(n);
		if (!findings_output(&n->sandbox, &n->right)) {
			status = 1 << 8;
		}
		if (n->right.develop && status == 0 && !develop_carry(&n->develop, &n->sandbox, &n->right, n->enter_sock)) {
			status = 1 << 8;
		}
		answer(n, ENTER_STATUS, status, "", NULL, 0);
	}
	session_free(n);
	return NULL;
}

static int start_thread(void *(*f)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int r;

	if (pthread_attr_init(&attributes) != 0) {
		return -ENOMEM;
	}
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attributes, f, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

struct reply session_enter(struct sandbox *sb, const struct seccomp_notif *req)
{
	struct session *n = session_new(sb->sup, ROLE_BUILD);
	int pair[2];

	if (n == NULL) {
		return reply_error(EAGAIN);
	}
	n->enter = target_tgid((pid_t)req->pid);
	if (n->enter <= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		session_free(n);
		return reply_error(EAGAIN);
	}
	n->enter_sock = pair[0];
	if (start_thread(enter_thread, n) < 0) {
		close(pair[1]);
		session_free(n);
		return reply_error(EAGAIN);
	}
	return reply_fd(pair[1], O_CLOEXEC);
}

/* --- the guest of `run` ------------------------------------------------------------------------- */

static struct session *guest; /* one a process; written before its thread exists, its init_sock by the thread under guest_lock */
static pthread_mutex_t guest_lock = PTHREAD_MUTEX_INITIALIZER;

static void *guest_thread(void *argument)
{
	struct session *n = argument;
	struct supervisor *s = n->sup;

	prctl(PR_SET_NAME, "session");
	int status = live(n);
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
	n->right.stage = "script";
	passed_own(&n->passed, n->sandbox.audit);
	if (error < 0 || (error = order_init(n)) < 0) {
		session_free(n);
		return error;
	}
	guest = n;
	return 0;
}

int session_guest_start(void)
{
	return start_thread(guest_thread, guest);
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

