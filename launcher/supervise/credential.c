#include "credential.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* pip's for keyring; git's for ssh. */
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

static int add_real(struct strings *out, const char *path)
{
	char real[PATH_MAX];

	return realpath(path, real) != NULL ? strings_add(out, real) : 0;
}

/* What it consists of, to be read and executed. */
static int add_installation(const struct helper *h, struct strings *read)
{
	const struct python_env *env = &h->env;
	int error = add_real(read, h->program);

	for (size_t i = 0; error == 0 && i < env->read_dirs.n; i++) {
		error = add_real(read, env->read_dirs.v[i]);
	}
	for (size_t i = 0; error == 0 && i < env->read_files.n; i++) {
		error = add_real(read, env->read_files.v[i]);
	}
	return error == 0 && env->interpreter_real != NULL ? add_real(read, env->interpreter_real) : error;
}

bool credential_is(const struct supervisor *s, const struct start *request, struct birthright *b)
{
	const char *slash = strrchr(request->path, '/'), *rule = "exec.credential";
	const struct helper *h;

	if (slash == NULL || !installer_is_helper(slash + 1)) {
		return false;
	}
	h = find(s->run->installer, request->path);
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
	return true;
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
