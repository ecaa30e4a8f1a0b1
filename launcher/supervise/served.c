/* What of a served folder may be read and changed. */
#include "launcher/supervise/served.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <linux/magic.h>

#include "launcher/supervise/gitconfig.h"
#include "launcher/supervise/pathtext.h"

#define LOOK_MAX (256 * 1024) /* of a file whose content is asked */
#define DELETED " (deleted)"

static bool below(const struct served *v, const char *path, const char *top)
{
	char a[PATH_MAX], b[PATH_MAX];
	if (!v->folds || strlen(path) >= sizeof a || strlen(top) >= sizeof b)
		return pathtext_below(path, top);
	path_fold(path, a);
	path_fold(top, b);
	return pathtext_below(a, b);
}

bool served_holds(const struct sandbox *sb, const char *real)
{
	if (!sb->served || !pathtext_below(real, sb->served->root) || grants_write(sb, real))
		return false;
	for (char *const *a = sb->served->apart; a && *a; a++)
		if (below(sb->served, real, *a))
			return false;
	return true;
}

bool served_holds_apart(const struct sandbox *sb, const char *real)
{
	for (char *const *a = sb->served->apart; a && *a; a++)
		if (below(sb->served, *a, real))
			return true;
	return false;
}

static bool granted(const struct sandbox *sb, const char *real)
{
	const char *const *grant = policy_grants(supervisor_policy(sb->sup), sb->role, FILE_READ);
	for (; grant && *grant; grant++)
		if (pathtext_below(real, *grant))
			return true;
	return false;
}

/* The names of test keys and harmless namesakes are everywhere: what is in the file decides.  What cannot be read is what its name says. */
static bool is_confirmed(int fd, const char *rule)
{
	bool key = strcmp(rule, "file.project.key") == 0;
	char self[40], *text = NULL;
	if (!key && strcmp(rule, "file.project.login") != 0)
		return true;
	if (fd < 0)
		return false; /* what is made now is the build's own */
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	cleanup_fd int content = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	if (content < 0 || fstat(content, &st) < 0 || !S_ISREG(st.st_mode))
		return content < 0 || !S_ISDIR(st.st_mode); /* a folder of that name holds nothing itself */
	ssize_t len = fd_slurp(content, LOOK_MAX, &text);
	if (len < 0)
		return true;
	bool binary = memchr(text, '\0', (size_t)len) != NULL;
	bool found = key ? gitconfig_has_key(text, (size_t)len) : gitconfig_has_login(text, (size_t)len);
	free(text);
	return found || (key && binary); /* PKCS#12 and other key stores; DER */
}

/* Something else than a project's file: a device, or what the kernel makes up. */
static bool is_strange(int fd, const struct stat *st)
{
	struct statfs fs;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return true;
	return fstatfs(fd, &fs) == 0 && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC || fs.f_type == DEBUGFS_MAGIC);
}

static bool is_closed(const struct served *v, const char *real, enum file_access access, struct verdict *why)
{
	for (size_t i = 0; i < v->closed_count; i++)
		if (below(v, real, v->closed[i].real) && (access == FILE_WRITE || v->closed[i].secret)) {
			*why = v->closed[i].why;
			return true;
		}
	return false;
}

static bool allows_rules(const struct sandbox *sb, int fd, const char *real, enum file_access access, struct verdict *why)
{
	const struct policy *policy = supervisor_policy(sb->sup);
	const char *relative = real + strlen(sb->served->root);
	if (access == FILE_READ && granted(sb, real))
		return true;
	if (policy_project(policy, relative[0] ? relative : "/", access, why) && is_confirmed(fd, why->rule))
		return false;
	if (sb->served->folds && policy_project_folded(policy, relative, access, why) && is_confirmed(fd, why->rule))
		return false;
	if (is_closed(sb->served, real, access, why) && is_confirmed(fd, why->rule))
		return false;
	/* A rule of the policy that is at home everywhere ("~" and "**"), or one of the user's. */
	return !policy_file(policy, real, access, why);
}

bool served_allows(const struct sandbox *sb, int fd, const char *real, enum file_access access, struct verdict *why)
{
	char was[PATH_MAX];
	struct stat st;
	if (fd >= 0) {
		if (fstat(fd, &st) < 0 || is_strange(fd, &st) || (S_ISREG(st.st_mode) && st.st_nlink > 1 && served_is_linked_secret(sb, real, &st))) {
			*why = policy_rule(supervisor_policy(sb->sup), "file.link.protected");
			return false;
		}
		size_t len = strlen(real), end = strlen(DELETED);
		if (st.st_nlink == 0 && len > end && len < sizeof was && strcmp(real + len - end, DELETED) == 0) {
			snprintf(was, sizeof was, "%.*s", (int)(len - end), real); /* what was removed is what it was */
			real = was;
		}
	}
	if (access == FILE_READ && fd >= 0 && S_ISDIR(st.st_mode))
		return true; /* names are no secret: a virtual environment may be called .env */
	return allows_rules(sb, fd, real, access, why);
}

bool served_allows_entry(const struct sandbox *sb, const struct entry *e, struct verdict *why)
{
	cleanup_fd int fd = e->exists ? openat(e->dir.fd, e->name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (served_holds_apart(sb, e->real)) {
		grants_write_verdict(sb, e->real, why);
		return false;
	}
	return served_allows(sb, fd, e->real, FILE_WRITE, why);
}

bool served_own(const struct sandbox *sb, int fd, const char *real)
{
	struct verdict why;
	return served_holds(sb, real) && served_allows(sb, fd, real, FILE_WRITE, &why);
}

struct reply served_refuse(struct sandbox *sb, const struct seccomp_notif *req, const char *type, const char *call, const char *real,
                           const char *as_written, struct verdict why)
{
	struct refusal r = {.type = type, .verdict = why, .call = call, .real = real, .as_written = as_written};
	if (r.verdict.action == ACTION_ALLOW)
		r.verdict.action = ACTION_DENY; /* nothing stands behind the supervisor here: what is not allowed is refused */
	grants_record(sb, req, &r);
	return reply_error(EACCES);
}
