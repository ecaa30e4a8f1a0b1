#include "credential.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ssh_words.h"

#define SSH_PORT 22

/* pip's for keyring; git's for ssh: the version of its protocol. */
static const char *const of_the_request[] = {"PYTHONIOENCODING", "GIT_PROTOCOL"};

static const struct helper *find(const struct installer *ins, const char *path)
{
	for (size_t i = 0; i < ins->helper_count; i++) {
		if (strcmp(ins->helpers[i].path, path) == 0) {
			return &ins->helpers[i];
		}
	}
	return NULL;
}

/* pip itself may have replaced it since: what it installs, it installs where the user may write. */
static bool is_as_it_was(const struct helper *h)
{
	struct stat st;

	return stat(h->program, &st) == 0 && st.st_dev == h->device && st.st_ino == h->inode && st.st_ctim.tv_sec == h->changed.tv_sec &&
	       st.st_ctim.tv_nsec == h->changed.tv_nsec;
}

/* What it consists of, to be read and executed. */
static int add_installation(const struct helper *h, struct strings *read)
{
	const struct python_env *env = &h->env;
	int error = strings_add_real(read, h->program);

	for (size_t i = 0; error == 0 && i < env->read_dirs.n; i++) {
		error = strings_add_real(read, env->read_dirs.v[i]);
	}
	for (size_t i = 0; error == 0 && i < env->read_files.n; i++) {
		error = strings_add_real(read, env->read_files.v[i]);
	}
	return error == 0 && env->interpreter_real != NULL ? strings_add_real(read, env->interpreter_real) : error;
}

static const char rule[] = "exec.credential";

/* h: NULL, where no such program was found before the run. */
static void give(const struct helper *h, struct birthright *b)
{
	b->role = ROLE_CREDENTIAL;
	b->helper = h;
	b->become = b->wanted = h != NULL ? BECOME_CREDENTIAL : BECOME_BUILD;
	if (h == NULL) {
		birthright_refuse(b, rule, EACCES, "it gets no passwords: it was not on PATH when this run began");
	} else if (h->refused != NULL) {
		birthright_refuse(b, rule, EACCES, "it gets no passwords: %s", h->refused);
	} else if (!is_as_it_was(h)) {
		birthright_refuse(b, rule, EACCES, "it gets no passwords: it was changed since this run began");
	}
	if (h != NULL && add_installation(h, &b->read) < 0) {
		birthright_refuse(b, rule, ENOMEM, "no memory");
	}
}

bool credential_is(const struct supervisor *s, const struct start *request, struct birthright *b)
{
	const char *slash = strrchr(request->path, '/');

	if (slash == NULL || !installer_is_helper(slash + 1)) {
		return false;
	}
	give(find(s->run->installer, request->path), b);
	return true;
}

/* --- asked by a version control tool --------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The words come first; but for those the program is another one. */
static bool has_words(const struct helper *h, const char *const *argv)
{
	for (size_t i = 0; h->words != NULL && h->words[i] != NULL; i++) {
		if (argv[0] == NULL || argv[i + 1] == NULL || strcmp(argv[i + 1], h->words[i]) != 0) {
			return false;
		}
	}
	return true;
}

const struct helper *credential_helper(const struct installer *ins, const char *path, const struct stat *st, const char *const *argv)
{
	const struct helper *found = NULL;

	for (size_t i = 0; i < ins->helper_count; i++) {
		const struct helper *h = &ins->helpers[i];
		bool same = h->use != HELPER_OF_PIP && h->device == st->st_dev && h->inode == st->st_ino && strcmp(base_name(h->path), base_name(path)) == 0;
		if (same && has_words(h, argv) && (found == NULL || (found->refused != NULL && h->refused == NULL))) {
			found = h; /* of several links to it one that no package can have made */
		}
	}
	return found;
}

/* `get`, after options of the user's own configuration: others could name files. */
static bool is_plain_question(const struct installer *ins, const struct helper *h, char *const *argv)
{
	size_t at = 1, last;

	for (size_t i = 0; h->words != NULL && h->words[i] != NULL; i++) {
		at++;
	}
	for (last = at; argv[last] != NULL && argv[last + 1] != NULL; last++) {
		if (!strings_has(&ins->git_words, argv[last])) {
			return false;
		}
	}
	return argv[last] != NULL && (strcmp(argv[last], "get") == 0 || strcmp(argv[last], "store") == 0 || strcmp(argv[last], "erase") == 0);
}

