#include "launcher/supervise/grants.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/supervise/pathtext.h"
#include "launcher/supervise/seen.h"
#include "launcher/supervise/supervisor.h"

bool grants_write(const struct sandbox *sb, const char *real)
{
	if ((sb->home && pathtext_below(real, sb->home)) || (sb->tmp && pathtext_below(real, sb->tmp)))
		return true;
	for (char *const *w = sb->writable; w && *w; w++)
		if (pathtext_below(real, *w))
			return true;
	return false;
}

bool grants_place(const struct sandbox *sb, const char *real)
{
	for (char *const *place = sb->places; place && *place; place++)
		if (pathtext_below(real, *place))
			return true;
	return false;
}

/* Is the object on the /dev/shm that the caller sees, and is that one the sandbox's own?  A descriptor that came from outside may be on the other. */
static bool on_own_shm(const struct sandbox *sb, const struct seccomp_notif *req, const struct stat *st)
{
	char path[48];
	struct stat theirs, ours;
	if (!sb->namespaces)
		return false;
	snprintf(path, sizeof path, "/proc/%u/root/dev/shm", req->pid);
	if (stat(path, &theirs) < 0 || theirs.st_dev != st->st_dev)
		return false;
	return stat("/dev/shm", &ours) < 0 || ours.st_dev != theirs.st_dev;
}

bool grants_own_name(const struct sandbox *sb, const char *real)
{
	return !pathtext_below(real, "/proc") && !pathtext_below(real, "/sys") && !pathtext_below(real, "/dev") && grants_write(sb, real);
}

bool grants_own(const struct sandbox *sb, const struct seccomp_notif *req, int fd, const char *real)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return false;
	return pathtext_below(real, "/dev/shm") ? on_own_shm(sb, req, &st) : grants_own_name(sb, real);
}

/* Of a virtual environment that this command does not write (`pip download`), and what pip itself does not write there. */
static bool below_environment(const struct python_env *env, const char *real)
{
	static const char *const parts[] = {"pyvenv.cfg", "pip.conf", "bin", "lib", "lib64", "include", "share", "etc"};
	char path[PATH_MAX];
	for (size_t i = 0; i < env->site_dirs.n; i++)
		if (pathtext_below(real, env->site_dirs.v[i]))
			return true;
	for (size_t i = 0; env->venv && env->prefix && i < sizeof parts / sizeof *parts; i++) {
		int len = snprintf(path, sizeof path, "%s/%s", env->prefix, parts[i]);
		if (len < (int)sizeof path && pathtext_below(real, path))
			return true;
	}
	return false;
}

bool grants_environment(const struct sandbox *sb, const char *real)
{
	for (const char *const *e = supervisor_environment(sb->sup); e && *e; e++)
		if (pathtext_below(real, *e))
			return true;
	return sb->sup->run->env && below_environment(sb->sup->run->env, real);
}

bool grants_write_verdict(const struct sandbox *sb, const char *real, struct verdict *out)
{
	const struct policy *policy = supervisor_policy(sb->sup);
	size_t dir_len;
	if (policy_file(policy, real, FILE_WRITE, out))
		return true;
	const char *id = "file.write.outside";
	const char *temp = supervisor_temp(sb->sup);
	if (pathtext_bytecode(real, &dir_len))
		id = "file.write.pycache";
	else if (temp && pathtext_below(real, temp))
		id = "file.write.build";
	else if (grants_environment(sb, real))
		id = "file.write.environment";
	*out = policy_rule(policy, id);
	return false;
}

/* The option that opens the place, where one does. */
static void option(char *out, size_t size, const struct sandbox *sb, enum file_access access, const char *real)
{
	const char *what = NULL;
	if (policy_role_grant_conflict(supervisor_policy(sb->sup), sb->role, real, access, &what))
		snprintf(out, size, "it is, holds or lies in a protected place (%s): no option opens it", what ? what : real);
	else
		snprintf(out, size, "--allow-%s %s:%s", access == FILE_READ ? "read" : "write", role_name(sb->role), real);
}

static void hint(char *out, size_t size, const struct sandbox *sb, const struct refusal *r)
{
	const char *rule = r->verdict.rule ? r->verdict.rule : "";
	out[0] = '\0';
	if (strcmp(rule, "file.write.pycache") == 0)
		snprintf(out, size, "bytecode is not kept outside the sandbox's own folders; nothing needs to be done");
	else if (strcmp(rule, "file.write.environment") == 0 || strcmp(rule, "file.meta.environment") == 0)
		snprintf(out, size, "only pip itself changes the Python environment");
	else if (strcmp(rule, "file.write.build") == 0)
		snprintf(out, size, "it belongs to pip or to another package's build");
	else if (r->real && (strcmp(rule, "file.read.outside") == 0 || (sb->role == ROLE_CREDENTIAL && strcmp(r->type, "file.open") == 0)))
		option(out, size, sb, FILE_READ, r->real);
	else if (strncmp(rule, "process.inspect", 15) == 0)
		snprintf(out, size, "processes outside the sandbox are out of its reach");
	else if (strcmp(rule, "file.meta.setid") == 0)
		snprintf(out, size, "a file with a set-id bit is never made in a sandbox");
	else if (r->real && (strcmp(rule, "file.write.outside") == 0 || strcmp(rule, "file.meta.outside") == 0))
		option(out, size, sb, FILE_WRITE, r->real);
	else if (rule[0])
		snprintf(out, size, "a policy file that removes rule %s", rule);
}

