#include "rights.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "grants.h"
#include "launcher/base/loader.h"
#include "pathtext.h"
#include "places.h"

#define RX (GRANT_READ | GRANT_EXECUTE)

/* What holds the served folder is granted around it: each entry but the one on the way to it.  Links stay as they are: a rule on one is a rule on what it
 * leads to, which is granted by its own name or not at all. */
static int add_around(struct ruleset *r, const char *path, const char *tree, unsigned grants)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int error = dir != NULL ? 0 : -errno;

	while (error == 0 && (entry = readdir(dir)) != NULL) {
		char below[PATH_MAX];
		struct stat st;
		int n = snprintf(below, sizeof below, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name);
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || n < 0 || (size_t)n >= sizeof below ||
		    lstat(below, &st) < 0 || S_ISLNK(st.st_mode) || strcmp(below, tree) == 0) {
			continue;
		}
		error = pathtext_below(tree, below) ? add_around(r, below, tree, grants) : ruleset_add_nofollow(r, below, grants);
		error = error == -ENOENT || error == -EACCES ? 0 : error;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return error;
}

static int add_place(struct ruleset *r, const char *path, unsigned grants)
{
	char real[PATH_MAX];

	if (r->tree == NULL || (grants & GRANT_WRITE) != 0 || realpath(path, real) == NULL || !pathtext_below(r->tree, real)) {
		return ruleset_add(r, path, grants);
	}
	return strcmp(r->tree, real) == 0 ? 0 : add_around(r, real, r->tree, grants);
}

/* A place that need not exist. */
static int may_add(struct ruleset *r, const char *path, unsigned grants, const char **what)
{
	int error = add_place(r, path, grants);

	if (error == 0 || error == -ENOENT || error == -ENOTDIR || error == -EACCES || error == -ELOOP) {
		return 0;
	}
	*what = path;
	return error;
}

static int may_add_all(struct ruleset *r, const char *const *paths, unsigned grants, const char **what)
{
	int error = 0;

	for (size_t i = 0; error == 0 && paths != NULL && paths[i] != NULL; i++) {
		error = may_add(r, paths[i], grants, what);
	}
	return error;
}

static const char *const *list(const struct strings *s)
{
	return (const char *const *)s->v;
}

/* --- build and guest ----------------------------------------------------------------------------- */

/* Is, contains or lies in what a rule protects?  What an environment or a command line names may be a link to it. */
static bool is_protected(const struct policy *p, const char *path)
{
	const char *what;
	struct verdict verdict;
	char real[PATH_MAX];

	return realpath(path, real) != NULL &&
	       (policy_grant_conflict(p, real, FILE_READ, &what) || (policy_file(p, real, FILE_READ, &verdict) && verdict.severity > SEV_INFO));
}

static int add_unprotected(const struct policy *p, struct ruleset *r, const struct strings *paths, unsigned grants, const char **what)
{
	int error = 0;

	for (size_t i = 0; error == 0 && paths != NULL && i < paths->n; i++) {
		error = is_protected(p, paths->v[i]) ? 0 : may_add(r, paths->v[i], grants, what);
	}
	return error;
}

static int add_python(const struct policy *p, struct ruleset *r, const struct python_env *env, const char **what)
{
	int error;

	if (env == NULL) {
		return 0;
	}
	if ((error = add_unprotected(p, r, &env->read_dirs, RX, what)) < 0 || (error = add_unprotected(p, r, &env->read_files, GRANT_READ, what)) < 0) {
		return error;
	}
	return is_protected(p, env->interpreter_real) ? 0 : may_add(r, env->interpreter_real, RX, what);
}

static int add_home_tools(const struct supervisor *s, struct ruleset *r, const char **what)
{
	int error = 0;

	for (size_t i = 0; error == 0 && places_home_tools[i] != NULL; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/%s", s->run->homes[0], places_home_tools[i]);
		error = may_add(r, path, RX, what);
	}
	return error;
}

static int add_system(struct ruleset *r, bool namespaces, const char **what)
{
	int error = 0;

	for (size_t i = 0; error == 0 && places_system[i].path != NULL; i++) {
		error = may_add(r, places_system[i].path, places_system[i].grants, what);
	}
	return error == 0 && !namespaces ? may_add_all(r, places_global_proc, GRANT_READ, what) : error;
}

static int add_own(const struct policy *p, struct ruleset *r, const struct own_rights *own, const char **what)
{
	/* A VCS tool executes nothing from where something fetched can lie. */
	const unsigned all = (own->requirement != NULL ? GRANT_READ : RX) | GRANT_WRITE;
	int error;

	*what = own->home;
	if ((error = ruleset_add_nofollow(r, own->home, all)) < 0 || (error = ruleset_add_nofollow(r, own->tmp, all)) < 0) {
		return error;
	}
	for (size_t i = 0; own->write != NULL && i < own->write->n; i++) {
		*what = own->write->v[i];
		if ((error = ruleset_add_nofollow(r, *what, all)) < 0) {
			return error;
		}
	}
	if ((error = add_unprotected(p, r, own->read, RX, what)) < 0) {
		return error;
	}
	const unsigned device = GRANT_READ | GRANT_WRITE_FILE | GRANT_DEVICE;
	error = own->terminal != NULL ? may_add(r, own->terminal, device, what) : 0;
	return error == 0 ? may_add(r, "/dev/tty", device, what) : error; /* of the caller's own session: a build has none */
}