/* Not the network alone says whom ssh speaks to: the user's own connection to another host may be open, and ssh would go by that (ControlPath). */
static const char *check_ssh(const struct supervisor *s, const struct vcs_requirement *tool, char *const *argv)
{
	const struct sandbox asks = {.sup = (struct supervisor *)s, .role = ROLE_VCS, .requirement = tool};
	struct ssh_target to;
	const char *why = ssh_words_refuse(tool->tool, argv, &s->run->installer->ssh_words, &to);

	if (why != NULL) {
		return why;
	}
	/* Subversion does not tell ssh the port of its URL: the user's configuration has it then. */
	bool untold = to.port == 0 && strncmp(tool->url, "svn+ssh://", 10) == 0 && supervisor_host_required(&asks, to.host, 0);
	return untold || supervisor_host_allowed(&asks, to.host, to.port != 0 ? to.port : SSH_PORT)
	               ? NULL : "ssh is to speak to another host or port than the requirement's; --allow-host vcs:HOST:PORT allows one";
}

static void check_question(const struct supervisor *s, const struct vcs_requirement *tool, const struct start *request, struct birthright *b)
{
	const struct installer *ins = s->run->installer;
	const char *why = NULL;

	switch (b->helper->use) {
	case HELPER_OF_PIP:
		break;
	case HELPER_SSH:
		b->requirement = tool;
		why = check_ssh(s, tool, request->argv);
		break;
	case HELPER_OF_GIT:
		why = is_plain_question(ins, b->helper, request->argv) ? NULL : "it is given options that the user's configuration has not";
		break;
	case HELPER_ASKPASS:
		why = request->argv[1] != NULL && request->argv[2] == NULL ? NULL : "it is asked more than one question";
		break;
	}
	if (why != NULL) {
		birthright_refuse(b, "exec.credential.use", EACCES, "%s", why);
	}
}

void credential_of_tool(const struct supervisor *s, const struct vcs_requirement *tool, const struct start *request, struct birthright *b)
{
	const struct installer *ins = s->run->installer;
	const struct helper *h = NULL;
	struct stat st;

	memset(b, 0, sizeof *b);
	if (request->path[0] == '/' && request->argv[0] != NULL && stat(request->path, &st) == 0) {
		h = credential_helper(ins, request->path, &st, (const char *const *)request->argv);
	}
	if (h == NULL) {
		b->role = ROLE_CREDENTIAL;
		birthright_refuse(b, rule, EACCES, "it is no program that is asked for passwords, or was none when this run began");
		return;
	}
	give(h, b);
	if (b->become != BECOME_REFUSED) {
		check_question(s, tool, request, b);
	}
}

/* A variable, or a link, that makes a place of the whole home gives nothing. */
static int add_place(const struct policy *p, struct strings *out, const char *path)
{
	char real[PATH_MAX];
	const char *what;
	bool good = realpath(path, real) != NULL && !policy_role_grant_conflict(p, ROLE_CREDENTIAL, real, FILE_READ, &what);

	return good ? strings_add(out, real) : 0;
}

int credential_places(const struct supervisor *s, const struct helper *h, struct strings *out)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < h->places.n; i++) {
		error = add_place(s->run->policy, out, h->places.v[i]);
	}
	for (const char *const *more = policy_grants(s->run->policy, ROLE_CREDENTIAL, FILE_READ); error == 0 && *more != NULL; more++) {
		error = add_place(s->run->policy, out, *more);
	}
	return error;
}

int credential_environment(const struct supervisor *s, const struct start *request, struct environment *e)
{
	int error = environment_copy(e, s->run->envp);

	for (size_t i = 0; error == 0 && i < sizeof of_the_request / sizeof *of_the_request; i++) {
		const char *value = envp_get(request->envp, of_the_request[i]);
		error = value != NULL ? environment_set(e, of_the_request[i], value) : 0;
	}
	return error;
}

char **credential_argv(const struct helper *h, char *const *argv)
{
	/* It writes nothing, so it makes no socket for others to go by; where it could not make one it would end. */
	static const char no_master[] = "-oControlMaster=no";
	size_t n = 0;

	while (argv[n] != NULL) {
		n++;
	}
	char **words = h->use == HELPER_SSH && n > 0 ? calloc(n + 2, sizeof *words) : NULL;
	if (words != NULL) {
		words[0] = argv[0];
		words[1] = (char *)(uintptr_t)no_master;
		memcpy(words + 2, argv + 1, (n - 1) * sizeof *words);
	}
	return words;
}
