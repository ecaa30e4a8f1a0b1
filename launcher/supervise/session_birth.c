/* How a session's sandbox is born.  init is forked, and makes its namespaces, while a ruleset, an environment, folders and descriptors are prepared. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credential.h"
#include "launcher/base/fd.h"
#include "launcher/sandbox/init.h"
#include "packages.h"
#include "programs.h"
#include "reals.h"
#include "relays.h"
#include "rights.h"
#include "session_parts.h"
#include "tools.h"

static struct own_rights own_rights(struct session *n)
{
	return (struct own_rights){.home = n->home, .tmp = n->tmp, .write = &n->right.write, .read = &n->right.read, .tree = n->right.tree,
	                           .helper = n->right.helper, .places = &n->places, .requirement = n->right.requirement,
	                           .terminal = n->passed.terminal[0] != '\0' ? n->passed.terminal : NULL};
}

/* What was asked for, with the user's own values in the place of those that pip has for them: this role's options may let other secrets pass than pip's. */
static int before_decoys(const struct session *n, struct environment *out)
{
	const struct run *run = n->sup->run;
	int error = environment_copy(out, n->request.envp);

	for (char **name = run->role_env.replaced; error == 0 && name != NULL && *name != NULL; name++) {
		const char *now = envp_get(n->request.envp, *name), *false_one = envp_get(run->role_env.envp, *name), *own = envp_get(run->process_envp, *name);
		if (now != NULL && false_one != NULL && own != NULL && strcmp(now, false_one) == 0) {
			error = environment_set(out, *name, own);
		}
	}
	return error;
}

static int for_role(struct session *n)
{
	const struct run *run = n->sup->run;
	struct environment asked = {0};
	struct env_set set = {0};
	int error = before_decoys(n, &asked);

	error = error < 0 ? error : env_for_role(run->policy, n->sandbox.role, asked.v, run->decoy_key, &set);
	error = error < 0 ? error : environment_copy(&n->environment, set.envp);
	env_set_finish(&set);
	environment_finish(&asked);
	return error;
}

static int make_environment(struct session *n)
{
	const struct run *run = n->sup->run;
	struct own_rights own = own_rights(n);
	if (n->right.helper != NULL && !run->audit) {
		int failed = credential_environment(n->sup, &n->request, &n->environment);
		return failed < 0 ? failed : rights_environment(n->sup, n->sandbox.role, &own, &n->environment);
	}
	int error = run->audit ? environment_copy(&n->environment, n->request.envp) : for_role(n);

	return error < 0 ? error : rights_environment(n->sup, n->sandbox.role, &own, &n->environment);
}

/* What the user's environment names, to be read and executed. */
static int find_tools(struct session *n)
{
	const struct run *run = n->sup->run;
	char *const *envp = n->right.helper != NULL ? run->envp : n->request.envp; /* as credential_environment() has it */
	int error = tools_on_path(run->policy, run->homes, envp_get(envp, "PATH"), &n->right.read);

	return error < 0 ? error : tools_preloaded(envp_get(envp, "LD_PRELOAD"), &n->right.read);
}

/* Where nobody untrusted could have planted a link: the environment's own folders, and those that pip makes for a build. */
static int make_trusted(struct session *n)
{
	const struct python_env *env = n->sup->run->env;
	/* A guest's environment may come with an untrusted checkout, links and all: there every path is resolved. */
	size_t count = env != NULL && n->sandbox.role == ROLE_BUILD ? env->read_dirs.n : 0;
	const struct strings *made = &n->right.environments;
	int error = 0;

	for (size_t i = 0; error == 0 && i < count; i++) {
		char real[PATH_MAX];
		error = reals_path(env->read_dirs.v[i], real) ? strings_add(&n->trusted, real) : 0;
	}
	for (size_t i = 0; error == 0 && i < made->n; i++) {
		error = strings_add(&n->trusted, made->v[i]);
	}
	return error;
}

/* A package's, the tools', or a helper's or version control tool's, whose own path is no package's source: what it checks out is built by others. */
static int make_folders(struct session *n)
{
	char tools[PATH_MAX + 8];
	const char *owner = n->right.helper != NULL ? n->right.helper->program : n->right.source != NULL ? n->right.source : "";

	if (n->sandbox.role == ROLE_VCS) {
		snprintf(tools, sizeof tools, "vcs:%s", n->right.checkout);
		owner = tools;
	}
	return supervisor_private_folders(n->sup, owner, n->home, n->tmp, &n->sandbox.decoys);
}