/* What every sandbox of a role gets. */
static int add_common(const struct supervisor *s, enum role role, struct ruleset *r, const char **what)
{
	const struct run *run = s->run;
	int error;

	if ((error = add_system(r, s->namespaces, what)) < 0 || (error = may_add(r, s->shim_path, GRANT_READ, what)) < 0) {
		return error;
	}
	if (role == ROLE_VCS) { /* it has no use for what packages are installed into, and `become` executes what can be read */
		error = may_add(r, s->enter_path, GRANT_EXECUTE, what);
	} else if ((error = add_python(run->policy, r, run->env, what)) < 0 || (error = add_home_tools(s, r, what)) < 0 ||
	           (error = may_add(r, s->become_path, GRANT_EXECUTE, what)) < 0) {
		return error;
	}
	return error < 0 ? error : may_add_all(r, policy_grants(run->policy, role, FILE_READ), RX, what);
}

/* A program that knows passwords: nothing of the environment that pip installs into, nor of the home but its own. */
static int add_helper(const struct supervisor *s, const struct own_rights *own, struct ruleset *r, const char **what)
{
	int error;

	if ((error = add_system(r, s->namespaces, what)) < 0 || (error = may_add(r, s->shim_path, GRANT_READ, what)) < 0 ||
	    (error = may_add(r, s->become_path, GRANT_EXECUTE, what)) < 0) {
		return error;
	}
	/* A tool's ssh has the user asked by it. */
	error = own->requirement != NULL ? may_add(r, s->enter_path, GRANT_EXECUTE, what) : 0;
	return error < 0 ? error : may_add_all(r, list(own->places), GRANT_READ, what);
}

/* The same objects for each of a pip's: they are looked up once.  But for helpers and version control tools, a run has sandboxes of one role.  Around a served
 * folder other ones are granted. */