void grants_record(struct sandbox *sb, const struct seccomp_notif *req, const struct refusal *r)
{
	char detail[4200], folder[4096];
	size_t dir_len;
	if (!target_alive(sb, req))
		return;
	const char *shown = r->real;
	/* CPython writes bytecode under a random name first: one record a folder, not one a try. */
	if (shown && r->verdict.rule && strcmp(r->verdict.rule, "file.write.pycache") == 0 && pathtext_bytecode(shown, &dir_len) &&
	    dir_len < sizeof folder) {
		memcpy(folder, shown, dir_len);
		folder[dir_len] = '\0';
		shown = folder;
	}
	struct event ev = {
		.type = r->type,
		.action = r->decoy ? EV_DECOY : r->verdict.action == ACTION_ALLOW ? EV_OBSERVED : EV_DENIED,
		.verdict = r->verdict,
		.source = SRC_KERNEL,
		.target = {.name = r->call, .path = shown, .as_written = shown == r->real ? r->as_written : NULL},
	};
	if (ev.verdict.action != ACTION_ALLOW)
		hint(detail, sizeof detail, sb, r);
	else
		detail[0] = '\0';
	if (r->decoy) {
		seen_file_read(sb, r->real);
		snprintf(detail, sizeof detail, "what was read is a decoy of this run");
	}
	if (r->unreadable)
		snprintf(detail, sizeof detail, "its arguments cannot be read");
	if (r->missing) {
		/* Honest programs look for files that may be there (.env, .netrc): what is not there is nobody's secret. */
		snprintf(detail, sizeof detail, "it does not exist");
		ev.verdict.severity = SEV_INFO;
		if (ev.verdict.action != ACTION_ALLOW)
			ev.verdict.action = ACTION_DENY;
	}
	ev.detail = detail[0] ? detail : NULL;
	supervisor_record(sb, (pid_t)req->pid, &ev);
}

struct reply grants_unreadable(struct sandbox *sb, const struct seccomp_notif *req, const char *call, int error)
{
	/* An address that is not mapped, or a caller that has gone, is nothing to speak of. */
	if (error == -EFAULT || error == -ESRCH || error == -ENAMETOOLONG || error == -ENOENT || error == -EBADF)
		return reply_error(-error);
	struct refusal r = {
		.type = "syscall.denied",
		.verdict = policy_rule(supervisor_policy(sb->sup), "syscall.other"),
		.call = call,
		.unreadable = true,
	};
	grants_record(sb, req, &r);
	return reply_error(EACCES);
}

/* Could the user write there without pipwarden?  If not, pip's own message says it all.  What does not exist is judged by the nearest folder that does.  The
 * supervisor is the same user, outside the installer's ruleset. */
static bool user_may_write(const char *path)
{
	char at[PATH_MAX];
	size_t len = strlen(path);
	if (len >= sizeof at || path[0] != '/')
		return false;
	memcpy(at, path, len + 1);
	while (faccessat(AT_FDCWD, at, W_OK, AT_EACCESS)) {
		char *slash = strrchr(at, '/');
		if (errno != ENOENT || !slash)
			return false;
		slash[slash == at && at[1]] = '\0';
	}
	return true;
}

bool grants_explain_installer(const struct sandbox *sb, const char *path, struct verdict *verdict, char *hint, size_t size)
{
	const struct policy *policy = supervisor_policy(sb->sup);
	const char *temp = supervisor_temp(sb->sup), *what = NULL;
	size_t dir_len;
	/* Of a rename the shim names both ends: one that lies in the run's own temp is not the one that was refused. */
	if ((temp && pathtext_below(path, temp)) || !user_may_write(path))
		return false;
	*verdict = policy_rule(policy, pathtext_bytecode(path, &dir_len) ? "file.write.pycache" : "file.write.installer");
	if (policy_grant_conflict(policy, path, FILE_WRITE, &what))
		snprintf(hint, size, "it starts programs or is otherwise protected: pip writes nothing there, and no option lets it");
	else
		snprintf(hint, size, "--allow-write installer:%s", path);
	return true;
}