static int prepare(struct session *n, const char **what)
{
	struct own_rights own;
	int error;

	*what = "private folders";
	if ((error = make_folders(n)) < 0 || (error = n->right.helper != NULL ? credential_places(n->sup, n->right.helper, &n->places) : 0) < 0) {
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
	/* What ssh says is the repository, and no terminal is at the end of it. */
	if ((error = passed_choose(&n->passed, n->sandbox.audit, n->enter > 0 && n->tool == NULL)) < 0) {
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
	n->sandbox.decoys = n->sandbox.audit || n->sandbox.role == ROLE_VCS || n->right.helper != NULL ? NULL : n->sandbox.decoys; /* their HOME is the user's */
	n->sandbox.tmp = n->tmp;
	n->sandbox.writable = n->ruleset.writable;
	n->sandbox.readable = n->trusted.v;
	n->sandbox.read = n->right.read.v;
	n->sandbox.places = n->places.v;
	n->sandbox.bus = n->right.helper != NULL && n->right.helper->bus != NULL && realpath(n->right.helper->bus, n->bus) != NULL ? n->bus : NULL;
	n->sandbox.served = n->right.tree != NULL ? &n->served : NULL;
	*what = "the project's programs";
	return n->right.tree != NULL ? served_programs(&n->served, &n->sandbox, &n->ruleset) : 0;
}

/* In a user namespace root has capabilities over nothing of the machine's. */
static bool drops_all(const struct caps *caps)
{
	return geteuid() != 0 || caps->user_namespace;
}

static int encode_start(struct session *n)
{
	const struct caps *caps = n->sup->run->caps;
	char **words = n->tool != NULL && n->right.helper != NULL ? credential_argv(n->right.helper, n->request.argv) : NULL;
	struct start s = {
		.umask = n->request.umask, .landlock_abi = (uint32_t)caps->landlock_abi,
		.blocked = n->request.blocked, .ignored = n->request.ignored,
		/* Not a version manager's shim, which would start the manager. */
		.path = n->right.helper != NULL ? n->right.helper->program : n->request.path, .argv = words != NULL ? words : n->right.develop ? n->develop.argv.v : n->request.argv, .envp = n->environment.v, .nfds = n->passed.count,
		.flags = (n->sandbox.audit ? START_AUDIT : 0) | (n->enter > 0 ? START_SESSION : 0) | (caps->wait_killable ? START_WAIT_KILLABLE : 0) |
		         (drops_all(caps) ? START_DROP_ALL : 0) |
		         (n->sup->namespaces && caps->user_namespace ? START_OWN_USERS : 0),
	};

	for (int l = 0; l < LIMIT_COUNT; l++) { /* a helper has those of builds */
		s.bounds.of[l] = policy_limit(n->sup->run->policy, n->right.helper != NULL ? ROLE_BUILD : n->sandbox.role, (enum limit)l);
	}
	memcpy(s.fd_number, n->passed.numbers, sizeof s.fd_number);
	int spec = start_encode(&s);
	free(words);
	return spec;
}

int session_order_init(struct session *n)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	n->init_sock = pair[0];
	int error = zygote_order(&n->sup->zygote, n->sup->namespaces, pair[1], n->cwd_fd);
	close(pair[1]);
	if (error < 0) {
		close_fd(&n->init_sock); /* to be asked for again */
	}
	return error;
}

/* It was forked long ago.  What it could not do comes by the same way. */
static int await_init(struct session *n, const char **what)
{
	struct init_message m;
	int sockets[OWN_NET_SOCKETS];
	size_t nfds;

	do {
		nfds = OWN_NET_SOCKETS;
		if (fd_receive(n->init_sock, &m, sizeof m, sockets, &nfds) != sizeof m) {
			*what = "the zygote";
			return -ECHILD;
		}
		stub_take(&n->stub, sockets, nfds);
	} while (m.kind == INIT_NET); /* init may be quicker than the zygote's word on it */
	if (m.kind == INIT_FAILED && m.value > 0) {
		n->failed = m;
		return 0;
	}
	if (m.kind != INIT_BORN) {
		*what = "the sandbox could not be made";
		return -EPROTO;
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

int session_begin(struct session *n, const char **what)
{
	int error = atomic_load(&n->sup->abort_status) != 0 ? -ECANCELED : n->init_sock >= 0 ? 0 : session_order_init(n);

	*what = "sandbox";
	if (error < 0 || (error = prepare(n, what)) < 0 || (error = await_init(n, what)) < 0) {
		return error;
	}
	if (n->failed.value != 0) {
		return 0;
	}
	*what = "start";
	error = send_start(n);
	return error == -EPIPE ? 0 : error; /* init has given up, and said why: that is heard next */
}

static ino_t pid_namespace(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

int session_take_listener(struct session *n, int fd)
{
	const struct caps *caps = n->sup->run->caps;
	struct init_message go = {.kind = INIT_GO};
	int error;

	n->sandbox.listener = fd;
	n->sandbox.namespaces = caps->namespaces;
	n->sandbox.pid_ns = n->sup->namespaces ? pid_namespace(n->sandbox.init) : 0;
	const struct event_package package = birthright_package(&n->right);
	n->sandbox.package = packages_keep(&package);
	n->domain.rights = (struct domain_rights){.ruleset = n->ruleset.fd, .none = drops_all(caps)};
	n->sandbox.way = way_out_new(&n->sandbox, n->init_sock);
	error = listener_start(&n->listener, &n->sandbox);
	if (error < 0) {
		close_fd(&n->sandbox.listener);
		return error;
	}
	return fd_send(n->init_sock, &go, sizeof go, NULL, 0);
}