static int add_common_again(struct supervisor *s, enum role role, struct ruleset *r, const char **what)
{
	int error;

	if (r->tree != NULL || role == ROLE_VCS || s->run->installer == NULL) {
		return add_common(s, role, r, what);
	}
	pthread_mutex_lock(&s->lock);
	if (s->common.count > 0) {
		error = ruleset_add_kept(r, &s->common);
	} else {
		r->keep = &s->common;
		error = add_common(s, role, r, what);
		r->keep = NULL;
		if (error < 0) {
			ruleset_forget(&s->common);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return error;
}

int rights_sandbox(struct supervisor *s, enum role role, const struct own_rights *own, struct ruleset *r, const char **what)
{
	const struct run *run = s->run;
	int error;

	*what = "ruleset";
	/* A network namespace has only its own loopback, which servers and clients of the sandbox may use: TCP is handled only without one. */
	if ((error = ruleset_init(r, RULESET_SANDBOX, run->caps->landlock_abi, !s->namespaces)) < 0) {
		return error;
	}
	r->tree = own->tree;
	if ((error = own->helper != NULL ? add_helper(s, own, r, what) : add_common_again(s, role, r, what)) < 0 ||
	    (error = may_add_all(r, policy_grants(run->policy, role, FILE_WRITE), GRANT_READ | GRANT_WRITE, what)) < 0 ||
	    (error = add_own(run->policy, r, own, what)) < 0) {
		ruleset_finish(r);
		return error;
	}
	return 0;
}

/* --- what may be read, afterwards ---------------------------------------------------------------- */

static void readable_add(const struct policy *p, struct strings *list, const char *path)
{
	if (path != NULL && !is_protected(p, path)) {
		strings_add_real(list, path);
	}
}

static void readable_add_all(const struct policy *p, struct strings *list, const struct strings *paths)
{
	for (size_t i = 0; i < paths->n; i++) {
		readable_add(p, list, paths->v[i]);
	}
}

/* What every sandbox may read, as the kernel names it; asked for seldom, so it is made when it first is. */
static const struct strings *readable(struct supervisor *s)
{
	const struct python_env *env = s->run->env;
	struct strings *list = &s->readable;
	char path[PATH_MAX];

	pthread_mutex_lock(&s->lock);
	if (list->n == 0) {
		for (size_t i = 0; places_system[i].path != NULL; i++) {
			strings_add_real(list, places_system[i].path);
		}
		for (size_t i = 0; places_home_tools[i] != NULL; i++) {
			snprintf(path, sizeof path, "%s/%s", s->run->homes[0], places_home_tools[i]);
			strings_add_real(list, path);
		}
		strings_add_real(list, s->shim_path);
		strings_add_real(list, s->become_path);
		if (env != NULL) {
			readable_add_all(s->run->policy, list, &env->read_dirs);
			readable_add_all(s->run->policy, list, &env->read_files);
			readable_add(s->run->policy, list, env->interpreter_real);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return list;
}

static bool below_strings(const char *real, const struct strings *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (pathtext_below(real, all->v[i])) {
			return true;
		}
	}
	return false;
}

static bool below_system(const char *real)
{
	for (size_t i = 0; places_system[i].path != NULL; i++) {
		if (places_below(real, places_system[i].path)) {
			return true;
		}
	}
	return false;
}

bool rights_may_read(const struct sandbox *sb, const char *real)
{
	static const char *const special[] = {"/proc", "/dev", "/sys"};
	const struct policy *p = sb->sup->run->policy;

	/* The text alone will do: what is real and below a place's name has that place for a real folder. */
	if (places_granted(real)) {
		return true;
	}
	for (char *const *own = sb->read; own != NULL && *own != NULL; own++) {
		if (pathtext_below(real, *own)) {
			return true;
		}
	}
	for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
		if (pathtext_below(real, special[i])) {
			return true;
		}
	}
	if (sb->role == ROLE_CREDENTIAL) {
		return grants_place(sb, real) || below_system(real);
	}
	if (sb->role == ROLE_VCS ? below_system(real) : below_strings(real, readable(sb->sup))) {
		return true;
	}
	return places_below_one(real, policy_grants(p, sb->role, FILE_READ)) || places_below_one(real, policy_grants(p, sb->role, FILE_WRITE));
}

/* --- installer ----------------------------------------------------------------------------------- */

/* Ports are a second wall behind the supervisor's answer to connect().  A host that an option or the policy allows may be on any port: then only the first stands. */
static bool ports_are_known(const struct supervisor *s)
{
	return !policy_role_has_hosts(s->run->policy, ROLE_INSTALLER);
}

static int add_ports(const struct supervisor *s, struct ruleset *r)
{
	const struct installer *ins = s->run->installer;
	int error = ruleset_add_port(r, true, 0); /* urllib3's probe for IPv6 binds port 0 of the loopback */

	/* To a proxy the supervisor connects: connect_installer.c. */
	for (size_t i = 0; error == 0 && i < ins->host_count; i++) {
		error = ins->hosts[i].origin == HOST_PROXY ? 0 : ruleset_add_port(r, false, (uint16_t)ins->hosts[i].port);
	}
	return error;
}

static int add_installer_writes(const struct supervisor *s, struct ruleset *r, const char **what)
{
	const struct installer *ins = s->run->installer;
	char temp[PATH_MAX];
	int error;

	snprintf(temp, sizeof temp, "%s/t", supervisor_temp(s));
	if ((error = may_add_all(r, list(&ins->env.write_dirs), GRANT_WRITE, what)) < 0 ||
	    (error = may_add_all(r, list(&ins->outputs), GRANT_WRITE, what)) < 0 ||
	    (error = may_add_all(r, policy_grants(s->run->policy, ROLE_INSTALLER, FILE_WRITE), GRANT_WRITE, what)) < 0 ||
	    (error = ins->cache_dir != NULL ? may_add(r, ins->cache_dir, GRANT_WRITE, what) : 0) < 0) {
		return error;
	}
	*what = "temp";
	if ((error = ruleset_add_nofollow(r, temp, GRANT_WRITE)) < 0) {
		return error;
	}
	return may_add_all(r, places_installer_devices, GRANT_WRITE_FILE, what);
}

/* What the kernel executes to load a program. */
static int add_loader(struct ruleset *r, const char *program)
{
	char loader[PATH_MAX];
	const char *what;

	return elf_interpreter(program, loader, sizeof loader) ? may_add(r, loader, GRANT_EXECUTE, &what) : 0;
}

static int add_installer_executes(const struct supervisor *s, struct ruleset *r, const char **what)
{
	const struct installer *ins = s->run->installer;
	int error;

	*what = ins->env.interpreter_real;
	if ((error = ruleset_add(r, *what, GRANT_EXECUTE)) < 0) {
		return error;
	}
	if ((error = add_loader(r, ins->env.interpreter_real)) < 0) {
		return error;
	}
	*what = s->enter_path;
	error = ruleset_add(r, *what, GRANT_EXECUTE);
	return error < 0 ? error : add_loader(r, s->enter_path); /* under the sanitizers enter is not static and has a loader too */
}

int rights_installer(const struct supervisor *s, struct ruleset *r, const char **what)
{
	int error;

	*what = "ruleset";
	if ((error = ruleset_init(r, RULESET_INSTALLER, s->run->caps->landlock_abi, ports_are_known(s))) < 0) {
		return error;
	}
	if ((error = add_installer_writes(s, r, what)) < 0 || (error = add_installer_executes(s, r, what)) < 0 || (error = add_ports(s, r)) < 0) {
		ruleset_finish(r);
		return error;
	}
	return 0;
}
